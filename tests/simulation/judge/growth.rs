//! Rule 2: how many VMs there may be.

use std::collections::BTreeSet;

use simplescalevm::model::{BATCH_KEY, Condition, Server, ServerId};
use simplescalevm::provider::Creation;

use super::witness::{Batch, Reply};
use super::{Judge, Rule};
use crate::world::weather::Request;
use crate::world::{MARK, World};

/// How long a replica may be going before it counts as stuck, in seconds.
const STUCK_AFTER: u64 = 600;

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
    let (count, room) = (creation.count, room(judge));
    if count == 0 || count > room {
        judge.breaks(Rule::Bounded, format!("{count} replicas are created, with room for {room}"));
    }
    hidden(judge, world);
    truth(judge, world, count);
    judge.marks.push(mark.clone());
    let list = judge.witness.lists;
    let batch = Batch {
        mark,
        asked: count,
        list,
        reply: Reply::Unclear,
        was_listed: false,
        gone: false,
        exists: false,
    };
    judge.witness.batches.push(batch);
}

/// How many more replicas the program may ask for, by what it could see.
pub fn room(judge: &Judge) -> u64 {
    let witness = &judge.witness;
    if witness.batches.iter().any(|batch| batch.exists) {
        return 0;
    }
    let coming: u64 = witness
        .batches
        .iter()
        .filter(|batch| witness.follows(batch))
        .map(|batch| batch.asked)
        .fold(0, u64::saturating_add);
    let listed = u64::try_from(witness.servers.len()).unwrap_or(u64::MAX);
    let max = judge.policy.max.map_or(u64::MAX, |max| max.saturating_sub(listed + coming));
    let unproven = witness.servers.iter().filter(|server| is_unproven(judge, server)).count();
    let unproven = u64::try_from(unproven).unwrap_or(u64::MAX);
    max.min(boot_limit(judge).saturating_sub(unproven + coming))
}

fn boot_limit(judge: &Judge) -> u64 {
    3 * judge.policy.minimum.div_ceil(judge.policy.capacity) + 3
}

fn is_unproven(judge: &Judge, server: &Server) -> bool {
    let witness = &judge.witness;
    !witness.proven.contains(&server.id)
        && match &server.condition {
            Condition::Stopped { .. } | Condition::Other | Condition::SoftDeleted => false,
            Condition::Active { task } => task.is_none(),
            Condition::Deleting => {
                let since = witness.deleting_since.get(&server.id);
                since.is_some_and(|since| witness.began - since >= STUCK_AFTER)
            }
            Condition::Building | Condition::Error => true,
        }
}

/// VMs that exist and that the program cannot know of, because the list leaves them out.
fn hidden(judge: &mut Judge, world: &World) {
    let witness = &judge.witness;
    let followed: BTreeSet<&String> = witness
        .batches
        .iter()
        .filter(|batch| witness.follows(batch))
        .map(|batch| &batch.mark)
        .collect();
    let unseen = world.pool().filter(|vm| {
        witness.server(&vm.id).is_none()
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
    let known = u64::try_from(known).unwrap_or(u64::MAX);
    if known + count > max {
        let what = format!("{count} replicas are created beside {known}, and {max} are the most");
        judge.breaks(Rule::Bounded, what);
    }
}
