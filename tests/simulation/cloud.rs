//! The cloud's API as the program sees it, with all that can be wrong with it.

use std::net::IpAddr;

use simplescalevm::error::{Error, ErrorKind, Result};
use simplescalevm::model::{
    AddressId, BATCH_KEY, ExternalAddress, Listing, Server, ServerId, TRIAL_KEY,
};
use simplescalevm::provider::{CheckLine, Creation, Provider, ProviderMut};

use crate::clock;
use crate::universe::{Shared, Universe};
use crate::world::vm::{NETWORK, Phase};
use crate::world::weather::{Fault, Request};

/// `OPENSTACK_API_TIMEOUT`, in seconds.
const TIMEOUT: u64 = 60;

/// The provider of one process.
pub struct Cloud(pub Shared);

impl Cloud {
    /// One request, with whatever is wrong just now.
    fn ask<T>(&self, request: Request, work: impl FnOnce(&mut Universe) -> Result<T>) -> Result<T> {
        let universe = &mut *self.0.borrow_mut();
        universe.begin(request);
        let fault = universe.world.weather.fault(request);
        let result = match fault {
            None => work(universe),
            Some(fault @ (Fault::LosesReply | Fault::Nonsense)) if request.changes() => {
                let done = work(universe).is_ok();
                universe.tell(|| format!("    {request:?}: done all the same: {done}"));
                Err(error(request, fault))
            }
            Some(fault) => Err(error(request, fault)),
        };
        if let Some(fault) = fault {
            universe.tell(|| format!("    {request:?}: {fault:?}"));
            if matches!(fault, Fault::Hangs | Fault::LosesReply) {
                clock::advance(if request == Request::Create { 2 * TIMEOUT } else { TIMEOUT });
            }
        }
        universe.end(request);
        result
    }
}

fn error(request: Request, fault: Fault) -> Error {
    let kind = match fault {
        Fault::Hangs | Fault::LosesReply | Fault::Fails => ErrorKind::Unclear,
        Fault::Down => ErrorKind::Unavailable,
        Fault::TooMany(after) => ErrorKind::RateLimited {
            retry_after: after.map(|seconds| std::time::Duration::from_secs(seconds.into())),
        },
        Fault::Conflict => ErrorKind::Refused(409),
        Fault::Forbidden => ErrorKind::Refused(403),
        // An answer to a creation that cannot be read leaves open what was made.
        Fault::Nonsense if request == Request::Create => ErrorKind::Unclear,
        Fault::Nonsense => ErrorKind::Invalid,
    };
    Error::new(kind, format!("{request:?}: {fault:?}"))
}

fn refused<T>(status: u16, why: &str) -> Result<T> {
    Err(Error::new(ErrorKind::Refused(status), why))
}

impl Provider for Cloud {
    fn servers(&mut self) -> Result<Listing> {
        self.ask(Request::List, |universe| {
            let servers = match &universe.world.weather.frozen {
                Some((_, frozen)) => frozen.clone(),
                None => universe.world.records(),
            };
            let now = universe.date();
            universe.judge.listed(&servers, now.is_some());
            Ok(Listing { servers, now })
        })
    }

    fn network_name(&mut self) -> Result<String> {
        self.ask(Request::Network, |_| Ok(NETWORK.to_owned()))
    }

    fn external_addresses(&mut self) -> Result<Vec<ExternalAddress>> {
        self.ask(Request::Addresses, |universe| {
            let addresses = universe.world.addresses.clone();
            universe.judge.addresses_listed(&addresses);
            Ok(addresses)
        })
    }

    fn server(&mut self, id: &ServerId) -> Result<Option<Server>> {
        self.0.borrow_mut().judge.looks_up(id);
        let found = self.ask(Request::LookUp, |universe| Ok(universe.world.record(id)));
        let judge = &mut self.0.borrow_mut().judge;
        match &found {
            Ok(server) => judge.looked_up(id, server.as_ref()),
            Err(_) => drop(judge.witness.not_looked_up.insert(id.clone())),
        }
        found
    }

    fn check(&mut self) -> Vec<CheckLine> {
        Vec::new()
    }
}

impl ProviderMut for Cloud {
    fn create(&mut self, creation: &Creation) -> Result<ServerId> {
        self.0.borrow_mut().judge_creation(creation);
        let result = self.ask(Request::Create, |universe| universe.make(creation));
        self.0.borrow_mut().judge.created(&result);
        result
    }

    fn delete(&mut self, id: &ServerId) -> Result<()> {
        {
            let universe = &mut *self.0.borrow_mut();
            universe.judge.deletes(&universe.world, id);
        }
        let result = self.ask(Request::Delete, |universe| {
            let deletion = universe.world.weather.deletion;
            let Some(vm) = universe.world.vm_mut(id) else { return Ok(()) };
            if vm.locked {
                return refused(409, "it is locked");
            }
            vm.becomes(Phase::Deleting { until: deletion.map(|time| clock::now() + time) });
            Ok(())
        });
        self.0.borrow_mut().judge.deleted(id, &result);
        result
    }

    fn bind(&mut self, address: &AddressId, server: &ServerId, fixed: IpAddr) -> Result<()> {
        {
            let universe = &mut *self.0.borrow_mut();
            universe.judge.binds(&universe.world, address, server, fixed);
        }
        let result = self.ask(Request::Bind, |universe| universe.bind(address, server, fixed));
        self.0.borrow_mut().judge.bound(address, server, &result);
        result
    }

    fn as_provider(&mut self) -> &mut dyn Provider {
        self
    }
}

impl Universe {
    /// What the cloud says the time is. The first list of a process is right: with nothing else to go by, nobody could tell.
    fn date(&mut self) -> Option<std::time::SystemTime> {
        self.lists += 1;
        let is_wrong = self.world.weather.wrong_dates && self.lists.is_multiple_of(2);
        let now = clock::now() + if is_wrong { 3600 } else { 0 };
        (!self.world.weather.no_date).then(|| clock::date(now))
    }

    fn judge_creation(&mut self, creation: &Creation) {
        self.judge.creates(&self.world, creation);
    }

    /// Nova records the whole batch before it answers; if there is no room for all of it, no VM comes up.
    fn make(&mut self, creation: &Creation) -> Result<ServerId> {
        let find = |key: &str| {
            let found = creation.metadata.iter().find(|(name, _)| name == key);
            found.map(|(_, value)| value.clone())
        };
        let (mark, batch) = (find("group"), find(BATCH_KEY));
        let trial = find(TRIAL_KEY).is_some();
        let existing = u64::try_from(self.world.vms.len()).unwrap_or(u64::MAX);
        let left =
            self.world.weather.quota.map_or(u64::MAX, |quota| quota.saturating_sub(existing));
        let count = creation.count.min(left);
        if count == 0 {
            return Err(Error::new(ErrorKind::Quota, "quota exceeded for instances"));
        }
        let fails = self.world.weather.room.is_some_and(|room| existing + count > room);
        let first = self.world.vms.len();
        for number in 1..=count {
            let vm = self.world.add_built(mark.clone(), batch.clone(), trial, fails);
            let name = &creation.name;
            vm.name = if creation.count == 1 { name.clone() } else { format!("{name}-{number}") };
        }
        Ok(self.world.vms[first].id.clone())
    }

    fn bind(&mut self, address: &AddressId, server: &ServerId, fixed: IpAddr) -> Result<()> {
        let world = &mut self.world;
        if world.vm(server).is_none_or(|vm| vm.fixed != Some(fixed)) {
            return refused(400, "no port with this address");
        }
        if world.weather.no_router {
            return refused(404, "external network is not reachable");
        }
        let taken =
            |one: &&ExternalAddress| one.holder.as_ref() == Some(server) && one.id != *address;
        if world.addresses.iter().any(|one| taken(&one)) {
            return refused(409, "that fixed address already has a floating IP");
        }
        world.orphans.remove(address);
        match world.addresses.iter_mut().find(|one| one.id == *address) {
            Some(one) => one.holder = Some(server.clone()),
            None => return refused(404, "no such floating IP"),
        }
        Ok(())
    }
}
