//! Deletes replicas. A plan is a minute old by then, and an operator may have repaired what it condemns, so each
//! replica is looked at once more just before.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::act::Acting;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AddressId, Answer, Server};
use crate::outcome::StepResult;
use crate::plan::{Deletion, Plan, StepKind};
use crate::probe::Target;

/// Deletes what there is time for.
pub fn delete_all(acting: &mut Acting<'_>, plan: &Plan, moved: &BTreeSet<AddressId>) {
    let began = acting.spent();
    for (number, step) in plan.deletions.iter().enumerate() {
        let result = match acting.no_time(StepKind::Delete, began, number == 0) {
            Some(result) => result,
            None if step.only_after.iter().any(|address| !moved.contains(address)) => {
                let why = "its address could not be moved away; the next pass tries again";
                StepResult::NotTried(why.to_owned())
            }
            None => delete(acting, step),
        };
        acting.add(StepKind::Delete, step.server.as_str(), step, result);
    }
}

fn delete(acting: &mut Acting<'_>, step: &Deletion) -> StepResult {
    let done = match look_again(acting, step) {
        Ok(Look::Changed(how)) => return StepResult::Dropped(how),
        // The look may have taken its time.
        Ok(Look::Same) => match (acting.hands.permit)(StepKind::Delete) {
            Ok(()) => acting.hands.provider.delete(&step.server),
            Err(why) => return StepResult::NotTried(why),
        },
        Ok(Look::Gone) => Ok(()),
        Err(error) => Err(error.context("cannot look at it again first")),
    };
    match done {
        Ok(()) => {
            acting.outcome.deleted.push(step.server.clone());
            StepResult::Done
        }
        Err(error) if error.kind == ErrorKind::NotOurTurn => Acting::not_done(error),
        Err(error) => {
            acting.outcome.not_deleted.push(step.server.clone());
            StepResult::Failed(error)
        }
    }
}

/// What the look just before a deletion shows.
enum Look {
    /// What the plan went by.
    Same,
    /// Something else, in words.
    Changed(String),
    /// Nothing: it is gone already.
    Gone,
}

/// The question comes first: it may take a while, and the record should be the last word.
fn look_again(acting: &mut Acting<'_>, step: &Deletion) -> Result<Look> {
    if let Some(address) = step.ask
        && answers(acting, step, address)?
    {
        return Ok(Look::Changed("it answers again".to_owned()));
    }
    let (_, mark) = acting.hands.naming.mark;
    let Some(server) = acting.hands.provider.server(&step.server)? else { return Ok(Look::Gone) };
    Ok(changed(step, mark, &server).map_or(Look::Same, Look::Changed))
}

/// Whether it answers, and does not say that it may go.
fn answers(acting: &Acting<'_>, step: &Deletion, address: IpAddr) -> Result<bool> {
    let target = Target { id: step.server.clone(), address, again: false };
    match acting.hands.prober.ask_all(&[target], &|| false).get(&step.server) {
        Some(Answer::Valid { termination, .. }) => Ok(!termination),
        Some(Answer::None { .. }) => Ok(false),
        Some(Answer::Unasked) | None => {
            let why = "it could not be asked: this machine is short of file descriptors or memory, or the program is \
                       stopping";
            Err(Error::new(ErrorKind::Unavailable, why))
        }
    }
}

/// How the server differs from what the plan went by.
fn changed(step: &Deletion, mark: &str, server: &Server) -> Option<String> {
    if server.mark.as_deref() != Some(mark) {
        return Some("it no longer carries the pool's mark".to_owned());
    }
    if server.locked {
        return Some("it is locked now".to_owned());
    }
    if server.condition != step.condition || server.words != step.words {
        return Some(format!("it was {} and is now {}", step.words, server.words));
    }
    let has = |address| server.fixed.iter().any(|fixed| fixed.address == address);
    step.ask.filter(|address| !has(*address)).map(|address| format!("it no longer has {address}"))
}
