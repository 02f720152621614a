//! What one pass sees and speaks of: plain data, no behaviour beyond reading it.

mod server_id;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;

pub use server_id::ServerId;

/// The id of a floating IP, as Neutron gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AddressId(pub String);

impl fmt::Display for AddressId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The metadata key under which every creation leaves the mark of its batch.
pub const BATCH_KEY: &str = "simplescalevm-batch";

/// The metadata key of a replica that was made to find out whether new ones work: it is expendable.
pub const TRIAL_KEY: &str = "simplescalevm-trial";

/// The IP version the replicas are probed by (`OPENSTACK_IP_VERSION`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpVersion {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl IpVersion {
    /// Whether `address` is of this version.
    pub fn matches(self, address: IpAddr) -> bool {
        match self {
            IpVersion::V4 => address.is_ipv4(),
            IpVersion::V6 => address.is_ipv6(),
        }
    }
}

/// What the cloud says a server is doing, in the few kinds the pool tells apart.
///
/// Nova's `OS-EXT-STS:vm_state` and `OS-EXT-STS:task_state` (Compute API, "List Servers Detailed").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `task_state` deleting, or `vm_state` deleted.
    Deleting,
    /// Soft-deleted, or about to be: it can still be restored by the operator.
    SoftDeleted,
    /// Being built.
    Building,
    /// Active; with the task that is under way, if any (`rebooting`, `resize_prep` …).
    Active {
        /// Nova's `task_state`.
        task: Option<String>,
    },
    /// In error. [`Server::launched`] tells whether it ever ran.
    Error,
    /// Stopped; with the task that is under way, if any.
    Stopped {
        /// Nova's `task_state`.
        task: Option<String>,
    },
    /// Paused, suspended, rescued, resized, shelved, or a word this program does not know.
    Other,
}

/// When a server first ran. What a cloud hides is not the same as what it says did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Launched {
    /// The cloud does not say.
    NotTold,
    /// It never did.
    Never,
    /// Then, by the cloud's clock.
    At(SystemTime),
}

impl Launched {
    /// When it first ran, as far as that is known.
    pub fn at(self) -> Option<SystemTime> {
        match self {
            Launched::At(time) => Some(time),
            Launched::NotTold | Launched::Never => None,
        }
    }
}

/// One fixed address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedAddress {
    /// The network's name, as the cloud's server list spells it.
    pub network: Arc<str>,
    /// The address.
    pub address: IpAddr,
}

/// One server of the project, as the provider lists it, in the pool or not. What most servers have in common they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its id.
    pub id: ServerId,
    /// Its name.
    pub name: Arc<str>,
    /// The value of its metadata under the pool's key, if it has one.
    pub mark: Option<Arc<str>>,
    /// The value of its metadata under [`BATCH_KEY`], if it has one.
    pub batch: Option<Arc<str>>,
    /// Whether it was made to find out whether new replicas work ([`TRIAL_KEY`]).
    pub trial: bool,
    /// What it is doing.
    pub condition: Condition,
    /// The same in the cloud's own words, for people: `active`, `active (rebooting)`, `shelved_offloaded`.
    pub words: Arc<str>,
    /// Whether an operator locked it. `false` where the cloud cannot say (microversion < 2.9).
    pub locked: bool,
    /// When it was created, by the cloud's clock.
    pub created: SystemTime,
    /// When its record last changed, by the cloud's clock.
    pub updated: Option<SystemTime>,
    /// When it first ran.
    pub launched: Launched,
    /// Whether the cloud still looks for a host for it: until then lists may leave it out.
    pub scheduling: bool,
    /// Its fixed addresses on all networks.
    pub fixed: Vec<FixedAddress>,
    /// The floating addresses the server list shows on it (they may lag behind by some seconds).
    pub floating: Vec<IpAddr>,
}

/// What a login was for, as the cloud tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The region whose services are asked.
    pub region: String,
    /// The project's id.
    pub project_id: String,
    /// The project's name.
    pub project_name: String,
}

/// All servers of the project; never a part of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The servers, without doubles.
    pub servers: Vec<Server>,
    /// The cloud's clock when it answered, if it said.
    pub now: Option<SystemTime>,
}

/// One floating IP that carries the pool's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAddress {
    /// Its id.
    pub id: AddressId,
    /// The address itself.
    pub address: IpAddr,
    /// The server whose port it is bound to; `None` when unbound or on a port without a device.
    pub holder: Option<ServerId>,
    /// Whether that port was made for a server, so that its holder is one, or was.
    pub on_server_port: bool,
}

/// What asking one replica gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A valid answer.
    Valid {
        /// Free resources.
        capacity: u64,
        /// Whether it may be destroyed.
        termination: bool,
    },
    /// No valid answer, with the reason in words.
    None {
        /// What went wrong: `connection refused`, `status 503`, `"capacity" is -1` …
        why: String,
    },
    /// It was not asked, for lack of time or of what this machine needs to ask.
    Unasked,
}

/// What a replica is to the pool. The two state tables of the manual page end in these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Answers, and is not finished.
    Healthy,
    /// Runs, has never answered and is still within its boot grace.
    Starting,
    /// Is being built, or has no address yet.
    Creating,
    /// Runs and does not answer.
    Silent,
    /// Says it may be destroyed.
    Finished,
    /// Broken: it never ran, its build got stuck, or it is in error and silent.
    Failed,
    /// Has no address although it should have one by now.
    Unreachable,
    /// Stopped, paused, shelved …: an operator's business.
    Parked,
    /// Is going.
    Deleting,
}

impl State {
    /// Every state, in the order in which people read them.
    pub const ALL: [State; 9] = [
        State::Healthy,
        State::Starting,
        State::Creating,
        State::Silent,
        State::Finished,
        State::Failed,
        State::Unreachable,
        State::Parked,
        State::Deleting,
    ];

    /// The state in one word, as logs, status and metrics spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Healthy => "healthy",
            State::Starting => "starting",
            State::Creating => "creating",
            State::Silent => "silent",
            State::Finished => "finished",
            State::Failed => "failed",
            State::Unreachable => "unreachable",
            State::Parked => "parked",
            State::Deleting => "deleting",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One replica of the pool, as judged in this pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The server's id.
    pub id: ServerId,
    /// The server's name.
    pub name: Arc<str>,
    /// What it is.
    pub state: State,
    /// Why, in words.
    pub why: String,
    /// Free resources it counts for.
    pub free: u64,
    /// Whether an operator locked it.
    pub locked: bool,
    /// Where it is probed, when it has an address.
    pub address: Option<IpAddr>,
    /// Since its creation, by the cloud's clock.
    pub age: Duration,
    /// Since it was launched, or came back from parked, by the cloud's clock; `None` when it never was, or that is not
    /// known.
    pub up: Option<Duration>,
    /// The batch it was created in.
    pub batch: Option<Arc<str>>,
    /// Whether it is a trial ([`TRIAL_KEY`]).
    pub trial: bool,
}

/// What asking the addresses' holders between two passes gave, as far as the next pass goes by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Holders that no longer answer, for whose sake the pass begins early; none: it does not.
    pub lost: BTreeMap<ServerId, Lost>,
    /// Holders that take their time over a question: an early pass does not wait for them a second time.
    pub pending: BTreeSet<ServerId>,
    /// When each holder last answered, on the monotonic clock.
    pub last_answers: BTreeMap<ServerId, Duration>,
}

impl Watched {
    /// Whether the pass begins before its time.
    pub fn is_early(&self) -> bool {
        !self.lost.is_empty()
    }
}

/// A holder of an address that no longer answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its name.
    pub name: String,
    /// Where it was asked.
    pub address: IpAddr,
    /// What became of the last question: `connection refused` …
    pub why: String,
    /// Questions in a row that failed.
    pub times: u32,
    /// How long they took, in whole intervals of the watch.
    pub within: Duration,
}

/// Whether `text` looks like an id of Nova, Neutron or Glance: a UUID, with its hyphens or without.
pub fn is_uuid(text: &str) -> bool {
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    matches!(text.len(), 32 | 36)
        && digits.len() == 32
        && digits.chars().all(|c| c.is_ascii_hexdigit())
}
