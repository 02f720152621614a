//! One history: the program runs through it, one process after the other, and then has to come to rest.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use simplescalevm::error::one_line;
use simplescalevm::handles::Handles;
use simplescalevm::pass::{Cloud as PassCloud, Pool, Report};
use simplescalevm::progress::Stop;
use simplescalevm::settings::{
    Config, Mark, Policy, ProbeSettings, ProviderSettings, StatusSettings,
};

use crate::clock;
use crate::cloud::Cloud;
use crate::history::{Event, History, apply};
use crate::judge::{Judge, Rule};
use crate::prober::Prober;
use crate::reach::Reach;
use crate::universe::{Killed, Shared, Universe};
use crate::world::vm::{Phase, Vm};
use crate::world::{MARK, World};

/// Seconds from the start of one pass to that of the next.
const INTERVAL: u64 = 60;

/// Seconds until a supervisor has started the program again.
const RESTART: u64 = 5;

/// Once faults end, the pool is as wanted within so many passes: 30 for the longest pause, 10 for a deletion that got
/// stuck or a pair that was refused, and 20 for batches that double from one, for builds and for brakes.
pub const SETTLED_WITHIN: usize = 60;

/// So many passes in a row with nothing to do are rest.
pub const REST: usize = 6;

/// What came of a history.
pub struct End {
    /// Passes that were begun.
    pub passes: u64,
    /// Passes from the end of the faults to rest.
    pub settled_after: usize,
    /// What was broken, in words.
    pub broken: Vec<String>,
    pub story: Vec<String>,
    pub reach: Reach,
}

/// Goes through a history. `tell` keeps the story, which takes time.
pub fn run(history: &History, tell: bool) -> End {
    clock::begin();
    let policy = history.settings.policy();
    let mut world = World::new(policy.capacity, history.settings.addresses.unwrap_or(0));
    for _ in 0..history.settings.replicas {
        world.add_running(Some(MARK.to_owned()));
    }
    let universe = Rc::new(RefCell::new(Universe {
        world,
        judge: Judge::new(policy.clone()),
        end: None,
        stop: Stop::new(),
        reach: Reach::default(),
        requests: 0,
        story: tell.then(Vec::new),
    }));
    let mut run = Run {
        config: config(policy),
        universe,
        process: None,
        processes: 0,
        slot: clock::now(),
        passes: 0,
        settled_after: 0,
    };
    for event in &history.events {
        run.event(*event);
        if run.is_broken() {
            return run.end();
        }
    }
    run.come_to_rest();
    run.end()
}

struct Run {
    config: Config,
    universe: Shared,
    process: Option<Pool>,
    processes: u64,
    /// When the next pass begins.
    slot: u64,
    passes: u64,
    settled_after: usize,
}

impl Run {
    fn event(&mut self, event: Event) {
        self.universe.borrow_mut().tell(|| format!("{event:?}"));
        match event {
            Event::Passes(count) => {
                for _ in 0..count {
                    self.pass();
                    if self.is_broken() {
                        return;
                    }
                }
            }
            Event::Restart => self.process = None,
            Event::Pause { minutes } => self.slot += 60 * u64::from(minutes),
            other => apply(&mut self.universe.borrow_mut(), other),
        }
    }

    fn is_broken(&self) -> bool {
        !self.universe.borrow().judge.broken.is_empty()
    }

    /// One pass at its time; `None` when the program did not live to its end.
    fn pass(&mut self) -> Option<Report> {
        self.passes += 1;
        clock::advance_to(self.slot);
        let mut process = match self.process.take() {
            Some(process) => process,
            None => self.start(),
        };
        {
            let universe = &mut *self.universe.borrow_mut();
            universe.world.settle();
            universe.requests = 0;
            universe.judge.pass_begins();
        }
        let result = catch_unwind(AssertUnwindSafe(|| process.pass()));
        let universe = &mut *self.universe.borrow_mut();
        let ends = universe.end.take().is_some() || self.config.policy.once;
        self.slot = (self.slot + INTERVAL).max(clock::now());
        match result {
            Ok(report) => {
                universe.reach.pass(&report);
                universe.tell(|| tell(&report));
                if ends {
                    self.slot = self.slot.max(clock::now() + RESTART);
                } else {
                    self.process = Some(process);
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
        let handles = Handles::new();
        {
            let universe = &mut *self.universe.borrow_mut();
            universe.stop = handles.stop.clone();
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

    /// Faults end: the pool has to get where it should be, and stay there.
    fn come_to_rest(&mut self) {
        self.universe.borrow_mut().tell(|| "faults end".to_owned());
        self.universe.borrow_mut().world.settle();
        self.universe.borrow_mut().world.heal();
        self.universe.borrow_mut().end = None;
        let (mut rest, mut wanting) = (0, String::new());
        for pass in 0..SETTLED_WITHIN + REST {
            let Some(report) = self.pass() else { return };
            if self.is_broken() {
                return;
            }
            match self.wanting(&report) {
                None => rest += 1,
                Some(what) => {
                    (rest, wanting) = (0, what);
                    self.settled_after = pass + 1;
                }
            }
            if rest == REST {
                return;
            }
        }
        let what = format!("{SETTLED_WITHIN} passes after the faults: {wanting}");
        self.universe.borrow_mut().judge.breaks(Rule::Settles, what);
    }

    /// What is not yet as it should be.
    fn wanting(&self, report: &Report) -> Option<String> {
        let universe = self.universe.borrow();
        let plan = report.plan.as_ref()?;
        if !plan.is_empty() {
            return Some(format!(
                "there is still something to do: {}",
                one_line(&plan.to_string(), 200)
            ));
        }
        let world = &universe.world;
        let broken = |vm: &Vm| match vm.phase {
            Phase::Deleting { .. } => true,
            Phase::Error => vm.launched.is_none(),
            _ => vm.service.finished && vm.body().is_some(),
        };
        if let Some(vm) = world.pool().find(|vm| !vm.locked && broken(vm)) {
            return Some(format!("{} is still there", vm.id));
        }
        let free = world.pool().map(Vm::free).fold(0, u64::saturating_add);
        let wanted = self.config.policy.minimum;
        if free < wanted && universe.judge.room() > 0 {
            return Some(format!("{free} resources are free, and {wanted} are wanted"));
        }
        if !self.config.policy.manage_addresses {
            return None;
        }
        let holds = |id| world.addresses.iter().any(|one| one.holder.as_ref() == Some(id));
        let spare =
            world.pool().find(|vm| vm.is_healthy() && vm.foreign.is_none() && !holds(&vm.id))?;
        let lost = world.addresses.iter().find(|one| match &one.holder {
            None => true,
            Some(holder) => world.pool().any(|vm| vm.id == *holder && !vm.is_healthy()),
        })?;
        Some(format!("{} serves nobody, and {} could have it", lost.address, spare.id))
    }

    fn end(self) -> End {
        let universe = &mut *self.universe.borrow_mut();
        End {
            passes: self.passes,
            settled_after: self.settled_after,
            broken: std::mem::take(&mut universe.judge.broken),
            story: universe.story.take().unwrap_or_default(),
            reach: std::mem::take(&mut universe.reach),
        }
    }
}

fn tell(report: &Report) -> String {
    let mut lines = vec![format!("  pass at second {}", clock::now())];
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

fn config(policy: Policy) -> Config {
    Config {
        interval: policy.interval,
        status: StatusSettings { host: String::new(), port: 0, full: true },
        policy,
        probe: ProbeSettings {
            https: false,
            port: 8080,
            path: "/".into(),
            capacity_key: "capacity".into(),
            termination_key: "termination".into(),
            timeout: std::time::Duration::from_secs(5),
            retries: 2,
            concurrency: 1,
            cacert: None,
            insecure: false,
        },
        mark: Mark { key: "group".into(), value: Some(MARK.into()) },
        name: "server".into(),
        provider: ProviderSettings::Simulated,
        warnings: Vec::new(),
    }
}
