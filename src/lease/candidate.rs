//! The protocol, one request at a time: what is asked next and when, and what its answer means. No clock, no I/O.
//!
//! Why no two act at a time: a renewal sent at *t* is in force until *t* + validity, and the look after it saw no higher
//! epoch. Who makes the next epoch later either had seen that renewal, and waited a whole validity from a look that ended
//! after *t*; or had not, then the re-read shows it, and the validity is waited from there. Every later renewal finds the
//! next epoch, or no record at all. This needs each `renewed` to be written once: else a late request could hide a renewal.

use std::time::Duration;

use super::tenure::Tenure;
use super::{Creation, Holder, Record, Renewal, State};
use crate::clock::Moment;

/// A holder renews, and a standby looks, this often in one validity.
const TURNS: u32 = 3;

/// After a request that failed, the next one waits for this part of the validity.
const PAUSES: u32 = 10;

/// What all scalers of a pool have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// `APP_LEASE_SECONDS`.
    pub validity: Duration,
    /// How long after a takeover a creation of the predecessor may still be on its way.
    pub longest_request: Duration,
    /// Whether the store itself ends a lease that is not renewed.
    pub store_expires: bool,
}

/// What the store is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// The record of the highest epoch.
    Look,
    /// The record of this epoch.
    Read(u64),
    /// Make this epoch.
    Create(u64),
    /// Write this number into our own record.
    Renew {
        /// Our own.
        epoch: u64,
        /// Never written before.
        renewed: u64,
    },
    /// Hand our own record over.
    Release(u64),
    /// Delete the record of an epoch that is over.
    Delete(u64),
}

/// What the store answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// To [`Request::Look`] and [`Request::Read`].
    Record(Option<Record>),
    /// To [`Request::Create`].
    Creation(Creation),
    /// To [`Request::Renew`].
    Renewal(Renewal),
    /// To [`Request::Release`] and [`Request::Delete`].
    Done,
    /// To any of them: it may have taken effect, or do so later.
    Failed,
}

/// One scaler's part in the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    rules: Rules,
    me: Holder,
    phase: Phase,
    /// The next request is not sent before, since the program started.
    due: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Another one's turn, as far as we know.
    Standby { seen: Option<Seen> },
    /// We try to make the next epoch.
    Bidding(Bid),
    /// An epoch is ours.
    Own(Own),
}

/// A state of the record, and since when it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// The record.
    pub record: Record,
    /// The end of the look that first showed it, since the program started.
    pub since: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Bid {
    epoch: u64,
    /// What it is to follow.
    over: Option<Seen>,
    /// The number was taken; a look shows by whom.
    taken: bool,
    /// A number was taken and nobody is listed: so there was a holder once, and may still be one.
    was_used: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Own {
    epoch: u64,
    renewed: u64,
    clearance: Clearance,
    /// The predecessor's record, as long as it is not deleted.
    over: Option<u64>,
    handed_over: bool,
    /// The renewal that a look has to confirm.
    renewal: Option<Moment>,
    /// When the record was last written, or its writing tried.
    written: Duration,
    tenure: Option<Tenure>,
}

/// Whether the predecessor is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Clearance {
    /// It may have renewed before our epoch was there to be seen.
    Unread(Record),
    /// It did, or may have: its last renewal is over then.
    At(Duration),
    /// It is.
    Clear,
}

/// What a candidate is, for people and for the loop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Another one acts, as far as we know: `None` when nobody is known.
    Standby(Option<Seen>),
    /// We are about to act.
    Taking,
    /// We act, as long as the tenure says so.
    Leader(Tenure),
}

impl Candidate {
    /// One that has seen nothing yet.
    pub fn new(rules: Rules, me: Holder, now: Duration) -> Self {
        Candidate { rules, me, phase: Phase::Standby { seen: None }, due: now }
    }

    /// What to ask next, and when: not before that time since the program started.
    pub fn next(&self) -> (Duration, Request) {
        let request = match &self.phase {
            Phase::Standby { .. } => Request::Look,
            Phase::Bidding(bid) if bid.taken => Request::Look,
            Phase::Bidding(bid) => Request::Create(bid.epoch),
            Phase::Own(own) => own.next(self.due, self.turn()),
        };
        (self.due, request)
    }

    /// What was asked, when it was sent, when its answer was there, and what that was.
    pub fn told(&mut self, request: Request, sent: Moment, ended: Duration, answer: Answer) {
        match self.phase.clone() {
            Phase::Standby { seen } => self.looked(seen, sent, ended, answer),
            Phase::Bidding(bid) => self.bid(bid, ended, answer),
            Phase::Own(own) => self.owned(own, request, sent, ended, answer),
        }
    }

    /// The request that hands our epoch over, when there is one that counts. Nothing follows it.
    ///
    /// Who has not cleared its own predecessor, or still waits for its last creation, has nothing to hand over: the successor
    /// would act at once.
    pub fn hand_over(&self, now: Duration) -> Option<Request> {
        match &self.phase {
            Phase::Own(Own { epoch, tenure: Some(tenure), .. }) => {
                (now >= tenure.creations_from).then_some(Request::Release(*epoch))
            }
            _ => None,
        }
    }

    /// What we are.
    pub fn role(&self) -> Role {
        match &self.phase {
            Phase::Standby { seen } => Role::Standby(seen.clone()),
            Phase::Own(Own { tenure: Some(tenure), .. }) => Role::Leader(*tenure),
            Phase::Own(_) | Phase::Bidding(_) => Role::Taking,
        }
    }

    fn turn(&self) -> Duration {
        self.rules.validity / TURNS
    }

    fn pause(&self) -> Duration {
        self.rules.validity / PAUSES
    }

    fn looked(&mut self, seen: Option<Seen>, sent: Moment, ended: Duration, answer: Answer) {
        match answer {
            Answer::Record(None) => self.go(
                Phase::Bidding(Bid { epoch: 1, over: None, taken: false, was_used: false }),
                ended,
            ),
            Answer::Record(Some(record)) => self.weigh(seen, record, sent.elapsed, ended),
            _ => self.go(Phase::Standby { seen }, ended + self.pause()),
        }
    }

    /// Whether the record that counts is over.
    fn weigh(&mut self, seen: Option<Seen>, record: Record, sent: Duration, ended: Duration) {
        let same = seen.filter(|seen| seen.record == record);
        let seen = same.unwrap_or(Seen { record, since: ended });
        let ends = seen.since + self.rules.validity;
        let is_over = match seen.record.state {
            State::Released | State::Expired => true,
            State::Held => !self.rules.store_expires && sent >= ends,
        };
        if is_over {
            let epoch = seen.record.epoch.saturating_add(1);
            let bid = Bid { epoch, over: Some(seen), taken: false, was_used: false };
            self.go(Phase::Bidding(bid), ended);
        } else {
            let turn = sent + self.turn();
            let due = if self.rules.store_expires { turn } else { turn.min(ends) };
            self.go(Phase::Standby { seen: Some(seen) }, due.max(ended));
        }
    }

    fn bid(&mut self, bid: Bid, ended: Duration, answer: Answer) {
        match answer {
            Answer::Creation(Creation::Created) => self.created(bid, ended),
            Answer::Creation(Creation::Exists) => {
                self.go(Phase::Bidding(Bid { taken: true, ..bid }), ended);
            }
            Answer::Record(record) => self.outbid(bid, record, ended),
            _ => self.go(Phase::Standby { seen: bid.over }, ended + self.pause()),
        }
    }

    /// The number was taken: by whom? Another number is tried after a pause only, for a store that is wrong about one may be
    /// so about all.
    fn outbid(&mut self, bid: Bid, record: Option<Record>, ended: Duration) {
        match (record, bid.over) {
            // It once existed, and what it was to follow still counts.
            (Some(record), Some(over)) if over.record == record => {
                let epoch = bid.epoch.saturating_add(1);
                let bid = Bid { epoch, over: Some(over), taken: false, was_used: bid.was_used };
                self.go(Phase::Bidding(bid), ended + self.pause());
            }
            (Some(record), _) => self.weigh(None, record, ended, ended),
            (None, _) => {
                let epoch = bid.epoch.saturating_mul(2);
                let bid = Bid { epoch, over: None, taken: false, was_used: true };
                self.go(Phase::Bidding(bid), ended + self.pause());
            }
        }
    }

    fn created(&mut self, bid: Bid, ended: Duration) {
        let over = bid.over.map(|seen| seen.record);
        let state = over.as_ref().map(|record| record.state);
        let clearance = match (&over, state) {
            (Some(record), Some(State::Held)) => Clearance::Unread(record.clone()),
            (None, _) if bid.was_used => Clearance::At(ended + self.rules.validity),
            _ => Clearance::Clear,
        };
        let own = Own {
            epoch: bid.epoch,
            renewed: 0,
            clearance,
            over: over.map(|record| record.epoch),
            handed_over: state == Some(State::Released) || (state.is_none() && !bid.was_used),
            renewal: None,
            written: ended,
            tenure: None,
        };
        self.go(Phase::Own(own), ended);
    }

    fn owned(
        &mut self,
        mut own: Own,
        request: Request,
        sent: Moment,
        ended: Duration,
        answer: Answer,
    ) {
        let retry = ended + self.pause();
        let due = match (request, answer) {
            (Request::Renew { renewed, .. }, answer) => {
                // Whatever became of it: it may take effect late, so the number is used up.
                own.renewed = renewed;
                own.written = sent.elapsed;
                match answer {
                    Answer::Renewal(Renewal::Gone) => return self.lost(None, ended),
                    Answer::Renewal(Renewal::Renewed) => {
                        own.renewal = Some(sent);
                        ended
                    }
                    _ => retry,
                }
            }
            (Request::Look, Answer::Record(Some(record))) if record.epoch > own.epoch => {
                return self.lost(Some(record), ended);
            }
            (Request::Look, Answer::Record(Some(record)))
                if record.epoch == own.epoch && record.holder == self.me =>
            {
                if let Some(from) = own.renewal.take() {
                    own.confirmed(from, ended, &self.rules);
                }
                own.due(ended, self.turn())
            }
            // A list without our own record says nothing about a higher one.
            (Request::Look, _) => {
                own.renewal = None;
                retry
            }
            (Request::Read(_), Answer::Record(record)) => {
                own.reread(record.as_ref(), ended + self.rules.validity);
                own.due(ended, self.turn())
            }
            (Request::Delete(_), _) => {
                // Only tidiness, for our epoch is the higher one; the next deletion takes this one along.
                own.over = None;
                own.due(ended, self.turn())
            }
            _ => retry,
        };
        self.go(Phase::Own(own), due);
    }

    fn lost(&mut self, record: Option<Record>, ended: Duration) {
        match record {
            Some(record) => self.weigh(None, record, ended, ended),
            // What is made and gone again at once must not be made over and over.
            None => self.go(Phase::Standby { seen: None }, ended + self.pause()),
        }
    }

    fn go(&mut self, phase: Phase, due: Duration) {
        self.phase = phase;
        self.due = due;
    }
}

impl Own {
    fn next(&self, at: Duration, turn: Duration) -> Request {
        let renew = Request::Renew { epoch: self.epoch, renewed: self.renewed + 1 };
        if self.renewal.is_some_and(|sent| at < sent.elapsed + turn) {
            return Request::Look;
        }
        if at >= self.written + turn {
            return renew;
        }
        match (&self.clearance, self.over) {
            (Clearance::Unread(record), _) => Request::Read(record.epoch),
            (_, Some(over)) if self.is_clear(at) => Request::Delete(over),
            _ => renew,
        }
    }

    /// When the next request is due, after one that went well.
    fn due(&self, ended: Duration, turn: Duration) -> Duration {
        let renewal = self.written + turn;
        let due = match self.clearance {
            Clearance::Unread(_) => ended,
            Clearance::At(time) if ended < time => renewal.min(time),
            _ if self.over.is_some() || self.tenure.is_none() => ended,
            _ => renewal,
        };
        due.max(ended)
    }

    fn is_clear(&self, now: Duration) -> bool {
        match self.clearance {
            Clearance::Unread(_) => false,
            Clearance::At(time) => now >= time,
            Clearance::Clear => true,
        }
    }

    /// The predecessor's record as it is now that ours is there to be seen. Who saw ours before renewing is lost by itself.
    fn reread(&mut self, record: Option<&Record>, in_a_validity: Duration) {
        let Clearance::Unread(seen) = &self.clearance else { return };
        let released = record.is_some_and(|record| record.state == State::Released);
        self.handed_over |= released;
        self.clearance = if released || record == Some(seen) {
            Clearance::Clear
        } else {
            Clearance::At(in_a_validity)
        };
    }

    fn confirmed(&mut self, from: Moment, now: Duration, rules: &Rules) {
        if !self.is_clear(now) {
            return;
        }
        let creations_from = match self.tenure {
            Some(tenure) => tenure.creations_from,
            None if self.handed_over => Duration::ZERO,
            None => now + rules.longest_request,
        };
        self.tenure = Some(Tenure { from, validity: rules.validity, creations_from });
    }
}

#[cfg(test)]
mod tests;
