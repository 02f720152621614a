//! How many replicas come.

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{Creates, World, world};
use crate::error::ErrorKind;

/// A pool of VMs with one unit each, of which so many have to be free.
fn wanting(minimum: u64, vms: impl IntoIterator<Item = Vm>) -> World {
    world(vms).with(|policy| policy.minimum = minimum)
}

#[test]
fn an_empty_pool_is_filled_with_one_creation() {
    wanting(3, []).plans("create 3 replicas: free 0; wanted 3; short 3 → 3 replicas of 1");
}

#[test]
fn an_old_mistake_is_not_repeated_what_boots_counts() {
    let mut world = wanting(3, []);
    world.pass();
    for _ in 0..10 {
        world.plans("");
    }
    world.judged("n1 creating 1, n2 creating 1, n3 creating 1");
}

/// The worked example of the documentation.
#[test]
fn one_of_three_and_a_building_one_of_capacity_3_are_4_of_6_so_one_more_comes() {
    let mut world = wanting(6, [finished("a"), silent("b"), healthy("c", 1), building("d")]);
    world.policy.capacity = 3;
    world.plans(
        "delete a (a): says it may be destroyed
         create 1 replica: free 4 = 1 answered + 3 creating; wanted 6; short 2 → 1 replica of 3",
    );
}

#[test]
fn what_is_missing_is_rounded_up_to_whole_replicas() {
    for (minimum, count) in [(0, 0), (1, 1), (3, 1), (4, 2), (6, 2), (7, 3)] {
        let mut world = wanting(minimum, []);
        world.policy.capacity = 3;
        world.pass().creates(count);
    }
}

#[test]
fn more_than_enough_free_creates_nothing_and_deletes_nothing() {
    wanting(1, [healthy("a", 9), healthy("b", 9)]).plans("");
}

#[test]
fn every_replica_counts_against_the_maximum_whatever_its_state_those_deleted_in_this_pass_too() {
    let everything = [
        healthy("a", 0),
        starting("b").locked(),
        building("c"),
        silent("d"),
        finished("e"),
        unbuilt("f"),
        silent("g").nowhere(),
        stopped("h"),
        set_aside("i", "shelved_offloaded"),
        deleting("j"),
    ];
    let mut world = wanting(100, everything);
    world.policy.max = Some(12);
    world.pass().deletes(&["e", "f"]).creates(2).held_back("REPLICA_MAX 12: there are 10 replicas");
    world.policy.max = Some(3);
    world.pass().creates(0);
}

#[test]
fn what_is_not_listed_yet_counts_against_the_maximum() {
    let mut world = wanting(3, []);
    world.policy.max = Some(4);
    world.creates = Creates::None(ErrorKind::Unclear);
    world.pass().creates(3);
    world.policy.minimum = 10;
    world.later(3600).pass().creates(1);
}

#[test]
fn resources_and_limits_of_any_size_do_not_overflow() {
    let huge = u64::MAX;
    wanting(huge, [healthy("a", huge), healthy("b", huge)]).plans("");
    let mut world = wanting(huge, [healthy("a", 0)]);
    world.policy.max = Some(2);
    world.pass().creates(1);
    let mut world = wanting(huge, [building("a"), building("b"), starting("c")]);
    world.policy.capacity = huge;
    world.plans("");
    let mut world = wanting(huge, []);
    world.creates = Creates::None(ErrorKind::Unclear);
    world.pass().creates(huge).pass().creates(0).passes(5);
    world.policy.interval = std::time::Duration::MAX;
    world.policy.boot_grace = std::time::Duration::MAX;
    world.policy.launch_timeout = std::time::Duration::MAX;
    world.policy.replace_silent_after = Some(std::time::Duration::MAX);
    world.put([silent("a"), broken("b"), building("c"), deleting("d")]).passes(5);
}

#[test]
fn the_batch_mark_is_this_processs_own_and_new_for_each_creation() {
    let mut world = wanting(1, []);
    let mut marks = Vec::new();
    for _ in 0..3 {
        world.pass().creates(1);
        marks.push(world.plan.creation.clone().unwrap().mark);
        let made = format!("n{}", world.made);
        world.boot(&[&made], 0);
    }
    assert_eq!(marks, ["me-1", "me-2", "me-3"]);
    assert_eq!(world.vms["n2"].server.batch.as_deref(), Some("me-2"), "the cloud was told");
}
