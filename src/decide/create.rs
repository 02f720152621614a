//! How many replicas come: what is missing, cut by everything that keeps a pool from growing without end.

use std::time::{Duration, SystemTime};

use crate::decide::arithmetic::Arithmetic;
use crate::decide::brake::BRAKE_INTERVALS;
use crate::decide::dead_weight::{DeadWeight, limit};
use crate::decide::delete::{is_stuck, longest_silent, silent_deletion};
use crate::decide::kind::Kind;
use crate::decide::state::Judged;
use crate::decide::{Observation, back_off, trial};
use crate::memory::{BackOff, LossBrake, Memory, SilenceBrake};
use crate::model::{ServerId, State};
use crate::plan::{Batch, HeldBack, Loudness, Note, Plan};
use crate::settings::Policy;

/// What may hold a creation back, apart from the policy.
pub struct Limits<'a> {
    /// Most replicas of one batch.
    pub batch: Option<u64>,
    /// When the newest replica was created that has lasted.
    pub lasted: Option<SystemTime>,
    /// The replica that gave way to a trial, while none that is newer is healthy.
    pub gave_way: Option<&'a ServerId>,
    /// The pause after failures.
    pub back_off: &'a BackOff,
    /// The brake after mass silence.
    pub silence: Option<&'a SilenceBrake>,
    /// The brake after mass errors or mass disappearance.
    pub loss: Option<&'a LossBrake>,
    /// A batch that exists but is not listed, and how many it is.
    pub unseen: Option<(&'a str, u64)>,
    /// A batch that exists, and that the list will show.
    pub late: Option<&'a str>,
    /// Whether a trial was asked for and is not listed yet.
    pub trial_is_coming: bool,
}

/// Why a place is left.
const LAST_PLACE: &str = "the last place within REPLICA_MAX is kept for a trial, one every 30 min";

/// Adds the creation to the plan, or why there is none although replicas are missing.
pub fn fill_up(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    judged: &[Judged<'_>],
    limits: &Limits<'_>,
    plan: &mut Plan,
) {
    if let Some((mark, _)) = limits.unseen {
        plan.notes.push(unseen_note(mark));
    }
    let missing = policy.minimum.saturating_sub(plan.free).div_ceil(policy.capacity);
    if missing == 0 {
        return;
    }
    let room = room(policy, judged, limits, plan);
    let weight = DeadWeight::of(seen, limits.lasted, judged, plan);
    let is_stopped = weight.count() >= limit(policy);
    // A pool in which nothing works keeps its last place for a trial: anything else created there would stay for ever.
    let nothing_works = judged.iter().all(|one| one.replica.state != State::Healthy);
    let awaits_trial = limits.gave_way.is_some() && nothing_works && !trial::exists(judged);
    let (mut count, mut held_back) =
        cut(policy, seen, limits, missing, room, awaits_trial, &weight);
    let mut is_trial = false;

    let idle = DeadWeight::idle(seen, judged, plan);
    let is_full = room == Some(0);
    let is_empty = idle.count() == 0 && limits.gave_way.is_none();
    let is_last_place = room == Some(1) && nothing_works && !is_empty;
    let is_for_trials = is_stopped || is_last_place || (is_full && nothing_works);
    if is_for_trials && !waits(policy, seen, limits) {
        count = 0;
        if is_full {
            make_room(policy, seen, judged, limits, plan);
        } else if trial::is_due(seen, judged) && !limits.trial_is_coming {
            is_trial = !trial::is_stuck(judged);
            count = u64::from(is_trial);
            trial::retire_last(judged, plan);
        }
    }
    if is_full && idle.count() > 0 {
        plan.notes.push(full_note(policy, &idle));
    } else if is_stopped {
        plan.notes.push(dead_weight_note(&weight, policy));
    }
    if is_last_place && count == 0 && held_back.is_none() {
        held_back = Some(HeldBack { why: LAST_PLACE.to_owned(), for_at_least: None });
    }
    if count > 0 {
        let replicas = judged.iter().map(|one| &one.replica);
        let sum = Arithmetic::of(replicas, plan.unaccounted, plan.wanted, policy.capacity);
        let why = if is_trial { format!("a trial; {sum}") } else { sum.to_string() };
        let mark = format!("{}-{}", memory.instance, memory.creations + 1);
        plan.creation = Some(Batch { count, mark, trial: is_trial, why });
    }
    plan.held_back = held_back;
}

/// How many may come of those that are missing, and what holds the others back.
fn cut(
    policy: &Policy,
    seen: &Observation,
    limits: &Limits<'_>,
    missing: u64,
    room: Option<u64>,
    awaits_trial: bool,
    weight: &DeadWeight,
) -> (u64, Option<HeldBack>) {
    let (mut count, mut held_back) = (missing, None);
    let mut cut = |most: u64, why: String, for_at_least: Option<Duration>| {
        if most < count {
            count = most;
            held_back = Some(HeldBack { why, for_at_least });
        }
    };
    if let Some(limit) = limits.batch {
        cut(limit, format!("at most {limit} at a time after a batch that failed"), None);
    }
    if let (Some(max), Some(room)) = (policy.max, room) {
        cut(room, format!("REPLICA_MAX {max}: there are {} replicas", max - room.min(max)), None);
    }
    let most = limit(policy);
    let left = most.saturating_sub(weight.count());
    cut(left, format!("dead weight limit {most}: {weight}"), None);
    if let Some(left) = back_off::left(policy, limits.back_off, seen.elapsed) {
        let seconds = left.as_secs().max(1);
        cut(0, format!("creation paused for {seconds} s: {}", limits.back_off.why), Some(left));
    }
    if let Some(brake) = limits.loss {
        let intervals = BRAKE_INTERVALS.saturating_sub(brake.passes.count).saturating_add(1);
        let left = policy.interval.saturating_mul(intervals);
        cut(0, format!("brake: {}", brake.why), Some(left));
    }
    if let Some((mark, _)) = limits.unseen {
        cut(0, format!("batch {mark} exists but is not listed"), None);
    }
    if let Some(mark) = limits.late {
        cut(0, format!("batch {mark} is not listed yet"), None);
    }
    if let Some(why) = &seen.incomplete {
        cut(0, format!("the list may be incomplete: {why}"), None);
    }
    // One gave way to a trial that is not made yet: however many places others leave, the last one is for it.
    if let Some(room) = room.filter(|room| awaits_trial && *room > 1) {
        cut(room - 1, LAST_PLACE.to_owned(), None);
    }
    (count, held_back)
}

/// Whether not even a trial may be made now.
fn waits(policy: &Policy, seen: &Observation, limits: &Limits<'_>) -> bool {
    let is_paused = back_off::left(policy, limits.back_off, seen.elapsed).is_some();
    limits.loss.is_some()
        || limits.unseen.is_some()
        || limits.late.is_some()
        || seen.incomplete.is_some()
        || (is_paused && limits.back_off.refused)
}

/// A pool full of dead replicas makes room for one trial, once: then there is one in it, and trials make room for each other.
/// In one that holds more than it may, one that goes makes no room; and what may never have been made takes none for long.
fn make_room(
    policy: &Policy,
    seen: &Observation,
    judged: &[Judged<'_>],
    limits: &Limits<'_>,
    plan: &mut Plan,
) {
    // One that is kept for the operator to restore, or whose deletion does not end, stays where it is.
    let is_going = |one: &Judged<'_>| one.kind == Kind::Deleting && !is_stuck(seen, one);
    if !plan.deletions.is_empty() || judged.iter().any(is_going) || limits.trial_is_coming {
        return;
    }
    if trial::exists(judged) {
        if trial::is_due(seen, judged) {
            trial::retire_last(judged, plan);
        }
    } else if limits.silence.is_none()
        // A deletion that never ends shows that a replica gave way before, even after a restart.
        && judged.iter().all(|one| !one.server.trial)
        && policy.max == Some(total(judged, limits, plan))
        && plan.unaccounted == 0
        && judged.iter().all(|one| one.replica.state != State::Healthy)
        && let Some(one) = longest_silent(policy, seen, judged, |one| {
            limits.gave_way.is_none_or(|gone| *gone == one.replica.id)
        })
    {
        plan.deletions.push(silent_deletion(seen, one, plan));
    }
}

/// What `REPLICA_MAX` leaves.
fn room(policy: &Policy, judged: &[Judged<'_>], limits: &Limits<'_>, plan: &Plan) -> Option<u64> {
    policy.max.map(|max| max.saturating_sub(total(judged, limits, plan)))
}

/// Every replica counts, whatever its state: a cap that forgets a state is no cap.
fn total(judged: &[Judged<'_>], limits: &Limits<'_>, plan: &Plan) -> u64 {
    let listed = u64::try_from(judged.len()).unwrap_or(u64::MAX);
    let unseen = limits.unseen.map_or(0, |(_, count)| count);
    listed.saturating_add(plan.unaccounted).saturating_add(unseen)
}

fn dead_weight_note(weight: &DeadWeight, policy: &Policy) -> Note {
    Note {
        loudness: Loudness::Error,
        key: "dead-weight-limit".into(),
        text: format!(
            "creation stopped, except for a trial every 30 min: {weight} (limit {}); {}, then delete those replicas",
            limit(policy),
            weight.advice()
        ),
    }
}

fn full_note(policy: &Policy, idle: &DeadWeight) -> Note {
    let replace = match policy.replace_silent_after {
        Some(_) => "",
        None => ", or let REPLICA_REPLACE_SILENT_AFTER replace the silent",
    };
    Note {
        loudness: Loudness::Error,
        key: "full-of-dead".into(),
        text: format!(
            "creation stopped: REPLICA_MAX {} is reached, and {idle}; {}, and delete those replicas{replace}",
            policy.max.unwrap_or(u64::MAX),
            idle.advice()
        ),
    }
}

/// What we create but do not see, we would create for ever; said even while nothing is missing.
fn unseen_note(mark: &str) -> Note {
    Note {
        loudness: Loudness::Error,
        key: format!("unseen-batch:{mark}"),
        text: format!(
            "creation stopped: batch {mark} exists but is not listed: its servers lack the pool's mark, or the list \
             leaves them out; delete them, or make sure they are listed"
        ),
    }
}
