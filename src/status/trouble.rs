//! What is wrong with the pool, and since when: carried on from pass to pass. Pure.

use crate::clock::Moment;
use crate::memory::CREATION_FAILED;
use crate::model::State;
use crate::outcome::StepResult;
use crate::pass::Report;
use crate::plan::{Plan, StepKind};
use crate::status::ended_pass::{EndedPass, HeldBy, held_by};

/// Since when what is wrong has been so without a break; each is the beginning of the first pass that saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Passes fail.
    pub failing: Option<Moment>,
    /// Free resources are missing.
    pub missing: Option<Moment>,
    /// An external address is on no healthy replica.
    pub unheld: Option<Moment>,
    /// A brake is on.
    pub brake: Option<Moment>,
    /// A lasting error that somebody has to act on.
    pub error: Option<Moment>,
    /// A creation failed, none has succeeded since, and resources are missing.
    pub creation: Option<FailedCreation>,
    /// The pause before the next creation, until a pass sees the pool without one: also while the pass that tries again
    /// is still to come.
    pub pause: Option<Paused>,
}

/// A creation that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCreation {
    /// When the first one in a row did.
    pub since: Moment,
    /// Why the last one did, in words.
    pub why: String,
}

/// A pause before the next creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// When it is over.
    pub until: Moment,
    /// Why there is one, in words.
    pub why: String,
}

impl Trouble {
    /// The same after `pass`. What it did not see stays as it was.
    #[must_use]
    pub fn after(&self, pass: &EndedPass) -> Self {
        let report = &pass.report;
        let lasts =
            |before: Option<Moment>, is_so: bool| is_so.then(|| before.unwrap_or(pass.began));
        let mut now = self.clone();
        now.failing = lasts(self.failing, !report.is_good());
        let pause = report.pause.as_ref().map(|pause| {
            let Moment { elapsed, wall } = pass.ended;
            let until = Moment { elapsed: elapsed + pause.left, wall: wall + pause.left };
            Paused { until, why: pause.why.clone() }
        });
        if pause.is_some() {
            now.pause = pause;
        }
        let Some(plan) = &report.plan else { return now };
        if report.pause.is_none() {
            now.pause = None;
        }
        let is_short = plan.free < plan.wanted;
        now.missing = lasts(self.missing, is_short);
        now.brake = lasts(self.brake, !plan.brakes.is_empty());
        now.error = lasts(self.error, report.errors().next().is_some());
        if let Some((healthy, all)) = healthy_addresses(report) {
            now.unheld = lasts(self.unheld, healthy < all);
        }
        now.creation = self.failed_creation(pass, is_short);
        now
    }

    fn failed_creation(&self, pass: &EndedPass, is_short: bool) -> Option<FailedCreation> {
        let report = &pass.report;
        if !is_short || created(report).is_some() {
            return None;
        }
        let since = self.creation.as_ref().map_or(pass.began, |before| before.since);
        let refused = report.pause.as_ref().filter(|pause| pause.refused);
        let why = refused.map(|pause| &pause.why);
        let why = why.map(|why| why.trim_start_matches(CREATION_FAILED).to_owned());
        why.or_else(|| failure(report))
            .map(|why| FailedCreation { since, why })
            .or_else(|| self.creation.clone())
    }
}

/// How many replicas the cloud accepted in the pass, if any.
pub fn created(report: &Report) -> Option<u64> {
    let creation = report.outcome.as_ref()?.creation.as_ref()?;
    creation.result.is_ok().then_some(creation.count)
}

fn failure(report: &Report) -> Option<String> {
    let steps = &report.outcome.as_ref()?.steps;
    steps.iter().find_map(|step| match (&step.result, step.kind) {
        (StepResult::Failed(error), StepKind::Create) => Some(error.text.clone()),
        _ => None,
    })
}

/// How many of the pool's external addresses are on a healthy replica, and how many there are; `None` when that is not
/// known. One on a server outside the pool is its operator's, and left alone.
pub fn healthy_addresses(report: &Report) -> Option<(usize, usize)> {
    let plan: &Plan = report.plan.as_ref()?;
    let (mut healthy, mut all) = (0, 0);
    for address in report.addresses.as_ref()? {
        match held_by(address, plan, report) {
            HeldBy::Outside => {}
            HeldBy::Replica(State::Healthy) => (healthy, all) = (healthy + 1, all + 1),
            HeldBy::Replica(_) | HeldBy::Nobody => all += 1,
        }
    }
    Some((healthy, all))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::{Error, ErrorKind};
    use crate::outcome::{CreationOutcome, Outcome};
    use crate::pass::Pause;
    use crate::status::fixture::{self, at};

    /// The trouble after passes a minute apart.
    fn after(reports: Vec<Report>) -> Trouble {
        let (mut trouble, mut second) = (Trouble::default(), 0);
        for report in reports {
            trouble =
                trouble.after(&EndedPass { began: at(second), ended: at(second + 1), report });
            second += 60;
        }
        trouble
    }

    fn free(free: u64) -> Report {
        let mut report = fixture::good_pass();
        let plan = report.plan.as_mut().unwrap();
        (plan.free, plan.creation, plan.held_back) = (free, None, None);
        plan.brakes.clear();
        report
    }

    fn creation(result: Result<(), &str>) -> Report {
        let error = |text: &str| Error::new(ErrorKind::Quota, text);
        let result = result.map(|()| crate::model::ServerId("id-9".into())).map_err(error);
        let mut report = free(0);
        if result.is_err() {
            report.pause = Some(paused("the last creation failed: no room", true));
        }
        let creation =
            CreationOutcome { mark: "a".into(), count: 2, trial: false, result, left: None };
        report.outcome = Some(Outcome { creation: Some(creation), ..Outcome::default() });
        report
    }

    fn paused(why: &str, refused: bool) -> Pause {
        Pause { left: Duration::from_secs(90), step: 1, why: why.into(), refused }
    }

    fn unseen() -> Report {
        Report { failures: vec!["no cloud".into()], ..Report::default() }
    }

    #[test]
    fn what_lasts_has_begun_with_the_first_pass_that_saw_it() {
        assert_eq!(after(vec![free(6), free(3), free(0)]).missing, Some(at(60)));
        assert_eq!(after(vec![free(3), free(6), free(0)]).missing, Some(at(120)), "it begins anew");
        assert_eq!(after(vec![free(3), free(6)]).missing, None);
    }

    #[test]
    fn a_pass_that_did_not_see_the_pool_ends_nothing() {
        let trouble = after(vec![free(3), unseen(), unseen()]);
        assert_eq!((trouble.missing, trouble.failing), (Some(at(0)), Some(at(60))));
        assert_eq!(after(vec![free(3), unseen(), free(3)]).failing, None);
    }

    #[test]
    fn a_creation_has_failed_until_one_succeeds_or_nothing_is_missing() {
        let since = |reports| after(reports).creation.map(|one| (one.since, one.why));
        let failed = || creation(Err("no room"));
        let quiet = || free(0);
        let no_room = Some((at(0), "no room".to_owned()));
        assert_eq!(since(vec![failed()]), no_room);
        assert_eq!(since(vec![failed(), quiet(), unseen(), quiet(), failed(), quiet()]), no_room);
        assert_eq!(since(vec![failed(), quiet(), creation(Ok(()))]), None, "one succeeded");
        assert_eq!(since(vec![failed(), free(6)]), None, "nothing is missing");
        assert_eq!(since(vec![quiet(), free(3)]), None, "none has failed");
    }

    #[test]
    fn replicas_that_came_to_nothing_are_no_creation_that_failed() {
        let mut report = free(0);
        report.pause = Some(paused("web-1 never answered within its boot grace", false));
        assert_eq!(after(vec![report]).creation, None);
    }

    #[test]
    fn a_pause_is_known_until_a_pass_sees_the_pool_without_one() {
        let until = |reports| after(reports).pause.map(|pause| pause.until);
        let failed = || creation(Err("no room"));
        assert_eq!(until(vec![failed()]), Some(at(91)));
        assert_eq!(until(vec![failed(), unseen(), unseen()]), Some(at(91)), "nobody tried again");
        assert_eq!(until(vec![failed(), creation(Ok(()))]), None);
    }

    #[test]
    fn addresses_on_replicas_that_do_not_serve_are_counted_apart() {
        // One is on a healthy replica, one outside the pool, one nowhere.
        assert_eq!(healthy_addresses(&fixture::failed_pass()), Some((1, 2)));
        assert_eq!(healthy_addresses(&fixture::good_pass()), None, "they were not listed");
        let mut report = fixture::failed_pass();
        report.plan.as_mut().unwrap().replicas[0].state = State::Silent;
        assert_eq!(healthy_addresses(&report), Some((0, 2)));
        assert_eq!(after(vec![report]).unheld, Some(at(0)));
    }
}
