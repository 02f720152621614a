//! Rule 1: what may be deleted, by the two state tables.

use std::time::Duration;

use simplescalevm::model::{Answer, Condition, Launched, Server, ServerId};

use super::{Judge, Rule};
use crate::clock;
use crate::world::{MARK, World};

/// How long a replica may be going before its deletion may be asked for again, in seconds.
const DELETE_AGAIN_AFTER: u64 = 600;

/// A replica is about to be deleted.
pub fn check(judge: &mut Judge, world: &World, id: &ServerId) {
    if world.vm(id).is_some_and(|vm| vm.mark.as_deref() != Some(MARK)) {
        judge.breaks(Rule::OwnAndOneEach, format!("{id} is not the pool's, and is deleted"));
        return;
    }
    if !judge.witness.deleted_now.insert(id.clone()) {
        judge.breaks(Rule::FewRequests, format!("{id} is deleted twice in one pass"));
    }
    let Some(server) = judge.witness.server(id).cloned() else {
        judge.breaks(Rule::OwnAndOneEach, format!("{id} was not listed, and is deleted"));
        return;
    };
    if let Err(why) = may_go(judge, &server) {
        let last = judge.witness.last.get(id);
        judge.breaks(
            Rule::WorkingStays,
            format!("{id} ({}) is deleted although {why}; its last answer: {last:?}", server.words),
        );
    }
}

fn may_go(judge: &mut Judge, server: &Server) -> Result<(), String> {
    let (policy, witness, id) = (&judge.policy, &judge.witness, &server.id);
    let seen = |lists: Option<&u64>| lists.copied().unwrap_or(0) >= if policy.once { 1 } else { 2 };
    let now = clock::now();
    if server.locked {
        return Err("it is locked".into());
    }
    let age = clock::date(now).duration_since(server.created).unwrap_or_default();
    let answer = witness.answers.get(id);
    let finished = matches!(answer, Some(Answer::Valid { termination: true, .. }));
    match &server.condition {
        Condition::Deleting => {
            let updated = server.updated.unwrap_or(server.created);
            let there = clock::date(now).duration_since(updated).unwrap_or_default();
            let here = witness.deleting_since.get(id).map_or(0, |since| now - since);
            let sent = witness.delete_sent.get(id).map(|at| witness.began - at);
            if sent.is_some_and(|time| time < DELETE_AGAIN_AFTER) {
                return Err("its deletion was asked for lately".into());
            }
            let long = here.max(there.as_secs()) >= DELETE_AGAIN_AFTER;
            long.then_some(()).ok_or_else(|| "it is going already".into())
        }
        Condition::SoftDeleted => Err("it is the operator's to restore".into()),
        Condition::Other => Err("it is an operator's business".into()),
        Condition::Building => {
            if witness.proven.contains(id) {
                return Err("it has answered, whatever this list says".into());
            }
            let old = age >= policy.launch_timeout;
            old.then_some(()).ok_or_else(|| "its build may still end well".into())
        }
        Condition::Error if server.launched == Launched::Never => Ok(()),
        Condition::Stopped { task } => {
            let may = policy.delete_stopped && task.is_none() && seen(witness.stopped.get(id));
            may.then_some(()).ok_or_else(|| "it is stopped by an operator".into())
        }
        _ if finished => addresses_are_safe(judge, id),
        Condition::Error => match answer {
            Some(Answer::Valid { .. }) => Err("it answers, and is not finished".into()),
            None if !server.fixed.is_empty() => Err("it was not asked".into()),
            Some(Answer::Unasked) => Err("it was not asked".into()),
            _ if seen(witness.in_error.get(id)) => Ok(()),
            _ => Err("it is silent in error for the first time".into()),
        },
        Condition::Active { task: Some(_) } => Err("something is done to it".into()),
        Condition::Active { task: None } => may_go_silent(judge, id),
    }
}

/// A finished replica keeps its address, and with it its life, as long as the move of it fails.
fn addresses_are_safe(judge: &Judge, id: &ServerId) -> Result<(), String> {
    let held = judge.witness.addresses.iter().flatten();
    for address in held.filter(|address| address.holder.as_ref() == Some(id)) {
        let mut tries = judge.witness.binds.iter().filter(|(bound, ..)| *bound == address.id);
        if tries.next_back().is_some_and(|(.., good)| !good) {
            return Err(format!("the move of its {} has just failed", address.address));
        }
    }
    Ok(())
}

fn may_go_silent(judge: &mut Judge, id: &ServerId) -> Result<(), String> {
    let (policy, witness) = (&judge.policy, &mut judge.witness);
    match witness.answers.get(id) {
        Some(Answer::Valid { .. }) => return Err("it is healthy".into()),
        Some(Answer::None { .. }) => {}
        Some(Answer::Unasked) | None => return Err("it was not asked".into()),
    }
    let after = policy.replace_silent_after.filter(|_| !policy.once);
    let after = after.ok_or("nobody allowed to replace the silent")?;
    let since = witness.silent_since.get(id).copied().unwrap_or(witness.began);
    if Duration::from_secs(witness.began - since) < after {
        return Err("it is not silent for long enough".into());
    }
    let answers = |answer: &Answer| matches!(answer, Answer::Valid { .. });
    if !witness.answers.values().any(answers) {
        return Err("nobody else answers either".into());
    }
    witness.silent_deleted += 1;
    if witness.silent_deleted > 1 {
        return Err("another silent one went in this pass".into());
    }
    Ok(())
}
