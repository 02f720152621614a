//! One pointer to the present and one to the past, which the loop replaces and the status server reads.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Moment;
use crate::events::Event;
use crate::status::ended_pass::EndedPass;
use crate::status::history::History;
use crate::status::snapshot::Snapshot;

/// The latest snapshot and the past. The lock is held for two pointer copies, or for adding one pass to the past, so no
/// reader can hold up the loop.
#[derive(Debug)]
pub struct Latest(Mutex<(Arc<Snapshot>, Arc<History>)>);

impl Latest {
    /// With a first snapshot, and no past.
    pub fn new(snapshot: Snapshot) -> Self {
        let history = History::new(snapshot.started.wall);
        Latest(Mutex::new((Arc::new(snapshot), Arc::new(history))))
    }

    /// The latest.
    pub fn get(&self) -> Arc<Snapshot> {
        Arc::clone(&self.lock().0)
    }

    /// The latest, and the past that led to it.
    pub fn with_history(&self) -> (Arc<Snapshot>, Arc<History>) {
        self.lock().clone()
    }

    /// Replaces it.
    pub fn publish(&self, snapshot: Snapshot) {
        self.lock().0 = Arc::new(snapshot);
    }

    /// Replaces it with the result of a pass, and makes that part of the past. `next` is when the next pass begins.
    pub fn pass_ended(&self, mut pass: EndedPass, next: Moment) {
        let events = mem::take(&mut pass.report.events);
        let mut after = self.get().pass_ended(pass);
        after.next = Some(next);
        let mut shown = self.lock();
        if let Some(pass) = &after.last {
            // Copied only while a reader still holds the old one.
            Arc::make_mut(&mut shown.1).record(pass, events);
        }
        shown.0 = Arc::new(after);
    }

    /// Something happened between passes.
    pub fn happened(&self, events: Vec<Event>) {
        if !events.is_empty() {
            Arc::make_mut(&mut self.lock().1).remember(events);
        }
    }

    fn lock(&self) -> MutexGuard<'_, (Arc<Snapshot>, Arc<History>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
