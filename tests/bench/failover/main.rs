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

use crate::deaths::{Kind, Measured, Watched};
use crate::fake::replica;
use crate::table::Row;

/// `REPLICA_API_TIMEOUT` unless it is set.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Deaths of each kind, unless `FAILOVER_DEATHS` says otherwise.
const DEATHS: usize = 50;

/// Without the watch a death takes a minute: so many of each kind have to do.
const DEATHS_WITHOUT_WATCH: usize = 6;

/// What is measured with the watch, in a project each and one after the other: no other pool's pass is in the way of a
/// move.
const WATCHED: [Kind; 3] = [Kind::Closed, Kind::Gone, Kind::Hangs];

/// What is measured without, each line in a project of its own, beside the rest: a pass a minute is in nobody's way.
const UNWATCHED: [&[Kind]; 2] = [&[Kind::Closed, Kind::Gone], &[Kind::Hangs]];

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
    let all = WATCHED.map(|_| Watched::Yes).into_iter().chain(UNWATCHED.map(|_| Watched::No));
    let mut with = at_once(all, Measured::pool);
    let without = with.split_off(WATCHED.len());
    eprintln!("measuring");
    let (with, without) = thread::scope(|scope| {
        let without = scope.spawn(|| {
            let count = deaths.min(DEATHS_WITHOUT_WATCH);
            at_once(UNWATCHED.into_iter().zip(without), |(kinds, pool)| rows(kinds, pool, count))
        });
        let with = WATCHED.into_iter().zip(with);
        let with: Vec<_> = with.map(|(kind, pool)| rows(&[kind], pool, deaths)).collect();
        (with, without.join().expect("it was measured"))
    });
    let (rows, pools): (Vec<_>, Vec<_>) = with.into_iter().chain(without).unzip();
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    println!("{}", table::deaths(&rows));
    eprintln!("the pools go");
    at_once(pools, drop);
    rows
}

/// So many deaths of each of these kinds, in this pool.
fn rows(kinds: &[Kind], pool: Measured, deaths: usize) -> (Vec<Row>, Measured) {
    let row = |kind: &Kind| {
        let goal = (pool.watched == Watched::Yes).then(|| goal(*kind));
        let deaths = pool.deaths(*kind, deaths);
        eprintln!("{kind}, {:?}: {} deaths", pool.watched, deaths.len());
        Row { kind: *kind, watched: pool.watched, deaths, goal }
    };
    (kinds.iter().map(row).collect(), pool)
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
