//! The world: a project in a cloud, with the VMs of the pool, those of others, and the pool's floating IPs.

pub mod vm;
pub mod weather;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use simplescalevm::model::{AddressId, ExternalAddress, Launched, Server, ServerId};

use crate::clock;
use vm::{Phase, Service, Vm};
use weather::{Fate, Weather};

/// The pool's mark.
pub const MARK: &str = "scaler";

/// The project.
pub struct World {
    pub vms: Vec<Vm>,
    pub addresses: Vec<ExternalAddress>,
    /// Those on a port that outlived its server.
    pub orphans: BTreeSet<AddressId>,
    pub weather: Weather,
    /// Resources of a new replica.
    pub capacity: u64,
    /// VMs that the program ever made.
    pub made: u64,
    numbers: u16,
}

impl World {
    /// A project with two VMs of other people and so many floating IPs of the pool, all unbound.
    pub fn new(capacity: u64, addresses: u8) -> Self {
        let mut world = World {
            vms: Vec::new(),
            addresses: Vec::new(),
            orphans: BTreeSet::new(),
            weather: Weather::fair(),
            capacity,
            made: 0,
            numbers: 0,
        };
        for mark in [None, Some("database".to_owned())] {
            let vm = world.add_running(mark);
            // As tempting as can be.
            vm.service.finished = true;
        }
        for number in 1..=addresses {
            world.addresses.push(ExternalAddress {
                id: AddressId(format!("fip-{number}")),
                address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, number)),
                holder: None,
                on_server_port: true,
            });
        }
        world
    }

    /// Time has gone by: what was under way is done.
    pub fn settle(&mut self) {
        let now = clock::now();
        self.vms.retain_mut(|vm| vm.settle(now));
        if self.weather.frozen.as_ref().is_some_and(|(until, _)| *until <= now) {
            self.weather.frozen = None;
        }
        for address in &mut self.addresses {
            let holder = address.holder.as_ref();
            let is_gone = holder.is_some_and(|holder| self.vms.iter().all(|vm| vm.id != *holder));
            if is_gone && self.weather.ports_outlive {
                self.orphans.insert(address.id.clone());
            }
            if is_gone && !self.orphans.contains(&address.id) {
                address.holder = None;
            }
        }
    }

    pub fn vm(&self, id: &ServerId) -> Option<&Vm> {
        self.vms.iter().find(|vm| vm.id == *id)
    }

    pub fn vm_mut(&mut self, id: &ServerId) -> Option<&mut Vm> {
        self.vms.iter_mut().find(|vm| vm.id == *id)
    }

    /// The pool's VMs, as they are.
    pub fn pool(&self) -> impl Iterator<Item = &Vm> {
        self.vms.iter().filter(|vm| vm.mark.as_deref() == Some(MARK))
    }

    /// The project's list as it should be now.
    pub fn records(&self) -> Vec<Server> {
        let now = clock::now();
        let listed = self.vms.iter().filter(|vm| vm.unlisted_until <= now);
        let mut records: Vec<Server> = listed.map(|vm| self.as_told(vm)).collect();
        self.shorten(&mut records);
        records
    }

    /// While the cloud looks for hosts, a list longer than its page limit lacks some: the oldest here, and never all
    /// that tell of it.
    fn shorten(&self, records: &mut Vec<Server>) {
        let limit = self.weather.page_limit.and_then(|limit| usize::try_from(limit).ok());
        let Some(limit) = limit else { return };
        if records.iter().any(|server| server.scheduling) && records.len() > limit {
            let too_many = records.len() - limit.max(1);
            records.drain(..too_many);
        }
    }

    /// The record of one server, whatever the list shows.
    pub fn record(&self, id: &ServerId) -> Option<Server> {
        self.vm(id).map(|vm| self.as_told(vm))
    }

    fn as_told(&self, vm: &Vm) -> Server {
        let mut record = vm.record(self.floating(&vm.id));
        if self.weather.hides_launches {
            record.launched = Launched::NotTold;
        }
        record
    }

    fn floating<'a>(&'a self, id: &'a ServerId) -> impl Iterator<Item = IpAddr> + 'a {
        let held = self.addresses.iter().filter(move |one| one.holder.as_ref() == Some(id));
        held.map(|one| one.address)
    }

    /// A VM that has run for an hour and answers.
    pub fn add_running(&mut self, mark: Option<String>) -> &mut Vm {
        let capacity = self.capacity;
        let created = clock::now() - 3600;
        let vm = self.add(mark, created);
        vm.phase = Phase::Active;
        vm.launched = Some(created);
        vm.service.ready = Some(created);
        vm.service.free = capacity;
        vm
    }

    /// A VM that is built as the weather is.
    pub fn add_built(
        &mut self,
        mark: Option<String>,
        batch: Option<String>,
        trial: bool,
        fails: bool,
    ) -> &mut Vm {
        let (now, weather, capacity) = (clock::now(), self.weather.clone(), self.capacity);
        let number = self.numbers;
        let vm = self.add(mark.filter(|_| !weather.drops_marks), now);
        vm.batch = batch.filter(|_| !weather.drops_marks);
        vm.trial = trial && !weather.drops_marks;
        let fails = fails || weather.fate == Fate::Fails;
        let until = (weather.fate != Fate::Sticks).then_some(now + weather.build);
        vm.phase = Phase::Building { until, fails };
        vm.service.free = capacity;
        vm.service.boots_in = (weather.fate != Fate::NeverAnswers).then_some(weather.boot);
        match weather.fate {
            Fate::Dies(from, to) => vm.service.lasts = Some(between(number, from, to)),
            Fate::AnswersOnly(times) => vm.service.answers_left = Some(times),
            Fate::PowersOff(after) => vm.service.off_after = Some(after.into()),
            Fate::Good | Fate::Fails | Fate::Sticks | Fate::NeverAnswers => {}
        }
        vm.unlisted_until = now + weather.late;
        vm.scheduled_at = now + weather.schedules;
        vm.ours = true;
        self.made += 1;
        let last = self.vms.len() - 1;
        &mut self.vms[last]
    }

    fn add(&mut self, mark: Option<String>, created: u64) -> &mut Vm {
        self.numbers += 1;
        let [high, low] = self.numbers.to_be_bytes();
        self.vms.push(Vm {
            id: ServerId::new(format!("vm-{}", self.numbers)),
            name: format!("vm-{}", self.numbers),
            mark,
            batch: None,
            trial: false,
            phase: Phase::Building { until: None, fails: false },
            locked: false,
            created,
            updated: created,
            launched: None,
            fixed: Some(IpAddr::V4(Ipv4Addr::new(10, 0, high, low))),
            foreign: None,
            service: Service {
                boots_in: None,
                ready: None,
                lasts: None,
                answers_left: None,
                off_after: None,
                silent: false,
                lie: None,
                free: 0,
                finished: false,
            },
            unlisted_until: 0,
            scheduled_at: 0,
            ours: false,
        });
        let last = self.vms.len() - 1;
        &mut self.vms[last]
    }

    /// The cloud and the networks are well again. The dead stay dead, the stopped stopped, and what an operator chose
    /// stays as it is. What was made without marks and could not be deleted again the operator has deleted, as the error
    /// says.
    pub fn heal(&mut self) {
        self.weather = Weather::fair();
        self.vms.retain(|vm| !vm.ours || vm.mark.is_some());
        for vm in &mut self.vms {
            vm.unlisted_until = 0;
        }
    }
}

/// A number from `from` to `to`, another one for each VM.
fn between(number: u16, from: u16, to: u16) -> u64 {
    let (from, to) = (u64::from(from), u64::from(to.max(from)));
    from + (u64::from(number) * 7919 + 104_729) * 2_654_435_761 % 1_000_003 % (to - from + 1)
}
