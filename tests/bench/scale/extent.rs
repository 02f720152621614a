//! How much is measured: all of it, or just so much that the bench cannot rot.

use std::env;
use std::time::Duration;

/// A pool, and how often it is looked at.
#[derive(Clone, Copy)]
pub struct Pool {
    pub count: usize,
    /// Enough passes for their processor time to stand out from the kernel's unit of 10 ms.
    pub passes: usize,
}

/// What is measured.
pub struct Extent {
    pub pools: Vec<Pool>,
    /// Pools smaller than this are not measured with black holes.
    pub holes_from: usize,
    /// Pools whose page is asked for while a pass runs, and how often.
    pub shown: Vec<usize>,
    pub questions: usize,
    /// How many cold starts.
    pub starts: usize,
    /// How long nothing happens.
    pub life: Duration,
    /// Whether goals are held up to what was measured.
    pub goals: bool,
}

impl Extent {
    /// A small one with `BENCH_SMALL` set.
    #[expect(clippy::disallowed_methods, reason = "a bench has no settings but this")]
    pub fn wanted() -> Self {
        if env::var("BENCH_SMALL").is_ok_and(|value| !value.is_empty()) {
            Extent::small()
        } else {
            Extent::whole()
        }
    }

    fn whole() -> Self {
        let pool = |count, passes| Pool { count, passes };
        Extent {
            pools: vec![
                pool(3, 200),
                pool(30, 200),
                pool(300, 60),
                pool(3000, 15),
                pool(10_000, 9),
            ],
            holes_from: 30,
            shown: vec![1000, 10_000],
            questions: 9,
            starts: 15,
            life: Duration::from_secs(60),
            goals: true,
        }
    }

    fn small() -> Self {
        let pool = |count, passes| Pool { count, passes };
        Extent {
            pools: vec![pool(3, 3), pool(30, 3)],
            holes_from: 30,
            shown: vec![30],
            questions: 1,
            starts: 1,
            life: Duration::from_secs(1),
            goals: false,
        }
    }
}
