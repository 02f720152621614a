//! One pass that ended, and who holds the external addresses after it: plain data.

use crate::clock::Moment;
use crate::model::{ExternalAddress, ServerId, State};
use crate::pass::Report;
use crate::plan::Plan;

/// One pass that ended.
#[derive(Debug)]
pub struct EndedPass {
    /// When it began.
    pub began: Moment,
    /// When it ended.
    pub ended: Moment,
    /// Its result.
    pub report: Report,
}

/// Who holds an address after the moves of the pass that saw it.
pub fn holder<'a>(address: &'a ExternalAddress, report: &'a Report) -> Option<&'a ServerId> {
    let mut all = report.outcome.iter().flat_map(|outcome| &outcome.moved);
    let moved = all.find(|(id, _)| *id == address.id).map(|(_, to)| to);
    moved.or(address.holder.as_ref())
}

/// What kind of server holds an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// None.
    Nobody,
    /// One outside the pool.
    Outside,
    /// A replica that is this.
    Replica(State),
}

/// What holds an address after the moves of the pass that saw it.
pub fn held_by(address: &ExternalAddress, plan: &Plan, report: &Report) -> HeldBy {
    let Some(id) = holder(address, report) else { return HeldBy::Nobody };
    let replica = plan.replicas.iter().find(|replica| replica.id == *id);
    replica.map_or(HeldBy::Outside, |replica| HeldBy::Replica(replica.state))
}
