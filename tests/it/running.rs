//! The loop: one pass after the other, whatever the cloud does, until a signal.

use rustix::process::Signal;

use crate::daemon::{Daemon, Settings};
use crate::expect;
use crate::fake::{Cloud, Fault, Gate, Manner, Says, Service, Times};

/// A pool that wants nothing.
pub fn content() -> Cloud {
    let cloud = Cloud::start();
    for name in ["a", "b", "c"] {
        cloud.add_replica(name, Says::free(1));
    }
    cloud
}

#[test]
fn passes_follow_each_other_with_one_list_and_no_further_login() {
    let cloud = content();
    cloud.state().add_floating_ip(None);
    let settings = Settings::of_loop(&cloud).with("EXTERNAL_ADDRESS_MANAGEMENT", "true");
    let daemon = Daemon::start(&settings);
    daemon.wait_until("the address bound", || !cloud.changes().is_empty());
    daemon.wait_for_passes(&cloud, 1);
    let before = cloud.requests().len();
    daemon.wait_for_passes(&cloud, 3);
    let steady: Vec<String> = cloud.requests()[before..]
        .iter()
        .map(|request| format!("{} {}", request.method, request.path().rsplit('/').next().unwrap()))
        .filter(|line| line != "GET floatingips" && line != "GET detail")
        .collect();
    assert!(steady.is_empty(), "more than two requests a pass: {steady:?}\n{}", daemon.log());
}

#[test]
fn a_pool_grows_to_its_minimum_and_no_further() {
    let cloud = Cloud::start();
    cloud.boots_say(Says::free(1));
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_until("three active servers", || {
        cloud.state().servers.iter().filter(|server| server.vm_state == "active").count() == 3
    });
    daemon.wait_for_passes(&cloud, 3);
    assert_eq!(cloud.changes().len(), 1, "{}\n{}", cloud.journal(), daemon.log());
}

#[test]
fn a_finished_replica_is_replaced() {
    let cloud = content();
    cloud.boots_say(Says::free(1));
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_for_passes(&cloud, 1);
    let id = cloud.state().servers[0].id.clone();
    cloud.replica(&id, Says::finished());
    daemon.wait_until("another server in its place", || {
        let state = cloud.state();
        state.servers.len() == 3 && state.servers.iter().all(|server| server.id != id)
    });
    daemon.wait_for_passes(&cloud, 2);
    let methods: Vec<_> = cloud.changes().iter().map(|request| request.method.clone()).collect();
    assert_eq!(methods, ["DELETE", "POST"], "{}\n{}", cloud.journal(), daemon.log());
}

#[test]
fn one_black_hole_disturbs_no_other_replica() {
    let cloud = content();
    cloud.add_replica("hole", Says::black_hole());
    let mut daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_for_passes(&cloud, 4);
    assert!(cloud.changes().is_empty(), "{}\n{}", cloud.journal(), daemon.log());
    daemon.terminate().expect_status(0);
}

#[test]
fn both_signals_end_the_loop_with_status_0() {
    let cases = [Signal::TERM, Signal::INT];
    expect::each(cases, |signal| {
        let cloud = content();
        let mut daemon = Daemon::start(&Settings::of_loop(&cloud).with("APP_INTERVAL", "3600"));
        daemon.wait_for_passes(&cloud, 1);
        daemon.signal(signal);
        daemon.wait_for_end().expect_status(0);
    });
}

#[test]
fn a_signal_ends_a_pass_that_is_stuck() {
    for fault in [Fault::HeldBefore(Gate::default()), Fault::Sent(Manner::HangInBody)] {
        let cloud = content();
        cloud.fault("GET", "/servers/detail", Times::Always, fault);
        // Far longer than the test waits for the end.
        let settings = Settings::of_loop(&cloud).with("OPENSTACK_API_TIMEOUT", "600");
        let mut daemon = Daemon::start(&settings);
        daemon.wait_until("the list asked for", || cloud.count("GET", "/servers/detail") == 1);
        let ran = daemon.terminate();
        ran.expect_status(0).expect_line(&["INFO", "a request is still under way"]);
    }
}

#[test]
fn a_signal_while_black_holes_are_probed_ends_the_loop() {
    let cloud = Cloud::start();
    let hole = cloud.add_replica("hole", Says::black_hole());
    let settings =
        Settings::of_loop(&cloud).with("APP_INTERVAL", "3600").with("REPLICA_API_TIMEOUT", "600");
    let mut daemon = Daemon::start(&settings);
    daemon.wait_until("the hole asked", || cloud.asked(&hole) == 1);
    daemon.terminate().expect_status(0);
    assert!(cloud.changes().is_empty(), "half a look decided: {}", cloud.journal());
}

#[test]
fn who_is_not_asked_because_of_a_signal_is_no_fault_of_this_machine() {
    let cloud = Cloud::start();
    let holes = ["a", "b", "c"].map(|name| cloud.add_replica(name, Says::black_hole()));
    let settings = Settings::of_loop(&cloud).with("APP_INTERVAL", "3600");
    let settings = settings.with("REPLICA_API_CONCURRENCY", "1");
    let mut daemon = Daemon::start(&settings.with("REPLICA_API_TIMEOUT", "1"));
    let asked = || holes.iter().map(|hole| cloud.asked(hole)).sum::<usize>();
    daemon.wait_until("the first hole asked", || asked() == 1);
    let ran = daemon.terminate();
    ran.expect_status(0);
    ran.expect_line(&["in the middle of a pass: the program is stopping; nothing was changed"]);
}

#[test]
fn each_service_may_come_and_go_without_a_vm_too_many() {
    let cases = [Service::Identity, Service::Compute, Service::Network, Service::Image];
    expect::each(cases, |service| {
        let cloud = Cloud::start();
        cloud.boots_say(Says::free(1));
        let settings = Settings::of_loop(&cloud).with("OPENSTACK_API_TIMEOUT", "2");
        cloud.stop(service);
        let mut daemon = Daemon::start(&settings);
        daemon.wait_for_log(&["ERROR", "refused"]);
        cloud.start_again(service);
        daemon.wait_until("three active servers", || {
            cloud.state().servers.iter().filter(|server| server.vm_state == "active").count() == 3
        });
        daemon.wait_for_log(&["INFO", "recovered"]);
        daemon.wait_for_passes(&cloud, 2);
        assert_eq!(cloud.state().servers.len(), 3, "{service:?}: {}", cloud.journal());
        daemon.terminate().expect_status(0);
    });
}

#[test]
fn a_dry_run_of_the_loop_changes_nothing() {
    let cloud = Cloud::start();
    let mut daemon = Daemon::start_with(&["--dry-run"], &Settings::of_loop(&cloud));
    daemon.wait_for_passes(&cloud, 2);
    let ran = daemon.terminate();
    ran.expect_status(0).expect_line(&["create 3"]);
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_it() {
    let cloud = content();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut daemon = Daemon::start(&Settings::of_loop(&cloud).with("APP_PORT", &port));
    daemon.wait_for_log(&["ERROR", &port]);
    assert_ne!(daemon.wait_for_end().status, Some(0));
}
