//! Passes over a pool in which nothing happens, each followed by the floor's.

use std::time::{Duration, Instant};

use crate::extent::Pool;
use crate::floor;
use crate::numbers::{median, megabytes, ms, ratio, thousands};
use crate::scaler::{Scaler, processor};
use crate::world::{Counts, World};

/// From this size on a pass is to be near the floor: below, both are a millisecond or two.
const GOAL_FROM: usize = 300;

/// How many times the floor a pass may take, and its processor time be.
const WALL_MAX: f64 = 1.25;
const PROCESSOR_MAX: f64 = 1.5;

/// How many times the memory at rest the peak may be.
const PEAK_MAX: f64 = 1.3;

/// Most memory at rest, in megabytes, by replicas.
const REST_MAX: [(usize, f64); 3] = [(30, 6.0), (3000, 12.0), (10_000, 28.0)];

/// Servers of one page of Nova's list.
const PAGE: u64 = 1000;

/// A pool, and what its passes took.
pub struct Steady {
    count: usize,
    scaler: Took,
    floor: Took,
    /// KiB.
    rest: u64,
    peak: u64,
}

struct Took {
    wall: Duration,
    processor: Duration,
    requests: u64,
}

/// So many passes of each, in turn.
pub fn measure(pool: Pool) -> Steady {
    let Pool { count, passes } = pool;
    let mut world = World::with_pool(count, 0);
    let scaler = Scaler::start(&world.settings().with("APP_INTERVAL", "3600"));
    let mut floor = floor::start(&world, count, 5000, 2);
    let all = count.to_string();
    // The first ones log in, and connect.
    scaler.wait_for_pass();
    assert_eq!(floor.ask("pass"), all, "not all replicas answer the floor");

    let (mut by_scaler, mut by_floor) = (Vec::new(), Vec::new());
    let (mut counts_of_scaler, mut counts_of_floor) = (Vec::new(), Vec::new());
    let before = (processor(scaler.daemon.pid()), processor(floor.pid()));
    for _ in 0..passes {
        let start = world.counts();
        by_scaler.push(scaler.pass());
        let middle = world.counts();
        let began = Instant::now();
        assert_eq!(floor.ask("pass"), all, "not all replicas answer the floor");
        by_floor.push(began.elapsed());
        counts_of_scaler.push(middle.since(start));
        counts_of_floor.push(world.counts().since(middle));
    }
    let after = (processor(scaler.daemon.pid()), processor(floor.pid()));
    let each = u32::try_from(passes).expect("a few passes");
    let (rest, peak) = (scaler.daemon.vital("VmRSS"), scaler.daemon.vital("VmHWM"));

    let (_, status) = scaler.daemon.get("/status");
    assert_eq!(status["counts"]["byState"]["healthy"], count, "{}", scaler.daemon.log());
    let [scaler, floor] = [
        (by_scaler, after.0.saturating_sub(before.0), counts_of_scaler),
        (by_floor, after.1.saturating_sub(before.1), counts_of_floor),
    ]
    .map(|(walls, processor, counts)| {
        // A connection to the cloud may be idle for too long on a machine that is busy with other things.
        let wanted = (count as u64 / PAGE + 1, count as u64);
        let is = |one: &Counts| (one.requests, one.to_replicas) == wanted && one.to_cloud <= 1;
        assert!(counts.iter().all(is), "not what a steady pass of {count} needs: {counts:?}");
        let requests = counts[0].requests;
        Took { wall: median(walls), processor: processor / each, requests }
    });
    Steady { count, scaler, floor, rest, peak }
}

impl Steady {
    /// What is more than it may be.
    pub fn misses_goal(&self) -> Vec<String> {
        let Steady { count, scaler, floor, .. } = self;
        let (rest, peak) = (megabytes(self.rest), megabytes(self.peak));
        let mut goals = Vec::new();
        if *count >= GOAL_FROM {
            goals.push(("× the floor's time", ratio(scaler.wall, floor.wall), WALL_MAX));
            let processor = ratio(scaler.processor, floor.processor);
            goals.push(("× the floor's processor time", processor, PROCESSOR_MAX));
        }
        if let Some((_, max)) = REST_MAX.iter().find(|(size, _)| size == count) {
            goals.push(("MB at rest", rest, *max));
            goals.push(("× the memory at rest at the peak", peak / rest, PEAK_MAX));
        }
        goals
            .into_iter()
            .filter(|(_, is, max)| is > max)
            .map(|(what, is, max)| {
                format!("{count} replicas: {is:.2} {what}, and {max} is the goal")
            })
            .collect()
    }
}

/// What README shows.
pub fn table(rows: &[Steady]) -> String {
    let mut table = "\
A steady pass, beside the floor, which makes the same exchanges with nothing but sockets; milliseconds, megabytes:

| replicas | time | floor | ratio | processor | floor | ratio | memory at rest | peak | ratio | requests to the cloud | connections |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"
    .to_owned();
    table.extend(rows.iter().map(row));
    table
}

/// A line of the table.
pub fn row(row: &Steady) -> String {
    let Steady { count, scaler, floor, rest, peak } = row;
    let cells = [
        thousands(*count),
        ms(scaler.wall),
        ms(floor.wall),
        format!("{:.2}", ratio(scaler.wall, floor.wall)),
        ms(scaler.processor),
        ms(floor.processor),
        format!("{:.2}", ratio(scaler.processor, floor.processor)),
        format!("{:.1}", megabytes(*rest)),
        format!("{:.1}", megabytes(*peak)),
        format!("{:.2}", megabytes(*peak) / megabytes(*rest)),
        scaler.requests.to_string(),
        thousands(*count),
    ];
    format!("| {} |\n", cells.join(" | "))
}
