//! The program in its world: one process after the other, pass by pass, in virtual time.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use simplescalevm::config;
use simplescalevm::error::one_line;
use simplescalevm::handles::Handles;
use simplescalevm::model::{ServerId, Watched};
use simplescalevm::pass::{Cloud as PassCloud, Pool, Report};
use simplescalevm::progress::Stop;
use simplescalevm::settings::{Config, Policy};

use crate::clock;
use crate::cloud::Cloud;
use crate::judge::{Judge, Rule};
use crate::prober::Prober;
use crate::reach::Reach;
use crate::universe::{Killed, Shared, Universe};
use crate::watch::{self, Watch, Whom};
use crate::world::{MARK, World};

/// Seconds from the start of one pass to that of the next.
pub const INTERVAL: u64 = 60;

/// Seconds until a supervisor has started the program again.
const RESTART: u64 = 5;

/// A world, the program in it, and when its next pass is due.
pub struct Stage {
    pub universe: Shared,
    /// Passes that were begun.
    pub passes: u64,
    config: Config,
    process: Option<Pool>,
    /// The process's watch, where addresses are managed.
    watch: Option<Watch>,
    processes: u64,
    /// When the next pass begins.
    slot: u64,
}

impl Stage {
    /// A world that has just begun, with so many running replicas and floating IPs. `tell` keeps the story, which takes
    /// time.
    pub fn new(policy: Policy, replicas: u8, addresses: u8, tell: bool) -> Self {
        clock::begin();
        let mut world = World::new(policy.capacity, addresses);
        for _ in 0..replicas {
            world.add_running(Some(MARK.to_owned()));
        }
        let universe = Rc::new(RefCell::new(Universe {
            world,
            judge: Judge::new(policy.clone()),
            end: None,
            meanwhile: None,
            watched: Watched::default(),
            stop: Stop::new(),
            reach: Reach::default(),
            requests: 0,
            lists: 0,
            story: tell.then(Vec::new),
        }));
        let mut config = settings(&[], policy.once);
        config.policy = policy;
        let slot = clock::now();
        Stage { universe, passes: 0, config, process: None, watch: None, processes: 0, slot }
    }

    /// `EXTERNAL_ADDRESS_WATCH`, in seconds; `None`: 0.
    pub fn watch_every(&mut self, seconds: Option<u8>) {
        self.config.watch = seconds.map(|seconds| Duration::from_secs(seconds.into()));
    }

    pub fn policy(&self) -> &Policy {
        &self.config.policy
    }

    pub fn is_broken(&self) -> bool {
        !self.universe.borrow().judge.broken.is_empty()
    }

    /// The program is gone; the next pass is another process's first.
    pub fn restart(&mut self) {
        self.process = None;
        self.watch = None;
    }

    /// No pass for so many seconds.
    pub fn pause(&mut self, seconds: u64) {
        self.slot += seconds;
    }

    /// One pass that begins so many seconds from now; the cadence of the others stays what it is.
    pub fn early_pass(&mut self, seconds: u64) -> Option<Report> {
        self.early(seconds, Stage::pass)
    }

    /// The same, begun by a watch that says anything, for the `turn`th time. The passes that are due before it come before it.
    pub fn pass_of_a_watch(&mut self, seconds: u64, whom: Whom, turn: u8) -> Option<Report> {
        let at = clock::now() + seconds;
        while self.slot <= at && !self.is_broken() {
            self.pass();
        }
        self.early(at.saturating_sub(clock::now()), |stage| {
            stage.wait();
            let mut watched = Watched::default();
            {
                let universe = &mut *stage.universe.borrow_mut();
                universe.world.settle();
                // A process that has seen no pool has no watch.
                if stage.process.is_some() && universe.judge.witness.lists > 0 {
                    watched = watch::anything(&universe.world, whom, turn);
                    universe.reach.met("early pass, anything");
                }
            }
            stage.pass_now(&watched)
        })
    }

    fn early(
        &mut self,
        seconds: u64,
        pass: impl FnOnce(&mut Stage) -> Option<Report>,
    ) -> Option<Report> {
        let cadence = self.slot;
        self.slot = clock::now() + seconds;
        let report = pass(self);
        // A process that did not live through it is started again at its time.
        if report.is_some() {
            self.slot = cadence.max(clock::now());
        }
        report
    }

    /// One pass at its time; `None` when the program did not live to its end.
    pub fn pass(&mut self) -> Option<Report> {
        self.wait();
        let watched = self.watch.as_ref().map(Watch::tell).unwrap_or_default();
        self.pass_now(&watched)
    }

    /// It is time for the next pass; until then the watch asks, and may begin others.
    fn wait(&mut self) {
        while let Some(watched) = self.watch_until_slot() {
            self.universe.borrow_mut().reach.met("early pass");
            self.early(0, |stage| stage.pass_now(&watched));
        }
        clock::advance_to(self.slot);
    }

    /// What the watch found out, if it begins a pass before the next one's time.
    fn watch_until_slot(&mut self) -> Option<Watched> {
        loop {
            let watch = self.watch.as_mut()?;
            let next = watch.next()?.max(clock::now());
            let universe = &mut *self.universe.borrow_mut();
            if next >= self.slot || !universe.judge.broken.is_empty() {
                return None;
            }
            clock::advance_to(next);
            universe.world.settle();
            match watch.look(&universe.world) {
                Err(what) => universe.judge.breaks(Rule::FewRequests, what),
                Ok(watched) if watched.is_early() => return Some(watched),
                Ok(_) => {}
            }
        }
    }

    fn pass_now(&mut self, watched: &Watched) -> Option<Report> {
        self.passes += 1;
        let began = clock::now();
        let mut process = match self.process.take() {
            Some(process) => process,
            None => self.start(),
        };
        {
            let universe = &mut *self.universe.borrow_mut();
            universe.world.settle();
            universe.requests = 0;
            universe.judge.pass_begins();
            universe.watched = watched.clone();
        }
        let result = catch_unwind(AssertUnwindSafe(|| process.pass(watched)));
        let mut watch = self.watch.take();
        let universe = &mut *self.universe.borrow_mut();
        let asked_to_end = universe.end.take().is_some();
        universe.meanwhile = None;
        self.slot = (self.slot + INTERVAL).max(clock::now());
        match result {
            Ok(report) => {
                universe.reach.pass(&report);
                if watched.is_early() {
                    universe.reach.early_pass(&report);
                }
                universe.tell_pass(|| told(watched, &report));
                if asked_to_end {
                    self.slot = self.slot.max(clock::now() + RESTART);
                } else {
                    universe.judge.pass_ends();
                    // With `--once` a timer starts the next one at its time.
                    self.process = Some(process).filter(|_| !self.config.policy.once);
                    if let Some(watch) = &mut watch {
                        watch.pass_ended(&report, began);
                    }
                    self.watch = watch;
                }
                Some(report)
            }
            Err(panic) if panic.is::<Killed>() => {
                self.slot = clock::now() + RESTART;
                None
            }
            Err(panic) => {
                let what = one_line(&text(panic.as_ref()), 200);
                universe.judge.breaks(Rule::NoPanic, what);
                None
            }
        }
    }

    fn start(&mut self) -> Pool {
        self.processes += 1;
        let policy = &self.config.policy;
        let interval = self.config.watch.filter(|_| policy.manage_addresses && !policy.once);
        self.watch = interval.map(Watch::new);
        let handles = Handles::new();
        {
            let universe = &mut *self.universe.borrow_mut();
            universe.stop = handles.stop.clone();
            universe.lists = 0;
            universe.judge.process_begins();
            let number = self.processes;
            universe.tell(|| format!("  process {number} starts"));
        }
        let cloud = PassCloud::ReadWrite(Box::new(Cloud(Rc::clone(&self.universe))));
        let (universe, settings) = (Rc::clone(&self.universe), self.config.probe.clone());
        let prober = Box::new(Prober { universe, settings });
        let instance = format!("process{}", self.processes);
        let clock = clock::of_the_program();
        Pool::new(self.config.clone(), cloud, prober, &instance, clock, handles)
    }
}

/// The program's own settings, with these set and every other at its default.
pub fn settings(set: &[(&str, &str)], once: bool) -> Config {
    let always = [
        ("PROVIDER", "simulated"),
        ("OPENSTACK_METADATA_KEY", "group"),
        ("OPENSTACK_METADATA_VALUE", MARK),
        ("REPLICA_CAPACITY", "3"),
        ("REPLICA_MIN_AVAILABLE_RESOURCES", "9"),
        ("EXTERNAL_ADDRESS_MANAGEMENT", "false"),
    ];
    let all = always.iter().chain(set);
    let environment: BTreeMap<String, String> =
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let no_file = |_: &std::path::Path| Err(std::io::Error::other("no files here"));
    config::load(&environment, &no_file, once).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn told(watched: &Watched, report: &Report) -> String {
    let mut lines = Vec::new();
    if watched.is_early() {
        let ids = |ids: &mut dyn Iterator<Item = &ServerId>| {
            ids.map(ServerId::as_str).collect::<Vec<_>>().join(", ")
        };
        let (lost, pending) = (ids(&mut watched.lost.keys()), ids(&mut watched.pending.iter()));
        lines.push(format!("    early: lost {lost}; pending {pending}"));
    }
    if let Some(plan) = &report.plan {
        let states =
            plan.replicas.iter().map(|one| format!("{} {} {}", one.id, one.state, one.free));
        lines.push(format!("    {}", states.collect::<Vec<_>>().join(", ")));
        lines.extend(plan.to_string().lines().map(|step| format!("    {step}")));
        lines.extend(plan.held_back.iter().map(|held| format!("    held back: {}", held.why)));
        lines.extend(plan.brakes.iter().map(|brake| format!("    {brake}")));
    }
    lines.extend(report.failures.iter().map(|failure| format!("    failed: {failure}")));
    lines.join("\n")
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
