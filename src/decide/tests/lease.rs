//! Of several scalers one acts: what the lease does not allow is left, and has not failed.

use super::pictures::{finished, healthy};
use super::world::{World, world};
use crate::outcome::StepResult;
use crate::plan::StepKind;

/// A pool in which there is something of each kind to do.
fn busy() -> World {
    let world = world([finished("a"), finished("b"), healthy("c", 0)]);
    world.with(|policy| policy.minimum = 2).with_addresses(&[("192.0.2.1", "")])
}

#[test]
fn without_the_lease_nothing_is_done_and_nothing_has_failed() {
    let mut world = busy();
    world.permits = |_, _| false;
    world.pass();
    assert_eq!(world.outcome.steps.len(), 4);
    for step in &world.outcome.steps {
        assert_eq!(step.result, StepResult::NotTried("the lease is over".into()), "{}", step.step);
    }
    assert!(!world.outcome.failed());
    assert_eq!((world.vms.len(), world.memory.back_off.step), (3, 0));
    assert!(world.outcome.not_moved.is_empty() && world.outcome.not_deleted.is_empty());
    world.holders("192.0.2.1 -");
}

#[test]
fn a_lease_that_ends_in_the_middle_of_a_pass_ends_the_pass() {
    let mut world = busy();
    // The move, and the first deletion with the question just before it is sent.
    world.permits = |_, before| before < 3;
    world.pass();
    let done: Vec<bool> =
        world.outcome.steps.iter().map(|step| step.result == StepResult::Done).collect();
    assert_eq!(done, [true, true, false, false], "{:?}", world.outcome.steps);
    world.permits = |_, _| true;
    world.pass();
    assert!(!world.vms.contains_key("b"), "what was left is done by the next pass");
}

#[test]
fn a_lease_that_ends_while_a_vm_is_looked_at_leaves_it() {
    let mut world = world([finished("a")]);
    world.permits = |_, before| before < 1;
    world.pass();
    assert_eq!(world.results(), ["delete a: not tried: the lease is over"]);
    assert_eq!(world.vms.len(), 1);
}

#[test]
fn creations_wait_after_a_takeover_and_nothing_else_does() {
    let mut world = busy();
    world.permits = |kind, _| kind != StepKind::Create;
    world.pass().pass().pass();
    assert_eq!(world.vms.keys().collect::<Vec<_>>(), ["c"]);
    world.holders("192.0.2.1 c");
    assert_eq!(world.memory.back_off.step, 0, "to wait is no failure");
    world.permits = |_, _| true;
    world.pass();
    assert_eq!(world.vms.len(), 3, "{:?}", world.results());
}
