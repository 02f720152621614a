//! Time in the simulated cloud: what happens by itself, step by step.

use std::time::Duration;

use crate::provider::simulated::world::World;

/// The world moves in steps of this length, so that its story does not depend on how often it is looked at.
const STEP: Duration = Duration::from_millis(250);

impl World {
    /// Lets time pass until `time`, since the world began.
    pub fn advance(&mut self, time: Duration) {
        while self.now + STEP <= time {
            self.now += STEP;
            self.live();
            self.work();
            self.tell_the_hour(STEP);
        }
    }
}
