//! What asking the holders of addresses between two passes says about them. Pure: times are arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::model::{Answer, ExternalAddress, Lost, Replica, ServerId, State};
use crate::outcome::Outcome;
use crate::plan::Plan;

/// A holder is lost when all questions of so many intervals failed.
const LOST_INTERVALS: u32 = 3;

/// After two intervals without an answer, a host has this part of one to take a connection: then it is gone within three.
const HURRIED_SHARE: u32 = 5;

/// A question that ends so late, in parts of an interval, is still followed by the next one at once.
const LATE_SHARE: u32 = 10;

/// A replica that holds an address after a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub id: ServerId,
    /// Its name.
    pub name: String,
    /// Where it is asked.
    pub address: IpAddr,
    /// What the pass learnt of it.
    pub learnt: Learnt,
}

/// What a pass learnt of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learnt {
    /// It answered.
    Answers,
    /// It is silent, and the pass did for it what could be done.
    IsSilent,
    /// Nothing new.
    Nothing,
}

/// The replicas that hold the pool's addresses after a pass, as far as they run and can be asked.
pub fn after_pass(
    plan: &Plan,
    outcome: Option<&Outcome>,
    addresses: &[ExternalAddress],
    answered: &BTreeSet<ServerId>,
) -> Vec<Holder> {
    let mut holders = BTreeSet::new();
    for address in addresses {
        let mut moved = outcome.into_iter().flat_map(|outcome| &outcome.moved);
        let to = moved.find(|(id, _)| *id == address.id).map(|(_, to)| to);
        holders.extend(to.or(address.holder.as_ref()));
    }
    let is_gone = |id: &ServerId| outcome.is_some_and(|outcome| outcome.deleted.contains(id));
    let watched = |replica: &Replica| {
        let learnt = match replica.state {
            State::Healthy | State::Finished if answered.contains(&replica.id) => Learnt::Answers,
            State::Healthy | State::Finished => Learnt::Nothing,
            State::Silent | State::Starting => Learnt::IsSilent,
            _ => return None,
        };
        let (id, name) = (replica.id.clone(), replica.name.to_string());
        Some(Holder { id, name, address: replica.address?, learnt })
    };
    let holds = |replica: &&Replica| holders.contains(&replica.id) && !is_gone(&replica.id);
    plan.replicas.iter().filter(holds).filter_map(watched).collect()
}

/// One question to a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whom.
    pub id: ServerId,
    /// Where.
    pub address: IpAddr,
    /// When it begins, on the monotonic clock.
    pub began: Duration,
    /// Whether the host has only a part of an interval to take the connection.
    pub hurried: bool,
}

/// What is known of each holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holders {
    interval: Duration,
    at_once: usize,
    all: BTreeMap<ServerId, Known>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    name: String,
    address: IpAddr,
    /// When it is asked next.
    due: Duration,
    /// When the question in flight began.
    asked: Option<Duration>,
    /// Its last valid answer, to a pass or to the watch.
    answered: Option<Duration>,
    failed: Failed,
    /// Whether it may begin a pass: one that did, or was silent in a pass, has to answer first.
    may_begin: bool,
}

/// Questions that failed since the last answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Failed {
    times: u32,
    intervals: u32,
    why: String,
}

impl Known {
    fn is_lost(&self) -> bool {
        self.may_begin && self.failed.intervals >= LOST_INTERVALS
    }

    /// Whether it is lost when the question in flight fails, too.
    fn is_on_the_brink(&self) -> bool {
        self.may_begin && !self.is_lost() && self.failed.intervals + 1 >= LOST_INTERVALS
    }
}

impl Holders {
    /// None yet. Each will be asked every `interval`, and at most `at_once` at the same time.
    pub fn new(interval: Duration, at_once: usize) -> Self {
        Holders { interval, at_once, all: BTreeMap::new() }
    }

    /// A pass that began at `began` ended at `now`, and left the addresses with these.
    pub fn pass_ended(&mut self, holders: Vec<Holder>, began: Duration, now: Duration) {
        let mut before = std::mem::take(&mut self.all);
        for Holder { id, name, address, learnt } in holders {
            let known = before.remove(&id).filter(|known| known.address == address);
            let mut known = known.unwrap_or_else(|| Known {
                name: String::new(),
                address,
                due: self.next_interval(now),
                asked: None,
                answered: None,
                failed: Failed::default(),
                may_begin: true,
            });
            known.name = name;
            match learnt {
                Learnt::Answers => known.answers(began),
                Learnt::IsSilent => known.may_begin = false,
                Learnt::Nothing => {}
            }
            self.all.insert(id, known);
        }
    }

    /// Nobody is a holder until a pass says so.
    pub fn forget(&mut self) {
        self.all.clear();
    }

    /// The questions whose time has come.
    pub fn due(&mut self, now: Duration) -> Vec<Question> {
        let next = self.next_interval(now);
        let room = self.room();
        let idle = self.all.iter_mut().filter(|(_, known)| known.asked.is_none());
        let mut due: Vec<_> = idle.filter(|(_, known)| known.due <= now).collect();
        // Whoever had to wait for want of room comes first.
        due.sort_by_key(|(_, known)| known.due);
        let ask = |(id, known): (&ServerId, &mut Known)| {
            known.due = next;
            known.asked = Some(now);
            let hurried = known.failed.intervals + 1 >= LOST_INTERVALS;
            Question { id: id.clone(), address: known.address, began: now, hurried }
        };
        due.into_iter().take(room).map(ask).collect()
    }

    /// A question ended.
    pub fn ended(&mut self, question: &Question, answer: &Answer, now: Duration) {
        let next = self.next_interval(now.saturating_sub(self.interval / LATE_SHARE));
        let intervals = self.intervals(now.saturating_sub(question.began));
        let Some(known) = self.all.get_mut(&question.id) else { return };
        if known.asked != Some(question.began) || known.address != question.address {
            return;
        }
        known.asked = None;
        known.due = known.due.max(next);
        match answer {
            Answer::Valid { .. } => known.answers(now),
            // Older than the last answer, which a pass had meanwhile.
            Answer::None { .. } if known.answered.is_some_and(|at| at > question.began) => {}
            Answer::None { why } => {
                known.failed.times = known.failed.times.saturating_add(1);
                known.failed.intervals = known.failed.intervals.saturating_add(intervals);
                known.failed.why.clone_from(why);
            }
            Answer::Unasked => {}
        }
    }

    /// The holders that are lost and begin a pass now. Those that are about to be lost with them are waited for, for a
    /// moment: one pass is enough for all who die at once.
    pub fn take_lost(&mut self, now: Duration) -> BTreeMap<ServerId, Lost> {
        if self.brink().is_some_and(|end| end > now) {
            return BTreeMap::new();
        }
        let interval = self.interval;
        let lost = self.all.iter_mut().filter(|(_, known)| known.is_lost());
        lost.map(|(id, known)| {
            known.may_begin = false;
            let Failed { times, intervals, why } = known.failed.clone();
            let (name, within) = (known.name.clone(), interval.saturating_mul(intervals));
            (id.clone(), Lost { name, address: known.address, why, times, within })
        })
        .collect()
    }

    /// Those that have been asked for half an interval and have not answered yet.
    pub fn pending(&self, now: Duration) -> BTreeSet<ServerId> {
        let is_slow = |began: Duration| began + self.interval / 2 <= now;
        let pending = self.all.iter().filter(|(_, known)| known.asked.is_some_and(is_slow));
        pending.map(|(id, _)| id.clone()).collect()
    }

    /// When each holder last answered, as far as it did.
    pub fn last_answers(&self) -> BTreeMap<ServerId, Duration> {
        let answers = self.all.iter().filter_map(|(id, known)| Some((id.clone(), known.answered?)));
        answers.collect()
    }

    /// When there is something to do next, if no question fails before. Good answers are taken up when the next interval
    /// begins.
    pub fn next(&self, now: Duration) -> Option<Duration> {
        let asked = self.all.values().any(|known| known.asked.is_some());
        let idle = self.all.values().filter(|known| known.asked.is_none());
        let due = idle.map(|known| known.due).min().filter(|_| self.room() > 0).into_iter();
        due.chain(asked.then(|| self.next_interval(now))).chain(self.brink()).min()
    }

    /// Whether there are more than may be asked at the same time.
    pub fn are_crowded(&self) -> bool {
        self.all.len() > self.at_once
    }

    /// Until when those that are about to be lost are waited for, while somebody is lost.
    fn brink(&self) -> Option<Duration> {
        if !self.all.values().any(Known::is_lost) {
            return None;
        }
        let on_the_brink = self.all.values().filter(|known| known.is_on_the_brink());
        // Both hundredths are for the way from the system's clock to ours.
        let patience = self.interval / HURRIED_SHARE + self.interval / 50;
        on_the_brink.filter_map(|known| known.asked).map(|began| began + patience).max()
    }

    fn room(&self) -> usize {
        let asked = self.all.values().filter(|known| known.asked.is_some()).count();
        self.at_once.saturating_sub(asked)
    }

    /// How long a host may take to accept the connection of a question, whose answer may take longer.
    pub fn connect_limits(interval: Duration) -> (Duration, Duration) {
        // The next question begins on time.
        (interval.saturating_sub(interval / LATE_SHARE), interval / HURRIED_SHARE)
    }

    /// How many intervals a question took that lasted so long; none counts less than one.
    fn intervals(&self, lasted: Duration) -> u32 {
        let intervals = (lasted + self.interval / 2).as_nanos() / self.interval.as_nanos().max(1);
        u32::try_from(intervals).unwrap_or(u32::MAX).max(1)
    }

    /// The beginning of the first interval after `now`: all holders are asked in step, so that those that die at once are
    /// lost at once.
    fn next_interval(&self, now: Duration) -> Duration {
        let over = now.as_nanos() % self.interval.as_nanos().max(1);
        let over = Duration::from_nanos(u64::try_from(over).unwrap_or_default());
        now.saturating_sub(over).saturating_add(self.interval)
    }
}

impl Known {
    fn answers(&mut self, at: Duration) {
        self.answered = self.answered.max(Some(at));
        self.failed = Failed::default();
        self.may_begin = true;
    }
}
