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
fn the_brake_of_a_start_holds() {
    let mut world = once(["a", "b", "c"].map(silent)).with(|policy| policy.minimum = 3);
    world.plans("").says(Loudness::Error, "brake: 3 of 3 replicas that should answer are silent");
    // Nor is silence evidence against one in error then.
    once([silent("a"), broken("b")]).plans("");
}

#[test]
fn a_second_run_changes_nothing_while_the_first_ones_replicas_boot() {
    let mut world = once([]).with(|policy| policy.minimum = 3);
    world.pass().creates(3);
    world.restart().plans("");
}
