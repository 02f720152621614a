//! How a plan is carried out: what has changed since it was made is left alone, and no kind of step keeps the others
//! waiting.

use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{Creates, World, world};
use crate::error::ErrorKind;
use crate::model::{Condition, ExternalAddress, ServerId};

/// The VM turns into this between the look and the deed.
#[track_caller]
fn check(before: Vm, after: Option<Vm>, expected: &str) {
    let mut world = world([before]);
    world.policy.delete_stopped = true;
    world.policy.once = true;
    let there = after.is_some();
    world.meanwhile = Some(Box::new(move |world: &mut World| {
        world.take(&["a"]).put(after);
    }));
    world.pass();
    assert_eq!(world.results(), [format!("delete a: {expected}")]);
    assert_eq!(world.vms.contains_key("a"), there && !expected.starts_with("done"));
    let counted = !world.outcome.deleted.is_empty();
    assert_eq!(counted, expected == "done", "a dropped deletion is none");
    assert!(world.outcome.not_deleted.is_empty() && !world.outcome.failed(), "nor a failed one");
}

fn marked(mark: Option<&str>) -> Vm {
    let mut vm = finished("a");
    vm.server.mark = mark.map(Into::into);
    vm
}

#[test]
fn what_has_changed_since_the_plan_was_made_is_not_deleted() {
    check(finished("a"), Some(finished("a")), "done");
    check(finished("a"), Some(finished("a").floating("203.0.113.9")), "done");
    check(finished("a"), None, "done");
    let unmarked = "dropped: it no longer carries the pool's mark";
    check(finished("a"), Some(marked(None)), unmarked);
    check(finished("a"), Some(marked(Some("other"))), unmarked);
    check(finished("a"), Some(finished("a").locked()), "dropped: it is locked now");
    let stopped_now = Some(stopped("a"));
    check(finished("a"), stopped_now, "dropped: it was active and is now stopped");
    let task = "dropped: it was active and is now active (rebuilding)";
    check(finished("a"), Some(finished("a").with_task("rebuilding")), task);
    check(stopped("a"), Some(healthy("a", 1)), "dropped: it was stopped and is now active");
    check(unbuilt("a"), Some(healthy("a", 1)), "dropped: it was error and is now active");
    let built = "dropped: it was building and is now active";
    check(building("a").aged(OLD), Some(healthy("a", 1)), built);
    // The condition is the same, the task is not.
    let rebuilt = unbuilt("a").in_condition(Condition::Error, "error (rebuilding)");
    check(unbuilt("a"), Some(rebuilt), "dropped: it was error and is now error (rebuilding)");
}

#[test]
fn one_that_is_stuck_deleting_and_was_restored_stays() {
    let restored = Some(healthy("a", 1));
    check(deleting("a").updated(700), Some(deleting("a")), "done");
    let dropped = "dropped: it was active (deleting) and is now active";
    check(deleting("a").updated(700), restored, dropped);
}

#[test]
fn one_that_cannot_be_looked_at_is_a_failed_deletion_and_goes_after_the_others() {
    let mut world = world([finished("a"), finished("b")]);
    world.look_fails.insert("a".into());
    world.pass();
    let failed = "delete a: failed: cannot look at it again first: status 500";
    assert_eq!(world.results(), [failed, "delete b: done"]);
    assert_eq!(world.outcome.not_deleted, [ServerId::new("a")]);
    world.put([finished("c")]).pass().deletes(&["c", "a"]);
}

/// A world in which `a` goes for its silence.
fn condemned() -> World {
    let mut world = world([silent("a"), healthy("z", 0)]);
    let seen = world.observe();
    (world.plan, _) = crate::decide::decide(&world.policy, &seen, &world.memory);
    let server = &world.vms["a"].server;
    world.plan.deletions.push(crate::plan::Deletion {
        server: server.id.clone(),
        name: server.name.to_string(),
        reason: crate::plan::DeletionReason::Silent,
        why: "silent".into(),
        condition: server.condition.clone(),
        words: server.words.clone(),
        ask: Some(server.fixed[0].address),
        only_after: Vec::new(),
    });
    world
}

#[track_caller]
fn check_condemned(now: Vm, expected: &str) {
    let mut world = condemned();
    world.put([now]);
    let plan = world.plan.clone();
    world.outcome = world.act(&plan, 0, &crate::progress::Stop::new());
    assert_eq!(world.results(), [format!("delete a: {expected}")]);
}

#[test]
fn one_that_goes_for_its_silence_is_asked_once_more() {
    check_condemned(silent("a"), "done");
    check_condemned(finished("a"), "done");
    check_condemned(healthy("a", 0), "dropped: it answers again");
    let moved = silent("a").nowhere().at(NETWORK, "10.0.0.9");
    check_condemned(moved, "dropped: it no longer has 10.0.0.97");
    let unasked = "failed: cannot look at it again first: it could not be asked: this machine is short of file \
                   descriptors or memory, or the program is stopping";
    check_condemned(silent("a").unasked(), unasked);
}

/// So many addresses on dead VMs, a spare for each, and every move takes so long.
fn slow_moves(count: u8, seconds: u64) -> World {
    let mut world = world([]);
    world.bind_takes = seconds;
    let mut addresses = Vec::new();
    for number in 1..=count {
        let (dead, spare) = (format!("dead{number:02}"), format!("spare{number:02}"));
        let on = |vm: Vm, last: u8| vm.nowhere().at(NETWORK, &format!("10.0.{number}.{last}"));
        world.put([on(stopped(&dead), 1), on(healthy(&spare, 0), 2)]);
        addresses.push((format!("192.0.2.{number}"), dead));
    }
    let addresses: Vec<(&str, &str)> =
        addresses.iter().map(|(address, holder)| (address.as_str(), holder.as_str())).collect();
    world.with_addresses(&addresses)
}

#[test]
fn a_vm_that_is_repaired_while_moves_hang_is_not_deleted() {
    let mut world = slow_moves(10, 60);
    for number in 1..=10 {
        for spare in 1..=10 {
            let pair = (format!("192.0.2.{number}"), format!("spare{spare:02}"));
            world.bind_fails.insert(pair, ErrorKind::Unclear);
        }
    }
    world.put([broken("x"), broken("y")]);
    // In error twice before it goes.
    world.pass();
    world.meanwhile = Some(Box::new(|world: &mut World| {
        world.put([healthy("x", 1)]);
    }));
    world.pass().deletes(&["x", "y"]);
    assert!(world.vms.contains_key("x"), "{:?}", world.results());
    assert!(!world.vms.contains_key("y"), "{:?}", world.results());
    assert!(world.spent.get() <= 60, "one move had its turn: {:?}", world.results());
}

#[test]
fn slow_moves_do_not_hold_up_deletions_and_creation() {
    let mut world = slow_moves(30, 60);
    world.policy.minimum = 1;
    world.put([finished("x")]);
    world.pass().creates(1).deletes(&["x"]);
    assert_eq!(world.spent.get(), 60, "one move, then the others' turn");
    assert!(!world.vms.contains_key("x") && world.vms.contains_key("n1"));
    let left = "a third of APP_INTERVAL is used up; the next pass carries on";
    let left = world.results().iter().filter(|result| result.ends_with(left)).count();
    assert_eq!(left, 29);
    // Each pass goes on where the last one ended.
    world.passes(29);
    let moved = world
        .addresses
        .iter()
        .filter(|one| one.holder.as_ref().unwrap().as_str().contains("spare"));
    assert_eq!(moved.count(), 30);
}

#[test]
fn moves_have_a_third_of_the_interval() {
    let mut world = slow_moves(10, 7);
    world.pass();
    assert_eq!(world.outcome.moved.len(), 3, "{:?}", world.results());
    world.policy.interval = Duration::from_secs(120);
    world.pass();
    assert_eq!(world.outcome.moved.len(), 6, "{:?}", world.results());
}

#[test]
fn a_pair_that_is_refused_slowly_gives_way_to_the_next_pass() {
    let mut world = slow_moves(3, 30);
    for spare in 1..=3 {
        let pair = ("192.0.2.1".to_owned(), format!("spare{spare:02}"));
        world.bind_fails.insert(pair, ErrorKind::Refused(409));
    }
    world.pass();
    assert_eq!(world.spent.get(), 30, "{:?}", world.results());
}

#[test]
fn what_a_cloud_makes_without_its_marks_is_deleted_again() {
    let mut world = world([]).with(|policy| (policy.minimum, policy.once) = (3, true));
    world.creates = Creates::Bare;
    for _ in 0..10 {
        world.pass().creates(3);
        assert!(world.vms.is_empty(), "{:?}", world.results());
        let creation = world.outcome.creation.clone().unwrap();
        let error = creation.result.unwrap_err();
        assert_eq!((error.kind, creation.left), (ErrorKind::Invalid, None));
        let words = "made them without their metadata (group=scaler, simplescalevm-batch=me-1)";
        assert!(error.text.contains(words), "{error}");
        assert!(error.text.contains("3 of 3 are deleted again"), "{error}");
        world.restart().memory.instance = "me".into();
    }
}

#[test]
fn what_it_cannot_delete_again_is_told_and_named() {
    let mut world = world([]).with(|policy| policy.minimum = 3);
    world.creates = Creates::Bare;
    world.delete_fails.extend(["n1".into(), "n3".into()]);
    // Somebody else's, of a name that is nearly the same.
    let mut other = silent("other");
    (other.server.name, other.server.mark) = ("vm-me-1-x".into(), None);
    world.put([other]);
    world.pass();
    let creation = world.outcome.creation.clone().unwrap();
    assert_eq!(creation.left, Some(ServerId::new("n1")));
    let error = creation.result.unwrap_err();
    assert!(error.text.contains("1 of 3 are deleted again"), "{error}");
    assert!(
        error
            .text
            .ends_with("delete the servers named vm-me-1 yourself: cannot delete n1: status 500"),
        "{error}"
    );
    assert_eq!(world.vms.keys().collect::<Vec<_>>(), ["n1", "n3", "other"]);
}

#[test]
fn what_cannot_be_looked_at_when_it_is_made_is_followed_as_ever() {
    let mut world = world([]).with(|policy| policy.minimum = 3);
    world.look_fails.insert("n1".into());
    world.pass().creates(3).plans("");
    assert!(world.outcome.creation.is_none());
    assert_eq!(world.vms.len(), 3);
}

#[test]
fn a_move_that_always_fails_slowly_keeps_no_other_address_waiting() {
    let mut world = slow_moves(3, 60);
    for id in world.vms.keys().cloned().collect::<Vec<_>>() {
        world.bind_fails.insert(("192.0.2.1".into(), id), ErrorKind::Unclear);
    }
    world.passes(3);
    let served = |one: &&ExternalAddress| one.holder.as_ref().unwrap().as_str().contains("spare");
    let held = |world: &World| world.addresses.iter().filter(served).count();
    assert_eq!(held(&world), 2, "{:?}", world.results());
    world.bind_fails.clear();
    world.pass();
    assert_eq!(held(&world), 3);
    assert!(world.memory.move_failures.is_empty(), "{:?}", world.memory.move_failures);
}
