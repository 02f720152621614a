//! The world's clock: one for each thread, and it goes only when somebody lets it.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use simplescalevm::clock::{Clock, Moment};

/// When every history begins: late enough for VMs that are older than it.
pub const BEGINNING: u64 = 100_000;

/// The second 0 of the world, as people's clocks have it.
const EPOCH: u64 = 1_800_000_000;

thread_local! {
    static SECOND: Cell<u64> = const { Cell::new(BEGINNING) };
}

/// The world starts over.
pub fn begin() {
    SECOND.set(BEGINNING);
}

/// Seconds of the world so far.
pub fn now() -> u64 {
    SECOND.get()
}

/// Time goes by.
pub fn advance(seconds: u64) {
    SECOND.set(now() + seconds);
}

/// It is at least this second.
pub fn advance_to(second: u64) {
    SECOND.set(now().max(second));
}

/// A second of the world as the cloud writes it.
pub fn date(second: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(EPOCH + second)
}

/// The clock that the program goes by.
pub fn of_the_program() -> Clock {
    Clock::told_by(|| Moment { elapsed: Duration::from_secs(now()), wall: date(now()) })
}
