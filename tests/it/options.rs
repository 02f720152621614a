//! What the VMs get beyond flavor, image and network, by the executable; the contract has the rest.

use std::fs;

use serde_json::{Value, json};

use crate::daemon::{Daemon, Settings, once, run};
use crate::expect;
use crate::fake::{Cloud, Says};
use crate::settings::file;

#[test]
fn what_is_set_is_asked_for() {
    let cloud = Cloud::start();
    let group = cloud.state().add_security_group("web");
    let spread = cloud.state().add_server_group("spread");
    let hints = json!({"group": spread});
    let path = file(
        "options-asked-for",
        &json!({"description": "a recorder", "os:scheduler_hints": hints}).to_string(),
    );
    let settings = Settings::of(&cloud)
        .with("OPENSTACK_SECURITY_GROUPS", "web")
        .with("OPENSTACK_AVAILABILITY_ZONE", "nova")
        .with("OPENSTACK_SERVER_FILE", path.to_str().unwrap());
    let ran = once(&settings);
    ran.expect_status(0);
    let body = expect::created(&cloud, &ran, 3);
    assert_eq!(body["security_groups"], json!([{"name": group}]), "{body}");
    assert_eq!(body["availability_zone"], "nova");
    assert_eq!(body["description"], "a recorder");
    let request = cloud.changes().remove(0).json();
    assert_eq!(request["os:scheduler_hints"], hints, "beside the server: {request}");
}

#[test]
fn filters_that_neutron_drops_give_no_other_security_group() {
    let cloud = Cloud::start();
    cloud.state().add_security_group("web");
    cloud.state().drops_filters = true;
    let ran = once(&Settings::of(&cloud).with("OPENSTACK_SECURITY_GROUPS", "web"));
    ran.expect_status(0);
    expect::created(&cloud, &ran, 3);
    assert_eq!(cloud.state().servers[0].security_groups, ["web"]);
    cloud.state().servers.clear();
    let ran = once(&Settings::of(&cloud).with("OPENSTACK_SECURITY_GROUPS", "lost"));
    ran.expect_status(1).expect_line(&[
        "ERROR",
        "OPENSTACK_SECURITY_GROUPS \"lost\"",
        "(have: default, web)",
    ]);
}

#[test]
fn another_projects_group_of_the_same_name_is_not_meant() {
    let cloud = Cloud::start();
    let own = cloud.state().add_security_group("web");
    let other = cloud.state().add_security_group("web");
    cloud.state().security_groups.iter_mut().find(|group| group.id == other).unwrap().project_id =
        "another".into();
    let ran = once(&Settings::of(&cloud).with("OPENSTACK_SECURITY_GROUPS", "web"));
    let body = expect::created(&cloud, &ran, 3);
    assert_eq!(body["security_groups"], json!([{"name": own}]));
}

#[test]
fn a_server_file_that_is_wrong_at_the_start_ends_the_program() {
    let cloud = Cloud::start();
    for (name, content, expected) in [
        ("options-no-json", "{", "is not JSON: see line 1, column 1"),
        ("options-own", "{\"name\": \"x\"}", "\"name\" is the program's own"),
    ] {
        let path = file(name, content);
        let settings = Settings::of(&cloud).with("OPENSTACK_SERVER_FILE", path.to_str().unwrap());
        for arguments in [&["--once"][..], &["--check"], &[]] {
            let ran = run(arguments, &settings);
            ran.expect_status(2).expect_line(&["OPENSTACK_SERVER_FILE", expected]);
            expect::no_change(&cloud, &ran);
        }
    }
}

#[test]
fn a_server_file_that_breaks_later_fails_the_creation_alone_until_it_is_mended() {
    let cloud = Cloud::start();
    cloud.boots_say(Says::free(1));
    let replicas = ["a", "b", "c"].map(|name| cloud.add_replica(name, Says::free(1)));
    let path = file("options-breaks", "{\"tags\": [\"before\"]}");
    let settings = Settings::of_loop(&cloud).with("OPENSTACK_SERVER_FILE", path.to_str().unwrap());
    let daemon = Daemon::start(&settings);
    daemon.wait_for_passes(&cloud, 1);
    fs::write(&path, "{\"tags\": \"broken\"}").unwrap();
    cloud.replica(&replicas[0], Says::finished());
    daemon.wait_for_log(&["ERROR", "OPENSTACK_SERVER_FILE", "\"tags\" must be a list of strings"]);
    daemon.wait_until("the finished one gone all the same", || cloud.state().servers.len() == 2);
    assert_eq!(cloud.count("POST", "/servers"), 0, "{}", cloud.journal());
    fs::write(&path, "{\"tags\": [\"after\"]}").unwrap();
    daemon.wait_until("another in its place", || {
        let state = cloud.state();
        state.servers.iter().any(|server| server.tags == ["after"])
    });
}

#[test]
fn a_check_tells_a_flavor_without_a_disk_and_what_the_quota_leaves_room_for() {
    let cloud = Cloud::start();
    cloud.state().flavor_disk = 0;
    cloud.state().instances_max = 20;
    let settings = Settings::of(&cloud).with("REPLICA_MAX", "60");
    let ran = run(&["--check"], &settings);
    ran.expect_status(1).expect_line(&[
        "FAULT",
        "flavor",
        "has no disk",
        "OPENSTACK_BOOT_VOLUME_SIZE",
    ]);
    ran.expect_line(&["warning", "quota", "instances 0 of 20 used: REPLICA_MAX 60 does not fit"]);
    ran.expect_line(&["ok", "security group", "default group"]);
    cloud.state().instances_max = 2;
    run(&["--check"], &settings).expect_line(&["FAULT", "quota", "instances 0 of 2 used"]);
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_cloud_that_does_not_tell_its_limits_is_a_warning() {
    let cloud = Cloud::start();
    cloud.fault("GET", "/limits", crate::fake::Times::Always, crate::fake::Fault::html(404));
    let ran = run(&["--check"], &Settings::of(&cloud));
    ran.expect_status(0).expect_line(&["warning", "quota", "cannot be compared with REPLICA_MAX"]);
}

#[test]
fn what_a_boot_volume_needs_and_the_cloud_has_not_makes_nothing() {
    let cloud = Cloud::start();
    let finished = cloud.add_replica("done", Says::finished());
    let ran = once(&Settings::of(&cloud).with("OPENSTACK_BOOT_VOLUME_SIZE", "40"));
    ran.expect_status(1).expect_line(&["ERROR", "OPENSTACK_BOOT_VOLUME_SIZE", "no volumes"]);
    expect::created(&cloud, &ran, 0);
    expect::deleted(&cloud, &ran, &[&finished]);
}

#[test]
fn secrets_of_a_server_file_are_shown_nowhere() {
    let cloud = Cloud::start();
    let fields: Value = json!({"adminPass": "hunter2hunter2", "no_such_field": 5});
    let path = file("options-secrets", &fields.to_string());
    let settings = Settings::of(&cloud)
        .with("OPENSTACK_SERVER_FILE", path.to_str().unwrap())
        .with("RUST_LOG", "trace");
    let ran = once(&settings);
    ran.expect_status(1).expect_line(&["ERROR", "status 400", "not shown"]);
    assert!(!ran.output().contains("hunter2"), "{ran}");
}
