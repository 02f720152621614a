//! A small pool in which nothing happens, with every setting left to its default.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use crate::extent::Extent;
use crate::numbers::megabytes;
use crate::scaler::{Scaler, processor};
use crate::world::World;

/// Replicas of the pool.
const POOL: usize = 30;

/// What a life costs.
pub struct Life {
    hour: Duration,
    rest: u64,
}

/// As long as `extent` says.
pub fn measure(extent: &Extent) -> Life {
    let world = World::with_pool(POOL, 0);
    let scaler = Scaler::start(&world.settings());
    scaler.wait_for_pass();
    let (began, before) = (Instant::now(), processor(scaler.daemon.pid()));
    thread::sleep(extent.life);
    let took = processor(scaler.daemon.pid()).saturating_sub(before);
    let hours = began.elapsed().as_secs_f64() / 3600.0;
    Life { hour: took.div_f64(hours), rest: scaler.daemon.vital("VmRSS") }
}

impl fmt::Display for Life {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, rest) = (self.hour.as_secs_f64(), megabytes(self.rest));
        writeln!(
            formatter,
            "An hour of a quiet pool of {POOL}, by what a minute of it takes: {hour:.1} s of processor time; memory at rest: {rest:.1} MB."
        )
    }
}
