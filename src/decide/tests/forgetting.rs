//! Memory has an end: what is over is forgotten.

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::world;
use crate::error::ErrorKind;

#[test]
fn a_replica_that_is_gone_is_remembered_for_three_intervals() {
    let mut world = world([healthy("a", 1), healthy("b", 1), healthy("c", 1)]);
    world.pass().take(&["a"]).passes(3);
    assert_eq!(world.memory.replicas.len(), 3);
    world.pass();
    assert_eq!(world.memory.replicas.len(), 2);
}

#[test]
fn a_pair_that_was_refused_is_remembered_for_ten_intervals() {
    let mut world = world([healthy("a", 1)]).with_addresses(&[("192.0.2.1", "")]);
    world.bind_fails.insert(("192.0.2.1".into(), "a".into()), ErrorKind::Refused(409));
    world.pass().take(&["a"]).passes(11);
    assert!(world.memory.refused.is_empty(), "{:?}", world.memory.refused);
}

#[test]
fn early_passes_do_not_make_it_forget_sooner() {
    let mut world = world([healthy("a", 1), healthy("b", 1), healthy("c", 1)]);
    world.pass().take(&["a"]);
    for _ in 0..50 {
        world.pass().elapsed -= 59;
    }
    assert_eq!(world.memory.replicas.len(), 3);
}

#[test]
fn a_deletion_that_is_accepted_ends_the_count_of_failed_ones() {
    let mut world = world([finished("a"), healthy("z", 0)]);
    world.delete_fails.insert("a".into());
    world.passes(3);
    let failures = |world: &crate::decide::tests::world::World| {
        world.memory.replicas.values().map(|one| one.delete_failures).max()
    };
    assert_eq!(failures(&world), Some(3));
    world.delete_fails.clear();
    world.pass();
    assert_eq!(failures(&world), Some(0));
}

#[test]
fn batches_that_were_followed_to_their_end_are_forgotten() {
    let mut world = world([]).with(|policy| policy.minimum = 2);
    world.pass().creates(2).boot(&["n1", "n2"], 1).passes(2);
    assert!(world.memory.batches.is_empty(), "{:?}", world.memory.batches);
}
