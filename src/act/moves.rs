//! Addresses move.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::act::Acting;
use crate::error::ErrorKind;
use crate::model::AddressId;
use crate::outcome::StepResult;
use crate::plan::{Candidate, Move, Plan, StepKind};

/// Candidates tried for one address in one pass.
const CANDIDATES_MAX: usize = 3;

/// Gives those that moved.
pub fn move_all(acting: &mut Acting<'_>, plan: &Plan) -> BTreeSet<AddressId> {
    let mut spares = plan.spares.clone();
    let mut moved = BTreeSet::new();
    let began = acting.spent();
    for (number, step) in plan.moves.iter().enumerate() {
        if let Some(result) = acting.no_time(StepKind::Move, began, number == 0) {
            acting.add(StepKind::Move, &step.address.0, step, result);
            continue;
        }
        match move_one(acting, plan, step, &mut spares, began) {
            Tried::Moved => {
                moved.insert(step.address.clone());
            }
            Tried::Failed => acting.outcome.not_moved.push(step.address.clone()),
            Tried::Left => {}
        }
    }
    moved
}

/// What became of one address.
enum Tried {
    Moved,
    Failed,
    Left,
}

/// Tries the planned candidate, then the spares, as long as the cloud refuses the pair itself and there is time.
fn move_one(
    acting: &mut Acting<'_>,
    plan: &Plan,
    step: &Move,
    spares: &mut Vec<Candidate>,
    began: Duration,
) -> Tried {
    let mut step = step.clone();
    for tried in 1..=CANDIDATES_MAX {
        let pair = (step.address.clone(), step.to.server.clone());
        let error = match acting.hands.provider.bind(&pair.0, &pair.1, step.to.fixed) {
            Ok(()) => {
                acting.outcome.moved_after.insert(pair.0.clone(), acting.spent());
                acting.outcome.moved.push(pair);
                acting.add(StepKind::Move, &step.address.0, &step, StepResult::Done);
                return Tried::Moved;
            }
            Err(error) => error,
        };
        if error.kind == ErrorKind::NotOurTurn {
            acting.add(StepKind::Move, &step.address.0, &step, Acting::not_done(error));
            return Tried::Left;
        }
        let pair_refused = matches!(error.kind, ErrorKind::Refused(400 | 404 | 409));
        acting.add(StepKind::Move, &step.address.0, &step, StepResult::Failed(error));
        if !pair_refused {
            return Tried::Failed;
        }
        acting.outcome.refused.push(pair);
        let refused = |spare: &Candidate| {
            let mut pairs = plan.refused.iter().chain(&acting.outcome.refused);
            pairs.any(|(address, server)| *address == step.address && *server == spare.server)
        };
        let more = tried < CANDIDATES_MAX && acting.no_time(StepKind::Move, began, false).is_none();
        let next = spares.iter().position(|spare| !refused(spare)).filter(|_| more);
        let next = next.map(|position| spares.remove(position));
        // What this address could not have, another may.
        spares.push(step.to.clone());
        match next {
            Some(candidate) => step.to = candidate,
            None => return Tried::Failed,
        }
    }
    Tried::Failed
}
