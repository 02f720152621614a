//! A pass of a large pool has its bounds in time and memory, however many of its replicas are black holes.

use crate::daemon::{Daemon, Settings};
use crate::expect;
use crate::fake::Cloud;

/// The default `APP_INTERVAL`, in seconds.
const INTERVAL: f64 = 60.0;

/// Replicas of the pool.
const POOL: usize = 1000;

#[test]
fn a_pass_over_a_thousand_replicas_is_bounded_however_many_are_black_holes() {
    expect::each([0, POOL / 10, POOL], check);
}

/// One pass, with the default limits, over a pool of which so many are black holes.
fn check(holes: usize) {
    let cloud = Cloud::start();
    cloud.add_crowd(POOL, holes);
    let defaults = ["REPLICA_API_TIMEOUT", "REPLICA_API_RETRIES", "APP_INTERVAL"];
    let settings = defaults.into_iter().fold(Settings::of(&cloud), Settings::without);
    let mut daemon = Daemon::start(&settings);
    daemon.wait_until("pass", || daemon.get("/").1["passes"] == 1);
    let (_, page) = daemon.get("/");
    let seconds = page["lastPass"]["seconds"].as_f64().unwrap();
    println!("{holes} black holes of {POOL}: {seconds} s, {} kB at most", daemon.memory_peak_kb());

    assert!(seconds < INTERVAL, "the pass took {seconds} s\n{}", daemon.log());
    assert_eq!(page["lastPass"]["ok"], true, "{}", page["lastPass"]);
    let states = &page["counts"]["byState"];
    let count = |state: &str| states[state].as_u64().map(usize::try_from);
    assert_eq!(count("healthy"), Some(Ok(POOL - holes)), "{states}\n{}", daemon.log());
    assert_eq!(count("silent"), Some(Ok(holes)), "{states}\n{}", daemon.log());
    assert_eq!(page["replicas"].as_array().map(Vec::len), Some(POOL), "not all are shown");
    daemon.expect_small();
    assert!(cloud.changes().is_empty(), "{}", cloud.journal());
    daemon.terminate().expect_status(0);
}
