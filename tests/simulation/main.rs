//! A world in memory for the program's own passes, and what must hold in every history of it. See README.md here.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "tests: a panic is how they fail")]

mod clock;
mod cloud;
mod history;
mod judge;
mod prober;
mod reach;
mod run;
mod stage;
mod stories;
mod table;
mod universe;
mod watch;
mod world;

use std::env;
use std::io::{Write, stderr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use history::History;
use history::strategy::history;
use reach::Reach;
use run::{SETTLED_WITHIN, run};

/// Passes of an ordinary run.
const PASSES: u64 = 120_000;

/// Histories of one seed: then the next one.
const CASES: u32 = 25;

/// The results of all histories.
#[derive(Default)]
struct Total {
    histories: AtomicU64,
    passes: AtomicU64,
    settled_after: AtomicUsize,
    next_seed: AtomicU64,
    reach: Mutex<Reach>,
    failure: Mutex<Option<String>>,
}

#[test]
fn every_rule_holds_in_every_history() {
    let wanted = number("SIMPLESCALEVM_SIMULATION_PASSES").unwrap_or(PASSES);
    let seed = number("SIMPLESCALEVM_SIMULATION_SEED").unwrap_or(0);
    let (total, began) = (Total::default(), Instant::now());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| search(&total, wanted, seed));
        }
    });
    let failure = total.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(failure) = failure {
        panic!("{failure}");
    }
    let reach = total.reach.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{:#?}", reach.0);
    let missing = reach.missing();
    assert!(missing.is_empty() || wanted < PASSES, "in no history there was: {missing:?}");
    // Past the harness, which keeps what a good test prints to itself.
    let _ = writeln!(
        stderr(),
        "simulation: {} passes of {} histories in {} s (seed {seed}); at rest at most {} passes after the faults \
         ({SETTLED_WITHIN} allowed)",
        total.passes.load(Ordering::Relaxed),
        total.histories.load(Ordering::Relaxed),
        began.elapsed().as_secs(),
        total.settled_after.load(Ordering::Relaxed),
    );
}

fn number(variable: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a setting of this test, not of the program")]
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is {value:?}, not a number")))
}

/// Takes seed after seed until there are passes enough, or somebody has found a broken rule.
fn search(total: &Total, wanted: u64, seed: u64) {
    let found = || total.failure.lock().map_or(true, |failure| failure.is_some());
    while total.passes.load(Ordering::Relaxed) < wanted && !found() {
        let chunk = total.next_seed.fetch_add(1, Ordering::Relaxed);
        if let Err(failure) = histories(total, seed, chunk)
            && let Ok(mut first) = total.failure.lock()
        {
            first.get_or_insert(failure);
        }
    }
}

fn histories(total: &Total, seed: u64, chunk: u64) -> Result<(), String> {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&chunk.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, random);
    let result = runner.run(&history(), |history| {
        let end = run(&history, false);
        total.passes.fetch_add(end.passes, Ordering::Relaxed);
        total.histories.fetch_add(1, Ordering::Relaxed);
        total.settled_after.fetch_max(end.settled_after, Ordering::Relaxed);
        total.reach.lock().unwrap_or_else(PoisonError::into_inner).add(end.reach);
        match end.broken.first() {
            None => Ok(()),
            Some(broken) => Err(TestCaseError::fail(broken.clone())),
        }
    });
    match result {
        Ok(()) => Ok(()),
        Err(TestError::Fail(_, shortest)) => Err(told(&shortest)),
        Err(error) => Err(error.to_string()),
    }
}

/// The shortest history in which a rule is broken, with all that the program did in it.
fn told(history: &History) -> String {
    let end = run(history, true);
    format!(
        "{}\n\nthe shortest history:\n{history:?}\nwhat happened:\n{}",
        end.broken.join("\n"),
        end.story.join("\n")
    )
}
