//! A pool of 20: two pages of Nova's list, and a third, empty one that the second names for it is full.

use crate::daemon::Daemon;
use crate::scene::{Scene, tail};

#[test]
fn a_pool_of_20_takes_one_request_a_page_and_one_for_the_addresses() {
    // Ten servers build at a time: those of another test would wait for most of these.
    let scene = Scene::open_alone();
    scene.never_more_than(20);
    // Not more often, or two processors list servers all the time and hardly build one.
    let settings = scene
        .settings()
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", "20")
        .with("REPLICA_MAX", "20")
        .with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
        .with("APP_INTERVAL", "10");
    let daemon = Daemon::start(&settings);
    let pool = scene.until_healthy(&daemon, 20);
    scene.keep(&pool);
    scene.passes(&daemon, 1);
    let log = daemon.log();
    let from = log.len();
    scene.passes(&daemon, 3);
    let log = daemon.log();
    // Whole passes only: from one first page to the next.
    let since = log.get(from..).expect("the log only grows");
    let new: Vec<&str> = since.lines().filter(|line| line.contains(": status ")).collect();
    let starts: Vec<usize> = (0..new.len())
        .filter(|at| new[*at].contains("GET") && new[*at].contains("/servers/detail:"))
        .collect();
    assert!(starts.len() >= 2, "two whole passes\n{}", new.join("\n"));
    for ends in starts.windows(2) {
        let pass = &new[ends[0]..ends[1]];
        let pages = pass.iter().filter(|line| line.contains("/servers/detail")).count();
        let addresses = pass.iter().filter(|line| line.contains("/floatingips?")).count();
        assert_eq!((pages, addresses, pass.len()), (3, 1, 4), "{}", pass.join("\n"));
    }
    // That is what such a list does while so many are scheduled.
    let is_another = |line: &&str| line.contains("ERROR") && !line.contains("the list changed");
    let errors: Vec<&str> = log.lines().filter(is_another).collect();
    assert!(errors.is_empty(), "{}\n{}", errors.join("\n"), tail(&daemon));
}
