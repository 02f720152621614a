//! One VM of the simulated cloud, and the service in it.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::model::{Condition, ServerId};

/// Where a VM is in its life. Times are the world's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Being built.
    Building {
        /// When that ends.
        until: Duration,
        /// Whether it ends in error.
        fails: bool,
    },
    /// Its build failed.
    Error,
    /// It runs, but its service does not answer yet.
    Booting {
        /// When the service answers.
        until: Duration,
    },
    /// Its service answers.
    Serving,
    /// It runs, but its service died.
    Dead {
        /// When the service is started again, unless the VM is gone by then.
        until: Duration,
    },
    /// It is being deleted.
    Deleting {
        /// When it is gone.
        until: Duration,
    },
}

/// What a service does with new sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It takes them as long as it has room.
    Accepting,
    /// It has done its share, takes no more and ends those it has.
    Draining,
    /// It has nothing left to do: the VM may be destroyed.
    Finished,
}

/// What a service answers when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Free resources.
    pub capacity: u64,
    /// Whether the VM may be destroyed.
    pub termination: bool,
}

/// One VM.
#[derive(Clone, Debug)]
pub struct Vm {
    /// Its id, by which the world's story names it, too.
    pub id: ServerId,
    /// Its name.
    pub name: String,
    /// Its metadata.
    pub metadata: Vec<(String, String)>,
    /// Its one fixed address.
    pub address: Ipv4Addr,
    /// Where it is in its life.
    pub stage: Stage,
    /// When it was created.
    pub created: Duration,
    /// When its record last changed.
    pub updated: Duration,
    /// When it first ran.
    pub launched: Option<Duration>,
    /// What its service does with new sessions.
    pub duty: Duty,
    /// When each of its sessions ends.
    pub sessions: Vec<Duration>,
    /// When it last had a session; `None`: it never had one.
    pub worked: Option<Duration>,
    /// Sessions it still takes before it has done its share.
    pub sessions_left: u64,
}

impl Vm {
    /// How logs speak of it.
    pub fn label(&self) -> String {
        format!("{} ({})", self.name, self.id)
    }

    /// Whether its service takes sessions, as far as there is room.
    pub fn accepts(&self) -> bool {
        self.stage == Stage::Serving && self.duty == Duty::Accepting
    }

    /// How many sessions it has.
    pub fn running(&self) -> u64 {
        u64::try_from(self.sessions.len()).unwrap_or(u64::MAX)
    }

    /// The metadata under `key`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// What Nova would say of it: the condition, and the same in words.
    pub fn condition(&self) -> (Condition, &'static str) {
        match self.stage {
            Stage::Building { .. } => (Condition::Building, "building"),
            Stage::Error => (Condition::Error, "error"),
            Stage::Booting { .. } | Stage::Serving | Stage::Dead { .. } => {
                (Condition::Active { task: None }, "active")
            }
            Stage::Deleting { .. } => (Condition::Deleting, "active (deleting)"),
        }
    }
}

/// So many of them, in words: `1 session`, `2 sessions`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
