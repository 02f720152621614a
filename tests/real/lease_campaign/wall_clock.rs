//! One scaler's wall clock, which can be moved: the machine's is everybody's, so the C library's is wrapped (libfaketime,
//! which `tests/openstack/up` unpacks).

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::daemon::Settings;
use crate::openrc;

/// Dropped, nothing of it is left.
pub struct WallClock {
    /// How far it is ahead, as libfaketime reads it.
    file: PathBuf,
}

impl WallClock {
    /// One that is right.
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("wall-clock-{}-{number}", std::process::id());
        let clock = WallClock { file: openrc::directory().join("run").join(name) };
        clock.set_ahead(Duration::ZERO);
        clock
    }

    /// From now on it is ahead by so much; the monotonic clock goes on as it did.
    pub fn set_ahead(&self, time: Duration) {
        // In one step: it is read all the time.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("+{}s\n", time.as_secs())).unwrap();
        fs::rename(&new, &self.file).unwrap();
    }

    /// What makes a process go by it.
    pub fn settings(&self, settings: Settings) -> Settings {
        let library = openrc::directory().join("packages/libfaketime.so.1");
        assert!(library.exists(), "{} is missing: make openstack-up", library.display());
        settings
            .with("LD_PRELOAD", library.to_str().unwrap())
            .with("FAKETIME_TIMESTAMP_FILE", self.file.to_str().unwrap())
            .with("FAKETIME_NO_CACHE", "1")
            .with("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }
}

impl Drop for WallClock {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.file));
    }
}
