//! Many at once: then the fault is more likely ours, or the cloud's, than theirs.

use std::collections::BTreeSet;

use crate::decide::Observation;
use crate::decide::kind::{Kind, kind, since};
use crate::memory::{Intervals, LossBrake, Memory, ReplicaMemory, SilenceBrake};
use crate::model::{Answer, Condition, Server, ServerId, State};
use crate::settings::Policy;

/// Intervals for which a brake holds back what depends on it.
pub const BRAKE_INTERVALS: u32 = 3;

/// Fewer than this many are never "many", except that all of one or two are.
const MANY: usize = 3;

/// Whether most of those that answered before are silent now, for three intervals at most.
///
/// The reference stays the same meanwhile: those that fall silent later are no longer among those that answered last.
/// More of them, and most of the rest, begin the three intervals anew. A pass with no memory has no brake: nothing
/// could ever release it.
pub fn silence(policy: &Policy, seen: &Observation, memory: &Memory) -> Option<SilenceBrake> {
    if policy.once || all_answer(seen, memory) {
        return None;
    }
    let answered = answered_before(policy, seen, memory);
    let most = |known: &dyn Fn(&ServerId) -> bool| most_are_silent(policy, seen, memory, known);
    let standing = memory.silence.as_ref().filter(|brake| most(&|id| brake.reference.contains(id)));
    let more = |brake: &SilenceBrake| answered.iter().any(|id| !brake.reference.contains(*id));
    let most_answered = || most(&|id| answered.contains(id));
    let kept = |ids: &BTreeSet<&ServerId>| ids.iter().copied().cloned().collect();
    match standing {
        Some(brake) if more(brake) && most_answered() => Some(SilenceBrake {
            reference: kept(&brake.reference.iter().chain(answered.iter().copied()).collect()),
            passes: Intervals::first(seen.elapsed),
        }),
        Some(brake) => {
            let passes = seen.count(policy, brake.passes);
            let reference = brake.reference.clone();
            (passes.count <= BRAKE_INTERVALS).then_some(SilenceBrake { reference, passes })
        }
        None => most_answered().then(|| SilenceBrake {
            reference: kept(&answered),
            passes: Intervals::first(seen.elapsed),
        }),
    }
}

/// Those that answered in the last pass; after a start, those that should have.
fn answered_before<'a>(
    policy: &Policy,
    seen: &'a Observation,
    memory: &'a Memory,
) -> BTreeSet<&'a ServerId> {
    if memory.passes > 0 {
        let answered = memory.replicas.iter().filter(|(_, replica)| replica.answered_last);
        return answered.map(|(id, _)| id).collect();
    }
    let old = |server: &&Server| {
        since(seen.now, server.launched.at().unwrap_or(server.created)) >= policy.boot_grace
    };
    let running = seen.servers.iter().filter(|server| should_answer(policy, seen, memory, server));
    running.filter(old).map(|server| &server.id).collect()
}

fn most_are_silent(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    is_known: &dyn Fn(&ServerId) -> bool,
) -> bool {
    let is_silent = |server: &&Server| is_silent(seen, memory, &server.id);
    let known: Vec<&Server> = seen
        .servers
        .iter()
        .filter(|server| is_known(&server.id))
        .filter(|server| should_answer(policy, seen, memory, server))
        .collect();
    let silent = known.iter().copied().filter(is_silent).count();
    if known.len() < MANY {
        silent > 0 && silent == known.len()
    } else {
        is_most(silent, known.len())
    }
}

/// As nearly always: then nobody needs to be known.
fn all_answer(seen: &Observation, memory: &Memory) -> bool {
    let silent = |replica: &ReplicaMemory| replica.state == State::Silent;
    seen.unconfirmed.is_empty()
        && !seen.answers.values().any(|answer| matches!(answer, Answer::None { .. }))
        && !memory.replicas.values().any(silent)
}

/// One that was not asked is what it was.
fn is_silent(seen: &Observation, memory: &Memory, id: &ServerId) -> bool {
    match seen.answers.get(id) {
        _ if seen.unconfirmed.contains_key(id) => true,
        Some(Answer::Valid { .. }) => false,
        Some(Answer::None { .. }) => true,
        Some(Answer::Unasked) | None => {
            memory.replicas.get(id).is_some_and(|replica| replica.state == State::Silent)
        }
    }
}

/// Whether this silent replica counts with its last capacity, and keeps its address, because of the brake.
pub fn protects(silence: Option<&SilenceBrake>, id: &ServerId) -> bool {
    silence.is_some_and(|brake| brake.reference.contains(id))
}

/// Whether most of the replicas turned to error, or vanished, since the last pass that was not early: many are many, also
/// when several passes see them go one after the other. `known`: the listed ones, with what was remembered of each.
pub fn loss(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    known: &[(&Server, &ReplicaMemory)],
) -> Option<LossBrake> {
    let is_expected = |replica: &&ReplicaMemory| {
        replica.state != State::Deleting
            && replica.delete_sent.is_none()
            && replica.missing.is_none_or(|missing| missing.at > memory.intervals.at)
    };
    let expected = memory.replicas.values().filter(is_expected).count();
    let listed = known.iter().filter(|(_, replica)| is_expected(replica)).count();
    let vanished = expected.saturating_sub(listed);
    let passes = Intervals::first(seen.elapsed);
    // A list that may be short leaves out some that are there, and nothing is made from it anyway.
    if seen.incomplete.is_none() && is_most(vanished, expected) {
        let why = format!("{vanished} of {expected} replicas vanished from the list");
        return Some(LossBrake { passes, why });
    }
    // A build that fails is no loss: back-off and batch limit deal with it.
    let working = |replica: &ReplicaMemory| {
        replica.launched && !replica.in_error && replica.state != State::Deleting
    };
    let worked = || known.iter().filter(|(_, replica)| working(replica));
    let turned = worked().filter(|(server, _)| server.condition == Condition::Error).count();
    let worked = worked().count();
    if is_most(turned, worked) {
        let why = format!("{turned} of {worked} replicas turned to error");
        return Some(LossBrake { passes, why });
    }
    let brake = memory.loss.as_ref()?;
    let passes = seen.count(policy, brake.passes);
    let why = brake.why.clone();
    (passes.count <= BRAKE_INTERVALS).then_some(LossBrake { passes, why })
}

fn is_most(part: usize, whole: usize) -> bool {
    part >= MANY && part.saturating_mul(2) > whole
}

/// Those that are parked, going or gone have a reason of their own to be silent, and so have those that turned to error,
/// unless they went on answering in it. After a start nobody knows whether they did.
fn should_answer(policy: &Policy, seen: &Observation, memory: &Memory, server: &Server) -> bool {
    match kind(policy, seen.network.as_deref(), seen.now, server) {
        Kind::Running { in_error: true, .. } => memory
            .replicas
            .get(&server.id)
            .map_or(memory.passes == 0, |replica| replica.answered_in_error),
        Kind::Running { task, .. } => task.is_none(),
        _ => false,
    }
}
