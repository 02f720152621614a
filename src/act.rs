//! Plan → Outcome: moves, then deletions, then the creation. What may be chosen here, the plan lists.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::model::{AddressId, ServerId};
use crate::plan::{Candidate, Deletion, Move, Plan, StepKind};
use crate::progress::Stop;
use crate::provider::{Creation, ProviderMut};

/// Candidates tried for one address in one pass.
const CANDIDATES_MAX: usize = 3;

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Every step, in the order in which it was its turn.
    pub steps: Vec<StepOutcome>,
    /// Addresses that went to another replica, and to which.
    pub moved: Vec<(AddressId, ServerId)>,
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

    /// Whether a step was left for the next pass.
    pub fn left_over(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.result, StepResult::NotTried(_)))
    }

    fn record(&mut self, kind: StepKind, step: String, result: StepResult) {
        match &result {
            StepResult::Done => log::info!("{step}"),
            StepResult::Failed(error) => log::error!("cannot {step}: {error}"),
            StepResult::NotTried(why) => log::warn!("not done: {step}: {why}"),
        }
        self.steps.push(StepOutcome { kind, step, result });
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
}

/// What became of the creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreationOutcome {
    /// The batch's mark.
    pub mark: String,
    /// How many were asked for.
    pub count: u64,
    /// The first server's id.
    pub result: Result<ServerId, Error>,
}

/// How the servers of a creation are named and marked.
#[derive(Clone, Debug)]
pub struct Naming<'a> {
    /// `OPENSTACK_NAME`.
    pub prefix: &'a str,
    /// The pool's mark: metadata key and value.
    pub mark: (&'a str, &'a str),
}

/// Carries out `plan`. `spent` says how much of the pass's time is used up; deletions give way to the creation when they
/// have taken half of `interval`.
pub fn act(
    provider: &mut dyn ProviderMut,
    plan: &Plan,
    naming: &Naming<'_>,
    interval: Duration,
    spent: &dyn Fn() -> Duration,
    stop: &Stop,
) -> Outcome {
    let mut outcome = Outcome::default();
    let moved = move_all(provider, plan, stop, &mut outcome);
    // From here on, not from the pass's beginning: slow probes must not keep the finished alive for ever.
    let began = spent();
    for step in &plan.deletions {
        if stop.requested() {
            left_over(StepKind::Delete, step, &mut outcome);
        } else if spent().saturating_sub(began) > interval / 2 {
            let why = "half of APP_INTERVAL is used up; the next pass goes on".into();
            outcome.record(StepKind::Delete, step.to_string(), StepResult::NotTried(why));
        } else {
            delete(provider, step, &moved, &mut outcome);
        }
    }
    if let Some(batch) = &plan.creation {
        if stop.requested() {
            left_over(StepKind::Create, batch, &mut outcome);
            return outcome;
        }
        let (key, value) = naming.mark;
        let creation = Creation {
            name: format!("{}-{}", naming.prefix, batch.mark),
            count: batch.count,
            metadata: vec![
                (key.to_owned(), value.to_owned()),
                (crate::model::BATCH_KEY.to_owned(), batch.mark.clone()),
            ],
        };
        let result = provider.create(&creation);
        let made = match &result {
            Ok(_) => StepResult::Done,
            Err(error) => StepResult::Failed(error.clone()),
        };
        outcome.record(StepKind::Create, batch.to_string(), made);
        let (mark, count) = (batch.mark.clone(), batch.count);
        outcome.creation = Some(CreationOutcome { mark, count, result });
    }
    outcome
}

fn left_over(kind: StepKind, step: &dyn fmt::Display, outcome: &mut Outcome) {
    let why = "the program is ending".to_owned();
    outcome.record(kind, step.to_string(), StepResult::NotTried(why));
}

fn delete(
    provider: &mut dyn ProviderMut,
    step: &Deletion,
    moved: &BTreeSet<AddressId>,
    outcome: &mut Outcome,
) {
    if step.only_after.iter().any(|address| !moved.contains(address)) {
        let why = "its address could not be moved away; the next pass tries again".into();
        outcome.record(StepKind::Delete, step.to_string(), StepResult::NotTried(why));
        return;
    }
    match provider.delete(&step.server) {
        Ok(()) => {
            outcome.deleted.push(step.server.clone());
            outcome.record(StepKind::Delete, step.to_string(), StepResult::Done);
        }
        Err(error) => {
            outcome.not_deleted.push(step.server.clone());
            outcome.record(StepKind::Delete, step.to_string(), StepResult::Failed(error));
        }
    }
}

fn move_all(
    provider: &mut dyn ProviderMut,
    plan: &Plan,
    stop: &Stop,
    outcome: &mut Outcome,
) -> BTreeSet<AddressId> {
    let mut spares = plan.spares.clone();
    let mut moved = BTreeSet::new();
    for step in &plan.moves {
        if stop.requested() {
            left_over(StepKind::Move, step, outcome);
        } else if move_one(provider, plan, step, &mut spares, outcome) {
            moved.insert(step.address.clone());
        }
    }
    moved
}

/// Tries the planned candidate, then the spares, as long as the cloud refuses the pair itself.
fn move_one(
    provider: &mut dyn ProviderMut,
    plan: &Plan,
    step: &Move,
    spares: &mut Vec<Candidate>,
    outcome: &mut Outcome,
) -> bool {
    let mut step = step.clone();
    for tried in 1..=CANDIDATES_MAX {
        let error = match provider.bind(&step.address, &step.to.server, step.to.fixed) {
            Ok(()) => {
                outcome.moved.push((step.address.clone(), step.to.server.clone()));
                outcome.record(StepKind::Move, step.to_string(), StepResult::Done);
                return true;
            }
            Err(error) => error,
        };
        let pair_refused = matches!(error.kind, ErrorKind::Refused(400 | 404 | 409));
        outcome.record(StepKind::Move, step.to_string(), StepResult::Failed(error));
        if !pair_refused {
            return false;
        }
        outcome.refused.push((step.address.clone(), step.to.server.clone()));
        let refused = |spare: &Candidate| {
            let mut pairs = plan.refused.iter().chain(&outcome.refused);
            pairs.any(|(address, server)| *address == step.address && *server == spare.server)
        };
        let next = spares.iter().position(|spare| !refused(spare));
        let next = next.filter(|_| tried < CANDIDATES_MAX).map(|position| spares.remove(position));
        // What this address could not have, another may.
        spares.push(step.to.clone());
        match next {
            Some(candidate) => step.to = candidate,
            None => return false,
        }
    }
    false
}
