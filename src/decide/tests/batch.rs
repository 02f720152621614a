//! The batch limit, and what became of what was asked for.

use crate::decide::Lookup;
use crate::decide::tests::pictures::{Vm, healthy, silent};
use crate::decide::tests::world::{Creates, World, world};
use crate::error::ErrorKind;
use crate::plan::Loudness;

fn wanting(minimum: u64) -> World {
    world([]).with(|policy| policy.minimum = minimum)
}

/// Lets everything that is being built fail, runs the pass that deletes it, and waits until no pause is left.
fn fail_all(world: &mut World) {
    let made: Vec<String> = world.vms.keys().cloned().collect();
    world.fail(&made.iter().map(String::as_str).collect::<Vec<_>>()).pass().later(3600);
}

/// Lets everything that is being built answer with nothing free.
fn boot_all(world: &mut World) {
    let made: Vec<String> = world.vms.keys().cloned().collect();
    world.boot(&made.iter().map(String::as_str).collect::<Vec<_>>(), 0);
}

#[test]
fn after_a_batch_with_an_error_the_next_one_is_half_as_large_down_to_one() {
    let mut world = wanting(14);
    world.pass().creates(14);
    for half in [7, 3, 1, 1] {
        fail_all(&mut world);
        world.pass().creates(half).held_back(&format!("at most {half} at a time"));
    }
}

#[test]
fn one_error_is_enough() {
    let mut world = wanting(8);
    world.pass().creates(8).fail(&["n3"]).boot(&["n1", "n2"], 0);
    world.pass().deletes(&["n3"]).creates(3);
}

#[test]
fn each_wholly_good_batch_doubles_the_limit_again() {
    let mut world = wanting(14);
    world.pass();
    fail_all(&mut world);
    world.pass().creates(7);
    fail_all(&mut world);
    world.pass().creates(3);
    for twice in [6, 12, 14] {
        boot_all(&mut world);
        world.pass().creates(twice);
    }
}

#[test]
fn a_batch_that_is_still_building_says_nothing_yet() {
    let mut world = wanting(4);
    world.pass();
    fail_all(&mut world);
    world.pass().creates(2);
    world.boot(&["n5"], 0).pass().creates(2);
}

#[test]
fn a_batch_cut_by_a_quota_is_not_wholly_good() {
    let mut world = wanting(8);
    world.pass();
    fail_all(&mut world);
    world.creates = Creates::AtMost(2);
    world.pass().creates(4);
    boot_all(&mut world);
    world.pass().creates(4);
}

#[test]
fn a_build_that_got_stuck_is_an_error_of_its_batch() {
    let mut world = wanting(4);
    world.pass().creates(4);
    world.later(900).pass().deletes(&["n1", "n2", "n3", "n4"]).creates(0);
    world.later(3600).pass().creates(2);
}

#[test]
fn a_batch_stays_followed_when_one_of_it_was_deleted_by_the_operator() {
    let mut world = wanting(4);
    world.pass().pass().take(&["n1"]).pass().creates(1);
    world.fail(&["n2"]).pass().later(400);
    world.policy.minimum = 20;
    world.pass().creates(2).held_back("at most 2 at a time");
}

#[test]
fn a_batch_of_which_one_was_deleted_before_it_was_listed_is_that_many() {
    let mut world = wanting(3);
    world.pass().take(&["n1"]);
    world.pass().judged("n2 creating 1, n3 creating 1");
    world.held_back("the cloud made 1 fewer replicas than asked (quota)");
    world.pass().creates(1);
}

#[test]
fn as_soon_as_one_is_listed_the_batch_is_that_many_and_the_rest_a_failure() {
    let mut world = wanting(10);
    world.creates = Creates::AtMost(4);
    world.pass().creates(10);
    world.pass().creates(0).held_back("the cloud made 6 fewer replicas than asked (quota)");
    assert_eq!(world.plan.unaccounted, 0, "nothing more is expected");
    world.pass().creates(6);
}

#[test]
fn when_none_is_listed_and_the_first_is_gone_the_batch_is_gone_and_has_failed() {
    let mut world = wanting(2);
    world.pass().take(&["n1", "n2"]);
    world.pass().creates(0).held_back("gone before it was ever listed");
    world.pass().creates(2);
}

#[test]
fn what_we_make_and_do_not_see_stops_creation_as_an_error_as_long_as_it_exists() {
    let mut world = wanting(2);
    world.creates = Creates::Unmarked;
    world.pass().creates(2);
    world.policy.minimum = 9;
    for _ in 0..50 {
        world.pass().creates(0).says(Loudness::Error, "batch me-1 exists but is not listed");
        world.does_not_say("creating fewer replicas than are missing");
    }
    world.take(&["n1", "n2"]).pass().later(3600).pass().creates(9);
}

#[test]
fn what_we_make_and_do_not_see_is_an_error_even_while_nothing_is_missing() {
    let mut world = wanting(2);
    world.creates = Creates::Unmarked;
    world.pass().pass().creates(0).says(Loudness::Error, "batch me-1 exists but is not listed");
}

#[test]
fn an_unclear_creation_counts_in_full_for_two_further_passes() {
    let mut world = wanting(3);
    world.creates = Creates::None(ErrorKind::Unclear);
    world.pass().creates(3);
    world.plans("").plans("");
    world.pass().creates(3);
}

#[test]
fn an_unclear_creation_that_did_the_work_is_found_in_the_list() {
    let mut world = wanting(3);
    world.creates = Creates::AllUnclear;
    world.pass().creates(3);
    for _ in 0..10 {
        world.plans("").judged("n1 creating 1, n2 creating 1, n3 creating 1");
        assert_eq!(world.plan.unaccounted, 0, "counted once, not twice");
    }
}

#[test]
fn a_creation_that_was_refused_counts_for_nothing() {
    let mut world = wanting(3);
    world.creates = Creates::None(ErrorKind::Refused(400));
    world.pass().creates(3).pass().creates(3);
}

#[test]
fn nothing_is_looked_up_once_it_was_listed() {
    let mut world = wanting(1);
    world.pass().pass().take(&["n1"]);
    world.pass().creates(1).does_not_say("gone");
}

#[test]
fn nothing_is_looked_up_that_is_listed_or_was() {
    let mut world = world([healthy("z", 0)]).with(|policy| policy.minimum = 1);
    world.pass().creates(1);
    assert!(world.observe().lookups.is_empty(), "it is listed now");
    world.pass().take(&["n1"]);
    assert!(world.observe().lookups.is_empty(), "it was listed once");
}

#[test]
fn what_the_list_does_not_show_is_looked_up_whatever_else_it_shows() {
    let mut world = world([healthy("z", 0)]).with(|policy| policy.minimum = 1);
    world.creates = Creates::Unmarked;
    world.pass().creates(1);
    assert_eq!(world.observe().lookups.get("me-1"), Some(&Lookup::Unmarked));
}

#[test]
fn a_limit_that_no_pool_needs_is_none() {
    let mut world = wanting(1);
    world.pass().creates(1);
    world.memory.batch_limit = Some(2048);
    world.boot(&["n1"], 1).pass();
    assert_eq!(world.memory.batch_limit, None);
}

#[test]
fn one_that_ran_and_broke_later_is_no_error_of_its_batch() {
    let mut world = wanting(2);
    world.pass().creates(2).boot(&["n1"], 0).pass();
    let broken = world.vms["n1"].clone().in_error();
    world
        .put([Vm { answer: silent("n1").answer, ..broken }, healthy("z", 0)])
        .pass()
        .pass()
        .deletes(&["n1"]);
    assert_eq!(world.memory.batch_limit, None);
}

#[test]
fn a_cloud_that_hides_when_they_were_launched_lets_batches_grow_again() {
    let mut world = world([]).with(|policy| policy.minimum = 10);
    world.makes = |id| {
        let mut vm = healthy(id, 1);
        vm.server.launched = crate::model::Launched::NotTold;
        vm
    };
    world.memory.batch_limit = Some(1);
    world.pass().creates(1).pass().creates(2).pass().creates(4);
}
