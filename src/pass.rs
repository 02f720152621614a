//! One pass: observe → decide → act. What it found is handed on; nothing is published here.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::act::{self, Naming, Outcome};
use crate::decide::{self, Addresses, back_off};
use crate::error::{Error, ErrorKind};
use crate::memory::Memory;
use crate::model::ExternalAddress;
use crate::observe::{self, PassClock};
use crate::plan::{Loudness, Note, Plan};
use crate::probe::Prober;
use crate::progress::{Progress, Stop};
use crate::provider::{Provider, ProviderMut};
use crate::settings::Config;

/// A cloud, to look at or to change.
pub enum Cloud {
    /// For `--dry-run` and `--check`: what could change something was never made.
    ReadOnly(Box<dyn Provider>),
    /// For everything else.
    ReadWrite(Box<dyn ProviderMut>),
}

impl Cloud {
    fn reader(&mut self) -> &mut dyn Provider {
        match self {
            Cloud::ReadOnly(provider) => provider.as_mut(),
            Cloud::ReadWrite(provider) => provider.as_provider(),
        }
    }
}

/// Everything passes need, and what they leave for the next one.
pub struct Pool {
    config: Config,
    cloud: Cloud,
    prober: Prober,
    progress: Progress,
    stop: Stop,
    started: Instant,
    memory: Memory,
    mark: Option<String>,
    said: BTreeSet<String>,
    failing: Option<Failing>,
}

/// The failure that passes have been ending with, so that it is not said anew each minute.
struct Failing {
    text: String,
    passes: u64,
}

/// What one pass came to.
#[derive(Debug, Default)]
pub struct Report {
    /// What failed, in words; empty when all the pass set out to do was done.
    pub failures: Vec<String>,
    /// Whether no pass can ever go well before the operator has changed a setting.
    pub fatal: bool,
    /// The plan, unless the pool could not be seen.
    pub plan: Option<Plan>,
    /// What became of the plan; `None` in a dry run.
    pub outcome: Option<Outcome>,
    /// The external addresses as they were seen; `None` when they are not managed or could not be listed.
    pub addresses: Option<Vec<ExternalAddress>>,
    /// The mark the pool goes by, once settled.
    pub mark: Option<String>,
    /// The pause before the next creation, as it was when the pass ended.
    pub pause: Option<Pause>,
}

/// What is left of a back-off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// How long it goes on.
    pub left: Duration,
    /// Failures in a row.
    pub step: u32,
    /// Why, in words.
    pub why: String,
}

impl Report {
    /// Whether everything the pass set out to do was done.
    pub fn is_good(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Pool {
    /// A pool that was never looked at. `instance` tells this process's batches from any other's.
    pub fn new(
        config: Config,
        cloud: Cloud,
        prober: Prober,
        instance: &str,
        progress: Progress,
        stop: Stop,
    ) -> Self {
        Pool {
            config,
            cloud,
            prober,
            progress,
            stop,
            started: Instant::now(),
            memory: Memory::new(instance),
            mark: None,
            said: BTreeSet::new(),
            failing: None,
        }
    }

    /// One pass.
    pub fn pass(&mut self) -> Report {
        self.progress.mark();
        let began = self.started.elapsed();
        let mut report = self.observe_decide_act(began);
        report.mark.clone_from(&self.mark);
        report.pause = self.pause();
        self.log_end(&report);
        report
    }

    fn observe_decide_act(&mut self, began: Duration) -> Report {
        let mut report = Report::default();
        let started = self.started;
        let spent = move || started.elapsed().saturating_sub(began);
        let policy = &self.config.policy;
        let sight = observe::observe(
            policy,
            self.cloud.reader(),
            &self.prober,
            &self.memory,
            &self.config.mark,
            &mut self.mark,
            &PassClock { began, spent: &spent },
        );
        let sight = match sight {
            Ok(sight) => sight,
            Err(error) => return refused(report, &error),
        };
        report.failures.extend(sight.faults.iter().map(|error| error.text.clone()));
        if let Addresses::Known(addresses) = &sight.observation.addresses {
            report.addresses = Some(addresses.clone());
        }
        if self.stop.requested() {
            // Half the replicas may not have been asked: nothing good can be decided from that.
            return interrupted(report);
        }

        let (plan, mut memory) = decide::decide(policy, &sight.observation, &self.memory);
        self.said = say(&plan.notes, &self.said, policy.once);
        if let Cloud::ReadWrite(provider) = &mut self.cloud {
            let naming = Naming {
                prefix: &self.config.name,
                mark: (&self.config.mark.key, self.mark.as_deref().unwrap_or_default()),
            };
            let provider = provider.as_mut();
            let outcome = act::act(provider, &plan, &naming, policy.interval, &spent, &self.stop);
            decide::learn(policy, began, &outcome, &mut memory);
            report.failures.extend(failures(&outcome, policy.once));
            report.outcome = Some(outcome);
        } else {
            for line in plan.to_string().lines() {
                log::info!("dry run, not done: {line}");
            }
        }
        self.memory = memory;
        report.plan = Some(plan);
        report
    }

    fn pause(&self) -> Option<Pause> {
        let back_off = &self.memory.back_off;
        let left = back_off::left(&self.config.policy, back_off, self.started.elapsed())?;
        Some(Pause { left, step: back_off.step, why: back_off.why.clone() })
    }

    /// A failure that lasts is said once, and its end once.
    fn log_end(&mut self, report: &Report) {
        let text = report.failures.join("; ");
        if self.stop.requested() {
            if !text.is_empty() {
                log::info!("asked to end in the middle of a pass: {text}");
            }
            return;
        }
        match (&mut self.failing, text.is_empty()) {
            (None, true) => {}
            (Some(failing), true) => {
                log::info!("recovered after {} failed passes", failing.passes);
                self.failing = None;
            }
            (Some(failing), false) if failing.text == text => {
                failing.passes += 1;
                log::warn!("pass failed again ({} passes): {text}", failing.passes);
            }
            (failing, false) => {
                let passes = failing.as_ref().map_or(0, |failing| failing.passes) + 1;
                log::error!("pass failed: {text}");
                *failing = Some(Failing { text, passes });
            }
        }
    }
}

fn refused(mut report: Report, error: &Error) -> Report {
    report.fatal = error.kind == ErrorKind::Setting;
    report.failures.push(error.text.clone());
    report
}

fn interrupted(mut report: Report) -> Report {
    report.failures.push("the program is ending; nothing was changed".into());
    report
}

/// With `--once` no pass follows, so what was left over counts as not done.
fn failures(outcome: &Outcome, once: bool) -> Vec<String> {
    let failed = |step: &&act::StepOutcome| match step.result {
        act::StepResult::Done => false,
        act::StepResult::Failed(_) => true,
        act::StepResult::NotTried(_) => once,
    };
    let count = outcome.steps.iter().filter(failed).count();
    if count == 0 {
        return Vec::new();
    }
    vec![format!("{count} of {} steps of the plan failed", outcome.steps.len())]
}

/// Says what was not said in the last pass already; gives what holds now.
fn say(notes: &[Note], said: &BTreeSet<String>, once: bool) -> BTreeSet<String> {
    for note in notes.iter().filter(|note| !said.contains(&note.key)) {
        match note.loudness {
            Loudness::Error => log::error!("{}", note.text),
            Loudness::Warning => log::warn!("{}", note.text),
            Loudness::Standing if once => log::debug!("{}", note.text),
            Loudness::Standing => log::info!("{}", note.text),
        }
    }
    notes.iter().map(|note| note.key.clone()).collect()
}
