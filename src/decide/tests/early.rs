//! Passes that the watch begins early, because the holder of an address no longer answers.

use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{World, world};
use crate::model::ServerId;
use crate::plan::Loudness;

const ONE: &str = "192.0.2.1";
const TWO: &str = "192.0.2.2";

/// Five that answer, each with one unit free, and five are wanted; a and b hold an address.
fn five() -> World {
    let mut world = world(["a", "b", "c", "d", "e"].map(|id| healthy(id, 1)))
        .with(|policy| policy.minimum = 5)
        .with_addresses(&[(ONE, "a"), (TWO, "b")]);
    world.plans("");
    world
}

#[test]
fn the_lost_ones_address_moves_at_once_and_nothing_else_happens() {
    let mut world = five();
    world.put([silent("a")]);
    world.early_pass(3, &["a"]).holders("192.0.2.1 c, 192.0.2.2 b");
    assert_eq!(world.plan.to_string(), "move 192.0.2.1 to c (c): a is silent\n");
}

#[test]
fn the_lost_are_believed_to_be_silent_without_being_asked() {
    let mut world = five();
    world.early_pass(3, &["a"]).holders("192.0.2.1 c, 192.0.2.2 b");
    world.judged("a silent 1, b healthy 1, c healthy 1, d healthy 1, e healthy 1");
    world.plans("").judged("a healthy 1, b healthy 1, c healthy 1, d healthy 1, e healthy 1");
}

#[test]
fn one_failed_question_neither_takes_an_address_nor_lets_one_be_had() {
    let mut world = five();
    world.put(["f", "g"].map(|id| healthy(id, 1))).pass().put(["a", "b", "c"].map(silent));
    world.early_pass(3, &["a"]).holders("192.0.2.1 d, 192.0.2.2 b");
    world.judged(
        "a silent 1, b healthy 1, c healthy 1, d healthy 1, e healthy 1, f healthy 1, g healthy 1",
    );
}

#[test]
fn who_was_silent_in_the_last_pass_is_not_asked_and_stays_so() {
    let mut world = five();
    world.put([silent("e")]).pass().put([healthy("e", 1), silent("a")]);
    world
        .early_pass(3, &["a"])
        .judged("a silent 1, b healthy 1, c healthy 1, d healthy 1, e silent 1");
    world.holders("192.0.2.1 c, 192.0.2.2 b");
    world
        .early_pass(4, &["b"])
        .judged("a silent 1, b silent 1, c healthy 1, d healthy 1, e silent 1");
}

#[test]
fn who_takes_his_time_over_a_question_is_not_asked_another_one() {
    let mut world = five();
    world.put([silent("b")]).watched.pending.insert(ServerId::new("b"));
    world.early_pass(3, &["a"]).holders("192.0.2.1 c, 192.0.2.2 b");
    let why = &world.plan.replicas[1].why;
    assert_eq!(why, "not asked in this pass");
}

#[test]
fn who_answered_the_watch_since_is_asked() {
    let mut world = five();
    world.put([silent("a")]).pass().put([healthy("a", 1)]);
    let since = Duration::from_secs(world.elapsed - 30);
    world.watched.last_answers.insert(ServerId::new("a"), since);
    world
        .early_pass(40, &["b"])
        .judged("a healthy 1, b silent 1, c healthy 1, d healthy 1, e healthy 1");
}

#[test]
fn one_that_is_rebooted_and_silent_stays_parked() {
    let mut world = five();
    world.put([silent("e").with_task("rebooting")]).pass();
    world
        .early_pass(3, &["a"])
        .judged("a silent 1, b healthy 1, c healthy 1, d healthy 1, e parked 0, n1 creating 1");
}

#[test]
fn most_lost_at_once_are_the_brake_and_no_address_moves() {
    let mut world = five();
    world.put(["a", "b", "c"].map(silent));
    world.early_pass(3, &["a", "b", "c"]).holders("192.0.2.1 a, 192.0.2.2 b");
    world.says(Loudness::Error, "brake: 3 of 5 replicas");
}

#[test]
fn those_that_fail_the_one_question_count_for_the_brake() {
    let mut world = five();
    world.put(["a", "c", "d"].map(silent));
    world.early_pass(3, &["a"]).holders("192.0.2.1 a, 192.0.2.2 b");
    world.says(Loudness::Error, "brake: 3 of 5 replicas");
    // A moment later all are back.
    world.put(["a", "c", "d"].map(|id| healthy(id, 1))).plans("");
    assert_eq!(world.plan.brakes, Vec::<String>::new());
}

#[test]
fn those_lost_one_after_the_other_are_many_too() {
    let mut world = five();
    world.put([silent("a")]).early_pass(3, &["a"]).holders("192.0.2.1 c, 192.0.2.2 b");
    world.put([silent("b")]).early_pass(4, &["b"]).holders("192.0.2.1 c, 192.0.2.2 d");
    world.put([silent("c")]).early_pass(5, &["c"]).holders("192.0.2.1 c, 192.0.2.2 d");
    world.says(Loudness::Error, "brake: 3 of 5 replicas");
}

#[test]
fn an_early_pass_is_no_intervals_pass_even_just_before_the_next_one() {
    let mut world = five();
    world.put([silent("a")]).early_pass(57, &["a"]).creates(0);
    // The first silent pass counts its last capacity.
    world.pass().creates(0);
    world.pass().creates(1);
}
