//! The pool of every cell: it has something to move, to delete and to create, and something to leave alone.

use crate::daemon::{Daemon, Settings};
use crate::fake::{Cloud, Says};

/// The replicas before, and what must become of them.
pub struct Pool {
    pub cloud: Cloud,
    /// Finished, and the holder of `moving`.
    done: String,
    /// Healthy, without an address.
    a: String,
    /// Healthy, and the holder of `staying`.
    b: String,
    moving: String,
    staying: String,
}

/// Replicas wanted; two of them are there.
const WANTED: usize = 4;

impl Pool {
    /// A finished replica, two healthy ones, and two addresses.
    pub fn start() -> Self {
        let cloud = Cloud::start();
        cloud.boots_say(Says::free(1));
        // Three servers are two pages then.
        cloud.state().page_max = 2;
        let done = cloud.add_replica("done", Says::finished());
        let a = cloud.add_replica("a", Says::free(1));
        let b = cloud.add_replica("b", Says::free(1));
        let moving = cloud.state().add_floating_ip(Some(&done));
        let staying = cloud.state().add_floating_ip(Some(&b));
        Pool { cloud, done, a, b, moving, staying }
    }

    /// What a daemon needs to look after it.
    pub fn settings(&self, credentials: impl Fn(&Cloud) -> Settings) -> Settings {
        credentials(&self.cloud)
            .with("APP_INTERVAL", "4")
            .with("REPLICA_API_TIMEOUT", "3")
            .with("REPLICA_MIN_AVAILABLE_RESOURCES", &WANTED.to_string())
            .with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
    }

    /// What `systemctl status` shows of it when all is well.
    pub fn status_when_well() -> String {
        format!(
            "{WANTED} replicas: {WANTED} healthy; {WANTED} free = {WANTED} answered; at least {WANTED} wanted"
        )
    }

    /// Whether it is as it should be.
    pub fn is_well(&self) -> bool {
        let state = self.cloud.state();
        let active = state.servers.iter().filter(|server| server.vm_state == "active");
        let holder = state.holder(&self.moving);
        active.count() == WANTED
            && state.servers.len() == WANTED
            && holder.is_some_and(|holder| holder != self.b && holder != self.done)
            && state.holder(&self.staying).as_ref() == Some(&self.b)
    }

    /// Panics unless the pool came out of it with nothing done twice and nothing done to the healthy. `lost` servers were
    /// taken from it meanwhile.
    #[track_caller]
    pub fn expect_nothing_too_much(&self, lost: u64, story: &str) {
        let changes = self.cloud.changes();
        let created: u64 = changes
            .iter()
            .filter(|request| request.method == "POST" && request.status == Some(202))
            .filter_map(|request| request.json()["server"]["max_count"].as_u64())
            .sum();
        assert_eq!(created, 2 + lost, "servers created\n{story}");
        for request in &changes {
            let id = request.path().rsplit('/').next().unwrap_or_default();
            match request.method.as_str() {
                "DELETE" => assert_eq!(id, self.done, "a healthy replica deleted\n{story}"),
                "PUT" => assert_eq!(id, self.moving, "a healthy holder lost its address\n{story}"),
                _ => {}
            }
        }
        let state = self.cloud.state();
        for healthy in [&self.a, &self.b] {
            assert!(
                state.servers.iter().any(|one| one.id == *healthy),
                "{healthy} is gone\n{story}"
            );
        }
    }

    /// What happened, for failures.
    pub fn story(&self, daemon: &Daemon) -> String {
        format!("{}\n-- log --\n{}\n--", self.cloud.journal(), daemon.log())
    }
}
