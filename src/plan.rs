//! What one pass decided to do, and how it reads. Applying a plan takes no choice that is not in it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::model::{AddressId, Condition, Replica, ServerId, State};

/// The plan of one pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Every replica, as judged.
    pub replicas: Vec<Replica>,
    /// Free resources of all of them and of what is on its way.
    pub free: u64,
    /// Free resources wanted.
    pub wanted: u64,
    /// Replicas of creations that are not in the list yet.
    pub unaccounted: u64,
    /// Address moves, first to be done.
    pub moves: Vec<Move>,
    /// Healthy replicas without an address that no move goes to, in the order in which they may step in.
    pub spares: Vec<Candidate>,
    /// Pairs that the cloud refused lately: not to be tried.
    pub refused: Vec<(AddressId, ServerId)>,
    /// Deletions, done second.
    pub deletions: Vec<Deletion>,
    /// The one creation, done last.
    pub creation: Option<Batch>,
    /// Whether a new replica gave its first valid answer in this pass, or has lasted: what is created works.
    pub creation_works: bool,
    /// Why creation is held back or cut, if it is.
    pub held_back: Option<HeldBack>,
    /// Brakes that are on, in words.
    pub brakes: Vec<String>,
    /// What people should know of this pass.
    pub notes: Vec<Note>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty() && self.deletions.is_empty() && self.creation.is_none()
    }

    /// Whether somebody should look at the pool, however well the steps go: a limit or a brake says so as an error, or
    /// resources are missing while replicas are silent.
    pub fn is_in_trouble(&self) -> bool {
        let silent = self.replicas.iter().any(|replica| replica.state == State::Silent);
        (silent && self.free < self.wanted)
            || self.notes.iter().any(|note| note.loudness == Loudness::Error)
    }
}

/// A healthy replica that can take an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The replica.
    pub server: ServerId,
    /// Its name.
    pub name: Arc<str>,
    /// Its probed fixed address.
    pub fixed: IpAddr,
}

/// One address goes to a healthy replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The floating IP's id.
    pub address: AddressId,
    /// The floating IP itself.
    pub ip: IpAddr,
    /// Who holds it now.
    pub from: Option<ServerId>,
    /// Who gets it.
    pub to: Candidate,
    /// Why it cannot stay.
    pub why: String,
}

/// One replica goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The replica.
    pub server: ServerId,
    /// Its name.
    pub name: String,
    /// What kind of reason, for counts.
    pub reason: DeletionReason,
    /// Why, in words.
    pub why: String,
    /// What the cloud said of it: when that has changed by the time of the deletion, it is not deleted.
    pub condition: Condition,
    /// The same in the cloud's own words, which tell every task apart.
    pub words: Arc<str>,
    /// Where it has to be asked once more just before, because its silence is held against it.
    pub ask: Option<IpAddr>,
    /// Addresses that have to be moved away first: when one of these moves fails, it stays for this pass.
    pub only_after: Vec<AddressId>,
}

/// Why a replica goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeletionReason {
    /// It says it may be destroyed.
    Finished,
    /// It is broken.
    Failed,
    /// It was silent for longer than `REPLICA_REPLACE_SILENT_AFTER`.
    Silent,
    /// It is stopped, and `REPLICA_DELETE_STOPPED` is on.
    Stopped,
    /// It is still there long after its deletion was asked for.
    Stuck,
    /// It was made to find out whether new replicas work, does not, and gives way to the next one.
    Trial,
}

impl DeletionReason {
    /// Every reason.
    pub const ALL: [DeletionReason; 6] = [
        DeletionReason::Finished,
        DeletionReason::Failed,
        DeletionReason::Silent,
        DeletionReason::Stopped,
        DeletionReason::Stuck,
        DeletionReason::Trial,
    ];

    /// One word, as metrics spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            DeletionReason::Finished => "finished",
            DeletionReason::Failed => "failed",
            DeletionReason::Silent => "silent",
            DeletionReason::Stopped => "stopped",
            DeletionReason::Stuck => "stuck",
            DeletionReason::Trial => "trial",
        }
    }
}

/// New replicas, with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How many, at least 1.
    pub count: u64,
    /// The batch's own mark.
    pub mark: String,
    /// Whether it is one replica to find out whether new ones work.
    pub trial: bool,
    /// Why, in words: the arithmetic.
    pub why: String,
}

/// Why fewer replicas are created than are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// In words.
    pub why: String,
    /// How long it lasts at least, when that is known.
    pub for_at_least: Option<Duration>,
}

/// How loud a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Loudness {
    /// The operator has to act.
    Error,
    /// The operator should look.
    Warning,
    /// A standing condition: said once, and with `--once` only at `debug`.
    Standing,
}

/// What people should know of this pass; said when it begins, not again while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How loud.
    pub loudness: Loudness,
    /// What tells this note from others, whatever numbers its text holds.
    pub key: String,
    /// In words.
    pub text: String,
}

/// What a step does, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// An address moves.
    Move,
    /// A replica goes.
    Delete,
    /// Replicas come.
    Create,
}

impl StepKind {
    /// One word, as the status spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            StepKind::Move => "move",
            StepKind::Delete => "delete",
            StepKind::Create => "create",
        }
    }
}

impl fmt::Display for Move {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "move {} to {} ({}): {}", self.ip, self.to.name, self.to.server, self.why)
    }
}

impl fmt::Display for Deletion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "delete {} ({}): {}", self.name, self.server, self.why)
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.count == 1 { "replica" } else { "replicas" };
        write!(formatter, "create {} {noun}: {}", self.count, self.why)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.moves {
            writeln!(formatter, "{step}")?;
        }
        for step in &self.deletions {
            writeln!(formatter, "{step}")?;
        }
        if let Some(step) = &self.creation {
            writeln!(formatter, "{step}")?;
        }
        Ok(())
    }
}
