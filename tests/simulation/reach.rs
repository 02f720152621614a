//! What the histories came upon: a rule that nothing ever tried to break holds for no reason.

use std::collections::BTreeMap;

use simplescalevm::outcome::StepResult;
use simplescalevm::pass::Report;

/// What has to happen in every run of ordinary length.
pub const EXPECTED: [&str; 43] = [
    "asked to end in Addresses",
    "asked to end in Create",
    "asked to end in Delete",
    "asked to end in List",
    "asked to end in Probe",
    "brake: many lost",
    "brake: many silent",
    "created",
    "creation refused",
    "creation unclear",
    "deleted, failed",
    "deleted, finished",
    "deleted, silent",
    "deleted, stopped",
    "deleted, stuck",
    "deleted, trial",
    "deletion failed",
    "deletion waits for an address",
    "dropped",
    "early pass",
    "early pass, anything",
    "early, brake: many lost",
    "early, brake: many silent",
    "early, moved",
    "held back, batch",
    "held back, brake",
    "held back, creation paused",
    "held back, dead weight limit",
    "held back, REPLICA_MAX",
    "held back, unlisted",
    "killed after Bind",
    "killed after Create",
    "killed after Delete",
    "killed before Bind",
    "killed before Create",
    "killed before Delete",
    "killed before Probe",
    "meanwhile: Locks",
    "meanwhile: Repairs",
    "moved",
    "move refused",
    "steps left over",
    "trial",
];

/// So often each.
#[derive(Clone, Debug, Default)]
pub struct Reach(pub BTreeMap<String, u64>);

impl Reach {
    pub fn met(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    pub fn add(&mut self, other: Reach) {
        for (what, times) in other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    /// What never happened although it should have.
    pub fn missing(&self) -> Vec<&'static str> {
        EXPECTED.into_iter().filter(|what| !self.0.contains_key(*what)).collect()
    }

    /// What a pass did, and what kept it from doing more.
    pub fn pass(&mut self, report: &Report) {
        let (Some(plan), Some(outcome)) = (&report.plan, &report.outcome) else { return };
        for step in plan.deletions.iter().filter(|step| outcome.deleted.contains(&step.server)) {
            self.met(format!("deleted, {}", step.reason.as_str()));
        }
        let times = [
            ("deletion failed", outcome.not_deleted.len()),
            ("moved", outcome.moved.len()),
            ("move refused", outcome.refused.len()),
        ];
        for (what, times) in times {
            (0..times).for_each(|_| self.met(what));
        }
        for step in &outcome.steps {
            match &step.result {
                StepResult::NotTried(why) if why.starts_with("its address") => {
                    self.met("deletion waits for an address");
                }
                StepResult::NotTried(_) => self.met("steps left over"),
                StepResult::Dropped(_) => self.met("dropped"),
                StepResult::Done | StepResult::Failed(_) => {}
            }
        }
        if plan.creation.as_ref().is_some_and(|batch| batch.trial) {
            self.met("trial");
        }
        if let Some(creation) = &outcome.creation {
            self.met(match &creation.result {
                Ok(_) => "created",
                Err(error) if error.kind.as_str() == "unclear" => "creation unclear",
                Err(_) => "creation refused",
            });
        }
        for brake in &plan.brakes {
            self.met(name_of(brake));
        }
        let reasons = ["dead weight limit", "brake", "creation paused", "REPLICA_MAX"];
        if let Some(held) = &plan.held_back {
            let known = reasons.into_iter().find(|reason| held.why.starts_with(reason));
            let listed = if held.why.contains("not listed") { "unlisted" } else { "batch" };
            self.met(format!("held back, {}", known.unwrap_or(listed)));
        }
    }

    /// What a pass did that a watch began.
    pub fn early_pass(&mut self, report: &Report) {
        let moved = report.outcome.iter().flat_map(|outcome| &outcome.moved).count();
        (0..moved).for_each(|_| self.met("early, moved"));
        for brake in report.plan.iter().flat_map(|plan| &plan.brakes) {
            self.met(format!("early, {}", name_of(brake)));
        }
    }
}

fn name_of(brake: &str) -> &'static str {
    if brake.contains("are silent") { "brake: many silent" } else { "brake: many lost" }
}
