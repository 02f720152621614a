//! What a lease costs: requests per minute at the default validity.

use std::sync::Arc;
use std::time::Duration;

use super::log::{Entry, Log};
use super::scaler::Scaler;
use super::wire::Service;
use crate::cloud::{PATIENCE, wait_until};
use crate::scene::Scene;

/// Two minutes at three renewals in 30 s.
const RENEWALS: usize = 12;

/// How long a scaler waits for an answer about its lease: a third of 30 s.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn the_holder_asks_glance_twelve_times_a_minute_and_a_standby_six_times() {
    let scene = Scene::open();
    let settings = scene
        .settings()
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", "0")
        .with("APP_INTERVAL", "60")
        .with("APP_LEASE", "openstack")
        .with("RUST_LOG", "info");
    let log: Arc<Log> = Arc::default();
    let holder = Scaler::start("left", 1, &settings, &scene.cloud, &log);
    holder.daemon.wait_for_log(&["acting: nobody held the lease"]);
    let standby = Scaler::start("right", 2, &settings, &scene.cloud, &log);
    standby.daemon.wait_for_log(&["standing by: left acts"]);
    let renewals = |from: usize| {
        let entries = log.entries();
        let all = entries.iter().skip(from).filter(|entry| entry.method == "PATCH");
        all.map(|entry| entry.sent).collect::<Vec<_>>()
    };
    // From one renewal to another.
    let first = renewals(0).len();
    wait_until("renewals for two minutes", || renewals(0).len() > first + RENEWALS);
    let times = renewals(0);
    let (from, to) = (times[first], times[first + RENEWALS]);
    let entries = log.entries();
    let count = |process: usize, method: &str| {
        let asked = entries.iter().filter(|entry| {
            let time = from <= entry.sent && entry.sent < to;
            time && entry.process == process
                && entry.service == Service::Image
                && entry.method == method
        });
        // A busy Glance may leave one without an answer; the scaler gives up then, and tries again.
        let (answered, given_up): (Vec<&Entry>, Vec<&Entry>) =
            asked.partition(|entry| entry.is_answered_within(LIMIT));
        for entry in &given_up {
            println!("{entry}");
        }
        (answered.len(), given_up.len())
    };
    let seconds = (to - from).as_secs_f64();
    let [holder, standby] = [(1, "holder"), (2, "standby")].map(|(process, name)| {
        let [renewed, looked] = ["PATCH", "GET"].map(|method| count(process, method));
        println!("the {name}: {renewed:?} renewals and {looked:?} looks (answered, given up) in {seconds:.0} s");
        (renewed, looked)
    });
    let ((renewed, renewals_given_up), (looked, _)) = holder;
    assert_eq!(renewed + renewals_given_up, RENEWALS);
    assert_eq!(looked, renewed, "each renewal that was answered is followed by a look");
    assert!(renewed > RENEWALS / 2, "Glance answered {renewed} of {RENEWALS} renewals");
    let ((renewed, renewals_given_up), (looked, looks_given_up)) = standby;
    assert_eq!((renewed, renewals_given_up), (0, 0), "a standby renews nothing");
    // Its looks are as far apart as renewals, to one at the edges.
    assert!((looked + looks_given_up).abs_diff(RENEWALS) <= 2, "{looked} looks of the standby");
    assert!(to - from < PATIENCE && to - from > Duration::from_secs(100), "{seconds} s");
}
