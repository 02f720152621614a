//! Settings: what is wrong with them is said at once, and nothing is done.

use std::fs;
use std::path::PathBuf;

use crate::daemon::{Settings, once};
use crate::expect;
use crate::fake::{Cloud, Service};

/// A file of this test, with this content; it is in the directory Cargo gives to integration tests.
pub fn file(name: &str, content: &str) -> PathBuf {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn every_wrong_setting_is_named_in_one_run() {
    let cloud = Cloud::start();
    let settings = Settings::of(&cloud)
        .without("OS_PASSWORD")
        .with("REPLICA_CAPACITY", "0")
        .with("APP_PORT", "eighty")
        .with("EXTERNAL_ADDRESS_MANAGEMENT", "perhaps")
        .with("OPENSTACK_IP_VERSION", "5")
        .with("OS_IDENTITY_API_VERSION", "2")
        .with("REPLICA_API_PROTOCOL", "gopher");
    let ran = once(&settings);
    ran.expect_status(2);
    for (name, value) in [
        ("OS_PASSWORD", ""),
        ("REPLICA_CAPACITY", "0"),
        ("APP_PORT", "eighty"),
        ("EXTERNAL_ADDRESS_MANAGEMENT", "perhaps"),
        ("OPENSTACK_IP_VERSION", "5"),
        ("OS_IDENTITY_API_VERSION", "2"),
        ("REPLICA_API_PROTOCOL", "gopher"),
    ] {
        ran.expect_line(&[name, value]);
    }
    assert!(cloud.requests().is_empty(), "asked the cloud with wrong settings\n{ran}");
}

#[test]
fn a_mark_in_quotes_makes_no_second_pool() {
    let cloud = Cloud::start();
    let ran = once(&Settings::of(&cloud).with("OPENSTACK_METADATA_VALUE", "\"pool\""));
    ran.expect_status(2);
    ran.expect_line(&[
        r#"OPENSTACK_METADATA_VALUE "\"pool\"": must not be in quotes"#,
        "--env-file",
    ]);
    assert!(cloud.requests().is_empty(), "asked the cloud with wrong settings\n{ran}");
    let ran = once(&Settings::of(&cloud).with("OS_PASSWORD", "'hunter2'"));
    ran.expect_line(&["WARN", "OS_PASSWORD", "quotes"]);
    assert!(!ran.to_string().contains("hunter2"), "{ran}");
}

#[test]
fn nothing_set_names_what_is_required() {
    let ran = once(&Settings::none());
    ran.expect_status(2);
    for name in ["OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_"] {
        ran.expect_line(&[name]);
    }
}

#[test]
fn empty_means_unset() {
    let cloud = Cloud::start();
    let names = ["REPLICA_CAPACITY", "OPENSTACK_KEYPAIR", "REPLICA_MAX", "OS_REGION_NAME"];
    let settings = names.iter().fold(Settings::of(&cloud), |all, name| all.with(name, ""));
    let ran = once(&settings);
    ran.expect_status(0);
    expect::created(&cloud, &ran, 3);
}

#[test]
fn an_unknown_variable_is_warned_of_with_the_nearest_name() {
    let cloud = Cloud::start();
    let ran = once(&Settings::of(&cloud).with("REPLICA_CAPACTY", "3"));
    ran.expect_status(0).expect_line(&["REPLICA_CAPACTY", "REPLICA_CAPACITY"]);
}

#[test]
fn the_names_of_version_3_of_the_python_image_work() {
    let cloud = Cloud::start();
    let settings = Settings::of(&cloud)
        .with("OPENSTACK_SCALED_FLAVOR", "d2-4")
        .with("OPENSTACK_SCALED_NAME", "worker")
        .with("OPENSTACK_METADATA_SCALED_VALUE", "scaled");
    let ran = once(&settings);
    ran.expect_status(0);
    let body = expect::created(&cloud, &ran, 3);
    let flavor = cloud.state().flavors.iter().find(|one| one.name == "d2-4").unwrap().id.clone();
    assert_eq!(body["flavorRef"], flavor.as_str());
    assert_eq!(body["metadata"]["group"], "scaled");
    assert!(body["name"].as_str().unwrap().starts_with("worker-"), "{body}");
}

#[test]
fn two_names_of_one_setting_must_agree() {
    let cloud = Cloud::start();
    let settings = Settings::of(&cloud)
        .with("OPENSTACK_FLAVOR", "d2-8")
        .with("OPENSTACK_SCALED_FLAVOR", "d2-4");
    let ran = once(&settings);
    ran.expect_status(2).expect_line(&["OPENSTACK_FLAVOR", "OPENSTACK_SCALED_FLAVOR"]);
    once(&settings.with("OPENSTACK_SCALED_FLAVOR", "d2-8")).expect_status(0);
}

#[test]
fn self_scaling_of_the_python_image_is_refused() {
    let cloud = Cloud::start();
    let ran = once(&Settings::of(&cloud).with("ENABLE_AUTOSCALING", "true"));
    ran.expect_status(2).expect_line(&["ENABLE_AUTOSCALING"]);
    let settings = Settings::of(&cloud)
        .with("ENABLE_AUTOSCALING", "false")
        .with("OPENSTACK_AUTOSCALER_FLAVOR", "d2-2");
    once(&settings).expect_status(0);
}

#[test]
fn the_password_can_come_from_a_file() {
    let cloud = Cloud::start();
    let password = cloud.state().identity.password.clone();
    let path = file("password", &format!("{password}\n"));
    let path = path.to_str().unwrap();
    let settings = Settings::of(&cloud).with("OS_PASSWORD_FILE", path);
    let both = once(&settings);
    both.expect_status(2).expect_line(&["OS_PASSWORD_FILE", "OS_PASSWORD"]);
    once(&settings.without("OS_PASSWORD")).expect_status(0);
}

#[test]
fn a_max_below_what_the_minimum_needs_is_refused() {
    let cloud = Cloud::start();
    let settings = Settings::of(&cloud).with("REPLICA_CAPACITY", "2").with("REPLICA_MAX", "1");
    once(&settings).expect_status(2).expect_line(&["REPLICA_MAX"]);
    once(&settings.with("REPLICA_MAX", "2")).expect_status(0);
}

#[test]
fn the_auth_url_works_without_its_version() {
    let cloud = Cloud::start();
    for url in [cloud.url(Service::Identity), format!("{}/v3/", cloud.url(Service::Identity))] {
        once(&Settings::of(&cloud).with("OS_AUTH_URL", &url)).expect_status(0);
    }
}

#[test]
fn a_word_that_would_switch_the_log_off_is_told_with_the_other_faults() {
    let settings = Settings::none().with("RUST_LOG", "warning").with("REPLICA_CAPACITY", "many");
    let ran = once(&settings);
    ran.expect_status(2).expect_line(&["RUST_LOG \"warning\": not a level; did you mean warn?"]);
    ran.expect_line(&["REPLICA_CAPACITY"]);
}
