//! Nova's list is short while it schedules, once servers and those being scheduled exceed a page together: what it leaves
//! out for a second or two must not be made again.

use rustix::process::Signal;

use crate::daemon::Daemon;
use crate::scene::{Scene, creations, tail};

#[test]
fn a_batch_of_nearly_a_page_is_made_once() {
    // Ten servers build at a time: those of another test would wait for most of these.
    let scene = Scene::open_alone();
    // Room for what would be too many; pages have 10.
    let settings = scene
        .settings()
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", "9")
        .with("REPLICA_MAX", "18")
        .with("APP_INTERVAL", "2");
    scene.never_more_than(9);
    let daemon = Daemon::start(&settings);
    // As close together as can be, from the creation on.
    scene.until(&daemon, "a creation", |_| creations(&daemon) > 0);
    for _ in 0..10 {
        daemon.signal(Signal::USR1);
        scene.passes(&daemon, 1);
    }
    assert_eq!(creations(&daemon), 1, "{}", tail(&daemon));
    let pool = scene.until_healthy(&daemon, 9);
    scene.keep(&pool);
    scene.passes(&daemon, 2);
    assert_eq!(creations(&daemon), 1, "{}", tail(&daemon));
}
