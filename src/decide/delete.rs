//! Which replicas go: the failed, the finished, and whatever an opt-in allows. Never more.

use crate::decide::brake::holds;
use crate::decide::create::DELETE_AGAIN_AFTER;
use crate::decide::kind::{Kind, since};
use crate::decide::state::Judged;
use crate::decide::{Addresses, Observation};
use crate::memory::{LossBrake, Memory, SilenceBrake};
use crate::model::{AddressId, Condition, ServerId, State};
use crate::plan::{Deletion, DeletionReason, Loudness, Note, Plan};
use crate::settings::Policy;

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
            State::Failed if one.fresh => Some((DeletionReason::Failed, one.replica.why.clone())),
            State::Finished if one.fresh => finished(policy, seen, one, silence, plan),
            State::Parked => stopped(policy, one),
            State::Deleting => stuck(seen, memory, one),
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
    if let Some(after) = policy.replace_silent_after
        && !policy.once
        && silence.is_none()
        && loss.is_none()
    {
        let longest = longest_silent(seen, judged)
            .filter(|one| silent_for(seen, one).is_some_and(|time| time >= after.as_secs()));
        if let Some(one) = longest {
            let why =
                format!("silent for {} s: {}", silent_for(seen, one).unwrap_or(0), one.replica.why);
            plan.deletions.push(deletion(one, DeletionReason::Silent, why, plan));
        }
    }
}

fn deletion(one: &Judged<'_>, reason: DeletionReason, why: String, plan: &Plan) -> Deletion {
    // Only a finished replica still serves: whatever else goes has nothing left to lose with its address.
    let only_after = if reason == DeletionReason::Finished {
        moves_from(plan, &one.replica.id)
    } else {
        Vec::new()
    };
    let (server, name) = (one.replica.id.clone(), one.replica.name.clone());
    let (condition, words) = (one.server.condition.clone(), one.server.words.clone());
    Deletion { server, name, reason, why, condition, words, ask: None, only_after }
}

fn moves_from(plan: &Plan, server: &ServerId) -> Vec<AddressId> {
    let moves = plan.moves.iter().filter(|step| step.from.as_ref() == Some(server));
    moves.map(|step| step.address.clone()).collect()
}

fn finished(
    policy: &Policy,
    seen: &Observation,
    one: &Judged<'_>,
    silence: Option<&SilenceBrake>,
    plan: &mut Plan,
) -> Option<(DeletionReason, String)> {
    let id = &one.replica.id;
    let name = &one.replica.name;
    let held: Vec<_> = match &seen.addresses {
        Addresses::Known(addresses) => {
            addresses.iter().filter(|address| address.holder.as_ref() == Some(id)).collect()
        }
        Addresses::Unknown if policy.manage_addresses && !one.server.floating.is_empty() => {
            plan.notes.push(Note {
                loudness: Loudness::Warning,
                key: format!("finished-holder:{id}"),
                text: format!(
                    "{name} ({id}) is finished but stays: where its floating IP can go is not known"
                ),
            });
            return None;
        }
        Addresses::Unknown | Addresses::NotManaged => Vec::new(),
    };
    if !held.is_empty() && holds(silence) {
        // No address moves while the brake holds, so its address would be lost with it.
        return None;
    }
    for address in held {
        if plan.moves.iter().all(|step| step.address != address.id) {
            plan.notes.push(Note {
                loudness: Loudness::Warning,
                key: format!("address-freed:{}", address.id),
                text: format!(
                    "{} is free once {name} ({id}) is deleted: no healthy replica can take it",
                    address.address
                ),
            });
        }
    }
    Some((DeletionReason::Finished, one.replica.why.clone()))
}

fn stopped(policy: &Policy, one: &Judged<'_>) -> Option<(DeletionReason, String)> {
    let seen_long_enough = policy.once || one.memory.stopped_passes >= 2;
    (policy.delete_stopped && one.kind == Kind::Stopped && seen_long_enough)
        .then(|| (DeletionReason::Stopped, "stopped, and REPLICA_DELETE_STOPPED is on".to_owned()))
}

/// By the cloud's clock, which outlives a restart; but not more often than our own says.
fn stuck(
    seen: &Observation,
    memory: &Memory,
    one: &Judged<'_>,
) -> Option<(DeletionReason, String)> {
    if one.kind != Kind::Deleting {
        return None;
    }
    let here = one.memory.deleting_since.map_or(0, |at| seen.elapsed.saturating_sub(at).as_secs());
    let there = one.server.updated.map_or(0, |at| since(seen.now, at).as_secs());
    let sent = memory.replicas.get(&one.replica.id).and_then(|before| before.delete_sent);
    let limit = DELETE_AGAIN_AFTER.as_secs();
    let due = sent.is_none_or(|at| seen.elapsed.saturating_sub(at) >= DELETE_AGAIN_AFTER);
    let longest = here.max(there);
    (longest >= limit && due)
        .then(|| (DeletionReason::Stuck, format!("still there after {longest} s of deleting")))
}

fn silent_for(seen: &Observation, one: &Judged<'_>) -> Option<u64> {
    one.memory.silent_since.map(|at| seen.elapsed.saturating_sub(at).as_secs())
}

/// The one that has been silent longest, as long as another replica answered: else the fault may be ours.
fn longest_silent<'a, 'b>(seen: &Observation, judged: &'a [Judged<'b>]) -> Option<&'a Judged<'b>> {
    let answers = |one: &Judged<'_>| {
        one.fresh && matches!(one.replica.state, State::Healthy | State::Finished)
    };
    if !judged.iter().any(answers) {
        return None;
    }
    judged
        .iter()
        .filter(|one| one.replica.state == State::Silent && one.fresh && !one.replica.locked)
        .filter(|one| one.server.condition != Condition::Error)
        // Of several the oldest.
        .rev()
        .max_by_key(|one| silent_for(seen, one))
}
