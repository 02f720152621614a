//! The results of the last passes, in memory: enough for a picture of the last hours and for "what happened?". A
//! restart forgets it.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use crate::clock::Moment;
use crate::decide::arithmetic::{KINDS, split};
use crate::events::Event;
use crate::model::{AddressId, ServerId, State};
use crate::plan::Plan;
use crate::status::ended_pass::{EndedPass, holder};

/// Passes that are remembered: a day of them at the default `APP_INTERVAL`.
pub const PASSES_MAX: usize = 1440;

/// Events that are remembered.
pub const EVENTS_MAX: usize = 200;

/// The past, as far as it is remembered.
#[derive(Clone, Debug)]
pub struct History {
    /// When it began: the start of the program.
    pub since: SystemTime,
    /// Passes, oldest first.
    pub passes: VecDeque<PassRecord>,
    /// Events, oldest first.
    pub events: VecDeque<Event>,
    /// Whether events have been forgotten.
    pub events_forgotten: bool,
    /// Who holds each external address, and since when.
    pub holders: BTreeMap<AddressId, Held>,
}

/// One pass that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassRecord {
    /// When it began.
    pub began: Moment,
    /// How long it lasted.
    pub lasted: Duration,
    /// Whether it did all it set out to do.
    pub good: bool,
    /// The pool, if it was seen.
    pub pool: Option<PoolRecord>,
}

/// The pool in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolRecord {
    /// Free resources.
    pub free: u64,
    /// The same by kind, in the order of [`KINDS`].
    pub free_by_kind: [u64; KINDS.len()],
    /// Free resources wanted.
    pub wanted: u64,
    /// Replicas in each state, in the order of [`State::ALL`].
    pub by_state: [u32; State::ALL.len()],
}

impl PoolRecord {
    /// Of a plan.
    pub fn new(plan: &Plan) -> Self {
        let count = |state| plan.replicas.iter().filter(|one| one.state == state).count();
        let by_state = State::ALL.map(|state| u32::try_from(count(state)).unwrap_or(u32::MAX));
        let Plan { free, wanted, .. } = *plan;
        PoolRecord { free, free_by_kind: split(plan), wanted, by_state }
    }

    /// Replicas in any state.
    pub fn replicas(&self) -> u32 {
        self.by_state.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

/// Who holds an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who.
    pub holder: Option<ServerId>,
    /// Since when.
    pub since: SystemTime,
    /// Whether it did so already when the address was first seen, so that `since` is the latest it can have begun.
    pub from_the_start: bool,
}

impl History {
    /// Nothing yet.
    pub fn new(since: SystemTime) -> Self {
        History {
            since,
            passes: VecDeque::with_capacity(PASSES_MAX),
            events: VecDeque::with_capacity(EVENTS_MAX),
            events_forgotten: false,
            holders: BTreeMap::new(),
        }
    }

    /// Adds a pass and what happened in it; the oldest ones make room.
    pub fn record(&mut self, pass: &EndedPass, events: Vec<Event>) {
        if self.passes.len() >= PASSES_MAX {
            self.passes.pop_front();
        }
        self.passes.push_back(PassRecord {
            began: pass.began,
            lasted: pass.ended.elapsed.saturating_sub(pass.began.elapsed),
            good: pass.report.is_good(),
            pool: pass.report.plan.as_ref().map(PoolRecord::new),
        });
        self.remember(events);
        self.hold(pass);
    }

    /// Adds what happened; the oldest make room.
    pub fn remember(&mut self, events: Vec<Event>) {
        for event in events {
            if self.events.len() >= EVENTS_MAX {
                self.events.pop_front();
                self.events_forgotten = true;
            }
            self.events.push_back(event);
        }
    }

    fn hold(&mut self, pass: &EndedPass) {
        // Unknown is not gone.
        let Some(addresses) = &pass.report.addresses else { return };
        let mut before = std::mem::take(&mut self.holders);
        for address in addresses {
            let holder = holder(address, &pass.report).cloned();
            let held = match before.remove(&address.id) {
                Some(held) if held.holder == holder => held,
                known => {
                    let from_the_start = known.is_none() && holder == address.holder;
                    Held { holder, since: pass.ended.wall, from_the_start }
                }
            };
            self.holders.insert(address.id.clone(), held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass::Report;
    use crate::status::fixture::{self, at};

    fn ended(seconds: u64, report: Report) -> EndedPass {
        EndedPass { began: at(seconds), ended: at(seconds + 1), report }
    }

    #[test]
    fn the_past_has_a_stated_size() {
        let mut history = History::new(at(0).wall);
        for number in 0..2000 {
            let event = Event { text: number.to_string(), ..fixture::event() };
            history.record(&ended(number, fixture::good_pass()), vec![event]);
        }
        assert_eq!((history.passes.len(), history.events.len()), (PASSES_MAX, EVENTS_MAX));
        assert_eq!(history.passes.front().map(|pass| pass.began), Some(at(560)), "oldest first");
        assert_eq!(history.events.back().map(|event| event.text.as_str()), Some("1999"));
        assert!(history.events_forgotten);
    }

    #[test]
    fn a_pass_that_did_not_see_the_pool_leaves_a_gap() {
        let mut history = History::new(at(0).wall);
        let report = Report { failures: vec!["no cloud".into()], ..Report::default() };
        history.record(&ended(1, report), Vec::new());
        let pass = history.passes.front().unwrap();
        assert_eq!((pass.good, pass.pool), (false, None));
    }

    #[test]
    fn a_holder_is_known_from_the_pass_on_in_which_it_got_its_address() {
        let mut history = History::new(at(0).wall);
        // This pass moves ip-1; ip-2 and ip-3 are as they were found.
        history.record(&ended(1, fixture::failed_pass()), Vec::new());
        let held = |history: &History, id: &str| {
            let held = history.holders.get(&AddressId(id.into())).unwrap().clone();
            (held.holder.map(|id| id.to_string()), held.since, held.from_the_start)
        };
        assert_eq!(held(&history, "ip-1"), (Some("id-0".into()), at(2).wall, false));
        assert_eq!(held(&history, "ip-2"), (Some("stranger".into()), at(2).wall, true));

        let mut report = fixture::failed_pass();
        report.outcome = None;
        let addresses = report.addresses.as_mut().unwrap();
        addresses[0].holder = Some(ServerId::new("id-0"));
        addresses[1].holder = None;
        history.record(&ended(60, report), Vec::new());
        assert_eq!(held(&history, "ip-1").1, at(2).wall, "it still holds it");
        assert_eq!(held(&history, "ip-2"), (None, at(61).wall, false));

        history.record(&ended(120, fixture::good_pass()), Vec::new());
        assert_eq!(held(&history, "ip-1").1, at(2).wall, "a list that failed changes no holder");
    }
}
