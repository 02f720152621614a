//! Which replicas to delete: the failed, the finished, and what an opt-in allows. Never more.

use std::time::{Duration, SystemTime};

use crate::decide::kind::{Kind, since};
use crate::decide::state::{Judged, lasts};
use crate::decide::{Addresses, Observation};
use crate::memory::{LossBrake, Memory, SilenceBrake};
use crate::model::{AddressId, Condition, ServerId, State};
use crate::plan::{Deletion, DeletionReason, Loudness, Note, Plan};
use crate::settings::Policy;

/// How long a replica may be going before it counts as stuck, and its deletion is asked for again.
const DELETE_AGAIN_AFTER: Duration = Duration::from_secs(600);

/// Adds the deletions to the plan; the address moves must be there already.
pub fn choose(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    judged: &[Judged<'_>],
    silence: Option<&SilenceBrake>,
    loss: Option<&LossBrake>,
    plan: &mut Plan,
) {
    for one in judged.iter().filter(|one| !one.replica.locked) {
        let reason = match one.replica.state {
            State::Failed if loss.is_some() && one.server.condition == Condition::Error => None,
            // It is judged by its age.
            State::Failed if one.kind == Kind::StuckBuilding && !seen.clock_told => None,
            State::Failed if one.fresh => Some((DeletionReason::Failed, one.replica.why.clone())),
            State::Finished if one.fresh => finished(policy, seen, one, plan),
            State::Parked => stopped(policy, seen, one),
            State::Deleting => stuck(seen, one),
            _ => None,
        };
        if let Some((reason, why)) = reason {
            plan.deletions.push(deletion(one, reason, why, plan));
        }
    }
    // One deletion that always fails slowly must not use up the time of the others pass after pass.
    let failures =
        |step: &Deletion| memory.replicas.get(&step.server).map_or(0, |one| one.delete_failures);
    plan.deletions.sort_by_key(failures);
    // Last: what is certainly dead goes before what only seems dead.
    if silence.is_none()
        && loss.is_none()
        && let Some(newest) = newest_healthy(judged)
        && let Some(one) = longest_silent(policy, seen, judged, |one| one.server.created < newest)
    {
        add(judged, one, silent_deletion(seen, one, plan), plan);
    }
}

/// Adds the deletion of `one` behind the others, but for those that failed more often: they may use up the time pass after
/// pass.
pub fn add(judged: &[Judged<'_>], one: &Judged<'_>, step: Deletion, plan: &mut Plan) {
    let failures = |id: &ServerId| {
        let found = judged.iter().find(|other| other.replica.id == *id);
        found.map_or(0, |other| other.memory.delete_failures)
    };
    let own = one.memory.delete_failures;
    let place = plan.deletions.iter().position(|step| failures(&step.server) > own);
    plan.deletions.insert(place.unwrap_or(plan.deletions.len()), step);
}

/// The deletion of one that is silent for too long.
pub fn silent_deletion(seen: &Observation, one: &Judged<'_>, plan: &Plan) -> Deletion {
    let why = format!("silent for {} s: {}", silent_for(seen, one), one.replica.why);
    deletion(one, DeletionReason::Silent, why, plan)
}

/// The deletion of one of the pool's.
pub fn deletion(one: &Judged<'_>, reason: DeletionReason, why: String, plan: &Plan) -> Deletion {
    // Only a finished replica still serves: whatever else goes has nothing left to lose with its address.
    let only_after = if reason == DeletionReason::Finished {
        moves_from(plan, &one.replica.id)
    } else {
        Vec::new()
    };
    let (server, name) = (one.replica.id.clone(), one.replica.name.clone());
    let (condition, words) = (one.server.condition.clone(), one.server.words.clone());
    let by_its_silence = match reason {
        DeletionReason::Silent | DeletionReason::Trial => true,
        DeletionReason::Failed => matches!(one.kind, Kind::Running { .. }),
        DeletionReason::Finished | DeletionReason::Stopped | DeletionReason::Stuck => false,
    };
    let ask = one.replica.address.filter(|_| by_its_silence);
    Deletion { server, name: name.to_string(), reason, why, condition, words, ask, only_after }
}

fn moves_from(plan: &Plan, server: &ServerId) -> Vec<AddressId> {
    let moves = plan.moves.iter().filter(|step| step.from.as_ref() == Some(server));
    moves.map(|step| step.address.clone()).collect()
}

fn finished(
    policy: &Policy,
    seen: &Observation,
    one: &Judged<'_>,
    plan: &mut Plan,
) -> Option<(DeletionReason, String)> {
    let id = &one.replica.id;
    let name = &one.replica.name;
    if seen.addresses == Addresses::Unknown
        && policy.manage_addresses
        && !one.server.floating.is_empty()
    {
        plan.notes.push(Note {
            loudness: Loudness::Warning,
            key: format!("finished-holder:{id}"),
            text: format!(
                "{name} ({id}) is finished but stays: it is not known where its floating IP can go"
            ),
        });
        return None;
    }
    Some((DeletionReason::Finished, one.replica.why.clone()))
}

fn stopped(
    policy: &Policy,
    seen: &Observation,
    one: &Judged<'_>,
) -> Option<(DeletionReason, String)> {
    let long_enough = lasts(policy, seen, one.memory.stopped_since);
    (policy.delete_stopped && one.kind == Kind::Stopped && long_enough)
        .then(|| (DeletionReason::Stopped, "stopped, and REPLICA_DELETE_STOPPED is on".to_owned()))
}

/// How long a replica has been going: by our own clock, or by the cloud's, which outlives a restart.
fn going_for(seen: &Observation, one: &Judged<'_>) -> Duration {
    let here =
        one.memory.deleting_since.map_or(Duration::ZERO, |at| seen.elapsed.saturating_sub(at));
    let there = one
        .server
        .updated
        .filter(|_| seen.clock_told)
        .map_or(Duration::ZERO, |at| since(seen.now, at));
    here.max(there)
}

/// Whether its deletion never ends.
pub fn is_stuck(seen: &Observation, one: &Judged<'_>) -> bool {
    one.kind == Kind::Deleting && going_for(seen, one) >= DELETE_AGAIN_AFTER
}

/// No more often than our own clock allows.
fn stuck(seen: &Observation, one: &Judged<'_>) -> Option<(DeletionReason, String)> {
    let sent = one.before.and_then(|before| before.delete_sent);
    let due = sent.is_none_or(|at| seen.elapsed.saturating_sub(at) >= DELETE_AGAIN_AFTER);
    let longest = going_for(seen, one).as_secs();
    (is_stuck(seen, one) && due)
        .then(|| (DeletionReason::Stuck, format!("still there after {longest} s of deleting")))
}

fn silent_for(seen: &Observation, one: &Judged<'_>) -> u64 {
    one.memory.silent_since.map_or(0, |at| seen.elapsed.saturating_sub(at).as_secs())
}

/// When the newest replica was created that is healthy in this pass: the evidence that new ones work, and that the
/// network does.
pub fn newest_healthy(judged: &[Judged<'_>]) -> Option<SystemTime> {
    let healthy = judged.iter().filter(|one| one.fresh && one.replica.state == State::Healthy);
    healthy.map(|one| one.server.created).max()
}

/// Whether silence is all there is to say of it: one that is locked is an operator's, and an error has its own rule.
pub fn is_only_silent(one: &Judged<'_>) -> bool {
    one.replica.state == State::Silent
        && !one.replica.locked
        && one.server.condition != Condition::Error
}

/// Of those that are silent for longer than the operator allows, and that `may_go`, the one that has been so longest; of
/// several the oldest.
pub fn longest_silent<'a, 'b>(
    policy: &Policy,
    seen: &Observation,
    judged: &'a [Judged<'b>],
    may_go: impl Fn(&Judged<'_>) -> bool,
) -> Option<&'a Judged<'b>> {
    let after = policy.replace_silent_after.filter(|_| !policy.once)?;
    judged
        .iter()
        .filter(|one| one.fresh && is_only_silent(one) && may_go(one))
        .filter(|one| silent_for(seen, one) >= after.as_secs())
        .rev()
        .max_by_key(|one| silent_for(seen, one))
}
