//! The daemon's own passes over the simulated cloud: the story a newcomer is to see.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fixture::{Trial, config};
use crate::clock::Clock;
use crate::handles::Handles;
use crate::model::{State, Watched};
use crate::outcome::StepResult;
use crate::pass::{Cloud, Pool, Report};
use crate::probe::Prober;

/// A day of passes, two seconds of the cloud's time apart.
struct Day {
    pool: Pool,
    clock: Arc<AtomicU64>,
    log: Vec<String>,
}

impl Day {
    fn begin() -> Self {
        let Trial { simulated, config, clock, .. } = Trial::new(config());
        let handles = Handles::new();
        let prober =
            Box::new(Prober::new(config.probe.clone(), Clock::start(), handles.clone()).unwrap());
        let cloud = Cloud::ReadWrite(Box::new(simulated));
        Day {
            pool: Pool::new(config, cloud, prober, "test", Clock::start(), handles),
            clock,
            log: Vec::new(),
        }
    }

    fn pass(&mut self) -> Report {
        let report = self.pool.pass(&Watched::default());
        let time = self.clock.fetch_add(2, Ordering::Relaxed);
        for step in report.outcome.iter().flat_map(|outcome| &outcome.steps) {
            match step.result {
                StepResult::Done => self.log.push(format!("{time:3} s: {}", step.step)),
                StepResult::Failed(_) => self.log.push(format!("{time:3} s: {} FAILED", step.step)),
                StepResult::NotTried(_) | StepResult::Dropped(_) => {}
            }
        }
        report
    }

    /// Passes until `is_so`, at most a simulated day; what the last one saw.
    #[track_caller]
    fn wait_for(&mut self, what: &str, is_so: impl Fn(&Report, &[String]) -> bool) -> Report {
        for _ in 0..120 {
            let report = self.pass();
            if is_so(&report, &self.log) {
                return report;
            }
        }
        panic!("waited in vain: {what}\n{}", self.log.join("\n"))
    }
}

fn count(report: &Report, state: State) -> usize {
    let replicas = report.plan.iter().flat_map(|plan| &plan.replicas);
    replicas.filter(|replica| replica.state == state).count()
}

fn done(log: &[String], words: [&str; 2]) -> bool {
    log.iter().any(|line| words.iter().all(|words| line.contains(words)))
}

#[test]
fn the_pool_comes_up_and_takes_both_addresses() {
    let mut day = Day::begin();
    let report = day.wait_for("two healthy replicas hold the two addresses", |report, _| {
        count(report, State::Healthy) >= 2
            && report.addresses.iter().flatten().all(|address| address.holder.is_some())
    });
    let holders: BTreeSet<_> =
        report.addresses.iter().flatten().map(|address| &address.holder).collect();
    assert_eq!(holders.len(), 2, "each address has a holder of its own: {holders:?}");
}

#[test]
fn a_trial_shows_growth_replacements_and_moves() {
    let mut day = Day::begin();
    let wanted = [
        ["create", "creating"],
        ["delete", "in error, never launched"],
        ["delete", "says it may be destroyed"],
        ["delete", "silent for"],
        ["move 192.0.2.1", "unbound"],
        ["move 192.0.2.1", "is finished"],
        ["move 192.0.2.1", "is silent"],
    ];
    for words in wanted {
        day.wait_for(&words.join(" … "), |_, log| done(log, words));
    }
    let failed = day.log.iter().any(|line| line.ends_with("FAILED"));
    assert!(!failed, "no step fails:\n{}", day.log.join("\n"));
}

#[test]
fn the_pool_grows_by_day_and_shrinks_by_night() {
    let mut day = Day::begin();
    let size = |report: &Report| report.plan.as_ref().map_or(0, |plan| plan.replicas.len());
    day.wait_for("the pool grows to six", |report, _| size(report) >= 6);
    day.wait_for("the pool shrinks to four", |report, _| size(report) <= 4);
}
