//! The cloud's side of a [`World`].

use std::net::IpAddr;
use std::time::Duration;

use crate::decide::tests::pictures::start;
use crate::decide::tests::world::{Creates, World};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    AddressId, BATCH_KEY, ExternalAddress, Launched, Listing, Server, ServerId, TRIAL_KEY,
};
use crate::provider::{CheckLine, Creation, Provider, ProviderMut};

impl Provider for World {
    fn servers(&mut self) -> Result<Listing> {
        if let Some(unlisted) = self.next_unlisted.pop_front() {
            self.unlisted = unlisted;
        }
        let listed =
            |(id, _): &(&String, _)| !self.unmarked.contains(*id) && !self.unlisted.contains(*id);
        let servers = self.vms.iter().filter(listed).map(|(_, vm)| vm.server.clone()).collect();
        Ok(Listing { servers, now: Some(start() + Duration::from_secs(self.elapsed)) })
    }

    fn network_name(&mut self) -> Result<String> {
        self.network.clone().ok_or_else(|| Error::new(ErrorKind::Unavailable, "no network"))
    }

    fn external_addresses(&mut self) -> Result<Vec<ExternalAddress>> {
        Ok(self.addresses.clone())
    }

    fn server(&mut self, id: &ServerId) -> Result<Option<Server>> {
        if self.look_fails.contains(id.as_str()) {
            return Err(Error::new(ErrorKind::Unclear, "status 500"));
        }
        let mut server = self.vms.get(id.as_str()).map(|vm| vm.server.clone());
        let now = start() + Duration::from_secs(self.elapsed);
        // What took their mark away did so after they were made.
        if let Some(one) = server.as_mut().filter(|one| one.created < now)
            && self.unmarked.contains(id.as_str())
        {
            one.mark = None;
        }
        Ok(server)
    }

    fn check(&mut self) -> Vec<CheckLine> {
        Vec::new()
    }
}

impl ProviderMut for World {
    fn create(&mut self, creation: &Creation) -> Result<ServerId> {
        let count = match self.creates {
            Creates::AtMost(most) => creation.count.min(most),
            Creates::All | Creates::AllUnclear | Creates::Unmarked | Creates::Bare => {
                creation.count
            }
            Creates::None(kind) => return Err(Error::new(kind, "no")),
        };
        let batch = creation.metadata.iter().find(|(key, _)| key == BATCH_KEY).unwrap();
        let first = self.made + 1;
        for number in 1..=count {
            self.made += 1;
            let id = format!("n{}", self.made);
            let mut vm = (self.makes)(&id).of_batch(&batch.1);
            vm.server.trial = creation.metadata.iter().any(|(key, _)| key == TRIAL_KEY);
            vm.server.created = start() + Duration::from_secs(self.elapsed + 1);
            if let Launched::At(_) = vm.server.launched {
                vm.server.launched = Launched::At(vm.server.created);
            }
            match self.creates {
                Creates::Unmarked => drop(self.unmarked.insert(id.clone())),
                Creates::Bare => {
                    (vm.server.mark, vm.server.batch, vm.server.trial) = (None, None, false);
                    vm.server.name = format!("{}-{number}", creation.name).into();
                }
                _ => {}
            }
            self.vms.insert(id, vm);
        }
        match self.creates {
            Creates::AllUnclear => Err(Error::new(ErrorKind::Unclear, "timeout")),
            _ => Ok(ServerId::new(format!("n{first}"))),
        }
    }

    fn delete(&mut self, id: &ServerId) -> Result<()> {
        self.spent.set(self.spent.get() + self.delete_takes);
        if self.delete_fails.contains(id.as_str()) {
            return Err(Error::new(ErrorKind::Unclear, "status 500"));
        }
        self.vms.remove(id.as_str());
        for address in self.addresses.iter_mut().filter(|one| one.holder.as_ref() == Some(id)) {
            address.holder = None;
        }
        Ok(())
    }

    fn bind(&mut self, address: &AddressId, server: &ServerId, _: IpAddr) -> Result<()> {
        let address = self.addresses.iter_mut().find(|one| one.id == *address).unwrap();
        self.spent.set(self.spent.get() + self.bind_takes);
        let pair = (address.address.to_string(), server.to_string());
        if let Some(kind) = self.bind_fails.get(&pair) {
            return Err(Error::new(*kind, "no"));
        }
        address.holder = Some(server.clone());
        Ok(())
    }

    fn as_provider(&mut self) -> &mut dyn Provider {
        self
    }
}
