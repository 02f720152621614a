//! The load: when sessions begin, and how long they last.

use crate::random::Random;

/// Seconds.
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

pub const WEEK_DAYS: u64 = 7;

/// Where chance begins: the same sessions in every run.
const SEED: u64 = 2026;

/// Chances are so many parts of certainty.
const PARTS: u64 = 1_000_000;

/// A second of the week, and how many sessions begin in an hour then. From one to the next it is a straight line.
type Point = (u64, u64);

/// A week of load, from Monday at midnight.
pub struct Trace {
    pub name: &'static str,
    rate: Vec<Point>,
    /// Minutes that a session lasts, at least and at most.
    lasts: (u64, u64),
}

/// One session.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// The second in which somebody wants it.
    pub begins: u64,
    /// Seconds.
    pub lasts: u64,
}

/// A working day, and one on which nobody works.
const WORK: [Point; 9] = [
    (0, 2),
    (6 * HOUR, 2),
    (9 * HOUR, 60),
    (12 * HOUR, 60),
    (12 * HOUR + 30 * MINUTE, 30),
    (13 * HOUR + 30 * MINUTE, 60),
    (16 * HOUR, 60),
    (19 * HOUR, 6),
    (23 * HOUR, 2),
];
const REST: [Point; 1] = [(0, 2)];

/// Wednesday at 18:00.
const LAUNCH: u64 = 2 * DAY + 18 * HOUR;

impl Trace {
    /// Meetings: 60 an hour by day, 2 by night and at the weekend.
    pub fn office_hours() -> Self {
        let day = |day: u64| {
            let points: &[Point] = if day < 5 { &WORK } else { &REST };
            points.iter().map(move |(second, rate)| (day * DAY + second, *rate))
        };
        let rate = (0..WEEK_DAYS).flat_map(day).collect();
        Trace { name: "office hours", rate, lasts: (15, 90) }
    }

    /// 10 an hour; at the launch 240 within five minutes, and 10 again six hours later.
    pub fn launch() -> Self {
        let rate = vec![
            (0, 10),
            (LAUNCH, 10),
            (LAUNCH + 5 * MINUTE, 240),
            (LAUNCH + HOUR, 120),
            (LAUNCH + 3 * HOUR, 40),
            (LAUNCH + 6 * HOUR, 10),
        ];
        Trace { name: "a launch", rate, lasts: (10, 60) }
    }

    /// 30 an hour, day and night.
    pub fn at_random() -> Self {
        Trace { name: "at random", rate: vec![(0, 30)], lasts: (5, 120) }
    }

    /// The sessions of so many days, in the order in which they begin; each comes by chance, whatever the others do.
    pub fn sessions(&self, days: u64) -> Vec<Session> {
        let mut random = Random::new(SEED);
        let mut sessions = Vec::new();
        for begins in 0..days * DAY {
            if random.number(1, PARTS) <= self.chance(begins) {
                let lasts = random.number(self.lasts.0 * MINUTE, self.lasts.1 * MINUTE);
                sessions.push(Session { begins, lasts });
            }
        }
        sessions
    }

    /// The chance that a session begins in this second, in parts.
    fn chance(&self, second: u64) -> u64 {
        let next = self.rate.partition_point(|(at, _)| *at <= second);
        let (from, before) = self.rate[next - 1];
        let (to, after) = self.rate.get(next).copied().unwrap_or((second + 1, before));
        let weighted = before * (to - second) + after * (second - from);
        weighted * PARTS / (HOUR * (to - from))
    }
}
