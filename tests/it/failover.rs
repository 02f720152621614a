//! Between two passes: an address follows its service within seconds, and nothing else changes.
//!
//! Passes are an hour apart, so whatever moves was moved in a pass that began early.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::addresses::{Pool, pool};
use crate::daemon::{Daemon, Settings, once};
use crate::expect;
use crate::fake::Says;
use crate::metrics::metric;

const ANSWERED: &str = "simplescalevm_watch_questions_total{result=\"answered\"}";
const FAILED: &str = "simplescalevm_watch_questions_total{result=\"failed\"}";

/// The loop, after its first pass.
fn start(settings: &Settings) -> Daemon {
    let daemon = Daemon::start(settings);
    daemon.wait_for_status("/healthz", 200);
    daemon
}

impl Pool {
    fn settings(&self) -> Settings {
        Settings::of(&self.cloud)
            .with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
            .with("APP_INTERVAL", "3600")
    }

    #[track_caller]
    fn wait_for_holder(&self, daemon: &Daemon, address: usize, server: usize) {
        let what = format!("address {address} on r{server}; {}", self.cloud.journal());
        daemon.wait_until(&what, || {
            self.cloud.state().holder(&self.addresses[address]).as_ref()
                == Some(&self.servers[server])
        });
    }

    /// Nothing has moved, and no pass has begun but the first.
    #[track_caller]
    fn expect_quiet(&self, mut daemon: Daemon) {
        let ran = daemon.terminate();
        assert!(self.cloud.changes().is_empty(), "{}\n{ran}", self.cloud.journal());
        assert_eq!(self.lists(), 1, "{}\n{ran}", self.cloud.journal());
    }

    fn lists(&self) -> usize {
        self.cloud.count("GET", "/servers/detail")
    }

    /// Waits until the server was asked so many times more.
    #[track_caller]
    fn wait_for_questions(&self, daemon: &Daemon, server: usize, questions: usize) {
        let server = &self.servers[server];
        let before = self.cloud.asked(server);
        daemon.wait_until(&format!("{questions} questions to {server}"), || {
            self.cloud.asked(server) >= before + questions
        });
    }
}

#[test]
fn a_service_that_dies_loses_its_address_long_before_the_next_pass() {
    let pool = pool(3, 1);
    let mut daemon = start(&pool.settings());
    pool.cloud.silence(&pool.servers[0]);
    pool.wait_for_holder(&daemon, 0, 1);
    let who =
        format!("r0 ({}) no longer answers: connection refused, 3 times in 3 s", pool.servers[0]);
    daemon.wait_for_log(&["WARN", &who, "; a pass begins now"]);
    daemon.wait_for_log(&["INFO", "move 203.0.113.1 to r1", "r0 is silent"]);
    let ran = daemon.terminate();
    assert_eq!(pool.cloud.changes().len(), 1, "{}\n{ran}", pool.cloud.journal());
    assert_eq!(pool.lists(), 2, "{}\n{ran}", pool.cloud.journal());
}

#[test]
fn so_does_one_whose_host_is_gone() {
    let pool = pool(3, 1);
    let daemon = start(&pool.settings());
    pool.cloud.vanish(&pool.servers[0]);
    pool.wait_for_holder(&daemon, 0, 1);
    daemon.wait_for_log(&["no longer answers: cannot connect in time, 3 times in 3 s"]);
}

#[test]
fn so_does_one_that_accepts_and_never_answers_after_the_time_limit() {
    let pool = pool(3, 1);
    let daemon = start(&pool.settings().with("REPLICA_API_TIMEOUT", "4"));
    pool.cloud.replica(&pool.servers[0], Says::black_hole());
    pool.wait_for_holder(&daemon, 0, 1);
    daemon.wait_for_log(&["no longer answers: no answer within 4 s; a pass begins now"]);
}

#[test]
fn what_happened_is_on_the_page_and_in_the_metrics() {
    let pool = pool(3, 1);
    let daemon = start(&pool.settings());
    pool.cloud.silence(&pool.servers[0]);
    pool.wait_for_holder(&daemon, 0, 1);
    let event = daemon.wait_for("the event", || {
        let events = daemon.get("/status").1["events"].as_array()?.clone();
        events.into_iter().find(|event| {
            event["text"].as_str().is_some_and(|text| text.contains("no longer answers"))
        })
    });
    assert_eq!(event["tone"], "warning", "{event}");
    for (sample, expected) in [
        ("simplescalevm_early_passes_total", 1),
        ("simplescalevm_address_downtime_seconds_count", 1),
        ("simplescalevm_address_downtime_seconds_bucket{le=\"600\"}", 1),
        ("simplescalevm_probe_failures_total{reason=\"unreachable\"}", 0),
    ] {
        assert_eq!(metric::<u64>(&daemon, sample), expected, "{sample}");
    }
    assert!(metric::<u64>(&daemon, FAILED) >= 3, "{}", daemon.log());
}

#[test]
fn a_service_that_is_slow_but_answers_keeps_its_address() {
    let pool = pool(3, 1);
    let settings = pool.settings().with("REPLICA_API_TIMEOUT", "30");
    let daemon = start(&settings);
    pool.cloud.replica(&pool.servers[0], Says::slowly(Duration::from_millis(3200)));
    let before = metric::<u64>(&daemon, ANSWERED);
    daemon.wait_until("two slow answers", || metric::<u64>(&daemon, ANSWERED) >= before + 3);
    pool.expect_quiet(daemon);
}

#[test]
fn a_service_that_is_back_after_a_failure_keeps_its_address() {
    let pool = pool(3, 1);
    let daemon = start(&pool.settings().with("EXTERNAL_ADDRESS_WATCH", "3"));
    pool.cloud.silence(&pool.servers[0]);
    daemon.wait_until("a question that failed", || metric::<u64>(&daemon, FAILED) >= 1);
    pool.cloud.replica(&pool.servers[0], Says::free(9));
    pool.wait_for_questions(&daemon, 0, 2);
    pool.expect_quiet(daemon);
}

#[test]
fn two_that_die_one_after_the_other_begin_two_passes() {
    let pool = pool(4, 2);
    let daemon = start(&pool.settings());
    pool.cloud.silence(&pool.servers[0]);
    pool.wait_for_holder(&daemon, 0, 2);
    pool.cloud.silence(&pool.servers[1]);
    pool.wait_for_holder(&daemon, 1, 3);
    assert_eq!(pool.lists(), 3, "{}\n{}", pool.cloud.journal(), daemon.log());
}

#[test]
fn the_one_that_got_the_address_is_watched_from_then_on() {
    let pool = pool(5, 1);
    let daemon = start(&pool.settings());
    pool.cloud.silence(&pool.servers[0]);
    pool.wait_for_holder(&daemon, 0, 1);
    pool.cloud.silence(&pool.servers[1]);
    pool.wait_for_holder(&daemon, 0, 2);
}

#[test]
fn when_most_die_at_once_nothing_moves() {
    let pool = pool(5, 3);
    let mut daemon = start(&pool.settings());
    for server in &pool.servers[..3] {
        pool.cloud.silence(server);
    }
    daemon.wait_for_log(&["ERROR", "brake: 3 of 5 replicas that should answer are silent"]);
    daemon.wait_until("all of them lost", || {
        let log = daemon.log();
        pool.servers[..3]
            .iter()
            .all(|server| log.contains(&format!("({server}) no longer answers")))
    });
    let ran = daemon.terminate();
    assert!(pool.cloud.changes().is_empty(), "{}\n{ran}", pool.cloud.journal());
}

#[test]
fn who_was_silent_before_does_not_hold_up_the_move() {
    let pool = pool(3, 1);
    let hole = pool.cloud.add_replica("hole", Says::black_hole());
    let daemon = start(&pool.settings());
    let before = pool.cloud.asked(&hole);
    pool.cloud.silence(&pool.servers[0]);
    pool.wait_for_holder(&daemon, 0, 1);
    assert_eq!(pool.cloud.asked(&hole), before, "it was asked again\n{}", daemon.log());
    daemon.wait_for_status("/healthz", 200);
}

#[test]
fn one_that_stays_dead_begins_one_pass() {
    let cases: [&[&str]; 2] = [&[], &["--dry-run"]];
    expect::each(cases, |arguments| {
        let pool = pool(2, 2);
        let daemon = Daemon::start_with(arguments, &pool.settings());
        daemon.wait_for_status("/healthz", 200);
        pool.cloud.silence(&pool.servers[1]);
        daemon.wait_until("many questions that failed", || metric::<u64>(&daemon, FAILED) >= 8);
        assert_eq!(
            metric::<u64>(&daemon, "simplescalevm_early_passes_total"),
            1,
            "{}",
            daemon.log()
        );
        assert_eq!(pool.lists(), 2, "{}\n{}", pool.cloud.journal(), daemon.log());
    });
}

#[test]
fn a_dry_run_watches_and_moves_nothing() {
    let pool = pool(3, 1);
    let mut daemon = Daemon::start_with(&["--dry-run"], &pool.settings());
    daemon.wait_for_status("/healthz", 200);
    pool.cloud.silence(&pool.servers[0]);
    daemon.wait_for_log(&["dry run, not done: move 203.0.113.1 to r1"]);
    let ran = daemon.terminate();
    assert!(pool.cloud.changes().is_empty(), "{}\n{ran}", pool.cloud.journal());
}

#[test]
fn the_watch_asks_the_cloud_nothing() {
    let pool = pool(3, 2);
    let daemon = start(&pool.settings());
    let before = pool.cloud.requests().len();
    pool.wait_for_questions(&daemon, 0, 4);
    pool.wait_for_questions(&daemon, 1, 1);
    assert_eq!(pool.cloud.requests().len(), before, "{}", pool.cloud.journal());
    assert_eq!(pool.cloud.asked(&pool.servers[2]), 1, "a spare is asked in passes only");
}

#[test]
fn where_nothing_is_to_be_watched_nobody_is_asked_between_two_passes() {
    let off = [("EXTERNAL_ADDRESS_WATCH", "0"), ("EXTERNAL_ADDRESS_MANAGEMENT", "false")];
    expect::each(off, |(name, value)| {
        let pool = pool(2, 1);
        let daemon = start(&pool.settings().with("APP_INTERVAL", "3").with(name, value));
        daemon.wait_for_passes(&pool.cloud, 2);
        let asked = pool.cloud.asked(&pool.servers[0]);
        assert!(asked <= pool.lists(), "{name}: asked {asked} times\n{}", daemon.log());
    });
    let pool = pool(2, 1);
    let ran = once(&pool.settings());
    ran.expect_status(0);
    assert_eq!(pool.cloud.asked(&pool.servers[0]), 1, "{ran}");
}

#[test]
fn a_question_in_flight_holds_up_neither_another_holder_nor_the_end() {
    let pool = pool(3, 2);
    let mut daemon = start(&pool.settings().with("REPLICA_API_TIMEOUT", "600"));
    pool.cloud.replica(&pool.servers[0], Says::black_hole());
    pool.wait_for_questions(&daemon, 0, 1);
    pool.cloud.silence(&pool.servers[1]);
    pool.wait_for_holder(&daemon, 1, 2);
    daemon.terminate().expect_status(0);
}

#[test]
fn a_scaler_that_stood_still_takes_no_address_from_a_slow_holder() {
    let pool = pool(3, 1);
    let daemon = start(&pool.settings().with("REPLICA_API_TIMEOUT", "2"));
    pool.cloud.replica(&pool.servers[0], Says::black_hole());
    pool.wait_for_questions(&daemon, 0, 1);
    daemon.signal(Signal::STOP);
    // Longer than the question may last; so it is over when the program goes on.
    thread::sleep(Duration::from_secs(4));
    pool.cloud.replica(&pool.servers[0], Says::free(1));
    daemon.signal(Signal::CONT);
    pool.wait_for_questions(&daemon, 0, 3);
    assert!(!daemon.log().contains("no longer answers"), "{}", daemon.log());
    assert!(pool.cloud.changes().is_empty(), "{}", pool.cloud.journal());
}
