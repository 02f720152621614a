//! New replicas that come to nothing: each way is a failure, and none is told twice.

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{World, world};
use crate::model::Launched;

/// One unit missing, and an old replica that answers.
fn wanting_one() -> World {
    let mut world = world([healthy("z", 0)]).with(|policy| policy.minimum = 1);
    world.pass().creates(1);
    world
}

/// Lets `n1` be as this VM is; keeps its batch and age.
fn turns_into(world: &mut World, id: &str, model: Vm) {
    let vm = world.vms.get_mut(id).unwrap();
    vm.answer = model.answer;
    vm.server.condition = model.server.condition;
    vm.server.words = model.server.words;
    vm.server.fixed = model.server.fixed;
    vm.server.launched = Launched::At(vm.server.created);
}

#[track_caller]
fn steps(world: &World, expected: u32) {
    assert_eq!(world.memory.back_off.step, expected, "{:?}", world.memory.back_off);
}

/// The pass in which it was starting never was, or saw no list.
#[test]
fn a_grace_that_ends_between_two_passes_is_a_failure_too() {
    let mut world = wanting_one();
    world.pass().judged("n1 creating 1, z healthy 0");
    turns_into(&mut world, "n1", silent("n1"));
    world.later(900).pass().creates(0).held_back("n1 never answered within its boot grace");
    steps(&world, 1);
    // Nor was it ever seen before.
    let mut world = wanting_one();
    turns_into(&mut world, "n1", silent("n1"));
    world.later(900).pass().creates(0).held_back("n1 never answered within its boot grace");
}

/// An image that powers itself off, or cloud-init's `power_state`.
#[test]
fn a_new_replica_that_stops_before_its_first_answer_is_a_failure() {
    let mut world = wanting_one();
    world.pass();
    turns_into(&mut world, "n1", stopped("n1"));
    world.pass().creates(0).held_back("n1 stopped before it ever answered");
    world.pass().creates(1);
    steps(&world, 1);
}

#[test]
fn an_old_replica_that_an_operator_stops_is_none() {
    let mut world = wanting_one();
    world.put([stopped("z")]).passes(2);
    steps(&world, 0);
}

#[test]
fn images_that_power_off_and_are_deleted_for_it_come_at_the_pace_of_failures() {
    let mut world = wanting_one();
    world.policy.delete_stopped = true;
    world.makes = stopped;
    let before = world.made;
    for _ in 0..24 * 60 {
        world.pass();
    }
    assert!(world.made - before <= 60, "{} in a day", world.made - before);
    assert!(world.vms.len() <= 3, "{} are left", world.vms.len());
}

#[test]
fn a_service_that_dies_soon_after_its_first_answer_is_a_failure_told_once() {
    let mut world = wanting_one();
    world.boot(&["n1"], 1).pass().creates(0);
    steps(&world, 0);
    turns_into(&mut world, "n1", silent("n1"));
    world.policy.minimum = 2;
    world.pass().creates(0).held_back("n1 fell silent soon after its first answer");
    steps(&world, 1);
    world.passes(5);
    steps(&world, 1);
}

#[test]
fn the_steps_begin_anew_only_when_a_new_replica_has_lasted() {
    let mut world = wanting_one();
    world.fail(&["n1"]).pass().pass().creates(1).fail(&["n2"]).pass();
    steps(&world, 2);
    world.passes(2).boot(&["n3"], 1).pass();
    steps(&world, 2);
    // The pause is over all the same.
    assert!(world.memory.back_off.until.is_zero(), "{:?}", world.memory.back_off);
    world.passes(9);
    steps(&world, 2);
    world.pass();
    steps(&world, 0);
}

#[test]
fn creation_works_when_a_new_replica_answers_and_when_it_has_lasted() {
    let mut world = wanting_one();
    assert!(!world.passes(2).plan.creation_works, "it is only on its way");
    world.boot(&["n1"], 1);
    let works: Vec<u32> = (0..12).filter(|_| world.pass().plan.creation_works).collect();
    assert_eq!(works, [0, 10]);
}

#[test]
fn a_new_replica_that_has_finished_has_lasted() {
    let mut world = wanting_one();
    world.fail(&["n1"]).pass().pass().creates(1).boot(&["n2"], 1).pass();
    steps(&world, 1);
    turns_into(&mut world, "n2", finished("n2"));
    world.pass();
    steps(&world, 0);
}

#[test]
fn an_old_replica_that_goes_on_answering_proves_nothing() {
    let mut world = wanting_one();
    world.fail(&["n1"]).passes(30);
    assert!(world.memory.back_off.step > 0, "{:?}", world.memory.back_off);
}

/// It is there, and in no list.
#[test]
fn a_batch_whose_first_server_is_soft_deleted_before_it_was_listed_counts_nothing() {
    let mut world = wanting_one();
    world.unlisted.insert("n1".into());
    turns_into(&mut world, "n1", silent("n1"));
    let gone = crate::model::Condition::SoftDeleted;
    let vm = world.vms["n1"].clone().in_condition(gone, "soft-delete");
    world.put([vm]).pass().held_back("gone before it was ever listed");
    assert_eq!(world.plan.unaccounted, 0);
}

#[test]
fn a_batch_that_the_list_shows_late_is_waited_for_and_then_an_error() {
    let mut world = wanting_one();
    world.unlisted.insert("n1".into());
    for _ in 0..2 {
        world.plans("").does_not_say("exists but is not listed");
        assert_eq!((world.plan.free, world.plan.unaccounted), (1, 1));
    }
    world.plans("").held_back("exists but is not listed");
    assert_eq!(world.plan.free, 0, "what is never listed serves nobody");
    assert!(world.plan.is_in_trouble());
}

/// While Nova looks for hosts its list may leave out some of a batch.
#[test]
fn the_first_listing_of_a_batch_is_not_final_while_one_of_it_is_being_scheduled() {
    let mut world = world([]).with(|policy| policy.minimum = 5);
    world.pass().creates(5);
    world.vms.get_mut("n1").unwrap().server.scheduling = true;
    world.unlisted.extend(["n3", "n4", "n5"].map(String::from));
    for _ in 0..3 {
        world.plans("");
        assert_eq!(world.plan.unaccounted, 3);
    }
    world.vms.get_mut("n1").unwrap().server.scheduling = false;
    world.unlisted.clear();
    world.plans("");
    assert_eq!(world.plan.unaccounted, 0);
    steps(&world, 0);
}

#[test]
fn nothing_is_created_from_a_list_that_may_not_be_whole() {
    let mut world = world([]).with(|policy| policy.minimum = 5);
    world.incomplete = Some("two lists differ".into());
    world.plans("").held_back("the list may be incomplete: two lists differ");
    world.incomplete = None;
    world.pass().creates(5);
}
