//! The one table of settings. Parsing, `--help`, the README's list, the warning for unknown variables and the check of
//! the manual page are all derived from it.

/// One setting: an environment variable.
#[derive(Debug)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// Other variables that mean the same.
    pub aliases: &'static [&'static str],
    /// What holds when it is not set.
    pub unset: Unset,
    /// What it means, with its unit, in one line.
    pub meaning: &'static str,
}

/// What holds when a setting is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    /// This value, as if it were set.
    Default(&'static str),
    /// No value; in a word, what that means.
    Means(&'static str),
}

/// Settings of one subject.
#[derive(Debug)]
pub struct Group {
    /// The subject.
    pub title: &'static str,
    /// Its settings, in reading order.
    pub settings: &'static [&'static Setting],
}

impl Setting {
    /// The value that holds when it is not set, if there is one.
    pub fn default(&self) -> Option<&'static str> {
        match self.unset {
            Unset::Default(value) => Some(value),
            Unset::Means(_) => None,
        }
    }

    /// The variable and its other names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// Every setting, in reading order.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    GROUPS.iter().flat_map(|group| group.settings.iter().copied())
}

/// Variables of the Python image's self-scaling: known, not supported. A trailing `*` stands for any ending.
pub const SELF_SCALING: [&str; 4] = [
    "ENABLE_AUTOSCALING",
    "AUTOSCALING_*",
    "OPENSTACK_AUTOSCALER_*",
    "OPENSTACK_METADATA_AUTOSCALER_VALUE",
];

/// Makes a constant of every setting, so that a misspelt one does not compile, and the list of them.
macro_rules! settings {
    ($($title:literal {
        $($name:ident $(/ $alias:ident)* = $unset:ident($value:literal): $meaning:literal;)*
    })*) => {
        $($(
            #[doc = concat!("`", stringify!($name), "`")]
            pub static $name: Setting = Setting {
                name: stringify!($name),
                aliases: &[$(stringify!($alias)),*],
                unset: Unset::$unset($value),
                meaning: $meaning,
            };
        )*)*

        /// Every setting by subject, in reading order.
        pub static GROUPS: &[Group] = &[
            $(Group { title: $title, settings: &[$(&$name),*] }),*
        ];
    };
}

settings! {
    "The pool" {
        REPLICA_CAPACITY = Default("1"): "resources per replica, 1 or more";
        REPLICA_MIN_AVAILABLE_RESOURCES = Default("3"): "resources to keep free at all times";
        REPLICA_MIN_AVAILABLE_RESOURCES_FILE = Means("none"):
            "file with this number, read again in each pass; overrides the variable";
        REPLICA_MAX = Means("100, or 4 times what REPLICA_MIN_AVAILABLE_RESOURCES needs"):
            "most replicas, in any state; none: no limit";
        EXTERNAL_ADDRESS_MANAGEMENT = Default("false"): "keep the pool's floating IPs on healthy replicas";
        EXTERNAL_ADDRESS_WATCH = Default("1"):
            "seconds between questions to each holder of a floating IP, less than APP_INTERVAL; 0: only passes ask";
        REPLICA_BOOT_GRACE = Default("600"): "seconds a new replica may take from its launch to its first answer";
        REPLICA_LAUNCH_TIMEOUT = Default("900"): "seconds a build may take before it counts as failed";
        REPLICA_REPLACE_SILENT_AFTER = Means("never"):
            "seconds of silence after which a replica is replaced; no effect with --once";
        REPLICA_DELETE_STOPPED = Default("false"): "delete stopped replicas";
        APP_INTERVAL = Default("60"): "seconds between the starts of two passes";
    }
    "Asking the replicas" {
        REPLICA_API_PROTOCOL = Default("http"): "http or https";
        REPLICA_API_PORT = Default("8080"): "port of a replica's status";
        REPLICA_API_PATH = Default("/"): "path of a replica's status";
        REPLICA_API_CAPACITY_KEY = Default("capacity"):
            "key of the free resources; a JSON pointer when it begins with /";
        REPLICA_API_TERMINATION_KEY = Default("termination"):
            "key of the boolean \"may be destroyed\"; a JSON pointer when it begins with /";
        REPLICA_API_TIMEOUT = Default("5"):
            "seconds for one question and its answer, less than APP_INTERVAL; if unset, at most half of it";
        REPLICA_API_RETRIES = Default("2"): "how many times to ask a silent replica again within a pass";
        REPLICA_API_CONCURRENCY = Default("128"): "most replicas to ask at the same time; 1: one after another";
        REPLICA_API_CACERT = Means("bundled Mozilla roots"): "PEM file of the authorities that sign https replicas";
        REPLICA_API_INSECURE = Default("false"): "accept any certificate from an https replica";
    }
    "Status server" {
        APP_HOST = Default("0.0.0.0"): "address to listen on";
        APP_PORT = Default("8000"): "port to listen on; 0: any free one";
        APP_STATUS_DETAIL = Default("full"): "full, or summary: no ids, names or addresses";
    }
    "The cloud and the login" {
        PROVIDER = Default("openstack"): "openstack, or simulated: a cloud in memory, to try things out";
        OS_CLOUD = Means("none"): "a cloud in clouds.yaml: its values override the variables below";
        OS_CLIENT_CONFIG_FILE = Means("searched"): "the clouds.yaml, if it is not where OpenStack's clients look";
        OS_CLIENT_SECURE_FILE = Means("searched"): "the secure.yaml merged over it, likewise";
        OS_AUTH_URL = Default("https://auth.cloud.ovh.net/v3"): "Keystone's address, with or without /v3";
        OS_USERNAME = Means("required"): "user; not needed with an application credential given by id";
        OS_USER_ID = Means("none"): "the user by id instead; needs no domain, and overrides the name";
        OS_PASSWORD = Means("required"): "the user's password; not needed with an application credential";
        OS_PASSWORD_FILE = Means("none"): "file with the password instead; one trailing newline is dropped";
        OS_PROJECT_ID / OS_TENANT_ID = Means("required, or the name"):
            "project; not needed with an application credential";
        OS_PROJECT_NAME / OS_TENANT_NAME = Means("required, or the id"): "the project's name; the id overrides it";
        OS_PROJECT_DOMAIN_ID = Default("default"): "domain of a project given by name";
        OS_PROJECT_DOMAIN_NAME = Means("none"): "the same by name; the id overrides it";
        OS_USER_DOMAIN_ID = Means("none"): "domain of the user; overrides the name";
        OS_USER_DOMAIN_NAME = Default("Default"): "the same by name";
        OS_REGION_NAME = Default("SBG7"): "region; if unset and SBG7 is not in the catalog, the only region there is";
        OS_INTERFACE / OS_ENDPOINT_TYPE = Default("public"): "kind of endpoint: public, internal or admin";
        OS_IDENTITY_API_VERSION = Default("3"): "only 3";
        OS_AUTH_TYPE = Means("depends on what is set"): "password or v3applicationcredential";
        OS_APPLICATION_CREDENTIAL_ID = Means("none"): "application credential, by id";
        OS_APPLICATION_CREDENTIAL_NAME = Means("none"): "application credential, by name; needs OS_USERNAME, too";
        OS_APPLICATION_CREDENTIAL_SECRET = Means("none"): "its secret";
        OS_APPLICATION_CREDENTIAL_SECRET_FILE = Means("none"):
            "file with the secret instead; one trailing newline is dropped";
        OS_CACERT = Means("bundled Mozilla roots"): "PEM file of authorities, used instead of the bundled ones";
        OS_INSECURE = Default("false"): "accept any certificate from the cloud";
        OS_CERT = Means("none"): "PEM file of the client certificate, for a cloud that asks for one";
        OS_KEY = Means("in OS_CERT"): "PEM file of its private key, not encrypted";
        OS_COMPUTE_ENDPOINT_OVERRIDE = Means("from the catalog"): "Nova's URL";
        OS_NETWORK_ENDPOINT_OVERRIDE = Means("from the catalog"): "Neutron's URL";
        OS_IMAGE_ENDPOINT_OVERRIDE = Means("from the catalog"): "Glance's URL";
        OPENSTACK_API_TIMEOUT = Default("60"): "seconds for one request to the cloud; twice that for a creation";
    }
    "The VMs" {
        OPENSTACK_NAME / OPENSTACK_SCALED_NAME = Default("server"): "what the VMs' names start with";
        OPENSTACK_FLAVOR / OPENSTACK_SCALED_FLAVOR = Default("d2-8"): "flavor, by name or id";
        OPENSTACK_IMAGE / OPENSTACK_SCALED_IMAGE = Default("Debian 11"):
            "image, by name or id; the newest of several with the same name";
        OPENSTACK_NETWORK / OPENSTACK_SCALED_NETWORK = Default("Ext-Net"):
            "network of the VMs, on which they are also asked; by name or id";
        OPENSTACK_IP_VERSION = Default("4"): "IP version used to ask the replicas: 4 or 6";
        OPENSTACK_KEYPAIR = Means("none"): "key pair for the VMs";
        OPENSTACK_CLOUD_INIT_FILE / OPENSTACK_SCALED_CLOUD_INIT_FILE = Means("none"):
            "file with the VMs' user data, read again for each creation";
        OPENSTACK_SECURITY_GROUPS = Means("the project's default group"):
            "security groups of the VMs, by name or id, separated by commas; one must let this program in";
        OPENSTACK_AVAILABILITY_ZONE = Means("the cloud's choice"): "availability zone of the VMs";
        OPENSTACK_BOOT_VOLUME_SIZE = Means("the flavor's disk"):
            "GiB of a volume made from the image, to boot from; it is deleted with the VM";
        OPENSTACK_BOOT_VOLUME_TYPE = Means("the cloud's default"): "volume type of that volume";
        OPENSTACK_SERVER_FILE = Means("none"):
            "JSON file with more fields for the server in POST /servers, read again for each creation";
        OPENSTACK_METADATA_KEY = Default("group"): "metadata key of the pool's mark";
        OPENSTACK_METADATA_VALUE / OPENSTACK_METADATA_SCALED_VALUE = Default("scaler"):
            "value of the pool's mark; if unset and the cloud has only \"scaled\", that";
        OPENSTACK_FLOATING_IP_DESCRIPTION = Default("server"): "description of the pool's floating IPs";
    }
    "Several scalers" {
        APP_LEASE = Default("none"):
            "where the scalers of a pool agree on which one acts: none (there is only this one), openstack or etcd";
        APP_LEASE_SECONDS = Default("30"): "seconds a renewal is good for: after that long without one, another scaler \
                                            takes over";
        APP_LEASE_NAME = Means("the mark, KEY=VALUE"): "name of the pool's lease, the same for all its scalers";
        APP_NAME = Means("the host's name"): "name of this scaler, for people";
        ETCDCTL_ENDPOINTS = Means("required with etcd"):
            "etcd's addresses, separated by commas; without a scheme, https if there are certificates, else http";
        ETCDCTL_CACERT = Means("bundled Mozilla roots"): "PEM file of the authorities that sign etcd's certificates";
        ETCDCTL_CERT = Means("none"): "PEM file of the client certificate for etcd";
        ETCDCTL_KEY = Means("none"): "PEM file of its key";
        ETCDCTL_USER = Means("none"): "user of etcd: NAME, or NAME:PASSWORD";
        ETCDCTL_PASSWORD = Means("none"): "its password";
        ETCDCTL_PASSWORD_FILE = Means("none"): "file with the password instead; one trailing newline is dropped";
    }
    "Log" {
        RUST_LOG = Default("info"): "error, warn, info, debug or trace; MODULE=LEVEL, separated by commas, for parts \
                                     of it";
        LOG_FORMAT = Default("text"): "text, or json: one object per line";
    }
}
