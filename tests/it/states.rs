//! The two state tables, as far as one pass of the executable shows them.

use std::time::Duration;

use crate::daemon::{Ran, Settings, once};
use crate::expect;
use crate::fake::{Cloud, Manner, Says};

/// Three healthy replicas with nothing free beside the server in question: whether it counts for something shows in
/// how many are created, and whether it may go in what is deleted.
fn pool() -> Cloud {
    let cloud = Cloud::start();
    for name in ["a", "b", "c"] {
        cloud.add_replica(name, Says::free(0));
    }
    cloud
}

/// Resources are missing in each of these passes, so a silent replica shows in the status.
fn pass(cloud: &Cloud) -> Ran {
    let ran = once(&Settings::of(cloud));
    ran.expect_status(i32::from(ran.stderr.contains(" is silent: ")));
    ran
}

/// Adds a server in the states given, which Nova launched an hour ago.
fn add(cloud: &Cloud, vm_state: &str, task_state: Option<&str>) -> String {
    let id = cloud.add_silent("x");
    let mut state = cloud.state();
    let now = state.now();
    let server = state.server(&id);
    server.updated = now;
    server.vm_state = vm_state.into();
    server.task_state = task_state.map(str::to_owned);
    id
}

fn make_it_young(cloud: &Cloud, id: &str) {
    let mut state = cloud.state();
    let a_minute_ago = state.now() - Duration::from_secs(60);
    let server = state.server(id);
    server.created = a_minute_ago;
    server.launched = server.launched.and(Some(a_minute_ago));
}

#[track_caller]
fn check(cloud: &Cloud, created: u64, deleted: &[&str]) {
    let ran = pass(cloud);
    expect::created(cloud, &ran, created);
    expect::deleted(cloud, &ran, deleted);
}

#[test]
fn whatever_an_operator_did_to_a_server_it_is_left_alone_and_counts_nothing() {
    let cases = [
        "stopped",
        "paused",
        "suspended",
        "rescued",
        "resized",
        "shelved",
        "shelved_offloaded",
        "a-word-of-the-future",
    ];
    expect::each(cases, |vm_state| {
        let cloud = pool();
        add(&cloud, vm_state, None);
        check(&cloud, 3, &[]);
    });
}

#[test]
fn a_silent_server_with_a_task_under_way_is_parked() {
    let cases = ["rebooting", "image_snapshot", "rebuilding", "resize_prep", "powering-off"];
    expect::each(cases, |task| {
        let cloud = pool();
        add(&cloud, "active", Some(task));
        check(&cloud, 3, &[]);
    });
}

#[test]
fn stopped_servers_are_deleted_on_request_only_when_nothing_is_under_way() {
    let cloud = pool();
    let stopped = add(&cloud, "stopped", None);
    add(&cloud, "stopped", Some("powering-on"));
    let ran = once(&Settings::of(&cloud).with("REPLICA_DELETE_STOPPED", "true"));
    ran.expect_status(0);
    expect::deleted(&cloud, &ran, &[&stopped]);
}

#[test]
fn parked_servers_count_against_the_max() {
    let cloud = Cloud::start();
    for vm_state in ["stopped", "paused", "shelved_offloaded"] {
        add(&cloud, vm_state, None);
    }
    let ran = once(&Settings::of(&cloud).with("REPLICA_MAX", "4"));
    expect::created(&cloud, &ran, 1);
    ran.expect_line(&["REPLICA_MAX"]);
}

#[test]
fn a_building_server_counts_until_its_launch_timeout_and_then_goes() {
    let cloud = pool();
    let young = add(&cloud, "building", Some("spawning"));
    cloud.state().server(&young).launched = None;
    make_it_young(&cloud, &young);
    check(&cloud, 2, &[]);

    let cloud = pool();
    let old = add(&cloud, "building", Some("spawning"));
    cloud.state().server(&old).launched = None;
    check(&cloud, 3, &[&old]);
}

#[test]
fn an_active_server_without_an_address_counts_while_young_and_is_never_deleted() {
    let cloud = pool();
    let id = add(&cloud, "active", None);
    cloud.state().port_of(&id).device_id.clear();
    make_it_young(&cloud, &id);
    check(&cloud, 2, &[]);

    let cloud = pool();
    let id = add(&cloud, "active", None);
    cloud.state().port_of(&id).device_id.clear();
    let ran = pass(&cloud);
    expect::created(&cloud, &ran, 3);
    expect::deleted(&cloud, &ran, &[]);
    ran.expect_line(&["WARN", &id, "address"]);
}

#[test]
fn a_server_in_error_that_never_ran_is_replaced() {
    let cloud = pool();
    let id = add(&cloud, "error", None);
    cloud.state().server(&id).launched = None;
    check(&cloud, 3, &[&id]);
}

#[test]
fn a_server_in_error_that_answers_is_kept() {
    let cloud = pool();
    let id = add(&cloud, "error", None);
    cloud.replica(&id, Says::free(1));
    check(&cloud, 2, &[]);
}

#[test]
fn a_server_in_error_that_ran_once_and_is_silent_now_is_replaced() {
    let cloud = pool();
    let id = add(&cloud, "error", None);
    check(&cloud, 3, &[&id]);
}

#[test]
fn a_server_that_is_being_deleted_counts_nothing_and_is_not_deleted_again() {
    for (vm_state, task_state) in [
        ("active", Some("deleting")),
        ("deleted", None),
        ("soft-delete", None),
        ("active", Some("soft-deleting")),
    ] {
        let cloud = pool();
        let id = add(&cloud, vm_state, task_state);
        cloud.replica(&id, Says::free(1));
        check(&cloud, 3, &[]);
    }
}

#[test]
fn a_locked_server_is_never_deleted() {
    let cloud = pool();
    let finished = add(&cloud, "active", None);
    cloud.replica(&finished, Says::finished());
    let broken = add(&cloud, "error", None);
    {
        let mut state = cloud.state();
        state.server(&broken).launched = None;
        state.server(&broken).locked = true;
        state.server(&finished).locked = true;
    }
    check(&cloud, 3, &[]);
}

#[test]
fn a_finished_replica_goes_and_is_replaced_where_it_is_missed() {
    let cloud = pool();
    let id = cloud.add_replica("done", Says::finished());
    check(&cloud, 3, &[&id]);
}

#[test]
fn a_finished_replica_goes_even_while_a_task_is_under_way() {
    let cloud = pool();
    let id = add(&cloud, "active", Some("image_snapshot"));
    cloud.replica(&id, Says::finished());
    check(&cloud, 3, &[&id]);
}

#[test]
fn a_young_silent_replica_counts_in_full_and_an_old_one_not_at_all() {
    let cloud = pool();
    let id = add(&cloud, "active", None);
    make_it_young(&cloud, &id);
    check(&cloud, 2, &[]);

    let cloud = pool();
    add(&cloud, "active", None);
    check(&cloud, 3, &[]);
}

#[test]
fn whatever_is_no_valid_answer_is_silence_and_never_a_reason_to_delete() {
    let raw = |status: u16, body: &str| Says::Raw(status, body.into());
    let cases = [
        raw(503, r#"{"capacity": 1, "termination": true}"#),
        raw(404, ""),
        raw(200, "<html>it works</html>"),
        raw(200, "null"),
        raw(200, r#"{"capacity": 1}"#),
        raw(200, r#"{"termination": true}"#),
        raw(200, r#"{"capacity": -1, "termination": true}"#),
        raw(200, r#"{"capacity": 1.5, "termination": true}"#),
        raw(200, r#"{"capacity": 0, "termination": "true"}"#),
        raw(200, r#"{"capacity": null, "termination": true}"#),
        raw(
            200,
            &format!(
                "{{\"pad\": \"{}\", \"capacity\": 0, \"termination\": true}}",
                "x".repeat(70_000)
            ),
        ),
        Says::Redirect("/elsewhere".into()),
        Says::black_hole(),
        Says::Badly(Manner::Drip),
        Says::Badly(Manner::Closed),
        Says::Badly(Manner::Reset),
        Says::Badly(Manner::CutShort),
        Says::Badly(Manner::HangInBody),
    ];
    expect::each(cases, |says| {
        let cloud = pool();
        cloud.add_replica("odd", says.clone());
        let ran = pass(&cloud);
        assert_eq!(cloud.changes().len(), 1, "{says:?}: {}\n{ran}", cloud.journal());
        expect::created(&cloud, &ran, 3);
    });
}

#[test]
fn what_a_lenient_reader_takes_is_a_valid_answer() {
    for body in [
        r#"{"capacity": 1.0, "termination": false, "more": [1, 2]}"#,
        r#"{"capacity": 1, "termination": 0}"#,
    ] {
        let cloud = pool();
        cloud.add_replica("odd", Says::Raw(201, body.into()));
        check(&cloud, 2, &[]);
    }
}

#[test]
fn a_deletion_that_hangs_is_asked_for_again() {
    let cloud = pool();
    let id = add(&cloud, "active", Some("deleting"));
    let ten_minutes_ago = cloud.state().now() - Duration::from_secs(601);
    cloud.state().server(&id).updated = ten_minutes_ago;
    check(&cloud, 3, &[&id]);
}
