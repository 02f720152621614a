//! Whether what failed no longer does. Pure.

use std::collections::BTreeSet;

use crate::decide::arithmetic::on_their_way;
use crate::decide::back_off::trouble_is_over;
use crate::plan::Plan;

/// Whether `subject`, which was `met` in this pass or not, is over; `done` are the subjects of the steps that were done.
/// A step that had no turn may still not work: creation is paused after a failure, a pair that the cloud refused is not
/// tried for a while. That the cloud accepts a creation does not end the failures before it: see [`trouble_is_over`].
pub fn is_over(plan: &Plan, done: &BTreeSet<String>, subject: &str, met: bool) -> bool {
    if subject.starts_with("create failed:") {
        return !met && trouble_is_over(plan);
    }
    if met || done.contains(subject) {
        return done.contains(subject);
    }
    match subject.split_once(':') {
        Some(("delete failed", id)) => plan.deletions.iter().all(|step| step.server.as_str() != id),
        Some(("move failed", id)) => {
            let planned = plan.moves.iter().any(|step| step.address.0 == id);
            !planned && plan.refused.iter().all(|(address, _)| address.0 != id)
        }
        // The pass that tries again is not held back, and what it tries may fail, at once or later.
        Some((_, key)) if key.starts_with("held-back:creation paused") => {
            let is_trying = plan.creation.is_some() || on_their_way(plan) > 0;
            (plan.held_back.is_some() && !is_trying) || trouble_is_over(plan)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::fixture::deletion;
    use crate::model::{AddressId, ServerId};
    use crate::plan::{Batch, HeldBack};

    #[track_caller]
    fn check(plan: &Plan, done: &[&str], subject: &str, met: bool, expected: bool) {
        let done = done.iter().map(|subject| (*subject).to_owned()).collect();
        assert_eq!(is_over(plan, &done, subject, met), expected, "{subject}, met: {met}");
    }

    #[test]
    fn what_was_done_is_over_and_what_failed_again_is_not() {
        let plan = Plan::default();
        check(&plan, &["delete failed:a"], "delete failed:a", false, true);
        check(&plan, &["move failed:ip"], "move failed:ip", true, true);
        check(&plan, &[], "delete failed:a", true, false);
        check(&plan, &[], "look failed:cannot list the floating IPs", true, false);
        check(&plan, &[], "look failed:cannot list the floating IPs", false, true);
    }

    #[test]
    fn a_pause_is_not_over_because_a_pass_tries_again_and_fails() {
        let trying = Plan {
            wanted: 6,
            creation: Some(Batch { count: 1, mark: "a".into(), trial: false, why: String::new() }),
            ..Plan::default()
        };
        let held_back = HeldBack { why: "REPLICA_MAX 4".into(), for_at_least: None };
        let full = Plan { wanted: 6, held_back: Some(held_back), ..Plan::default() };
        let paused = "a warning:held-back:creation paused for  s: quota";
        check(&trying, &[], paused, false, false);
        check(&trying, &["create failed:"], paused, false, false);
        check(&full, &[], paused, false, true);
        check(&Plan::default(), &[], paused, false, true);
    }

    #[test]
    fn creations_have_failed_until_a_new_replica_answers_or_nothing_is_missing() {
        let coming = Plan { free: 6, wanted: 6, unaccounted: 2, ..Plan::default() };
        let works = Plan { creation_works: true, ..coming.clone() };
        let wanting_less = Plan { wanted: 0, ..coming.clone() };
        for subject in ["create failed:", "a warning:held-back:creation paused for  s: quota"] {
            check(&coming, &[], subject, false, false);
            check(&coming, &["create failed:"], subject, false, false);
            check(&works, &[], subject, false, true);
            check(&wanting_less, &[], subject, false, true);
        }
        check(&works, &[], "create failed:", true, false);
    }

    #[test]
    fn what_had_no_turn_is_still_failing_until_it_is_not_wanted() {
        let plan = Plan {
            wanted: 6,
            deletions: vec![deletion("a")],
            refused: vec![(AddressId("ip".into()), ServerId::new("a"))],
            held_back: Some(HeldBack { why: "creation paused".into(), for_at_least: None }),
            ..Plan::default()
        };
        for subject in ["delete failed:a", "move failed:ip", "create failed:"] {
            check(&plan, &[], subject, false, false);
            check(&Plan::default(), &[], subject, false, true);
        }
        check(&plan, &[], "delete failed:gone", false, true);
    }
}
