//! How long to wait before the next creation after failures.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::decide::Observation;
use crate::decide::batch::Batches;
use crate::decide::state::Judged;
use crate::memory::{BackOff, Memory};
use crate::model::{Answer, Condition, ServerId, State};
use crate::settings::Policy;

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30 * 60);

/// The longest pause after a quota was used up.
const QUOTA_PAUSE_MAX: Duration = Duration::from_secs(5 * 60);

/// The longest `Retry-After` that is honoured: a service may not stop us for days by one header.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60 * 60);

/// What the observation says of the pause: failures that came to light, and first answers, which win.
pub fn update(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    judged: &[Judged<'_>],
    batches: &Batches,
) -> BackOff {
    let mut back_off = memory.back_off.clone();
    if policy.once || first_answer(memory, seen, judged) {
        return BackOff::default();
    }
    if back_off.quota && a_replica_is_gone(memory, judged) {
        back_off = BackOff::default();
    }
    match failure(memory, judged, batches) {
        Some((why, quota)) => step(policy, &back_off, seen.elapsed, why, quota, None),
        None => back_off,
    }
}

/// One more failure: the pause doubles.
pub fn step(
    policy: &Policy,
    before: &BackOff,
    elapsed: Duration,
    why: impl Into<String>,
    quota: bool,
    retry_after: Option<Duration>,
) -> BackOff {
    let step = before.step.saturating_add(1);
    let factor = 1_u32.checked_shl(step - 1).unwrap_or(u32::MAX);
    let most = if quota { QUOTA_PAUSE_MAX } else { PAUSE_MAX };
    let pause = policy.interval.saturating_mul(factor).min(most);
    let pause = pause.max(retry_after.unwrap_or_default().min(RETRY_AFTER_MAX));
    BackOff { step, until: elapsed.saturating_add(pause), why: why.into(), quota }
}

/// How much of the pause is left; passes do not begin to the millisecond, so a twentieth of an interval is none.
pub fn left(policy: &Policy, back_off: &BackOff, elapsed: Duration) -> Option<Duration> {
    let left = back_off.until.saturating_sub(elapsed);
    (back_off.step > 0 && left > policy.interval / 20).then_some(left)
}

/// In the first pass every answer is the first one this process hears: none of them is news.
fn first_answer(memory: &Memory, seen: &Observation, judged: &[Judged<'_>]) -> bool {
    memory.passes > 0
        && judged.iter().any(|one| {
            let id = &one.replica.id;
            matches!(seen.answers.get(id), Some(Answer::Valid { .. }))
                && one.memory.answered_last
                && !memory.replicas.get(id).is_some_and(|before| before.answered_ever)
        })
}

fn a_replica_is_gone(memory: &Memory, judged: &[Judged<'_>]) -> bool {
    let listed: BTreeSet<&ServerId> = judged.iter().map(|one| &one.replica.id).collect();
    let mut known = memory.replicas.iter().filter(|(_, replica)| replica.missing_passes == 0);
    known.any(|(id, _)| !listed.contains(id))
}

/// In the first pass no failure is news either: what an earlier process did about it is not known.
fn failure(memory: &Memory, judged: &[Judged<'_>], batches: &Batches) -> Option<(String, bool)> {
    if memory.passes == 0 {
        return None;
    }
    for one in judged {
        let before = memory.replicas.get(&one.replica.id);
        let name = &one.replica.name;
        if before.is_some_and(|before| before.state == one.replica.state)
            || one.memory.answered_ever
        {
            continue;
        }
        let was_starting = before.is_some_and(|before| before.state == State::Starting);
        match one.replica.state {
            State::Failed => return Some((format!("{name} failed: {}", one.replica.why), false)),
            // One in error is no failure before it has failed.
            State::Silent if was_starting && one.server.condition != Condition::Error => {
                return Some((format!("{name} never answered within its boot grace"), false));
            }
            State::Unreachable if before.is_some() => {
                return Some((format!("{name} has no address"), false));
            }
            _ => {}
        }
    }
    if batches.missing > 0 {
        let why = format!("the cloud made {} fewer replicas than asked (quota)", batches.missing);
        return Some((why, true));
    }
    batches.gone.then(|| ("a new replica was gone before it was ever listed".to_owned(), false))
}
