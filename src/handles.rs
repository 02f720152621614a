//! What the loop shares with the threads beside it, and hands to whatever it asks: one parameter instead of three.

use crate::lease::turn::Turn;
use crate::metrics::Metrics;
use crate::progress::{Progress, Stop};
use crate::questions::Questions;

/// Clones are the same handles.
#[derive(Clone, Debug, Default)]
pub struct Handles {
    /// "I am alive."
    pub progress: Progress,
    /// "Please stop", and "please look now".
    pub stop: Stop,
    /// What is counted for Prometheus.
    pub metrics: Metrics,
    /// Whether it is this scaler's turn.
    pub turn: Turn,
    /// The last result of asking each replica.
    pub questions: Questions,
}

impl Handles {
    /// The handles of a program that has just started.
    pub fn new() -> Self {
        Self::default()
    }

    /// For a thread beside the loop: what it does is no progress of the loop, and it waits for nobody's turn.
    #[must_use]
    pub fn beside(&self) -> Self {
        Handles { stop: self.stop.clone(), metrics: self.metrics.clone(), ..Self::default() }
    }
}
