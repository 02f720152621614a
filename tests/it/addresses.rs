//! External addresses: each on its own healthy replica.

use std::collections::BTreeSet;

use crate::daemon::{Daemon, Settings, once};
use crate::expect;
use crate::fake::{Cloud, Fault, Fixed, Response, Says, Times};

/// Replicas with nothing missing, and as many addresses: address and server by position.
pub struct Pool {
    pub cloud: Cloud,
    pub servers: Vec<String>,
    pub addresses: Vec<String>,
}

/// So many healthy replicas, of which the first ones hold an address each.
pub fn pool(replicas: usize, holders: usize) -> Pool {
    let cloud = Cloud::start();
    let servers: Vec<String> = (0..replicas)
        .map(|number| cloud.add_replica(&format!("r{number}"), Says::free(9)))
        .collect();
    let addresses = servers[..holders]
        .iter()
        .map(|server| cloud.state().add_floating_ip(Some(server)))
        .collect();
    Pool { cloud, servers, addresses }
}

fn managed(settings: &Settings) -> Settings {
    settings.clone().with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
}

impl Pool {
    fn holder(&self, address: usize) -> Option<String> {
        self.cloud.state().holder(&self.addresses[address])
    }

    #[track_caller]
    fn pass(&self) -> crate::daemon::Ran {
        let ran = once(&managed(&Settings::of(&self.cloud)));
        ran.expect_status(0);
        ran
    }

    #[track_caller]
    fn expect_holders(&self, expected: &[Option<usize>], ran: &crate::daemon::Ran) {
        let found: Vec<Option<usize>> = (0..self.addresses.len())
            .map(|address| {
                let holder = self.holder(address)?;
                self.servers.iter().position(|server| *server == holder)
            })
            .collect();
        assert_eq!(found, expected, "{}\n{ran}", self.cloud.journal());
    }
}

#[test]
fn three_addresses_get_three_holders_in_one_pass() {
    let mut pool = pool(4, 0);
    pool.addresses = (0..3).map(|_| pool.cloud.state().add_floating_ip(None)).collect();
    let ran = pool.pass();
    let holders: BTreeSet<_> = (0..3).filter_map(|address| pool.holder(address)).collect();
    assert_eq!(holders.len(), 3, "{}\n{ran}", pool.cloud.journal());
    for address in &pool.addresses {
        assert_eq!(expect::moves(&pool.cloud, address), 1, "{}\n{ran}", pool.cloud.journal());
    }
    // Oldest first, then by id.
    pool.expect_holders(&[Some(0), Some(1), Some(2)], &ran);

    pool.cloud.forget_requests();
    let ran = pool.pass();
    expect::no_change(&pool.cloud, &ran);
}

#[test]
fn without_management_no_address_is_looked_at() {
    let pool = pool(1, 0);
    pool.cloud.state().add_floating_ip(None);
    let ran = once(&Settings::of(&pool.cloud));
    expect::no_change(&pool.cloud, &ran);
    assert_eq!(pool.cloud.count("GET", "/floatingips"), 0, "{}", pool.cloud.journal());
}

#[test]
fn a_silent_holder_loses_its_address_to_the_spare_and_the_others_keep_theirs() {
    let pool = pool(4, 3);
    pool.cloud.silence(&pool.servers[1]);
    let ran = pool.pass();
    pool.expect_holders(&[Some(0), Some(3), Some(2)], &ran);
    assert_eq!(pool.cloud.changes().len(), 1, "{}\n{ran}", pool.cloud.journal());
}

#[test]
fn a_holder_that_accepts_and_never_answers_loses_its_address() {
    let pool = pool(4, 3);
    pool.cloud.replica(&pool.servers[0], Says::black_hole());
    let ran = pool.pass();
    pool.expect_holders(&[Some(3), Some(1), Some(2)], &ran);
}

#[test]
fn holders_that_are_parked_finished_or_broken_lose_their_address() {
    for (what, vm_state, task_state) in [
        ("stopped", "stopped", None),
        ("paused", "paused", None),
        ("being deleted", "active", Some("deleting")),
    ] {
        let pool = pool(4, 1);
        {
            let mut state = pool.cloud.state();
            let server = state.server(&pool.servers[0]);
            server.vm_state = vm_state.into();
            server.task_state = task_state.map(Into::into);
        }
        let ran = pool.pass();
        assert_eq!(pool.holder(0).as_ref(), Some(&pool.servers[1]), "{what}\n{ran}");
    }
    let pool = pool(4, 1);
    pool.cloud.replica(&pool.servers[0], Says::finished());
    let ran = pool.pass();
    pool.expect_holders(&[Some(1)], &ran);
    expect::deleted(&pool.cloud, &ran, &[&pool.servers[0]]);
    let methods: Vec<_> =
        pool.cloud.changes().iter().map(|request| request.method.clone()).collect();
    assert_eq!(methods, ["PUT", "DELETE"], "the address goes first\n{}", pool.cloud.journal());
}

#[test]
fn with_no_spare_an_address_stays_where_it_is() {
    let pool = pool(4, 4);
    pool.cloud.silence(&pool.servers[1]);
    let ran = pool.pass();
    pool.expect_holders(&[Some(0), Some(1), Some(2), Some(3)], &ran);
    expect::no_change(&pool.cloud, &ran);
    ran.expect_line(&["WARN", "203.0.113.2", "stays"]);
}

#[test]
fn only_addresses_with_the_pools_description_are_touched() {
    let mut pool = pool(4, 0);
    let other = pool.cloud.state().add_floating_ip(None);
    let ours = pool.cloud.state().add_floating_ip(None);
    pool.cloud.state().floating_ips[0].description = "mail".into();
    pool.addresses = vec![other, ours];
    let ran = pool.pass();
    pool.expect_holders(&[None, Some(0)], &ran);
}

#[test]
fn an_address_on_a_server_outside_the_pool_is_left_alone() {
    let mut pool = pool(4, 0);
    let stranger = pool.cloud.state().add_server("stranger", Fixed::Next);
    pool.cloud.state().server(&stranger).metadata.clear();
    pool.addresses = vec![pool.cloud.state().add_floating_ip(Some(&stranger))];
    let ran = pool.pass();
    expect::no_change(&pool.cloud, &ran);
    assert_eq!(pool.holder(0), Some(stranger));
}

#[test]
fn an_address_on_a_port_without_a_device_is_free() {
    let mut pool = pool(4, 0);
    let address = {
        let mut state = pool.cloud.state();
        let network = state.networks[0].id.clone();
        let port = state.add_port("", &network, Fixed::Next);
        let address = state.add_floating_ip(None);
        state.floating_ips[0].port_id = Some(port);
        address
    };
    pool.addresses = vec![address];
    let ran = pool.pass();
    pool.expect_holders(&[Some(0)], &ran);
}

#[test]
fn a_replica_with_an_address_of_somebody_elses_has_one_already() {
    let mut pool = pool(4, 0);
    let other = pool.cloud.state().add_floating_ip(Some(&pool.servers[0]));
    pool.cloud.state().floating_ips[0].description = "mail".into();
    let ours = pool.cloud.state().add_floating_ip(None);
    pool.addresses = vec![other, ours];
    let ran = pool.pass();
    pool.expect_holders(&[Some(0), Some(1)], &ran);
}

#[test]
fn of_two_addresses_on_a_port_the_probed_one_is_bound() {
    let mut pool = pool(4, 0);
    let probed = pool.cloud.state().fixed_address(&pool.servers[0]).unwrap();
    let second = "127.255.1.1".parse().unwrap();
    pool.cloud.state().port_of(&pool.servers[0]).fixed.insert(0, second);
    pool.addresses = vec![pool.cloud.state().add_floating_ip(None)];
    let ran = pool.pass();
    pool.expect_holders(&[Some(0)], &ran);
    assert_eq!(pool.cloud.state().floating_ips[0].fixed, Some(probed), "{ran}");
}

#[test]
fn a_pair_the_cloud_refuses_gives_way_to_the_next() {
    let mut pool = pool(4, 0);
    pool.addresses = vec![pool.cloud.state().add_floating_ip(None)];
    let body = serde_json::json!({"NeutronError": {"type": "BadRequest",
        "message": "Bad floatingip request: no.", "detail": ""}});
    let refusal = Fault::Answer(Response::json(400, &body));
    pool.cloud.fault("PUT", "/floatingips/*", Times::Next(1), refusal);
    let ran = once(&managed(&Settings::of(&pool.cloud)));
    pool.expect_holders(&[Some(1)], &ran);
    ran.expect_line(&["ERROR", "Bad floatingip request: no."]);
}

#[test]
fn a_finished_holder_whose_address_cannot_be_moved_is_not_deleted() {
    let pool = pool(4, 1);
    pool.cloud.replica(&pool.servers[0], Says::finished());
    pool.cloud.fault("PUT", "/floatingips/*", Times::Always, Fault::html(500));
    let settings = managed(&Settings::of(&pool.cloud)).with("OPENSTACK_API_TIMEOUT", "2");
    let ran = once(&settings);
    ran.expect_status(1);
    expect::deleted(&pool.cloud, &ran, &[]);
}

#[test]
fn a_list_of_floating_ips_that_fails_holds_up_nothing_else() {
    let pool = pool(4, 1);
    pool.cloud.silence(&pool.servers[0]);
    let finished = pool.cloud.add_replica("done", Says::finished());
    pool.cloud.fault("GET", "/floatingips", Times::Always, Fault::html(503));
    let settings = managed(&Settings::of(&pool.cloud)).with("OPENSTACK_API_TIMEOUT", "2");
    let ran = once(&settings);
    ran.expect_status(1).expect_line(&["ERROR", "floating IPs"]);
    pool.expect_holders(&[Some(0)], &ran);
    expect::deleted(&pool.cloud, &ran, &[&finished]);
}

#[test]
fn in_the_loop_an_address_leaves_its_silent_holder_by_one_put() {
    let pool = pool(4, 3);
    let daemon = Daemon::start(&managed(&Settings::of_loop(&pool.cloud)));
    daemon.wait_for_passes(&pool.cloud, 2);
    assert!(pool.cloud.changes().is_empty(), "{}\n{}", pool.cloud.journal(), daemon.log());
    pool.cloud.silence(&pool.servers[2]);
    daemon.wait_until("the address on the spare", || {
        pool.holder(2).as_ref() == Some(&pool.servers[3])
    });
    pool.cloud.replica(&pool.servers[2], Says::free(9));
    daemon.wait_for_passes(&pool.cloud, 2);
    let changes = pool.cloud.changes();
    assert_eq!(changes.len(), 1, "a second move: {}\n{}", pool.cloud.journal(), daemon.log());
}
