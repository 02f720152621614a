//! Lists of servers: all pages, or nothing is decided.

use std::time::Duration;

use crate::daemon::{Daemon, Settings, once};
use crate::expect;
use crate::fake::{Build, Cloud, Fault, Fixed, Manner, Says, Then, Times};

#[test]
fn all_pages_are_read() {
    let cloud = Cloud::start();
    for number in 0..6 {
        let id = cloud.state().add_server(&format!("other-{number}"), Fixed::Next);
        cloud.state().server(&id).metadata.clear();
    }
    for name in ["a", "b", "c"] {
        cloud.add_replica(name, Says::free(1));
    }
    cloud.state().page_max = 2;
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
    assert_eq!(cloud.count("GET", "/servers/detail"), 5, "{}\n{ran}", cloud.journal());
}

#[test]
fn thousands_cost_a_request_a_page_and_one_question_each() {
    let cloud = Cloud::start();
    cloud.list_crowd(2500, 0);
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
    assert_eq!(cloud.count("GET", "/servers/detail"), 3, "{}\n{ran}", cloud.journal());
    let (_, questions) = cloud.connections();
    assert_eq!(questions, 2500, "{ran}");
}

#[test]
fn a_list_that_ends_early_decides_nothing() {
    let cases = [
        Fault::html(503),
        Fault::Truncated,
        Fault::Sent(Manner::CutShort),
        Fault::Sent(Manner::ResetHalfWay),
    ];
    expect::each(cases, |fault| {
        let cloud = Cloud::start();
        for name in ["a", "b", "c", "d"] {
            cloud.add_replica(name, Says::finished());
        }
        cloud.state().page_max = 2;
        cloud.fault("GET", "marker=*", Times::Always, fault.clone());
        let ran = once(&Settings::of(&cloud).with("OPENSTACK_API_TIMEOUT", "2"));
        assert_eq!(ran.status, Some(1), "{fault:?}\n{ran}");
        ran.expect_line(&["ERROR", "list", "servers"]);
        expect::no_change(&cloud, &ran);
    });
}

/// Four replicas on pages of two: `a` and `c` change places after each of the next pages, so many times. When that is the
/// first page of a list, one of them is on two pages, and the other on none.
fn moving_list(times: usize) -> Cloud {
    let cloud = Cloud::start();
    for (name, age) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        let id = cloud.add_replica(name, Says::free(1));
        let mut state = cloud.state();
        let created = state.now() - Duration::from_secs(3600 + age);
        state.server(&id).created = created;
    }
    cloud.state().page_max = 2;
    for _ in 0..times {
        cloud.then("GET", "/servers/detail", Then::SwapServers("a", "c"));
    }
    cloud
}

#[test]
fn a_list_that_moves_while_it_is_read_is_read_again() {
    let cloud = moving_list(1);
    let ran = once(&Settings::of(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "4"));
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
    assert_eq!(cloud.count("GET", "/servers/detail"), 6, "two lists\n{}\n{ran}", cloud.journal());
}

#[test]
fn a_page_after_a_server_that_is_gone_meanwhile_is_no_end_of_the_list() {
    let cloud = moving_list(0);
    let other = cloud.state().add_server("other", Fixed::Next);
    cloud.state().server(&other).metadata.clear();
    // The newest are on the first page: `a`, which goes, is the last there.
    cloud.state().server(&other).created += Duration::from_secs(60);
    cloud.then("GET", "/servers/detail", Then::Remove("a"));
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
    assert_eq!(cloud.count("GET", "/servers/detail"), 5, "{}\n{ran}", cloud.journal());
}

#[test]
fn a_page_that_is_never_to_be_had_decides_nothing() {
    let cloud = moving_list(0);
    cloud.fault("GET", "marker=*", Times::Always, Fault::html(400));
    let ran = once(&Settings::of(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "4"));
    ran.expect_status(1);
    ran.expect_line(&["ERROR", "cannot list the servers", "the list changed", "status 400"]);
    expect::no_change(&cloud, &ran);
}

#[test]
fn replicas_that_a_short_list_leaves_out_are_not_made_again() {
    let cloud = Cloud::start();
    for number in 0..20 {
        cloud.add_replica(&format!("r{number}"), Says::free(1));
    }
    let settings = Settings::of_loop(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "20");
    let mut daemon = Daemon::start(&settings);
    daemon.wait_for_passes(&cloud, 2);
    for number in 0..12 {
        let id = cloud.add_silent(&format!("other-{number}"));
        let mut state = cloud.state();
        let now = state.now();
        let server = state.server(&id);
        server.metadata.clear();
        (server.vm_state, server.task_state) = ("building".into(), Some("scheduling".into()));
        (server.created, server.launched, server.build) = (now, None, Some(Build::Active(6)));
    }
    {
        // 32 servers and the 12 of them that are being scheduled are six more than a page.
        let mut state = cloud.state();
        (state.page_max, state.short_while_scheduling) = (38, true);
    }
    daemon.wait_until("six are looked up", || look_ups(&cloud) >= 6);
    daemon.wait_for_passes(&cloud, 8);
    let ran = daemon.terminate();
    expect::no_change(&cloud, &ran);
    assert_eq!(cloud.state().servers.len(), 32, "{ran}");
}

#[test]
fn a_batch_of_nearly_a_page_is_made_once() {
    let cloud = Cloud::start();
    {
        let mut state = cloud.state();
        (state.page_max, state.short_while_scheduling) = (50, true);
        state.build = Build::Active(5);
    }
    let settings = Settings::of_loop(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "45");
    let mut daemon = Daemon::start(&settings.with("REPLICA_MAX", "90"));
    daemon.wait_for_passes(&cloud, 12);
    let ran = daemon.terminate();
    expect::created(&cloud, &ran, 45);
    assert_eq!(cloud.state().servers.len(), 45, "{ran}");
}

/// How often one server was looked up.
fn look_ups(cloud: &Cloud) -> usize {
    let one = |path: &str| path.contains("/servers/") && !path.ends_with("/detail");
    cloud.requests().iter().filter(|request| one(request.path())).count()
}

#[test]
fn a_list_that_keeps_moving_decides_nothing() {
    let cloud = moving_list(9);
    let ran = once(&Settings::of(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "4"));
    ran.expect_status(1);
    ran.expect_line(&["ERROR", "cannot list the servers", "the list changed each of the 3 times"]);
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_cell_that_is_down_makes_the_list_partial() {
    let cloud = Cloud::start();
    let id = cloud.add_replica("a", Says::free(3));
    cloud.add_replica("done", Says::finished());
    cloud.state().server(&id).cell_down = true;
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(1).expect_line(&["ERROR", "partial"]);
    expect::no_change(&cloud, &ran);
}

#[test]
fn the_microversion_is_2_69_or_the_highest_below() {
    for (offered, spoken) in [
        (Some(93), Some("compute 2.69")),
        (Some(69), Some("compute 2.69")),
        (Some(38), Some("compute 2.38")),
    ] {
        let cloud = Cloud::start();
        cloud.state().microversion_max = offered;
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(0);
        let requests = cloud.requests();
        let list = requests.iter().find(|request| request.path().ends_with("/servers/detail"));
        let header = list.unwrap().header("openstack-api-version");
        assert_eq!(header, spoken, "with 2.{offered:?} offered\n{ran}");
    }
}

#[test]
fn a_nova_without_microversions_will_do() {
    let cloud = Cloud::start();
    cloud.state().microversion_max = None;
    let settings = Settings::of(&cloud);
    once(&settings).expect_status(0);
    cloud.forget_requests();
    let ran = once(&settings);
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
}

#[test]
fn the_first_page_is_asked_for_without_a_limit() {
    let cloud = Cloud::start();
    let ran = once(&Settings::of(&cloud));
    let requests = cloud.requests();
    let list = requests.iter().find(|request| request.path().ends_with("/servers/detail")).unwrap();
    assert!(!list.target.contains("limit="), "a limit hides the servers of a down cell\n{ran}");
}
