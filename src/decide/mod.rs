//! Observation + Policy + Memory → Plan. Pure: no cloud, no clock, no log; the same input gives the same plan.
//!
//! One file per question: what a replica is (`kind`, `state`), whether many failed at once (`brake`), what became of
//! earlier creations (`batch`), how long to wait after failures (`back_off`), which replicas go (`delete`), how many
//! come (`create`, `arithmetic`), who carries which address (`address`).

mod address;
pub mod arithmetic;
pub mod back_off;
pub mod batch;
mod brake;
mod create;
mod delete;
pub mod kind;
mod learn;
pub mod mark;
mod notes;
pub mod now;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

pub use learn::learn;

use crate::decide::state::Judged;
use crate::memory::{Memory, ReplicaMemory};
use crate::model::{Answer, ExternalAddress, Server, ServerId};
use crate::plan::Plan;
use crate::settings::Policy;

/// What one pass saw of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// When the pass began: monotonic, since the program started.
    pub elapsed: Duration,
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
    /// The name of the wanted network; `None` when it could not be found out.
    pub network: Option<String>,
    /// The pool's floating IPs.
    pub addresses: Addresses,
    /// What became of the first servers of batches that are not in the list, by the batch's mark.
    pub lookups: BTreeMap<String, Lookup>,
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
    /// It exists, so our filter does not see what we make.
    Exists,
    /// It is gone.
    Gone,
    /// The cloud did not say.
    Unknown,
}

/// From what is to what should be done about it, and what to remember of it.
pub fn decide(policy: &Policy, seen: &Observation, memory: &Memory) -> (Plan, Memory) {
    let silence = brake::silence(policy, seen, memory);
    let loss = brake::loss(seen, memory);
    let judged = state::judge_all(policy, seen, memory, silence.as_ref());
    let batches = batch::follow(seen, memory, &judged);
    let back_off = back_off::update(policy, seen, memory, &judged, &batches);

    let mut plan =
        Plan { wanted: policy.minimum, unaccounted: batches.unaccounted, ..Plan::default() };
    plan.free = judged.iter().map(|one| one.replica.free).fold(0, u64::saturating_add);
    plan.free = plan.free.saturating_add(batches.unaccounted.saturating_mul(policy.capacity));
    address::assign(seen, memory, &judged, silence.as_ref(), &mut plan);
    delete::choose(policy, seen, memory, &judged, silence.as_ref(), loss.as_ref(), &mut plan);
    let limits = create::Limits {
        batch: batches.limit,
        back_off: &back_off,
        loss: loss.as_ref(),
        unseen: batches.unseen.as_deref(),
    };
    create::fill_up(policy, seen, memory, &judged, &limits, &mut plan);
    notes::write(policy, seen, memory, &judged, silence.as_ref(), loss.as_ref(), &mut plan);

    let next = Memory {
        instance: memory.instance.clone(),
        passes: memory.passes + 1,
        creations: memory.creations,
        started: memory.started.or(Some(seen.now)),
        clock: memory.clock.clone(),
        replicas: remembered(memory, &judged),
        batches: batches.followed,
        batch_limit: batches.limit,
        back_off,
        silence,
        loss,
        refused: still_refused(memory),
    };
    plan.replicas = judged.into_iter().map(|one| one.replica).collect();
    (plan, next)
}

/// Passes for which a replica that is missing from the list is remembered: as long as the brake that it may have set.
const MISSING_PASSES: u32 = brake::BRAKE_PASSES;

/// Those in the list, and those that may come back to it: they must not be strangers then.
fn remembered(memory: &Memory, judged: &[Judged<'_>]) -> BTreeMap<ServerId, ReplicaMemory> {
    let mut replicas = BTreeMap::new();
    for (id, before) in &memory.replicas {
        let missing_passes = before.missing_passes.saturating_add(1);
        if missing_passes <= MISSING_PASSES {
            replicas.insert(id.clone(), ReplicaMemory { missing_passes, ..before.clone() });
        }
    }
    replicas.extend(judged.iter().map(|one| (one.replica.id.clone(), one.memory.clone())));
    replicas
}

fn still_refused(memory: &Memory) -> Vec<(crate::model::AddressId, ServerId, u64)> {
    memory.refused.iter().filter(|(_, _, until)| memory.passes < *until).cloned().collect()
}
