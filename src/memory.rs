//! What the last passes saw. The cloud is the database: forgetting this makes the program less calm, never wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use crate::model::{AddressId, ServerId, State};

/// Passes that lie at least an interval apart: one that comes early uses nothing up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// How many.
    pub count: u32,
    /// When the last of them began, on the monotonic clock.
    pub at: Duration,
}

impl Intervals {
    /// None yet, counted from `elapsed` on.
    pub fn from(elapsed: Duration) -> Self {
        Intervals { count: 0, at: elapsed }
    }

    /// The first, which begins at `elapsed`.
    pub fn first(elapsed: Duration) -> Self {
        Intervals { count: 1, at: elapsed }
    }

    /// The same with the pass that begins at `elapsed`, if that is not early.
    #[must_use]
    pub fn with(self, elapsed: Duration, interval: Duration) -> Self {
        if is_interval(elapsed.saturating_sub(self.at), interval) {
            // One that was let pass a little early brings no later one forward.
            let at = elapsed.max(self.at.saturating_add(interval));
            Intervals { count: self.count.saturating_add(1), at }
        } else {
            self
        }
    }
}

/// Whether `time` is an interval or more: nine tenths of one are, for passes do not begin to the millisecond.
pub fn is_interval(time: Duration, interval: Duration) -> bool {
    time >= interval.saturating_sub(interval / 10)
}

/// What is remembered from one pass to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What the marks of our own batches begin with; tells them from those of another daemon.
    pub instance: String,
    /// Passes that got as far as a decision.
    pub passes: u64,
    /// Those of them that did not come early.
    pub intervals: Intervals,
    /// Creations asked for so far: makes each batch's mark unique.
    pub creations: u64,
    /// The cloud's clock at the first decision.
    pub started: Option<SystemTime>,
    /// What the cloud's clock said, once it said anything.
    pub clock: Option<ClockMemory>,
    /// Replicas of the last pass, and those that were lately missing from the list.
    pub replicas: BTreeMap<ServerId, ReplicaMemory>,
    /// Creations whose end is not known yet.
    pub batches: Vec<BatchMemory>,
    /// Most replicas of the next batch; `None`: as many as are missing.
    pub batch_limit: Option<u64>,
    /// The pause before the next creation.
    pub back_off: BackOff,
    /// When the newest replica was created that is known to have lasted: one that answered for `REPLICA_BOOT_GRACE`, or
    /// finished.
    pub lasted: Option<SystemTime>,
    /// The silent replica that gave way to a trial, and when it was created, until a newer one is healthy: no other does.
    pub gave_way: Option<(ServerId, SystemTime)>,
    /// The brake against a fault of our own network, while it lasts.
    pub silence: Option<SilenceBrake>,
    /// The brake against mass errors and mass disappearance, while it lasts.
    pub loss: Option<LossBrake>,
    /// Moves of an address in a row that failed: the next one is tried after those of the others.
    pub move_failures: BTreeMap<AddressId, u32>,
    /// Pairs the cloud refused, and the interval from which they may be tried again.
    pub refused: Vec<(AddressId, ServerId, u32)>,
}

impl Memory {
    /// No memory yet. `instance` must differ from one process to the next.
    pub fn new(instance: impl Into<String>) -> Self {
        Memory {
            instance: instance.into(),
            passes: 0,
            intervals: Intervals::from(Duration::ZERO),
            creations: 0,
            started: None,
            clock: None,
            replicas: BTreeMap::new(),
            batches: Vec::new(),
            batch_limit: None,
            back_off: BackOff::default(),
            lasted: None,
            gave_way: None,
            silence: None,
            loss: None,
            move_failures: BTreeMap::new(),
            refused: Vec::new(),
        }
    }
}

/// What is remembered of one replica.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each true or not")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaMemory {
    /// Its state in the last pass.
    pub state: State,
    /// Free resources it counted for in the last pass.
    pub free: u64,
    /// Whether the cloud had it in error in the last pass that was not early, and since.
    pub in_error: bool,
    /// Whether it ever ran.
    pub launched: bool,
    /// Whether it ever answered this process, or may have answered an earlier one (judged by its age at the start).
    pub answered_ever: bool,
    /// Whether it answered since it last came back from parked.
    pub answered_this_boot: bool,
    /// Whether it answered in the last pass that was not early, or since.
    pub answered_last: bool,
    /// Whether the cloud had it in error when it last answered: then the error does not explain a silence.
    pub answered_in_error: bool,
    /// Its last `capacity`.
    pub capacity: Option<u64>,
    /// When it was first silent in error while another replica answered, on the monotonic clock of
    /// [`crate::decide::Observation::elapsed`].
    pub silent_in_error_since: Option<Duration>,
    /// When it became silent, on the monotonic clock.
    pub silent_since: Option<Duration>,
    /// When it first answered, on the monotonic clock; `None` when it never did, or did before this process could know.
    pub first_answer: Option<Duration>,
    /// Since when it has answered without a break, on the monotonic clock.
    pub answering_since: Option<Duration>,
    /// Whether it ever answered for `REPLICA_BOOT_GRACE` without a break, or finished.
    pub lasted: bool,
    /// Whether it fell silent within `REPLICA_BOOT_GRACE` of its first answer, and never answered since.
    pub died_young: bool,
    /// When it last came back from parked, by the cloud's clock: its boot grace begins there.
    pub back_since: Option<SystemTime>,
    /// When it was first seen stopped with nothing under way, on the monotonic clock.
    pub stopped_since: Option<Duration>,
    /// When it was first seen going, on the monotonic clock.
    pub deleting_since: Option<Duration>,
    /// When we last asked for its deletion, on the monotonic clock.
    pub delete_sent: Option<Duration>,
    /// Deletions in a row that failed: the next one is tried after those of the others.
    pub delete_failures: u32,
    /// How long the list has not shown it; `None`: it does.
    pub missing: Option<Intervals>,
}

/// One creation that is being followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchMemory {
    /// Its mark.
    pub mark: String,
    /// How many were asked for.
    pub asked: u64,
    /// The first server's id; `None` when the creation's outcome is unclear.
    pub first: Option<ServerId>,
    /// Whether it is a trial.
    pub trial: bool,
    /// Passes since.
    pub passes: Intervals,
    /// How many were listed, once that is final.
    pub listed: Option<u64>,
}

/// How [`BackOff::why`] begins when the cloud refused a creation.
pub const CREATION_FAILED: &str = "the last creation failed: ";

/// The pause before the next creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackOff {
    /// Failures since a new replica last lasted; 0: none.
    pub step: u32,
    /// Until when, on the monotonic clock.
    pub until: Duration,
    /// Why, in words.
    pub why: String,
    /// Whether a quota is the reason: then a replica that goes ends it.
    pub quota: bool,
    /// Whether it was the cloud that made no server: then a trial waits, too.
    pub refused: bool,
}

/// Most of those that answered went silent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceBrake {
    /// Those that answered before the silence (after a start: those that should).
    pub reference: BTreeSet<ServerId>,
    /// Passes it lasted so far.
    pub passes: Intervals,
}

/// Many replicas turned to error, or vanished, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossBrake {
    /// Passes it lasted so far.
    pub passes: Intervals,
    /// What happened, in words.
    pub why: String,
}

/// The time that ages were judged by, see [`crate::decide::now`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockMemory {
    /// The time …
    pub now: SystemTime,
    /// … when our own monotonic clock showed this.
    pub at: Duration,
    /// Lists in a row that gave a later time, and by how much at least.
    pub later: Option<(Intervals, Duration)>,
    /// The last step that was worth a warning.
    pub step: Option<ClockStep>,
}

/// A step of the cloud's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// What tells it from steps of another kind.
    pub key: &'static str,
    /// In words, as they were said.
    pub text: String,
    /// Lists since, without another one.
    pub lists: u32,
}
