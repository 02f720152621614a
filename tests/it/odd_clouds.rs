//! Clouds that leave out filters, move while they are watched, have dead ends, or more to say than fits into an answer.

use serde_json::Value;

use crate::daemon::{Daemon, Settings, once, run};
use crate::expect;
use crate::fake::{Cloud, Fault, Fixed, Says, Service, Times};

fn pool(replicas: &[&str]) -> Cloud {
    let cloud = Cloud::start();
    for name in replicas {
        cloud.add_replica(name, Says::free(9));
    }
    cloud
}

fn managed(settings: Settings) -> Settings {
    settings.with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
}

/// A floating IP that is bound to nothing, with this description.
fn address(cloud: &Cloud, description: &str) -> String {
    let mut state = cloud.state();
    let id = state.add_floating_ip(None);
    state.floating_ips.last_mut().unwrap().description = description.into();
    id
}

#[test]
fn a_foreign_floating_ip_is_not_bound_where_neutron_drops_filters() {
    for description in ["office-vpn", "", "server ", "Server", "servers", "a server"] {
        let cloud = pool(&["a", "b"]);
        cloud.state().drops_filters = true;
        let foreign = address(&cloud, description);
        let ours = address(&cloud, "server");
        let ran = once(&managed(Settings::of(&cloud)));
        ran.expect_status(0);
        assert_eq!(cloud.state().holder(&foreign), None, "{description:?}\n{ran}");
        assert!(cloud.state().holder(&ours).is_some(), "the port is found among all\n{ran}");
    }
}

#[test]
fn a_port_is_found_on_any_page_where_neutron_drops_filters() {
    let cloud = pool(&["a"]);
    let ours = address(&cloud, "server");
    let first = |body: &mut Value| {
        body["ports"] = serde_json::json!([{"id": "p", "device_id": "another", "fixed_ips": []}]);
        body["ports_links"] =
            serde_json::json!([{"rel": "next", "href": "http://neutron/v2.0/ports?page=2"}]);
    };
    cloud.fault("GET", "/ports", Times::Next(1), Fault::changed(first));
    let ran = once(&managed(Settings::of(&cloud)));
    assert!(cloud.state().holder(&ours).is_some(), "{}\n{ran}", cloud.journal());
}

#[test]
fn an_address_on_a_port_that_may_not_be_seen_keeps_no_other_from_being_bound() {
    for status in [403, 404] {
        let cloud = pool(&["a", "b"]);
        let id = cloud.state().servers[0].id.clone();
        let held = cloud.state().add_floating_ip(Some(&id));
        let ours = address(&cloud, "server");
        cloud.fault("GET", "/floatingips", Times::Always, Fault::hides(&["port_details"]));
        cloud.fault("GET", "/ports/*", Times::Always, Fault::html(status));
        let ran = once(&managed(Settings::of(&cloud)));
        assert!(cloud.state().holder(&ours).is_some(), "{status}: {}\n{ran}", cloud.journal());
        assert_eq!(cloud.state().holder(&held), Some(id), "{status}: {}\n{ran}", cloud.journal());
    }
}

#[test]
fn a_creation_takes_what_it_asked_for_where_filters_are_dropped() {
    let cloud = Cloud::start();
    let image = cloud.state().images[0].id.clone();
    {
        let mut state = cloud.state();
        state.drops_filters = true;
        let now = state.now();
        for number in 0..60 {
            state.add_image(&format!("Newer {number}"), "active", now);
        }
        state.add_image("Debian 11", "queued", now);
        state.networks.reverse();
    }
    let network =
        cloud.state().networks.iter().find(|one| one.name == "Ext-Net").unwrap().id.clone();
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    let server = expect::created(&cloud, &ran, 3);
    assert_eq!(
        (&server["imageRef"], &server["networks"][0]["uuid"]),
        (&image.into(), &network.into())
    );
}

#[test]
fn with_managed_addresses_none_of_that_description_is_said_once() {
    let cloud = pool(&["a"]);
    address(&cloud, "office-vpn");
    let daemon = Daemon::start(&managed(Settings::of_loop(&cloud)));
    daemon.wait_for_passes(&cloud, 3);
    let said = "no floating IP of the project has the description \"server\"";
    assert_eq!(daemon.log().matches(said).count(), 1, "{}", daemon.log());
}

#[test]
fn a_floating_ip_that_forwards_ports_is_left_alone_and_said_once() {
    let cloud = pool(&["a"]);
    let id = address(&cloud, "server");
    cloud.state().floating_ips[0].forwards = true;
    let daemon = Daemon::start(&managed(Settings::of_loop(&cloud)));
    daemon.wait_for_passes(&cloud, 3);
    assert_eq!(cloud.state().holder(&id), None, "{}", daemon.log());
    assert_eq!(
        daemon.log().matches("203.0.113.1 forwards single ports").count(),
        1,
        "{}",
        daemon.log()
    );
    assert!(cloud.changes().is_empty(), "{}", cloud.journal());
}

#[test]
fn an_address_of_no_told_type_that_is_a_floating_ip_is_not_asked() {
    let cloud = pool(&["a", "b", "c"]);
    {
        let mut state = cloud.state();
        let id = state.servers[0].id.clone();
        state.add_floating_ip(Some(&id));
        // In numeric order it comes first, and nobody listens there.
        state.floating_ips[0].address = "10.0.0.1".parse().unwrap();
    }
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::hides(&["OS-EXT-IPS:type"]));
    let ran = once(&Settings::of(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "27"));
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_nova_that_was_rolled_back_is_spoken_to_in_what_it_still_knows() {
    for max in [Some(60), Some(38), Some(1)] {
        let cloud = pool(&["a"]);
        let daemon = Daemon::start(&Settings::of_loop(&cloud));
        daemon.wait_for_passes(&cloud, 1);
        cloud.state().microversion_max = max;
        cloud.forget_requests();
        daemon.wait_for_passes(&cloud, 3);
        let refused = cloud.requests().iter().filter(|one| one.status == Some(406)).count();
        assert_eq!(refused, 1, "with {max:?}: {}\n{}", cloud.journal(), daemon.log());
        assert_eq!(cloud.count("POST", "/auth/tokens"), 0, "{}", cloud.journal());
        assert!(!daemon.log().contains("ERROR"), "{}", daemon.log());
    }
}

#[test]
fn a_creation_refused_for_its_version_is_sent_once_more() {
    let cloud = Cloud::start();
    // Nova is rolled back between the list and the creation.
    let refusal = Fault::Answer(crate::fake::Response::json(
        406,
        &serde_json::json!({"computeFault": {
        "code": 406, "message": "Version 2.69 is not supported by the API. Minimum is 2.1 and maximum is 2.60."}}),
    ));
    cloud.fault("POST", "/servers", Times::Next(1), refusal);
    cloud.fault("GET", "/v2.1", Times::Next(1), Fault::changed(|_| {}));
    cloud.fault(
        "GET",
        "/v2.1",
        Times::Always,
        Fault::changed(|body| body["version"]["version"] = "2.60".into()),
    );
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    assert_eq!(cloud.count("POST", "/servers"), 2, "{}\n{ran}", cloud.journal());
    assert_eq!(cloud.state().servers.len(), 3);
}

#[test]
fn an_endpoint_that_moved_is_found_at_the_next_pass() {
    for service in [Service::Compute, Service::Network] {
        let cloud = pool(&["a"]);
        address(&cloud, "server");
        cloud.state().catalog.elsewhere.insert(service, "http://127.0.0.1:1".into());
        let daemon =
            Daemon::start(&managed(Settings::of_loop(&cloud)).with("OPENSTACK_API_TIMEOUT", "1"));
        daemon.wait_for_log(&["ERROR", "127.0.0.1:1", "connection refused"]);
        cloud.state().catalog.elsewhere.clear();
        daemon.wait_until("the address to be bound", || {
            cloud.state().floating_ips[0].port_id.is_some()
        });
    }
}

#[test]
fn an_endpoint_that_another_program_took_over_is_looked_for_again_but_not_by_each_request() {
    let cloud = pool(&["a"]);
    address(&cloud, "server");
    let daemon = Daemon::start(&managed(Settings::of_loop(&cloud)));
    daemon.wait_for_passes(&cloud, 1);
    cloud.fault("GET", "/floatingips", Times::Always, Fault::html(200));
    daemon.wait_for_log(&["ERROR", "cannot list the floating IPs"]);
    cloud.forget_requests();
    daemon.wait_for_passes(&cloud, 3);
    let logins = cloud.count("POST", "/auth/tokens");
    assert!((2..=4).contains(&logins), "{logins} logins: {}", cloud.journal());
}

#[test]
fn a_dead_endpoint_gives_way_to_the_next_of_its_kind() {
    let cloud = Cloud::start();
    cloud.state().catalog.dead_first = true;
    address(&cloud, "server");
    cloud.boots_say(Says::free(1));
    let daemon =
        Daemon::start(&managed(Settings::of_loop(&cloud)).with("OPENSTACK_API_TIMEOUT", "1"));
    daemon
        .wait_until("the address to be bound", || cloud.state().floating_ips[0].port_id.is_some());
    assert_eq!(cloud.state().servers.len(), 3, "{}", daemon.log());
    assert_eq!(cloud.count("POST", "/servers"), 1, "{}", cloud.journal());
    let said = "instead of an endpoint that cannot be reached";
    assert_eq!(daemon.log().matches(said).count(), 3, "once a service\n{}", daemon.log());
}

#[test]
fn an_image_service_of_version_1_fails_the_creation_by_name_and_no_deletion() {
    let cloud = pool(&[]);
    cloud.state().catalog.image_suffix = "/v1".into();
    let done = cloud.add_replica("done", Says::finished());
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(1).expect_line(&["ERROR", "cannot create", "the image service", "/v1"]);
    expect::deleted(&cloud, &ran, &[&done]);
    run(&["--check"], &Settings::of(&cloud)).expect_line(&["FAULT", "image service", "/v1"]);
}

#[test]
fn a_community_image_by_name_is_refused_with_its_id() {
    let cloud = Cloud::start();
    let id = {
        let mut state = cloud.state();
        let now = state.now();
        let id = state.add_image("Debian 12", "active", now);
        state.images.last_mut().unwrap().visibility = "community".into();
        id
    };
    let settings = Settings::of(&cloud).with("OPENSTACK_IMAGE", "Debian 12");
    let ran = once(&settings);
    ran.expect_status(1).expect_line(&["ERROR", "Debian 12", "community image", &id]);
    once(&settings.with("OPENSTACK_IMAGE", &id)).expect_status(0);
}

#[test]
fn a_check_with_a_wrong_region_says_that_the_region_is_wrong() {
    let cloud = Cloud::start();
    let ran = run(&["--check"], &Settings::of(&cloud).with("OS_REGION_NAME", "GRA9"));
    ran.expect_status(1).expect_line(&["ok", "login", "project devproject"]);
    ran.expect_line(&["FAULT", "region", "OS_REGION_NAME \"GRA9\": no such region (have: SBG7)"]);
    assert!(!ran.stdout.lines().any(|line| line.starts_with("FAULT    login")), "{ran}");
}

/// So much user data for each server that 450 are more than an answer may be, as an administrator sees them.
fn administrators_list(cloud: &Cloud) {
    for number in 0..450 {
        let id = cloud
            .state()
            .add_server(&format!("other-{number}"), Fixed::At("10.0.0.9".parse().unwrap()));
        cloud.state().server(&id).metadata.clear();
    }
    let data = "x".repeat(40_000);
    let with_user_data = move |body: &mut Value| {
        for server in body["servers"].as_array_mut().into_iter().flatten() {
            server["OS-EXT-SRV-ATTR:user_data"] = data.as_str().into();
        }
    };
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::changed(with_user_data));
}

#[test]
fn a_list_that_is_too_large_is_read_on_in_smaller_pages() {
    let cloud = pool(&["a", "b", "c"]);
    administrators_list(&cloud);
    let settings = Settings::of(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "27");
    let ran = once(&settings);
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
    let lists = cloud.count("GET", "/servers/detail");
    assert_eq!(lists, 4, "once too large, then three pages: {}", cloud.journal());

    // What a down cell holds is left out of a page with a limit, and yet seen.
    let id = cloud.state().servers[0].id.clone();
    cloud.state().server(&id).cell_down = true;
    let ran = once(&settings);
    ran.expect_status(1).expect_line(&["ERROR", "cannot list the servers", "partial"]);
    expect::no_change(&cloud, &ran);
}
