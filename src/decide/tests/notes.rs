//! What people are told besides the steps.

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{Creates, world};
use crate::error::ErrorKind;
use crate::plan::Loudness;

const SECOND: &str = "does a second scaler run on this pool?";

#[test]
fn a_quiet_pool_says_nothing() {
    let mut world = world([healthy("a", 1), building("b"), starting("c"), finished("d")]);
    world.pass();
    assert_eq!(world.plan.notes, []);
}

#[test]
fn a_batch_that_is_not_ours_and_younger_than_our_start_means_a_second_daemon() {
    let mut world = world([healthy("a", 1), healthy("b", 1).of_batch("other-1")]);
    world.pass().does_not_say(SECOND);
    let mut late = starting("c").of_batch("other-2");
    late.server.created = start() + std::time::Duration::from_secs(30);
    world.put([late]).pass().says(Loudness::Warning, SECOND);
}

/// The Python daemon leaves no batch mark.
#[test]
fn a_replica_without_a_batch_mark_and_younger_than_our_start_means_the_same() {
    let mut world = world([]);
    let mut late = starting("c");
    late.server.created = start() + std::time::Duration::from_secs(30);
    world.pass().put([late]).pass().says(Loudness::Warning, SECOND);
}

#[test]
fn our_own_batches_are_no_second_daemon() {
    let mut world = world([]).with(|policy| policy.minimum = 2);
    world.passes(3).does_not_say(SECOND);
    world.restart().passes(3).does_not_say(SECOND);
}

#[test]
fn a_note_keeps_its_key_while_it_lasts_whatever_numbers_it_holds() {
    let mut world = world([silent("a"), stopped("b"), healthy("z", 0)]);
    world.policy.minimum = 1;
    world.creates = Creates::None(ErrorKind::Refused(400));
    world.passes(9);
    let keys = |world: &mut crate::decide::tests::world::World| {
        world.plan.notes.iter().map(|note| note.key.clone()).collect::<Vec<_>>()
    };
    let before = keys(&mut world);
    assert!(before.iter().any(|key| key.starts_with("held-back:")), "{before:?}");
    world.pass();
    assert_eq!(keys(&mut world), before);
}

#[test]
fn what_holds_creation_back_is_said() {
    let mut world = world([healthy("a", 0)]).with(|policy| {
        policy.minimum = 2;
        policy.max = Some(2);
    });
    world.pass().creates(1);
    world.says(
        Loudness::Warning,
        "creating fewer replicas than are missing: REPLICA_MAX 2: there are 1 replicas",
    );
}

#[test]
fn why_a_replica_is_left_alone_is_said() {
    let mut world = world([silent("a").with_task("rebooting"), stopped("b"), healthy("z", 1)]);
    world.pass();
    world.says(Loudness::Standing, "a (a) is left alone: rebooting; refused");
    world.says(Loudness::Standing, "b (b) is stopped: left alone, counted against REPLICA_MAX");
}

#[test]
fn one_as_old_as_our_start_is_no_second_daemon() {
    let mut world = world([starting("a").aged(0)]);
    world.passes(2).does_not_say(SECOND);
}
