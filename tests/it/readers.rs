//! Nobody reads what the program writes: a stopped pager, a stuck log driver, a busy service manager. Passes go on, and the
//! end comes all the same.

use std::net::TcpListener;

use rustix::process::Signal;

use crate::daemon::{Daemon, Settings, send};
use crate::expect;
use crate::fake::{Cloud, Fault, Gate, Times};
use crate::manager::Manager;
use crate::running::content;

#[test]
fn passes_and_the_end_wait_for_no_reader() {
    let cases = [&[][..], &["--dry-run"], &["--dry-run", "--output=json"]];
    expect::each(cases, |arguments| {
        let (cloud, manager) = (content(), Manager::listen());
        manager.fill();
        let settings = Settings::of_loop(&cloud);
        let settings = settings.with("RUST_LOG", "debug").with("NOTIFY_SOCKET", &manager.name);
        let mut daemon = Daemon::start_unread(arguments, &settings);
        daemon.wait_for_passes(&cloud, 3);
        daemon.terminate().expect_status(0);
    });
}

#[test]
fn a_stuck_pass_ends_with_a_signal_though_nobody_reads() {
    expect::each([Signal::TERM, Signal::INT], |signal| {
        let (cloud, manager) = (content(), Manager::listen());
        manager.fill();
        cloud.fault("GET", "/servers/detail", Times::Always, Fault::HeldBefore(Gate::default()));
        let settings = Settings::of_loop(&cloud).with("OPENSTACK_API_TIMEOUT", "600");
        let settings = settings.with("RUST_LOG", "debug").with("NOTIFY_SOCKET", &manager.name);
        let mut daemon = Daemon::start_unread(&[], &settings);
        daemon.wait_until("the list asked for", || cloud.count("GET", "/servers/detail") == 1);
        daemon.signal(signal);
        daemon.wait_for_end().expect_status(0);
    });
}

#[test]
fn what_ends_by_itself_does_not_wait_for_a_reader_of_its_log() {
    let cloud = content();
    let settings = Settings::of(&cloud).with("RUST_LOG", "debug");
    Daemon::start_unread(&["--once"], &settings).wait_for_end().expect_status(0);
    Daemon::start_unread(&["--wrong"], &settings).wait_for_end().expect_status(2);
    let wrong = settings.with("REPLICA_CAPACITY", "none");
    Daemon::start_unread(&[], &wrong).wait_for_end().expect_status(2);
}

#[test]
fn a_plan_that_nobody_reads_is_waited_for_until_a_signal() {
    let cloud = content();
    let settings = Settings::of(&cloud);
    let mut daemon = Daemon::start_unread(&["--once", "--dry-run"], &settings);
    daemon.wait_until("the list asked for", || cloud.count("GET", "/servers/detail") == 1);
    daemon.terminate().expect_status(1);
    let mut daemon = Daemon::start_unread(&["--once", "--dry-run"], &settings);
    daemon.read();
    daemon.wait_for_end().expect_status(0).expect_line(&["nothing to do"]);
}

#[test]
fn lines_that_nobody_read_are_counted_and_said_when_somebody_reads_again() {
    let cloud = Cloud::start();
    for number in 0..200 {
        cloud.add_silent(&format!("silent-{number}"));
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // Every silent replica is a long line.
    let path = format!("/{}", "x".repeat(2000));
    let settings = Settings::of_loop(&cloud).with("RUST_LOG", "debug");
    let settings = settings.with("REPLICA_API_PATH", &path).with("APP_PORT", &port.to_string());
    let mut daemon = Daemon::start_unread(&["--dry-run"], &settings);
    let lost = || {
        let url = format!("http://127.0.0.1:{port}/metrics");
        let (_, _, page) = send("GET", &url, &[], None).ok()?;
        let page = String::from_utf8_lossy(&page).into_owned();
        let count =
            page.lines().find_map(|line| line.strip_prefix("simplescalevm_log_lines_lost_total "));
        count.and_then(|count| count.parse::<u64>().ok()).filter(|count| *count > 0)
    };
    daemon.wait_for("lost lines", lost);
    daemon.read();
    let said = daemon.wait_for_log(&["WARN", "of this log lost here"]);
    assert!(!said.contains(" 0 lines"), "{said}");
    daemon.terminate().expect_status(0);
}

#[test]
fn a_service_manager_that_has_no_room_hears_of_the_start_later() {
    let (cloud, manager) = (content(), Manager::listen());
    manager.fill();
    // No other pass tells it anything for an hour.
    let settings = Settings::of_loop(&cloud).with("APP_INTERVAL", "3600");
    let mut daemon = Daemon::start(&settings.with("NOTIFY_SOCKET", &manager.name));
    daemon.wait_until("a pass", || daemon.get("/").1["passes"] == 1);
    let told = manager.told_until("READY=1", &daemon);
    assert!(told.iter().any(|message| message == "other"), "it was not full: {told:?}");
    daemon.terminate().expect_status(0);
}
