//! The program's two clocks: one for durations, one for people.

use std::time::{Duration, Instant, SystemTime};

/// A point in time, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// Since the program started: monotonic, for every duration.
    pub elapsed: Duration,
    /// By this machine's clock: for people.
    pub wall: SystemTime,
}

/// Tells [`Moment`]s.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Source);

#[derive(Clone, Copy, Debug)]
enum Source {
    Machine(Instant),
    Told(fn() -> Moment),
}

impl Clock {
    /// This machine's clock, which begins now.
    pub fn start() -> Self {
        Clock(Source::Machine(Instant::now()))
    }

    /// A clock that says what `tell` says: for a world that is not this machine's.
    pub fn told_by(tell: fn() -> Moment) -> Self {
        Clock(Source::Told(tell))
    }

    /// Now.
    #[expect(clippy::disallowed_methods, reason = "people are told this machine's time")]
    pub fn now(&self) -> Moment {
        match self.0 {
            Source::Machine(start) => Moment { elapsed: start.elapsed(), wall: SystemTime::now() },
            Source::Told(tell) => tell(),
        }
    }
}
