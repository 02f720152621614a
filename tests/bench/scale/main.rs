//! How far it goes: pools of 3 to 10,000 replicas, on this machine, beside a floor that makes the same exchanges with
//! nothing but sockets.
//!
//! `make bench` runs it and prints what README shows. It ends with 1 when a goal is missed. The cloud with its replicas,
//! and the floor, are processes of their own: this executable, started once more.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a bench ends with a panic, as a test does"
)]
#![allow(dead_code, unused_imports, reason = "the rest of these helpers serves the tests")]

#[path = "../../it/daemon.rs"]
mod daemon;
mod extent;
#[path = "../../it/fake/mod.rs"]
mod fake;
mod floor;
mod helper;
mod holes;
mod life;
mod numbers;
mod scaler;
mod shown;
mod start;
mod steady;
#[path = "../../it/vitals.rs"]
mod vitals;
mod world;

use std::env;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use crate::extent::Extent;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some(world::ROLE) => world::run(arguments),
        Some(floor::ROLE) => floor::run(arguments),
        _ => return bench(&Extent::wanted()),
    }
    ExitCode::SUCCESS
}

fn bench(extent: &Extent) -> ExitCode {
    let began = Instant::now();
    eprintln!("steady passes");
    let steady: Vec<_> = extent
        .pools
        .iter()
        .map(|pool| steady::measure(*pool))
        .inspect(|row| eprint!("{}", steady::row(row)))
        .collect();
    println!("{}", steady::table(&steady));
    eprintln!("cold starts");
    println!("{}", start::table(&start::measure(extent)));
    eprintln!("the page while a pass runs");
    let shown: Vec<_> = extent.shown.iter().map(|count| shown::measure(*count, extent)).collect();
    println!("{}", shown::table(&shown));
    // Both wait more than they compute, and what the one computes is counted for itself.
    eprintln!("black holes, and a life in which nothing happens");
    let (holes, life) = thread::scope(|scope| {
        let life = scope.spawn(|| life::measure(extent));
        let pools = extent.pools.iter().filter(|pool| pool.count >= extent.holes_from);
        let holes: Vec<_> = pools.map(|pool| holes::measure(pool.count)).collect();
        (holes, life.join().expect("it was measured"))
    });
    println!("{}", holes::table(&holes));
    println!("{life}");
    eprintln!("{} s in all", began.elapsed().as_secs());

    let missed: Vec<String> = steady
        .iter()
        .flat_map(steady::Steady::misses_goal)
        .chain(holes.iter().filter_map(holes::Holes::misses_goal))
        .collect();
    if !extent.goals {
        return ExitCode::SUCCESS;
    }
    for goal in &missed {
        println!("Missed: {goal}");
    }
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
