//! What became of earlier creations. Nova records a whole batch before it answers, so one listed server tells of all.

use crate::decide::kind::Kind;
use crate::decide::state::Judged;
use crate::decide::{Lookup, Observation};
use crate::memory::{BatchMemory, Memory};
use crate::model::{Server, ServerId, State};

/// Further passes for which a batch with an unclear outcome counts as creating in full.
const UNCLEAR_PASSES: u32 = 2;

/// A limit beyond which the batch limit is no limit any more.
const LIMIT_MAX: u64 = 4096;

/// What following the batches gave.
pub struct Batches {
    /// Those that have to be followed further.
    pub followed: Vec<BatchMemory>,
    /// Replicas asked for that are not in the list and may come.
    pub unaccounted: u64,
    /// The limit of the next batch.
    pub limit: Option<u64>,
    /// A batch that exists but that our filter does not see.
    pub unseen: Option<String>,
    /// Replicas that a batch should have had, and has not: a quota.
    pub missing: u64,
    /// A batch whose first server is gone before it was ever listed.
    pub gone: bool,
}

/// The first servers of batches that the list does not show: to be looked up one by one.
pub fn to_look_up(memory: &Memory, servers: &[Server]) -> Vec<(String, ServerId)> {
    let unlisted = memory.batches.iter().filter(|batch| {
        batch.listed.is_none()
            && servers.iter().all(|server| server.batch.as_ref() != Some(&batch.mark))
    });
    unlisted.filter_map(|batch| Some((batch.mark.clone(), batch.first.clone()?))).collect()
}

/// Follows every batch one pass further.
pub fn follow(seen: &Observation, memory: &Memory, judged: &[Judged<'_>]) -> Batches {
    let mut result = Batches {
        followed: Vec::new(),
        unaccounted: 0,
        limit: memory.batch_limit,
        unseen: None,
        missing: 0,
        gone: false,
    };
    for batch in &memory.batches {
        let mut batch = batch.clone();
        batch.passes = batch.passes.saturating_add(1);
        let members: Vec<&Judged<'_>> =
            judged.iter().filter(|one| one.server.batch.as_ref() == Some(&batch.mark)).collect();
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
    match lookup {
        _ if batch.first.is_none() && batch.passes > UNCLEAR_PASSES => return,
        Lookup::Gone if batch.first.is_some() => {
            result.gone = true;
            return;
        }
        Lookup::Exists => result.unseen = Some(batch.mark.clone()),
        Lookup::Gone | Lookup::Unknown => {}
    }
    result.unaccounted = result.unaccounted.saturating_add(batch.asked);
    result.followed.push(batch);
}

fn follow_listed(members: &[&Judged<'_>], mut batch: BatchMemory, result: &mut Batches) {
    let count = u64::try_from(members.len()).unwrap_or(u64::MAX);
    if batch.listed.is_none() {
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
    if members.iter().all(|one| one.server.launched.at().is_some()) {
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
