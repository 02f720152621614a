//! One VM of a picture: the cloud's record of it, and what it says when it is asked.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use crate::model::{Answer, Condition, FixedAddress, Launched, Server, ServerId};

/// Seconds; long past every grace and limit.
pub const OLD: u64 = 86_400;

/// The pool's network.
pub const NETWORK: &str = "net";

/// When every picture begins, by the cloud's clock.
pub fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// An address given as text.
pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// One VM.
#[derive(Clone, Debug)]
pub struct Vm {
    pub server: Server,
    pub answer: Answer,
}

/// A VM that runs, is a day old, and does not answer.
pub fn silent(id: &str) -> Vm {
    let last = id.bytes().fold(0_u8, u8::wrapping_add);
    let created = start() - Duration::from_secs(OLD);
    Vm {
        server: Server {
            id: ServerId::new(id),
            name: id.into(),
            mark: Some("scaler".into()),
            batch: None,
            trial: false,
            scheduling: false,
            condition: Condition::Active { task: None },
            words: "active".into(),
            locked: false,
            created,
            updated: None,
            launched: Launched::At(created),
            fixed: vec![FixedAddress {
                network: NETWORK.into(),
                address: Ipv4Addr::new(10, 0, 0, last).into(),
            }],
            floating: Vec::new(),
        },
        answer: Answer::None { why: "refused".into() },
    }
}

/// A VM that says it has so much free.
pub fn healthy(id: &str, capacity: u64) -> Vm {
    silent(id).says(capacity)
}

/// A VM that says it may be destroyed.
pub fn finished(id: &str) -> Vm {
    Vm { answer: Answer::Valid { capacity: 0, termination: true }, ..silent(id) }
}

/// A VM that was launched a minute ago and does not answer yet.
pub fn starting(id: &str) -> Vm {
    silent(id).aged(60)
}

/// A VM whose build began half a minute ago.
pub fn building(id: &str) -> Vm {
    let vm = silent(id).aged(30).never_launched().nowhere();
    vm.in_condition(Condition::Building, "building")
}

/// A VM whose build failed.
pub fn unbuilt(id: &str) -> Vm {
    building(id).in_condition(Condition::Error, "error")
}

/// A VM that ran, is in error and does not answer.
pub fn broken(id: &str) -> Vm {
    silent(id).in_condition(Condition::Error, "error")
}

/// A stopped VM.
pub fn stopped(id: &str) -> Vm {
    silent(id).in_condition(Condition::Stopped { task: None }, "stopped")
}

/// A VM that an operator does something with: `paused`, `shelved_offloaded` …
pub fn set_aside(id: &str, words: &str) -> Vm {
    silent(id).in_condition(Condition::Other, words)
}

/// A VM that is on its way out.
pub fn deleting(id: &str) -> Vm {
    silent(id).in_condition(Condition::Deleting, "active (deleting)")
}

impl Vm {
    pub fn says(self, capacity: u64) -> Self {
        Vm { answer: Answer::Valid { capacity, termination: false }, ..self }
    }

    pub fn unasked(self) -> Self {
        Vm { answer: Answer::Unasked, ..self }
    }

    pub fn in_condition(mut self, condition: Condition, words: &str) -> Self {
        self.server.condition = condition;
        self.server.words = words.into();
        self
    }

    pub fn in_error(self) -> Self {
        self.in_condition(Condition::Error, "error")
    }

    pub fn with_task(self, task: &str) -> Self {
        let words = format!("active ({task})");
        self.in_condition(Condition::Active { task: Some(task.into()) }, &words)
    }

    /// Created and launched so many seconds before the picture begins.
    pub fn aged(mut self, seconds: u64) -> Self {
        self.server.created = start() - Duration::from_secs(seconds);
        if let Launched::At(_) = self.server.launched {
            self.server.launched = Launched::At(self.server.created);
        }
        self
    }

    pub fn never_launched(mut self) -> Self {
        self.server.launched = Launched::Never;
        self
    }

    pub fn nowhere(mut self) -> Self {
        self.server.fixed.clear();
        self
    }

    pub fn at(mut self, network: &str, address: &str) -> Self {
        self.server.fixed.push(FixedAddress { network: network.into(), address: ip(address) });
        self
    }

    pub fn floating(mut self, address: &str) -> Self {
        self.server.floating.push(ip(address));
        self
    }

    pub fn locked(mut self) -> Self {
        self.server.locked = true;
        self
    }

    pub fn of_batch(mut self, mark: &str) -> Self {
        self.server.batch = Some(mark.into());
        self
    }

    pub fn updated(mut self, seconds_ago: u64) -> Self {
        self.server.updated = Some(start() - Duration::from_secs(seconds_ago));
        self
    }
}
