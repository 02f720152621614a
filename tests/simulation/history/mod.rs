//! A history: a pool with its settings, and what happens to it, one thing after the other. Short enough to be read.

mod apply;
pub mod strategy;

use std::fmt;
use std::time::Duration;

use simplescalevm::model::IpVersion;
use simplescalevm::settings::Policy;

use crate::universe::{End, Meanwhile};
use crate::watch::Whom;
use crate::world::vm::Lie;
use crate::world::weather::{Fate, Fault, Request};
pub use apply::apply;

/// A whole history.
#[derive(Clone)]
pub struct History {
    pub settings: Settings,
    pub events: Vec<Event>,
}

/// How the operator set the program, and what was there when it started.
#[derive(Clone, Debug)]
pub struct Settings {
    pub capacity: u64,
    pub minimum: u64,
    /// `REPLICA_MAX`, as so many more than the minimum needs.
    pub spare: Option<u64>,
    pub replace_silent_after: Option<u16>,
    pub delete_stopped: bool,
    pub once: bool,
    /// Floating IPs; `None`: they are not managed.
    pub addresses: Option<u8>,
    /// `EXTERNAL_ADDRESS_WATCH`; `None`: 0.
    pub watch: Option<u8>,
    /// Replicas that run when the history begins.
    pub replicas: u8,
}

impl Settings {
    pub fn policy(&self) -> Policy {
        Policy {
            capacity: self.capacity,
            minimum: self.minimum,
            max: self.spare.map(|spare| (self.minimum.div_ceil(self.capacity) + spare).max(1)),
            boot_grace: Duration::from_secs(600),
            launch_timeout: Duration::from_secs(900),
            replace_silent_after: self
                .replace_silent_after
                .map(|seconds| Duration::from_secs(seconds.into())),
            delete_stopped: self.delete_stopped,
            manage_addresses: self.addresses.is_some(),
            ip_version: IpVersion::V4,
            interval: Duration::from_secs(60),
            once: self.once,
        }
    }
}

/// One thing that happens. VMs are chosen by a number that wraps around the pool, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many passes.
    Passes(u8),
    /// The program is started again.
    Restart,
    /// The program ends in the next pass, and is started again.
    Ends(End),
    /// A replica's load changes: so much is free.
    Load {
        vm: u8,
        free: u8,
    },
    /// None has anything free.
    AllBusy,
    Finishes {
        vm: u8,
    },
    GoesSilent {
        vm: u8,
    },
    AllGoSilent,
    /// All that are silent or lie do so no longer.
    AllAnswer,
    Lies {
        vm: u8,
        lie: Lie,
    },
    /// An error after it ran; it goes on serving, or not.
    TurnsToError {
        vm: u8,
        serves: bool,
    },
    MostTurnToError,
    /// It is gone at once.
    Vanishes {
        vm: u8,
    },
    /// The list leaves it out for so many passes.
    Unlisted {
        vm: u8,
        passes: u8,
    },
    /// The same for all but one.
    MostUnlisted {
        passes: u8,
    },
    /// A task is under way for so many passes; it goes on serving, or not.
    Task {
        vm: u8,
        passes: u8,
        serves: bool,
    },
    LosesPort {
        vm: u8,
    },
    /// What operators do.
    Stopped {
        vm: u8,
    },
    Shelved {
        vm: u8,
    },
    SoftDeleted {
        vm: u8,
    },
    Deleted {
        vm: u8,
    },
    StartedAgain {
        vm: u8,
    },
    Locked {
        vm: u8,
    },
    Unlocked {
        vm: u8,
    },
    Added,
    /// Somebody gives it a floating IP of his own.
    ForeignAddress {
        vm: u8,
    },
    /// Somebody binds one of the pool's: to a replica, to a VM outside the pool, or to nothing.
    Bound {
        address: u8,
        to: Option<u8>,
    },
    /// What new VMs come to.
    Builds(Fate),
    /// How long that takes, in seconds.
    BuildTimes {
        build: u16,
        boot: u16,
    },
    /// So many VMs more than there are; or no quota.
    Quota(Option<u8>),
    /// Room for so many VMs more than there are; or for all.
    Room(Option<u8>),
    /// Deletions take so many seconds; or never end.
    Deletions(Option<u16>),
    Router {
        works: bool,
    },
    /// New VMs are listed so many passes late.
    ListsLate {
        passes: u8,
    },
    /// The list stays as it is for so many passes.
    ListFreezes {
        passes: u8,
    },
    Fault {
        request: Request,
        fault: Fault,
        times: u8,
    },
    /// Asking the replicas takes so many seconds.
    SlowProbes {
        seconds: u8,
    },
    /// For so many passes the program can ask only the first of its replicas.
    Crowded {
        passes: u8,
    },
    /// So many passes, each so many seconds after the last one: `SIGUSR1` again and again.
    Early {
        passes: u8,
        apart: u8,
    },
    /// The same by a watch that says anything.
    Lost {
        passes: u8,
        apart: u8,
        whom: Whom,
    },
    /// While the next pass goes on an operator does something.
    Meanwhile(Meanwhile),
    /// The program's own network to its replicas.
    OwnNetwork {
        works: bool,
    },
    /// The cloud tells nobody when a server was launched.
    HidesLaunches(bool),
    /// The cloud's answers carry no date.
    NoDate(bool),
    /// Every other answer carries a date an hour ahead: one controller's clock is wrong.
    WrongDates(bool),
    /// The port of a server that goes stays, and its floating IP with it.
    PortsOutlive(bool),
    /// New servers lose their metadata.
    DropsMarks(bool),
    /// So many servers more than there are fit a list while the cloud looks for hosts, for so many seconds.
    PageLimit {
        more: Option<u8>,
        schedules: u8,
    },
    /// No pass for so many minutes.
    Pause {
        minutes: u8,
    },
}

impl fmt::Debug for History {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:?}", self.settings)?;
        for event in &self.events {
            writeln!(formatter, "  {event:?}")?;
        }
        Ok(())
    }
}
