//! How long an address stays on a service that is dead: against a real `OpenStack`, with the release build and its
//! defaults. And what the watch costs while nobody dies.
//!
//! `make bench-failover` runs it and prints what README shows. It ends with 1 when a goal is missed.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a bench ends with a panic, as a test does"
)]
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "the rest of these helpers serves the tests"
)]

#[path = "../../real/client.rs"]
mod client;
#[path = "../../real/cloud.rs"]
mod cloud;
#[macro_use]
#[path = "../../contract/mod.rs"]
mod contract;
mod cost;
#[path = "../../it/daemon.rs"]
mod daemon;
mod deaths;
#[path = "../../it/fake/mod.rs"]
mod fake;
#[path = "../../it/metrics.rs"]
mod metrics;
#[path = "../../it/of_fake.rs"]
mod of_fake;
#[path = "../../real/openrc.rs"]
mod openrc;
#[path = "../../real/scene.rs"]
mod scene;
#[path = "../../real/stage.rs"]
mod stage;
mod table;
#[path = "../../real/turn.rs"]
mod turn;

use std::env;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crate::deaths::{Death, Kind, Measured, Watched};
use crate::fake::replica;
use crate::table::Row;

/// `REPLICA_API_TIMEOUT` unless it is set.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Deaths of each kind, unless `FAILOVER_DEATHS` says otherwise.
const DEATHS: usize = 50;

/// Without the watch a death takes a minute: so many of each kind have to do.
const DEATHS_WITHOUT_WATCH: usize = 6;

/// What is measured, each line in a project of its own.
const LINES: [&[(Kind, Watched)]; 5] = [
    &[(Kind::Closed, Watched::Yes)],
    &[(Kind::Gone, Watched::Yes)],
    &[(Kind::Hangs, Watched::Yes)],
    &[(Kind::Closed, Watched::No), (Kind::Gone, Watched::No)],
    &[(Kind::Hangs, Watched::No)],
];

/// By when the `PUT` has to be sent, for 95 of 100 deaths.
fn goal(kind: Kind) -> Duration {
    match kind {
        Kind::Closed | Kind::Gone => Duration::from_millis(3600),
        Kind::Hangs => TIMEOUT + Duration::from_millis(1500),
    }
}

fn main() -> ExitCode {
    let rows = match deaths_wanted() {
        // No cloud is needed then.
        0 => Vec::new(),
        deaths => measure(deaths),
    };
    eprintln!("what it costs while nobody dies");
    let cost = cost::measure();
    println!("{cost}");
    let missed: Vec<String> =
        rows.iter().filter_map(Row::misses_goal).chain(cost.misses_goal()).collect();
    for goal in &missed {
        println!("Missed: {goal}");
    }
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// So many deaths of each kind.
fn measure(deaths: usize) -> Vec<Row> {
    eprintln!("{deaths} deaths of each kind; the pools are being made");
    // Nobody is measured while another one's servers are being built or deleted.
    let pools = at_once(LINES, |line| (line, Measured::pool(line[0].1)));
    eprintln!("measuring");
    let measured = at_once(pools, |(line, pool)| {
        let measure = |(kind, watched): &(Kind, Watched)| {
            let count = match watched {
                Watched::Yes => deaths,
                Watched::No => deaths.min(DEATHS_WITHOUT_WATCH),
            };
            row(*kind, *watched, pool.deaths(*kind, count))
        };
        let rows: Vec<Row> = line.iter().map(measure).collect();
        (rows, pool)
    });
    let (rows, pools): (Vec<_>, Vec<_>) = measured.into_iter().unzip();
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    println!("{}", table::deaths(&rows));
    eprintln!("the pools go");
    at_once(pools, drop);
    rows
}

fn row(kind: Kind, watched: Watched, deaths: Vec<Death>) -> Row {
    let goal = (watched == Watched::Yes).then(|| goal(kind));
    Row { kind, watched, deaths, goal }
}

#[expect(clippy::disallowed_methods, reason = "a bench has no settings but this")]
fn deaths_wanted() -> usize {
    match env::var("FAILOVER_DEATHS") {
        Ok(text) => text.parse().expect("FAILOVER_DEATHS is a number"),
        Err(_) => DEATHS,
    }
}

/// Does all of them at once; a panic in one ends the bench when all have ended.
fn at_once<T: Send, R: Send>(
    all: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let begun: Vec<_> = all.into_iter().map(|one| scope.spawn(move || work(one))).collect();
        begun.into_iter().map(|one| one.join().expect("it was measured")).collect()
    })
}
