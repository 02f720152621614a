//! The first passes of a new process, which remembers nothing.

use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{Creates, World, world};

#[test]
fn never_answered_yet_is_judged_by_age_alone() {
    let mut world = world([starting("a").says(1), healthy("b", 1), healthy("z", 0)]);
    world.pass().put([starting("a"), silent("b")]).restart();
    world.plans("").judged("a starting 1, b silent 0, z healthy 0");
}

#[test]
fn silence_is_counted_from_when_this_process_first_saw_it() {
    let mut world = world([silent("a"), healthy("z", 0).aged(700)]);
    world.policy.replace_silent_after = Some(Duration::from_secs(120));
    world.passes(2).restart();
    world.plans("").plans("").plans("delete a (a): silent for 120 s: refused");
}

#[test]
fn a_second_process_in_the_middle_of_a_build_creates_nothing_more() {
    let mut world = world([]).with(|policy| policy.minimum = 4);
    world.pass().creates(4);
    for _ in 0..5 {
        world.restart().plans("");
    }
}

#[test]
fn a_failed_build_that_was_there_before_does_not_pause_creation() {
    let mut world = world([unbuilt("a")]).with(|policy| policy.minimum = 1);
    world.plans(
        "delete a (a): in error, never launched
         create 1 replica: free 0; wanted 1; short 1 → 1 replica of 1",
    );
}

/// Each new process may fill up once more, but never beyond what the cap says.
#[test]
fn many_restarts_never_grow_the_pool_beyond_its_maximum() {
    let mut world = world([]).with(|policy| {
        policy.minimum = 2;
        policy.max = Some(7);
    });
    world.makes = silent;
    for _ in 0..10 {
        world.restart();
        for _ in 0..8 {
            world.later(900).pass();
        }
    }
    assert!(world.vms.len() > 4, "it did grow after the first restarts");
    assert!(world.vms.len() <= 7, "{} VMs\n{}", world.vms.len(), world.plan);
}

#[test]
fn an_error_that_ran_gets_its_two_silent_passes_from_each_process() {
    let mut world = world([broken("a"), healthy("z", 0)]);
    for _ in 0..5 {
        world.restart().plans("");
    }
    world.plans("delete a (a): in error and silent: refused");
}

#[test]
fn a_batch_with_an_unclear_outcome_is_forgotten_but_its_replicas_are_seen() {
    let mut world: World = world([]).with(|policy| policy.minimum = 3);
    world.creates = Creates::AllUnclear;
    world.pass().creates(3);
    world.restart().plans("");
}
