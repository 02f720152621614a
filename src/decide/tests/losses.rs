//! The brake against mass errors and mass disappearance.

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{World, world};
use crate::plan::Loudness;

/// Five that answer, each with one unit free; five are wanted.
fn five() -> World {
    let ids = ["a", "b", "c", "d", "e"];
    let mut world = world(ids.map(|id| healthy(id, 1))).with(|policy| policy.minimum = 5);
    world.pass();
    world
}

#[test]
fn when_most_vanish_nothing_is_created_for_three_passes() {
    let mut world = five();
    world.take(&["a", "b", "c"]);
    for _ in 0..3 {
        world.plans("").says(Loudness::Error, "brake: 3 of 5 replicas vanished from the list");
    }
    world.pass().creates(3);
    assert!(world.plan.brakes.is_empty());
}

#[test]
fn a_list_that_may_be_short_tells_of_no_loss_and_the_next_whole_one_does() {
    let mut world = five();
    world.incomplete = Some("two lists differ".into());
    world.take(&["a", "b", "c"]).pass();
    assert!(world.plan.brakes.is_empty(), "{:?}", world.plan.brakes);
    world.plans("");
    world.incomplete = None;
    world.plans("").says(Loudness::Error, "brake: 3 of 5 replicas vanished from the list");
}

#[test]
fn those_that_a_short_list_left_out_are_as_they_were() {
    let mut world = five();
    world.incomplete = Some("two lists differ".into());
    world.take(&["a", "b", "c"]).pass();
    world.incomplete = None;
    world.put(["a", "b", "c"].map(|id| healthy(id, 1))).plans("");
    assert!(world.plan.brakes.is_empty(), "{:?}", world.plan.brakes);
}

#[test]
fn when_fewer_than_three_or_half_vanish_they_are_replaced_at_once() {
    let mut world = five();
    world.take(&["a", "b"]).pass().creates(2);
    let mut world = five();
    world.put([healthy("f", 0)]).pass().take(&["a", "b", "c"]).pass().creates(3);
}

#[test]
fn those_we_deleted_did_not_vanish() {
    let mut world = five();
    world.put(["a", "b", "c", "d", "e"].map(finished)).pass().pass();
    assert!(world.plan.brakes.is_empty(), "{:?}", world.plan.brakes);
}

#[test]
fn those_that_were_going_did_not_vanish() {
    let mut world = five();
    world.put(["a", "b", "c"].map(deleting)).pass().take(&["a", "b", "c"]).pass();
    assert!(world.plan.brakes.is_empty(), "{:?}", world.plan.brakes);
}

#[test]
fn those_that_vanished_vanish_once() {
    let mut world = five();
    world.policy.minimum = 0;
    world.take(&["a", "b", "c", "d"]).passes(3);
    assert_eq!(world.memory.loss.as_ref().map(|brake| brake.passes.count), Some(3));
    world.pass();
    assert_eq!(world.memory.loss, None);
}

#[test]
fn those_that_come_back_to_the_list_are_no_strangers() {
    let mut world = five();
    world.put([starting("f").says(1)]).pass();
    world.unlisted.extend(["a", "b", "c", "f"].map(String::from));
    world.passes(3).unlisted.clear();
    // It answered before it was missing, so it is silent now, not starting.
    world.put([starting("f")]);
    world
        .plans("")
        .judged("a healthy 1, b healthy 1, c healthy 1, d healthy 1, e healthy 1, f silent 1");
}

#[test]
fn when_most_turn_to_error_nothing_is_created_and_no_error_deleted_for_three_passes() {
    let mut world = five();
    world.put(["a", "b", "c"].map(broken)).put([unbuilt("f")]);
    for _ in 0..3 {
        world.plans("").says(Loudness::Error, "brake: 3 of 5 replicas turned to error");
    }
    world.pass().deletes(&["a", "b", "c", "f"]).creates(3);
}

#[test]
fn finished_and_stuck_replicas_go_nevertheless() {
    let mut world = five();
    world.policy.minimum = 0;
    world.put(["a", "b", "c"].map(broken)).put([finished("d"), building("f").aged(OLD)]);
    world.pass().deletes(&["d", "f"]);
}

#[test]
fn errors_that_answer_count_as_they_did() {
    let mut world = five();
    world.put(["a", "b", "c"].map(|id| healthy(id, 1).in_error()));
    world.passes(10).plans("");
    assert!(world.plan.brakes.is_empty(), "over after three passes: {:?}", world.plan.brakes);
}

#[test]
fn builds_that_fail_are_a_matter_of_back_off_and_batch_limit() {
    let mut world = world([]).with(|policy| policy.minimum = 5);
    world.pass().fail(&["n1", "n2", "n3", "n4", "n5"]);
    world.pass().deletes(&["n1", "n2", "n3", "n4", "n5"]);
    assert!(world.plan.brakes.is_empty(), "{:?}", world.plan.brakes);
}

#[test]
fn what_vanished_does_not_hide_that_the_rest_turned_to_error() {
    let mut world = five();
    world.put([healthy("f", 0)]).pass();
    world.take(&["a", "b", "c"]).put(["d", "e", "f"].map(broken));
    world.plans("").says(Loudness::Error, "3 of 3 replicas turned to error");
}

#[test]
fn no_silent_replica_is_replaced_meanwhile() {
    let mut world = five();
    world.policy.minimum = 0;
    world.policy.replace_silent_after = Some(std::time::Duration::from_secs(60));
    world.put([silent("f"), healthy("g", 0).aged(700)]).passes(1).take(&["a", "b", "c", "d"]);
    world.plans("").plans("").plans("").plans("delete f (f): silent for 240 s: refused");
}

#[test]
fn a_start_knows_nobody_who_could_vanish() {
    world([unbuilt("a"), unbuilt("b"), unbuilt("c")]).pass().deletes(&["a", "b", "c"]);
}

/// Passes a few seconds apart see them go two by two.
#[test]
fn many_that_go_in_the_sight_of_early_passes_are_many() {
    let pairs = [["a", "b"], ["c", "d"]];
    let mut world = five();
    for pair in pairs {
        world.elapsed -= 50;
        world.take(&pair).pass();
    }
    world.says(Loudness::Error, "brake: 4 of 5 replicas vanished from the list");
    let mut world = five();
    for pair in pairs {
        world.elapsed -= 50;
        world.put(pair.map(broken)).pass();
    }
    world.says(Loudness::Error, "brake: 4 of 5 replicas turned to error");
    world.passes(3);
    assert!(world.memory.loss.is_some());
    world.pass();
    assert!(world.memory.loss.is_none(), "the next three intervals use it up");
}
