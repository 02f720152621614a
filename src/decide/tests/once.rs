//! `--once`: one pass with no memory.

use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{World, world};
use crate::plan::Loudness;

fn once(vms: impl IntoIterator<Item = Vm>) -> World {
    world(vms).with(|policy| policy.once = true)
}

#[test]
fn an_error_that_ran_and_is_silent_is_failed_at_once() {
    once([broken("a"), healthy("z", 0)]).plans("delete a (a): in error and silent: refused");
}

#[test]
fn a_stopped_replica_goes_at_once_where_the_operator_opted_in() {
    let mut opted_in = once([stopped("a")]).with(|policy| policy.delete_stopped = true);
    opted_in.plans("delete a (a): stopped, and REPLICA_DELETE_STOPPED is on");
    once([stopped("a")]).plans("");
}

#[test]
fn a_failed_build_does_not_pause_creation() {
    let mut world = once([unbuilt("a")]).with(|policy| policy.minimum = 1);
    world.plans(
        "delete a (a): in error, never launched
         create 1 replica: free 0; wanted 1; short 1 → 1 replica of 1",
    );
}

#[test]
fn silent_replicas_are_never_replaced() {
    let mut world = once([silent("a"), healthy("z", 0)]);
    world.policy.replace_silent_after = Some(Duration::ZERO);
    world.plans("");
}

#[test]
fn no_brake_holds_what_nothing_could_release() {
    for dead in [&["a"][..], &["a", "b"], &["a", "b", "c"]] {
        let mut world = once(dead.iter().map(|id| silent(id)));
        world.policy.minimum = dead.len() as u64;
        world.pass().creates(dead.len() as u64).does_not_say("brake");
        world.says(Loudness::Warning, "is silent");
    }
}

#[test]
fn an_address_leaves_a_dead_holder_however_many_are_dead() {
    let mut world = once([silent("a"), silent("b"), silent("c"), healthy("d", 1)])
        .with_addresses(&[("192.0.2.1", "a")]);
    world.plans("move 192.0.2.1 to d (d): a is silent");
}

/// The scaler's own network may be away for a second.
#[test]
fn an_error_that_is_silent_stays_while_nobody_answers() {
    once([silent("a"), broken("b"), broken("c")]).plans("");
}

#[test]
fn a_second_run_changes_nothing_while_the_first_ones_replicas_boot() {
    let mut world = once([]).with(|policy| policy.minimum = 3);
    world.pass().creates(3);
    world.restart().plans("");
}
