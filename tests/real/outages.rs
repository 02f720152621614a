//! Each service of the cloud is stopped for two passes: never a VM too many, never a healthy one deleted, and normal
//! again by itself.

use std::sync::{Mutex, PoisonError};

use crate::daemon::Daemon;
use crate::replica::Says;
use crate::scene::Scene;
use crate::service::Outage;

/// One at a time: two that wait to be alone would wait for each other.
static NEXT: Mutex<()> = Mutex::new(());

/// A pool of three, of which one is busy while `service` is stopped: so a creation is wanted all the time. Gives the
/// log of the outage.
fn survive(service: &str) -> String {
    // A test that failed has started its service again all the same.
    let next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    let scene = Scene::open_after_others();
    // A server whose build was lost with the bus is replaced when its time is over.
    let settings = scene
        .settings()
        .with("APP_INTERVAL", "2")
        .with("OPENSTACK_API_TIMEOUT", "6")
        .with("REPLICA_LAUNCH_TIMEOUT", "45");
    let daemon = Daemon::start(&settings);
    let pool = scene.until_healthy(&daemon, 3);
    scene.keep(&pool);
    scene.cloud.wait_to_be_alone();
    // One for the busy one, and one more for a creation that the outage spoiled and that is going.
    scene.never_more_than(5);
    let before = daemon.log().len();
    let outage = Outage::of(&scene.cloud, service);
    scene.replica(&pool[0], Some(Says::free(0)));
    // The first to end may have begun before the outage.
    scene.passes(&daemon, 3);
    outage.expect_stopped();
    let log = daemon.log().split_off(before);
    drop(outage);
    let pool = scene.until_healthy(&daemon, 4);
    scene.cloud.go_on_beside_others();
    drop(next);
    scene.never_more_than(4);
    scene.keep(&pool);
    scene.passes(&daemon, 2);
    log
}

/// Without this service not even the list of servers is to be had.
fn survive_blind(service: &str) {
    let log = survive(service);
    assert!(log.contains("ERROR"), "no pass failed while {service} was stopped:\n{log}");
}

#[test]
fn nova_api() {
    survive_blind("nova-api");
}

#[test]
fn nova_conductor() {
    survive("nova-conductor");
}

#[test]
fn nova_compute() {
    survive("nova-compute");
}

#[test]
fn neutron() {
    survive("neutron");
}

#[test]
fn keystone() {
    survive_blind("keystone");
}

#[test]
fn rabbitmq() {
    survive("rabbitmq");
}

#[test]
fn mariadb() {
    survive_blind("mariadb");
}
