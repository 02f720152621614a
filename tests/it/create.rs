//! Creations: what is asked for, and what becomes of refusals.

use std::time::Duration;

use crate::daemon::{Daemon, Settings, once};
use crate::expect;
use crate::fake::{Build, Cloud, Fault, Manner, Says, Times};

#[test]
fn what_a_creation_names_and_does_not_exist_is_told_with_what_does() {
    for (name, value, exists) in [
        ("OPENSTACK_FLAVOR", "d2-9", "d2-8"),
        ("OPENSTACK_IMAGE", "Debian 99", "Debian 11"),
        ("OPENSTACK_NETWORK", "Int-Net", "Ext-Net"),
    ] {
        let cloud = Cloud::start();
        let ran = once(&Settings::of(&cloud).with(name, value));
        ran.expect_status(1).expect_line(&["ERROR", name, value, "SBG7", exists]);
        expect::no_change(&cloud, &ran);
    }
}

#[test]
fn a_creation_that_cannot_be_prepared_holds_up_no_deletion() {
    let cloud = Cloud::start();
    let finished = cloud.add_replica("done", Says::finished());
    for (name, value) in [
        ("OPENSTACK_FLAVOR", "d2-9"),
        ("OPENSTACK_IMAGE", "Debian 99"),
        ("OPENSTACK_CLOUD_INIT_FILE", "/nonexistent/cloud-init"),
    ] {
        cloud.forget_requests();
        let ran = once(&Settings::of(&cloud).with(name, value));
        ran.expect_status(1).expect_line(&["ERROR", name]);
        expect::created(&cloud, &ran, 0);
        expect::deleted(&cloud, &ran, &[&finished]);
        let mut state = cloud.state();
        (state.server(&finished).task_state, state.server(&finished).lists_left) = (None, None);
    }
}

#[test]
fn ids_serve_as_well_as_names() {
    let cloud = Cloud::start();
    let (flavor, image, network) = {
        let state = cloud.state();
        (state.flavors[0].id.clone(), state.images[0].id.clone(), state.networks[1].id.clone())
    };
    let settings = Settings::of(&cloud)
        .with("OPENSTACK_FLAVOR", &flavor)
        .with("OPENSTACK_IMAGE", &image)
        .with("OPENSTACK_NETWORK", &network);
    let ran = once(&settings);
    ran.expect_status(0);
    let body = expect::created(&cloud, &ran, 3);
    assert_eq!((&body["flavorRef"], &body["imageRef"]), (&flavor.into(), &image.into()));
    assert_eq!(body["networks"][0]["uuid"], network.as_str());
}

#[test]
fn the_newest_active_image_of_the_name_is_used() {
    let cloud = Cloud::start();
    let newest = {
        let mut state = cloud.state();
        let now = state.now();
        state.add_image("Debian 11", "active", now - Duration::from_secs(7200));
        state.add_image("Debian 11", "deactivated", now);
        state.add_image("Debian 11", "active", now - Duration::from_secs(3600))
    };
    let ran = once(&Settings::of(&cloud));
    ran.expect_line(&["Debian 11", &newest]);
    assert_eq!(expect::created(&cloud, &ran, 3)["imageRef"], newest.as_str());
}

#[test]
fn a_flavor_on_a_later_page_is_found() {
    let cloud = Cloud::start();
    cloud.state().page_max = 1;
    once(&Settings::of(&cloud).with("OPENSTACK_FLAVOR", "d2-8")).expect_status(0);
}

#[test]
fn what_nova_says_against_a_creation_is_told() {
    let cloud = Cloud::start();
    let ran = once(&Settings::of(&cloud).with("OPENSTACK_KEYPAIR", "gone"));
    ran.expect_status(1).expect_line(&["ERROR", "Invalid key_name provided"]);
    assert_eq!(cloud.count("POST", "/servers"), 1, "{}\n{ran}", cloud.journal());
}

#[test]
fn a_quota_gives_what_it_leaves_room_for() {
    let cloud = Cloud::start();
    cloud.state().instances_max = 2;
    let settings = Settings::of(&cloud);
    let ran = once(&settings);
    expect::created(&cloud, &ran, 3);
    assert_eq!(cloud.state().servers.len(), 2, "{ran}");
    cloud.forget_requests();
    let ran = once(&settings);
    ran.expect_status(1).expect_line(&["ERROR", "Quota exceeded"]);
    expect::created(&cloud, &ran, 1);
}

#[test]
fn after_a_creation_with_an_unclear_outcome_no_pass_creates_too_many() {
    let cases = [
        Fault::html(503),
        Fault::html(504),
        Fault::Sent(Manner::Closed),
        Fault::Sent(Manner::Reset),
        Fault::Sent(Manner::CutShort),
        Fault::Sent(Manner::HangBeforeHeaders),
        Fault::Truncated,
        Fault::Undone(Manner::Closed),
    ];
    expect::each(cases, |fault| {
        let cloud = Cloud::start();
        cloud.boots_say(Says::free(1));
        cloud.fault("POST", "/servers", Times::Next(1), fault.clone());
        let settings = Settings::of_loop(&cloud).with("OPENSTACK_API_TIMEOUT", "1");
        let daemon = Daemon::start(&settings);
        daemon.wait_for_log(&["ERROR", "create 3"]);
        daemon.wait_until(&format!("three servers after {fault:?}; {}", cloud.journal()), || {
            cloud.state().servers.len() >= 3
        });
        daemon.wait_for_passes(&cloud, 3);
        assert_eq!(
            cloud.state().servers.len(),
            3,
            "{fault:?}: {}\n{}",
            cloud.journal(),
            daemon.log()
        );
    });
}

#[test]
fn a_cloud_that_drops_metadata_is_not_filled_by_it() {
    let cloud = Cloud::start();
    cloud.state().drops_metadata = true;
    let other = cloud.add_silent("server-abc-1");
    cloud.state().server(&other).metadata.clear();
    for _ in 0..10 {
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(1);
        ran.expect_line(&[
            "ERROR",
            "cannot create 3",
            "without their metadata",
            "3 of 3 are deleted",
        ]);
        let state = cloud.state();
        let staying =
            state.servers.iter().filter(|one| one.task_state.as_deref() != Some("deleting"));
        let staying: Vec<&str> = staying.map(|one| one.id.as_str()).collect();
        assert_eq!(staying, [other.as_str()], "{ran}");
    }
}

#[test]
fn a_creation_is_never_sent_twice_for_one_decision() {
    let cases = [
        Fault::html(500),
        Fault::html(503),
        Fault::rate_limited("1"),
        Fault::Sent(Manner::Closed),
        Fault::Undone(Manner::Reset),
        Fault::Truncated,
    ];
    expect::each(cases, |fault| {
        let cloud = Cloud::start();
        cloud.fault("POST", "/servers", Times::Next(1), fault.clone());
        let ran = once(&Settings::of(&cloud).with("OPENSTACK_API_TIMEOUT", "2"));
        assert_eq!(ran.status, Some(1), "{fault:?}\n{ran}");
        assert_eq!(cloud.count("POST", "/servers"), 1, "{fault:?}: {}\n{ran}", cloud.journal());
    });
}

#[test]
fn builds_that_fail_are_cleared_away_and_make_the_next_batch_smaller() {
    let cloud = Cloud::start();
    cloud.boots_say(Says::free(1));
    cloud.state().next_builds = [Build::Fails(0), Build::Fails(0), Build::Active(0)].into();
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_until("three healthy replicas", || {
        cloud.state().servers.iter().filter(|server| server.vm_state == "active").count() == 3
    });
    daemon.wait_for_passes(&cloud, 2);
    let batches: Vec<u64> = cloud
        .changes()
        .iter()
        .filter(|request| request.method == "POST")
        .map(|request| request.json()["server"]["max_count"].as_u64().unwrap())
        .collect();
    assert_eq!(batches, [3, 1, 1], "{}\n{}", cloud.journal(), daemon.log());
    let deletions = cloud.changes().iter().filter(|request| request.method == "DELETE").count();
    assert_eq!(deletions, 2, "{}\n{}", cloud.journal(), daemon.log());
}
