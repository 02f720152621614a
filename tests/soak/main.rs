//! A long life in a few minutes: 20,000 passes, one right after the other, over a pool that is never still.
//!
//! `make soak` runs it; plain `cargo test` leaves it out.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is tests, helpers too: a panic is how a test fails"
)]
#![allow(dead_code, unused_imports, reason = "what the fake can do serves other tests, too")]

mod churn;
#[path = "../it/daemon.rs"]
mod daemon;
#[path = "../it/fake/mod.rs"]
mod fake;
#[path = "../it/of_fake.rs"]
mod of_fake;
#[path = "../it/vitals.rs"]
mod vitals;

use std::fmt;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::churn::Churn;
use crate::daemon::{Daemon, Settings};
use crate::fake::{Cloud, Says};

/// Passes of the whole life.
const PASSES: u64 = 20_000;

/// By now everything that is ever kept is there: this is what the end is measured by.
const GROWN_UP: u64 = 1_000;

/// How often to say how things are.
const TOLD_EVERY: u64 = 1_000;

/// More memory than when grown up, in percent, is a leak.
const GROWTH_MAX_PERCENT: u64 = 10;

/// Passes without any change before something is measured, so that every connection that is kept is open.
const STILL: u64 = 5;

/// Nothing goes on when everything is the same so many looks in a row.
const LOOKS: u32 = 20;

/// A pass that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the system says of the daemon between two passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vitals {
    memory_kb: u64,
    threads: u64,
    descriptors: usize,
}

impl Vitals {
    fn of(daemon: &Daemon) -> Self {
        let directory = format!("/proc/{}/fd", daemon.pid());
        Vitals {
            memory_kb: daemon.vital("VmRSS"),
            threads: daemon.vital("Threads"),
            descriptors: fs::read_dir(directory).expect("it runs").count(),
        }
    }
}

impl fmt::Display for Vitals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Vitals { memory_kb, threads, descriptors } = self;
        write!(formatter, "{memory_kb} kB, {threads} threads, {descriptors} descriptors")
    }
}

/// The daemon, which makes most of its passes when told to.
struct Life {
    cloud: Cloud,
    daemon: Daemon,
    /// About as many as there were; exact when nothing goes on.
    passes: u64,
}

impl Life {
    fn begin() -> Self {
        let cloud = Cloud::start();
        cloud.boots_say(Says::free(1));
        for _ in 0..3 {
            cloud.state().add_floating_ip(None);
        }
        let settings = Settings::of(&cloud)
            // Long enough for the watch, and short enough for what is remembered for some intervals to be forgotten.
            .with("APP_INTERVAL", "2")
            .with("REPLICA_MIN_AVAILABLE_RESOURCES", "6")
            .with("REPLICA_MAX", "12")
            .with("EXTERNAL_ADDRESS_MANAGEMENT", "true");
        let daemon = Daemon::start(&settings);
        daemon.wait_until("the first pass", || daemon.get("/").1["passes"] == 1);
        Life { cloud, daemon, passes: 1 }
    }

    /// One more pass is wanted, and a list was asked for. Should that have been the list of the pass before, two wishes may
    /// make one pass.
    fn pass(&mut self) {
        self.cloud.forget_requests();
        self.daemon.signal(Signal::USR1);
        let began = Instant::now();
        while self.cloud.count("GET", "/servers/detail") == 0 {
            assert!(began.elapsed() < PATIENCE, "no pass\n{}", self.daemon.log());
            thread::sleep(Duration::from_micros(200));
        }
        self.passes += 1;
    }

    /// Waits until nothing goes on.
    fn rest(&mut self) {
        let mut before = 0;
        self.passes = self.daemon.wait_for("the end of the passes", || {
            let (_, page) = self.daemon.get("/");
            let passes = page["passes"].as_u64()?;
            let rests = page["passRunningSince"].is_null() && passes == before;
            before = passes;
            rests.then_some(passes)
        });
    }

    /// How it is when nothing goes on.
    fn vitals(&mut self) -> Vitals {
        for _ in 0..STILL {
            self.pass();
            self.rest();
        }
        // The thread that answered just now may not be gone yet.
        let (mut before, mut looks) = (Vitals::of(&self.daemon), 0);
        self.daemon.wait_for("rest", || {
            let now = Vitals::of(&self.daemon);
            looks = if now == before { looks + 1 } else { 0 };
            before = now;
            (looks == LOOKS).then_some(now)
        })
    }
}

#[test]
fn a_long_life_needs_no_more_than_a_short_one() {
    let began = Instant::now();
    let (mut life, mut churn) = (Life::begin(), Churn::default());
    let (mut grown_up, mut fewest_threads) = (None, u64::MAX);
    for number in 1..=PASSES / TOLD_EVERY {
        let last = number * TOLD_EVERY - STILL;
        while life.passes < last {
            while life.passes < last {
                churn.go_on(&life.cloud, life.passes);
                life.pass();
            }
            life.rest();
        }
        life.cloud.no_faults();
        let vitals = life.vitals();
        fewest_threads = fewest_threads.min(vitals.threads);
        let seconds = began.elapsed().as_secs();
        println!("after {} passes and {seconds} s: {vitals}; {churn}", life.passes);
        if number * TOLD_EVERY == GROWN_UP {
            grown_up = Some(vitals);
        }
    }
    let (before, after) = (grown_up.expect("it lived so long"), life.vitals());
    let story = format!("grown up: {before}; at the end: {after}");
    assert!(after.memory_kb * 100 <= before.memory_kb * (100 + GROWTH_MAX_PERCENT), "{story}");
    // Not those of when it was grown up: idle threads of the status server live on for some seconds.
    assert_eq!(after.threads, fewest_threads, "{story}");
    assert_eq!(after.descriptors, before.descriptors, "{story}");
    assert!(churn.is_rich(), "the pool was too quiet: {churn}");
    life.daemon.expect_small();
    life.daemon.terminate().expect_status(0);
}
