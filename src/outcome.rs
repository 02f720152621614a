//! What became of a plan: plain data, beside [`crate::plan`].

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::model::{AddressId, ServerId};
use crate::plan::StepKind;

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Every step, in the order in which it was its turn.
    pub steps: Vec<StepOutcome>,
    /// Addresses that went to another replica, and to which.
    pub moved: Vec<(AddressId, ServerId)>,
    /// When each of them did, since the pass began.
    pub moved_after: BTreeMap<AddressId, Duration>,
    /// Addresses whose move was tried and failed.
    pub not_moved: Vec<AddressId>,
    /// Replicas whose deletion was accepted.
    pub deleted: Vec<ServerId>,
    /// Replicas whose deletion was tried and failed.
    pub not_deleted: Vec<ServerId>,
    /// Pairs the cloud refused.
    pub refused: Vec<(AddressId, ServerId)>,
    /// The creation, if it was tried.
    pub creation: Option<CreationOutcome>,
}

impl Outcome {
    /// Whether a step failed. One that was left for the next pass did not.
    pub fn failed(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.result, StepResult::Failed(_)))
    }

    /// Whether VMs may still come of the creation although it failed.
    pub fn creation_is_unclear(&self) -> bool {
        let error = self.creation.as_ref().and_then(|creation| creation.result.as_ref().err());
        error.is_some_and(|error| error.kind == ErrorKind::Unclear)
    }

    /// Whether a step was left for the next pass.
    pub fn left_over(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.result, StepResult::NotTried(_)))
    }
}

/// One step and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepOutcome {
    /// What kind of step, for counts.
    pub kind: StepKind,
    /// The step, in the words of the plan.
    pub step: String,
    /// What became of it.
    pub result: StepResult,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// Done.
    Done,
    /// The cloud said no, or nothing.
    Failed(Error),
    /// Left for the next pass.
    NotTried(String),
    /// Given up: just before it was done, what the plan went by was no longer so. No failure; the next pass decides anew.
    Dropped(String),
}

/// What became of the creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreationOutcome {
    /// The batch's mark.
    pub mark: String,
    /// How many were asked for.
    pub count: u64,
    /// Whether it is a trial.
    pub trial: bool,
    /// The first server's id.
    pub result: Result<ServerId, Error>,
    /// After an error: the first server, when it was made, is none of the pool's, and could not be deleted again.
    pub left: Option<ServerId>,
}
