//! The settings after they were read and checked: types that cannot be wrong. `config.rs` makes them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::IpVersion;
use crate::proxies::Proxies;
use crate::secret::Secret;

/// Everything the operator asked for.
#[derive(Clone, Debug)]
pub struct Config {
    /// Seconds between the starts of two passes (`APP_INTERVAL`).
    pub interval: Duration,
    /// Between two questions to the holders of external addresses (`EXTERNAL_ADDRESS_WATCH`); `None`: only passes ask them.
    pub watch: Option<Duration>,
    /// The status server.
    pub status: StatusSettings,
    /// What `decide` goes by.
    pub policy: Policy,
    /// The file whose number goes before `policy.minimum` (`REPLICA_MIN_AVAILABLE_RESOURCES_FILE`).
    pub minimum_file: Option<PathBuf>,
    /// How replicas are asked.
    pub probe: ProbeSettings,
    /// How the pool's servers are told from others.
    pub mark: Mark,
    /// Prefix of the VMs' names (`OPENSTACK_NAME`).
    pub name: String,
    /// Where the VMs are.
    pub provider: ProviderSettings,
    /// How several scalers share the pool; `None`: this one acts alone.
    pub lease: Option<LeaseSettings>,
    /// What the operator should know about the settings: one line each, logged once at start.
    pub warnings: Vec<String>,
    /// Every setting that has an effect, as it was read, in the order of the table.
    pub in_force: Vec<InForce>,
}

/// A setting as it is in force, for people. Its value is never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The variable.
    pub name: &'static str,
    /// What holds, on one line; in a word, where there is no value.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where the value of a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The environment.
    Set,
    /// The `clouds.yaml` that `OS_CLOUD` reads.
    CloudsFile,
}

impl Origin {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Default => "default",
            Origin::Set => "set",
            Origin::CloudsFile => "clouds.yaml",
        }
    }
}

impl Config {
    /// The cloud of a `clouds.yaml` that the login is from.
    pub fn cloud(&self) -> Option<&CloudSource> {
        match &self.provider {
            ProviderSettings::OpenStack(settings) => settings.cloud.as_ref(),
            ProviderSettings::Simulated => None,
        }
    }
}

/// `APP_HOST`, `APP_PORT`, `APP_STATUS_DETAIL`.
#[derive(Clone, Debug)]
pub struct StatusSettings {
    /// Host to listen on, a name or an address.
    pub host: String,
    /// Port to listen on; 0 lets the system choose one.
    pub port: u16,
    /// `false` hides ids, names and addresses (`APP_STATUS_DETAIL=summary`).
    pub full: bool,
}

/// What `decide` goes by; nothing in it can be contradictory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Resources of one replica, more than 0 (`REPLICA_CAPACITY`).
    pub capacity: u64,
    /// Resources that have to be free at all times: what stands in `REPLICA_MIN_AVAILABLE_RESOURCES_FILE`, else
    /// `REPLICA_MIN_AVAILABLE_RESOURCES`.
    pub minimum: u64,
    /// Most replicas of any state (`REPLICA_MAX`).
    pub max: Option<u64>,
    /// How long a replica may take from launch to its first answer (`REPLICA_BOOT_GRACE`).
    pub boot_grace: Duration,
    /// How long a build may take (`REPLICA_LAUNCH_TIMEOUT`).
    pub launch_timeout: Duration,
    /// After how long a silence a replica is replaced (`REPLICA_REPLACE_SILENT_AFTER`); `None`: never.
    pub replace_silent_after: Option<Duration>,
    /// Whether stopped replicas are deleted (`REPLICA_DELETE_STOPPED`).
    pub delete_stopped: bool,
    /// Whether external addresses are managed (`EXTERNAL_ADDRESS_MANAGEMENT`).
    pub manage_addresses: bool,
    /// The IP version replicas are probed by (`OPENSTACK_IP_VERSION`).
    pub ip_version: IpVersion,
    /// Seconds between the starts of two passes (`APP_INTERVAL`): the unit of every pause.
    pub interval: Duration,
    /// One pass with no memory (`--once`).
    pub once: bool,
}

/// `REPLICA_API_*`.
#[derive(Clone, Debug)]
pub struct ProbeSettings {
    /// `http` or `https`.
    pub https: bool,
    /// Port of the replicas' status.
    pub port: u16,
    /// Path of the replicas' status, beginning with `/`.
    pub path: String,
    /// Key, or JSON pointer when it begins with `/`, of the free resources.
    pub capacity_key: String,
    /// Key, or JSON pointer when it begins with `/`, of the boolean "may be destroyed".
    pub termination_key: String,
    /// Limit of one question and its answer.
    pub timeout: Duration,
    /// How often a silent replica is asked again within a pass.
    pub retries: u32,
    /// Most replicas asked at the same time; at least 1.
    pub concurrency: usize,
    /// PEM file of the authorities that sign the replicas' certificates.
    pub cacert: Option<PathBuf>,
    /// Accept any certificate.
    pub insecure: bool,
}

/// The pool's mark: the metadata `key` = `value` its servers carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// `OPENSTACK_METADATA_KEY`.
    pub key: String,
    /// `OPENSTACK_METADATA_VALUE`; `None` when unset: `scaler`, or `scaled` where only that is found.
    pub value: Option<String>,
}

impl Mark {
    /// Its default by the page of the Python image.
    pub const DOCUMENTED: &str = "scaler";

    /// Its default by the code of the Python image.
    pub const PYTHON: &str = "scaled";

    /// What it is, or, as long as that is not settled, may be.
    pub fn values(&self) -> Vec<String> {
        match &self.value {
            Some(value) => vec![value.clone()],
            None => vec![Mark::DOCUMENTED.to_owned(), Mark::PYTHON.to_owned()],
        }
    }
}

/// Where the VMs are (`PROVIDER`).
#[derive(Clone, Debug)]
pub enum ProviderSettings {
    /// A real cloud.
    OpenStack(Box<OpenStackSettings>),
    /// A cloud in memory, to try things out.
    Simulated,
}

/// `OS_*` and `OPENSTACK_*`.
#[derive(Clone, Debug)]
pub struct OpenStackSettings {
    /// `OS_AUTH_URL` as given, with or without `/v3`.
    pub auth_url: String,
    /// Who we are, and for which project.
    pub credentials: Credentials,
    /// Whose values they are, with `OS_CLOUD`.
    pub cloud: Option<CloudSource>,
    /// `OS_REGION_NAME`; `None` when unset: the default region, or the catalog's only one.
    pub region: Option<String>,
    /// Which region is taken when none is set and it exists: SBG7, but of a cloud of a file none.
    pub default_region: Option<&'static str>,
    /// `OS_COMPUTE_ENDPOINT_OVERRIDE` and its like: where a service is, whatever the catalog says.
    pub endpoint_overrides: EndpointOverrides,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    /// `OPENSTACK_FLAVOR`: name or id.
    pub flavor: String,
    /// `OPENSTACK_IMAGE`: name or id.
    pub image: String,
    /// `OPENSTACK_NETWORK`: name or id.
    pub network: String,
    /// The metadata key of the pool's mark.
    pub metadata_key: String,
    /// `OPENSTACK_FLOATING_IP_DESCRIPTION`.
    pub floating_ip_description: String,
    /// `OPENSTACK_KEYPAIR`.
    pub keypair: Option<String>,
    /// `OPENSTACK_CLOUD_INIT_FILE`, read again for each creation.
    pub cloud_init_file: Option<PathBuf>,
    /// What the VMs get that not every pool needs.
    pub options: ServerOptions,
    /// Limit of one request with its retries (`OPENSTACK_API_TIMEOUT`); twice that for a creation.
    pub timeout: Duration,
    /// `OS_CACERT`: a PEM file, used instead of the bundled roots.
    pub cacert: Option<PathBuf>,
    /// `OS_INSECURE`: accept any certificate.
    pub insecure: bool,
    /// `OS_CERT` and `OS_KEY`: PEM files, shown to a cloud that asks who we are; the key may be in the first one, too.
    pub client_certificate: Option<ClientCertificate>,
    /// Through whom the cloud is asked (`https_proxy` and its like).
    pub proxies: Proxies,
}

/// What a VM gets beyond flavor, image and network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerOptions {
    /// `OPENSTACK_SECURITY_GROUPS`: names or ids; empty: the project's default group.
    pub security_groups: Vec<String>,
    /// `OPENSTACK_AVAILABILITY_ZONE`.
    pub availability_zone: Option<String>,
    /// `OPENSTACK_BOOT_VOLUME_SIZE`; `None`: the flavor's own disk.
    pub boot_volume: Option<BootVolume>,
    /// `OPENSTACK_SERVER_FILE`, read again for each creation.
    pub server_file: Option<PathBuf>,
}

/// A volume that is made of the image for each VM, and goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootVolume {
    /// `OPENSTACK_BOOT_VOLUME_SIZE`, in GiB.
    pub size_gib: u64,
    /// `OPENSTACK_BOOT_VOLUME_TYPE`; `None`: Cinder's default.
    pub volume_type: Option<String>,
}

/// The cloud of a `clouds.yaml` that `OS_CLOUD` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudSource {
    /// Its name.
    pub name: String,
    /// The files that tell of it.
    pub files: Vec<PathBuf>,
}

impl fmt::Display for CloudSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        write!(formatter, "cloud {:?} of {}", self.name, files.join(" and "))
    }
}

/// Where services are, instead of what the catalog says; `%(project_id)s` in them is the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointOverrides {
    /// Nova.
    pub compute: Option<String>,
    /// Neutron.
    pub network: Option<String>,
    /// Glance.
    pub image: Option<String>,
}

/// Who we are in TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and those between it and its authority.
    pub cert: PathBuf,
    /// Its private key; `None`: in the same file.
    pub key: Option<PathBuf>,
}

/// How to log in to Keystone v3.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// User and password, scoped to a project.
    Password {
        /// The user.
        user: User,
        /// The user's password.
        password: Secret,
        /// The project to scope to.
        project: Project,
    },
    /// An application credential; it carries its own project, so no scope is sent.
    ApplicationCredential {
        /// By id, or by name and user.
        which: ApplicationCredential,
        /// Its secret.
        secret: Secret,
    },
}

/// A user, by id or by name and domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// By id, which belongs to no domain.
    Id(String),
    /// By name.
    Name {
        /// The user's name.
        name: String,
        /// The user's domain.
        domain: Domain,
    },
}

/// A domain, by id or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// By id.
    Id(String),
    /// By name.
    Name(String),
}

/// A project, by id or by name and domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Project {
    /// By id.
    Id(String),
    /// By name, within a domain.
    Name {
        /// The project's name.
        name: String,
        /// The domain it is in.
        domain: Domain,
    },
}

/// An application credential, by id or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplicationCredential {
    /// By id.
    Id(String),
    /// By name: then it needs its user.
    Name {
        /// The credential's name.
        name: String,
        /// The user it belongs to.
        user: User,
    },
}

/// How several scalers of one pool agree on which of them acts (`APP_LEASE`).
#[derive(Clone, Debug)]
pub struct LeaseSettings {
    /// Where the record is kept.
    pub kind: LeaseKind,
    /// How long a renewal is good for (`APP_LEASE_SECONDS`).
    pub validity: Duration,
    /// Tells this pool's lease from any other (`APP_LEASE_NAME`): text on one line, of at most 200 characters.
    pub name: String,
    /// Who we are, for people (`APP_NAME`).
    pub holder: String,
}

impl LeaseSettings {
    /// The longest that one request to where the record is kept may take, with its retries.
    pub fn request_limit(&self) -> Duration {
        self.validity / 3
    }
}

/// Where the record of the lease is kept.
#[derive(Clone, Debug)]
pub enum LeaseKind {
    /// Among the images of the cloud that the pool is in.
    OpenStack,
    /// In etcd.
    Etcd(Box<EtcdSettings>),
}

/// `ETCDCTL_*`.
#[derive(Clone, Debug)]
pub struct EtcdSettings {
    /// `ETCDCTL_ENDPOINTS`: at least one, each `http://HOST[:PORT]` or `https://HOST[:PORT]`.
    pub endpoints: Vec<String>,
    /// `ETCDCTL_CACERT`: a PEM file, used instead of the bundled roots.
    pub cacert: Option<PathBuf>,
    /// `ETCDCTL_CERT` and `ETCDCTL_KEY`.
    pub certificate: Option<ClientCertificate>,
    /// `ETCDCTL_USER` with its password.
    pub login: Option<EtcdLogin>,
    /// Through whom it is asked (`https_proxy` and its like).
    pub proxies: Proxies,
}

/// A user of etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdLogin {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Secret,
}
