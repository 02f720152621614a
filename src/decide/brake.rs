//! Many at once: then the fault is more likely ours, or the cloud's, than theirs.

use std::collections::BTreeSet;

use crate::decide::Observation;
use crate::decide::kind::{Kind, kind, since};
use crate::memory::{LossBrake, Memory, SilenceBrake};
use crate::model::{Answer, Condition, Server, ServerId, State};
use crate::settings::Policy;

/// Passes for which a brake holds back what depends on it.
pub const BRAKE_PASSES: u32 = 3;

/// Fewer than this many are never "many", except that all of one or two are.
const MANY: usize = 3;

/// Whether most of those that answered before are silent now.
///
/// The reference stays the same while the brake lasts. Once its calm passes are over it still protects the silent, but
/// must not leave those who came to answer since without a brake of their own: then both are the reference.
pub fn silence(policy: &Policy, seen: &Observation, memory: &Memory) -> Option<SilenceBrake> {
    let answered = answered_before(policy, seen, memory);
    let anew = most_are_silent(policy, seen, memory, &answered);
    let standing = memory
        .silence
        .as_ref()
        .filter(|brake| most_are_silent(policy, seen, memory, &brake.reference));
    match standing {
        Some(brake) if anew && !holds_back(brake.passes.saturating_add(1)) => {
            let reference = brake.reference.union(&answered).cloned().collect();
            Some(SilenceBrake { reference, passes: 1 })
        }
        Some(brake) => Some(SilenceBrake {
            reference: brake.reference.clone(),
            passes: brake.passes.saturating_add(1),
        }),
        None => anew.then_some(SilenceBrake { reference: answered, passes: 1 }),
    }
}

/// Those that answered in the last pass; after a start, those that should have.
fn answered_before(policy: &Policy, seen: &Observation, memory: &Memory) -> BTreeSet<ServerId> {
    if memory.passes > 0 {
        let answered = memory.replicas.iter().filter(|(_, replica)| replica.answered_last);
        return answered.map(|(id, _)| id.clone()).collect();
    }
    let old = |server: &&Server| {
        since(seen.now, server.launched.at().unwrap_or(server.created)) >= policy.boot_grace
    };
    let running = seen.servers.iter().filter(|server| should_answer(policy, seen, memory, server));
    running.filter(old).map(|server| server.id.clone()).collect()
}

fn most_are_silent(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    reference: &BTreeSet<ServerId>,
) -> bool {
    let known: Vec<&Server> = seen
        .servers
        .iter()
        .filter(|server| reference.contains(&server.id))
        .filter(|server| should_answer(policy, seen, memory, server))
        .collect();
    let silent = known.iter().filter(|server| is_silent(seen, memory, &server.id)).count();
    if known.len() < MANY {
        silent > 0 && silent == known.len()
    } else {
        is_most(silent, known.len())
    }
}

/// One that was not asked is what it was.
fn is_silent(seen: &Observation, memory: &Memory, id: &ServerId) -> bool {
    match seen.answers.get(id) {
        Some(Answer::Valid { .. }) => false,
        Some(Answer::None { .. }) => true,
        Some(Answer::Unasked) | None => {
            memory.replicas.get(id).is_some_and(|replica| replica.state == State::Silent)
        }
    }
}

fn holds_back(passes: u32) -> bool {
    passes <= BRAKE_PASSES
}

/// Whether the brake still lets the silent count with their last capacity, and holds the addresses.
pub fn holds(silence: Option<&SilenceBrake>) -> bool {
    silence.is_some_and(|brake| holds_back(brake.passes))
}

/// Whether this silent replica counts with its last capacity because of the brake.
pub fn counts_for_silent(silence: Option<&SilenceBrake>, id: &ServerId) -> bool {
    holds(silence) && silence.is_some_and(|brake| brake.reference.contains(id))
}

/// Whether most of the replicas turned to error, or vanished, since the last pass.
pub fn loss(seen: &Observation, memory: &Memory) -> Option<LossBrake> {
    let listed: BTreeSet<&ServerId> = seen.servers.iter().map(|server| &server.id).collect();
    let expected: Vec<&ServerId> = memory
        .replicas
        .iter()
        .filter(|(_, replica)| replica.state != State::Deleting && replica.delete_sent.is_none())
        .filter(|(_, replica)| replica.missing_passes == 0)
        .map(|(id, _)| id)
        .collect();
    let vanished = expected.iter().filter(|id| !listed.contains(*id)).count();
    if is_most(vanished, expected.len()) {
        let why = format!("{vanished} of {} replicas vanished from the list", expected.len());
        return Some(LossBrake { passes: 1, why });
    }
    // A build that fails is no loss: back-off and batch limit deal with it.
    let working = |id: &ServerId| {
        memory.replicas.get(id).is_some_and(|replica| {
            replica.launched && !replica.in_error && replica.state != State::Deleting
        })
    };
    let known: Vec<&Server> = seen.servers.iter().filter(|server| working(&server.id)).collect();
    let turned = known.iter().filter(|server| server.condition == Condition::Error).count();
    let known = known.len();
    if is_most(turned, known) {
        let why = format!("{turned} of {known} replicas turned to error");
        return Some(LossBrake { passes: 1, why });
    }
    memory
        .loss
        .as_ref()
        .filter(|brake| brake.passes < BRAKE_PASSES)
        .map(|brake| LossBrake { passes: brake.passes + 1, why: brake.why.clone() })
}

fn is_most(part: usize, whole: usize) -> bool {
    part >= MANY && part.saturating_mul(2) > whole
}

/// Those that are parked, going or gone have a reason of their own to be silent, and so have those that turned to error,
/// unless they went on answering in it.
fn should_answer(policy: &Policy, seen: &Observation, memory: &Memory, server: &Server) -> bool {
    match kind(policy, seen.network.as_deref(), seen.now, server) {
        Kind::Running { in_error: true, .. } => {
            memory.replicas.get(&server.id).is_some_and(|replica| replica.answered_in_error)
        }
        Kind::Running { task, .. } => task.is_none(),
        _ => false,
    }
}
