//! Plan → Outcome: moves, then deletions, then the creation. What may be chosen here, the plan lists.

mod creation;
mod deletion;
mod moves;

use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::events::News;
use crate::outcome::{Outcome, StepOutcome, StepResult};
use crate::plan::{Plan, StepKind};
use crate::probe::Ask;
use crate::progress::Stop;
use crate::provider::ProviderMut;

/// Moves and deletions each get this part of `APP_INTERVAL`: a cloud that hangs at one kind of step must not keep the
/// others waiting, nor let the plan grow old.
const SHARES: u32 = 3;

/// Why a step had no turn, when its kind's share of the time is used up.
const SHARE_USED_UP: &str = "a third of APP_INTERVAL is used up; the next pass carries on";

/// What a plan is carried out with, and within which bounds.
pub struct Hands<'a> {
    /// The cloud.
    pub provider: &'a mut dyn ProviderMut,
    /// Who asks a silent replica once more before it goes.
    pub prober: &'a dyn Ask,
    /// How what is made is named and marked.
    pub naming: Naming<'a>,
    /// `APP_INTERVAL`.
    pub interval: Duration,
    /// How much of the pass's time is used up.
    pub spent: &'a dyn Fn() -> Duration,
    /// Whether the program is stopping.
    pub stop: &'a Stop,
    /// Whether a step of this kind that changes something may begin now; if not, why.
    pub permit: &'a dyn Fn(StepKind) -> std::result::Result<(), String>,
    /// Who tells people.
    pub news: &'a mut News,
}

/// How the servers of a creation are named and marked.
#[derive(Clone, Copy, Debug)]
pub struct Naming<'a> {
    /// `OPENSTACK_NAME`.
    pub prefix: &'a str,
    /// The pool's mark: metadata key and value.
    pub mark: (&'a str, &'a str),
}

/// Carries out `plan`. Each kind of step gets its turn, however slow the one before was: what has no time left waits for
/// the next pass.
pub fn act(plan: &Plan, hands: Hands<'_>) -> Outcome {
    let mut acting = Acting { hands, outcome: Outcome::default() };
    let moved = moves::move_all(&mut acting, plan);
    deletion::delete_all(&mut acting, plan, &moved);
    if let Some(batch) = &plan.creation {
        creation::create(&mut acting, plan, batch);
    }
    acting.outcome
}

/// An outcome in the making.
struct Acting<'a> {
    hands: Hands<'a>,
    outcome: Outcome,
}

impl Acting<'_> {
    /// `whom` is the id of the server or address the step is about; empty for a creation.
    fn add(&mut self, kind: StepKind, whom: &str, step: &dyn fmt::Display, result: StepResult) {
        let step = step.to_string();
        let news = &mut *self.hands.news;
        match &result {
            StepResult::Done => news.done(kind, whom, &step),
            StepResult::Failed(error) => news.failed(kind, whom, &step, error),
            StepResult::NotTried(why) => news.not_done(kind, &step, why),
            StepResult::Dropped(why) => news.dropped(kind, whom, &step, why),
        }
        self.outcome.steps.push(StepOutcome { kind, step, result });
    }

    /// Why there is no time for another step of a kind whose turn began at `began`, or no permission. The first of its kind
    /// has its turn whatever the time.
    fn no_time(&self, kind: StepKind, began: Duration, is_first: bool) -> Option<StepResult> {
        if self.hands.stop.requested() {
            Some(StepResult::NotTried("the program is stopping".to_owned()))
        } else if let Err(why) = (self.hands.permit)(kind) {
            Some(StepResult::NotTried(why))
        } else if !is_first && self.share_is_used_up(began) {
            Some(StepResult::NotTried(SHARE_USED_UP.to_owned()))
        } else {
            None
        }
    }

    /// A step that failed; or that was left after all, because it was no longer this scaler's turn when it was to be sent.
    fn not_done(error: Error) -> StepResult {
        match error.kind {
            ErrorKind::NotOurTurn => StepResult::NotTried(error.text),
            _ => StepResult::Failed(error),
        }
    }

    /// From where the turn began, not from the pass's beginning: slow probes must not keep the finished alive for ever.
    fn share_is_used_up(&self, began: Duration) -> bool {
        self.spent().saturating_sub(began) >= self.hands.interval / SHARES
    }

    fn spent(&self) -> Duration {
        (self.hands.spent)()
    }
}
