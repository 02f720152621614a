//! A cloud in memory, and what its callers do in it; what it does by itself is in the modules that know it (`life`, `load`,
//! `time`). Pure: its clock is the time it is told, its chance is seeded, and it opens no socket.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    AddressId, BATCH_KEY, Condition, ExternalAddress, FixedAddress, Launched, Listing, Server,
    ServerId, TRIAL_KEY,
};
use crate::provider::Creation;
use crate::provider::simulated::random::Random;
use crate::provider::simulated::rules::Rules;
use crate::provider::simulated::vm::{Duty, Stage, Status, Vm, counted};

/// Most servers of the simulated project.
pub const QUOTA: usize = 40;

/// The one network's name.
pub const NETWORK: &str = "simulated";

/// The pool's external addresses: from the block for documentation (RFC 5737), since nothing is ever sent to them.
const EXTERNAL: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 11), Ipv4Addr::new(192, 0, 2, 12)];

const BUILD_TIME: Duration = Duration::from_secs(4);
const DELETE_TIME: Duration = Duration::from_secs(2);

/// The VM whose build fails first, so that a short trial sees it; later builds fail by chance.
const FIRST_FAILURE: u64 = 4;
const ONE_BUILD_FAILS_IN: u64 = 12;

/// The first VM has done its share after so many fillings, so that a short trial sees it; later ones work longer.
const FIRST_SHARE: u64 = 2;
const SHARE: (u64, u64) = (12, 24);

/// When the first service dies: within the first minute, and when there is another replica to take its address.
const FIRST_DEATH: Duration = Duration::from_secs(43);

/// The cloud.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) rules: Rules,
    pub(super) random: Random,
    pub(super) now: Duration,
    /// By number, and so by age.
    pub(super) vms: BTreeMap<u64, Vm>,
    pub(super) addresses: Vec<ExternalAddress>,
    pub(super) next_death: Duration,
    pub(super) turned_away: bool,
    story: Vec<String>,
    made: u64,
    epoch: SystemTime,
}

impl World {
    /// An empty cloud whose clock shows `epoch` when its own time is 0.
    pub fn new(rules: Rules, epoch: SystemTime) -> Self {
        let addresses = EXTERNAL.iter().zip(1..).map(|(address, number)| ExternalAddress {
            id: AddressId(format!("address-{number}")),
            address: IpAddr::V4(*address),
            holder: None,
            on_server_port: true,
        });
        World {
            rules,
            random: Random::new(1),
            now: Duration::ZERO,
            vms: BTreeMap::new(),
            addresses: addresses.collect(),
            next_death: FIRST_DEATH,
            turned_away: false,
            story: Vec::new(),
            made: 0,
            epoch,
        }
    }

    /// What happened since this was last asked, a line each.
    pub fn take_story(&mut self) -> Vec<String> {
        std::mem::take(&mut self.story)
    }

    pub(super) fn tell(&mut self, line: String) {
        self.story.push(line);
    }

    /// All servers, as Nova would list them.
    pub fn listing(&self) -> Listing {
        Listing {
            servers: self.vms.values().map(|vm| self.record(vm)).collect(),
            now: Some(self.epoch + self.now),
        }
    }

    fn record(&self, vm: &Vm) -> Server {
        let (condition, words) = vm.condition();
        // Nova shows addresses only once a build has ended.
        let fixed = match condition {
            Condition::Active { .. } => {
                vec![FixedAddress { network: NETWORK.into(), address: IpAddr::V4(vm.address) }]
            }
            _ => Vec::new(),
        };
        let held = self.addresses.iter().filter(|address| address.holder.as_ref() == Some(&vm.id));
        Server {
            id: vm.id.clone(),
            name: vm.name.as_str().into(),
            mark: vm.metadata(&self.rules.mark_key).map(Arc::from),
            batch: vm.metadata(BATCH_KEY).map(Arc::from),
            trial: vm.metadata(TRIAL_KEY).is_some(),
            scheduling: false,
            condition,
            words: words.into(),
            locked: false,
            created: self.epoch + vm.created,
            updated: Some(self.epoch + vm.updated),
            launched: vm
                .launched
                .map_or(Launched::Never, |launched| Launched::At(self.epoch + launched)),
            fixed,
            floating: held.map(|address| address.address).collect(),
        }
    }

    /// The pool's external addresses.
    pub fn external_addresses(&self) -> Vec<ExternalAddress> {
        self.addresses.clone()
    }

    /// The server with this id, if there is one.
    pub fn server(&self, id: &ServerId) -> Option<Server> {
        self.vms.values().find(|vm| vm.id == *id).map(|vm| self.record(vm))
    }

    /// The VMs whose service answers: where, and the name people know them by.
    pub fn serving(&self) -> BTreeMap<Ipv4Addr, String> {
        let serving = self.vms.values().filter(|vm| vm.stage == Stage::Serving);
        serving.map(|vm| (vm.address, vm.label())).collect()
    }

    /// What the service at `address` answers.
    pub fn status(&self, address: Ipv4Addr) -> Option<Status> {
        let vm =
            self.vms.values().find(|vm| vm.address == address && vm.stage == Stage::Serving)?;
        let capacity = if vm.duty == Duty::Accepting { self.rules.room(vm) } else { 0 };
        Some(Status { capacity, termination: vm.duty == Duty::Finished })
    }

    /// Makes as many servers of the creation as the quota allows, as Nova does; the first one's id.
    pub fn create(&mut self, creation: &Creation) -> Result<ServerId> {
        let room = u64::try_from(QUOTA.saturating_sub(self.vms.len())).unwrap_or(0);
        let mut first = None;
        for index in 1..=creation.count.min(room) {
            let name = if creation.count == 1 {
                creation.name.clone()
            } else {
                format!("{}-{index}", creation.name)
            };
            let id = self.make(name, creation.metadata.clone());
            first.get_or_insert(id);
        }
        first.ok_or_else(|| {
            let text = format!("quota of the simulated project: at most {QUOTA} servers");
            Error::new(ErrorKind::Quota, text)
        })
    }

    fn make(&mut self, name: String, metadata: Vec<(String, String)>) -> ServerId {
        self.made += 1;
        let (number, slots) = (self.made, self.rules.slots());
        let share = self.random.number(SHARE.0, SHARE.1);
        let chance = self.random.once_in(ONE_BUILD_FAILS_IN);
        let id = ServerId::new(format!("vm-{number}"));
        let fails = number == FIRST_FAILURE || (chance && number > FIRST_FAILURE);
        let vm = Vm {
            id: id.clone(),
            name,
            metadata,
            address: self.unused_address(),
            stage: Stage::Building { until: self.now + BUILD_TIME, fails },
            created: self.now,
            updated: self.now,
            launched: None,
            duty: Duty::Accepting,
            sessions: Vec::new(),
            worked: None,
            sessions_left: slots * if number == 1 { FIRST_SHARE } else { share },
        };
        self.vms.insert(number, vm);
        id
    }

    /// Addresses are used in turn, so that a new VM is not taken for one that has just gone.
    fn unused_address(&self) -> Ipv4Addr {
        let [a, b, c] = self.rules.network;
        let used = |address: &Ipv4Addr| self.vms.values().any(|vm| vm.address == *address);
        let in_turn = (self.made..).map(|number| {
            let last = u8::try_from((number - 1) % 254 + 1).unwrap_or(u8::MAX);
            Ipv4Addr::new(a, b, c, last)
        });
        // The quota is far below 254, so the first ones in turn are enough.
        in_turn.take(254).find(|address| !used(address)).unwrap_or(Ipv4Addr::new(a, b, c, 254))
    }

    /// Begins to delete a server; one that is gone already is a success.
    pub fn delete(&mut self, id: &ServerId) {
        let now = self.now;
        let found = self.vms.values_mut().find(|vm| vm.id == *id);
        let Some(vm) = found.filter(|vm| !matches!(vm.stage, Stage::Deleting { .. })) else {
            return;
        };
        vm.stage = Stage::Deleting { until: now + DELETE_TIME };
        vm.updated = now;
        let (label, lost) = (vm.label(), std::mem::take(&mut vm.sessions).len());
        if lost > 0 {
            self.tell(format!("{label} goes, and {} with it", counted(lost, "session")));
        }
    }

    /// Binds an address to a server, wherever it was before; refused in the cases in which Neutron refuses.
    pub fn bind(&mut self, address: &AddressId, server: &ServerId, fixed: IpAddr) -> Result<()> {
        let refuse = |status, text| Err(Error::new(ErrorKind::Refused(status), text));
        let runs =
            |vm: &&Vm| vm.id == *server && matches!(vm.condition().0, Condition::Active { .. });
        let Some(vm) = self.vms.values().find(runs) else {
            return refuse(404, format!("status 404: server {server} has no port"));
        };
        if IpAddr::V4(vm.address) != fixed {
            return refuse(400, format!("status 400: {server} has no fixed address {fixed}"));
        }
        let mut others = self.addresses.iter().filter(|other| other.id != *address);
        if let Some(other) = others.find(|other| other.holder.as_ref() == Some(server)) {
            return refuse(409, format!("status 409: {server} has {} already", other.address));
        }
        let Some(bound) = self.addresses.iter_mut().find(|one| one.id == *address) else {
            return refuse(404, format!("status 404: no floating IP {address}"));
        };
        bound.holder = Some(server.clone());
        Ok(())
    }
}
