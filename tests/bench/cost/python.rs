//! The rules of the Python program.

use crate::fleet::{Fleet, Scaler};
use crate::{CAPACITY, INTERVAL, MINIMUM};

/// It remembers nothing, and knows no maximum.
pub struct Python;

impl Scaler for Python {
    fn act(&mut self, fleet: &mut Fleet) {
        if !fleet.now.is_multiple_of(INTERVAL) {
            return;
        }
        // One that is active and does not answer yet counts nothing: so it makes another for it.
        let free = |number: usize| {
            if fleet.is_building(number) {
                CAPACITY
            } else if fleet.answers(number) {
                fleet.room(number)
            } else {
                0
            }
        };
        let free: u64 = fleet.alive().map(free).sum();
        // It would also delete those that are neither building nor active: here there are none.
        fleet.delete_finished();
        for _ in 0..MINIMUM.saturating_sub(free).div_ceil(CAPACITY) {
            fleet.create();
        }
    }
}
