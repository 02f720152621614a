//! Several scalers of one pool: one acts, the others stand by and take over.

use std::collections::BTreeSet;

use rustix::process::Signal;
use serde_json::json;

use crate::daemon::{Daemon, Settings, once, run};
use crate::expect;
use crate::fake::{Cloud, Fault, Gate, Manner, Recorded, Says, Service, Times};
use crate::manager::Manager;
use crate::running::content;

/// One of the scalers of `cloud`'s pool. The validity is as short as the settings allow.
fn scaler(cloud: &Cloud, name: &str) -> Settings {
    Settings::of_loop(cloud)
        .with("APP_LEASE", "openstack")
        .with("APP_LEASE_SECONDS", "6")
        .with("APP_NAME", name)
        .with("OPENSTACK_METADATA_VALUE", "scaler")
        .with("OPENSTACK_API_TIMEOUT", "2")
}

/// The first acts, the second stands by.
fn two(cloud: &Cloud) -> (Daemon, Daemon) {
    let left = Daemon::start(&scaler(cloud, "left"));
    left.wait_for_log(&["INFO", "acting: nobody held the lease"]);
    left.wait_for_passes(cloud, 1);
    let right = Daemon::start(&scaler(cloud, "right"));
    right.wait_for_log(&["INFO", "standing by: left acts"]);
    (left, right)
}

/// Requests that look at the pool or change it: all but logins and the lease's own.
fn of_the_pool(cloud: &Cloud) -> Vec<Recorded> {
    let mut requests = cloud.requests();
    requests.retain(|request| matches!(request.service, Service::Compute | Service::Network));
    requests
}

/// Whose they are: each scaler has a login of its own.
fn logins(requests: &[Recorded]) -> BTreeSet<String> {
    let tokens = requests.iter().filter_map(|request| request.header("x-auth-token"));
    tokens.map(str::to_owned).collect()
}

fn changes(cloud: &Cloud) -> Vec<Recorded> {
    let mut requests = of_the_pool(cloud);
    requests.retain(Recorded::changes_something);
    requests
}

#[test]
fn of_two_scalers_one_acts_and_both_say_so() {
    let cloud = content();
    let (left, right) = two(&cloud);
    left.wait_for_passes(&cloud, 3);
    let pool = of_the_pool(&cloud);
    assert_eq!(logins(&pool).len(), 1, "the standby looked at the pool: {}", cloud.journal());
    let (_, page) = left.get("/status");
    assert_eq!((&page["isMaster"], &page["lease"]["part"]), (&json!(true), &json!("acts")));
    let (_, page) = right.get("/status");
    assert_eq!((&page["isMaster"], &page["lease"]["holder"]), (&json!(false), &json!("left")));
    assert_eq!(page["passes"], 0, "{page}");
    for daemon in [&left, &right] {
        assert_eq!(daemon.get("/healthz").0, 200, "{}", daemon.log());
        assert_eq!(daemon.get("/livez").0, 200, "{}", daemon.log());
    }
    let metrics = |daemon: &Daemon| {
        let pages = daemon.pages();
        pages.into_iter().find(|(name, _)| name.starts_with("/metrics")).unwrap().1
    };
    assert!(metrics(&left).contains("\nsimplescalevm_leader 1\n"));
    assert!(metrics(&right).contains("\nsimplescalevm_leader 0\n"));
    let page = right.pages().into_iter().find(|(name, _)| name == "/ as text/html").unwrap().1;
    assert!(page.contains("standing by: left acts"), "{page}");
}

#[test]
fn a_standby_changes_nothing_and_only_reads_the_lease() {
    let cloud = content();
    let left = Daemon::start(&scaler(&cloud, "left"));
    left.wait_for_log(&["acting: nobody held the lease"]);
    let of_left = logins(&cloud.requests());
    let right = Daemon::start(&scaler(&cloud, "right"));
    right.wait_for_log(&["standing by: left acts"]);
    let by_right = || {
        let mut requests = cloud.requests();
        requests.retain(|one| logins(std::slice::from_ref(one)).difference(&of_left).count() > 0);
        requests
    };
    // The pool's own login of the left one comes later than that of its lease.
    let lists = || {
        let is_list = |one: &&Recorded| one.service == Service::Image && one.method == "GET";
        by_right().iter().filter(is_list).count()
    };
    right.wait_until("three looks", || lists() >= 3);
    let changes = cloud.requests().into_iter().filter(Recorded::changes_something);
    let changing = logins(&changes.collect::<Vec<_>>());
    assert!(changing.is_subset(&of_left), "{}", cloud.journal());
}

#[test]
fn an_orderly_end_hands_over_and_the_successor_may_create_at_once() {
    let cloud = content();
    cloud.boots_say(Says::free(1));
    // Were it not handed over, a creation would have to wait for two hours.
    let slow = |name| scaler(&cloud, name).with("OPENSTACK_API_TIMEOUT", "3600");
    let mut left = Daemon::start(&slow("left"));
    left.wait_for_log(&["acting: nobody held the lease"]);
    left.wait_for_passes(&cloud, 1);
    let right = Daemon::start(&slow("right"));
    right.wait_for_log(&["standing by: left acts"]);
    let id = cloud.state().servers[0].id.clone();
    left.terminate().expect_status(0).expect_line(&["INFO", "handed the lease over"]);
    cloud.replica(&id, Says::finished());
    right.wait_for_log(&["INFO", "taken over from left: it handed the lease over"]);
    right.wait_until("the finished one replaced", || {
        let state = cloud.state();
        state.servers.len() == 3 && state.servers.iter().all(|server| server.id != id)
    });
    assert_eq!(right.get("/status").1["isMaster"], true);
}

#[test]
fn a_creation_that_may_still_take_effect_is_not_handed_over() {
    let cloud = Cloud::start();
    cloud.fault("POST", "/servers", Times::Always, Fault::Sent(Manner::Closed));
    let settings = scaler(&cloud, "left").with("OPENSTACK_API_TIMEOUT", "3600");
    let mut left = Daemon::start(&settings);
    left.wait_for_log(&["ERROR", "cannot create"]);
    let ran = left.terminate();
    ran.expect_status(0);
    assert!(!ran.output().contains("handed the lease over"), "{ran}");
    ran.expect_line(&[
        "INFO",
        "not handing over the lease, which will run out by itself: a creation may still take",
    ]);
    let records = cloud.requests().into_iter().filter(|one| one.service == Service::Image);
    let released = records.filter(|one| String::from_utf8_lossy(&one.body).contains("released"));
    assert_eq!(released.count(), 0, "{}", cloud.journal());
}

#[test]
fn who_is_killed_is_followed_and_only_creations_wait() {
    let cloud = content();
    cloud.boots_say(Says::free(1));
    let (mut left, right) = two(&cloud);
    left.signal(Signal::KILL);
    left.wait_for_end();
    let id = cloud.state().servers[0].id.clone();
    cloud.replica(&id, Says::finished());
    right.wait_for_log(&["WARN", "taken over from left: it did not renew the lease for 6 s"]);
    right.wait_for_log(&["not done in this pass: create 1 replica", "creations wait"]);
    right.wait_until("the finished one deleted", || cloud.count("DELETE", &id) == 1);
    assert_eq!(right.wait_for_status("/healthz", 200)["healthy"], true, "to wait is no fault");
    right.wait_until("one made in its place", || cloud.count("POST", "/servers") == 1);
    right.wait_for_passes(&cloud, 2);
    let methods: Vec<_> = changes(&cloud).iter().map(|one| one.method.clone()).collect();
    assert_eq!(methods, ["DELETE", "POST"], "{}\n{}", cloud.journal(), right.log());
}

#[test]
fn who_was_stopped_in_the_middle_of_a_pass_changes_nothing_when_it_goes_on() {
    let cloud = content();
    cloud.boots_say(Says::free(1));
    // Its request is still waited for when it goes on.
    let left = Daemon::start(&scaler(&cloud, "left").with("OPENSTACK_API_TIMEOUT", "3600"));
    left.wait_for_log(&["acting"]);
    left.wait_for_passes(&cloud, 1);
    let right = Daemon::start(&scaler(&cloud, "right"));
    right.wait_for_log(&["standing by: left acts"]);
    let of_left = logins(&of_the_pool(&cloud));
    let id = cloud.state().servers[0].id.clone();
    let gate = Gate::default();
    // The look just before the deletion, which shows it as it was then.
    cloud.fault("GET", &format!("/servers/{id}"), Times::Always, Fault::HeldAfter(gate.clone()));
    cloud.replica(&id, Says::finished());
    left.wait_until("the last look before the deletion", || gate.reached() == 1);
    left.signal(Signal::STOP);
    right.wait_for_log(&["taken over from left"]);
    gate.open();
    right.wait_until("deleted by the successor", || cloud.count("DELETE", &id) == 1);
    left.signal(Signal::CONT);
    left.wait_for_log(&["WARN", "lost the lease to another scaler: standing by"]);
    left.wait_for_log(&["not done in this pass: delete a", "the lease was "]);
    right.wait_until("one made in its place", || cloud.count("POST", "/servers") == 1);
    right.wait_for_passes(&cloud, 2);
    let changing = logins(&changes(&cloud));
    assert!(changing.is_disjoint(&of_left), "{}\n{}", cloud.journal(), left.log());
    assert_eq!(left.get("/status").1["isMaster"], false);
}

#[test]
fn while_the_lease_cannot_be_renewed_passes_go_on_and_change_nothing() {
    let cloud = content();
    cloud.boots_say(Says::free(1));
    let daemon = Daemon::start(&scaler(&cloud, "left"));
    daemon.wait_for_log(&["acting: nobody held the lease"]);
    daemon.wait_for_passes(&cloud, 1);
    cloud.stop(Service::Image);
    daemon.wait_for_log(&["WARN", "cannot ", "the lease: "]);
    daemon.wait_until("a lease that lapsed", || {
        daemon.get("/status").1["lease"]["part"] == json!("lapsed")
    });
    let id = cloud.state().servers[0].id.clone();
    cloud.replica(&id, Says::finished());
    daemon.wait_for_log(&["not done in this pass: delete", "the lease was not renewed in time"]);
    let (status, health) = daemon.get("/healthz");
    let why = health["why"].as_str().unwrap_or_default();
    assert!(status == 503 && why.contains("the lease was not renewed in time"), "{status} {why}");
    daemon.wait_for_passes(&cloud, 2);
    assert!(changes(&cloud).is_empty(), "{}", cloud.journal());
    cloud.start_again(Service::Image);
    daemon.wait_for_log(&["INFO", "the lease can be kept again"]);
    daemon.wait_until("the finished one deleted", || cloud.count("DELETE", &id) == 1);
    daemon.wait_for_status("/healthz", 200);
}

#[test]
fn a_standby_that_cannot_read_the_lease_is_not_healthy() {
    let cloud = content();
    let (_left, right) = two(&cloud);
    assert_eq!(right.get("/healthz").0, 200);
    cloud.stop(Service::Image);
    let health = right.wait_for_status("/healthz", 503);
    assert!(health["why"].as_str().unwrap().contains("the lease could not be read"), "{health}");
    assert_eq!(right.get("/livez").0, 200, "the program itself is well");
}

#[test]
fn once_beside_a_holder_leaves_the_pass_to_it() {
    let cloud = Cloud::start();
    cloud.boots_say(Says::free(1));
    let mut left = Daemon::start(&scaler(&cloud, "left"));
    left.wait_until("three replicas", || cloud.state().servers.len() == 3);
    left.wait_for_passes(&cloud, 1);
    let of_left = logins(&of_the_pool(&cloud));
    let settings = scaler(&cloud, "timer");
    let ran = once(&settings);
    ran.expect_status(0);
    assert!(ran.output().trim().is_empty(), "cron would mail this: {ran}");
    once(&settings.clone().with("RUST_LOG", "debug"))
        .expect_line(&["DEBUG", "left holds the lease"]);
    assert_eq!(logins(&of_the_pool(&cloud)), of_left, "it looked at the pool");
    left.terminate().expect_status(0);
    once(&settings).expect_status(0);
    assert_eq!(logins(&of_the_pool(&cloud)).len(), 2, "nobody holds it, so a pass is made");
    cloud.stop(Service::Image);
    once(&settings).expect_status(1).expect_line(&["ERROR", "refused"]);
}

#[test]
fn a_check_shows_who_holds_the_lease_and_takes_nothing() {
    let cloud = content();
    let settings = scaler(&cloud, "left");
    let check = |words: &[&str]| {
        let before = cloud.changes().len();
        run(&["--check"], &settings).expect_line(words);
        assert_eq!(cloud.changes().len(), before, "{}", cloud.journal());
    };
    check(&[
        "ok",
        "lease",
        "group=scaler: nobody has held it yet; this scaler would take it, as left",
    ]);
    let mut left = Daemon::start(&settings);
    left.wait_for_log(&["acting"]);
    // What the daemon itself does meanwhile changes the record.
    run(&["--check"], &settings).expect_line(&["ok", "lease", "group=scaler: left holds it"]);
    left.terminate().expect_status(0);
    check(&["ok", "lease", "left handed it over"]);
    cloud.fault("GET", "/v2/images", Times::Always, Fault::Echo(403));
    run(&["--check"], &settings).expect_status(1).expect_line(&["FAULT", "lease", "403"]);
}

#[test]
fn a_dry_run_of_the_loop_neither_takes_the_lease_nor_waits_for_it() {
    let cloud = Cloud::start();
    let mut daemon = Daemon::start_with(&["--dry-run"], &scaler(&cloud, "left"));
    daemon.wait_for_passes(&cloud, 2);
    assert_eq!(daemon.get("/status").1["isMaster"], false, "it changes nothing");
    let ran = daemon.terminate();
    ran.expect_status(0).expect_line(&["create 3"]);
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_service_manager_hears_that_a_standby_is_ready_and_of_its_turn() {
    let cloud = content();
    let mut left = Daemon::start(&scaler(&cloud, "left"));
    left.wait_for_log(&["acting"]);
    let manager = Manager::listen();
    let right = Daemon::start(&scaler(&cloud, "right").with("NOTIFY_SOCKET", &manager.name));
    let told = manager.told_until("STATUS=standing by: left acts", &right);
    assert!(told.contains(&"READY=1".to_owned()), "{told:?}");
    left.terminate();
    let told = manager.told_until("READY=1", &right);
    let last = told.iter().rfind(|one| one.starts_with("STATUS=")).expect("a status");
    assert!(last.starts_with("STATUS=acts; 3 replicas"), "{told:?}");
}
