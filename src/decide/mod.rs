//! Observation + Policy + Memory → Plan. Pure: no cloud, no clock, no log; the same input gives the same plan.
//!
//! One file per question: what a replica is (`kind`, `state`), whether many failed at once (`brake`), what became of
//! earlier creations (`batch`), how long to wait after failures (`back_off`), which replicas go (`delete`), how many
//! come (`create`, `arithmetic`), what serves nothing and must not pile up (`dead_weight`, `trial`), who carries which address (`address`).

mod address;
pub mod arithmetic;
pub mod back_off;
pub mod batch;
mod brake;
mod create;
mod dead_weight;
mod delete;
pub mod kind;
mod learn;
pub mod mark;
mod notes;
pub mod now;
mod state;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

pub use learn::learn;

use crate::decide::state::Judged;
use crate::memory::{Intervals, Memory, ReplicaMemory};
use crate::model::{AddressId, Answer, ExternalAddress, Replica, Server, ServerId, State};
use crate::plan::{DeletionReason, Plan};
use crate::settings::Policy;

/// What one pass saw of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// When the pass began: monotonic, since the program started.
    pub elapsed: Duration,
    /// Whether the watch began it early: then it is no interval's pass, whenever it comes.
    pub early: bool,
    /// The cloud's clock.
    pub now: SystemTime,
    /// Whether the cloud told its time in this pass. Without it nothing is deleted for its age.
    pub clock_told: bool,
    /// Why the list may leave out some of the pool, if it may: then nothing is created in this pass.
    pub incomplete: Option<String>,
    /// The pool: every server that carries its mark.
    pub servers: Vec<Server>,
    /// What asking the running ones gave.
    pub answers: BTreeMap<ServerId, Answer>,
    /// Those that did not answer the one question of a pass that began early, and why. That is too little to judge them
    /// by, but many of them point to a fault in our own network.
    pub unconfirmed: BTreeMap<ServerId, String>,
    /// The name of the wanted network; `None` when it could not be found out.
    pub network: Option<String>,
    /// The pool's floating IPs.
    pub addresses: Addresses,
    /// Holders of the pool's floating IPs that are no longer servers: their ports outlived them.
    pub gone: BTreeSet<ServerId>,
    /// What became of the first servers of batches that are not in the list, by the batch's mark.
    pub lookups: BTreeMap<String, Lookup>,
}

impl Observation {
    /// Those that gave a valid answer.
    pub fn answered(&self) -> BTreeSet<ServerId> {
        let valid = |answer: &Answer| matches!(answer, Answer::Valid { .. });
        let answered = self.answers.iter().filter(|(_, answer)| valid(answer));
        answered.map(|(id, _)| id.clone()).collect()
    }

    /// These intervals and this pass, unless it is early.
    fn count(&self, policy: &Policy, intervals: Intervals) -> Intervals {
        if self.early { intervals } else { intervals.with(self.elapsed, policy.interval) }
    }
}

/// The pool's floating IPs, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// `EXTERNAL_ADDRESS_MANAGEMENT` is off.
    NotManaged,
    /// They could not be listed: they are left alone.
    Unknown,
    /// All of them.
    Known(Vec<ExternalAddress>),
}

/// Whether a server that is missing from the list exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It exists and carries the pool's mark, so the list will show it.
    Late,
    /// It exists without the mark, so our filter does not see what we make.
    Unmarked,
    /// It is gone.
    Gone,
    /// The cloud did not say.
    Unknown,
}

/// From what is to what should be done about it, and what to remember of it.
pub fn decide(policy: &Policy, seen: &Observation, memory: &Memory) -> (Plan, Memory) {
    let silence = brake::silence(policy, seen, memory);
    let judged = state::judge_all(policy, seen, memory, silence.as_ref());
    let known: Vec<_> = judged.iter().filter_map(|one| Some((one.server, one.before?))).collect();
    let loss = brake::loss(policy, seen, memory, &known);
    let batches = batch::follow(policy, seen, memory, &judged);
    let back_off = back_off::update(policy, seen, memory, &judged, &batches);

    let lasted = judged.iter().filter(|one| one.memory.lasted).map(|one| one.server.created);
    let lasted = lasted.chain(memory.lasted).max();

    let evidence = delete::newest_healthy(&judged);
    let gave_way = memory.gave_way.as_ref();
    let gave_way = gave_way
        .filter(|(_, created)| evidence.is_none_or(|newest| newest <= *created))
        .filter(|(id, _)| !was_kept(&judged, id))
        .cloned();

    let mut plan = Plan {
        wanted: policy.minimum,
        unaccounted: batches.unaccounted,
        creation_works: back_off::creation_works(memory, &judged),
        ..Plan::default()
    };
    plan.free = judged.iter().map(|one| one.replica.free).fold(0, u64::saturating_add);
    plan.free = plan.free.saturating_add(batches.unaccounted.saturating_mul(policy.capacity));
    address::assign(seen, memory, &judged, silence.as_ref(), &mut plan);
    delete::choose(policy, seen, memory, &judged, silence.as_ref(), loss.as_ref(), &mut plan);
    let limits = create::Limits {
        batch: batches.limit,
        lasted,
        gave_way: gave_way.as_ref().map(|(id, _)| id),
        back_off: &back_off,
        silence: silence.as_ref(),
        loss: loss.as_ref(),
        unseen: batches.unseen.as_ref().map(|(mark, count)| (mark.as_str(), *count)),
        late: batches.late.as_deref(),
        trial_is_coming: batches.trial_is_coming,
    };
    create::fill_up(policy, seen, memory, &judged, &limits, &mut plan);
    address::tell_what_stays(seen, &judged, silence.as_ref(), &mut plan);
    notes::write(policy, seen, memory, &judged, silence.as_ref(), loss.as_ref(), &mut plan);

    let is_trial = plan.creation.as_ref().is_some_and(|batch| batch.trial);
    let intervals = match memory.passes {
        0 => Intervals::first(seen.elapsed),
        _ => seen.count(policy, memory.intervals),
    };
    let gives_way = gives_way(&judged, &plan);
    let (replicas, remembered) = part(judged);
    plan.replicas = replicas;
    let next = Memory {
        instance: memory.instance.clone(),
        passes: memory.passes + 1,
        intervals,
        creations: memory.creations,
        started: memory.started.or(Some(seen.now)),
        clock: memory.clock.clone(),
        replicas: with_missing(policy, seen, memory, remembered),
        batches: batches.followed,
        // Once a trial works, batches grow from one.
        batch_limit: if is_trial { Some(1) } else { batches.limit },
        back_off,
        lasted,
        gave_way: gives_way.or(gave_way),
        silence,
        loss,
        move_failures: still_failing(memory, &plan),
        refused: still_refused(memory),
    };
    (plan, next)
}

/// What the plan shows of each replica, and what is remembered of it.
fn part(judged: Vec<Judged<'_>>) -> (Vec<Replica>, BTreeMap<ServerId, ReplicaMemory>) {
    // Room for no more than there are: the plan is shown for a whole interval.
    let mut replicas = Vec::with_capacity(judged.len());
    let kept = judged.into_iter().map(|Judged { replica, memory, .. }| {
        let id = replica.id.clone();
        replicas.push(replica);
        (id, memory)
    });
    // They take the place of the judged, which are twice as large: a second such list would be a pass's most memory.
    let mut memories: Vec<(ServerId, ReplicaMemory)> = kept.collect();
    memories.shrink_to_fit();
    (replicas, memories.into_iter().collect())
}

/// A replica deleted for its silence while nothing is healthy gives way to a trial.
fn gives_way(judged: &[Judged<'_>], plan: &Plan) -> Option<(ServerId, SystemTime)> {
    if delete::newest_healthy(judged).is_some() {
        return None;
    }
    let step = plan.deletions.iter().find(|step| step.reason == DeletionReason::Silent)?;
    let one = judged.iter().find(|one| one.replica.id == step.server)?;
    Some((one.replica.id.clone(), one.server.created))
}

/// Whether one that was to give way is kept after all: its deletion failed, and now it is locked, set aside, in error, or
/// answers.
fn was_kept(judged: &[Judged<'_>], id: &ServerId) -> bool {
    let is_going = |one: &Judged<'_>| one.replica.state == State::Deleting;
    let found = judged.iter().find(|one| one.replica.id == *id);
    found.is_some_and(|one| !is_going(one) && !delete::is_only_silent(one))
}

/// How long a replica that is missing from the list is remembered: as long as the brake that it may have set.
const MISSING_INTERVALS: u32 = brake::BRAKE_INTERVALS;

/// Those in the list, and those that may come back to it: they must not be strangers then.
fn with_missing(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    mut replicas: BTreeMap<ServerId, ReplicaMemory>,
) -> BTreeMap<ServerId, ReplicaMemory> {
    for (id, before) in absent(memory, &replicas) {
        let missing = match before.missing {
            Some(missing) => Some(seen.count(policy, missing)),
            // It may be there: a complete list will tell.
            None if seen.incomplete.is_some() => None,
            None => Some(Intervals::first(seen.elapsed)),
        };
        if missing.is_none_or(|missing| missing.count <= MISSING_INTERVALS) {
            replicas.insert(id.clone(), ReplicaMemory { missing, ..before.clone() });
        }
    }
    replicas
}

/// Those that are remembered and not in the list. Both are in order.
fn absent<'a>(
    memory: &'a Memory,
    listed: &BTreeMap<ServerId, ReplicaMemory>,
) -> Vec<(&'a ServerId, &'a ReplicaMemory)> {
    let mut listed = listed.keys().peekable();
    let mut is_absent = |id: &ServerId| {
        while listed.next_if(|other| *other < id).is_some() {}
        listed.next_if(|other| *other == id).is_none()
    };
    memory.replicas.iter().filter(|(id, _)| is_absent(id)).collect()
}

/// Only while it is still to be moved.
fn still_failing(memory: &Memory, plan: &Plan) -> BTreeMap<AddressId, u32> {
    let planned = |id: &AddressId| plan.moves.iter().any(|step| step.address == *id);
    let failing = memory.move_failures.iter().filter(|(id, _)| planned(id));
    failing.map(|(id, failures)| (id.clone(), *failures)).collect()
}

fn still_refused(memory: &Memory) -> Vec<(AddressId, ServerId, u32)> {
    memory.refused.iter().filter(|(_, _, until)| memory.intervals.count < *until).cloned().collect()
}
