//! What is wrong with the pool, and since when: carried on from pass to pass. Pure.

use crate::clock::Moment;
use crate::decide::back_off::trouble_is_over;
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
    /// A creation failed, or what it made did; no new replica has answered since, and resources are missing.
    pub creation: Option<FailedCreation>,
    /// The pause before the next creation, until a pass sees the pool without one: also while the pass that tries again
    /// is still to come.
    pub pause: Option<Paused>,
}

/// A creation that failed, or whose replicas did.
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
        now.missing = lasts(self.missing, plan.free < plan.wanted);
        now.brake = lasts(self.brake, !plan.brakes.is_empty());
        now.error = lasts(self.error, report.errors().next().is_some());
        if let Some((healthy, all)) = healthy_addresses(report) {
            now.unheld = lasts(self.unheld, healthy < all);
        }
        now.creation = self.failed_creation(report, pass.began);
        now
    }

    /// Whatever failed, the creation itself or the replicas it made, resources must be missing for it to matter. From then
    /// on those of replicas that nobody has answered for make no difference.
    fn failed_creation(&self, report: &Report, began: Moment) -> Option<FailedCreation> {
        let plan = report.plan.as_ref()?;
        let before = self.creation.clone().filter(|_| !trouble_is_over(plan));
        let why = report.pause.as_ref().map(|pause| &pause.why);
        let why = why.map(|why| why.trim_start_matches(CREATION_FAILED).to_owned());
        let is_short = plan.free < plan.wanted;
        match why.or_else(|| failure(report)).filter(|_| is_short || before.is_some()) {
            Some(why) => {
                let since = before.map_or(began, |before| before.since);
                Some(FailedCreation { since, why })
            }
            None => before,
        }
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
        plan.replicas[0].free = free;
        plan.brakes.clear();
        report
    }

    fn creation(result: Result<(), &str>) -> Report {
        let error = |text: &str| Error::new(ErrorKind::Quota, text);
        let result = result.map(|()| crate::model::ServerId::new("id-9")).map_err(error);
        let mut report = free(0);
        if result.is_err() {
            report.pause = Some(paused("the last creation failed: no room"));
        }
        let creation =
            CreationOutcome { mark: "a".into(), count: 2, trial: false, result, left: None };
        report.outcome = Some(Outcome { creation: Some(creation), ..Outcome::default() });
        report
    }

    fn paused(why: &str) -> Pause {
        Pause { left: Duration::from_secs(90), step: 1, why: why.into() }
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

    /// A pass that sees as much free, all of it of replicas that nobody has answered for.
    fn coming(resources: u64) -> Report {
        let mut report = free(resources);
        report.plan.as_mut().unwrap().replicas[0].state = State::Starting;
        report
    }

    fn answered() -> Report {
        let mut report = free(3);
        report.plan.as_mut().unwrap().creation_works = true;
        report
    }

    /// A pass that finds a new replica broken.
    fn broken(resources: u64) -> Report {
        Report { pause: Some(paused("web-1 failed: no valid host")), ..free(resources) }
    }

    fn failed_creation(reports: Vec<Report>) -> Option<(Moment, String)> {
        after(reports).creation.map(|one| (one.since, one.why))
    }

    #[test]
    fn a_creation_has_failed_until_a_new_replica_answers_or_nothing_is_missing() {
        let failed = || creation(Err("no room"));
        let accepted = || creation(Ok(()));
        let quiet = || free(0);
        let no_room = Some((at(0), "no room".to_owned()));
        assert_eq!(failed_creation(vec![failed()]), no_room);
        let again = vec![failed(), quiet(), unseen(), quiet(), failed(), quiet()];
        assert_eq!(failed_creation(again), no_room);
        assert_eq!(failed_creation(vec![failed(), quiet(), accepted()]), no_room, "it is accepted");
        let boots = vec![failed(), accepted(), coming(6)];
        assert_eq!(failed_creation(boots), no_room, "what was accepted still boots");
        assert_eq!(failed_creation(vec![failed(), accepted(), coming(6), answered()]), None);
        assert_eq!(failed_creation(vec![failed(), free(6)]), None, "nothing is missing");
        assert_eq!(failed_creation(vec![quiet(), free(3)]), None, "none has failed");
        assert_eq!(failed_creation(vec![accepted(), coming(6)]), None, "the first one boots");
    }

    #[test]
    fn replicas_that_come_to_nothing_are_a_creation_that_failed() {
        let no_host = |second| Some((at(second), "web-1 failed: no valid host".to_owned()));
        assert_eq!(failed_creation(vec![free(3), broken(3)]), no_host(60));
        let refused_before = vec![creation(Err("no room")), creation(Ok(())), coming(6), broken(0)];
        assert_eq!(failed_creation(refused_before), no_host(0), "the trouble goes on");
        let missing_later = vec![broken(6), broken(3)];
        assert_eq!(failed_creation(missing_later), no_host(60), "first nothing was missing");
        let mut replaced = coming(6);
        replaced.pause = broken(0).pause;
        assert_eq!(failed_creation(vec![broken(6), replaced]), None, "others come already");
        let mut refused = creation(Err("no room"));
        refused.plan.as_mut().unwrap().creation_works = true;
        assert!(
            failed_creation(vec![broken(3), refused]).is_some(),
            "one answered, the next failed"
        );
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
