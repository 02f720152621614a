//! What was measured, as Markdown.

use std::time::Duration;

use crate::deaths::{Death, Kind, Watched};

/// One kind of death.
pub struct Row {
    pub kind: Kind,
    pub watched: Watched,
    pub deaths: Vec<Death>,
    /// By when the `PUT` has to be sent in 95 of 100.
    pub goal: Option<Duration>,
}

impl Row {
    fn sent(&self) -> Spread {
        Spread::of(self.deaths.iter().map(|death| death.sent))
    }

    fn accepted(&self) -> Spread {
        Spread::of(self.deaths.iter().map(|death| death.accepted))
    }

    /// What took longer than it may: `port closed: the PUT at p95 after 4.00 s, and 3.60 s is the goal`.
    pub fn misses_goal(&self) -> Option<String> {
        let (took, goal) = (self.sent().p95, self.goal?);
        (took > goal).then(|| {
            let (kind, took, goal) = (self.kind, seconds(took), seconds(goal));
            format!("{kind}: the PUT at p95 after {took} s, and {goal} s is the goal")
        })
    }
}

struct Spread {
    min: Duration,
    median: Duration,
    p95: Duration,
    max: Duration,
}

impl Spread {
    fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut times: Vec<Duration> = times.collect();
        times.sort();
        // The smallest that so many percent do not exceed.
        let percentile = |percent: usize| times[(times.len() * percent).div_ceil(100).max(1) - 1];
        Spread { min: times[0], median: percentile(50), p95: percentile(95), max: percentile(100) }
    }

    fn cells(&self) -> String {
        let Spread { min, median, p95, max } = self;
        [min, median, p95, max].map(|time| seconds(*time)).join(" | ")
    }
}

/// The table of deaths.
pub fn deaths(rows: &[Row]) -> String {
    let mut table = "\
Seconds from the death of the service, to the `PUT` that moves its address, and to Neutron's answer:

| the service | the holders are asked | deaths | PUT: min | median | p95 | max | moved: min | median | p95 | max |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"
    .to_owned();
    for row in rows {
        let asked = match row.watched {
            Watched::Yes => "every second",
            Watched::No => "by passes only, every 60 s",
        };
        let (sent, accepted) = (row.sent().cells(), row.accepted().cells());
        let (kind, count) = (row.kind, row.deaths.len());
        let cells = format!("| {kind} | {asked} | {count} | {sent} | {accepted} |");
        table.extend([&cells, "\n"]);
    }
    table.push_str("| any of these | the Python program | - | never | | | | never | | | |\n");
    table
}

fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}
