//! The lease's protocol, in every order of steps and faults up to a bound. See README.md here.
#![expect(clippy::indexing_slicing, reason = "tests: a panic is how they fail")]

mod protocol;
mod store;
mod world;

use std::fmt::Write as _;
use std::io::{Write as _, stderr};
use std::time::{Duration, Instant};

use simplescalevm::lease::candidate::Rules;
use stateright::{Checker, HasDiscoveries, Model};

use protocol::Protocol;
use store::Store;

/// Seconds that clocks count in a tick. The faster one may be ahead by all of the margin: a sixth of the validity.
const SLOW: u64 = 5;
const FAST: u64 = 6;

/// Ticks in which the clock of a store that is fast, too, counts one validity.
const LIVES: u64 = 5;

#[test]
fn one_fault_on_glance() {
    check(Protocol { faults: 1, wipes: true, horizon: 16, ..protocol(None, &[]) });
}

#[test]
fn one_fault_on_glance_when_all_start_at_once() {
    check(Protocol { faults: 1, established: false, horizon: 7, ..protocol(None, &[]) });
}

#[test]
fn one_fault_on_glance_when_all_start_at_once_and_numbers_were_used() {
    let clocks = vec![SLOW, FAST];
    check(Protocol { faults: 1, established: false, clocks, ..protocol(None, &[1, 2]) });
}

#[test]
fn one_fault_on_etcd() {
    check(Protocol { faults: 1, horizon: 16, ..protocol(Some(LIVES), &[]) });
}

#[test]
fn two_faults_on_glance() {
    check(protocol(None, &[]));
}

#[test]
fn two_faults_on_etcd() {
    check(protocol(Some(LIVES), &[]));
}

fn protocol(lives: Option<u64>, once: &[u64]) -> Protocol {
    Protocol {
        rules: Rules {
            validity: Duration::from_secs(30),
            longest_request: Duration::from_secs(24),
            store_expires: lives.is_some(),
        },
        clocks: vec![SLOW, FAST, SLOW],
        store: Store::new(lives, once),
        longest: 4,
        horizon: 10,
        established: true,
        faults: 2,
        wipes: false,
        epochs: 4,
    }
}

/// Goes through all states, and tells the shortest way to the first that breaks a property.
fn check(protocol: Protocol) {
    let (began, horizon, faults) = (Instant::now(), protocol.horizon, protocol.faults);
    let checker = protocol.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    let took = began.elapsed();
    let _ = writeln!(
        stderr(),
        "{faults} faults in {horizon} ticks: {states} states, {depth} steps deep, {took:.1?}"
    );
    let mut broken = String::new();
    for (property, path) in checker.discoveries() {
        let _ = writeln!(broken, "broken: {property}");
        for step in path.into_actions() {
            let _ = writeln!(broken, "  {step:?}");
        }
        broken.push('\n');
    }
    assert!(broken.is_empty(), "{broken}");
}
