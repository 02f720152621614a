//! A pass over a pool in which every tenth replica accepts connections and never answers.

use std::time::{Duration, Instant};

use crate::floor::{self, THREADS};
use crate::numbers::{ratio, seconds, thousands};
use crate::scaler::Scaler;
use crate::world::World;

/// Of so many replicas one is a black hole.
const ONE_OF: usize = 10;

/// `REPLICA_API_TIMEOUT`: not its default of 5 s, or all this would take minutes.
const TIMEOUT: Duration = Duration::from_secs(1);

/// `REPLICA_API_RETRIES` unless it is set.
const RETRIES: u32 = 2;

/// How long the program waits before it asks silent ones again.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(1);

/// How many times longer than its time limits a pass may be.
const OVER_MAX: f64 = 1.1;

/// What a pass took.
pub struct Holes {
    count: usize,
    scaler: Duration,
    floor: Duration,
}

/// One pass of each.
pub fn measure(count: usize) -> Holes {
    let holes = count / ONE_OF;
    let world = World::with_pool(count, holes);
    let timeout_ms = u64::try_from(TIMEOUT.as_millis()).expect("a short time");
    let mut floor = floor::start(&world, count, timeout_ms, RETRIES);
    let began = Instant::now();
    assert_eq!(floor.ask("pass"), (count - holes).to_string(), "not as many answer as should");
    let by_floor = began.elapsed();
    let settings = world.settings().with("REPLICA_API_TIMEOUT", &TIMEOUT.as_secs().to_string());
    let scaler = Scaler::start(&settings.with("APP_INTERVAL", "3600"));
    scaler.wait_for_pass();
    let by_scaler = scaler.pass();
    let (_, page) = scaler.daemon.get("/status");
    let states = &page["counts"]["byState"];
    assert_eq!(states["healthy"], count - holes, "{states}");
    assert_eq!(states["silent"], holes, "{states}");
    Holes { count, scaler: by_scaler, floor: by_floor }
}

impl Holes {
    /// What the limits allow: all threads wait for black holes, as often as one is asked.
    fn allowed(&self) -> Duration {
        let turns = u32::try_from((self.count / ONE_OF).div_ceil(THREADS)).expect("a few");
        TIMEOUT * turns * (RETRIES + 1) + BETWEEN_ROUNDS * RETRIES
    }

    /// Whether it took longer.
    pub fn misses_goal(&self) -> Option<String> {
        let over = ratio(self.scaler, self.allowed());
        let count = self.count;
        (over > OVER_MAX).then(|| {
            format!("{count} replicas with black holes: {over:.2} × the time limits, and {OVER_MAX} is the goal")
        })
    }
}

/// What README shows.
pub fn table(rows: &[Holes]) -> String {
    let mut table = format!(
        "\
A pass while every tenth replica accepts connections and never answers, with `REPLICA_API_TIMEOUT={}`; seconds:

| replicas | time | floor | ratio | what the time limits allow | ratio |
|---:|---:|---:|---:|---:|---:|
",
        TIMEOUT.as_secs()
    );
    for row in rows {
        let cells = [
            thousands(row.count),
            seconds(row.scaler),
            seconds(row.floor),
            format!("{:.2}", ratio(row.scaler, row.floor)),
            seconds(row.allowed()),
            format!("{:.2}", ratio(row.scaler, row.allowed())),
        ];
        table.extend(["| ", &cells.join(" | "), " |\n"]);
    }
    table
}
