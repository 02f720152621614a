//! External addresses move away from what is dead, and from nothing else.

use std::cell::RefCell;

use serde_json::json;

use crate::daemon::Daemon;
use crate::scene::{DESCRIPTION, Scene, Vm};

/// Replicas, and addresses on the first of them.
struct Stage {
    daemon: Daemon,
    pool: Vec<Vm>,
    addresses: Vec<String>,
    scene: Scene,
}

/// So many healthy replicas, all of which are wanted, and so many addresses, each on one of them. The holders come
/// first, in the order of their addresses.
fn stage(replicas: usize, addresses: usize) -> Stage {
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
    Stage { daemon, pool, addresses, scene }
}

impl Stage {
    /// Waits until the address is on another replica, which held none; the others stay where they are.
    #[track_caller]
    fn expect_moved(&self, moved: &[usize]) {
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

#[test]
fn an_address_leaves_a_dead_service() {
    let stage = stage(3, 1);
    stage.scene.keep(&stage.pool);
    stage.scene.replica(&stage.pool[0], None);
    stage.expect_moved(&[0]);
}

#[test]
fn an_address_leaves_a_deleted_vm() {
    let stage = stage(3, 2);
    stage.scene.keep(&stage.pool[1..]);
    stage.scene.cloud.member.ask(&format!("DELETE compute /servers/{}", stage.pool[0].id), None);
    stage.expect_moved(&[0]);
    stage.scene.until_healthy(&stage.daemon, 3);
}

#[test]
fn an_address_leaves_an_errored_vm() {
    let stage = stage(3, 1);
    stage.scene.keep(&stage.pool[1..]);
    stage.scene.replica(&stage.pool[0], None);
    stage.scene.cloud.act(&stage.pool[0].id, &json!({"os-resetState": {"state": "error"}}));
    stage.expect_moved(&[0]);
    stage.scene.until_healthy(&stage.daemon, 3);
}

#[test]
fn of_two_dead_holders_one_gets_the_only_spare_and_the_other_waits() {
    // Five of six answer no more than one: no brake is on.
    let stage = stage(5, 4);
    stage.scene.boots_say(None);
    let [one, two] = [&stage.pool[0], &stage.pool[1]];
    stage.scene.keep(&stage.pool);
    stage.scene.replica(one, None);
    stage.scene.replica(two, None);
    stage.expect_moved(&[0, 1]);
    // The replacements do not answer yet, so the second address has to stay where it is.
    stage.scene.passes(&stage.daemon, 3);
    let free = &stage.pool[4];
    let holders = [0, 1].map(|at| stage.scene.cloud.holder(&stage.addresses[at]));
    let moved = holders.iter().flatten().filter(|holder| **holder == free.id).count();
    assert_eq!(moved, 1, "one spare, one move: {holders:?}");
    let waiting = if holders[0].as_ref() == Some(&free.id) { two } else { one };
    assert!(holders.contains(&Some(waiting.id.clone())), "the other stays: {holders:?}");
}
