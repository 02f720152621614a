//! How many replicas are missing, and why: the sum as numbers, and in the words of plans and people.

use std::fmt;

use crate::model::{Replica, State};
use crate::plan::Plan;

/// The kinds of free resources, as metrics spell them, in the order of [`split`].
pub const KINDS: [&str; 5] = ["answered", "starting", "creating", "last_known", "unaccounted"];

/// The free resources of a plan by kind; together they are [`Plan::free`].
pub fn split(plan: &Plan) -> [u64; KINDS.len()] {
    let Arithmetic { answered, starting, creating, last_known, free, .. } =
        Arithmetic::of(&plan.replicas, 0, plan.wanted, 1);
    [answered, starting, creating, last_known, plan.free.saturating_sub(free)]
}

/// The free resources of a plan that nobody has answered for yet: of new replicas, listed or not.
pub fn on_their_way(plan: &Plan) -> u64 {
    let [_, starting, creating, _, unaccounted] = split(plan);
    starting.saturating_add(creating).saturating_add(unaccounted)
}

/// The sum. All of it is in resources, but for [`Arithmetic::missing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// Free by the replicas' own answers.
    pub answered: u64,
    /// Of replicas that boot.
    pub starting: u64,
    /// Of replicas that are being built.
    pub creating: u64,
    /// Of replicas that do not answer just now, by their last answer.
    pub last_known: u64,
    /// Of replicas that were asked for and are not in the cloud's list yet.
    pub unaccounted: u64,
    /// All of these.
    pub free: u64,
    /// `REPLICA_MIN_AVAILABLE_RESOURCES`.
    pub wanted: u64,
    /// Wanted and not free.
    pub short: u64,
    /// `REPLICA_CAPACITY`.
    pub capacity: u64,
    /// So many replicas make up for what is short.
    pub missing: u64,
}

impl Arithmetic {
    /// The sum over `replicas` and over `unaccounted` ones.
    pub fn of<'a>(
        replicas: impl IntoIterator<Item = &'a Replica>,
        unaccounted: u64,
        wanted: u64,
        capacity: u64,
    ) -> Self {
        let (mut answered, mut starting, mut creating, mut last_known) = (0_u64, 0, 0, 0);
        for replica in replicas {
            let sum = match replica.state {
                State::Healthy => &mut answered,
                State::Starting => &mut starting,
                State::Creating => &mut creating,
                _ => &mut last_known,
            };
            *sum = sum.saturating_add(replica.free);
        }
        let unaccounted = unaccounted.saturating_mul(capacity);
        let parts = [answered, starting, creating, last_known, unaccounted];
        let free = parts.into_iter().fold(0, u64::saturating_add);
        let short = wanted.saturating_sub(free);
        Arithmetic {
            answered,
            starting,
            creating,
            last_known,
            unaccounted,
            free,
            wanted,
            short,
            capacity,
            missing: short.div_ceil(capacity.max(1)),
        }
    }
}

/// `free 4 = 1 answered + 3 creating; wanted 6; short 2 → 1 replica of 3`.
impl fmt::Display for Arithmetic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.answered, "answered"),
            (self.starting, "starting"),
            (self.creating, "creating"),
            (self.last_known, "last known"),
            (self.unaccounted, "unaccounted"),
        ];
        write!(formatter, "free {}", self.free)?;
        let parts = parts.into_iter().filter(|(resources, _)| *resources > 0);
        for ((resources, what), sign) in parts.zip(["="].into_iter().chain(std::iter::repeat("+")))
        {
            write!(formatter, " {sign} {resources} {what}")?;
        }
        write!(formatter, "; wanted {}; short {}", self.wanted, self.short)?;
        if self.missing > 0 {
            let noun = if self.missing == 1 { "replica" } else { "replicas" };
            write!(formatter, " → {} {noun} of {}", self.missing, self.capacity)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::ServerId;

    fn replica((state, free): &(State, u64)) -> Replica {
        Replica {
            id: ServerId::new("id"),
            name: "web".into(),
            state: *state,
            why: String::new(),
            free: *free,
            locked: false,
            address: None,
            age: Duration::ZERO,
            up: None,
            batch: None,
            trial: false,
        }
    }

    #[track_caller]
    fn check(replicas: &[(State, u64)], unaccounted: u64, expected: &str) {
        let replicas: Vec<Replica> = replicas.iter().map(replica).collect();
        let arithmetic = Arithmetic::of(&replicas, unaccounted, 6, 3);
        assert_eq!(arithmetic.to_string(), expected);
    }

    #[test]
    fn what_answered_is_told_from_what_is_on_its_way() {
        check(
            &[(State::Healthy, 1), (State::Creating, 3), (State::Finished, 0)],
            0,
            "free 4 = 1 answered + 3 creating; wanted 6; short 2 → 1 replica of 3",
        );
        check(
            &[(State::Starting, 3), (State::Silent, 1)],
            1,
            "free 7 = 3 starting + 1 last known + 3 unaccounted; wanted 6; short 0",
        );
    }

    #[test]
    fn the_split_of_a_plan_adds_up_to_what_is_free() {
        let plan = |free, replicas: &[(State, u64)]| {
            let replicas = replicas.iter().map(replica).collect();
            Plan { free, replicas, unaccounted: 2, ..Plan::default() }
        };
        let pool = [(State::Healthy, 1), (State::Starting, 3), (State::Silent, 2)];
        assert_eq!(split(&plan(12, &pool)), [1, 3, 0, 2, 6]);
        assert_eq!(split(&plan(6, &[(State::Creating, 3)])), [0, 0, 3, 0, 3]);
    }

    #[test]
    fn an_empty_pool_adds_nothing_up() {
        check(&[], 0, "free 0; wanted 6; short 6 → 2 replicas of 3");
    }

    #[test]
    fn no_sum_overflows() {
        check(
            &[(State::Healthy, u64::MAX), (State::Healthy, 1)],
            u64::MAX,
            "free 18446744073709551615 = 18446744073709551615 answered + 18446744073709551615 unaccounted; wanted 6; \
             short 0",
        );
    }
}
