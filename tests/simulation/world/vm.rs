//! One VM, and the service on it.

use std::net::IpAddr;

use simplescalevm::model::{Answer, Condition, FixedAddress, Launched, Server, ServerId};

use crate::clock;

/// The network every VM is on.
pub const NETWORK: &str = "Ext-Net";

/// A VM of the project.
#[derive(Clone, Debug)]
pub struct Vm {
    pub id: ServerId,
    pub name: String,
    /// The value under the pool's metadata key.
    pub mark: Option<String>,
    pub batch: Option<String>,
    pub trial: bool,
    pub phase: Phase,
    pub locked: bool,
    pub created: u64,
    pub updated: u64,
    pub launched: Option<u64>,
    /// `None` while its port is detached.
    pub fixed: Option<IpAddr>,
    /// A floating IP that is not the pool's.
    pub foreign: Option<IpAddr>,
    pub service: Service,
    /// The list leaves it out until then.
    pub unlisted_until: u64,
    /// The cloud looks for a host for it until then.
    pub scheduled_at: u64,
    /// Whether the program made it.
    pub ours: bool,
}

/// What Nova does with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Until then, if ever.
    Building {
        until: Option<u64>,
        fails: bool,
    },
    Active,
    /// Active with a task, until then.
    Busy {
        until: u64,
        serves: bool,
    },
    Error,
    Stopped,
    /// A state that is an operator's business.
    Aside(&'static str),
    SoftDeleted,
    /// Until then, if ever.
    Deleting {
        until: Option<u64>,
    },
}

/// What answers on it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Seconds from its launch to the first answer; `None`: it never starts.
    pub boots_in: Option<u64>,
    /// From when on it answers, once that is known.
    pub ready: Option<u64>,
    /// Seconds from its first answer to its death; `None`: it lives on.
    pub lasts: Option<u64>,
    /// So many more answers until it dies.
    pub answers_left: Option<u8>,
    /// Seconds from its launch until the VM powers itself off.
    pub off_after: Option<u64>,
    pub silent: bool,
    pub lie: Option<Lie>,
    pub free: u64,
    pub finished: bool,
}

/// What a service says that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    Negative,
    Text,
    Html,
    Null,
    Missing,
    TerminationAsText,
    Nothing,
    /// Valid, and nonsense all the same.
    Boundless,
}

impl Lie {
    pub const ALL: [Lie; 8] = [
        Lie::Negative,
        Lie::Text,
        Lie::Html,
        Lie::Null,
        Lie::Missing,
        Lie::TerminationAsText,
        Lie::Nothing,
        Lie::Boundless,
    ];

    fn body(self) -> &'static str {
        match self {
            Lie::Negative => r#"{"capacity": -1, "termination": true}"#,
            Lie::Text => r#"{"capacity": "3", "termination": true}"#,
            Lie::Html => "<html>It works!</html>",
            Lie::Null => r#"{"capacity": null, "termination": null}"#,
            Lie::Missing => r#"{"termination": true}"#,
            Lie::TerminationAsText => r#"{"capacity": 1, "termination": "true"}"#,
            Lie::Nothing => "",
            Lie::Boundless => r#"{"capacity": 18446744073709551615, "termination": false}"#,
        }
    }
}

impl Vm {
    /// Time goes by for it; `false` when it is gone.
    pub fn settle(&mut self, now: u64) -> bool {
        match self.phase {
            Phase::Building { until: Some(until), fails } if until <= now => {
                self.updated = until;
                if fails {
                    self.phase = Phase::Error;
                } else {
                    self.phase = Phase::Active;
                    self.launched = Some(until);
                    self.service.ready = self.service.boots_in.map(|time| until + time);
                }
            }
            Phase::Busy { until, .. } if until <= now => {
                self.updated = until;
                self.phase = Phase::Active;
            }
            Phase::Deleting { until: Some(until) } => return until > now,
            _ => {}
        }
        let off_at =
            self.launched.zip(self.service.off_after).map(|(launched, after)| launched + after);
        if let Some(off_at) = off_at.filter(|at| self.phase == Phase::Active && *at <= now) {
            self.phase = Phase::Stopped;
            self.updated = off_at;
            self.service.off_after = None;
        }
        true
    }

    /// It enters another phase.
    pub fn becomes(&mut self, phase: Phase) {
        self.phase = phase;
        self.updated = clock::now();
    }

    /// What asking it gives; `None`: nothing at all.
    pub fn body(&self) -> Option<String> {
        let service = &self.service;
        let runs = matches!(
            self.phase,
            Phase::Active
                | Phase::Error
                | Phase::Deleting { .. }
                | Phase::Busy { serves: true, .. }
        );
        let now = clock::now();
        let is_up = service.ready.is_some_and(|ready| {
            ready <= now && service.lasts.is_none_or(|time| now < ready + time)
        });
        let is_dead = service.silent || service.answers_left == Some(0);
        if !runs || !is_up || is_dead || self.fixed.is_none() {
            return None;
        }
        let Service { free, finished, .. } = service;
        let truth = || format!(r#"{{"capacity": {free}, "termination": {finished}}}"#);
        Some(service.lie.map_or_else(truth, |lie| lie.body().to_owned()))
    }

    /// The result of asking it, whatever the program reads in it.
    pub fn answer(&self) -> Answer {
        let (capacity, termination) = (self.service.free, self.service.finished);
        match (self.body(), self.service.lie) {
            (Some(_), None) => Answer::Valid { capacity, termination },
            (Some(_), Some(Lie::Boundless)) => {
                Answer::Valid { capacity: u64::MAX, termination: false }
            }
            (None, _) | (_, Some(_)) => Answer::None { why: "no answer, or nonsense".into() },
        }
    }

    /// An operator sees to it that it answers, if it ever did.
    pub fn repair(&mut self) {
        self.service.silent = false;
        self.service.lie = None;
        self.service.lasts = None;
        self.service.answers_left = None;
    }

    /// It was asked.
    pub fn asked(&mut self) {
        if self.body().is_some() {
            self.service.answers_left =
                self.service.answers_left.map(|left| left.saturating_sub(1));
        }
    }

    /// Free resources, as it tells whoever asks.
    pub fn free(&self) -> u64 {
        match self.answer() {
            Answer::Valid { capacity, termination: false } if self.is_healthy() => capacity,
            _ => 0,
        }
    }

    /// Whether it serves and does not want to go.
    pub fn is_healthy(&self) -> bool {
        !matches!(self.phase, Phase::Deleting { .. })
            && matches!(self.answer(), Answer::Valid { termination: false, .. })
    }

    /// As Nova lists it.
    pub fn record(&self, floating: impl Iterator<Item = IpAddr>) -> Server {
        let (condition, words) = match self.phase {
            Phase::Building { .. } => (Condition::Building, "building"),
            Phase::Active => (Condition::Active { task: None }, "active"),
            Phase::Busy { .. } => {
                (Condition::Active { task: Some("rebooting".into()) }, "active (rebooting)")
            }
            Phase::Error => (Condition::Error, "error"),
            Phase::Stopped => (Condition::Stopped { task: None }, "stopped"),
            Phase::Aside(words) => (Condition::Other, words),
            Phase::SoftDeleted => (Condition::SoftDeleted, "soft-delete"),
            Phase::Deleting { .. } => (Condition::Deleting, "active (deleting)"),
        };
        // Nova shows no addresses while it builds, even when the port exists.
        let fixed = self.fixed.filter(|_| self.launched.is_some());
        let fixed = fixed.map(|address| FixedAddress { network: NETWORK.into(), address });
        Server {
            id: self.id.clone(),
            name: self.name.as_str().into(),
            mark: self.mark.as_deref().map(Into::into),
            batch: self.batch.as_deref().map(Into::into),
            trial: self.trial,
            scheduling: matches!(self.phase, Phase::Building { .. })
                && clock::now() < self.scheduled_at,
            condition,
            words: words.into(),
            locked: self.locked,
            created: clock::date(self.created),
            updated: Some(clock::date(self.updated)),
            launched: self
                .launched
                .map_or(Launched::Never, |second| Launched::At(clock::date(second))),
            fixed: fixed.into_iter().collect(),
            floating: self.foreign.into_iter().chain(floating).collect(),
        }
    }
}
