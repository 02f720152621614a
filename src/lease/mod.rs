//! The lease: of several scalers of one pool, one acts.
//!
//! [`candidate`] is the protocol and [`tenure`] what "ours until" means: both pure, checked in a model with every order of
//! requests. A [`Store`] keeps the record: one file per kind. A record belongs to an *epoch*; the highest epoch counts, a
//! new one is made at each takeover, and no number is ever given out twice.

pub mod candidate;
pub mod etcd;
pub mod keeper;
#[cfg(test)]
pub(crate) mod memory;
pub mod open;
pub mod openstack;
pub mod tenure;
pub mod turn;
mod words;

use std::fmt;

use crate::error::Result;

/// Who takes part: the name is for people, the word tells one process from every other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    /// `APP_NAME`.
    pub name: String,
    /// Made anew by each process.
    pub word: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What a store has on record for one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// From 1; the highest counts.
    pub epoch: u64,
    /// Who made it.
    pub holder: Holder,
    /// Another number after each renewal; its holder never writes the same one twice.
    pub renewed: u64,
    /// Whether its holder still wants it.
    pub state: State,
}

/// Whether a record's holder still wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Yes, as far as the record tells.
    Held,
    /// No: an orderly end handed it over.
    Released,
    /// The store itself saw it run out (etcd).
    Expired,
}

/// What became of the wish for an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Creation {
    /// It is ours, and nobody else's.
    Created,
    /// The number is taken, perhaps by a record that is deleted by now.
    Exists,
}

/// What became of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Renewal {
    /// The record has the new number.
    Renewed,
    /// There is no such record any more: somebody took over.
    Gone,
}

/// Where the record of a lease is kept. An error means that the request may or may not have taken effect, now or later. It
/// says what went wrong with the request; what that was for, the asker knows.
/// Each request has one effect at most: none is sent twice by itself, but after a refusal (401), or where the second time does
/// nothing.
pub trait Store: Send {
    /// The record of the highest epoch; `None` when there is none at all.
    fn look(&mut self) -> Result<Option<Record>>;

    /// The record of this epoch.
    fn read(&mut self, epoch: u64) -> Result<Option<Record>>;

    /// Makes the record of an epoch, [`State::Held`] by us with `renewed` 0: the one step that two can't both succeed in.
    fn create(&mut self, epoch: u64) -> Result<Creation>;

    /// Writes `renewed` into our own record.
    fn renew(&mut self, epoch: u64, renewed: u64) -> Result<Renewal>;

    /// Marks our own record as [`State::Released`].
    fn release(&mut self, epoch: u64) -> Result<()>;

    /// Deletes the records of this epoch, which is over, and of all before it; what is gone already is a success.
    fn delete(&mut self, epoch: u64) -> Result<()>;

    /// Whether the store itself ends a lease that is not renewed. Then nobody else may judge that by the time.
    fn expires(&self) -> bool;
}
