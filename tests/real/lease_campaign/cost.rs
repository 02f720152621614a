//! What a lease costs: requests per minute at the default validity.

use std::sync::Arc;
use std::time::Duration;

use super::log::Log;
use super::scaler::Scaler;
use super::wire::Service;
use crate::cloud::{PATIENCE, wait_until};
use crate::scene::Scene;

/// Two minutes at three renewals in 30 s.
const RENEWALS: usize = 12;

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
        asked.count()
    };
    let seconds = (to - from).as_secs_f64();
    for (process, name) in [(1, "holder"), (2, "standby")] {
        let [renewed, looked] = ["PATCH", "GET"].map(|method| count(process, method));
        println!("the {name}: {renewed} renewals and {looked} looks in {seconds:.0} s");
    }
    assert_eq!((count(1, "PATCH"), count(2, "PATCH")), (RENEWALS, 0));
    // Each renewal is followed by a look; the standby's looks are as far apart as renewals, to one at the edges.
    assert_eq!(count(1, "GET"), RENEWALS);
    assert!(count(2, "GET").abs_diff(RENEWALS) <= 2, "{} looks", count(2, "GET"));
    assert!(to - from < PATIENCE && to - from > Duration::from_secs(100), "{seconds} s");
}
