//! Ours until when, and for what.

use std::time::Duration;

use crate::clock::Moment;

/// How far the wall clock may run ahead of the monotonic one before the machine is taken to have slept in between.
const SLEPT: Duration = Duration::from_secs(1);

/// Part of the validity that must be left before a step: it has to arrive, and clocks differ.
const MARGINS: u32 = 6;

/// The time a renewal bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tenure {
    /// Just before the renewal was sent: everything is counted from here.
    pub from: Moment,
    /// How long it is valid from then.
    pub validity: Duration,
    /// Since the program started: before that nothing is created, for the predecessor's last creation may still take effect.
    pub creations_from: Duration,
}

impl Tenure {
    /// Whether a step that changes something may begin now.
    pub fn may_act(&self, now: Moment) -> bool {
        let margin = self.validity / MARGINS;
        now.elapsed + margin < self.from.elapsed + self.validity && !self.slept(now)
    }

    /// Whether a creation may begin now.
    pub fn may_create(&self, now: Moment) -> bool {
        self.may_act(now) && now.elapsed >= self.creations_from
    }

    /// A machine that was suspended cannot tell by its monotonic clock.
    fn slept(&self, now: Moment) -> bool {
        let elapsed = now.elapsed.saturating_sub(self.from.elapsed);
        let by_wall = now.wall.duration_since(self.from.wall).unwrap_or_default();
        by_wall > elapsed + SLEPT
    }
}
