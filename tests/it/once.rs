//! One pass, with `--once`.

use crate::daemon::{Daemon, Settings, once, run};
use crate::expect;
use std::io::Write;
use std::net::{IpAddr, Ipv6Addr, TcpListener};

use crate::fake::{Build, Cloud, Fixed, Says, decoded};

#[test]
fn an_empty_project_gets_its_replicas_by_one_request() {
    let cloud = Cloud::start();
    let user_data = "#cloud-config\npackages: [nginx]\n";
    let path = super::settings::file("cloud-init", user_data);
    let settings = Settings::of(&cloud)
        .with("OPENSTACK_KEYPAIR", "ops")
        .with("OPENSTACK_CLOUD_INIT_FILE", path.to_str().unwrap());
    let ran = once(&settings);
    ran.expect_status(0);

    let body = expect::created(&cloud, &ran, 3);
    let (flavor, image, network) = {
        let state = cloud.state();
        let flavor = state.flavors.iter().find(|flavor| flavor.name == "d2-8").unwrap().id.clone();
        (flavor, state.images[0].id.clone(), state.networks[0].id.clone())
    };
    assert_eq!(body["min_count"], 1, "a quota that leaves room for some must give some");
    assert_eq!(body["flavorRef"], flavor.as_str());
    assert_eq!(body["imageRef"], image.as_str());
    assert_eq!(body["networks"], serde_json::json!([{"uuid": network}]));
    assert_eq!(body["key_name"], "ops");
    let sent = decoded(body["user_data"].as_str().unwrap()).unwrap();
    assert_eq!(String::from_utf8(sent).unwrap(), user_data);
    assert_eq!(body["metadata"]["group"], "scaler");
    let batch = body["metadata"]["simplescalevm-batch"].as_str().unwrap();
    assert_eq!(body["name"], format!("server-{batch}"));
    assert_eq!(cloud.state().servers.len(), 3, "{}\n{ran}", cloud.journal());
}

#[test]
fn a_second_pass_changes_nothing_while_the_first_ones_servers_boot() {
    let cloud = Cloud::start();
    cloud.state().build = Build::Active(2);
    let settings = Settings::of(&cloud);
    once(&settings).expect_status(0);
    for when in ["building", "still building", "active and silent", "active and silent"] {
        cloud.forget_requests();
        let ran = once(&settings);
        ran.expect_status(0);
        assert!(cloud.changes().is_empty(), "{when}: {}\n{ran}", cloud.journal());
    }
}

#[test]
fn two_runs_never_share_a_batch_mark() {
    let cloud = Cloud::start();
    let settings = Settings::of(&cloud);
    let mut marks = Vec::new();
    for _ in 0..2 {
        let ran = once(&settings);
        let body = expect::created(&cloud, &ran, 3);
        marks.push(body["metadata"]["simplescalevm-batch"].clone());
        cloud.state().servers.clear();
        cloud.forget_requests();
    }
    assert_ne!(marks[0], marks[1]);
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let cloud = Cloud::start();
    for name in ["a", "b", "c"] {
        cloud.add_replica(name, Says::free(1));
    }
    let finished = cloud.add_replica("done", Says::finished());
    let settings = Settings::of(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "5");
    let ran = run(&["--once", "--dry-run"], &settings);
    ran.expect_status(0).expect_line(&["delete done", &finished]).expect_line(&["create 2"]);
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_full_pool_is_left_as_it_is() {
    let cloud = Cloud::start();
    for name in ["a", "b", "c"] {
        cloud.add_replica(name, Says::free(1));
    }
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_replica_without_free_resources_makes_one_more() {
    let cloud = Cloud::start();
    for (name, free) in [("a", 1), ("b", 1), ("c", 0)] {
        cloud.add_replica(name, Says::free(free));
    }
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    expect::created(&cloud, &ran, 1);
    expect::deleted(&cloud, &ran, &[]);
}

#[test]
fn the_worked_example_of_the_python_documentation() {
    // Capacity 3, minimum 6: one finished, one silent, one with 1 free, one building: ceil((6 - 4) / 3) = 1.
    let cloud = Cloud::start();
    let finished = cloud.add_replica("finished", Says::finished());
    cloud.add_silent("silent");
    cloud.add_replica("one-free", Says::free(1));
    let building = cloud.add_silent("building");
    {
        let mut state = cloud.state();
        let now = state.now();
        let server = state.server(&building);
        (server.vm_state, server.created, server.launched) = ("building".into(), now, None);
    }
    let settings = Settings::of(&cloud)
        .with("REPLICA_CAPACITY", "3")
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", "6");
    let ran = once(&settings);
    // A replica is silent and resources are missing: all is done, and somebody should look.
    ran.expect_status(1);
    expect::created(&cloud, &ran, 1);
    expect::deleted(&cloud, &ran, &[&finished]);
}

#[test]
fn a_dead_pool_is_refilled_and_the_status_says_so() {
    for dead in 1..=3_u64 {
        let cloud = Cloud::start();
        for number in 0..dead {
            cloud.add_silent(&format!("dead-{number}"));
        }
        let settings =
            Settings::of(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", &dead.to_string());
        let ran = once(&settings);
        ran.expect_status(1);
        ran.expect_line(&["WARN", "dead-0", "is silent"]);
        expect::created(&cloud, &ran, dead);
        expect::deleted(&cloud, &ran, &[]);
    }
}

#[test]
fn a_pool_full_of_dead_replicas_is_an_error() {
    let cloud = Cloud::start();
    cloud.add_silent("a");
    cloud.add_silent("b");
    let settings =
        Settings::of(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "2").with("REPLICA_MAX", "2");
    let ran = once(&settings);
    ran.expect_status(1);
    ran.expect_line(&["ERROR", "REPLICA_MAX 2 is reached", "2 silent"]);
    expect::no_change(&cloud, &ran);
}

#[test]
fn the_replicas_own_path_and_keys_are_used() {
    let cloud = Cloud::start();
    let says = Says::Raw(200, r#"{"slots": {"free": 3}, "done": false}"#.into());
    let server = cloud.add_replica("a", says);
    let settings = Settings::of(&cloud)
        .with("REPLICA_API_PATH", "/status?full=1")
        .with("REPLICA_API_CAPACITY_KEY", "/slots/free")
        .with("REPLICA_API_TERMINATION_KEY", "done");
    let ran = once(&settings);
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
    assert_eq!(cloud.questions(&server), ["GET /status?full=1"], "{ran}");
}

#[test]
fn replicas_are_asked_by_ipv6_on_request() {
    let cloud = Cloud::start();
    let localhost = IpAddr::V6(Ipv6Addr::LOCALHOST);
    if TcpListener::bind((localhost, 0)).is_err() {
        // Not `eprintln`, which is captured: a test that is skipped says so.
        let why = "skipped: replicas_are_asked_by_ipv6_on_request: no IPv6 on loopback\n";
        std::io::stderr().write_all(why.as_bytes()).unwrap();
        return;
    }
    let server = cloud.add_silent("a");
    let network = cloud.state().networks[0].id.clone();
    cloud.state().add_port(&server, &network, Fixed::At(localhost));
    cloud.replica_at(localhost, Says::free(3));
    let ran = once(&Settings::of(&cloud).with("OPENSTACK_IP_VERSION", "6"));
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
}

#[test]
fn who_could_not_be_asked_for_want_of_descriptors_is_asked_first_when_there_are_some() {
    let cloud = Cloud::start();
    // The list begins with the newest.
    let done = cloud.add_replica("done", Says::finished());
    for number in 0..30 {
        cloud.add_replica(&format!("hole-{number}"), Says::black_hole());
    }
    let settings = Settings::of(&cloud).with("REPLICA_API_TIMEOUT", "2");
    let settings = settings.with("REPLICA_API_RETRIES", "1");
    let ran = Daemon::start_under("ulimit -n 32", &["--once"], &settings).wait_for_end();
    expect::deleted(&cloud, &ran, &[&done]);
}
