//! The gauges of `/metrics`, read off a snapshot. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::decide::arithmetic::split;
use crate::metrics::Gauges;
use crate::model::{ExternalAddress, State};
use crate::pass::Report;
use crate::plan::Plan;
use crate::status::ended_pass::{EndedPass, HeldBy, held_by};
use crate::status::snapshot::Snapshot;

/// The gauges at `elapsed`, on the clock of the snapshot's moments. Of the pool they show what was last seen of it.
pub fn gauges(snapshot: &Snapshot, elapsed: Duration) -> Gauges {
    let settings = &snapshot.settings;
    let leads = snapshot.leads();
    // What a standby saw in an earlier turn is nothing to go by.
    let sight = snapshot.last_sight.as_deref().filter(|_| leads);
    let plan = sight.and_then(|pass| pass.report.plan.as_ref());
    let last_good = snapshot.last_good.unwrap_or(snapshot.began);
    Gauges {
        replicas: plan.map(by_state),
        unaccounted: plan.map(|plan| plan.unaccounted),
        replicas_max: settings.max,
        free: plan.map(|plan| plan.free),
        free_by_kind: plan.map(split),
        wanted: settings.minimum,
        addresses: sight.and_then(|pass| by_holder(plan?, &pass.report)),
        back_off: snapshot
            .last
            .as_deref()
            .filter(|_| leads)
            .map(|pass| back_off(pass, elapsed))
            .unwrap_or_default(),
        brake: plan.is_some_and(|plan| !plan.brakes.is_empty()),
        held_back: plan.is_some_and(|plan| plan.held_back.is_some()),
        last_good_pass_age: leads.then(|| elapsed.saturating_sub(last_good.elapsed)),
        leader: snapshot.acts(),
        interval: settings.interval,
    }
}

fn by_state(plan: &Plan) -> BTreeMap<State, u64> {
    let mut counts = BTreeMap::new();
    for replica in &plan.replicas {
        *counts.entry(replica.state).or_default() += 1;
    }
    counts
}

fn by_holder(plan: &Plan, report: &Report) -> Option<BTreeMap<&'static str, u64>> {
    let mut counts = BTreeMap::new();
    for address in report.addresses.as_ref()? {
        *counts.entry(kind_of_holder(plan, report, address)).or_default() += 1;
    }
    Some(counts)
}

fn kind_of_holder(plan: &Plan, report: &Report, address: &ExternalAddress) -> &'static str {
    match held_by(address, plan, report) {
        HeldBy::Replica(State::Healthy) => "healthy",
        HeldBy::Replica(_) => "other",
        HeldBy::Outside => "outside",
        HeldBy::Nobody => "none",
    }
}

fn back_off(pass: &EndedPass, elapsed: Duration) -> Duration {
    let left = pass.report.pause.as_ref().map(|pause| pause.left).unwrap_or_default();
    left.saturating_sub(elapsed.saturating_sub(pass.ended.elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::fixture;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_failed_pass_shows_the_pool_and_how_long_nothing_went_well() {
        let gauges = gauges(&fixture::after(fixture::failed_pass()), 32 * SECOND);
        let replicas = BTreeMap::from([(State::Healthy, 1), (State::Finished, 1)]);
        assert_eq!(gauges.replicas, Some(replicas));
        let holders = BTreeMap::from([("healthy", 1), ("outside", 1), ("none", 1)]);
        assert_eq!(gauges.free_by_kind, Some([3, 0, 0, 0, 0]), "all that is free has answered");
        assert_eq!(gauges.addresses, Some(holders), "after the moves of the pass");
        assert_eq!(gauges.last_good_pass_age, Some(32 * SECOND), "since the start");
        assert_eq!(gauges.back_off, 30 * SECOND, "60 s when the pass ended, 30 s ago");
        assert!(gauges.brake && gauges.held_back);
    }

    #[test]
    fn the_last_good_pass_is_not_forgotten_in_a_bad_one() {
        let snapshot = fixture::after(fixture::good_pass());
        let pass = EndedPass {
            began: fixture::at(61),
            ended: fixture::at(62),
            report: fixture::failed_pass(),
        };
        let gauges = gauges(&snapshot.pass_ended(pass), 72 * SECOND);
        assert_eq!(gauges.last_good_pass_age, Some(70 * SECOND));
    }

    #[test]
    fn a_standby_claims_nothing_of_the_pool_and_is_no_leader() {
        let snapshot = fixture::after(fixture::failed_pass());
        assert!(gauges(&snapshot, 32 * SECOND).leader, "alone, it acts");
        let standby = gauges(&snapshot.with_lease(Some(fixture::standby())), 32 * SECOND);
        assert_eq!((standby.replicas, standby.free, standby.addresses), (None, None, None));
        assert_eq!((standby.last_good_pass_age, standby.back_off), (None, Duration::ZERO));
        assert!(!standby.leader && !standby.brake && !standby.held_back);
        let lapsed = fixture::lease(crate::lease::turn::Part::Lapsed);
        let lapsed = gauges(&snapshot.with_lease(Some(lapsed)), 32 * SECOND);
        assert!(!lapsed.leader && lapsed.replicas.is_some(), "it looks and changes nothing");
    }

    #[test]
    fn before_the_first_pass_nothing_is_claimed_of_the_pool() {
        let gauges = gauges(&fixture::before_the_first_pass(), SECOND);
        assert_eq!((gauges.replicas, gauges.free, gauges.addresses), (None, None, None));
        assert_eq!((gauges.wanted, gauges.interval), (6, 60 * SECOND));
    }
}
