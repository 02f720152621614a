//! `REPLICA_MIN_AVAILABLE_RESOURCES_FILE`: another minimum without a restart.

use std::fs;
use std::path::Path;

use crate::daemon::{Daemon, Settings, once, run};
use crate::expect;
use crate::fake::{Cloud, Says};
use crate::settings::file;

const FILE: &str = "REPLICA_MIN_AVAILABLE_RESOURCES_FILE";

/// A cloud whose replicas have one free resource each, and the settings of a loop that follows the file.
fn following(path: &Path) -> (Cloud, Settings) {
    let cloud = Cloud::start();
    cloud.boots_say(Says::free(1));
    let settings = Settings::of_loop(&cloud).with(FILE, path.to_str().unwrap());
    (cloud, settings)
}

fn active(cloud: &Cloud) -> usize {
    cloud.state().servers.iter().filter(|server| server.vm_state == "active").count()
}

#[test]
fn the_pool_follows_the_file_without_a_restart() {
    let path = file("minimum-follows", "2\n");
    let (cloud, settings) = following(&path);
    let daemon = Daemon::start(&settings);
    daemon.wait_until("as many as the file says, not as the variable does", || active(&cloud) == 2);
    daemon.wait_for_passes(&cloud, 2);
    assert_eq!(cloud.state().servers.len(), 2, "{}", daemon.log());

    fs::write(&path, "4").unwrap();
    daemon.wait_until("as many as it says now", || active(&cloud) == 4);
    daemon.wait_for_log(&["INFO", FILE, "wanted from now on: 4 (before: 2)"]);
    daemon.wait_for_passes(&cloud, 1);
    assert_eq!(daemon.get("/").1["settings"]["minimum"], 4, "{}", daemon.log());
    let metrics = daemon.pages().into_iter().find(|(path, _)| path.starts_with("/metrics"));
    let metrics = metrics.expect("the metrics").1;
    assert!(metrics.contains("\nsimplescalevm_resources_wanted 4\n"), "{metrics}");

    fs::write(&path, "1").unwrap();
    daemon.wait_for_log(&["INFO", "wanted from now on: 1 (before: 4)"]);
    daemon.wait_for_passes(&cloud, 2);
    assert_eq!(active(&cloud), 4, "a smaller number deletes nothing\n{}", daemon.log());
}

#[test]
fn a_file_without_a_number_leaves_the_last_one_in_force_and_is_said_once() {
    let path = file("minimum-useless", "2");
    let (cloud, settings) = following(&path);
    let daemon = Daemon::start(&settings);
    daemon.wait_until("two active servers", || active(&cloud) == 2);
    fs::write(&path, "").unwrap();
    daemon.wait_for_log(&["WARN", FILE, "is empty: 2 stays in force"]);
    fs::write(&path, "many\n").unwrap();
    daemon.wait_for_log(&["WARN", FILE, "holds no whole number", ": 2 stays in force"]);
    fs::remove_file(&path).unwrap();
    daemon.wait_for_log(&["WARN", FILE, "cannot be read", ": 2 stays in force"]);
    daemon.wait_for_passes(&cloud, 4);
    let log = daemon.log();
    let said = log.lines().filter(|line| line.contains("cannot be read")).count();
    assert_eq!((said, active(&cloud)), (1, 2), "{log}");
    assert_eq!(daemon.get("/").1["settings"]["minimum"], 2, "{log}");
    fs::write(&path, "3").unwrap();
    daemon.wait_until("as many as it says again", || active(&cloud) == 3);
}

#[test]
fn a_slip_in_the_file_makes_no_more_than_replica_max() {
    let path = file("minimum-slip", "3000");
    let (cloud, settings) = following(&path);
    let daemon = Daemon::start(&settings.with("REPLICA_MAX", "5"));
    daemon.wait_until("as many as there may be", || active(&cloud) == 5);
    daemon.wait_for_log(&["WARN", FILE, "3000 replicas, and REPLICA_MAX is 5"]);
    daemon.wait_for_passes(&cloud, 3);
    assert_eq!(cloud.state().servers.len(), 5, "{}\n{}", cloud.journal(), daemon.log());
}

#[test]
fn the_default_of_replica_max_goes_by_the_variable_whatever_the_file_says() {
    let path = file("minimum-default", "3000");
    let (cloud, settings) = following(&path);
    let ran = once(&settings);
    expect::created(&cloud, &ran, 100);
    ran.expect_line(&["WARN", FILE, "REPLICA_MAX is 100"]);
}

#[test]
fn without_a_file_the_variable_holds_and_a_pipe_holds_up_nothing() {
    let pipe = file("minimum-pipe", "").with_extension("fifo");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()) || pipe.exists(), "no pipe to test with");
    for (path, why) in
        [(Path::new("/nonexistent/minimum"), "cannot be read"), (&pipe, "is not a regular file")]
    {
        let (cloud, settings) = following(path);
        let ran = once(&settings);
        expect::created(&cloud, &ran, 3);
        ran.expect_line(&["WARN", FILE, why, ": 3 stays in force"]);
        let ran = run(&["--check"], &settings);
        ran.expect_status(1).expect_line(&["FAULT", "minimum file", why]);
    }
}
