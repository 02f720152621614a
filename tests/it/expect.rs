//! What tests say about the cloud after a run, with the whole story when it is not so.

use std::panic;
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
