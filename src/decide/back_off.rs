//! How long to wait before the next creation after failures.

use std::time::Duration;

use crate::decide::Observation;
use crate::decide::arithmetic::on_their_way;
use crate::decide::batch::Batches;
use crate::decide::kind::Kind;
use crate::decide::state::Judged;
use crate::memory::{BackOff, Memory, ReplicaMemory};
use crate::model::{Condition, State};
use crate::plan::Plan;
use crate::settings::Policy;

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30 * 60);

/// The longest pause after a quota was used up.
const QUOTA_PAUSE_MAX: Duration = Duration::from_secs(5 * 60);

/// The longest `Retry-After` that is honoured: a service may not stop us for days by one header.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60 * 60);

/// A failure that makes the pause longer.
pub struct Failure {
    /// In words.
    pub why: String,
    /// Whether a quota is used up.
    pub quota: bool,
    /// Whether it was the cloud that made no server.
    pub refused: bool,
    /// How long the service asked us to wait.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// Of a replica that was made and does not work.
    fn of_a_replica(why: String) -> Self {
        Failure { why, quota: false, refused: false, retry_after: None }
    }
}

/// What the observation says of the pause: failures that came to light, and first answers, which win.
pub fn update(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    judged: &[Judged<'_>],
    batches: &Batches,
) -> BackOff {
    let mut back_off = memory.back_off.clone();
    if one_has_lasted(judged) || (back_off.quota && a_replica_is_gone(memory, judged)) {
        back_off = BackOff::default();
    }
    if first_answer(memory, judged) {
        // Whether it lasts is not known yet, so the steps go on from where they are.
        return BackOff { until: Duration::ZERO, ..back_off };
    }
    match failure(memory, judged, batches) {
        Some(failure) => step(policy, &back_off, seen.elapsed, failure),
        None => back_off,
    }
}

/// One more failure: the pause doubles.
pub fn step(policy: &Policy, before: &BackOff, elapsed: Duration, failure: Failure) -> BackOff {
    let Failure { why, quota, refused, retry_after } = failure;
    let step = before.step.saturating_add(1);
    let factor = 1_u32.checked_shl(step - 1).unwrap_or(u32::MAX);
    let most = if quota { QUOTA_PAUSE_MAX } else { PAUSE_MAX };
    let pause = policy.interval.saturating_mul(factor).min(most);
    let pause = pause.max(retry_after.unwrap_or_default().min(RETRY_AFTER_MAX));
    BackOff { step, until: elapsed.saturating_add(pause), why, quota, refused }
}

/// How much of the pause is left; passes do not begin to the millisecond, so a twentieth of an interval is none.
pub fn left(policy: &Policy, back_off: &BackOff, elapsed: Duration) -> Option<Duration> {
    let left = back_off.until.saturating_sub(elapsed);
    (back_off.step > 0 && left > policy.interval / 20).then_some(left)
}

/// Whether what is created works, as far as this pass shows.
pub fn creation_works(memory: &Memory, judged: &[Judged<'_>]) -> bool {
    first_answer(memory, judged) || one_has_lasted(judged)
}

/// Whether a pass with this plan ends the trouble with creations that failed. That the cloud accepts one does not: its
/// servers may end in error like those before, so what is on its way does not count as there.
pub fn trouble_is_over(plan: &Plan) -> bool {
    plan.creation_works || plan.free.saturating_sub(on_their_way(plan)) >= plan.wanted
}

/// Whether a replica that this process saw come up answered for the first time in this pass.
fn first_answer(memory: &Memory, judged: &[Judged<'_>]) -> bool {
    let before = |one: &Judged<'_>| one.before.and_then(|before| before.first_answer);
    memory.passes > 0
        && judged.iter().any(|one| one.memory.first_answer.is_some() && before(one).is_none())
}

/// The same for one that has now answered for `REPLICA_BOOT_GRACE`, or finished.
fn one_has_lasted(judged: &[Judged<'_>]) -> bool {
    judged.iter().any(|one| {
        one.memory.lasted
            && one.memory.first_answer.is_some()
            && !one.before.is_some_and(|before| before.lasted)
    })
}

fn a_replica_is_gone(memory: &Memory, judged: &[Judged<'_>]) -> bool {
    let was_listed = |replica: &&ReplicaMemory| replica.missing.is_none();
    let known = memory.replicas.values().filter(was_listed).count();
    let still_listed = judged.iter().filter_map(|one| one.before).filter(was_listed).count();
    still_listed < known
}

/// In the first pass no failure is news: what an earlier process did about it is not known.
fn failure(memory: &Memory, judged: &[Judged<'_>], batches: &Batches) -> Option<Failure> {
    if memory.passes == 0 {
        return None;
    }
    let failed = judged.iter().find_map(|one| {
        let why = why_it_failed(memory, one)?;
        Some(Failure::of_a_replica(format!("{} {why}", one.replica.name)))
    });
    if failed.is_some() {
        return failed;
    }
    if batches.missing > 0 {
        let why = format!("the cloud made {} fewer replicas than asked (quota)", batches.missing);
        return Some(Failure { quota: true, refused: true, ..Failure::of_a_replica(why) });
    }
    let why = "a new replica was gone before it was ever listed".to_owned();
    batches.gone.then(|| Failure { refused: true, ..Failure::of_a_replica(why) })
}

/// How a new replica failed, if that came to light in this pass.
fn why_it_failed(memory: &Memory, one: &Judged<'_>) -> Option<String> {
    if one.memory.died_young {
        let known = one.before.is_some_and(|before| before.died_young);
        return (!known).then(|| "fell silent soon after its first answer".to_owned());
    }
    let same = one.before.is_some_and(|before| before.state == one.replica.state);
    if same || one.memory.answered_ever {
        return None;
    }
    // Its grace may end between two passes, or while no list could be had.
    let ours = format!("{}-", memory.instance);
    let was_coming = match one.before {
        Some(before) => matches!(before.state, State::Creating | State::Starting),
        None => one.server.batch.as_ref().is_some_and(|mark| mark.starts_with(&ours)),
    };
    match one.replica.state {
        State::Failed => Some(format!("failed: {}", one.replica.why)),
        // One in error is no failure before it has failed.
        State::Silent if was_coming && one.server.condition != Condition::Error => {
            Some("never answered within its boot grace".to_owned())
        }
        State::Parked if was_coming && one.kind == Kind::Stopped => {
            Some("stopped before it ever answered".to_owned())
        }
        State::Unreachable if one.before.is_some() => Some("has no address".to_owned()),
        _ => None,
    }
}
