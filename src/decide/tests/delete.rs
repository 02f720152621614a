//! Which replicas go.

use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{World, world};
use crate::outcome::StepResult;

fn replacing(vms: impl IntoIterator<Item = Vm>) -> World {
    world(vms).with(|policy| policy.replace_silent_after = Some(Duration::from_secs(300)))
}

#[test]
fn healthy_replicas_are_never_deleted_however_many_there_are() {
    let ids = ["a", "b", "c", "d", "e"];
    world(ids.map(|id| healthy(id, 100))).plans("").plans("");
}

#[test]
fn oldest_first_then_by_id() {
    let vms = [finished("a").aged(700), finished("c").aged(800), finished("b").aged(700)];
    world(vms).pass().deletes(&["c", "a", "b"]);
}

#[test]
fn a_silent_replica_is_replaced_after_the_time_the_operator_set() {
    let mut world = replacing([healthy("a", 1), healthy("z", 0).aged(700)]);
    world.pass().put([silent("a")]);
    for _ in 0..5 {
        world.plans("");
    }
    world.plans("delete a (a): silent for 300 s: refused");
}

#[test]
fn an_answer_in_between_begins_the_silence_anew() {
    let mut world = replacing([silent("a"), healthy("z", 0).aged(700)]);
    world.passes(4).put([healthy("a", 1)]).pass().put([silent("a")]);
    for _ in 0..5 {
        world.plans("");
    }
    world.pass().deletes(&["a"]);
}

#[test]
fn at_most_one_silent_replica_goes_in_a_pass_the_longest_silent_first() {
    let mut world =
        replacing([healthy("a", 1), silent("b"), healthy("y", 0), healthy("z", 0).aged(700)]);
    world.pass().put([silent("a")]).passes(5).deletes(&["b"]);
    world.pass().deletes(&["a"]);
}

#[test]
fn no_silent_replica_goes_while_no_newer_one_is_healthy() {
    let mut world = replacing([silent("a"), healthy("y", 0), healthy("z", 1).aged(700)]);
    world.pass().put([stopped("z").aged(700)]);
    for _ in 0..20 {
        world.plans("");
    }
    world.put([healthy("z", 1).aged(700)]).pass().deletes(&["a"]);
}

/// What is known goes before what only seems dead.
#[test]
fn the_silent_one_goes_last() {
    let mut world = replacing([silent("a"), healthy("z", 0).aged(700)]);
    world.passes(5).put([finished("b").aged(650), unbuilt("c")]);
    world.delete_fails.insert("c".into());
    world.pass().deletes(&["b", "c", "a"]);
}

#[test]
fn what_is_judged_by_its_silence_is_to_be_asked_once_more() {
    let mut world = replacing([silent("a"), broken("b"), finished("c"), healthy("z", 0).aged(700)]);
    world.delete_fails = ["a", "b", "c"].map(String::from).into();
    world.passes(6).deletes(&["a", "b", "c"]);
    let asked = world.plan.deletions.iter().map(|step| step.ask.is_some());
    assert_eq!(asked.collect::<Vec<_>>(), [true, true, false], "{}", world.plan);
}

#[test]
fn nothing_goes_for_its_age_while_the_cloud_does_not_tell_its_time() {
    let mut world = world([building("a").aged(OLD), deleting("b").updated(OLD)]);
    world.clock_told = false;
    world.passes(3).plans("");
    world.clock_told = true;
    world.pass().deletes(&["a", "b"]);
}

#[test]
fn starting_replicas_are_not_silent() {
    let mut world = replacing([starting("a"), healthy("z", 0)]);
    world.policy.boot_grace = Duration::from_secs(3600);
    world.passes(50).plans("");
}

#[test]
fn a_finished_replica_that_was_not_asked_stays() {
    let mut world = world([finished("a")]);
    world.delete_fails.insert("a".into());
    world.pass().deletes(&["a"]).put([finished("a").unasked()]).plans("");
}

#[test]
fn a_failed_deletion_is_tried_again_in_the_next_pass_and_stops_no_other() {
    let mut world = world([finished("a"), finished("b")]);
    world.delete_fails.insert("a".into());
    world.pass().deletes(&["a", "b"]);
    assert!(!world.vms.contains_key("b"), "b is gone");
    world.delete_fails.clear();
    world.pass().deletes(&["a"]);
    assert!(world.vms.is_empty());
}

#[test]
fn deletions_give_way_to_the_creation_at_a_third_of_the_interval() {
    let ids = ["a", "b", "c", "d", "e", "f"];
    let mut world = world(ids.map(finished)).with(|policy| policy.minimum = 1);
    world.delete_takes = 11;
    world.pass().creates(1);
    assert_eq!(
        world.vms.keys().collect::<Vec<_>>(),
        ["c", "d", "e", "f", "n1"],
        "22 s for two, then n1"
    );
    world.pass().deletes(&["c", "d", "e", "f"]);
}

#[test]
fn one_that_always_fails_slowly_does_not_keep_the_others_alive() {
    let mut world = world([finished("a"), finished("b"), finished("c")]);
    world.delete_fails.insert("a".into());
    world.delete_takes = 60;
    world.pass().deletes(&["a", "b", "c"]).pass().deletes(&["b", "c", "a"]);
    world.passes(2);
    assert_eq!(world.vms.keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn one_that_always_fails_slowly_does_not_keep_the_silent_either() {
    let mut world = world([finished("a"), silent("b"), healthy("z", 0).aged(700)]);
    world.policy.replace_silent_after = Some(std::time::Duration::ZERO);
    world.delete_fails.insert("a".into());
    world.delete_takes = 60;
    world.pass().deletes(&["a", "b"]).pass().deletes(&["b", "a"]);
    assert_eq!(world.vms.keys().collect::<Vec<_>>(), ["a", "z"]);
}

/// Time that observing took is no reason: else a pool with many black holes would never delete anything.
#[test]
fn slow_probes_do_not_keep_the_finished_alive() {
    let mut world = world([finished("a")]);
    let seen = world.observe();
    let (plan, _) = crate::decide::decide(&world.policy, &seen, &world.memory);
    let outcome = world.act(&plan, 50, &crate::progress::Stop::new());
    assert_eq!(outcome.steps[0].result, StepResult::Done);
}

#[test]
fn once_the_program_is_ending_nothing_more_is_done() {
    let mut world = world([finished("a"), healthy("b", 0)]).with(|policy| policy.minimum = 1);
    world = world.with_addresses(&[("192.0.2.1", "")]);
    let seen = world.observe();
    let (plan, _) = crate::decide::decide(&world.policy, &seen, &world.memory);
    let stop = crate::progress::Stop::new();
    stop.request();
    let outcome = world.act(&plan, 0, &stop);
    assert_eq!(outcome.steps.len(), 3);
    assert!(outcome.steps.iter().all(|step| matches!(step.result, StepResult::NotTried(_))));
    assert_eq!(world.vms.len(), 2);
    world.holders("192.0.2.1 -");
}
