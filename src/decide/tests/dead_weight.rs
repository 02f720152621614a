//! What serves nothing must not pile up, and a dead pool must come to life again.

use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{Creates, World, world};
use crate::error::ErrorKind;
use crate::plan::Loudness;

const MINUTE: u64 = 60;

/// Two units missing at all times, and an old replica that answers: the limit is 3 × 2 + 3 = 9.
fn wanting_two(vms: impl IntoIterator<Item = Vm>) -> World {
    let mut world = world(vms).with(|policy| policy.minimum = 2);
    world.put([healthy("z", 0)]);
    world.makes = silent;
    world
}

/// The same once the brake of a start is over.
fn settled(vms: impl IntoIterator<Item = Vm>) -> World {
    let mut world = wanting_two(vms);
    world.passes(3);
    world
}

/// VMs of these letters.
fn many(letters: std::ops::RangeInclusive<u8>, vm: impl Fn(&str) -> Vm) -> Vec<Vm> {
    letters.map(|letter| vm(&char::from(letter).to_string())).collect()
}

#[test]
fn a_dead_image_stops_at_the_limit_and_one_trial() {
    let mut world = wanting_two([]);
    world.passes(2 * 24 * 60);
    assert_eq!(world.vms.len(), 9 + 1 + 1, "nine, a trial and z\n{}", world.plan);
    assert_eq!(world.trials().len(), 1);
    world.creates(0).held_back("dead weight limit 9: 10 replicas serve nothing");
    world.says(Loudness::Error, "creation stopped, except for a trial every 30 min: 10 replicas");
    world.says(Loudness::Error, "check the image's service, REPLICA_API_PORT");
    world.does_not_say("creating fewer replicas than are missing");
}

#[test]
fn restarts_and_once_come_to_the_same() {
    for once in [false, true] {
        let mut world = wanting_two([]);
        world.policy.once = once;
        for pass in 0..2 * 24 * 60 {
            if once || pass % 100 == 99 {
                world.restart();
                world.memory.instance = format!("p{pass}");
            }
            world.pass();
        }
        assert_eq!(world.vms.len(), 9 + 1 + 1, "once: {once}\n{}", world.plan);
    }
}

#[test]
fn a_trial_that_answers_ends_it_and_batches_grow_from_one() {
    let mut world = settled(many(b'a'..=b'i', |id| silent(id).aged(3600)));
    world.policy.minimum = 4;
    world.policy.capacity = 2;
    world.pass().creates(1);
    assert_eq!(world.trials(), ["n1"]);
    world.plans("").boot(&["n1"], 2).pass().creates(1).does_not_say("creation stopped");
}

#[test]
fn a_healthy_one_that_is_newer_is_evidence() {
    let mut world = wanting_two(many(b'a'..=b'p', silent));
    world.put([healthy("y", 0).aged(700)]);
    world.passes(3).pass().creates(2).does_not_say("creation stopped");
}

#[test]
fn those_of_the_same_second_as_the_evidence_count_nothing() {
    settled(many(b'a'..=b'p', silent)).pass().creates(2);
}

#[test]
fn with_none_healthy_all_count_of_any_age() {
    let mut world = world(many(b'a'..=b'i', silent)).with(|policy| policy.minimum = 2);
    world.policy.once = true;
    world.pass().creates(1).held_back("dead weight limit 9: 9 replicas serve nothing: 9 silent");
    assert_eq!(world.trials().len(), 1);
}

#[test]
fn an_operators_deletion_releases_it() {
    let mut world = settled(many(b'a'..=b'i', |id| silent(id).aged(700)));
    world.pass().creates(1);
    world
        .take(&["a", "b", "c", "n1"])
        .restart()
        .passes(4)
        .creates(2)
        .does_not_say("creation stopped");
}

#[test]
fn each_kind_that_serves_nothing_counts() {
    type Kind = fn(&str) -> Vm;
    let kinds: [(&str, Kind); 7] = [
        ("9 silent", |id| silent(id).aged(700)),
        ("9 stopped before the first answer", |id| stopped(id).aged(700)),
        ("9 without an address", |id| silent(id).nowhere().aged(1000)),
        ("9 failed or finished and not deleted", |id| finished(id).aged(700).locked()),
        ("9 failed or finished and not deleted", |id| unbuilt(id).locked()),
        ("9 stuck in deletion", |id| deleting(id).aged(1000).updated(700)),
        ("9 silent", |id| silent(id).aged(700).locked()),
    ];
    for (words, kind) in kinds {
        let mut world = wanting_two(many(b'a'..=b'i', kind));
        world.delete_fails = world.vms.keys().cloned().collect();
        world.passes(3).pass().held_back(&format!("replicas serve nothing: {words}"));
        assert_eq!(world.trials().len(), 1, "{words}");
    }
}

#[test]
fn what_is_on_its_way_counts() {
    let mut world = settled(many(b'a'..=b'h', |id| silent(id).aged(700)));
    world.put([building("i")]);
    world.policy.minimum = 3;
    // The limit is 12 now.
    world.pass().creates(2).pass().creates(0);
    let mut world = settled(many(b'a'..=b'h', |id| silent(id).aged(700)));
    world.creates = Creates::None(ErrorKind::Unclear);
    world.pass().creates(1).held_back("dead weight limit 9: 8 replicas serve nothing");
}

#[test]
fn those_an_operator_set_aside_count_nothing() {
    // Each answered this process before it was stopped.
    let mut world = wanting_two(many(b'a'..=b'p', |id| healthy(id, 0).aged(700)));
    world.pass().creates(2);
    world.boot(&["n1", "n2"], 0).put(many(b'a'..=b'p', |id| stopped(id).aged(700)));
    world.pass().creates(2).does_not_say("creation stopped");
    // Older than the newest that is healthy.
    let mut world = wanting_two(many(b'a'..=b'p', stopped));
    world.pass().creates(2).does_not_say("creation stopped");
}

#[test]
fn failed_ones_that_are_deleted_count_nothing() {
    let mut world = wanting_two(many(b'a'..=b'p', unbuilt));
    world.pass().creates(2).does_not_say("creation stopped");
}

#[test]
fn failed_ones_whose_deletion_is_refused_pile_up_to_the_limit_and_one_trial() {
    let mut world = wanting_two([]);
    world.makes = unbuilt;
    for _ in 0..24 * 60 {
        world.delete_fails.extend(world.vms.keys().cloned().collect::<Vec<_>>());
        world.pass();
    }
    assert!(world.vms.len() <= 9 + 1 + 1, "{} VMs\n{}", world.vms.len(), world.plan);
    world.says(Loudness::Error, "find out why the cloud refuses to delete them");
}

/// Nothing but the last trial may be deleted here, and that is tried only when the next one is due.
#[test]
fn trials_whose_deletion_is_refused_do_not_pile_up() {
    for once in [false, true] {
        let mut world = wanting_two([]);
        world.policy.once = once;
        for pass in 0..24 * 60 {
            if once {
                world.restart();
                world.memory.instance = format!("p{pass}");
            }
            world.delete_fails.extend(world.vms.keys().cloned().collect::<Vec<_>>());
            world.pass();
        }
        assert_eq!(world.vms.len(), 9 + 1 + 1, "once: {once}\n{}", world.plan);
    }
}

/// Each slow deletion uses up the share of all of them.
#[test]
fn trials_for_whose_deletion_there_is_no_time_do_not_pile_up() {
    let mut world = wanting_two(["a", "b"].map(unbuilt));
    (world.delete_takes, world.delete_fails) = (60, ["a", "b"].map(str::to_owned).into());
    world.passes(24 * 60);
    assert_eq!(world.trials().len(), 1, "{}", world.plan);
}

/// A service that answers twice and dies.
#[test]
fn those_that_died_young_count_until_a_newer_one_has_lasted() {
    let mut world = wanting_two([]);
    for _ in 0..24 * 60 {
        world.pass();
        let now = world.elapsed;
        for vm in world.vms.values_mut().filter(|vm| vm.server.id.as_str() != "z") {
            let age = (start() + Duration::from_secs(now)).duration_since(vm.server.created);
            let model =
                if age.unwrap().as_secs() < 3 * MINUTE { healthy("x", 1) } else { silent("x") };
            vm.answer = model.answer;
        }
    }
    // One more than the limit was healthy when its last was made.
    assert!(world.vms.len() <= 10 + 1 + 1, "{} VMs\n{}", world.vms.len(), world.plan);
    world.says(Loudness::Error, "died soon after the first answer");
    let trial = world.trials()[0].to_owned();
    world.vms.get_mut(&trial).unwrap().answer = healthy("x", 0).answer;
    for _ in 0..10 {
        world.pass().creates(0);
    }
    world.pass().creates(2).does_not_say("creation stopped");
}

#[test]
fn the_next_trial_comes_after_half_an_hour_and_the_last_one_goes() {
    let mut world = settled(many(b'a'..=b'i', |id| silent(id).aged(700)));
    world.pass().creates(1);
    for _ in 0..29 {
        world.pass().creates(0).deletes(&[]);
    }
    world.pass().creates(0).pass().creates(1).deletes(&["n1"]);
    assert!(world.plan.deletions[0].ask.is_some(), "it is asked once more");
    assert_eq!(world.trials(), ["n2"]);
}

#[test]
fn a_trial_is_protected_by_a_lock_only() {
    for vm in [silent("t"), stopped("t"), silent("t").nowhere()] {
        let mut dead = many(b'a'..=b'i', |id| silent(id).aged(3000));
        let mut trial = vm.aged(2000);
        trial.server.trial = true;
        dead.push(trial.clone());
        let mut world = settled(dead.clone());
        world.pass().creates(1).deletes(&["t"]);
        dead.push(trial.locked());
        settled(dead).pass().creates(1).deletes(&[]);
    }
}

#[test]
fn no_trial_is_made_while_the_last_one_may_still_come_up() {
    for vm in [building("t"), starting("t"), silent("t").aged(1500)] {
        let mut trial = vm;
        trial.server.trial = true;
        let mut world = wanting_two(many(b'a'..=b'i', |id| silent(id).aged(3000)));
        world.policy.minimum = 4;
        world.put(many(b'j'..=b'p', |id| silent(id).aged(3000)));
        world.put([trial]).passes(3).pass().creates(0).deletes(&[]);
    }
}

/// It cannot go unasked, and would stay beside the next one for good.
#[test]
fn no_trial_is_made_while_the_last_one_cannot_be_asked() {
    let mut trial = silent("t").aged(1500);
    trial.server.trial = true;
    let mut world = settled(many(b'a'..=b'i', |id| silent(id).aged(3000)));
    world.put([trial.clone()]).pass().put([trial.clone().unasked()]);
    for _ in 0..10 {
        world.pass().creates(0).deletes(&[]);
    }
    world.put([trial]).pass().creates(1).deletes(&["t"]);
}

#[test]
fn a_creation_that_the_cloud_refuses_pauses_trials_too() {
    let mut world = wanting_two(many(b'a'..=b'i', |id| silent(id).aged(700)));
    world.creates = Creates::None(ErrorKind::Refused(403));
    let tries = (0..60).filter(|_| world.pass().plan.creation.is_some()).count();
    assert!(tries <= 6, "{tries} tries in an hour");
}

/// All died at once; the scaler was started again in between or not.
#[test]
fn a_hundred_that_died_at_once_are_refilled() {
    for restart in [false, true] {
        let names: Vec<String> = (0..100).map(|number| format!("v{number}")).collect();
        let mut world = world(names.iter().map(|id| healthy(id, 0)));
        world.policy.minimum = 10;
        world.pass();
        if restart {
            world.restart();
            world.memory.instance = "p2".into();
        }
        world.put(names.iter().map(|id| silent(id)));
        world.makes = |id| healthy(id, 1);
        world.passes(20);
        assert_eq!(world.plan.free, 10, "restart: {restart}\n{}", world.plan);
    }
}

/// It is silent like any other, whatever has lasted since.
#[test]
fn those_that_died_young_and_are_forgiven_still_count_when_they_are_newer_than_the_evidence() {
    let mut world = settled(many(b'a'..=b'i', |id| silent(id).aged(700)));
    world.memory.replicas.values_mut().for_each(|replica| replica.died_young = true);
    // The one that lasted has died since, and is gone.
    world.memory.lasted = Some(start());
    world.pass().held_back("dead weight limit 9: 9 replicas serve nothing");
}

#[test]
fn a_trial_that_could_not_be_deleted_and_is_locked_then_does_not_end_the_trials() {
    let mut trial = silent("t").aged(2000);
    trial.server.trial = true;
    let mut world = settled(many(b'a'..=b'i', |id| silent(id).aged(700)));
    world.put([trial.clone()]).delete_fails.insert("t".into());
    world.passes(60);
    assert_eq!(world.trials(), ["t"]);
    trial.server.locked = true;
    world.put([trial]);
    world.passes(60);
    assert!(world.trials().len() > 1, "{}", world.plan);
}
