//! Rule 1: what may be deleted, by the two state tables.

use std::time::Duration;

use simplescalevm::model::{Answer, Condition, Launched, Server, ServerId};

use super::witness::{PASS_COUNTS_AFTER, Witness};
use super::{Judge, Rule, growth};
use crate::clock;
use crate::world::vm::Vm;
use crate::world::weather::Request;
use crate::world::{MARK, World};

/// How long a replica may be going before its deletion may be asked for again, in seconds.
const DELETE_AGAIN_AFTER: u64 = 600;

/// A replica is about to be deleted.
pub fn check(judge: &mut Judge, world: &World, id: &ServerId) {
    let Some(vm) = world.vm(id) else { return };
    if vm.mark.as_deref() != Some(MARK) {
        // What was just made and lost its mark is deleted again: by its id, or by the name that this batch has.
        if !(vm.ours && judge.witness.made_now.is_some() && vm.created >= judge.witness.began) {
            judge.breaks(Rule::OwnAndOneEach, format!("{id} is not the pool's, and is deleted"));
        }
        return;
    }
    if !judge.witness.deleted_now.insert(id.clone()) {
        judge.breaks(Rule::FewRequests, format!("{id} is deleted twice in one pass"));
    }
    let known = judge.witness.server(id).or_else(|| judge.witness.found.get(id));
    let Some(server) = known.cloned() else {
        judge.breaks(Rule::OwnAndOneEach, format!("{id} was not listed, and is deleted"));
        return;
    };
    // But one whose deletion fails again and again holds up no other.
    let failed =
        judge.witness.not_deleted.contains_key(id) || judge.witness.not_looked_up.contains(id);
    if judge.witness.silent_deleted > 0 && !failed && !server.trial {
        judge.breaks(Rule::WorkingStays, format!("{id} goes after one that only seems dead"));
    }
    if judge.witness.lost.contains(id) && vm.is_healthy() && !world.weather.cut_off {
        let what = format!("{id} is deleted although it answers: only the watch lost it");
        judge.breaks(Rule::WorkingStays, what);
    }
    if let Err(why) = still_so(&server, vm).and_then(|()| may_go(judge, &server)) {
        let last = judge.witness.last.get(id);
        judge.breaks(
            Rule::WorkingStays,
            format!("{id} ({}) is deleted although {why}; its last answer: {last:?}", server.words),
        );
    }
}

/// What it was in the list may be a minute ago: it is looked up just before.
fn still_so(server: &Server, vm: &Vm) -> Result<(), String> {
    if vm.locked && !server.locked {
        return Err("it was locked since the list was made".into());
    }
    Ok(())
}

fn may_go(judge: &mut Judge, server: &Server) -> Result<(), String> {
    if server.locked {
        return Err("it is locked".into());
    }
    let own_reason = may_go_for_itself(judge, server);
    if own_reason.is_err() && server.trial {
        return may_go_as_trial(judge, server);
    }
    own_reason
}

/// The state tables, and what replaces the silent.
fn may_go_for_itself(judge: &mut Judge, server: &Server) -> Result<(), String> {
    let (policy, witness, id) = (&judge.policy, &judge.witness, &server.id);
    let lasts = |since: Option<&u64>| {
        since.is_some_and(|since| policy.once || witness.began - since >= PASS_COUNTS_AFTER)
    };
    let now = clock::now();
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
            if !witness.clock_told {
                return Err("nobody told how old it is".into());
            }
            let old = age >= policy.launch_timeout;
            old.then_some(()).ok_or_else(|| "its build may still end well".into())
        }
        Condition::Stopped { task } => {
            let may = policy.delete_stopped && task.is_none();
            let may = may && lasts(witness.stopped_since.get(id));
            may.then_some(()).ok_or_else(|| "it is stopped by an operator".into())
        }
        // What it says now comes on top of what was held against it.
        _ if finished && witness.asked_again.contains(id) => Ok(()),
        _ if finished => addresses_are_safe(judge, id),
        Condition::Error if !policy.once && witness.brakes.loss_holds(witness.began) => {
            Err("many were lost just now".into())
        }
        Condition::Error if server.launched == Launched::Never => Ok(()),
        Condition::Error => match answer {
            Some(Answer::Valid { .. }) => Err("it answers, and is not finished".into()),
            None if !server.fixed.is_empty() => Err("it was not asked".into()),
            Some(Answer::Unasked) => Err("it was not asked".into()),
            _ if !witness.another_answers(id) => Err("nobody else answers either".into()),
            // Without an address there is nothing to ask.
            None => Ok(()),
            Some(_) if lasts(witness.in_error_since.get(id)) => Ok(()),
            Some(_) => Err("it is not silent in error for long enough".into()),
        },
        Condition::Active { task: Some(_) } => Err("something is done to it".into()),
        Condition::Active { task: None } => may_go_silent(judge, server),
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

fn may_go_silent(judge: &mut Judge, server: &Server) -> Result<(), String> {
    let full = growth::room(judge) == 0;
    let excess = growth::is_above_the_maximum(judge);
    let (policy, witness, id) = (&judge.policy, &mut judge.witness, &server.id);
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
    if witness.brakes.silence_holds(witness.began) {
        return Err("many are silent, and that is new".into());
    }
    match witness.newest_healthy() {
        Some(newest) if newest.created > server.created => {}
        Some(_) => return Err("no newer one is healthy".into()),
        None if excess => return Err("it makes no room for a trial".into()),
        None if !full => return Err("nobody is healthy, and there is room for a trial".into()),
        None if server.trial => {
            return Err("it is a trial, which gives way to the next one only".into());
        }
        None => {
            let before = judge.gave_way.replace((id.clone(), server.created));
            if before.is_some_and(|(gone, _)| gone != *id && !was_kept(witness, &gone)) {
                return Err("another gave way, and none that is newer was healthy since".into());
            }
        }
    }
    witness.silent_deleted += 1;
    Ok(())
}

/// Whether one that was to give way did not: its deletion failed, and now it is locked, set aside, in error, or answers.
fn was_kept(witness: &Witness, id: &ServerId) -> bool {
    let silent = || matches!(witness.answers.get(id), Some(Answer::None { .. }));
    let kept = |one: &Server| match one.condition {
        Condition::Deleting | Condition::SoftDeleted => false,
        Condition::Active { task: None } => one.locked || !silent(),
        _ => true,
    };
    witness.server(id).is_some_and(kept)
}

/// A trial gives way to the next one; whether there is one shows at the end of the pass.
fn may_go_as_trial(judge: &mut Judge, server: &Server) -> Result<(), String> {
    let (policy, witness) = (&judge.policy, &mut judge.witness);
    let age = clock::date(clock::now()).duration_since(server.created).unwrap_or_default();
    if witness.is_healthy(&server.id) {
        return Err("it is healthy".into());
    }
    if !witness.clock_told {
        return Err("nobody told how old it is".into());
    }
    if age < policy.boot_grace {
        return Err("it is a trial that may still answer".into());
    }
    if witness.not_deleted.contains_key(&server.id) || witness.not_looked_up.contains(&server.id) {
        // The next one comes when this one is gone.
        return Ok(());
    }
    witness.trials_deleted.push(server.id.clone());
    if witness.trials_deleted.len() > 1 {
        return Err("another trial went in this pass".into());
    }
    Ok(())
}

/// A pass is over that nobody cut short.
pub fn at_the_end(judge: &mut Judge) {
    // A full pool has room for the next one only when this one is gone.
    let next = judge.requests.contains(&Request::Create) || growth::room(judge) == 0;
    // One whose deletion fails keeps its place.
    let gone = judge.witness.trials_deleted.first();
    let gone = gone.filter(|id| !judge.witness.not_deleted.contains_key(*id)).cloned();
    if let Some(id) = gone.filter(|_| !next) {
        let what = format!("{id} is a trial, and was deleted although none comes next");
        judge.breaks(Rule::WorkingStays, what);
    }
    let gave_way = judge.gave_way.take();
    let newest = judge.witness.newest_healthy().map(|server| server.created);
    judge.gave_way = gave_way
        .filter(|(_, gone)| newest.is_none_or(|newest| newest <= *gone))
        .filter(|(id, _)| !was_kept(&judge.witness, id));
}
