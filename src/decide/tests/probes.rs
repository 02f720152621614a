//! The table of what the probe gave: one test a row, and what is remembered between passes.

use crate::model::Launched;
use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::world;
use crate::observe::targets;
use crate::plan::Loudness;

#[test]
fn termination_true_is_finished_and_goes() {
    world([finished("a")]).plans("delete a (a): says it may be destroyed").judged("a finished 0");
}

#[test]
fn termination_false_is_healthy_with_its_capacity() {
    world([healthy("a", 7)]).plans("").judged("a healthy 7");
}

#[test]
fn silence_within_the_boot_grace_is_starting_and_counts_in_full() {
    let mut world = world([silent("a").aged(599)]).with(|policy| policy.capacity = 4);
    world.plans("").judged("a starting 4");
    world.plans("").judged("a silent 0");
}

#[test]
fn the_grace_is_counted_from_the_launch_not_from_the_creation() {
    let mut vm = silent("a");
    vm.server.launched = Launched::At(start() - Duration::from_secs(10));
    world([vm]).plans("").judged("a starting 1");
}

#[test]
fn one_that_answered_within_its_grace_is_not_starting_any_more() {
    let mut world = world([starting("a").says(3), healthy("z", 0)]);
    world.plans("").put([starting("a")]);
    world.plans("").judged("a silent 3, z healthy 0");
    world.plans("").judged("a silent 0, z healthy 0");
}

#[test]
fn the_first_silent_pass_counts_the_last_capacity_and_the_second_nothing() {
    let mut world = world([healthy("a", 3), healthy("z", 0)]);
    world.plans("").put([silent("a")]);
    world.plans("").judged("a silent 3, z healthy 0").says(Loudness::Warning, "a (a) is silent");
    world.plans("").judged("a silent 0, z healthy 0");
    world.put([healthy("a", 2)]).plans("").put([silent("a")]);
    world.plans("").judged("a silent 2, z healthy 0");
}

#[test]
fn silent_replicas_are_never_replaced_unless_the_operator_opted_in() {
    let mut world = world([silent("a"), healthy("z", 0)]);
    world.passes(100).plans("").judged("a silent 0, z healthy 0");
}

#[test]
fn one_that_was_not_asked_keeps_its_last_state() {
    let mut world = world([healthy("a", 3), silent("b"), finished("c"), starting("d")]);
    world.delete_fails.insert("c".into());
    world.pass().put([
        healthy("a", 3).unasked(),
        silent("b").unasked(),
        finished("c").unasked(),
        starting("d").unasked(),
    ]);
    world.plans("").judged("a healthy 3, b silent 0, c finished 0, d starting 1");
}

#[test]
fn one_that_was_never_asked_is_starting() {
    world([silent("a").unasked()]).plans("").judged("a starting 1");
}

#[test]
fn a_pass_in_which_it_was_not_asked_is_no_silent_one() {
    let mut world = world([healthy("a", 3), healthy("z", 0)]);
    world.pass().put([healthy("a", 3).unasked()]).plans("").put([silent("a")]);
    world.plans("").judged("a silent 3, z healthy 0");
}

#[test]
fn a_replica_that_comes_back_from_parked_begins_its_boot_grace_anew() {
    let mut world = world([stopped("a"), healthy("z", 0)]);
    world.plans("").put([silent("a")]);
    for _ in 0..10 {
        world.plans("").judged("a starting 1, z healthy 0");
    }
    world.plans("").judged("a silent 0, z healthy 0");
}

#[test]
fn a_grace_begun_anew_ends_with_an_answer() {
    let mut world = world([healthy("a", 3), healthy("z", 0)]);
    world.pass().put([set_aside("a", "paused")]).pass().put([silent("a")]);
    world.plans("").judged("a starting 1, z healthy 0");
    world.put([healthy("a", 2)]).plans("").put([silent("a")]);
    world.plans("").judged("a silent 2, z healthy 0");
}

#[test]
fn a_rebooted_replica_begins_its_boot_grace_anew() {
    let mut world = world([healthy("a", 3), healthy("z", 0)]);
    world.pass().put([silent("a").with_task("rebooting")]);
    world.plans("").judged("a parked 0, z healthy 0");
    world.put([silent("a")]).plans("").judged("a starting 1, z healthy 0");
}

#[test]
fn all_running_replicas_are_asked_and_those_that_boot_only_once() {
    let vms = [
        healthy("a", 1),
        starting("b"),
        broken("c"),
        silent("d").with_task("rebooting"),
        silent("e").nowhere(),
        building("f"),
        unbuilt("g"),
        stopped("h"),
        set_aside("i", "paused"),
        deleting("j"),
    ];
    let mut world = world(vms);
    let asked = |world: &mut crate::decide::tests::world::World| {
        let seen = world.observe();
        let targets = targets(&world.policy, &world.memory, &seen);
        let one = |target: &crate::probe::Target| {
            format!("{}{}", target.id, if target.again { " again" } else { "" })
        };
        targets.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(asked(&mut world), "a again, b, c again, d again");
    // Back from parked it boots anew.
    world.pass().put([silent("h")]);
    assert!(asked(&mut world).ends_with(", h"), "h is asked once");
}
