//! One of the scalers: its process, its wire, and whether it says that it acts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::log::Log;
use super::wall_clock::WallClock;
use super::wire::{Flow, Wire};
use crate::cloud::Cloud;
use crate::daemon::{Daemon, Settings, send};

/// How often it is asked whether it acts.
const ASKED: Duration = Duration::from_millis(50);

/// Dropped, it is killed.
pub struct Scaler {
    pub name: &'static str,
    /// Which process of the campaign it is.
    pub process: usize,
    pub daemon: Daemon,
    pub wire: Wire,
    pub wall_clock: WallClock,
    /// Since when nothing keeps it from its work.
    pub well_since: Instant,
    /// Whether it is stopped or cut off: then what it says does not count.
    is_away: bool,
    master: Arc<Master>,
}

#[derive(Default)]
struct Master {
    since: Mutex<Option<Instant>>,
    ended: AtomicBool,
}

impl Scaler {
    pub fn start(
        name: &'static str,
        process: usize,
        settings: &Settings,
        cloud: &Cloud,
        log: &Arc<Log>,
    ) -> Self {
        let wire = Wire::open(process, cloud, log);
        let wall_clock = WallClock::new();
        let settings = settings.clone().with("APP_NAME", name);
        let settings = wall_clock.settings(wire.settings(cloud, settings));
        let daemon = Daemon::start(&settings);
        let master = Arc::new(Master::default());
        let (watched, url) = (Arc::clone(&master), daemon.status_url());
        thread::spawn(move || {
            while !watched.ended.load(Ordering::Relaxed) {
                watched.saw(is_master(&url));
                thread::sleep(ASKED);
            }
        });
        let well_since = Instant::now();
        Scaler { name, process, daemon, wire, wall_clock, well_since, is_away: false, master }
    }

    /// Since when it says that it acts.
    pub fn acts_since(&self) -> Option<Instant> {
        if self.is_away { None } else { *self.master.since.lock().unwrap() }
    }

    pub fn freeze(&mut self) {
        self.is_away = true;
        self.daemon.signal(Signal::STOP);
    }

    pub fn thaw(&mut self) {
        self.daemon.signal(Signal::CONT);
        self.is_well();
    }

    pub fn cut(&mut self) {
        self.is_away = true;
        self.wire.set_all(Flow::Cut);
    }

    pub fn mend(&mut self) {
        self.wire.set_all(Flow::Open);
        self.is_well();
    }

    fn is_well(&mut self) {
        *self.master.since.lock().unwrap() = None;
        self.is_away = false;
        self.well_since = Instant::now();
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        self.master.ended.store(true, Ordering::Relaxed);
    }
}

impl Master {
    fn saw(&self, is_master: bool) {
        let mut since = self.since.lock().unwrap();
        *since = if is_master { since.or_else(|| Some(Instant::now())) } else { None };
    }
}

fn is_master(url: &str) -> bool {
    let answer = send("GET", &format!("{url}/status"), &[], None);
    answer.is_ok_and(|(_, _, body)| {
        serde_json::from_slice::<Value>(&body).is_ok_and(|page| page["isMaster"] == true)
    })
}
