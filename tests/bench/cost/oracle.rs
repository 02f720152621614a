//! Who knows the future.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::fleet::{Boot, Fleet, Scaler};
use crate::trace::Session;
use crate::{CAPACITY, MINIMUM};

/// Makes each replica at the last moment.
pub struct Oracle {
    /// When each is to be made, the first one first.
    due: Peekable<IntoIter<u64>>,
}

impl Oracle {
    pub fn new(sessions: &[Session], boot: Boot) -> Self {
        // The first few have to be there before any session.
        let at_once = MINIMUM.div_ceil(CAPACITY);
        let mut due: Vec<u64> = (0..at_once).map(|_| 0).collect();
        let mut resources = at_once * CAPACITY;
        for (session, taken) in sessions.iter().zip(1..) {
            if resources < MINIMUM + taken {
                due.push(session.begins.saturating_sub(boot.whole()));
                resources += CAPACITY;
            }
        }
        Oracle { due: due.into_iter().peekable() }
    }
}

impl Scaler for Oracle {
    fn act(&mut self, fleet: &mut Fleet) {
        while self.due.next_if(|due| *due <= fleet.now).is_some() {
            fleet.create();
        }
        fleet.delete_finished();
    }
}
