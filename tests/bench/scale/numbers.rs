//! Numbers as the tables show them.

use std::time::Duration;

/// The middle one.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// `12.3`
pub fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

/// `12.34`
pub fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

/// How many times the one is the other.
pub fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

/// `12.3`, in units of 1,000,000 bytes, of so many KiB.
pub fn megabytes(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).expect("a few gigabytes at most")) * 1024.0 / 1e6
}

/// `10,000`
pub fn thousands(number: usize) -> String {
    if number < 10_000 {
        return number.to_string();
    }
    format!("{},{:03}", number / 1000, number % 1000)
}
