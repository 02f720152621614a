//! The store that the scalers share, as Glance and etcd behave.

use simplescalevm::lease::candidate::{Answer, Request};
use simplescalevm::lease::{Creation, Holder, Record, Renewal, State};

/// A store, one request at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    /// In the order of their epochs.
    records: Vec<Stored>,
    /// The epochs that were ever made, a bit each: no number is given out twice.
    used: u64,
    /// How many ticks a record lives without a renewal, when the store itself ends it (etcd).
    lives: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Stored {
    record: Record,
    /// When the store ends it, by its own clock.
    ends: Option<u64>,
}

impl Store {
    /// An empty one, in which these epochs once existed.
    pub fn new(lives: Option<u64>, once: &[u64]) -> Self {
        let used = once.iter().fold(0, |used, epoch| used | 1 << epoch);
        Store { records: Vec::new(), used, lives }
    }

    /// How many epochs were ever made.
    pub fn epochs(&self) -> u32 {
        self.used.count_ones()
    }

    /// Whether nothing is on record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Somebody deletes all records by hand.
    pub fn wipe(&mut self) {
        self.records.clear();
    }

    /// A request takes effect now.
    pub fn ask(&mut self, sender: &str, request: Request, now: u64) -> Answer {
        let ends = self.lives.map(|lives| now + lives);
        match request {
            Request::Look => Answer::Record(self.records.last().map(|stored| stored.seen(now))),
            Request::Read(epoch) => Answer::Record(self.find(epoch).map(|stored| stored.seen(now))),
            Request::Create(epoch) if self.used & (1 << epoch) != 0 => {
                Answer::Creation(Creation::Exists)
            }
            Request::Create(epoch) => {
                self.used |= 1 << epoch;
                let record =
                    Record { epoch, holder: holder(sender), renewed: 0, state: State::Held };
                self.records.push(Stored { record, ends });
                self.records.sort_by_key(|stored| stored.record.epoch);
                Answer::Creation(Creation::Created)
            }
            Request::Renew { epoch, renewed } => match self.find(epoch) {
                Some(stored) if stored.seen(now).state != State::Expired => {
                    stored.record.renewed = renewed;
                    stored.ends = ends;
                    Answer::Renewal(Renewal::Renewed)
                }
                _ => Answer::Renewal(Renewal::Gone),
            },
            Request::Release(epoch) => {
                if let Some(stored) = self.find(epoch)
                    && stored.seen(now).state == State::Held
                {
                    stored.record.state = State::Released;
                }
                Answer::Done
            }
            Request::Delete(epoch) => {
                self.records.retain(|stored| stored.record.epoch > epoch);
                Answer::Done
            }
        }
    }

    /// Whether a request can still change something, now or later.
    pub fn minds(&self, request: Request) -> bool {
        let is_new = |epoch: u64| self.used & (1 << epoch) == 0;
        match request {
            Request::Look | Request::Read(_) => false,
            Request::Create(epoch) => is_new(epoch),
            Request::Renew { epoch, .. } | Request::Release(epoch) => {
                is_new(epoch) || self.records.iter().any(|stored| stored.record.epoch == epoch)
            }
            Request::Delete(epoch) => {
                (1..=epoch).any(is_new)
                    || self.records.iter().any(|stored| stored.record.epoch <= epoch)
            }
        }
    }

    fn find(&mut self, epoch: u64) -> Option<&mut Stored> {
        self.records.iter_mut().find(|stored| stored.record.epoch == epoch)
    }
}

impl Stored {
    fn seen(&self, now: u64) -> Record {
        let mut record = self.record.clone();
        if record.state == State::Held && self.ends.is_some_and(|ends| now >= ends) {
            record.state = State::Expired;
        }
        record
    }
}

/// Who a process is: in the model its word is all.
pub fn holder(word: &str) -> Holder {
    Holder { name: String::new(), word: word.into() }
}
