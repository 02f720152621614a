//! What a cloud refuses: a quota, hosts that are full, a token that was revoked.

use crate::daemon::Daemon;
use crate::scene::{Scene, creations, lines};

#[test]
fn a_quota_lets_in_as_many_as_fit_and_a_raised_one_the_rest() {
    let scene = Scene::open();
    scene.cloud.set_quota(Some(2));
    let daemon = Daemon::start(&scene.settings().with("REPLICA_MIN_AVAILABLE_RESOURCES", "4"));
    scene.never_more_than(2);
    let pool = scene.until_healthy(&daemon, 2);
    scene.keep(&pool);
    // The two may answer so soon that the two that are missing are asked for once more: then it is Nova's own refusal.
    scene.until(&daemon, "a creation that the quota refuses", |_| {
        lines(&daemon, &["status 403: Quota exceeded for instances"]) > 0
    });
    scene.until(&daemon, "a back-off because of the quota", |_| {
        lines(&daemon, &["creation paused for", "Quota exceeded for instances"]) > 0
    });
    // The first one is an interval of 4 s.
    scene.until(&daemon, "pauses that grow", |_| pause_left(&daemon) > 4.0);
    scene.never_more_than(4);
    scene.cloud.set_quota(Some(4));
    scene.until_healthy(&daemon, 4);
    assert_eq!(creations(&daemon), 2, "{}", daemon.log());
}

#[test]
fn hosts_that_are_full_halve_the_batch_until_it_fits() {
    let scene = Scene::open_alone();
    scene.cloud.set_room(Some(1));
    scene.never_more_than(6);
    // The pauses between creations are as many intervals.
    let settings =
        scene.settings().with("REPLICA_MIN_AVAILABLE_RESOURCES", "6").with("APP_INTERVAL", "2");
    let daemon = Daemon::start(&settings);
    // Six are asked for, then three, of which one would fit: but all fail. Then one alone.
    let pool = scene.until_healthy_among(&daemon, 1);
    scene.keep(&pool);
    let mut sizes = batch_sizes(&daemon);
    // While Nova still looks for a host for the three, the other three are asked for, too.
    sizes.dedup();
    assert_eq!(
        sizes.get(..3),
        Some(&[6, 3, 1][..]),
        "a batch fails whole, and the next is half of it: {sizes:?}\n{}",
        daemon.log()
    );
    scene.cloud.set_room(None);
    scene.until_healthy(&daemon, 6);
}

#[test]
fn a_token_that_is_revoked_is_no_failed_pass() {
    let scene = Scene::open();
    scene.never_more_than(3);
    let daemon = Daemon::start(&scene.settings().with("APP_INTERVAL", "15"));
    let pool = scene.until_healthy(&daemon, 3);
    scene.keep(&pool);
    // Keystone revokes by the second: a login in the second of the revocation is revoked with the others. Right after a
    // pass the next one is far.
    scene.passes(&daemon, 1);
    let logins = lines(&daemon, &["/auth/tokens: status 201"]);
    // The scene's own member is revoked, too.
    scene.cloud.revoke_tokens();
    scene.until_logged_in_again(&daemon, logins);
    assert_eq!(lines(&daemon, &["ERROR"]), 0, "{}", daemon.log());
}

/// What is left of the pause before the next creation, in seconds.
fn pause_left(daemon: &Daemon) -> f64 {
    daemon.get("/status").1["backOff"]["secondsLeft"].as_f64().unwrap_or(0.0)
}

/// How many each creation asked for, in order.
fn batch_sizes(daemon: &Daemon) -> Vec<u64> {
    let log = daemon.log();
    let words = log.lines().filter(|line| line.contains("INFO")).map(str::split_whitespace);
    let created = words.filter_map(|words| {
        let words: Vec<&str> = words.collect();
        let at = words.iter().position(|word| *word == "create")?;
        words.get(at + 1)?.parse().ok()
    });
    created.collect()
}
