//! A pool with external addresses.

use std::cell::RefCell;

use crate::daemon::{Daemon, Settings};
use crate::scene::{DESCRIPTION, Scene, Vm};

/// Replicas, and addresses on the first of them.
pub struct Stage {
    pub daemon: Daemon,
    pub settings: Settings,
    pub pool: Vec<Vm>,
    pub addresses: Vec<String>,
    pub scene: Scene,
}

/// So many healthy replicas, all of which are wanted, and so many addresses, each on one of them. The holders come
/// first, in the order of their addresses.
pub fn stage(replicas: usize, addresses: usize) -> Stage {
    let scene = Scene::open();
    let addresses: Vec<String> =
        (0..addresses).map(|_| scene.cloud.add_address(DESCRIPTION)).collect();
    let settings = scene
        .settings()
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", &replicas.to_string())
        .with("EXTERNAL_ADDRESS_MANAGEMENT", "true");
    let daemon = Daemon::start(&settings);
    let mut pool = scene.until_healthy(&daemon, replicas);
    let holders = RefCell::new(Vec::new());
    scene.until(&daemon, "every address on a replica", |_| {
        let found = addresses.iter().filter_map(|address| scene.cloud.holder(address));
        *holders.borrow_mut() = found.collect();
        holders.borrow().len() == addresses.len()
    });
    let holders = holders.into_inner();
    pool.sort_by_key(|vm| holders.iter().position(|id| *id == vm.id).unwrap_or(usize::MAX));
    Stage { daemon, settings, pool, addresses, scene }
}

impl Stage {
    /// The executable with these settings, in place of the one that made the pool. It has seen all healthy.
    #[must_use]
    pub fn under(mut self, settings: Settings) -> Self {
        self.daemon.terminate();
        self.daemon = Daemon::start(&settings);
        self.settings = settings;
        self.scene.until_healthy(&self.daemon, self.pool.len());
        self
    }

    /// Waits until the address is on another replica, which held none; the others stay where they are.
    #[track_caller]
    pub fn expect_moved(&self, moved: &[usize]) {
        let holders = || -> Vec<Option<String>> {
            self.addresses.iter().map(|address| self.scene.cloud.holder(address)).collect()
        };
        let what = format!("addresses {moved:?} on other replicas, the others where they were");
        self.scene.until(&self.daemon, &what, |_| {
            let now = holders();
            for (number, holder) in now.iter().enumerate().filter(|(at, _)| !moved.contains(at)) {
                let stays = holder.as_ref() == Some(&self.pool[number].id);
                assert!(stays, "address {number} was moved to {holder:?}\n{}", self.daemon.log());
            }
            let free = &self.pool[self.addresses.len()..];
            moved
                .iter()
                .any(|at| now[*at].as_ref().is_some_and(|id| free.iter().any(|vm| vm.id == *id)))
        });
    }
}
