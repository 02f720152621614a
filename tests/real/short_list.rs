//! Nova's list is short while it schedules, once servers and those being scheduled exceed a page together: what it leaves
//! out for a second or two must not be made again.

use rustix::process::Signal;

use crate::cloud::undo;
use crate::daemon::Daemon;
use crate::scene::{Scene, creations, tail};
use crate::service::service_command;

/// A service that hangs. Dropped, it goes on.
struct Paused(&'static str);

impl Paused {
    fn new(service: &'static str) -> Self {
        service_command("pause", service);
        Paused(service)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        undo(|| service_command("resume", self.0));
    }
}

#[test]
fn a_batch_of_nearly_a_page_is_made_once() {
    // The pause is every test's.
    let scene = Scene::open_alone();
    // Room for what would be too many; pages have 50.
    let settings = scene
        .settings()
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", "45")
        .with("REPLICA_MAX", "90")
        .with("APP_INTERVAL", "2");
    scene.never_more_than(45);
    let paused = Paused::new("nova-compute");
    let daemon = Daemon::start(&settings);
    scene.until(&daemon, "a batch of 45", |pool| pool.len() == 45);
    for _ in 0..20 {
        // As close together as can be.
        daemon.signal(Signal::USR1);
        scene.passes(&daemon, 1);
    }
    assert_eq!(creations(&daemon), 1, "{}", tail(&daemon));
    drop(paused);
    let pool = scene.until_healthy(&daemon, 45);
    scene.keep(&pool);
    scene.passes(&daemon, 2);
    assert_eq!(creations(&daemon), 1, "{}", tail(&daemon));
}
