//! Rule 2: how many VMs there may be.

use std::collections::BTreeSet;

use simplescalevm::model::{Answer, BATCH_KEY, Condition, Server, ServerId, TRIAL_KEY};
use simplescalevm::provider::Creation;

use super::witness::{Batch, Reply, free};
use super::{Judge, Rule};
use crate::clock;
use crate::world::weather::Request;
use crate::world::{MARK, World};

/// How long a replica may be going before it counts as stuck, in seconds.
const STUCK_AFTER: u64 = 600;

/// One trial in so many seconds.
const TRIAL_EVERY: u64 = 1800;

/// So many replicas are about to be asked for.
pub fn check(judge: &mut Judge, world: &World, creation: &Creation) {
    let value = |key: &str| {
        let found = creation.metadata.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone())
    };
    if value("group").as_deref() != Some(MARK) {
        judge.breaks(Rule::OwnAndOneEach, "what is created does not carry the pool's mark");
    }
    let mark = value(BATCH_KEY).unwrap_or_default();
    if judge.requests.contains(&Request::Create) {
        judge.breaks(Rule::FewRequests, "replicas are created twice in one pass");
    }
    if mark.is_empty() || judge.marks.contains(&mark) {
        judge.breaks(Rule::OwnAndOneEach, format!("the batch mark {mark:?} tells nothing apart"));
    }
    let count = creation.count;
    let trial = value(TRIAL_KEY).is_some();
    let bounded = within(judge, count, trial);
    if let Err(why) = bounded {
        judge.breaks(Rule::Bounded, format!("{count} replicas are created, and {why}"));
    }
    if judge.witness.brakes.loss_holds(judge.witness.began) && !judge.policy.once {
        judge.breaks(Rule::Bounded, "replicas are created although many were lost just now");
    }
    hidden(judge, world);
    truth(judge, world, count);
    judge.marks.push(mark.clone());
    let (list, at) = (judge.witness.lists, judge.witness.began);
    let batch = Batch {
        mark,
        asked: count,
        list,
        at,
        reply: Reply::Unclear,
        is_listed: false,
        scheduling: None,
        gone: false,
        exists: false,
    };
    judge.witness.batches.push(batch);
}

/// Whether so many more may be asked for, by what the program could see.
fn within(judge: &Judge, count: u64, trial: bool) -> Result<(), String> {
    if judge.witness.batches.iter().any(|batch| batch.exists) {
        return Err("a batch exists that is not listed".into());
    }
    let room = room(judge);
    if count == 0 || count > room {
        return Err(format!("there is room for {room}"));
    }
    let missing = missing(judge);
    if count > missing {
        return Err(format!("{missing} are missing at most"));
    }
    if trial {
        return may_be_tried(judge, count);
    }
    let (limit, dead) = (limit(judge), dead_weight(judge).saturating_add(coming(judge)));
    if dead + count > limit {
        return Err(format!("{dead} serve nothing beside them, and the limit is {limit}"));
    }
    let nobody_serves = judge.witness.newest_healthy().is_none();
    if awaits_trial(judge) && nobody_serves && count == room {
        return Err("one gave way, so the last place is a trial's".into());
    }
    Ok(())
}

/// Whether a trial may be made: one at a time, while the limit holds, in place of the one before.
fn may_be_tried(judge: &Judge, count: u64) -> Result<(), String> {
    let witness = &judge.witness;
    if count != 1 {
        return Err("they are a trial".into());
    }
    let serving = witness.servers.iter().filter(|server| witness.is_healthy(&server.id)).count();
    let others = number(witness.servers.len() - serving).saturating_add(coming(judge));
    // A pool in which nothing works keeps its last place for a trial.
    let is_last_place = serving == 0 && least_room(judge) <= 1;
    if others < limit(judge) && !is_last_place {
        return Err(format!("it is a trial, though no more than {others} can serve nothing"));
    }
    let age = |server: &Server| {
        let age = clock::date(clock::now()).duration_since(server.created);
        age.unwrap_or_default().as_secs()
    };
    let going = [Condition::Deleting, Condition::SoftDeleted];
    let trials = witness.servers.iter().filter(|server| server.trial);
    let trials = trials.filter(|server| !going.contains(&server.condition));
    let Some(last) = trials.max_by_key(|server| server.created) else { return Ok(()) };
    if witness.clock_told && age(last) + judge.policy.interval.as_secs() / 2 < TRIAL_EVERY {
        return Err(format!("{} is a trial of {} s ago", last.id, age(last)));
    }
    let goes = matches!(
        last.condition,
        Condition::Active { task: None } | Condition::Stopped { task: None } | Condition::Error
    );
    let silent =
        !matches!(witness.answers.get(&last.id), Some(Answer::Valid { .. } | Answer::Unasked));
    // A pass that took long may have left it for the next one.
    let in_time = clock::now() - witness.began < 10;
    let stays =
        !witness.deleted_now.contains(&last.id) || witness.not_deleted.contains_key(&last.id);
    if goes && silent && !last.locked && in_time && stays && witness.clock_told {
        return Err(format!("it is a trial, while {} before it stays", last.id));
    }
    Ok(())
}

/// How many more replicas `REPLICA_MAX` leaves room for, by what the program could see.
pub fn room(judge: &Judge) -> u64 {
    room_beside(judge, coming(judge))
}

/// The same at least: creations with an unclear outcome may count in full.
fn least_room(judge: &Judge) -> u64 {
    let asked = judge.witness.batches.iter().map(|batch| batch.asked);
    room_beside(judge, asked.fold(0, u64::saturating_add))
}

fn room_beside(judge: &Judge, coming: u64) -> u64 {
    let max = judge.policy.max.unwrap_or(u64::MAX);
    max.saturating_sub(number(judge.witness.servers.len()).saturating_add(coming))
}

/// Whether there are more replicas than `REPLICA_MAX` allows.
pub fn is_above_the_maximum(judge: &Judge) -> bool {
    judge.policy.max.is_some_and(|max| number(judge.witness.servers.len()) > max)
}

/// Why the pool may stay as short as it is; an error says what should be done.
pub fn may_stay_short(judge: &Judge, world: &World, names_a_limit: bool) -> Result<(), String> {
    // What we make and do not see we would make for ever.
    if world.vms.iter().any(|vm| vm.ours && vm.mark.as_deref() != Some(MARK)) && names_a_limit {
        return Ok(());
    }
    if room(judge) > 0 {
        return Err("there is room for more".into());
    }
    if !names_a_limit {
        return Err("the plan does not say why".into());
    }
    if judge.policy.replace_silent_after.is_none() || judge.policy.once {
        return Ok(());
    }
    if is_above_the_maximum(judge) {
        return Ok(());
    }
    // One gives way to a trial, once: when an operator holds that trial, it is his turn.
    let is_held = |server: &Server| server.locked || server.condition == Condition::SoftDeleted;
    if judge.witness.servers.iter().any(|server| server.trial && is_held(server)) {
        return Ok(());
    }
    // Others have filled the place of the one that gave way: no second one does.
    if awaits_trial(judge) {
        return Ok(());
    }
    let newest = world.pool().filter(|vm| vm.is_healthy()).map(|vm| vm.created).max();
    let silent = judge.witness.servers.iter().filter(|server| {
        !server.locked
            && server.condition == (Condition::Active { task: None })
            && matches!(judge.witness.answers.get(&server.id), Some(Answer::None { .. }))
    });
    let mut older =
        silent.filter(|server| newest.is_none_or(|newest| server.created < clock::date(newest)));
    match older.next() {
        Some(server) => Err(format!("{} could make room", server.id)),
        None => Ok(()),
    }
}

/// Whether one gave way to a trial that is not there.
fn awaits_trial(judge: &Judge) -> bool {
    judge.gave_way.is_some() && judge.witness.servers.iter().all(|server| !server.trial)
}

/// Replicas asked for that the list does not show and that may come, at least.
fn coming(judge: &Judge) -> u64 {
    let batches = judge.witness.batches.iter();
    batches.map(|batch| judge.witness.coming(batch)).fold(0, u64::saturating_add)
}

/// At so many that serve nothing the pool must not grow any more.
fn limit(judge: &Judge) -> u64 {
    3 * judge.policy.minimum.div_ceil(judge.policy.capacity) + 3
}

/// Replicas that serve nothing, as far as there is no doubt: those newer than the newest healthy one, and those known
/// to have died young.
fn dead_weight(judge: &Judge) -> u64 {
    let newest = judge.witness.newest_healthy().map(|server| server.created);
    let counts = |server: &&Server| {
        let newer = newest.is_none_or(|newest| server.created > newest);
        (newer && serves_nothing(judge, server)) || died_young(judge, server)
    };
    number(judge.witness.servers.iter().filter(counts).count())
}

fn serves_nothing(judge: &Judge, server: &Server) -> bool {
    let (witness, id) = (&judge.witness, &server.id);
    let refused = witness.not_deleted.get(id).is_some_and(|at| *at < witness.began);
    let stays = server.locked || refused;
    let asked = witness.answers.get(id);
    match &server.condition {
        Condition::SoftDeleted => false,
        Condition::Deleting => {
            let since = witness.deleting_since.get(id);
            since.is_some_and(|since| witness.began - since >= STUCK_AFTER)
        }
        Condition::Stopped { .. } | Condition::Other => {
            let goes = judge.policy.delete_stopped && !stays;
            !witness.proven.contains(id) && !goes
        }
        Condition::Building => {
            let age = clock::date(clock::now()).duration_since(server.created).unwrap_or_default();
            age < judge.policy.launch_timeout || stays
        }
        Condition::Active { task } => match asked {
            Some(Answer::Valid { termination, .. }) => *termination && stays,
            Some(Answer::None { .. }) => {
                let excused = witness.brakes.may_excuse(witness.began, id);
                task.is_none() && !is_news(judge, id) && !excused
            }
            Some(Answer::Unasked) => false,
            None => task.is_none() && server.fixed.is_empty(),
        },
        Condition::Error => match asked {
            Some(Answer::Valid { termination, .. }) => *termination && stays,
            _ => stays,
        },
    }
}

/// Whether this may be the first pass in which it is silent, those that come early not counted.
fn is_news(judge: &Judge, id: &ServerId) -> bool {
    let witness = &judge.witness;
    let Some(since) = witness.silent_since.get(id) else {
        return witness.last_valid.contains_key(id);
    };
    let (time, interval) = (witness.began - since, judge.policy.interval.as_secs());
    // The watch may have lost it in the very second of an ordinary pass.
    let in_haste = witness.silent_since_haste.get(id) == Some(since);
    witness.last_valid.contains_key(id) && (time < interval || (in_haste && time == interval))
}

fn died_young(judge: &Judge, server: &Server) -> bool {
    let (witness, id) = (&judge.witness, &server.id);
    let (first, silent) = (witness.first_answer.get(id), witness.silent_since.get(id));
    let Some((first, silent)) = first.zip(silent) else { return false };
    // Two intervals less: passes see neither the first answer nor the death when it happens.
    let young = silent - first + 120 < judge.policy.boot_grace.as_secs();
    let is_silent = matches!(witness.answers.get(id), Some(Answer::None { .. }))
        && server.condition == (Condition::Active { task: None })
        && !is_news(judge, id)
        && !witness.brakes.may_excuse(witness.began, &server.id)
        && !witness.brakes.may_have_begun(witness.began, *silent);
    let disproved = witness.newest_to_last.is_some_and(|lasting| lasting > server.created);
    young && is_silent && !disproved
}

/// So many replicas are missing at most: what is free beyond doubt is not.
fn missing(judge: &Judge) -> u64 {
    let (policy, witness) = (&judge.policy, &judge.witness);
    let mut sum = coming(judge).saturating_mul(policy.capacity);
    let age = |server: &Server, since: std::time::SystemTime| {
        let _ = server;
        clock::date(clock::now()).duration_since(since).unwrap_or_default()
    };
    for server in &witness.servers {
        let id = &server.id;
        let resources = match (&server.condition, witness.answers.get(id)) {
            // What it says just before its deletion comes too late for the plan.
            (_, Some(Answer::Valid { .. })) if witness.asked_again.contains(id) => 0,
            (_, Some(answer @ Answer::Valid { .. })) => free(answer),
            (Condition::Building, _) if age(server, server.created) < policy.launch_timeout => {
                policy.capacity
            }
            (Condition::Active { task: None }, Some(Answer::None { .. })) => {
                let before = witness.answers_before.get(id);
                let launched = server.launched.at().unwrap_or(server.created);
                if let Some(before @ Answer::Valid { .. }) = before {
                    free(before)
                } else if !witness.proven.contains(id) && age(server, launched) < policy.boot_grace
                {
                    policy.capacity
                } else if !policy.once
                    && witness.lists > 1
                    && witness.brakes.excuse(witness.began, id)
                {
                    witness.last_valid.get(id).copied().unwrap_or(policy.capacity)
                } else {
                    0
                }
            }
            // Whoever a hasty pass did not ask is what it was.
            (Condition::Active { task: None }, Some(Answer::Unasked)) if witness.in_haste => {
                witness.last.get(id).map_or(0, free).min(policy.capacity)
            }
            _ => 0,
        };
        sum = sum.saturating_add(resources);
    }
    policy.minimum.saturating_sub(sum).div_ceil(policy.capacity)
}

/// VMs that exist and that the program cannot know of, because the list leaves them out.
fn hidden(judge: &mut Judge, world: &World) {
    let witness = &judge.witness;
    let followed: BTreeSet<&String> = witness
        .batches
        .iter()
        .filter(|batch| witness.coming(batch) > 0)
        .map(|batch| &batch.mark)
        .collect();
    // What a short list leaves out while the cloud looks for hosts can be looked up, if it was ever seen.
    let known = |id: &ServerId| {
        witness.scheduling && witness.servers_before.iter().any(|server| server.id == *id)
    };
    let late = |id: &ServerId| world.vm(id).is_some_and(|vm| vm.unlisted_until > clock::now());
    let unseen = world.pool().filter(|vm| {
        witness.server(&vm.id).is_none()
            && (late(&vm.id) || world.weather.frozen.is_some() || !known(&vm.id))
            && vm.batch.as_ref().is_none_or(|batch| !followed.contains(batch))
    });
    let hidden: Vec<ServerId> = unseen.map(|vm| vm.id.clone()).collect();
    for id in hidden {
        if !judge.excused.contains(&id) {
            judge.excused.push(id);
        }
    }
}

/// The same by what there is, but for what could not be known of.
fn truth(judge: &mut Judge, world: &World, count: u64) {
    let Some(max) = judge.policy.max else { return };
    judge.excused.retain(|id| world.vm(id).is_some());
    let known = world.pool().filter(|vm| !judge.excused.contains(&vm.id)).count();
    let known = number(known);
    if known + count > max {
        let what = format!("{count} replicas are created beside {known}, and {max} are the most");
        judge.breaks(Rule::Bounded, what);
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
