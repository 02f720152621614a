//! What operators look at: metrics, the log, explanations, and the signal that starts a pass.

use rustix::process::Signal;
use serde_json::Value;

use crate::daemon::{Daemon, Ran, Settings, run};
use crate::expect;
use crate::fake::{Cloud, Fault, Gate, Says, Times};
use crate::metrics::{metric, metrics, wait_for_metric};

/// A pool that wants nothing.
fn content() -> Cloud {
    let cloud = Cloud::start();
    for name in ["a", "b", "c"] {
        cloud.add_replica(name, Says::free(1));
    }
    cloud
}

/// How many lines of the log have all of `words`.
fn count(log: &str, words: &[&str]) -> usize {
    log.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

#[test]
fn metrics_tell_good_passes_from_bad_ones_and_why_they_are_bad() {
    let cloud = content();
    cloud.add_silent("silent");
    let daemon = Daemon::start(&Settings::of_loop(&cloud).with("OPENSTACK_API_TIMEOUT", "1"));
    wait_for_metric(&daemon, "simplescalevm_passes_total{result=\"ok\"}", |passes| passes >= 1.0);
    let sample = |sample: &str| metric::<f64>(&daemon, sample);
    assert!((sample("simplescalevm_replicas{state=\"healthy\"}") - 3.0).abs() < 0.1);
    assert!((sample("simplescalevm_resources_wanted") - 3.0).abs() < 0.1);
    assert!(sample("simplescalevm_probe_failures_total{reason=\"unreachable\"}") >= 1.0);
    assert!(
        sample("simplescalevm_cloud_requests_total{service=\"identity\",status=\"2xx\"}") >= 1.0
    );
    assert!(sample("simplescalevm_phase_duration_seconds_count{phase=\"list\"}") >= 1.0);

    cloud.fault("GET", "/servers/detail", Times::Always, Fault::html(503));
    wait_for_metric(&daemon, "simplescalevm_passes_total{result=\"failed\"}", |passes| {
        passes >= 2.0
    });
    assert!(sample("simplescalevm_failures_total{kind=\"unclear\"}") >= 2.0);
    assert!(
        sample("simplescalevm_cloud_requests_total{service=\"compute\",status=\"5xx\"}") >= 2.0
    );
    let age = sample("simplescalevm_last_good_pass_age_seconds");
    assert!(age >= 2.0, "two passes failed, and the last good one is {age} s old");
    assert!(
        (sample("simplescalevm_replicas{state=\"healthy\"}") - 3.0).abs() < 0.1,
        "the pool as it was last seen"
    );
}

#[test]
fn metrics_count_what_is_done_and_what_is_not() {
    let cloud = content();
    cloud.boots_say(Says::free(1));
    let finished = cloud.add_replica("done", Says::finished());
    let address = cloud.state().add_floating_ip(Some(&finished));
    let settings = Settings::of_loop(&cloud)
        .with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", "5");
    cloud.fault("POST", "/servers", Times::Next(1), Fault::html(503));
    let daemon = Daemon::start(&settings);
    for sample in [
        "simplescalevm_replicas_deleted_total{reason=\"finished\"}",
        "simplescalevm_address_moves_total",
        "simplescalevm_external_addresses{holder=\"healthy\"}",
        "simplescalevm_failures_total{kind=\"unclear\"}",
    ] {
        wait_for_metric(&daemon, sample, |value| (value - 1.0).abs() < 0.1);
    }
    wait_for_metric(&daemon, "simplescalevm_replicas_created_total", |count| count >= 2.0);
    let page = metrics(&daemon);
    for hidden in [&finished, &address, "done", "127.0.0"] {
        assert!(!page.contains(hidden), "{hidden} is in the metrics:\n{page}");
    }
}

#[test]
fn json_logs_are_an_object_a_line_whatever_happens() {
    let cloud = content();
    cloud.add_replica("done", Says::finished());
    cloud.fault("DELETE", "/servers/*", Times::Always, Fault::html(500));
    let loud = Settings::of_loop(&cloud)
        .with("LOG_FORMAT", "json")
        .with("RUST_LOG", "trace")
        .with("OPENSTACK_API_TIMEOUT", "1");
    let mut daemon = Daemon::start(&loud);
    daemon.wait_for_log(&["cannot delete done"]);
    daemon.wait_for_passes(&cloud, 2);
    check_json(&daemon.terminate());
    check_json(run(&["--once"], &loud.clone().with("REPLICA_CAPACITY", "0")).expect_status(2));
    check_json(run(&["--onec"], &loud).expect_status(2));
}

#[track_caller]
fn check_json(ran: &Ran) {
    assert!(!ran.stderr.is_empty(), "nothing was logged\n{ran}");
    for line in ran.stderr.lines() {
        let value: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{error} in the line {line}\n{ran}"));
        let fields: Vec<&String> = value.as_object().expect("an object").keys().collect();
        assert_eq!(fields, ["level", "message", "target", "time"], "{line}");
    }
}

#[test]
fn a_wrong_log_format_is_a_fault_of_the_settings() {
    let cloud = content();
    let ran = run(&["--once"], &Settings::of(&cloud).with("LOG_FORMAT", "xml"));
    ran.expect_status(2).expect_line(&["LOG_FORMAT", "xml", "text or json"]);
}

#[test]
fn a_quiet_pass_says_nothing() {
    let cloud = content();
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_for_status("/healthz", 200);
    let before = daemon.log();
    daemon.wait_for_passes(&cloud, 3);
    assert_eq!(daemon.log(), before, "quiet passes said something");
}

#[test]
fn a_step_that_fails_each_pass_is_said_at_growing_distances_and_its_end_once() {
    let cloud = content();
    let done = cloud.add_replica("done", Says::finished());
    cloud.fault("DELETE", "/servers/*", Times::Always, Fault::html(409));
    let mut daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_for_log(&[
        "still failing",
        &format!("cannot delete done ({done})"),
        "(4 passes, since ",
    ]);
    cloud.no_faults();
    daemon.wait_for_log(&["INFO", "recovered after", "cannot delete done"]);
    let log = daemon.terminate().stderr;
    let said = count(&log, &["ERROR", "cannot delete done"]);
    assert_eq!(said, 3, "after 1, 2 and 4 passes:\n{log}");
    assert_eq!(count(&log, &["recovered"]), 1, "{log}");
}

#[test]
fn a_cloud_that_is_down_is_said_at_growing_distances_and_its_end_once() {
    let cloud = content();
    let settings = Settings::of_loop(&cloud).with("OPENSTACK_API_TIMEOUT", "1");
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::html(503));
    let mut daemon = Daemon::start(&settings);
    daemon.wait_for_log(&["ERROR", "still failing: cannot list the servers", "(4 passes, since "]);
    cloud.no_faults();
    daemon.wait_for_log(&["INFO", "recovered after", "cannot list the servers"]);
    daemon.wait_for_passes(&cloud, 2);
    let log = daemon.terminate().stderr;
    assert_eq!(count(&log, &["ERROR", "cannot list the servers"]), 3, "{log}");
}

#[test]
fn every_cloud_request_is_shown_at_debug_with_its_request_id() {
    let cloud = content();
    let settings = Settings::of(&cloud).with("RUST_LOG", "simplescalevm::http=debug");
    let ran = run(&["--once"], &settings);
    ran.expect_line(&["DEBUG", "GET http://", "/servers/detail", "status 200 in ", " ms (req-"]);
    let requests = count(&ran.stderr, &["status 2", " ms ("]);
    assert_eq!(requests, cloud.requests().len(), "{}\n{ran}", cloud.journal());
}

#[test]
fn a_dry_run_explains_what_it_sees_and_would_do() {
    let cloud = content();
    cloud.add_replica("done", Says::finished());
    let settings = Settings::of(&cloud)
        .with("REPLICA_CAPACITY", "2")
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", "6");
    let ran = run(&["--once", "--dry-run"], &settings);
    ran.expect_status(0)
        .expect_line(&["replica", "state", "capacity", "why"])
        .expect_line(&["a (", "healthy", " 1 "])
        .expect_line(&["done (", "finished", " 0 "])
        .expect_line(&["free 3 = 3 answered; wanted 6; short 3 → 2 replicas of 2"]);
    assert_eq!(count(&ran.stdout, &["create 2 replicas"]), 1, "printed once\n{ran}");
    assert_eq!(count(&ran.stderr, &["not done: create 2 replicas"]), 1, "logged once\n{ran}");
    expect::no_change(&cloud, &ran);

    let settings = settings.with("APP_STATUS_DETAIL", "summary");
    let ran = run(&["--once", "--dry-run", "--output", "json"], &settings);
    let page: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{ran}"));
    assert_eq!(page["resources"]["missingReplicas"], 2, "{page:#}");
    assert_eq!(page["replicas"].as_array().map(Vec::len), Some(4), "{page:#}");
    assert_eq!(page["plan"][1]["kind"], "create", "{page:#}");
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_pool_that_cannot_be_seen_is_explained_as_json_too() {
    let cloud = content();
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::html(403));
    let ran = run(&["--once", "--dry-run", "--output=json"], &Settings::of(&cloud));
    ran.expect_status(1);
    let page: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{ran}"));
    assert_eq!(page["lastPass"]["ok"], false, "{page:#}");
    assert_eq!(page["resources"], Value::Null, "{page:#}");
}

#[test]
fn sigusr1_starts_a_pass_now() {
    let cloud = content();
    let mut daemon = Daemon::start(&Settings::of_loop(&cloud).with("APP_INTERVAL", "3600"));
    daemon.wait_for_status("/healthz", 200);
    for passes in 2..=3 {
        daemon.signal(Signal::USR1);
        daemon.wait_until(&format!("pass {passes}"), || daemon.get("/").1["passes"] == passes);
    }
    daemon.terminate().expect_status(0);
}

#[test]
fn sigusr1_during_a_pass_means_one_more_right_after() {
    let cloud = content();
    let gate = Gate::default();
    cloud.fault("GET", "/servers/detail", Times::Next(1), Fault::HeldBefore(gate.clone()));
    let mut daemon = Daemon::start(&Settings::of_loop(&cloud).with("APP_INTERVAL", "3600"));
    daemon.wait_until("the pass stuck", || gate.reached() == 1);
    daemon.signal(Signal::USR1);
    daemon.wait_for_log(&["SIGUSR1"]);
    gate.open();
    daemon.wait_until("a second pass", || daemon.get("/").1["passes"] == 2);
    daemon.terminate().expect_status(0);
}
