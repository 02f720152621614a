//! The program's two clocks: one for durations, one for people.

use std::time::{Duration, Instant, SystemTime};

/// A point in time, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since the program started: monotonic, for every duration.
    pub elapsed: Duration,
    /// By this machine's clock: for people.
    pub wall: SystemTime,
}

/// Tells [`Moment`]s.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Self {
        Clock(Instant::now())
    }

    /// Now.
    #[expect(clippy::disallowed_methods, reason = "people are told this machine's time")]
    pub fn now(&self) -> Moment {
        Moment { elapsed: self.0.elapsed(), wall: SystemTime::now() }
    }
}
