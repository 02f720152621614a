//! A store in memory that several keepers share, for tests.

use std::sync::{Arc, Mutex};

use super::{Creation, Holder, Record, Renewal, State, Store};
use crate::error::{Error, ErrorKind, Result};

/// What all of them see.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Records>>);

#[derive(Default)]
struct Records {
    all: Vec<Record>,
    used: Vec<u64>,
    /// Names of the scalers whose requests fail.
    cut_off: Vec<&'static str>,
}

impl Shared {
    /// The store as this scaler has it.
    pub fn of(&self, name: &str) -> Box<dyn Store> {
        Box::new(MemoryStore { shared: self.clone(), me: me(name) })
    }

    /// From now on the requests of this scaler fail.
    pub fn cut_off(&self, name: &'static str) {
        self.0.lock().unwrap().cut_off.push(name);
    }

    /// They work again.
    pub fn reconnect(&self) {
        self.0.lock().unwrap().cut_off.clear();
    }
}

/// The holder of this name.
pub fn me(name: &str) -> Holder {
    Holder { name: name.to_owned(), word: format!("word-of-{name}") }
}

struct MemoryStore {
    shared: Shared,
    me: Holder,
}

impl MemoryStore {
    fn with<T>(&self, work: impl FnOnce(&mut Records, &Holder) -> T) -> Result<T> {
        let mut records = self.shared.0.lock().unwrap();
        if records.cut_off.iter().any(|name| *name == self.me.name) {
            return Err(Error::new(ErrorKind::Unavailable, "GET /records: connection refused"));
        }
        Ok(work(&mut records, &self.me))
    }
}

impl Records {
    fn of(&mut self, epoch: u64) -> Option<&mut Record> {
        self.all.iter_mut().find(|record| record.epoch == epoch)
    }
}

impl Store for MemoryStore {
    fn look(&mut self) -> Result<Option<Record>> {
        self.with(|kept, _| kept.all.iter().max_by_key(|record| record.epoch).cloned())
    }

    fn read(&mut self, epoch: u64) -> Result<Option<Record>> {
        self.with(|kept, _| kept.of(epoch).cloned())
    }

    fn create(&mut self, epoch: u64) -> Result<Creation> {
        self.with(|kept, me| {
            if kept.used.contains(&epoch) {
                return Creation::Exists;
            }
            kept.used.push(epoch);
            let (holder, state) = (me.clone(), State::Held);
            kept.all.push(Record { epoch, holder, renewed: 0, state });
            Creation::Created
        })
    }

    fn renew(&mut self, epoch: u64, renewed: u64) -> Result<Renewal> {
        self.with(|kept, _| match kept.of(epoch) {
            Some(record) => {
                record.renewed = renewed;
                Renewal::Renewed
            }
            None => Renewal::Gone,
        })
    }

    fn release(&mut self, epoch: u64) -> Result<()> {
        self.with(|kept, _| {
            if let Some(record) = kept.of(epoch) {
                record.state = State::Released;
            }
        })
    }

    fn delete(&mut self, epoch: u64) -> Result<()> {
        self.with(|kept, _| kept.all.retain(|record| record.epoch > epoch))
    }

    fn expires(&self) -> bool {
        false
    }
}
