//! What each replica is: the cloud's record, its own answer, and what was seen of it before.

use std::borrow::Cow;
use std::time::Duration;

use crate::decide::Observation;
use crate::decide::brake::protects;
use crate::decide::kind::Place;
use crate::decide::kind::{Kind, comes_back, is_booting, kind, place, since, up};
use crate::memory::{Memory, ReplicaMemory, SilenceBrake, is_interval};
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
    /// Whether its silence counts for nothing yet: it is the first, or the brake protects it.
    pub spared: bool,
    /// What was remembered of it.
    pub before: Option<&'a ReplicaMemory>,
    /// What to remember of it.
    pub memory: ReplicaMemory,
}

/// Judges the whole pool, oldest first, then by id: the order of every later choice.
pub fn judge_all<'a>(
    policy: &Policy,
    seen: &'a Observation,
    memory: &'a Memory,
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
    spared: bool,
}

impl Verdict {
    fn new(state: State, free: u64, why: impl Into<String>) -> Self {
        Verdict { state, why: why.into(), free, fresh: true, spared: false }
    }
}

fn judge<'a>(
    policy: &Policy,
    seen: &'a Observation,
    memory: &'a Memory,
    silence: Option<&SilenceBrake>,
    server: &'a Server,
) -> Judged<'a> {
    let kind = kind(policy, seen.network.as_deref(), seen.now, server);
    let before = memory.replicas.get(&server.id);
    let words = &*server.words;
    let timeout = policy.launch_timeout.as_secs();
    let answer = match &kind {
        Kind::Running { in_error, .. } => Some(answer(seen, server, *in_error)),
        _ => None,
    };
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
            Verdict::new(State::Unreachable, 0, "in error, with no address to ask")
        }
        Kind::Unreachable => {
            Verdict::new(State::Unreachable, 0, format!("no fixed address after {timeout} s"))
        }
        Kind::NeverLaunched => Verdict::new(State::Failed, 0, "in error, never launched"),
        Kind::Stopped | Kind::Parked => Verdict::new(State::Parked, 0, words),
        Kind::Running { task, in_error, .. } => {
            let answer = answer.as_deref().unwrap_or(&Answer::Unasked);
            running(policy, seen, before, silence, server, (answer, task.as_deref(), *in_error))
        }
    };
    let address = match &kind {
        Kind::Running { address, .. } => *address,
        _ => match place(seen.network.as_deref(), policy.ip_version, server) {
            Place::At { address, .. } => Some(address),
            Place::Ambiguous | Place::Nowhere => None,
        },
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
        up: up(before, seen.now, server),
        batch: server.batch.clone(),
        trial: server.trial,
    };
    let answer = answer.as_deref();
    let memory = remember(policy, seen, memory, silence, server, (before, &kind, answer), &replica);
    Judged { server, kind, replica, fresh: verdict.fresh, spared: verdict.spared, before, memory }
}

/// The probe's table.
fn running(
    policy: &Policy,
    seen: &Observation,
    before: Option<&ReplicaMemory>,
    silence: Option<&SilenceBrake>,
    server: &Server,
    (answer, task, in_error): (&Answer, Option<&str>, bool),
) -> Verdict {
    let why = match answer {
        Answer::Valid { termination: true, .. } => {
            return Verdict::new(State::Finished, 0, "says it may be destroyed");
        }
        Answer::Valid { capacity, .. } => {
            let noted = if in_error { " although the cloud shows it in error" } else { "" };
            return Verdict::new(State::Healthy, *capacity, format!("{capacity} free{noted}"));
        }
        Answer::Unasked => return not_asked(policy, seen, before, server, task),
        Answer::None { why } => why,
    };
    if in_error && failed_by_silence(policy, seen, silence, before) {
        return Verdict::new(State::Failed, 0, format!("in error and silent: {why}"));
    }
    if let (Some(task), false) = (task, in_error) {
        return Verdict::new(State::Parked, 0, format!("{task}; {why}"));
    }
    if !in_error && is_booting(policy, before, seen.now, server) {
        return Verdict::new(State::Starting, policy.capacity, why);
    }
    let last = before.and_then(|before| before.capacity);
    let free = if before.is_some_and(|before| before.answered_last) {
        Some(last.unwrap_or(0))
    } else {
        protects(silence, &server.id).then(|| last.unwrap_or(policy.capacity))
    };
    let why = if in_error { format!("in error; {why}") } else { why.clone() };
    let silent = Verdict::new(State::Silent, free.unwrap_or(0), why);
    Verdict { spared: free.is_some(), ..silent }
}

/// Silence is evidence only while another replica answers, and no brake says that most of them are silent.
fn silence_tells(seen: &Observation, silence: Option<&SilenceBrake>) -> bool {
    silence.is_none() && seen.answers.values().any(|answer| matches!(answer, Answer::Valid { .. }))
}

fn failed_by_silence(
    policy: &Policy,
    seen: &Observation,
    silence: Option<&SilenceBrake>,
    remembered: Option<&ReplicaMemory>,
) -> bool {
    let since = remembered.and_then(|replica| replica.silent_in_error_since);
    silence_tells(seen, silence) && lasts(policy, seen, since)
}

/// Whether what was first seen at `since` has been so for an interval; with `--once` nothing ever could.
pub fn lasts(policy: &Policy, seen: &Observation, since: Option<Duration>) -> bool {
    let an_interval = |since| is_interval(seen.elapsed.saturating_sub(since), policy.interval);
    policy.once || since.is_some_and(an_interval)
}

/// What asking a running replica gave. Without any fixed address it cannot be asked, and nobody else can use it either.
fn answer<'a>(seen: &'a Observation, server: &Server, in_error: bool) -> Cow<'a, Answer> {
    match seen.answers.get(&server.id) {
        Some(answer) => Cow::Borrowed(answer),
        None if in_error && server.fixed.is_empty() => {
            Cow::Owned(Answer::None { why: "no address to ask".into() })
        }
        None => Cow::Owned(Answer::Unasked),
    }
}

fn not_asked(
    policy: &Policy,
    seen: &Observation,
    remembered: Option<&ReplicaMemory>,
    server: &Server,
    task: Option<&str>,
) -> Verdict {
    let why = match seen.unconfirmed.get(&server.id) {
        Some(why) => format!("one question went unanswered: {why}"),
        None => "not asked in this pass".to_owned(),
    };
    if let (Some(task), Some(State::Parked)) = (task, remembered.map(|replica| replica.state)) {
        return Verdict {
            fresh: false,
            ..Verdict::new(State::Parked, 0, format!("{task}; {why}"))
        };
    }
    let kept = remembered.filter(|replica| {
        matches!(
            replica.state,
            State::Healthy | State::Starting | State::Silent | State::Finished | State::Failed
        )
    });
    let (state, free) =
        kept.map_or((State::Starting, policy.capacity), |replica| (replica.state, replica.free));
    Verdict { fresh: false, ..Verdict::new(state, free, why) }
}

fn remember(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    silence: Option<&SilenceBrake>,
    server: &Server,
    (before, kind, answer): (Option<&ReplicaMemory>, &Kind, Option<&Answer>),
    replica: &Replica,
) -> ReplicaMemory {
    let in_error = server.condition == Condition::Error;
    let capacity = match answer {
        Some(Answer::Valid { capacity, .. }) => Some(*capacity),
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
    let early = memory.passes > 0 && seen.count(policy, memory.intervals) == memory.intervals;
    let answered_before = before.is_some_and(|before| before.answered_ever)
        || may_have_answered(policy, seen, memory, server);
    let silent_since = (replica.state == State::Silent)
        .then(|| first(before.and_then(|before| before.silent_since)))
        .flatten();
    let first_answer = before
        .and_then(|before| before.first_answer)
        .or_else(|| (valid && !answered_before).then_some(seen.elapsed));
    let answering_since = match before.and_then(|before| before.answering_since) {
        since if valid => first(since),
        since if unasked => since,
        _ => None,
    };
    let for_the_grace = |since: Duration| seen.elapsed.saturating_sub(since) >= policy.boot_grace;
    ReplicaMemory {
        state: replica.state,
        free: replica.free,
        in_error: in_error && (!early || before.is_none_or(|before| before.in_error)),
        launched: server.launched.at().is_some(),
        answered_ever: valid || answered_before,
        answered_this_boot: !parked
            && (valid || before.is_some_and(|before| before.answered_this_boot && !came_back)),
        answered_last: valid
            || ((unasked || (early && silent)) && before.is_some_and(|one| one.answered_last)),
        answered_in_error: if valid {
            in_error
        } else {
            before.is_some_and(|before| before.answered_in_error)
        },
        capacity,
        silent_in_error_since: match before.and_then(|before| before.silent_in_error_since) {
            since if in_error && silent && silence_tells(seen, silence) => first(since),
            since if in_error && (silent || unasked) => since,
            _ => None,
        },
        silent_since,
        first_answer,
        answering_since,
        lasted: before.is_some_and(|before| before.lasted)
            || (valid && replica.state == State::Finished)
            || answering_since.is_some_and(for_the_grace),
        died_young: !valid
            && (before.is_some_and(|before| before.died_young)
                || (silence.is_none() && is_young_death(policy, first_answer, silent_since))),
        back_since: match before.and_then(|before| before.back_since) {
            _ if came_back => Some(seen.now),
            since => since,
        },
        stopped_since: (*kind == Kind::Stopped)
            .then(|| first(before.and_then(|before| before.stopped_since)))
            .flatten(),
        deleting_since: (*kind == Kind::Deleting)
            .then(|| first(before.and_then(|before| before.deleting_since)))
            .flatten(),
        delete_sent: before.and_then(|before| before.delete_sent),
        delete_failures: before.map_or(0, |before| before.delete_failures),
        missing: None,
    }
}

fn is_young_death(
    policy: &Policy,
    first_answer: Option<Duration>,
    silent_since: Option<Duration>,
) -> bool {
    let lived = silent_since.zip(first_answer).map(|(end, begin)| end.saturating_sub(begin));
    lived.is_some_and(|lived| lived < policy.boot_grace)
}

/// After a restart nobody knows who answered before: "never answered yet" is judged by age alone.
fn may_have_answered(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    server: &Server,
) -> bool {
    let old = |launched| since(seen.now, launched) >= policy.boot_grace;
    memory.passes == 0 && server.launched.at().is_some_and(old)
}
