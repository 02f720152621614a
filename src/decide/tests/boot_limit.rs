//! An image whose service never starts must not fill the cloud.

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{Creates, World, world};
use crate::error::ErrorKind;
use crate::plan::Loudness;

/// Two units missing at all times, and an old replica that answers: the limit is 3 × 2 + 3 = 9.
fn wanting_two(vms: impl IntoIterator<Item = Vm>) -> World {
    let mut world = world(vms).with(|policy| policy.minimum = 2);
    world.put([healthy("z", 0)]);
    world.makes = silent;
    world
}

/// Half an hour apart, so that no pause and no grace outlives one.
fn many_passes(world: &mut World) {
    for _ in 0..40 {
        world.later(1800).pass();
    }
}

#[test]
fn creation_stops_as_an_error_when_as_many_as_the_limit_never_answered() {
    let mut world = wanting_two([]);
    many_passes(&mut world);
    assert_eq!(world.vms.len(), 9 + 1, "nine that never answered, and z\n{}", world.plan);
    world.creates(0).held_back("boot limit 9: 9 replicas never answered");
    world.says(Loudness::Error, "creation stopped: 9 replicas never answered (limit 9)");
    world.does_not_say("fewer replicas than are missing");
}

#[test]
fn a_first_valid_answer_releases_it() {
    let mut world = wanting_two([]);
    many_passes(&mut world);
    world.boot(&["n4"], 0).pass();
    world.creates(1).does_not_say("creation stopped");
}

#[test]
fn an_operators_deletion_releases_it() {
    let mut world = wanting_two([]);
    many_passes(&mut world);
    world.take(&["n4"]).pass();
    world.creates(1).does_not_say("creation stopped");
}

#[test]
fn those_that_answered_once_do_not_count() {
    let mut world = wanting_two((b'a'..=b'p').map(|id| healthy(&char::from(id).to_string(), 0)));
    world.pass().creates(2);
    world.put((b'a'..=b'g').map(|id| silent(&char::from(id).to_string()))).boot(&["n1", "n2"], 0);
    world.pass().creates(2).does_not_say("creation stopped");
}

#[test]
fn what_is_not_listed_yet_counts() {
    let mut world =
        wanting_two((b'a'..=b'h').map(|id| silent(&char::from(id).to_string()).aged(30)));
    world.creates = Creates::None(ErrorKind::Unclear);
    world.pass().later(3600).pass().later(3600);
    world.pass().creates(1).held_back("boot limit 9: 8 replicas never answered");
    world.later(3600).pass().creates(0).held_back("boot limit 9: 9 replicas never answered");
}

/// They cannot be deleted, so they would pile up without end.
#[test]
fn failed_ones_that_stay_count() {
    let mut world = wanting_two([]);
    world.makes = building;
    for _ in 0..40 {
        let made: Vec<String> = world.vms.keys().filter(|id| *id != "z").cloned().collect();
        world.delete_fails.extend(made.iter().cloned());
        world.fail(&made.iter().map(String::as_str).collect::<Vec<_>>());
        world.later(1800).pass();
    }
    assert_eq!(world.vms.len(), 9 + 1, "the pool stops growing\n{}", world.plan);
}

/// Whether old ones answered before the restart nobody knows: their age alone is judged.
#[test]
fn old_silent_ones_do_not_stop_creation_after_a_restart() {
    let mut world = wanting_two((b'a'..=b'l').map(|id| silent(&char::from(id).to_string())));
    world.put((b'A'..=b'N').map(|id| healthy(&char::from(id).to_string(), 0)));
    world.pass().creates(2).does_not_say("creation stopped");
}

#[test]
fn young_silent_ones_count_after_a_restart_as_before_it() {
    let mut world = wanting_two([]);
    world.policy.boot_grace = std::time::Duration::from_secs(3600);
    world.put((b'a'..=b'i').map(|id| starting(&char::from(id).to_string())));
    world.pass().later(3600).pass();
    world.creates(0).held_back("boot limit 9: 9 replicas never answered");
}

/// Every pass of a cron job is a first one: what it forgives each time would add up without end.
#[test]
fn old_silent_ones_count_with_once() {
    let mut world = wanting_two((b'a'..=b'i').map(|id| silent(&char::from(id).to_string())));
    world.put((b'A'..=b'N').map(|id| healthy(&char::from(id).to_string(), 0)));
    world.policy.once = true;
    world.pass().creates(0).held_back("boot limit 9: 9 replicas never answered");
}

#[test]
fn parked_ones_do_not_count() {
    let mut world = wanting_two((b'a'..=b'p').map(|id| stopped(&char::from(id).to_string())));
    world.pass().creates(2).does_not_say("creation stopped");
}

#[test]
fn deleted_ones_count_only_once_they_are_stuck() {
    let stuck = |id: u8| deleting(&char::from(id).to_string()).aged(30);
    let mut world = wanting_two((b'a'..=b'p').map(stuck));
    world.delete_fails = world.vms.keys().cloned().collect();
    world.creates = Creates::None(ErrorKind::Unavailable);
    world.pass().creates(2);
    world.later(600).pass().creates(0).held_back("boot limit 9: 16 replicas never answered");
}
