//! Who carries which external address.

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::world;
use crate::error::ErrorKind;
use crate::model::Condition;
use crate::plan::Loudness;

const ONE: &str = "192.0.2.1";
const TWO: &str = "192.0.2.2";
const THREE: &str = "192.0.2.3";

#[test]
fn three_unbound_addresses_get_three_holders_in_one_pass() {
    let mut world = world([healthy("a", 1), healthy("b", 1), healthy("c", 1)]).with_addresses(&[
        (THREE, ""),
        (ONE, ""),
        (TWO, ""),
    ]);
    world.plans(
        "move 192.0.2.1 to a (a): unbound
         move 192.0.2.2 to b (b): unbound
         move 192.0.2.3 to c (c): unbound",
    );
    world.plans("");
}

#[test]
fn nothing_moves_unless_addresses_are_managed() {
    let mut world = world([healthy("a", 1)]).with_addresses(&[(ONE, "")]);
    world.policy.manage_addresses = false;
    world.plans("");
}

#[test]
fn oldest_healthy_replica_first_then_by_id() {
    let vms = [healthy("a", 1).aged(700), healthy("c", 1).aged(800), healthy("b", 1).aged(700)];
    let mut world = world(vms).with_addresses(&[(ONE, ""), (TWO, "")]);
    world.pass().holders("192.0.2.1 c, 192.0.2.2 a");
}

#[test]
fn a_healthy_holder_never_loses_its_address() {
    let mut world = world([healthy("a", 0), healthy("b", 9)]).with_addresses(&[(ONE, "a")]);
    world.passes(5).plans("");
}

#[test]
fn a_healthy_holder_that_was_not_asked_keeps_it() {
    let mut world = world([healthy("a", 1), healthy("b", 1)]).with_addresses(&[(ONE, "a")]);
    world.pass().put([healthy("a", 1).unasked()]).plans("");
    world.restart().plans("").judged("a starting 1, b healthy 1");
}

#[test]
fn it_moves_from_a_holder_that_cannot_serve_to_a_healthy_replica_that_has_none() {
    for (holder, state) in [
        (unbuilt("a"), "failed"),
        (building("a").aged(OLD), "failed"),
        (stopped("a"), "parked"),
        (set_aside("a", "paused"), "parked"),
        (silent("a").with_task("rebooting"), "parked"),
        (silent("a").nowhere(), "unreachable"),
        (deleting("a"), "deleting"),
        (deleting("a").in_condition(Condition::SoftDeleted, "soft-delete"), "deleting"),
        (silent("a"), "silent"),
        (broken("a"), "silent"),
        (starting("a"), "starting"),
        (finished("a").locked(), "finished"),
    ] {
        let mut world = world([holder, healthy("b", 1), healthy("c", 1)])
            .with_addresses(&[(ONE, "a"), (TWO, "b")]);
        world.pass();
        let moves: Vec<String> = world.plan.moves.iter().map(ToString::to_string).collect();
        assert_eq!(moves, [format!("move 192.0.2.1 to c (c): a is {state}")]);
    }
}

#[test]
fn it_stays_on_a_holder_that_is_on_its_way_in() {
    let mut world = world([building("a"), healthy("b", 1)]).with_addresses(&[(ONE, "a")]);
    world.plans("");
}

#[test]
fn a_finished_holder_hands_its_address_over_before_it_goes() {
    let mut world = world([finished("a"), healthy("b", 1)]).with_addresses(&[(ONE, "a")]);
    world.plans(
        "move 192.0.2.1 to b (b): a is finished
         delete a (a): says it may be destroyed",
    );
    world.holders("192.0.2.1 b");
}

#[test]
fn a_finished_holder_whose_move_failed_is_not_deleted_in_this_pass() {
    let mut world = world([finished("a"), healthy("b", 1)]).with_addresses(&[(ONE, "a")]);
    let pair = (ONE.to_owned(), "b".to_owned());
    world.bind_fails.insert(pair.clone(), ErrorKind::Unclear);
    world.pass().deletes(&["a"]).holders("192.0.2.1 a");
    assert!(world.vms.contains_key("a"), "planned, but not done");
    world.bind_fails.clear();
    world.pass().holders("192.0.2.1 b");
    assert!(!world.vms.contains_key("a"));
}

#[test]
fn without_a_spare_the_finished_holder_goes_and_its_address_is_free_with_a_warning() {
    let mut world =
        world([finished("a"), healthy("b", 1)]).with_addresses(&[(ONE, "a"), (TWO, "b")]);
    world.plans("delete a (a): says it may be destroyed").holders("192.0.2.1 -, 192.0.2.2 b");
    world.says(Loudness::Warning, "192.0.2.1 is free once a (a) is deleted");
    world.does_not_say("stays where it is");
}

#[test]
fn without_a_healthy_replica_it_stays_where_it_is() {
    let mut world = world([silent("a"), healthy("b", 1)]).with_addresses(&[(ONE, "a"), (TWO, "b")]);
    world.plans("").says(Loudness::Warning, "192.0.2.1 stays where it is (a is silent)");
}

#[test]
fn an_address_on_a_server_outside_the_pool_is_left_alone() {
    let mut world = world([healthy("a", 1)]).with_addresses(&[(ONE, "somebody-elses")]);
    world.plans("");
}

#[test]
fn a_replica_with_a_foreign_floating_address_gets_none_of_ours() {
    let mut world = world([healthy("a", 1).floating("203.0.113.9"), healthy("b", 1)])
        .with_addresses(&[(ONE, ""), (TWO, "")]);
    world.plans("move 192.0.2.1 to b (b): unbound");
    world.says(Loudness::Warning, "192.0.2.2 stays where it is (unbound)");
}

/// Nova's list shows it for some seconds after Neutron has moved it.
#[test]
fn a_replica_that_nova_still_shows_with_an_address_of_the_pool_can_get_another() {
    let mut world = world([healthy("a", 1).floating(ONE), healthy("b", 1)])
        .with_addresses(&[(ONE, "b"), (TWO, "")]);
    world.plans("move 192.0.2.2 to a (a): unbound");
}

#[test]
fn two_on_one_healthy_replica_are_left_and_warned_of() {
    let mut world =
        world([healthy("a", 1), healthy("b", 1)]).with_addresses(&[(ONE, "a"), (TWO, "a")]);
    world
        .plans("")
        .says(Loudness::Warning, "a (a) holds 192.0.2.1 and 192.0.2.2: left as they are");
}

#[test]
fn two_on_one_silent_replica_go_to_two_healthy_ones() {
    let mut world = world([silent("a"), healthy("b", 1), healthy("c", 1)])
        .with_addresses(&[(ONE, "a"), (TWO, "a")]);
    world.pass().holders("192.0.2.1 b, 192.0.2.2 c");
}

#[test]
fn a_list_of_addresses_that_failed_leaves_them_alone_and_the_rest_goes_on() {
    let mut world = world([silent("a"), healthy("b", 1), finished("c")]);
    world = world.with_addresses(&[(ONE, "a"), (TWO, "")]);
    world.addresses_listed = false;
    world.plans("delete c (c): says it may be destroyed");
}

#[test]
fn a_finished_replica_with_a_floating_address_waits_while_addresses_cannot_be_listed() {
    let mut world = world([finished("a").floating(ONE), healthy("b", 1)]);
    world = world.with_addresses(&[(ONE, "a")]);
    world.addresses_listed = false;
    world.plans("").says(Loudness::Warning, "a (a) is finished but stays");
    world.addresses_listed = true;
    world.pass().deletes(&["a"]).holders("192.0.2.1 b");
}

#[test]
fn a_refused_pair_gives_way_to_the_next_candidate_at_most_three_in_a_pass() {
    for (kind, refused, holder) in [
        (ErrorKind::Refused(400), &["a"][..], "b"),
        (ErrorKind::Refused(404), &["a", "b"], "c"),
        (ErrorKind::Refused(409), &["a", "b", "c"], "-"),
        (ErrorKind::Refused(403), &["a"], "-"),
        (ErrorKind::Unclear, &["a"], "-"),
    ] {
        let mut world = world(["a", "b", "c", "d"].map(|id| healthy(id, 1)));
        world = world.with_addresses(&[(ONE, "")]);
        world.bind_fails =
            refused.iter().map(|id| ((ONE.to_owned(), (*id).to_owned()), kind)).collect();
        world.pass().holders(&format!("192.0.2.1 {holder}"));
    }
}

#[test]
fn a_refused_pair_is_skipped_for_ten_passes() {
    let mut world = world([healthy("a", 1)]).with_addresses(&[(ONE, "")]);
    world.bind_fails.insert((ONE.into(), "a".into()), ErrorKind::Refused(409));
    world.plans("move 192.0.2.1 to a (a): unbound");
    let why = "192.0.2.1 stays where it is (unbound): the cloud refused to bind it to any healthy replica";
    for _ in 0..10 {
        world.plans("").says(Loudness::Warning, why);
    }
    world.plans("move 192.0.2.1 to a (a): unbound");
}

#[test]
fn what_one_address_could_not_have_another_may() {
    let mut world = world([healthy("a", 1), healthy("b", 1)]);
    world = world.with_addresses(&[(ONE, ""), (TWO, "")]);
    world.bind_fails.insert((ONE.into(), "a".into()), ErrorKind::Refused(404));
    world.pass().holders("192.0.2.1 -, 192.0.2.2 b");
    world.pass().holders("192.0.2.1 -, 192.0.2.2 b");
}

#[test]
fn no_spare_is_given_to_two_addresses() {
    let mut world = world(["a", "b", "c"].map(|id| healthy(id, 1)));
    world = world.with_addresses(&[(ONE, ""), (TWO, "")]);
    world.bind_fails.insert((ONE.into(), "a".into()), ErrorKind::Refused(404));
    world.bind_fails.insert((TWO.into(), "b".into()), ErrorKind::Refused(404));
    world.pass().holders("192.0.2.1 c, 192.0.2.2 a");
}

#[test]
fn a_replica_that_one_address_was_refused_on_takes_another() {
    let mut world = world([healthy("a", 1), healthy("b", 1)]).with_addresses(&[(ONE, "")]);
    world.bind_fails.insert((ONE.into(), "a".into()), ErrorKind::Refused(409));
    world.pass().holders("192.0.2.1 b");
    let mut world = world.with_addresses(&[(TWO, "")]);
    world.pass().holders("192.0.2.1 b, 192.0.2.2 a");
}

#[test]
fn one_address_on_one_replica_is_nothing_to_warn_of() {
    let mut world = world([healthy("a", 1)]).with_addresses(&[(ONE, "a")]);
    world.pass().does_not_say("left as they are");
}

#[test]
fn an_address_that_moves_away_from_a_finished_holder_is_not_said_to_be_free() {
    let mut world = world([finished("a"), healthy("b", 1)]).with_addresses(&[(ONE, "a")]);
    world.pass().deletes(&["a"]).does_not_say("is free once");
}

#[test]
fn what_becomes_of_the_address_of_a_holder_that_goes_is_said() {
    let mut world =
        world([unbuilt("a"), healthy("b", 1)]).with_addresses(&[(ONE, "a"), (TWO, "b")]);
    world.pass().deletes(&["a"]).does_not_say("stays where it is");
    world.says(Loudness::Warning, "192.0.2.1 is free once a (a) is deleted (a is failed)");
}

#[test]
fn an_address_on_a_port_that_outlived_its_server_is_bound_like_an_unbound_one() {
    let mut world = world([healthy("a", 1)]).with_addresses(&[(ONE, "ghost")]);
    world.plans("");
    world.gone.insert(crate::model::ServerId::new("ghost"));
    world.plans("move 192.0.2.1 to a (a): its server is gone").holders("192.0.2.1 a");
    let mut world = world_of_none().with_addresses(&[(ONE, "ghost")]);
    world.gone.insert(crate::model::ServerId::new("ghost"));
    world.plans("").says(Loudness::Warning, "192.0.2.1 stays where it is (its server is gone)");
}

fn world_of_none() -> crate::decide::tests::world::World {
    world([])
}
