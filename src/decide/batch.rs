//! What became of earlier creations. Nova records a whole batch before it answers, so one listed server tells of all.

use crate::decide::kind::Kind;
use crate::decide::state::Judged;
use crate::decide::{Lookup, Observation};
use crate::memory::{BatchMemory, Memory};
use crate::model::{Condition, Server, ServerId, State};
use crate::settings::Policy;

/// Further passes for which a batch with an unclear outcome counts as creating in full.
const UNCLEAR_PASSES: u32 = 2;

/// A limit beyond which the batch limit is no limit any more.
const LIMIT_MAX: u64 = 4096;

/// What following the batches gave.
#[derive(Default)]
pub struct Batches {
    /// Those that have to be followed further.
    pub followed: Vec<BatchMemory>,
    /// Replicas asked for that are not in the list and may come.
    pub unaccounted: u64,
    /// The limit of the next batch.
    pub limit: Option<u64>,
    /// A batch that exists but that our filter does not see, and how many replicas such batches have.
    pub unseen: Option<(String, u64)>,
    /// A batch that exists, and that the list does not show yet.
    pub late: Option<String>,
    /// Whether a trial is not listed yet.
    pub trial_is_coming: bool,
    /// Replicas that a batch should have had, and has not: a quota.
    pub missing: u64,
    /// A batch whose first server is gone before it was ever listed.
    pub gone: bool,
}

/// What a look-up of a batch's first server tells, in a pool with this mark.
pub fn lookup(server: Option<&Server>, mark: &str) -> Lookup {
    match server {
        None => Lookup::Gone,
        Some(one) if matches!(one.condition, Condition::Deleting | Condition::SoftDeleted) => {
            Lookup::Gone
        }
        Some(one) if one.mark.as_deref() == Some(mark) => Lookup::Late,
        Some(_) => Lookup::Unmarked,
    }
}

/// The first servers of batches that the list does not show: to be looked up one by one.
pub fn to_look_up(memory: &Memory, servers: &[Server]) -> Vec<(String, ServerId)> {
    let unlisted = memory.batches.iter().filter(|batch| {
        batch.listed.is_none()
            && servers.iter().all(|server| server.batch.as_deref() != Some(&batch.mark))
    });
    unlisted.filter_map(|batch| Some((batch.mark.clone(), batch.first.clone()?))).collect()
}

/// Follows every batch one pass further.
pub fn follow(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    judged: &[Judged<'_>],
) -> Batches {
    let mut result = Batches { limit: memory.batch_limit, ..Batches::default() };
    for batch in &memory.batches {
        let passes = seen.count(policy, batch.passes);
        let batch = BatchMemory { passes, ..batch.clone() };
        let members: Vec<&Judged<'_>> =
            judged.iter().filter(|one| one.server.batch.as_deref() == Some(&batch.mark)).collect();
        if members.is_empty() && batch.listed.is_none() {
            follow_unlisted(seen, batch, &mut result);
        } else {
            follow_listed(&members, batch, &mut result);
        }
    }
    result
}

fn follow_unlisted(seen: &Observation, batch: BatchMemory, result: &mut Batches) {
    let lookup = seen.lookups.get(&batch.mark).copied().unwrap_or(Lookup::Unknown);
    let had_its_time = batch.passes.count > UNCLEAR_PASSES;
    if batch.first.is_none() && had_its_time {
        return;
    }
    if lookup == Lookup::Gone {
        result.gone = true;
        return;
    }
    // What is never listed serves nobody.
    if lookup == Lookup::Unmarked || (lookup == Lookup::Late && had_its_time) {
        let (mark, count) = result.unseen.take().unwrap_or((batch.mark.clone(), 0));
        result.unseen = Some((mark, count.saturating_add(batch.asked)));
    } else {
        result.unaccounted = result.unaccounted.saturating_add(batch.asked);
    }
    if lookup == Lookup::Late {
        result.late = Some(batch.mark.clone());
    }
    result.trial_is_coming |= batch.trial;
    result.followed.push(batch);
}

fn follow_listed(members: &[&Judged<'_>], mut batch: BatchMemory, result: &mut Batches) {
    let count = u64::try_from(members.len()).unwrap_or(u64::MAX);
    if batch.listed.is_none() {
        // While Nova looks for hosts its list may leave some of them out.
        if members.iter().any(|one| one.server.scheduling) {
            let rest = batch.asked.saturating_sub(count);
            result.unaccounted = result.unaccounted.saturating_add(rest);
            result.followed.push(batch);
            return;
        }
        batch.listed = Some(count);
        result.missing = result.missing.saturating_add(batch.asked.saturating_sub(count));
    }
    let size = batch.listed.unwrap_or(count);
    if members.iter().any(|one| never_came_up(one)) {
        let half = (size / 2).max(1);
        result.limit = Some(result.limit.map_or(half, |limit| limit.min(half)));
        return;
    }
    let whole = count == batch.asked;
    // A cloud may hide when they were launched; one that answered was.
    let came_up =
        |one: &&Judged<'_>| one.server.launched.at().is_some() || one.memory.capacity.is_some();
    if members.iter().all(came_up) {
        if whole {
            result.limit = result.limit.map(|limit| limit.saturating_mul(2));
            result.limit = result.limit.filter(|limit| *limit < LIMIT_MAX);
        }
        return;
    }
    result.followed.push(batch);
}

fn never_came_up(one: &Judged<'_>) -> bool {
    one.replica.state == State::Failed
        && matches!(one.kind, Kind::NeverLaunched | Kind::StuckBuilding)
}
