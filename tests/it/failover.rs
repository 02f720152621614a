//! Between two passes: an address follows its service within seconds, and nothing else changes.
//!
//! Passes are an hour apart, so whatever moves was moved in a pass that began early.

use std::time::Duration;

use crate::daemon::{Daemon, Settings};
use crate::expect;
use crate::fake::{Cloud, Says};

/// Servers, and addresses on the first of them.
struct Pool {
    cloud: Cloud,
    servers: Vec<String>,
    addresses: Vec<String>,
}

/// So many healthy replicas, of which the first ones hold an address each.
fn pool(replicas: usize, holders: usize) -> Pool {
    let cloud = Cloud::start();
    let servers: Vec<String> = (0..replicas)
        .map(|number| cloud.add_replica(&format!("r{number}"), Says::free(9)))
        .collect();
    let holders = servers[..holders].iter();
    let addresses = holders.map(|server| cloud.state().add_floating_ip(Some(server))).collect();
    Pool { cloud, servers, addresses }
}

impl Pool {
    fn settings(&self) -> Settings {
        Settings::of(&self.cloud)
            .with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
            .with("APP_INTERVAL", "3600")
    }

    /// The loop, after its first pass.
    fn daemon(&self, settings: &Settings) -> Daemon {
        let daemon = Daemon::start(settings);
        daemon.wait_for_status("/healthz", 200);
        daemon
    }

    #[track_caller]
    fn wait_for_holder(&self, daemon: &Daemon, address: usize, server: usize) {
        let what = format!("address {address} on r{server}; {}", self.cloud.journal());
        daemon.wait_until(&what, || {
            self.cloud.state().holder(&self.addresses[address]).as_ref()
                == Some(&self.servers[server])
        });
    }

    fn lists(&self) -> usize {
        self.cloud.count("GET", "/servers/detail")
    }

    /// Waits until the server was asked so many times more.
    #[track_caller]
    fn wait_for_questions(&self, daemon: &Daemon, server: usize, questions: usize) {
        let server = &self.servers[server];
        let before = self.cloud.asked(server);
        daemon.wait_until(&format!("{questions} questions to {server}"), || {
            self.cloud.asked(server) >= before + questions
        });
    }
}

#[test]
fn a_service_that_dies_loses_its_address_long_before_the_next_pass() {
    let pool = pool(3, 1);
    let mut daemon = pool.daemon(&pool.settings());
    pool.cloud.silence(&pool.servers[0]);
    pool.wait_for_holder(&daemon, 0, 1);
    let who =
        format!("r0 ({}) no longer answers: connection refused, 3 times in 3 s", pool.servers[0]);
    daemon.wait_for_log(&["WARN", &who, "; a pass begins now"]);
    daemon.wait_for_log(&["INFO", "move 203.0.113.1 to r1", "r0 is silent"]);
    let ran = daemon.terminate();
    assert_eq!(pool.cloud.changes().len(), 1, "{}\n{ran}", pool.cloud.journal());
    assert_eq!(pool.lists(), 2, "{}\n{ran}", pool.cloud.journal());
}

#[test]
fn so_does_one_whose_host_is_gone() {
    let pool = pool(3, 1);
    let daemon = pool.daemon(&pool.settings());
    pool.cloud.vanish(&pool.servers[0]);
    pool.wait_for_holder(&daemon, 0, 1);
    daemon.wait_for_log(&["no longer answers: cannot connect in time, 3 times in 3 s"]);
}

#[test]
fn so_does_one_that_accepts_and_never_answers_after_the_time_limit() {
    let pool = pool(3, 1);
    let daemon = pool.daemon(&pool.settings().with("REPLICA_API_TIMEOUT", "4"));
    pool.cloud.replica(&pool.servers[0], Says::black_hole());
    pool.wait_for_holder(&daemon, 0, 1);
    daemon.wait_for_log(&["no longer answers: no answer within 4 s; a pass begins now"]);
}
