//! What tests say about the cloud after a run, with the whole story when it is not so.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::daemon::Ran;
use crate::fake::Cloud;

/// The run changed nothing.
#[track_caller]
pub fn no_change(cloud: &Cloud, ran: &Ran) {
    let changes = cloud.changes();
    assert!(changes.is_empty(), "changed something: {changes:?}\n{}\n{ran}", cloud.journal());
}

/// The servers whose deletion was asked for are these, whatever the order.
#[track_caller]
pub fn deleted(cloud: &Cloud, ran: &Ran, expected: &[&str]) {
    let mut found: Vec<String> = cloud
        .changes()
        .iter()
        .filter(|request| request.method == "DELETE")
        .filter_map(|request| request.path().rsplit('/').next().map(str::to_owned))
        .collect();
    found.sort();
    let mut expected: Vec<&str> = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected, "not the deletions expected\n{}\n{ran}", cloud.journal());
}

/// So many servers were asked for, all with one request; gives its body's `server`. 0: no request, and `null`.
#[track_caller]
pub fn created(cloud: &Cloud, ran: &Ran, count: u64) -> Value {
    let requests: Vec<Value> = cloud
        .changes()
        .iter()
        .filter(|request| request.method == "POST" && request.path().ends_with("/servers"))
        .map(|request| request.json()["server"].clone())
        .collect();
    let asked: Vec<u64> =
        requests.iter().map(|body| body["max_count"].as_u64().unwrap_or(1)).collect();
    let expected: Vec<u64> = if count == 0 { vec![] } else { vec![count] };
    assert_eq!(asked, expected, "not the creations expected\n{}\n{ran}", cloud.journal());
    requests.into_iter().next().unwrap_or_default()
}

/// How many `PUT`s a floating IP got.
pub fn moves(cloud: &Cloud, floating_ip: &str) -> usize {
    cloud.count("PUT", &format!("/floatingips/{floating_ip}"))
}

/// Runs `test` with each case, all at once: the runs mostly wait. The first failure is the test's.
pub fn each<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    let test = &test;
    thread::scope(|scope| {
        let running: Vec<_> =
            cases.into_iter().map(|case| scope.spawn(move || test(case))).collect();
        let ended: Vec<_> = running.into_iter().map(thread::ScopedJoinHandle::join).collect();
        if let Some(failure) = ended.into_iter().find_map(Result::err) {
            panic::resume_unwind(failure);
        }
    });
}

/// Runs `test` with each case, `at_once` of them at a time. Fails with the names of all that failed.
pub fn each_of<T: Send + Sync>(
    cases: &[T],
    at_once: usize,
    name: impl Fn(&T) -> String + Sync,
    test: impl Fn(&T) + Sync,
) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if panic::catch_unwind(AssertUnwindSafe(|| test(case))).is_err() {
                        // What the panic said stands above.
                        println!("^ failed: {}\n", name(case));
                        failed.lock().unwrap().push(name(case));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), cases.len());
}
