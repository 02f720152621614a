//! The pause before the next creation.

use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{Creates, World, world};
use crate::error::ErrorKind;

fn refusing(kind: ErrorKind) -> World {
    let mut world = world([healthy("z", 0)]).with(|policy| policy.minimum = 1);
    world.creates = Creates::None(kind);
    world
}

/// In which of so many passes something is asked for, counted from 0.
fn tries(world: &mut World, passes: u64) -> Vec<u64> {
    (0..passes).filter(|_| world.pass().plan.creation.is_some()).collect()
}

#[test]
fn each_failed_creation_doubles_the_pause_up_to_30_minutes() {
    let mut world = refusing(ErrorKind::Refused(400));
    assert_eq!(
        tries(&mut world, 130),
        [0, 1, 3, 7, 15, 31, 61, 91, 121],
        "1, 2, 4, 8, 16, 30 … intervals"
    );
    world.held_back("creation paused");
}

#[test]
fn a_used_up_quota_pauses_for_5_minutes_at_most() {
    let mut world = refusing(ErrorKind::Quota);
    assert_eq!(tries(&mut world, 25), [0, 1, 3, 7, 12, 17, 22], "1, 2, 4, 5, 5 … intervals");
}

#[test]
fn a_quotas_pause_is_over_when_a_replica_is_gone() {
    let mut world = refusing(ErrorKind::Quota);
    world.put([healthy("a", 0)]).passes(9).creates(0);
    world.take(&["a"]).pass().creates(1);
    // Others last.
    let mut world = refusing(ErrorKind::Refused(400));
    world.put([healthy("a", 0)]).passes(9).creates(0);
    world.take(&["a"]).pass().creates(0);
}

#[test]
fn one_that_has_been_missing_for_a_while_is_no_news() {
    let mut world = refusing(ErrorKind::Quota);
    world.put([healthy("a", 0)]).passes(8).take(&["a"]).pass().creates(1);
    world.pass().creates(1).pass().creates(0);
}

#[test]
fn a_retry_after_is_honoured_but_not_for_days() {
    let after =
        |seconds| ErrorKind::RateLimited { retry_after: Some(Duration::from_secs(seconds)) };
    assert_eq!(tries(&mut refusing(after(300)), 12), [0, 5, 10]);
    assert_eq!(tries(&mut refusing(after(1)), 4), [0, 1, 3]);
    assert_eq!(tries(&mut refusing(after(u64::MAX)), 70), [0, 60]);
}

#[test]
fn an_unclear_creation_adds_one_step() {
    let mut world = refusing(ErrorKind::Unclear);
    world.pass().creates(1);
    assert_eq!(world.memory.back_off.step, 1);
    world.passes(2);
    assert_eq!(world.memory.back_off.step, 1, "one step for one creation");
}

#[test]
fn a_build_that_fails_pauses_creation() {
    let mut world = world([healthy("z", 0)]).with(|policy| policy.minimum = 1);
    world.pass().creates(1).fail(&["n1"]);
    world.pass().deletes(&["n1"]).creates(0).held_back("n1 failed: in error, never launched");
    world.pass().creates(1).fail(&["n2"]);
    world.pass().creates(0).pass().creates(0).pass().creates(1);
}

#[test]
fn a_new_replica_that_never_answers_within_its_grace_pauses_creation() {
    let mut world = world([starting("a").aged(580), healthy("z", 0)]);
    world.policy.minimum = 1;
    world.plans("");
    world.pass().creates(0).held_back("a never answered within its boot grace");
    world.pass().creates(1);
}

#[test]
fn a_new_replica_in_error_is_one_failure_not_two() {
    let mut world = world([starting("a"), healthy("z", 0)]);
    world.pass().put([starting("a").in_error()]).pass().pass();
    world.deletes(&["a"]);
    assert_eq!(world.memory.back_off.step, 1, "{:?}", world.memory.back_off);
}

#[test]
fn one_step_a_pass_however_many_failed() {
    let mut world = world([]).with(|policy| policy.minimum = 8);
    world.pass().fail(&["n1", "n2", "n3", "n4"]).pass();
    assert_eq!(world.memory.back_off.step, 1);
    world.fail(&["n5", "n6"]).pass();
    assert_eq!(world.memory.back_off.step, 2);
}

#[test]
fn a_failed_replica_that_cannot_be_deleted_is_one_failure() {
    let mut world = world([healthy("z", 0)]).with(|policy| policy.minimum = 1);
    world.delete_fails.insert("n1".into());
    world.pass().fail(&["n1"]).pass().creates(0).pass().creates(1);
}

#[test]
fn one_that_answered_before_is_no_failed_creation() {
    let mut world = world([healthy("a", 1), healthy("z", 0)]).with(|policy| policy.minimum = 1);
    world.pass().put([silent("a")]).pass().pass().creates(1);
    world.put([broken("a")]).passes(2);
    assert_eq!(world.memory.back_off.step, 0);
}

#[test]
fn the_first_answer_of_a_new_replica_clears_the_pause() {
    let mut world = world([starting("a"), healthy("z", 0)]).with(|policy| policy.minimum = 2);
    world.creates = Creates::None(ErrorKind::Refused(400));
    world.passes(8).creates(1).pass().creates(0);
    world.boot(&["a"], 0).pass().creates(2);
}

#[test]
fn the_first_answer_wins_over_a_failure_of_the_same_pass() {
    let mut world = world([healthy("z", 0)]).with(|policy| policy.minimum = 3);
    world.pass().creates(3).fail(&["n1"]).boot(&["n2"], 0);
    world.pass().creates(1);
    assert_eq!(world.memory.back_off.step, 0);
}

#[test]
fn a_later_answer_clears_nothing() {
    let mut world = world([healthy("a", 0)]).with(|policy| policy.minimum = 1);
    world.creates = Creates::None(ErrorKind::Refused(400));
    world.passes(8).put([silent("a")]).pass().put([healthy("a", 0)]).pass().creates(0);
}

#[test]
fn one_that_was_missing_from_the_list_is_not_new() {
    let mut world = world([healthy("a", 0), healthy("b", 0)]).with(|policy| policy.minimum = 1);
    world.creates = Creates::None(ErrorKind::Refused(400));
    world.passes(8);
    world.unlisted.insert("a".into());
    world.pass().unlisted.clear();
    world.pass().creates(0);
    assert!(world.memory.back_off.step > 0);
}

#[test]
fn a_pass_that_begins_a_little_early_is_still_the_next_one() {
    let mut world = refusing(ErrorKind::Refused(400));
    world.pass().creates(1);
    world.elapsed -= 2;
    world.pass().creates(1);
}

#[test]
fn a_twentieth_of_an_interval_is_a_little() {
    let mut world = refusing(ErrorKind::Refused(400));
    world.pass().creates(1);
    world.elapsed -= 3;
    world.pass().creates(1);
}

#[test]
fn a_new_replica_that_gets_no_address_in_time_pauses_creation() {
    let mut world = world([healthy("z", 0)]);
    world.pass().put([starting("a").nowhere()]).pass().judged("a creating 1, z healthy 0");
    world.policy.minimum = 1;
    world.later(900).pass().creates(0).held_back("a has no address");
}

#[test]
fn one_that_had_no_address_when_it_was_first_seen_is_no_failed_creation() {
    let mut world = world([healthy("z", 0)]);
    world.pass().put([silent("a").nowhere()]).pass().judged("a unreachable 0, z healthy 0");
    assert_eq!(world.memory.back_off.step, 0);
}
