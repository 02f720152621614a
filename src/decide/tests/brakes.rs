//! The brake against a fault of the scaler's own network.

use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{World, world};
use crate::plan::Loudness;

const ALL: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Five that answer, each with one unit free; five are wanted.
fn five() -> World {
    let mut world = world(ALL.map(|id| healthy(id, 1))).with(|policy| policy.minimum = 5);
    world.pass();
    world
}

fn hush(world: &mut World, ids: &[&str]) {
    world.put(ids.iter().map(|id| silent(id)));
}

fn speak(world: &mut World, ids: &[&str]) {
    world.put(ids.iter().map(|id| healthy(id, 1)));
}

#[track_caller]
fn braked(world: &mut World, expected: bool) {
    assert_eq!(!world.plan.brakes.is_empty(), expected, "brakes: {:?}", world.plan.brakes);
}

#[test]
fn most_going_silent_at_once_count_with_their_last_capacity_for_three_intervals() {
    let mut world = five();
    hush(&mut world, &["a", "b", "c"]);
    for _ in 0..3 {
        world.plans("").says(Loudness::Error, "brake: 3 of 5 replicas");
        world.judged("a silent 1, b silent 1, c silent 1, d healthy 1, e healthy 1");
    }
    world.pass().creates(3);
    braked(&mut world, false);
}

/// `SIGUSR1` again and again, or a short interval.
#[test]
fn passes_that_come_early_use_the_brake_up_no_sooner() {
    let mut world = five();
    hush(&mut world, &["a", "b", "c"]);
    for _ in 0..170 {
        world.plans("");
        world.elapsed -= 59;
    }
    world.later(10).pass().creates(3);
}

#[test]
fn half_or_fewer_than_three_of_them_are_no_brake() {
    let mut world = five();
    hush(&mut world, &["a", "b"]);
    world.plans("");
    braked(&mut world, false);
    world.pass().creates(2);

    let mut world = world_of(6);
    hush(&mut world, &["a", "b", "c"]);
    world.pass().pass().creates(3);
    braked(&mut world, false);
}

fn world_of(count: usize) -> World {
    let ids = ["a", "b", "c", "d", "e", "f"];
    let vms = ids.iter().take(count).map(|id| healthy(id, 1));
    let mut world = world(vms).with(|policy| policy.minimum = count as u64);
    world.pass();
    world
}

#[test]
fn of_one_or_two_all_of_three_three() {
    for (count, silent, brake) in [
        (1, &["a"][..], true),
        (2, &["a"], false),
        (2, &["a", "b"], true),
        (3, &["a", "b"], false),
        (3, &["a", "b", "c"], true),
        (4, &["a", "b"], false),
        (4, &["a", "b", "c"], true),
    ] {
        let mut world = world_of(count);
        hush(&mut world, silent);
        world.pass();
        assert_eq!(!world.plan.brakes.is_empty(), brake, "{silent:?} of {count}");
    }
}

#[test]
fn the_reference_stays_the_same_while_the_brake_lasts() {
    let mut world = five();
    hush(&mut world, &["a", "b", "c", "d"]);
    world.plans("");
    // Were the last pass the reference, only e would be in it now.
    world.plans("");
    braked(&mut world, true);
    speak(&mut world, &["a"]);
    world.plans("");
    braked(&mut world, true);
    speak(&mut world, &["b"]);
    world.pass();
    braked(&mut world, false);
}

#[test]
fn the_silent_go_once_the_brake_is_over_and_a_newer_one_is_healthy() {
    let mut world = five();
    world.policy.replace_silent_after = Some(Duration::from_secs(60));
    hush(&mut world, &["a", "b", "c", "d"]);
    world.plans("").plans("").plans("").pass().creates(4).deletes(&[]);
    for _ in 0..3 {
        world.plans("");
    }
    world.boot(&["n2"], 1);
    for id in ["a", "b", "c", "d"] {
        world.pass().deletes(&[id]);
    }
}

#[test]
fn the_brake_is_over_when_an_operator_took_the_silent_away() {
    let mut world = five();
    hush(&mut world, &["a", "b", "c"]);
    world.passes(1).take(&["a", "b", "c"]).pass();
    assert!(world.memory.silence.is_none(), "{:?}", world.memory.silence);
}

#[test]
fn a_second_silence_while_the_first_lasts_has_three_calm_passes_of_its_own() {
    let mut world = five();
    hush(&mut world, &["a", "b", "c", "d"]);
    world.passes(3).put([healthy("f", 0), healthy("g", 0), healthy("h", 0), healthy("i", 0)]);
    world.pass().creates(4).boot(&["n1", "n2", "n3", "n4"], 1);
    world.plans("");
    world.take(&["f", "g", "h", "i"]);
    hush(&mut world, &["e"]);
    for id in ["n1", "n2", "n3", "n4"] {
        let vm = world.vms.get_mut(id).unwrap();
        vm.answer = silent("x").answer;
    }
    for _ in 0..3 {
        world.plans("");
        braked(&mut world, true);
    }
    world.pass().creates(0).held_back("fell silent soon after its first answer");
    world.pass().creates(5);
}

#[test]
fn no_silent_replica_goes_while_the_brake_lasts() {
    let mut world = five();
    world.policy.replace_silent_after = Some(Duration::from_secs(1));
    world.policy.minimum = 0;
    world.put([healthy("y", 0).aged(700)]).pass();
    hush(&mut world, &ALL);
    world.plans("").plans("").plans("").pass().deletes(&["a"]);
}

#[test]
fn no_address_leaves_a_silent_holder_for_three_intervals() {
    let mut world = five().with_addresses(&[("192.0.2.1", "a"), ("192.0.2.2", "d")]);
    world.policy.minimum = 0;
    hush(&mut world, &["a", "b", "c"]);
    world.plans("").plans("").plans("");
    world.plans("move 192.0.2.1 to e (e): a is silent").holders("192.0.2.1 e, 192.0.2.2 d");
}

#[test]
fn the_address_of_a_finished_holder_moves_and_an_unbound_one_is_bound_all_the_same() {
    let mut world = five().with_addresses(&[("192.0.2.1", "e"), ("192.0.2.2", "")]);
    world.policy.minimum = 0;
    world.put([healthy("f", 0)]).pass();
    world.addresses[1].holder = None;
    hush(&mut world, &["a", "b", "c", "f"]);
    world.put([finished("e"), healthy("g", 0)]).plans(
        "move 192.0.2.1 to d (d): e is finished
         move 192.0.2.2 to g (g): unbound
         delete e (e): says it may be destroyed",
    );
    braked(&mut world, true);
}

#[test]
fn failed_and_finished_replicas_go_nevertheless() {
    let mut world = five();
    world.policy.minimum = 0;
    hush(&mut world, &["a", "b", "c"]);
    world.put([finished("d"), unbuilt("f")]);
    world.pass().deletes(&["d", "f"]);
}

#[test]
fn an_error_is_not_failed_by_silence_while_most_are_silent() {
    let mut world = five();
    world.policy.minimum = 0;
    world.put([healthy("f", 1).in_error()]).pass();
    hush(&mut world, &["a", "b", "c", "d"]);
    world.put([broken("f")]);
    for _ in 0..3 {
        world.plans("");
    }
    // Nor do those passes count once it is over.
    world.plans("").plans("delete f (f): in error and silent: refused");
}

#[test]
fn an_error_is_not_failed_by_silence_while_nobody_answers() {
    let mut world = five();
    world.policy.minimum = 0;
    world.put([healthy("f", 1).in_error()]).pass();
    hush(&mut world, &ALL);
    world.put([broken("f")]);
    for _ in 0..20 {
        world.plans("");
    }
    speak(&mut world, &["a"]);
    world.plans("").plans("delete f (f): in error and silent: refused");
}

/// A host's failed evacuation leaves them all in error, and working.
#[test]
fn errors_that_went_on_answering_are_protected_as_the_others_are() {
    let mut world = five();
    world.policy.minimum = 0;
    world.put(ALL.map(|id| healthy(id, 1).in_error())).passes(4);
    world.put(ALL.map(broken));
    for _ in 0..20 {
        world.plans("");
    }
}

#[test]
fn errors_that_fell_silent_as_they_turned_to_error_have_a_reason_of_their_own() {
    let mut world = world([healthy("a", 1)]);
    world.pass().put([broken("a")]).plans("");
    braked(&mut world, false);
    world.put([healthy("z", 0)]).plans("");
    world.plans("delete a (a): in error and silent: refused");
}

#[test]
fn after_a_start_the_reference_is_all_running_replicas_older_than_the_grace() {
    let mut world = five();
    world.policy.minimum = 10;
    world.policy.capacity = 2;
    hush(&mut world, &ALL);
    world.put([starting("f").aged(10), starting("g").aged(10), stopped("h"), broken("i")]);
    world.put([silent("j").with_task("rebooting")]);
    world.restart();
    for _ in 0..3 {
        world.plans("").says(Loudness::Error, "brake: 6 of 6 replicas");
        assert!(
            world
                .plan
                .replicas
                .iter()
                .filter(|one| ALL.contains(&one.id.as_str()))
                .all(|one| one.free == 2)
        );
    }
    world.pass().creates(3);
}

#[test]
fn after_a_start_the_last_capacity_is_used_once_it_is_known() {
    let mut world = five();
    world.policy.minimum = 0;
    hush(&mut world, &["a", "b", "c"]);
    world.restart().plans("");
    world.judged("a silent 1, b silent 1, c silent 1, d healthy 1, e healthy 1");
}

#[test]
fn a_pass_in_which_nobody_was_asked_does_not_end_the_brake() {
    let mut world = five();
    hush(&mut world, &["a", "b", "c"]);
    world.plans("").put(ALL.map(|id| silent(id).unasked())).plans("");
    hush(&mut world, &["a", "b", "c"]);
    speak(&mut world, &["d", "e"]);
    world.plans("");
    braked(&mut world, true);
    world.pass().creates(3);
}

#[test]
fn parked_failed_and_gone_ones_do_not_count_as_silent() {
    let mut world = five();
    world.policy.minimum = 0;
    world.put([stopped("a"), set_aside("b", "paused"), deleting("c")]).plans("");
    braked(&mut world, false);
}
