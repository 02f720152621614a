//! Who is asked in a pass that the watch began early. It is to be quick: nobody is waited for who was silent anyway, and
//! nobody is asked twice.

use crate::decide::Observation;
use crate::model::{Answer, ServerId, State};
use crate::observe::Before;
use crate::probe::{Ask, Target};

/// Asks once whoever answered last. The lost holders were asked by the watch; the others keep what they were.
pub fn ask(
    prober: &dyn Ask,
    targets: &[Target],
    before: Before<'_>,
    observation: &mut Observation,
) {
    let mut asked = Vec::new();
    for target in targets {
        match before.watched.lost.get(&target.id) {
            // What the watch says of another address says nothing.
            Some(lost) if lost.address == target.address => {
                let answer = Answer::None { why: lost.why.clone() };
                observation.answers.insert(target.id.clone(), answer);
            }
            _ if before.watched.pending.contains(&target.id) => {}
            _ if answered_last(before, &target.id) => asked.push(target.clone()),
            _ => {}
        }
    }
    for (id, answer) in prober.ask_once(&asked) {
        match answer {
            // Asked once only, so that nobody waits: too little to take it for silent.
            Answer::None { why } => drop(observation.unconfirmed.insert(id, why)),
            answer => drop(observation.answers.insert(id, answer)),
        }
    }
}

/// Whether it answered when a pass or the watch last asked it.
fn answered_last(before: Before<'_>, id: &ServerId) -> bool {
    before.memory.replicas.get(id).is_some_and(|replica| {
        let since = before.watched.last_answers.get(id);
        matches!(replica.state, State::Healthy | State::Finished)
            || since.is_some_and(|at| replica.silent_since.is_some_and(|silent| *at > silent))
    })
}
