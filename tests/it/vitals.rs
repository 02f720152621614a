//! What the system says of a running daemon.

use std::fs;

use crate::daemon::Daemon;

/// The most memory it may ever have had, in kB: what users are promised of the release build. In a debug build the code
/// alone takes 5 MB more.
const MEMORY_MAX_KB: u64 = if cfg!(debug_assertions) { 30_000 } else { 25_000 };

impl Daemon {
    /// The most resident memory it ever had, in kB.
    #[track_caller]
    pub fn memory_peak_kb(&self) -> u64 {
        self.vital("VmHWM")
    }

    /// Panics when it ever had more memory than it may have.
    #[track_caller]
    pub fn expect_small(&self) {
        let peak = self.memory_peak_kb();
        assert!(peak < MEMORY_MAX_KB, "it had {peak} kB, more than {MEMORY_MAX_KB} kB");
    }

    /// What the system says of its process under this name (`proc_pid_status(5)`): a number, or a number of kB.
    #[track_caller]
    pub fn vital(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.unwrap_or_else(|error| panic!("{error}: {}", self.log()));
        let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
        number.unwrap_or_else(|| panic!("no {name} in {status}"))
    }
}
