//! The last plan, step by step, and what became of it.

use serde::Serialize;

use crate::outcome::StepResult;
use crate::pass::Report;
use crate::plan::StepKind;

/// One step.
#[derive(Serialize)]
pub struct Step<'a> {
    /// What kind of step.
    pub kind: StepKind,
    /// The step, in the words of the plan.
    #[serde(rename = "step")]
    pub text: String,
    /// `done`, `failed`, `not tried` or `dry run`.
    pub outcome: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
    /// Why it was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'a str>,
}

/// How many steps of one kind had one outcome.
#[derive(Serialize)]
pub struct StepCount {
    /// What kind of step.
    pub kind: StepKind,
    /// As in [`Step::outcome`].
    pub outcome: &'static str,
    /// How many.
    pub count: usize,
}

/// The steps of a pass; in a dry run those that would have been taken.
pub fn steps(report: &Report) -> Vec<Step<'_>> {
    if let Some(outcome) = &report.outcome {
        let shown = outcome.steps.iter().map(|step| {
            let (outcome, error, why) = match &step.result {
                StepResult::Done => ("done", None, None),
                StepResult::Failed(error) => ("failed", Some(error.text.as_str()), None),
                StepResult::NotTried(why) => ("not tried", None, Some(why.as_str())),
                StepResult::Dropped(why) => ("dropped", None, Some(why.as_str())),
            };
            Step { kind: step.kind, text: step.step.clone(), outcome, error, why }
        });
        return shown.collect();
    }
    let Some(plan) = &report.plan else { return Vec::new() };
    let moves = plan.moves.iter().map(|step| (StepKind::Move, step.to_string()));
    let deletions = plan.deletions.iter().map(|step| (StepKind::Delete, step.to_string()));
    let creation = plan.creation.iter().map(|step| (StepKind::Create, step.to_string()));
    let all = moves.chain(deletions).chain(creation);
    all.map(|(kind, text)| Step { kind, text, outcome: "dry run", error: None, why: None })
        .collect()
}

/// How many steps there are of each kind and outcome, in the order of their first.
pub fn counts(steps: &[Step<'_>]) -> Vec<StepCount> {
    let mut counts: Vec<StepCount> = Vec::new();
    for step in steps {
        let same = |one: &&mut StepCount| one.kind == step.kind && one.outcome == step.outcome;
        match counts.iter_mut().find(same) {
            Some(one) => one.count += 1,
            None => counts.push(StepCount { kind: step.kind, outcome: step.outcome, count: 1 }),
        }
    }
    counts
}
