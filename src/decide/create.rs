//! How many replicas come: what is missing, cut by everything that keeps a pool from growing without end.

use std::time::Duration;

use crate::decide::arithmetic::Arithmetic;
use crate::decide::brake::BRAKE_PASSES;
use crate::decide::state::Judged;
use crate::decide::{Observation, back_off};
use crate::memory::{BackOff, LossBrake, Memory};
use crate::model::State;
use crate::plan::{Batch, HeldBack, Loudness, Note, Plan};
use crate::settings::Policy;

/// How long a replica may be going before it counts as stuck, and its deletion is asked for again.
pub const DELETE_AGAIN_AFTER: Duration = Duration::from_secs(600);

/// What may hold a creation back, apart from the policy.
pub struct Limits<'a> {
    /// Most replicas of one batch.
    pub batch: Option<u64>,
    /// The pause after failures.
    pub back_off: &'a BackOff,
    /// The brake after mass errors or mass disappearance.
    pub loss: Option<&'a LossBrake>,
    /// A batch that exists but is not listed.
    pub unseen: Option<&'a str>,
}

/// Adds the creation to the plan, or why there is none although replicas are missing.
pub fn fill_up(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    judged: &[Judged<'_>],
    limits: &Limits<'_>,
    plan: &mut Plan,
) {
    if let Some(mark) = limits.unseen {
        plan.notes.push(unseen_note(mark));
    }
    let short = policy.minimum.saturating_sub(plan.free);
    let missing = short.div_ceil(policy.capacity);
    if missing == 0 {
        return;
    }
    let mut count = missing;
    let mut held_back = None;
    let mut cut = |most: u64, why: String, for_at_least: Option<Duration>| {
        if most < count {
            count = most;
            held_back = Some(HeldBack { why, for_at_least });
        }
    };

    if let Some(limit) = limits.batch {
        cut(limit, format!("at most {limit} at once after a batch that failed"), None);
    }
    if let Some(max) = policy.max {
        let total = total(judged, plan.unaccounted);
        let why = format!("REPLICA_MAX {max}: there are {total} replicas");
        cut(max.saturating_sub(total), why, None);
    }
    let unproven = unproven(seen, judged).saturating_add(plan.unaccounted);
    let most = boot_limit(policy);
    let why = format!(
        "boot limit {most}: {unproven} replicas never answered; does the image's service start?"
    );
    cut(most.saturating_sub(unproven), why, None);
    if let Some(left) = back_off::left(policy, limits.back_off, seen.elapsed) {
        let why =
            format!("creation paused for {} s: {}", left.as_secs().max(1), limits.back_off.why);
        cut(0, why, Some(left));
    }
    if let Some(brake) = limits.loss {
        let passes = BRAKE_PASSES.saturating_sub(brake.passes).saturating_add(1);
        let left = policy.interval.saturating_mul(passes);
        cut(0, format!("brake: {}", brake.why), Some(left));
    }
    if let Some(mark) = limits.unseen {
        cut(0, format!("batch {mark} exists but is not listed"), None);
    }

    if unproven >= most {
        plan.notes.push(boot_limit_note(unproven, most));
    }
    if count > 0 {
        let replicas = judged.iter().map(|one| &one.replica);
        let sum = Arithmetic::of(replicas, plan.unaccounted, plan.wanted, policy.capacity);
        let why = sum.to_string();
        let mark = format!("{}-{}", memory.instance, memory.creations + 1);
        plan.creation = Some(Batch { count, mark, trial: false, why });
    }
    plan.held_back = held_back;
}

fn boot_limit_note(unproven: u64, most: u64) -> Note {
    Note {
        loudness: Loudness::Error,
        key: "boot-limit".into(),
        text: format!(
            "creation stopped: {unproven} replicas never answered (limit {most}); check the image's service and \
             REPLICA_API_PORT, then delete those replicas"
        ),
    }
}

/// What we make and do not see we would make for ever; said even while nothing is missing.
fn unseen_note(mark: &str) -> Note {
    Note {
        loudness: Loudness::Error,
        key: format!("unseen-batch:{mark}"),
        text: format!(
            "creation stopped: batch {mark} exists but is not listed, so its servers do not carry the pool's mark; \
             delete them or give them the mark"
        ),
    }
}

/// Every replica counts, whatever its state: a cap that forgets a state is no cap.
fn total(judged: &[Judged<'_>], unaccounted: u64) -> u64 {
    u64::try_from(judged.len()).unwrap_or(u64::MAX).saturating_add(unaccounted)
}

/// An image whose service never starts must not fill the cloud.
fn boot_limit(policy: &Policy) -> u64 {
    policy.minimum.div_ceil(policy.capacity).saturating_mul(3).saturating_add(3)
}

/// Replicas that never answered, as far as they are ours to judge: parked ones are the operator's, and those on their
/// way out only count once they are stuck.
fn unproven(seen: &Observation, judged: &[Judged<'_>]) -> u64 {
    let counts = |one: &&Judged<'_>| {
        !one.memory.answered_ever
            && match one.replica.state {
                State::Silent
                | State::Starting
                | State::Creating
                | State::Unreachable
                | State::Failed => true,
                State::Deleting => one
                    .memory
                    .deleting_since
                    .is_some_and(|since| seen.elapsed.saturating_sub(since) >= DELETE_AGAIN_AFTER),
                State::Healthy | State::Finished | State::Parked => false,
            }
    };
    u64::try_from(judged.iter().filter(counts).count()).unwrap_or(u64::MAX)
}
