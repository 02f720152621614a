//! A cloud of a few VMs on which passes are run, one after the other, through the program's own `decide`, `act` and
//! `learn`. Everything a pass decided and did can be read back as text.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use crate::act::{self, Hands, Naming};
use crate::clock::Clock;
use crate::decide::tests::pictures::{NETWORK, Vm, building, healthy, ip};
use crate::decide::{Addresses, Observation, batch, decide, learn};
use crate::error::ErrorKind;
use crate::events::News;
use crate::memory::Memory;
use crate::model::{
    AddressId, Answer, ExternalAddress, IpVersion, Launched, Lost, ServerId, Watched,
};
use crate::observe::{Before, early, targets};
use crate::outcome::{Outcome, StepResult};
use crate::plan::{Plan, StepKind};
use crate::probe::{Ask, Target};
use crate::progress::Stop;
use crate::provider::Provider;
use crate::settings::Policy;

/// What the cloud does when it is asked for VMs.
#[derive(Clone, Copy, Debug)]
pub enum Creates {
    /// It makes them all.
    All,
    /// It makes no more than so many, as with a quota.
    AtMost(u64),
    /// It makes them, but says nothing.
    AllUnclear,
    /// It makes them without the pool's mark.
    Unmarked,
    /// It makes them, and drops their metadata.
    Bare,
    /// It makes none, and says so.
    None(ErrorKind),
}

/// What happens behind the program's back.
type Meanwhile = Box<dyn FnOnce(&mut World)>;

/// Who would tell people of a pass.
pub fn news() -> News {
    News::new(Clock::start(), false)
}

/// The cloud, the policy and the memory.
pub struct World {
    pub policy: Policy,
    pub vms: BTreeMap<String, Vm>,
    /// VMs of the project that are not the pool's.
    pub unmarked: BTreeSet<String>,
    /// VMs of the pool that the list leaves out.
    pub unlisted: BTreeSet<String>,
    /// The same for the next lists, one after the other.
    pub next_unlisted: VecDeque<BTreeSet<String>>,
    pub addresses: Vec<ExternalAddress>,
    pub addresses_listed: bool,
    pub network: Option<String>,
    pub clock_told: bool,
    /// Holders of addresses that are servers no more.
    pub gone: BTreeSet<ServerId>,
    pub incomplete: Option<String>,
    pub creates: Creates,
    /// What it makes.
    pub makes: fn(&str) -> Vm,
    /// Pairs of a floating IP and a VM that the cloud does not bind, and how it says so.
    pub bind_fails: BTreeMap<(String, String), ErrorKind>,
    pub delete_fails: BTreeSet<String>,
    /// Seconds that one deletion takes.
    pub delete_takes: u64,
    /// Seconds that one move takes.
    pub bind_takes: u64,
    /// Whether the lease allows a step of this kind, so many steps having been allowed before.
    pub permits: fn(StepKind, u32) -> bool,
    /// What happens in the next pass between the look and the deed.
    pub meanwhile: Option<Meanwhile>,
    /// VMs that cannot be looked at alone.
    pub look_fails: BTreeSet<String>,
    pub spent: Rc<Cell<u64>>,
    pub memory: Memory,
    /// What the watch tells the next pass.
    pub watched: Watched,
    pub elapsed: u64,
    pub plan: Plan,
    pub outcome: Outcome,
    pub made: u64,
}

/// A world in which nothing is missing unless a test says so.
pub fn world(vms: impl IntoIterator<Item = Vm>) -> World {
    let mut world = World {
        policy: Policy {
            capacity: 1,
            minimum: 0,
            max: None,
            boot_grace: Duration::from_secs(600),
            launch_timeout: Duration::from_secs(900),
            replace_silent_after: None,
            delete_stopped: false,
            manage_addresses: false,
            ip_version: IpVersion::V4,
            interval: Duration::from_secs(60),
            once: false,
        },
        vms: BTreeMap::new(),
        unmarked: BTreeSet::new(),
        unlisted: BTreeSet::new(),
        next_unlisted: VecDeque::new(),
        addresses: Vec::new(),
        addresses_listed: true,
        network: Some(NETWORK.into()),
        clock_told: true,
        gone: BTreeSet::new(),
        incomplete: None,
        creates: Creates::All,
        makes: building,
        bind_fails: BTreeMap::new(),
        delete_fails: BTreeSet::new(),
        delete_takes: 0,
        bind_takes: 0,
        permits: |_, _| true,
        meanwhile: None,
        look_fails: BTreeSet::new(),
        spent: Rc::default(),
        memory: Memory::new("me"),
        watched: Watched::default(),
        elapsed: 0,
        plan: Plan::default(),
        outcome: Outcome::default(),
        made: 0,
    };
    world.put(vms);
    world
}

impl World {
    /// The same world with another policy.
    pub fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    /// The same world with these floating IPs, `""` standing for no holder.
    pub fn with_addresses(mut self, addresses: &[(&str, &str)]) -> Self {
        self.policy.manage_addresses = true;
        for (address, holder) in addresses {
            self.addresses.push(ExternalAddress {
                id: AddressId(format!("fip-{address}")),
                address: ip(address),
                holder: (!holder.is_empty()).then(|| ServerId::new(*holder)),
                on_server_port: true,
            });
        }
        self
    }

    /// Adds VMs, or puts them in the place of those with their ids.
    pub fn put(&mut self, vms: impl IntoIterator<Item = Vm>) -> &mut Self {
        for vm in vms {
            self.vms.insert(vm.server.id.to_string(), vm);
        }
        self
    }

    /// Takes VMs away, as an operator does.
    pub fn take(&mut self, ids: &[&str]) -> &mut Self {
        for id in ids {
            self.vms.remove(*id);
        }
        self
    }

    /// Lets VMs answer from now on, whatever they were; keeps their batch and age.
    pub fn boot(&mut self, ids: &[&str], capacity: u64) -> &mut Self {
        for id in ids {
            let vm = self.vms.get_mut(*id).unwrap();
            let model = healthy(id, capacity);
            vm.answer = model.answer;
            vm.server.condition = model.server.condition;
            vm.server.words = model.server.words;
            vm.server.fixed = model.server.fixed;
            vm.server.launched = Launched::At(vm.server.launched.at().unwrap_or(vm.server.created));
        }
        self
    }

    /// Lets the builds of VMs fail.
    pub fn fail(&mut self, ids: &[&str]) -> &mut Self {
        for id in ids {
            let vm = self.vms.get_mut(*id).unwrap();
            *vm = vm.clone().in_error();
        }
        self
    }

    /// Another process takes over.
    pub fn restart(&mut self) -> &mut Self {
        self.memory = Memory::new("me2");
        self
    }

    /// Seconds go by without a pass.
    pub fn later(&mut self, seconds: u64) -> &mut Self {
        self.elapsed += seconds;
        self
    }

    pub fn observe(&mut self) -> Observation {
        let listing = self.servers().unwrap();
        let mut seen = Observation {
            elapsed: Duration::from_secs(self.elapsed),
            early: self.watched.is_early(),
            now: listing.now.unwrap(),
            clock_told: self.clock_told,
            incomplete: self.incomplete.clone(),
            servers: listing.servers.into_iter().filter(|server| server.mark.is_some()).collect(),
            answers: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
            network: self.network.clone(),
            addresses: match (self.policy.manage_addresses, self.addresses_listed) {
                (false, _) => Addresses::NotManaged,
                (true, false) => Addresses::Unknown,
                (true, true) => Addresses::Known(self.addresses.clone()),
            },
            gone: self.gone.clone(),
            lookups: BTreeMap::new(),
        };
        for (mark, first) in batch::to_look_up(&self.memory, &seen.servers) {
            let server = self.server(&first).unwrap();
            seen.lookups.insert(mark, batch::lookup(server.as_ref(), "scaler"));
        }
        let targets = targets(&self.policy, &self.memory, &seen);
        if self.watched.is_early() {
            let before = Before { memory: &self.memory, watched: &self.watched };
            early::ask(&self.answers(), &targets, before, &mut seen);
        } else {
            seen.answers = self.answers().ask_all(&targets, &|| true);
        }
        seen
    }

    /// One pass, and a minute goes by.
    pub fn pass(&mut self) -> &mut Self {
        let seen = self.observe();
        let (plan, mut memory) = decide(&self.policy, &seen, &self.memory);
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile(self);
        }
        let outcome = self.act(&plan, 0, &Stop::new());
        learn(&self.policy, seen.elapsed, &outcome, &mut memory);
        self.memory = memory;
        self.plan = plan;
        self.outcome = outcome;
        self.elapsed += 60;
        self
    }

    /// A pass that the watch begins so many seconds after the last one, for it has lost these; the next one comes at its time.
    pub fn early_pass(&mut self, seconds: u64, lost: &[&str]) -> &mut Self {
        let cadence = self.elapsed;
        self.elapsed = cadence - 60 + seconds;
        self.watched.lost = lost.iter().map(|id| (ServerId::new(*id), self.lost(id))).collect();
        self.pass();
        self.watched.lost.clear();
        self.elapsed = cadence;
        self
    }

    fn lost(&self, id: &str) -> Lost {
        let vm = &self.vms[id];
        let (name, address) = (vm.server.name.to_string(), vm.server.fixed[0].address);
        let (why, within) = ("connection refused".to_owned(), Duration::from_secs(3));
        Lost { name, address, why, times: 3, within }
    }

    /// Carries out a plan, so many seconds after its pass began.
    pub fn act(&mut self, plan: &Plan, began: u64, stop: &Stop) -> Outcome {
        self.spent.set(began);
        let (spent, interval) = (Rc::clone(&self.spent), self.policy.interval);
        let spent = move || Duration::from_secs(spent.get());
        let prober = self.answers();
        let (permits, asked) = (self.permits, Cell::new(0));
        let permit = move |kind| {
            let before = asked.replace(asked.get() + 1);
            if permits(kind, before) { Ok(()) } else { Err("the lease is over".to_owned()) }
        };
        let hands = Hands {
            provider: self,
            prober: &prober,
            naming: Naming { prefix: "vm", mark: ("group", "scaler") },
            interval,
            spent: &spent,
            stop,
            permit: &permit,
            news: &mut news(),
        };
        act::act(plan, hands)
    }

    /// Who asks the VMs as they are now.
    pub fn answers(&self) -> Answers {
        Answers(self.vms.iter().map(|(id, vm)| (id.clone(), vm.answer.clone())).collect())
    }

    /// What became of the last pass's steps, one line each: `delete a: done`.
    pub fn results(&self) -> Vec<String> {
        let one = |step: &crate::outcome::StepOutcome| {
            let what = step.step.split_once(" (").map_or(step.step.as_str(), |(what, _)| what);
            match &step.result {
                StepResult::Done => format!("{what}: done"),
                StepResult::Failed(error) => format!("{what}: failed: {error}"),
                StepResult::NotTried(why) => format!("{what}: not tried: {why}"),
                StepResult::Dropped(why) => format!("{what}: dropped: {why}"),
            }
        };
        self.outcome.steps.iter().map(one).collect()
    }

    /// So many passes.
    pub fn passes(&mut self, count: usize) -> &mut Self {
        for _ in 0..count {
            self.pass();
        }
        self
    }

    /// The ids of those that were made as trials.
    pub fn trials(&self) -> Vec<&str> {
        let trials = self.vms.values().filter(|vm| vm.server.trial);
        trials.map(|vm| vm.server.id.as_str()).collect()
    }
}

/// What VMs say, whenever they are asked.
pub struct Answers(BTreeMap<String, Answer>);

impl Ask for Answers {
    fn ask_all(&self, targets: &[Target], _: &dyn Fn() -> bool) -> BTreeMap<ServerId, Answer> {
        let answer =
            |target: &Target| Some((target.id.clone(), self.0.get(target.id.as_str())?.clone()));
        targets.iter().filter_map(answer).collect()
    }
}
