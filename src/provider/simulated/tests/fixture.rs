//! A trial whose clock the test moves, on a network of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::model::IpVersion;
use crate::provider::Provider;
use crate::provider::simulated::world::World;
use crate::provider::simulated::{Simulated, rules, start, wall_clock};
use crate::settings::{Config, Mark, Policy, ProbeSettings, ProviderSettings, StatusSettings};

/// The settings of the demonstration, with pauses so short that a test needs not wait for them.
pub fn config() -> Config {
    let interval = Duration::from_millis(400);
    Config {
        minimum_file: None,
        interval,
        watch: None,
        status: StatusSettings { host: "127.0.0.1".into(), port: 0, full: true },
        policy: Policy {
            capacity: 4,
            minimum: 6,
            max: Some(12),
            boot_grace: Duration::from_secs(20),
            launch_timeout: Duration::from_secs(15),
            replace_silent_after: Some(Duration::ZERO),
            delete_stopped: false,
            manage_addresses: true,
            ip_version: IpVersion::V4,
            interval,
            once: false,
        },
        probe: ProbeSettings {
            https: false,
            port: 0,
            path: "/".into(),
            capacity_key: "capacity".into(),
            termination_key: "termination".into(),
            timeout: Duration::from_secs(5),
            retries: 0,
            concurrency: 8,
            cacert: None,
            insecure: false,
        },
        mark: Mark { key: "group".into(), value: None },
        name: "server".into(),
        provider: ProviderSettings::Simulated,
        lease: None,
        warnings: Vec::new(),
        in_force: Vec::new(),
    }
}

/// A simulated cloud and its clock.
pub struct Trial {
    pub simulated: Simulated,
    pub config: Config,
    pub network: [u8; 3],
    pub clock: Arc<AtomicU64>,
}

impl Trial {
    /// An empty cloud at its beginning, on a network and a port that no other test uses.
    pub fn new(mut config: Config) -> Self {
        static NETWORKS: AtomicU8 = AtomicU8::new(10);
        let network = [127, 77, NETWORKS.fetch_add(1, Ordering::Relaxed)];
        let [a, b, c] = network;
        let free = TcpListener::bind((Ipv4Addr::new(a, b, c, 1), 0)).unwrap();
        config.probe.port = free.local_addr().unwrap().port();
        drop(free);
        let clock = Arc::new(AtomicU64::new(0));
        let shown = Arc::clone(&clock);
        let time = move || Duration::from_secs(shown.load(Ordering::Relaxed));
        let world = World::new(rules(&config, network), wall_clock());
        let simulated = start(&config, world, network, Box::new(time)).unwrap();
        Trial { simulated, config, network, clock }
    }

    /// Lets `seconds` pass in the cloud.
    pub fn pass_time(&mut self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
        self.simulated.servers().unwrap();
    }
}

/// Waits for what another thread is about to do.
#[track_caller]
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}
