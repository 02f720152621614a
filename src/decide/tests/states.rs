//! The table of what the cloud says of a server: one test a row.

use std::time::Duration;

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::world;
use crate::model::{Condition, IpVersion, Launched};
use crate::plan::Loudness;

#[test]
fn a_replica_being_deleted_counts_for_nothing() {
    world([deleting("a")]).plans("").judged("a deleting 0");
}

#[test]
fn a_deletion_is_asked_for_again_after_600_s_and_then_every_600_s() {
    let mut world = world([deleting("a").updated(500)]);
    world.delete_fails.insert("a".into());
    world.plans("").plans("");
    world.plans("delete a (a): still there after 620 s of deleting");
    // It was accepted this time, and the VM stays nevertheless.
    world.delete_fails.clear();
    world.plans("delete a (a): still there after 680 s of deleting");
    world.put([deleting("a").updated(500)]);
    for _ in 0..9 {
        world.plans("");
    }
    world.plans("delete a (a): still there after 1280 s of deleting");
}

#[test]
fn a_deletion_is_asked_for_again_at_once_by_a_process_that_was_started_later() {
    world([deleting("a").updated(700)]).plans("delete a (a): still there after 700 s of deleting");
}

#[test]
fn a_soft_deleted_replica_is_never_deleted_again() {
    let mut world =
        world([deleting("a").updated(OLD).in_condition(Condition::SoftDeleted, "soft-delete")]);
    world.passes(15).plans("").judged("a deleting 0");
}

#[test]
fn a_restored_replica_boots_anew() {
    let gone = silent("a").in_condition(Condition::SoftDeleted, "soft-delete");
    let mut world = world([gone, healthy("z", 1)]);
    world.pass().put([silent("a")]);
    world.plans("").judged("a starting 1, z healthy 1");
}

#[test]
fn a_building_replica_counts_in_full() {
    let mut world = world([building("a")]).with(|policy| policy.capacity = 3);
    world.plans("").judged("a creating 3");
}

#[test]
fn a_build_older_than_the_launch_timeout_is_failed() {
    world([building("a").aged(899)]).plans("").judged("a creating 1");
    world([building("a").aged(900)])
        .plans("delete a (a): building for longer than 900 s")
        .judged("a failed 0");
}

#[test]
fn an_active_replica_without_an_address_is_creating_while_it_is_young() {
    world([silent("a").nowhere().aged(899)]).plans("").judged("a creating 1");
}

#[test]
fn an_active_replica_without_an_address_is_unreachable_later_and_never_deleted() {
    let mut world = world([silent("a").nowhere().aged(900)]).with(|policy| {
        policy.replace_silent_after = Some(Duration::from_secs(60));
        policy.delete_stopped = true;
    });
    world.passes(20).plans("").judged("a unreachable 0");
    world.says(Loudness::Warning, "a (a) has no IPv4 address on net");
}

#[test]
fn an_address_of_the_other_ip_version_is_none() {
    world([silent("a").nowhere().at(NETWORK, "fd00::1")]).plans("").judged("a unreachable 0");
    let mut six = world([healthy("a", 1).at(NETWORK, "fd00::1")]);
    six.policy.ip_version = IpVersion::V6;
    six.plans("").judged("a healthy 1");
    assert_eq!(six.plan.replicas[0].address, Some(ip("fd00::1")));
}

#[test]
fn a_running_replica_is_what_it_says() {
    world([healthy("a", 2), finished("b")])
        .plans("delete b (b): says it may be destroyed")
        .judged("a healthy 2, b finished 0");
}

#[test]
fn a_replica_with_a_task_is_parked_when_it_does_not_answer() {
    for task in ["rebooting", "image_snapshot", "rebuilding", "resize_prep"] {
        let mut world = world([silent("a").with_task(task), healthy("b", 1).with_task(task)]);
        world.policy.replace_silent_after = Some(Duration::from_secs(60));
        world.passes(3).plans("").judged("a parked 0, b healthy 1");
    }
}

#[test]
fn a_replica_with_a_task_goes_when_it_says_that_it_is_finished() {
    let vm = finished("a").with_task("image_snapshot");
    world([vm]).plans("delete a (a): says it may be destroyed");
}

#[test]
fn an_error_that_never_ran_is_failed() {
    world([unbuilt("a")]).plans("delete a (a): in error, never launched").judged("a failed 0");
}

#[test]
fn an_error_that_ran_is_healthy_while_it_answers() {
    let mut world = world([healthy("a", 2).in_error()]);
    world.passes(3).plans("").judged("a healthy 2");
}

#[test]
fn an_error_that_ran_goes_when_it_says_that_it_is_finished() {
    world([finished("a").in_error()]).plans("delete a (a): says it may be destroyed");
}

#[test]
fn an_error_that_ran_is_failed_in_the_second_silent_pass_in_a_row() {
    let mut world = world([healthy("a", 2), healthy("z", 0)]);
    world.plans("").put([broken("a")]);
    world.plans("").judged("a silent 2, z healthy 0");
    world.put([healthy("a", 2).in_error()]).plans("").put([broken("a")]);
    world.plans("").judged("a silent 2, z healthy 0");
    world.plans("delete a (a): in error and silent: refused").judged("a failed 0, z healthy 0");
}

/// A migration that failed may have left it working, and a few seconds later it answers again.
#[test]
fn silence_before_the_error_does_not_count_against_it() {
    let mut world = world([silent("a").with_task("migrating"), healthy("z", 0)]);
    world.passes(5).put([broken("a")]);
    world.plans("").judged("a silent 0, z healthy 0");
    world.plans("delete a (a): in error and silent: refused");
}

#[test]
fn an_error_that_ran_and_has_no_address_at_all_is_silent() {
    let mut world = world([broken("a").nowhere(), healthy("z", 0)]);
    world.plans("").plans("delete a (a): in error and silent: no address to ask");
}

#[test]
fn an_error_that_cannot_be_asked_because_of_us_is_never_failed() {
    let two_networks = || broken("a").at("other", "10.9.0.1");
    // Neutron is away, so nobody knows which of its networks is meant.
    let mut unknown = world([two_networks(), healthy("z", 0)]);
    unknown.network = None;
    unknown.passes(5).plans("").judged("a starting 1, z healthy 0");
    // The wanted network is another one by mistake.
    let mut mistaken = world([two_networks(), healthy("z", 0).at("right", "10.1.0.1")]);
    mistaken.network = Some("right".into());
    mistaken.passes(5).plans("").judged("a unreachable 0, z healthy 0");
}

#[test]
fn a_failed_replica_that_is_not_asked_stays_failed_and_is_not_deleted() {
    let mut world = world([broken("a"), healthy("z", 0)]);
    world.delete_fails.insert("a".into());
    world.passes(2).put([broken("a").unasked()]);
    world.plans("").judged("a failed 0, z healthy 0");
}

#[test]
fn a_stopped_replica_is_parked() {
    let mut world = world([stopped("a")]);
    world.passes(5).plans("").judged("a parked 0");
}

#[test]
fn a_stopped_replica_goes_in_the_second_pass_where_the_operator_opted_in() {
    let mut world = world([stopped("a")]).with(|policy| policy.delete_stopped = true);
    world.plans("").put([stopped("a").in_condition(
        Condition::Stopped { task: Some("powering-on".into()) },
        "stopped (powering-on)",
    )]);
    world.plans("").put([stopped("a")]);
    world.plans("").plans("delete a (a): stopped, and REPLICA_DELETE_STOPPED is on");
}

#[test]
fn whatever_else_an_operator_does_with_a_replica_is_left_alone_and_said_once() {
    for words in ["paused", "suspended", "rescued", "resized", "shelved_offloaded", "frobnicated"] {
        let mut world = world([set_aside("a", words)]).with(|policy| {
            policy.delete_stopped = true;
            policy.replace_silent_after = Some(Duration::from_secs(60));
        });
        world.passes(20).plans("").judged("a parked 0").says(Loudness::Standing, words);
    }
}

#[test]
fn a_locked_replica_is_never_deleted() {
    let everything = || {
        [
            finished("a"),
            unbuilt("b"),
            broken("c"),
            building("d").aged(OLD),
            stopped("e"),
            deleting("f").updated(OLD),
            silent("g"),
        ]
    };
    let opted_in = |policy: &mut crate::settings::Policy| {
        policy.delete_stopped = true;
        policy.replace_silent_after = Some(Duration::from_secs(60));
    };
    let mut unlocked = world(everything()).with(opted_in);
    unlocked.put([healthy("z", 1).aged(700)]);
    unlocked.delete_fails = unlocked.vms.keys().cloned().collect();
    unlocked.passes(3);
    assert_eq!(unlocked.plan.deletions.len(), 7, "all of them would go\n{}", unlocked.plan);

    let mut world = world(everything().map(Vm::locked)).with(opted_in);
    world.put([healthy("z", 1).aged(700).locked()]);
    world.plans("").plans("").plans("");
    world.judged(
        "a finished 0, b failed 0, c failed 0, d failed 0, e parked 0, f deleting 0, g silent 0, z healthy 1",
    );
    world.says(Loudness::Standing, "a (a) is finished but locked: it is not deleted");
    assert!(world.plan.replicas.iter().all(|replica| replica.locked), "shown as locked");
}

#[test]
fn of_several_addresses_the_first_in_numeric_order_is_asked() {
    let vm = silent("a")
        .nowhere()
        .at(NETWORK, "10.0.0.20")
        .at(NETWORK, "fd00::1")
        .at(NETWORK, "10.0.0.3");
    let mut world = world([vm.at("aaa", "10.0.0.1")]);
    world.pass();
    assert_eq!(world.plan.replicas[0].address, Some(ip("10.0.0.3")));
}

#[test]
fn a_renamed_network_is_found_as_the_only_other_one_with_a_warning() {
    let mut world = world([silent("a").nowhere().at("old-name", "10.0.0.3").says(1)]);
    world
        .plans("")
        .judged("a healthy 1")
        .says(Loudness::Warning, "its only other network old-name is used");
}

#[test]
fn two_other_networks_are_not_guessed_from() {
    let vm = silent("a").nowhere().at("one", "10.0.0.3").at("two", "10.0.1.3");
    world([vm.says(1)]).plans("").judged("a unreachable 0");
}

#[test]
fn a_replica_whose_network_is_not_known_in_this_pass_keeps_its_state() {
    let mut world = world([healthy("a", 2).at("other", "10.9.0.1"), silent("b")]);
    world.plans("").judged("a healthy 2, b silent 0");
    world.network = None;
    world.plans("").judged("a healthy 2, b silent 0");
}

#[test]
fn clocks_that_disagree_make_a_replica_young_not_ancient() {
    let mut future = building("a");
    future.server.created = start() + Duration::from_secs(OLD);
    world([future]).plans("").judged("a creating 1");
    let mut future = silent("a");
    future.server.launched = Launched::At(start() + Duration::from_secs(OLD));
    world([future]).plans("").judged("a starting 1");
}

#[test]
fn why_a_replica_cannot_be_reached_is_told_apart() {
    let elsewhere = |vm: Vm| vm.nowhere().at("x", "10.1.0.1").at("y", "10.2.0.1");
    let mut world = world([elsewhere(broken("a")), elsewhere(silent("b"))]);
    world.pass().judged("a unreachable 0, b unreachable 0");
    let why: Vec<&str> = world.plan.replicas.iter().map(|one| one.why.as_str()).collect();
    assert_eq!(why, ["in error, with no address to ask", "no fixed address after 900 s"]);
}

#[test]
fn a_pass_in_which_it_was_not_asked_does_not_begin_the_count_of_its_silences_anew() {
    let mut world = world([broken("a"), healthy("z", 1)]);
    world.plans("").put([broken("a").unasked()]).plans("").put([broken("a")]);
    world.pass().deletes(&["a"]);
}
