//! A pool that is full of what serves nothing, and how it comes to life again within `REPLICA_MAX`.

use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::world;
use crate::model::Condition;
use crate::plan::Loudness;

#[test]
fn with_replacement_a_pool_full_of_dead_ones_makes_room_for_one_trial() {
    let mut world = world(["a", "b", "c"].map(|id| healthy(id, 0)));
    world.policy.minimum = 1;
    world.policy.max = Some(3);
    world.policy.replace_silent_after = Some(Duration::from_secs(300));
    world.makes = silent;
    world.pass().put(["a", "b", "c"].map(silent));
    world.passes(12 * 60);
    while world.plan.held_back.is_none() {
        world.pass();
    }
    let left = ["a", "b", "c"].iter().filter(|id| world.vms.contains_key(**id)).count();
    assert_eq!((left, world.vms.len()), (2, 3), "one gave way, once\n{}", world.plan);
    world.says(Loudness::Error, "REPLICA_MAX 3 is reached");
    let trial = world.trials()[0].to_owned();
    world.boot(&[&trial], 1);
    world.passes(5);
    assert_eq!(world.vms.keys().collect::<Vec<_>>(), [&trial], "the dead go once it is healthy");
}

/// One was to give way, and could not be deleted: all that come at once would fill the pool for good, should they be as dead.
#[test]
fn when_several_leave_a_pool_full_of_dead_ones_the_last_place_is_for_the_trial() {
    let mut world = world(["a", "b", "c", "d"].map(|id| healthy(id, 0)));
    (world.policy.minimum, world.policy.max) = (3, Some(4));
    world.policy.replace_silent_after = Some(Duration::from_secs(300));
    world.makes = silent;
    world.pass().put(["a", "b", "c", "d"].map(silent)).delete_fails.insert("a".into());
    world.passes(20);
    world.vms.retain(|id, _| id != "a" && id != "b");
    world.pass().creates(1).held_back("the last place within REPLICA_MAX is kept for a trial");
    world.pass().creates(1);
    assert_eq!((world.trials().len(), world.vms.len()), (1, 4), "{}", world.plan);
    let trial = world.trials()[0].to_owned();
    world.passes(60);
    assert!(!world.vms.contains_key(&trial), "another one is tried in its place\n{}", world.plan);
}

/// What merely boots is no reason to make an expendable one.
#[test]
fn a_cold_start_beside_one_that_was_set_aside_makes_no_trial() {
    let mut world = world([set_aside("p", "stopped")]);
    (world.policy.minimum, world.policy.max) = (3, Some(4));
    world.makes = silent;
    world.pass().creates(3).passes(5);
    assert!(world.trials().is_empty(), "{}", world.plan);
}

/// The pool is one replica, so no other shows that one gave way before.
#[test]
fn in_a_pool_of_one_only_the_first_gives_way_until_a_newer_one_is_healthy() {
    let mut world = world([healthy("a", 0)]);
    (world.policy.minimum, world.policy.max) = (1, Some(1));
    world.policy.replace_silent_after = Some(Duration::from_secs(300));
    world.makes = silent;
    world.pass().put([silent("a")]);
    world.passes(12 * 60);
    assert!(!world.vms.contains_key("a"), "{}", world.plan);
    assert!(world.made <= 24, "{} made in half a day", world.made);
    assert_eq!(world.trials().len(), world.vms.len(), "what came in its place is a trial");
}

#[test]
fn in_a_pool_of_more_than_the_maximum_nobody_gives_way_for_nothing() {
    let mut world = world(["a", "b", "c"].map(|id| healthy(id, 0)));
    (world.policy.minimum, world.policy.max) = (1, Some(2));
    world.policy.replace_silent_after = Some(Duration::from_secs(300));
    world.pass().put(["a", "b", "c"].map(silent));
    world.passes(60);
    assert_eq!(world.vms.len(), 3, "{}", world.plan);
}

#[test]
fn one_that_waits_for_its_restoration_keeps_no_other_from_giving_way() {
    let mut world = world(["a", "b"].map(|id| healthy(id, 0)));
    (world.policy.minimum, world.policy.max) = (1, Some(2));
    world.policy.replace_silent_after = Some(Duration::from_secs(300));
    world.makes = |id| healthy(id, 1);
    let kept = silent("a").in_condition(Condition::SoftDeleted, "soft-delete");
    world.pass().put([kept, silent("b")]);
    world.passes(20);
    assert!(!world.vms.contains_key("b") && world.plan.free == 1, "{}", world.plan);
}

#[test]
fn without_replacement_no_working_replica_gives_way() {
    let mut world = world(["a", "b", "c"].map(silent));
    world.policy.minimum = 1;
    world.policy.max = Some(3);
    world.passes(60);
    world.says(Loudness::Error, "let REPLICA_REPLACE_SILENT_AFTER replace the silent");
    assert_eq!(world.vms.len(), 3);
}

/// It works, and is busy: one question without an answer says nothing.
#[test]
fn a_trial_that_answered_a_moment_ago_does_not_give_way_to_the_next() {
    let mut trial = healthy("t", 0).aged(7200);
    trial.server.trial = true;
    let mut world = world([silent("a"), silent("b"), trial.clone()]);
    (world.policy.minimum, world.policy.max) = (1, Some(3));
    world.passes(5).put([Vm { answer: silent("t").answer, ..trial.clone() }]);
    for _ in 0..3 {
        world.pass().creates(0).deletes(&[]);
    }
    world.put([trial]).pass().creates(0).deletes(&[]);
}
