//! A histogram of durations.

use std::time::Duration;

/// Upper bounds of the buckets, in milliseconds: from an answer of a cloud nearby to a pass that overruns.
const BOUNDS_MILLISECONDS: [u64; 12] =
    [10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000];

/// The same for how long an address had nobody behind it: from what the watch does to what a pass an interval does.
const DOWNTIME_BOUNDS_MILLISECONDS: [u64; BOUNDS_MILLISECONDS.len()] =
    [1_000, 2_000, 3_000, 4_000, 5_000, 7_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000];

/// How often durations fell into each bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    bounds: &'static [u64; BOUNDS_MILLISECONDS.len()],
    counts: [u64; BOUNDS_MILLISECONDS.len()],
    count: u64,
    sum: Duration,
}

/// A histogram of how long addresses had nobody behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downtimes(pub Histogram);

impl Default for Downtimes {
    fn default() -> Self {
        Downtimes(Histogram::with(&DOWNTIME_BOUNDS_MILLISECONDS))
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram::with(&BOUNDS_MILLISECONDS)
    }
}

impl Histogram {
    fn with(bounds: &'static [u64; BOUNDS_MILLISECONDS.len()]) -> Self {
        let counts = [0; BOUNDS_MILLISECONDS.len()];
        Histogram { bounds, counts, count: 0, sum: Duration::ZERO }
    }

    /// One more duration.
    pub fn observe(&mut self, duration: Duration) {
        for (count, bound) in self.counts.iter_mut().zip(*self.bounds) {
            if duration <= Duration::from_millis(bound) {
                *count = count.saturating_add(1);
            }
        }
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(duration);
    }

    /// Each bound in milliseconds, with how many durations were no longer.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.bounds.iter().copied().zip(self.counts)
    }

    /// How many durations there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// All durations together.
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_counts_all_that_was_no_longer() {
        let mut histogram = Histogram::default();
        for milliseconds in [10, 11, 400, 500_000] {
            histogram.observe(Duration::from_millis(milliseconds));
        }
        let counts: Vec<u64> = histogram.buckets().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!((histogram.count(), histogram.sum()), (4, Duration::from_millis(500_421)));
    }
}
