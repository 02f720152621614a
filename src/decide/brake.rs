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
/// Those that are parked, in error, going or gone have a reason of their own, so only those that should answer count.
pub fn silence(policy: &Policy, seen: &Observation, memory: &Memory) -> Option<SilenceBrake> {
    let asked: Vec<&Server> =
        seen.servers.iter().filter(|server| should_answer(policy, seen, server)).collect();
    let reference: BTreeSet<ServerId> = match &memory.silence {
        Some(brake) => brake.reference.clone(),
        None if memory.passes == 0 => asked
            .iter()
            .filter(|server| {
                since(seen.now, server.launched.unwrap_or(server.created)) >= policy.boot_grace
            })
            .map(|server| server.id.clone())
            .collect(),
        None => memory
            .replicas
            .iter()
            .filter(|(_, replica)| replica.answered_last)
            .map(|(id, _)| id.clone())
            .collect(),
    };
    let known: Vec<&&Server> = asked.iter().filter(|one| reference.contains(&one.id)).collect();
    let silent = known
        .iter()
        .filter(|one| matches!(seen.answers.get(&one.id), Some(Answer::None { .. })))
        .count();
    let most = if known.len() < MANY {
        silent > 0 && silent == known.len()
    } else {
        is_most(silent, known.len())
    };
    let passes = memory.silence.as_ref().map_or(0, |brake| brake.passes).saturating_add(1);
    most.then_some(SilenceBrake { reference, passes })
}

/// Whether the brake still lets the silent count with their last capacity, and holds the addresses.
pub fn holds(silence: Option<&SilenceBrake>) -> bool {
    silence.is_some_and(|brake| brake.passes <= BRAKE_PASSES)
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
    let known = memory.replicas.keys().filter(|id| working(id)).count();
    let turned = seen
        .servers
        .iter()
        .filter(|server| server.condition == Condition::Error && working(&server.id))
        .count();
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

fn should_answer(policy: &Policy, seen: &Observation, server: &Server) -> bool {
    let kind = kind(policy, seen.network.as_deref(), seen.now, server);
    matches!(kind, Kind::Running { address: Some(_), task: None, in_error: false })
}
