//! What each replica is: the cloud's record, its own answer, and what was seen of it before.

use std::time::Duration;

use crate::decide::Observation;
use crate::decide::brake::counts_for_silent;
use crate::decide::kind::Place;
use crate::decide::kind::{Kind, comes_back, is_booting, kind, place, since};
use crate::memory::{Memory, ReplicaMemory, SilenceBrake};
use crate::model::{Answer, Condition, Replica, Server, State};
use crate::settings::Policy;

/// One replica with everything the later questions ask of it.
pub struct Judged<'a> {
    /// The cloud's record.
    pub server: &'a Server,
    /// What the record alone says.
    pub kind: Kind,
    /// The verdict.
    pub replica: Replica,
    /// Whether the verdict rests on what was seen in this very pass.
    pub fresh: bool,
    /// What to remember of it.
    pub memory: ReplicaMemory,
}

/// Judges the whole pool, oldest first, then by id: the order of every later choice.
pub fn judge_all<'a>(
    policy: &Policy,
    seen: &'a Observation,
    memory: &Memory,
    silence: Option<&SilenceBrake>,
) -> Vec<Judged<'a>> {
    let mut servers: Vec<&Server> = seen.servers.iter().collect();
    servers.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
    servers.into_iter().map(|server| judge(policy, seen, memory, silence, server)).collect()
}

struct Verdict {
    state: State,
    why: String,
    free: u64,
    fresh: bool,
}

impl Verdict {
    fn new(state: State, free: u64, why: impl Into<String>) -> Self {
        Verdict { state, why: why.into(), free, fresh: true }
    }
}

fn judge<'a>(
    policy: &Policy,
    seen: &'a Observation,
    memory: &Memory,
    silence: Option<&SilenceBrake>,
    server: &'a Server,
) -> Judged<'a> {
    let kind = kind(policy, seen.network.as_deref(), seen.now, server);
    let words = &server.words;
    let timeout = policy.launch_timeout.as_secs();
    let verdict = match &kind {
        Kind::Deleting => Verdict::new(State::Deleting, 0, words),
        Kind::SoftDeleted => {
            Verdict::new(State::Deleting, 0, format!("{words}: kept for the operator to restore"))
        }
        Kind::Creating => Verdict::new(State::Creating, policy.capacity, words),
        Kind::StuckBuilding => {
            Verdict::new(State::Failed, 0, format!("{words} for longer than {timeout} s"))
        }
        Kind::Unreachable if server.condition == Condition::Error => {
            Verdict::new(State::Unreachable, 0, "in error, and nowhere to be asked")
        }
        Kind::Unreachable => {
            Verdict::new(State::Unreachable, 0, format!("no fixed address after {timeout} s"))
        }
        Kind::NeverLaunched => Verdict::new(State::Failed, 0, "in error, never launched"),
        Kind::Stopped | Kind::Parked => Verdict::new(State::Parked, 0, words),
        Kind::Running { task, in_error, .. } => {
            running(policy, seen, memory, silence, server, task.as_deref(), *in_error)
        }
    };
    let address = match place(seen.network.as_deref(), policy.ip_version, server) {
        Place::At { address, .. } => Some(address),
        Place::Ambiguous | Place::Nowhere => None,
    };
    let replica = Replica {
        id: server.id.clone(),
        name: server.name.clone(),
        state: verdict.state,
        why: verdict.why,
        free: verdict.free,
        locked: server.locked,
        address,
        age: since(seen.now, server.created),
        batch: server.batch.clone(),
        trial: server.trial,
    };
    let memory = remember(policy, seen, memory, silence, server, &kind, &replica);
    Judged { server, kind, replica, fresh: verdict.fresh, memory }
}

/// The probe's table.
fn running(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    silence: Option<&SilenceBrake>,
    server: &Server,
    task: Option<&str>,
    in_error: bool,
) -> Verdict {
    let remembered = memory.replicas.get(&server.id);
    let why = match answer(seen, server, in_error) {
        Answer::Valid { termination: true, .. } => {
            return Verdict::new(State::Finished, 0, "says it may be destroyed");
        }
        Answer::Valid { capacity, .. } => {
            let noted = if in_error { " although the cloud has it in error" } else { "" };
            return Verdict::new(State::Healthy, capacity, format!("{capacity} free{noted}"));
        }
        Answer::Unasked => return not_asked(policy, remembered),
        Answer::None { why } => why,
    };
    let free_when_silent = if remembered.is_some_and(|replica| replica.answered_last) {
        remembered.and_then(|replica| replica.capacity).unwrap_or(0)
    } else if counts_for_silent(silence, &server.id) {
        remembered.and_then(|replica| replica.capacity).unwrap_or(policy.capacity)
    } else {
        0
    };
    if in_error {
        let before = remembered.map_or(0, |replica| replica.silent_in_error);
        // While most of the pool is silent, silence is no evidence against this one.
        if (policy.once || before >= 1) && silence.is_none() {
            return Verdict::new(State::Failed, 0, format!("in error and silent: {why}"));
        }
        return Verdict::new(State::Silent, free_when_silent, format!("in error; {why}"));
    }
    if let Some(task) = task {
        return Verdict::new(State::Parked, 0, format!("{task}; {why}"));
    }
    if is_booting(policy, memory, seen.now, server) {
        return Verdict::new(State::Starting, policy.capacity, why);
    }
    Verdict::new(State::Silent, free_when_silent, why)
}

/// What asking a running replica gave. Without any fixed address it cannot be asked, and nobody else can use it either.
fn answer(seen: &Observation, server: &Server, in_error: bool) -> Answer {
    match seen.answers.get(&server.id) {
        Some(answer) => answer.clone(),
        None if in_error && server.fixed.is_empty() => {
            Answer::None { why: "no address to ask".into() }
        }
        None => Answer::Unasked,
    }
}

fn not_asked(policy: &Policy, remembered: Option<&ReplicaMemory>) -> Verdict {
    let kept = remembered.filter(|replica| {
        matches!(
            replica.state,
            State::Healthy | State::Starting | State::Silent | State::Finished | State::Failed
        )
    });
    let (state, free) =
        kept.map_or((State::Starting, policy.capacity), |replica| (replica.state, replica.free));
    Verdict { state, free, why: "not asked in this pass".into(), fresh: false }
}

fn remember(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    silence: Option<&SilenceBrake>,
    server: &Server,
    kind: &Kind,
    replica: &Replica,
) -> ReplicaMemory {
    let before = memory.replicas.get(&server.id);
    let in_error = server.condition == Condition::Error;
    let answer = match kind {
        Kind::Running { .. } => Some(answer(seen, server, in_error)),
        _ => None,
    };
    let capacity = match answer {
        Some(Answer::Valid { capacity, .. }) => Some(capacity),
        _ => before.and_then(|before| before.capacity),
    };
    let valid = matches!(answer, Some(Answer::Valid { .. }));
    let unasked = matches!(answer, Some(Answer::Unasked));
    let silent = matches!(answer, Some(Answer::None { .. }));
    let parked = replica.state == State::Parked;
    let came_back = before.is_some_and(|before| comes_back(before.state))
        && !comes_back(replica.state)
        && !valid;
    let first = |since: Option<Duration>| since.or(Some(seen.elapsed));
    ReplicaMemory {
        state: replica.state,
        free: replica.free,
        in_error,
        launched: server.launched.at().is_some(),
        answered_ever: valid
            || before.is_some_and(|before| before.answered_ever)
            || may_have_answered(policy, seen, memory, server),
        answered_this_boot: !parked
            && (valid || before.is_some_and(|before| before.answered_this_boot && !came_back)),
        answered_last: valid || (unasked && before.is_some_and(|before| before.answered_last)),
        answered_in_error: if valid {
            in_error
        } else {
            before.is_some_and(|before| before.answered_in_error)
        },
        capacity,
        silent_in_error: match before.map_or(0, |before| before.silent_in_error) {
            passes if in_error && silent && silence.is_none() => passes.saturating_add(1),
            passes if in_error && (silent || unasked) => passes,
            _ => 0,
        },
        silent_since: (replica.state == State::Silent)
            .then(|| first(before.and_then(|before| before.silent_since)))
            .flatten(),
        back_since: match before.and_then(|before| before.back_since) {
            _ if came_back => Some(seen.now),
            since => since,
        },
        stopped_passes: if *kind == Kind::Stopped {
            before.map_or(0, |before| before.stopped_passes).saturating_add(1)
        } else {
            0
        },
        deleting_since: (*kind == Kind::Deleting)
            .then(|| first(before.and_then(|before| before.deleting_since)))
            .flatten(),
        delete_sent: before.and_then(|before| before.delete_sent),
        delete_failures: before.map_or(0, |before| before.delete_failures),
        missing_passes: 0,
    }
}

/// After a restart nobody knows who answered before: "never answered yet" is judged by age alone. With `--once` every
/// pass is the first one, and presuming that much each time would leave the boot limit nothing to count.
fn may_have_answered(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    server: &Server,
) -> bool {
    let old = |launched| since(seen.now, launched) >= policy.boot_grace;
    memory.passes == 0 && !policy.once && server.launched.at().is_some_and(old)
}
