//! One pass: observe → decide → act. What it found is handed on; nothing is published here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::act::{self, Hands, Naming};
use crate::clock::{Clock, Moment};
use crate::decide::{self, Addresses, back_off};
use crate::error::{Error, ErrorKind};
use crate::events::{Event, News};
use crate::handles::Handles;
use crate::memory::{BackOff, Memory};
use crate::metrics::{Metrics, Phase};
use crate::minimum::MinimumFile;
use crate::model::{ExternalAddress, Scope, ServerId, Watched};
use crate::observe::{self, Before, PassClock, Sight};
use crate::outcome::{Outcome, StepOutcome, StepResult};
use crate::plan::{Loudness, Note, Plan, StepKind};
use crate::probe::Ask;
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
    prober: Box<dyn Ask>,
    handles: Handles,
    clock: Clock,
    memory: Memory,
    mark: Option<String>,
    /// When replicas last answered a pass, on the monotonic clock.
    last_answers: BTreeMap<ServerId, Duration>,
    news: News,
    minimum_file: Option<MinimumFile>,
}

/// The result of one pass.
#[derive(Clone, Debug, Default)]
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
    /// Replicas that gave a valid answer in this pass.
    pub answered: BTreeSet<ServerId>,
    /// The mark the pool goes by, once settled.
    pub mark: Option<String>,
    /// What the login was for, where there is one.
    pub scope: Option<Scope>,
    /// How many free resources were wanted, by the file or the variable.
    pub minimum: Option<u64>,
    /// The pause before the next creation, as it was when the pass ended.
    pub pause: Option<Pause>,
    /// What happened and what had changed, in that order.
    pub events: Vec<Event>,
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

    /// What the operator has to act on, as far as it is no failure already.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        let notes = self.plan.iter().flat_map(|plan| &plan.notes);
        notes
            .filter(|note| note.loudness == Loudness::Error && !self.failures.contains(&note.text))
            .map(|note| note.text.as_str())
    }
}

impl Pool {
    /// A pool that was never looked at. `instance` tells this process's batches from any other's.
    pub fn new(
        config: Config,
        cloud: Cloud,
        prober: Box<dyn Ask>,
        instance: &str,
        clock: Clock,
        handles: Handles,
    ) -> Self {
        let news = News::new(clock, config.policy.once);
        let minimum_file = config.minimum_file.clone().map(MinimumFile::new);
        Pool {
            minimum_file,
            config,
            cloud,
            prober,
            handles,
            clock,
            memory: Memory::new(instance),
            mark: None,
            last_answers: BTreeMap::new(),
            news,
        }
    }

    /// Forgets what passes have left, as after a restart: another scaler may have acted since. `instance` is as in
    /// [`Pool::new`].
    pub fn begin_anew(&mut self, instance: &str) {
        self.memory = Memory::new(instance);
        self.mark = None;
        self.last_answers.clear();
        self.handles.questions.clear();
        self.news = News::new(self.clock, self.config.policy.once);
    }

    /// One pass; it begins early for the sake of the holders that `watched` lost, if it did.
    pub fn pass(&mut self, watched: &Watched) -> Report {
        self.handles.progress.mark();
        self.handles.turn.begin_pass();
        self.news.begin_pass();
        for (id, lost) in &watched.lost {
            self.news.lost(id, lost);
        }
        let now = self.clock.now();
        let began = now.elapsed;
        let notes = self.follow_minimum_file();
        let mut report = self.observe_decide_act(now, watched, notes);
        report.minimum = Some(self.config.policy.minimum);
        report.mark.clone_from(&self.mark);
        report.scope = self.cloud.reader().scope();
        report.pause = self.pause();
        let metrics = self.handles.metrics.clone();
        if watched.is_early() {
            metrics.early_pass();
        }
        self.count_downtimes(watched, began, &report);
        metrics.pass(report.is_good(), self.clock.now().elapsed.saturating_sub(began));
        if self.handles.stop.requested() {
            if !report.is_good() {
                log::info!("asked to stop in the middle of a pass: {}", report.failures.join("; "));
            }
        } else if let Some(plan) = &report.plan {
            self.news.end_pass(plan, report.outcome.as_ref());
            self.handles.questions.keep(plan);
        }
        report.events = self.news.take();
        report
    }

    /// What is wanted may be another number in each pass.
    fn follow_minimum_file(&mut self) -> Vec<Note> {
        let Some(file) = &self.minimum_file else { return Vec::new() };
        let before = self.config.policy.minimum;
        let notes = file.follow(&mut self.config.policy);
        let now = self.config.policy.minimum;
        if now != before {
            self.news.wanted(now, before);
        }
        notes
    }

    /// `notes`: what is known already that people should know.
    fn observe_decide_act(&mut self, start: Moment, watched: &Watched, notes: Vec<Note>) -> Report {
        let mut report = Report::default();
        let (clock, began) = (self.clock, start.elapsed);
        let spent = move || clock.now().elapsed.saturating_sub(began);
        let metrics = self.handles.metrics.clone();
        let times = PassClock { began, wall: start.wall, spent: &spent, metrics: &metrics };
        let policy = &self.config.policy;
        let sight = observe::observe(
            policy,
            self.cloud.reader(),
            self.prober.as_ref(),
            Before { memory: &self.memory, watched },
            &self.config.mark,
            &mut self.mark,
            &times,
        );
        let mut sight = match sight {
            Ok(sight) => sight,
            Err(error) => {
                report.fatal = error.kind == ErrorKind::Setting;
                self.unseen(&mut report, &error);
                return report;
            }
        };
        for error in &std::mem::take(&mut sight.faults) {
            self.unseen(&mut report, error);
        }
        self.memory.clock.clone_from(&sight.clock);
        let observation = &sight.observation;
        report.answered = observation.answered();
        if let Addresses::Known(addresses) = &observation.addresses {
            report.addresses = Some(addresses.clone());
        }
        if self.handles.stop.requested() {
            // Half the replicas may not have been asked: nothing good can be decided from that.
            return interrupted(report);
        }
        if let Some(error) = observe::unasked(observation) {
            self.unseen(&mut report, &error);
        }

        let (mut plan, mut memory) = decide::decide(&self.config.policy, observation, &self.memory);
        let vanished = memory.loss.is_some() && self.memory.loss.is_none();
        // A batch that seems cut by a quota may only be cut by the list.
        let (before, after) = (&self.memory.back_off, &memory.back_off);
        let is_cut = after.quota && after.step > before.step;
        if sight.scheduling && (plan.creation.is_some() || vanished || is_cut) {
            (plan, memory) = self.decide_again(&mut sight, &times, &mut report);
        }
        plan.notes.extend(std::mem::take(&mut sight.notes).into_iter().chain(notes));
        // It holds all of the list, which has no more to tell: what comes next needs the room.
        drop(sight);
        self.news.seen(&plan, report.addresses.as_deref());
        let policy = &self.config.policy;
        if let Cloud::ReadWrite(provider) = &mut self.cloud {
            let naming = Naming {
                prefix: &self.config.name,
                mark: (&self.config.mark.key, self.mark.as_deref().unwrap_or_default()),
            };
            let turn = &self.handles.turn;
            let hands = Hands {
                provider: provider.as_mut(),
                prober: self.prober.as_ref(),
                naming,
                interval: policy.interval,
                spent: &spent,
                stop: &self.handles.stop,
                permit: &|kind| match kind {
                    StepKind::Create => turn.may_create(),
                    StepKind::Move | StepKind::Delete => turn.may_act(),
                },
                news: &mut self.news,
            };
            let outcome = times.timed(Phase::Act, || act::act(&plan, hands));
            self.news.acted();
            count(&metrics, &plan, &outcome);
            decide::learn(policy, began, &outcome, &mut memory);
            report.failures.extend(failures(&outcome, policy.once));
            report.outcome = Some(outcome);
        } else {
            self.news.dry_run(&plan);
        }
        self.memory = memory;
        report.plan = Some(plan);
        report
    }

    /// What is missing may only be missing from the list: so there is a second look before anything is made, or an alarm
    /// is raised.
    fn decide_again(
        &mut self,
        sight: &mut Sight,
        times: &PassClock<'_>,
        report: &mut Report,
    ) -> (Plan, Memory) {
        let mark = self.mark.clone().unwrap_or_default();
        let (provider, memory) = (self.cloud.reader(), &self.memory);
        times.timed(Phase::List, || observe::complete(provider, memory, &mark, sight));
        for error in &std::mem::take(&mut sight.faults) {
            self.unseen(report, error);
        }
        decide::decide(&self.config.policy, &sight.observation, &self.memory)
    }

    /// How long the addresses that moved had nobody behind them. One that still answers hands its address over without.
    fn count_downtimes(&mut self, watched: &Watched, began: Duration, report: &Report) {
        if !self.config.policy.manage_addresses {
            return;
        }
        let answered = report.answered.iter().map(|id| (id.clone(), began));
        self.last_answers.extend(answered);
        let (Some(plan), Some(outcome)) = (&report.plan, &report.outcome) else { return };
        for (address, after) in &outcome.moved_after {
            let step = plan.moves.iter().find(|step| step.address == *address);
            let Some(from) = step.and_then(|step| step.from.as_ref()) else { continue };
            let last_answer = self.last_answers.get(from).max(watched.last_answers.get(from));
            if let Some(last_answer) = last_answer.filter(|_| !report.answered.contains(from)) {
                let moved = began.saturating_add(*after);
                self.handles.metrics.downtime(moved.saturating_sub(*last_answer));
            }
        }
        self.last_answers.retain(|id, _| self.memory.replicas.contains_key(id));
    }

    fn unseen(&mut self, report: &mut Report, error: &Error) {
        self.handles.metrics.failure(error.kind);
        // What the end of the program cut short has not failed.
        if !self.handles.stop.requested() {
            self.news.unseen(error);
        }
        report.failures.push(error.text.clone());
    }

    fn pause(&self) -> Option<Pause> {
        let back_off = &self.memory.back_off;
        let left = back_off::left(&self.config.policy, back_off, self.clock.now().elapsed)?;
        let BackOff { step, why, .. } = back_off.clone();
        Some(Pause { left, step, why })
    }
}

fn count(metrics: &Metrics, plan: &Plan, outcome: &Outcome) {
    for step in &outcome.steps {
        if let StepResult::Failed(error) = &step.result {
            metrics.failure(error.kind);
        }
    }
    for deletion in plan.deletions.iter().filter(|step| outcome.deleted.contains(&step.server)) {
        metrics.deleted(deletion.reason);
    }
    outcome.moved.iter().for_each(|_| metrics.moved());
    if let Some(creation) = outcome.creation.as_ref().filter(|creation| creation.result.is_ok()) {
        metrics.created(creation.count);
    }
}

fn interrupted(mut report: Report) -> Report {
    report.failures.push("the program is stopping; nothing was changed".into());
    report
}

/// With `--once` no pass follows, so what was left over counts as not done.
fn failures(outcome: &Outcome, once: bool) -> Vec<String> {
    let failed = |step: &&StepOutcome| match step.result {
        StepResult::Done | StepResult::Dropped(_) => false,
        StepResult::Failed(_) => true,
        StepResult::NotTried(_) => once,
    };
    let count = outcome.steps.iter().filter(failed).count();
    if count == 0 {
        return Vec::new();
    }
    vec![format!("{count} of {} steps of the plan failed", outcome.steps.len())]
}
