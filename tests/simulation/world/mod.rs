//! The world: a project in a cloud, with the VMs of the pool, those of others, and the pool's floating IPs.

pub mod vm;
pub mod weather;

use std::net::{IpAddr, Ipv4Addr};

use simplescalevm::model::{AddressId, ExternalAddress, Server, ServerId};

use crate::clock;
use vm::{Phase, Service, Vm};
use weather::{Fate, Weather};

/// The pool's mark.
pub const MARK: &str = "scaler";

/// The project.
pub struct World {
    pub vms: Vec<Vm>,
    pub addresses: Vec<ExternalAddress>,
    pub weather: Weather,
    /// Resources of a new replica.
    pub capacity: u64,
    numbers: u16,
}

impl World {
    /// A project with two VMs of other people and so many floating IPs of the pool, all unbound.
    pub fn new(capacity: u64, addresses: u8) -> Self {
        let mut world = World {
            vms: Vec::new(),
            addresses: Vec::new(),
            weather: Weather::fair(),
            capacity,
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
            if holder.is_some_and(|holder| self.vms.iter().all(|vm| vm.id != *holder)) {
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
        listed.map(|vm| vm.record(self.floating(&vm.id))).collect()
    }

    /// The record of one server, whatever the list shows.
    pub fn record(&self, id: &ServerId) -> Option<Server> {
        self.vm(id).map(|vm| vm.record(self.floating(id)))
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
    ) {
        let (now, weather, capacity) = (clock::now(), self.weather.clone(), self.capacity);
        let vm = self.add(mark, now);
        vm.batch = batch;
        vm.trial = trial;
        let fails = fails || weather.fate == Fate::Fails;
        let until = (weather.fate != Fate::Sticks).then_some(now + weather.build);
        vm.phase = Phase::Building { until, fails };
        vm.service.free = capacity;
        vm.service.boots_in = (weather.fate != Fate::NeverAnswers).then_some(weather.boot);
        vm.unlisted_until = now + weather.late;
    }

    fn add(&mut self, mark: Option<String>, created: u64) -> &mut Vm {
        self.numbers += 1;
        let [high, low] = self.numbers.to_be_bytes();
        self.vms.push(Vm {
            id: ServerId(format!("vm-{}", self.numbers)),
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
                silent: false,
                lie: None,
                free: 0,
                finished: false,
            },
            unlisted_until: 0,
        });
        let last = self.vms.len() - 1;
        &mut self.vms[last]
    }

    /// All that is wrong is put right; what is an operator's choice stays.
    pub fn heal(&mut self) {
        let now = clock::now();
        self.weather = Weather::fair();
        for vm in &mut self.vms {
            let [high, low] = vm
                .id
                .0
                .get(3..)
                .unwrap_or_default()
                .parse::<u16>()
                .unwrap_or_default()
                .to_be_bytes();
            vm.fixed = vm.fixed.or(Some(IpAddr::V4(Ipv4Addr::new(10, 0, high, low))));
            vm.unlisted_until = 0;
            vm.service.silent = false;
            vm.service.lie = None;
            vm.service.boots_in = Some(60);
            if vm.launched.is_some() {
                vm.service.ready = vm.service.ready.or(Some(now));
            }
            if vm.phase == (Phase::Building { until: None, fails: false }) {
                vm.phase = Phase::Building { until: Some(now + 50), fails: false };
            }
        }
    }
}
