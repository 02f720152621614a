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
        REPLICA_CAPACITY = Default("1"): "resources of one replica, 1 or more";
        REPLICA_MIN_AVAILABLE_RESOURCES = Default("3"): "resources that have to be free at all times";
        REPLICA_MIN_AVAILABLE_RESOURCES_FILE = Means("none"):
            "file that holds this number, read anew in each pass; goes before the variable";
        REPLICA_MAX = Means("100, or 4 times what REPLICA_MIN_AVAILABLE_RESOURCES needs"):
            "most replicas of any state; none: no limit";
        EXTERNAL_ADDRESS_MANAGEMENT = Default("false"): "keep the pool's floating IPs on healthy replicas";
        EXTERNAL_ADDRESS_WATCH = Default("1"):
            "seconds between two questions to each holder of a floating IP, less than APP_INTERVAL; 0: only passes ask";
        REPLICA_BOOT_GRACE = Default("600"): "seconds a new replica may take from its launch to its first answer";
        REPLICA_LAUNCH_TIMEOUT = Default("900"): "seconds a build may take before it counts as failed";
        REPLICA_REPLACE_SILENT_AFTER = Means("never"):
            "seconds of silence after which a replica is replaced; no effect with --once";
        REPLICA_DELETE_STOPPED = Default("false"): "delete replicas that are stopped";
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
            "seconds for one question and its answer, less than APP_INTERVAL; unset, at most half of it";
        REPLICA_API_RETRIES = Default("2"): "how often a silent replica is asked again within a pass";
        REPLICA_API_CONCURRENCY = Default("128"): "most replicas asked at the same time; 1: one after the other";
        REPLICA_API_CACERT = Means("bundled Mozilla roots"): "PEM file of the authorities that sign https replicas";
        REPLICA_API_INSECURE = Default("false"): "accept any certificate of an https replica";
    }
    "Status server" {
        APP_HOST = Default("0.0.0.0"): "address to listen on";
        APP_PORT = Default("8000"): "port to listen on; 0: any free one";
        APP_STATUS_DETAIL = Default("full"): "full, or summary: no ids, names or addresses";
    }
    "The cloud and the login" {
        PROVIDER = Default("openstack"): "openstack, or simulated: a cloud in memory, for a trial";
        OS_CLOUD = Means("none"): "cloud of a clouds.yaml: what it holds goes before the variables that follow";
        OS_CLIENT_CONFIG_FILE = Means("searched"): "the clouds.yaml, when it is not where OpenStack's clients look";
        OS_CLIENT_SECURE_FILE = Means("searched"): "the secure.yaml that is laid over it, likewise";
        OS_AUTH_URL = Default("https://auth.cloud.ovh.net/v3"): "Keystone's address, with or without /v3";
        OS_USERNAME = Means("required"): "user; not needed with an application credential given by id";
        OS_USER_ID = Means("none"): "the user by id instead; it needs no domain, and goes before the name";
        OS_PASSWORD = Means("required"): "the user's password; not needed with an application credential";
        OS_PASSWORD_FILE = Means("none"): "file that holds the password instead; one trailing newline is cut";
        OS_PROJECT_ID / OS_TENANT_ID = Means("required, or the name"):
            "project; not needed with an application credential";
        OS_PROJECT_NAME / OS_TENANT_NAME = Means("required, or the id"): "the project's name; the id goes first";
        OS_PROJECT_DOMAIN_ID = Default("default"): "domain of a project given by name";
        OS_PROJECT_DOMAIN_NAME = Means("none"): "the same by name; the id goes first";
        OS_USER_DOMAIN_ID = Means("none"): "domain of the user; goes before the name";
        OS_USER_DOMAIN_NAME = Default("Default"): "the same by name";
        OS_REGION_NAME = Default("SBG7"): "region; unset and no SBG7 in the catalog: the only region there is";
        OS_INTERFACE / OS_ENDPOINT_TYPE = Default("public"): "kind of endpoint: public, internal or admin";
        OS_IDENTITY_API_VERSION = Default("3"): "only 3";
        OS_AUTH_TYPE = Means("by what is set"): "password or v3applicationcredential";
        OS_APPLICATION_CREDENTIAL_ID = Means("none"): "application credential, by id";
        OS_APPLICATION_CREDENTIAL_NAME = Means("none"): "application credential, by name: OS_USERNAME is needed, too";
        OS_APPLICATION_CREDENTIAL_SECRET = Means("none"): "its secret";
        OS_APPLICATION_CREDENTIAL_SECRET_FILE = Means("none"):
            "file that holds the secret instead; one trailing newline is cut";
        OS_CACERT = Means("bundled Mozilla roots"): "PEM file of authorities, used instead of the bundled ones";
        OS_INSECURE = Default("false"): "accept any certificate of the cloud";
        OS_CERT = Means("none"): "PEM file of our own certificate, for a cloud that asks for one";
        OS_KEY = Means("in OS_CERT"): "PEM file of its private key, not encrypted";
        OS_COMPUTE_ENDPOINT_OVERRIDE = Means("by the catalog"): "Nova's URL";
        OS_NETWORK_ENDPOINT_OVERRIDE = Means("by the catalog"): "Neutron's URL";
        OS_IMAGE_ENDPOINT_OVERRIDE = Means("by the catalog"): "Glance's URL";
        OPENSTACK_API_TIMEOUT = Default("60"): "seconds for one request to the cloud; twice that for a creation";
    }
    "The VMs" {
        OPENSTACK_NAME / OPENSTACK_SCALED_NAME = Default("server"): "what the VMs' names begin with";
        OPENSTACK_FLAVOR / OPENSTACK_SCALED_FLAVOR = Default("d2-8"): "flavor, by name or id";
        OPENSTACK_IMAGE / OPENSTACK_SCALED_IMAGE = Default("Debian 11"):
            "image, by name or id; of several with the name the newest";
        OPENSTACK_NETWORK / OPENSTACK_SCALED_NETWORK = Default("Ext-Net"):
            "network of the VMs, on which they are asked, too; by name or id";
        OPENSTACK_IP_VERSION = Default("4"): "IP version the replicas are asked by: 4 or 6";
        OPENSTACK_KEYPAIR = Means("none"): "key pair for the VMs";
        OPENSTACK_CLOUD_INIT_FILE / OPENSTACK_SCALED_CLOUD_INIT_FILE = Means("none"):
            "file with the VMs' user data, read anew for each creation";
        OPENSTACK_SECURITY_GROUPS = Means("the project's default group"):
            "security groups of the VMs, by name or id, with commas; one must let this program in";
        OPENSTACK_AVAILABILITY_ZONE = Means("the cloud's choice"): "availability zone of the VMs";
        OPENSTACK_BOOT_VOLUME_SIZE = Means("the flavor's disk"):
            "GiB of a volume made of the image, to boot from; it goes with the VM";
        OPENSTACK_BOOT_VOLUME_TYPE = Means("the cloud's default"): "volume type of that volume";
        OPENSTACK_SERVER_FILE = Means("none"):
            "JSON file with more fields for the server of POST /servers, read anew for each creation";
        OPENSTACK_METADATA_KEY = Default("group"): "metadata key of the pool's mark";
        OPENSTACK_METADATA_VALUE / OPENSTACK_METADATA_SCALED_VALUE = Default("scaler"):
            "value of the pool's mark; unset and only \"scaled\" in the cloud: that";
        OPENSTACK_FLOATING_IP_DESCRIPTION = Default("server"): "description of the pool's floating IPs";
    }
    "Several scalers" {
        APP_LEASE = Default("none"):
            "where the scalers of a pool agree on which one acts: none (there is only this one), openstack or etcd";
        APP_LEASE_SECONDS = Default("30"): "seconds a renewal is good for: after so long without one another scaler takes over";
        APP_LEASE_NAME = Means("the mark, KEY=VALUE"): "name of the pool's lease, the same for all its scalers";
        APP_NAME = Means("the host's name"): "name of this scaler, for people";
        ETCDCTL_ENDPOINTS = Means("required with etcd"):
            "etcd's addresses, with commas; https where none is given and there are certificates, else http";
        ETCDCTL_CACERT = Means("bundled Mozilla roots"): "PEM file of the authorities that sign etcd's certificates";
        ETCDCTL_CERT = Means("none"): "PEM file of the client certificate for etcd";
        ETCDCTL_KEY = Means("none"): "PEM file of its key";
        ETCDCTL_USER = Means("none"): "user of etcd: NAME, or NAME:PASSWORD";
        ETCDCTL_PASSWORD = Means("none"): "its password";
        ETCDCTL_PASSWORD_FILE = Means("none"): "file that holds the password instead; one trailing newline is cut";
    }
    "Log" {
        RUST_LOG = Default("info"): "error, warn, info, debug or trace; MODULE=LEVEL, with commas, for parts of it";
        LOG_FORMAT = Default("text"): "text, or json: one object a line";
    }
}
