//! The one replica that is made while creation is stopped, to find out whether new ones work again.

use std::time::Duration;

use crate::decide::Observation;
use crate::decide::delete::{self, deletion};
use crate::decide::kind::{Kind, since};
use crate::decide::state::Judged;
use crate::model::State;
use crate::plan::{DeletionReason, Plan};

/// Between two trials, by the cloud's clock.
const BETWEEN_TRIALS: Duration = Duration::from_secs(30 * 60);

/// Whether the next trial may be made: the last one had its time. By the list alone, so that a restart changes nothing.
pub fn is_due(seen: &Observation, judged: &[Judged<'_>]) -> bool {
    // Without the cloud's clock the age of one is not known.
    trials(judged).all(|one| {
        let is_coming = matches!(one.replica.state, State::Creating | State::Starting);
        // One that was not asked, or that answered a moment ago, cannot go, and the next one must not come beside it.
        !is_coming
            && one.fresh
            && !one.spared
            && seen.clock_told
            && since(seen.now, one.server.created) >= BETWEEN_TRIALS
    })
}

/// Whether there is one.
pub fn exists(judged: &[Judged<'_>]) -> bool {
    trials(judged).next().is_some()
}

/// Whether the last one cannot be deleted: more of them would pile up. One that an operator locked since is not tried again,
/// and must not end the trials for good.
pub fn is_stuck(judged: &[Judged<'_>]) -> bool {
    last(judged).is_some_and(|one| {
        let failed = one.memory.delete_failures > 0 && !one.replica.locked;
        failed && one.replica.state != State::Healthy
    })
}

/// Lets the last one go that is due and does not work. It was made for this: once its silence counts, nothing protects it.
pub fn retire_last(judged: &[Judged<'_>], plan: &mut Plan) {
    let Some(one) = last(judged).filter(|one| one.fresh && !one.replica.locked) else { return };
    let goes_anyway = plan.deletions.iter().any(|step| step.server == one.replica.id);
    if one.replica.state == State::Healthy || goes_anyway {
        return;
    }
    let why = format!("a trial that is {}: {}", one.replica.state, one.replica.why);
    delete::add(judged, one, deletion(one, DeletionReason::Trial, why, plan), plan);
}

fn last<'a, 'b>(judged: &'a [Judged<'b>]) -> Option<&'a Judged<'b>> {
    trials(judged).max_by_key(|one| (one.server.created, &one.server.id))
}

fn trials<'a, 'b>(judged: &'a [Judged<'b>]) -> impl Iterator<Item = &'a Judged<'b>> {
    judged
        .iter()
        .filter(|one| one.server.trial && !matches!(one.kind, Kind::Deleting | Kind::SoftDeleted))
}
