//! What the acts of a pass add to the memory.

use std::time::Duration;

use crate::decide::back_off::{self, Failure};
use crate::error::ErrorKind;
use crate::memory::{BatchMemory, CREATION_FAILED, Intervals, Memory};
use crate::outcome::Outcome;
use crate::settings::Policy;

/// Intervals for which a pair that the cloud refused is not tried again.
pub const REFUSED_INTERVALS: u32 = 10;

/// Remembers what was done, and what failed, in the pass that began at `elapsed`.
pub fn learn(policy: &Policy, elapsed: Duration, outcome: &Outcome, memory: &mut Memory) {
    for id in &outcome.deleted {
        if let Some(replica) = memory.replicas.get_mut(id) {
            replica.delete_sent = Some(elapsed);
            replica.delete_failures = 0;
        }
    }
    for id in &outcome.not_deleted {
        if let Some(replica) = memory.replicas.get_mut(id) {
            replica.delete_failures = replica.delete_failures.saturating_add(1);
        }
    }
    for (address, _) in &outcome.moved {
        memory.move_failures.remove(address);
    }
    for address in &outcome.not_moved {
        let failures = memory.move_failures.entry(address.clone()).or_default();
        *failures = failures.saturating_add(1);
    }
    for (address, server) in &outcome.refused {
        let until = memory.intervals.count.saturating_add(REFUSED_INTERVALS);
        memory.refused.push((address.clone(), server.clone(), until));
    }
    let Some(creation) = &outcome.creation else { return };
    memory.creations = memory.creations.saturating_add(1);
    let follow = |first| BatchMemory {
        mark: creation.mark.clone(),
        asked: creation.count,
        first,
        trial: creation.trial,
        passes: Intervals::from(elapsed),
        listed: None,
    };
    let error = match &creation.result {
        Ok(first) => {
            memory.batches.push(follow(Some(first.clone())));
            return;
        }
        Err(error) => error,
    };
    if error.kind == ErrorKind::Unclear || creation.left.is_some() {
        memory.batches.push(follow(creation.left.clone()));
    }
    let retry_after = match error.kind {
        ErrorKind::RateLimited { retry_after } => retry_after,
        _ => None,
    };
    let quota = error.kind == ErrorKind::Quota;
    let why = format!("{CREATION_FAILED}{error}");
    let failure = Failure { why, quota, refused: true, retry_after };
    memory.back_off = back_off::step(policy, &memory.back_off, elapsed, failure);
}
