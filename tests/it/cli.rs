//! The command line.

use crate::daemon::{Daemon, Settings, run};
use crate::expect;
use crate::fake::Cloud;

#[test]
fn version_is_told_without_any_setting() {
    let ran = run(&["--version"], &Settings::none());
    ran.expect_status(0);
    let version = concat!("simplescalevm ", env!("CARGO_PKG_VERSION"));
    let rest = ran.stdout.strip_prefix(version).unwrap_or_else(|| panic!("no version\n{ran}"));
    // Without Git, and in no source archive either, nobody knows the commit.
    let commit = rest.trim_end().trim_start_matches(" (").trim_end_matches(')');
    let known = commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(known || rest == "\n", "{ran}");
}

#[test]
fn help_lists_every_option_and_the_settings() {
    let ran = run(&["--help"], &Settings::none());
    ran.expect_status(0);
    for word in ["--once", "--dry-run", "--output", "--check", "--help", "--version"] {
        assert!(ran.stdout.contains(word), "--help does not tell of {word}\n{ran}");
    }
    for word in ["REPLICA_CAPACITY", "OS_PASSWORD_FILE", "OPENSTACK_FLAVOR", "APP_INTERVAL"] {
        assert!(ran.stdout.contains(word), "--help does not tell of {word}\n{ran}");
    }
    assert_eq!(ran.stderr, "", "--help has nothing to say on stderr\n{ran}");
}

#[test]
fn an_unknown_option_is_an_error_that_names_it() {
    for arguments in [&["--onec"][..], &["now"], &["--once", "--fast"], &["--once=1"]] {
        let ran = run(arguments, &Settings::none());
        ran.expect_status(2);
        let wrong = arguments.last().unwrap().trim_end_matches("=1");
        assert!(ran.stderr.contains(wrong), "the error does not name {wrong}\n{ran}");
    }
}

#[test]
fn a_check_of_a_good_setup_shows_what_it_found_and_changes_nothing() {
    let cloud = Cloud::start();
    let settings = Settings::of(&cloud).with("OPENSTACK_KEYPAIR", "ops");
    let ran = run(&["--check"], &settings);
    ran.expect_status(0);
    let (flavor, image, network) = {
        let state = cloud.state();
        let flavor = state.flavors.iter().find(|flavor| flavor.name == "d2-8").unwrap().id.clone();
        (flavor, state.images[0].id.clone(), state.networks[0].id.clone())
    };
    for id in [flavor, image, network] {
        assert!(ran.stdout.contains(&id), "the check does not show {id}\n{ran}");
    }
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_check_names_every_fault_not_only_the_first() {
    let cloud = Cloud::start();
    let settings = Settings::of(&cloud)
        .with("OPENSTACK_FLAVOR", "d9-9")
        .with("OPENSTACK_IMAGE", "Debian 99")
        .with("OPENSTACK_NETWORK", "no-net")
        .with("OPENSTACK_KEYPAIR", "no-key")
        .with("OPENSTACK_CLOUD_INIT_FILE", "/nonexistent/cloud-init");
    let ran = run(&["--check"], &settings);
    assert_ne!(ran.status, Some(0), "a check with faults must fail\n{ran}");
    for wrong in ["d9-9", "Debian 99", "no-net", "no-key", "/nonexistent/cloud-init"] {
        ran.expect_line(&[wrong]);
    }
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_check_shows_which_answers_would_be_refused() {
    let cloud = Cloud::start();
    let bad = r#"{"capacity": 1, "termination": "false"}"#;
    let server = cloud.add_replica("odd", crate::fake::Says::Raw(200, bad.into()));
    let ran = run(&["--check"], &Settings::of(&cloud));
    ran.expect_line(&["odd", "termination"]);
    expect::no_change(&cloud, &ran);
    assert!(cloud.asked(&server) > 0, "the check did not probe the pool\n{ran}");
}

#[test]
fn a_check_that_cannot_ask_every_replica_does_not_call_their_answers_valid() {
    let cloud = Cloud::start();
    cloud.add_crowd(100, 100);
    let settings = Settings::of(&cloud).with("REPLICA_API_RETRIES", "0");
    let settings = settings.without("REPLICA_API_TIMEOUT");
    let ran = Daemon::start_under("ulimit -n 32", &["--check"], &settings).wait_for_end();
    ran.expect_status(1).expect_line(&["FAULT", "answers", "of 100 replicas", "descriptors"]);
}
