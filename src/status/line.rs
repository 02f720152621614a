//! The result of the last pass in one line, as `systemctl status` shows it. Pure.

use crate::decide::arithmetic::split;
use crate::model::State;
use crate::pass::Report;
use crate::plan::Plan;
use crate::status::words::sum;

/// The line. What went wrong comes first: lines are cut at their end.
pub fn line(report: &Report) -> String {
    let mut parts = Vec::new();
    if !report.is_good() {
        parts.push(format!("the last pass failed: {}", report.failures.join("; ")));
    }
    parts.extend(report.errors().map(str::to_owned));
    parts.extend(report.plan.as_ref().map(pool));
    parts.join("; ")
}

/// `3 replicas: 2 healthy, 1 starting; 5 free = 4 answered + 1 booting; at least 6 wanted`.
fn pool(plan: &Plan) -> String {
    let count = |state: State| plan.replicas.iter().filter(|one| one.state == state).count();
    let states = State::ALL.iter().map(|state| (*state, count(*state)));
    let states = states.filter(|(_, count)| *count > 0);
    let states: Vec<String> = states.map(|(state, count)| format!("{count} {state}")).collect();
    let colon = if states.is_empty() { "" } else { ": " };
    let replicas = if plan.replicas.len() == 1 { "replica" } else { "replicas" };
    format!(
        "{} {replicas}{colon}{}; {}; at least {} wanted",
        plan.replicas.len(),
        states.join(", "),
        sum(plan.free, split(plan)),
        plan.wanted,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Loudness, Note};
    use crate::status::fixture;

    #[test]
    fn a_good_pass_shows_the_pool() {
        let text = "2 replicas: 1 healthy, 1 finished; 3 free = 3 answered; at least 6 wanted";
        assert_eq!(line(&fixture::good_pass()), text);
    }

    #[test]
    fn an_empty_pool_reads_well() {
        let report = Report { plan: Some(Plan::default()), ..Report::default() };
        assert_eq!(line(&report), "0 replicas; 0 free = 0 answered; at least 0 wanted");
    }

    #[test]
    fn a_failed_pass_says_so_first() {
        let text = line(&fixture::failed_pass());
        assert!(text.starts_with("the last pass failed: cannot delete web-1"), "{text}");
        assert!(text.ends_with("wanted"), "{text}");
    }

    #[test]
    fn an_error_that_lasts_stands_before_the_pool() {
        let mut report = fixture::good_pass();
        let (key, text) = ("limit".into(), "creation stopped".into());
        let note = Note { loudness: Loudness::Error, key, text };
        report.plan.as_mut().unwrap().notes.push(note);
        let text = line(&report);
        assert!(text.starts_with("creation stopped; 2 replicas: "), "{text}");
    }

    #[test]
    fn a_pool_that_was_not_seen_is_not_made_up() {
        let report = Report { failures: vec!["no answer".into()], ..Report::default() };
        assert_eq!(line(&report), "the last pass failed: no answer");
    }
}
