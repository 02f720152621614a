//! Plan → Outcome: moves, then deletions, then the creation. What may be chosen here, the plan lists.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::error::ErrorKind;
use crate::events::News;
use crate::model::{AddressId, BATCH_KEY, TRIAL_KEY};
use crate::outcome::{CreationOutcome, Outcome, StepOutcome, StepResult};
use crate::plan::{Batch, Candidate, Deletion, Move, Plan, StepKind};
use crate::progress::Stop;
use crate::provider::{Creation, ProviderMut};

/// Candidates tried for one address in one pass.
const CANDIDATES_MAX: usize = 3;

/// An outcome in the making, and who tells people of it while it is made.
struct Record<'a> {
    outcome: Outcome,
    news: &'a mut News,
}

impl Record<'_> {
    /// `whom` is the id of the server or address the step is about; empty for a creation.
    fn add(&mut self, kind: StepKind, whom: &str, step: &dyn fmt::Display, result: StepResult) {
        let step = step.to_string();
        match &result {
            StepResult::Done => self.news.done(kind, whom, &step),
            StepResult::Failed(error) => self.news.failed(kind, whom, &step, error),
            StepResult::NotTried(why) => self.news.not_done(kind, &step, why),
            StepResult::Dropped(why) => self.news.dropped(kind, whom, &step, why),
        }
        self.outcome.steps.push(StepOutcome { kind, step, result });
    }

    fn left_over(&mut self, kind: StepKind, whom: &str, step: &dyn fmt::Display) {
        let why = "the program is ending".to_owned();
        self.add(kind, whom, step, StepResult::NotTried(why));
    }
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
    news: &mut News,
) -> Outcome {
    let mut record = Record { outcome: Outcome::default(), news };
    let moved = move_all(provider, plan, stop, &mut record);
    // From here on, not from the pass's beginning: slow probes must not keep the finished alive for ever.
    let began = spent();
    for step in &plan.deletions {
        if stop.requested() {
            record.left_over(StepKind::Delete, &step.server.0, step);
        } else if spent().saturating_sub(began) > interval / 2 {
            let why = "half of APP_INTERVAL is used up; the next pass goes on".into();
            record.add(StepKind::Delete, &step.server.0, step, StepResult::NotTried(why));
        } else {
            delete(provider, step, &moved, &mut record);
        }
    }
    if let Some(batch) = &plan.creation {
        if stop.requested() {
            record.left_over(StepKind::Create, "", batch);
            return record.outcome;
        }
        let creation = Creation {
            name: format!("{}-{}", naming.prefix, batch.mark),
            count: batch.count,
            metadata: metadata(batch, naming),
        };
        let result = provider.create(&creation);
        let made = match &result {
            Ok(_) => StepResult::Done,
            Err(error) => StepResult::Failed(error.clone()),
        };
        record.add(StepKind::Create, "", batch, made);
        let (mark, count) = (batch.mark.clone(), batch.count);
        record.outcome.creation =
            Some(CreationOutcome { mark, count, trial: batch.trial, result, left: None });
    }
    record.outcome
}

fn metadata(batch: &Batch, naming: &Naming<'_>) -> Vec<(String, String)> {
    let (key, value) = naming.mark;
    let mut metadata = vec![(key, value), (BATCH_KEY, &batch.mark)];
    if batch.trial {
        metadata.push((TRIAL_KEY, "true"));
    }
    metadata.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn delete(
    provider: &mut dyn ProviderMut,
    step: &Deletion,
    moved: &BTreeSet<AddressId>,
    record: &mut Record<'_>,
) {
    let result = if step.only_after.iter().any(|address| !moved.contains(address)) {
        let why = "its address could not be moved away; the next pass tries again";
        StepResult::NotTried(why.to_owned())
    } else {
        match provider.delete(&step.server) {
            Ok(()) => {
                record.outcome.deleted.push(step.server.clone());
                StepResult::Done
            }
            Err(error) => {
                record.outcome.not_deleted.push(step.server.clone());
                StepResult::Failed(error)
            }
        }
    };
    record.add(StepKind::Delete, &step.server.0, step, result);
}

fn move_all(
    provider: &mut dyn ProviderMut,
    plan: &Plan,
    stop: &Stop,
    record: &mut Record<'_>,
) -> BTreeSet<AddressId> {
    let mut spares = plan.spares.clone();
    let mut moved = BTreeSet::new();
    for step in &plan.moves {
        if stop.requested() {
            record.left_over(StepKind::Move, &step.address.0, step);
        } else if move_one(provider, plan, step, &mut spares, record) {
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
    record: &mut Record<'_>,
) -> bool {
    let mut step = step.clone();
    for tried in 1..=CANDIDATES_MAX {
        let error = match provider.bind(&step.address, &step.to.server, step.to.fixed) {
            Ok(()) => {
                record.outcome.moved.push((step.address.clone(), step.to.server.clone()));
                record.add(StepKind::Move, &step.address.0, &step, StepResult::Done);
                return true;
            }
            Err(error) => error,
        };
        let pair_refused = matches!(error.kind, ErrorKind::Refused(400 | 404 | 409));
        record.add(StepKind::Move, &step.address.0, &step, StepResult::Failed(error));
        if !pair_refused {
            return false;
        }
        record.outcome.refused.push((step.address.clone(), step.to.server.clone()));
        let refused = |spare: &Candidate| {
            let mut pairs = plan.refused.iter().chain(&record.outcome.refused);
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
