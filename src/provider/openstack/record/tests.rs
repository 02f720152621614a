use std::time::Duration;

use serde::Deserialize;

use super::*;

fn any(key: &str) -> Ours {
    Ours { key: key.to_owned(), values: None }
}

fn pool() -> Ours {
    Ours { key: "group".to_owned(), values: Some(vec!["scaler".to_owned()]) }
}

fn record(fields: &str) -> ServerRecord<'static> {
    let json = format!(
        r#"{{"id": "a", "name": "web", "metadata": {{"group": "scaler"}}, "addresses": {{}}, "created": "2026-11-24T19:00:00Z", {fields}}}"#
    );
    // The last of two fields with one name is taken.
    let json: Value = serde_json::from_str(&json).unwrap();
    ServerRecord::deserialize(json).unwrap()
}

fn as_ours(record: ServerRecord<'_>) -> Result<Read, String> {
    record.read(&pool(), &mut Texts::default())
}

fn read(fields: &str) -> Server {
    as_ours(record(fields)).unwrap().server
}

#[track_caller]
fn check(vm_state: &str, task_state: &str, expected: &Condition, words: &str) {
    let server = read(&format!(
        r#""OS-EXT-STS:vm_state": {vm_state}, "OS-EXT-STS:task_state": {task_state}"#
    ));
    assert_eq!((&server.condition, &*server.words), (expected, words));
}

#[test]
fn every_state_of_nova_is_told_apart() {
    let task = |task: &str| Some(task.to_owned());
    check(r#""building""#, r#""spawning""#, &Condition::Building, "building (spawning)");
    check(r#""active""#, "null", &Condition::Active { task: None }, "active");
    let rebooting = Condition::Active { task: task("rebooting") };
    check(r#""active""#, r#""rebooting""#, &rebooting, "active (rebooting)");
    check(r#""active""#, r#""deleting""#, &Condition::Deleting, "active (deleting)");
    check(r#""error""#, r#""deleting""#, &Condition::Deleting, "error (deleting)");
    check(r#""deleted""#, "null", &Condition::Deleting, "deleted");
    check(r#""active""#, r#""soft-deleting""#, &Condition::SoftDeleted, "active (soft-deleting)");
    check(r#""soft-delete""#, "null", &Condition::SoftDeleted, "soft-delete");
    check(r#""soft-delete""#, r#""deleting""#, &Condition::SoftDeleted, "soft-delete (deleting)");
    check(r#""error""#, "null", &Condition::Error, "error");
    check(r#""stopped""#, "null", &Condition::Stopped { task: None }, "stopped");
    let starting = Condition::Stopped { task: task("powering-on") };
    check(r#""stopped""#, r#""powering-on""#, &starting, "stopped (powering-on)");
    for other in
        ["paused", "suspended", "rescued", "resized", "shelved", "shelved_offloaded", "novel"]
    {
        check(&format!("\"{other}\""), "null", &Condition::Other, other);
    }
}

#[test]
fn a_state_that_is_hidden_or_of_no_known_name_is_told_by_the_status() {
    let doing = |task: &str| Condition::Active { task: Some(task.to_owned()) };
    let statuses = [
        ("BUILD", Condition::Building),
        ("ACTIVE", Condition::Active { task: None }),
        ("ERROR", Condition::Error),
        ("SHUTOFF", Condition::Stopped { task: None }),
        ("DELETED", Condition::Deleting),
        ("SOFT_DELETED", Condition::SoftDeleted),
        ("REBOOT", doing("rebooting")),
        ("HARD_REBOOT", doing("rebooting")),
        ("REBUILD", doing("rebuilding")),
        ("RESIZE", doing("resizing")),
        ("MIGRATING", doing("migrating")),
        ("PASSWORD", doing("updating_password")),
        ("PAUSED", Condition::Other),
        ("SUSPENDED", Condition::Other),
        ("RESCUE", Condition::Other),
        ("VERIFY_RESIZE", Condition::Other),
        ("REVERT_RESIZE", Condition::Other),
        ("SHELVED", Condition::Other),
        ("SHELVED_OFFLOADED", Condition::Other),
        ("SOMETHING_ELSE", Condition::Other),
    ];
    for hidden in [
        "",
        r#""OS-EXT-STS:vm_state": null,"#,
        r#""OS-EXT-STS:vm_state": "","#,
        r#""OS-EXT-STS:vm_state": "cloudified","#,
        r#""OS-EXT-STS:vm_state": 7,"#,
    ] {
        for (status, expected) in &statuses {
            let server = read(&format!(r#"{hidden} "status": "{status}""#));
            assert_eq!(server.condition, *expected, "{hidden} {status}");
        }
    }
    let server = read(r#""status": "ACTIVE", "OS-EXT-STS:task_state": "deleting""#);
    assert_eq!(server.condition, Condition::Deleting, "the task is told");
    let server = read(r#""locked": false"#);
    assert_eq!((server.condition, &*server.words), (Condition::Other, "in an unknown state"));
}

#[test]
fn only_null_says_that_it_was_never_launched() {
    for (told, expected) in [
        (r#""name": "web""#, Launched::NotTold),
        (r#""OS-SRV-USG:launched_at": null"#, Launched::Never),
        (r#""OS-SRV-USG:launched_at": """#, Launched::NotTold),
        (r#""OS-SRV-USG:launched_at": "soon""#, Launched::NotTold),
        (r#""OS-SRV-USG:launched_at": false"#, Launched::NotTold),
        (r#""OS-SRV-USG:launched_at": 0"#, Launched::NotTold),
    ] {
        let json = format!(
            r#"{{"id": "a", "metadata": {{"group": "scaler"}}, "addresses": {{}}, "created": "2026-11-24T19:00:00Z", {told}}}"#
        );
        let record: ServerRecord = serde_json::from_str(&json).unwrap();
        assert_eq!(as_ours(record).unwrap().server.launched, expected, "of {told}");
    }
    for text in ["2026-11-24T19:00:30.000000", "2026-11-24T20:00:30+01:00"] {
        let server = read(&format!(r#""OS-SRV-USG:launched_at": "{text}""#));
        assert_eq!(server.launched, Launched::At(server.created + Duration::from_secs(30)));
    }
}

#[test]
fn a_lock_of_any_spelling_holds() {
    for (told, expected) in [
        (r#""status": "ACTIVE""#, false),
        (r#""locked": null"#, false),
        (r#""locked": false"#, false),
        (r#""locked": "False""#, false),
        (r#""locked": true"#, true),
        (r#""locked": "true""#, true),
        (r#""locked": 1"#, true),
        (r#""locked": {}"#, true),
    ] {
        assert_eq!(read(told).locked, expected, "of {told}");
    }
}

#[test]
fn a_task_that_cannot_be_read_is_one() {
    let server = read(r#""OS-EXT-STS:vm_state": "active", "OS-EXT-STS:task_state": ["x"]"#);
    assert!(matches!(server.condition, Condition::Active { task: Some(_) }), "{server:?}");
    for none in ["null", r#""""#] {
        check(r#""active""#, none, &Condition::Active { task: None }, "active");
    }
}

#[test]
fn floating_addresses_are_told_from_fixed_ones() {
    let read = record(
        r#""addresses": {"Ext-Net": [
            {"version": 6, "addr": "fd10::19", "OS-EXT-IPS:type": "fixed"},
            {"version": 4, "addr": "127.20.0.141", "OS-EXT-IPS:type": "floating"},
            {"version": 4, "addr": "127.10.1.19", "OS-EXT-IPS:type": "fixed"},
            {"version": 4, "addr": "127.10.1.20"}]}"#,
    );
    let json = read.clone();
    let read = as_ours(json).unwrap();
    let fixed: Vec<String> = read
        .server
        .fixed
        .iter()
        .map(|fixed| format!("{} on {}", fixed.address, fixed.network))
        .collect();
    let expected = ["fd10::19 on Ext-Net", "127.10.1.19 on Ext-Net", "127.10.1.20 on Ext-Net"];
    assert_eq!(fixed, expected);
    assert_eq!(read.server.floating, ["127.20.0.141".parse::<IpAddr>().unwrap()]);
    assert_eq!(read.untyped, ["127.10.1.20".parse::<IpAddr>().unwrap()]);
    assert!(read.hidden.contains(&hidden::ADDRESS_TYPE), "{:?}", read.hidden);
}

#[test]
fn the_mark_is_read_under_the_pools_key() {
    let mark = |key: &str| {
        record(r#""locked": true"#).read(&any(key), &mut Texts::default()).unwrap().server.mark
    };
    assert_eq!(mark("group").as_deref(), Some("scaler"));
    assert_eq!(mark("pool"), None);
}

#[test]
fn a_server_of_ours_that_lacks_what_decides_about_it_is_named() {
    let running = r#""OS-EXT-STS:vm_state": "active""#;
    let created = r#""created": "2026-11-24T19:00:00Z""#;
    for (fields, why) in [
        (running.to_owned(), "created is missing"),
        (format!(r#"{running}, "created": null"#), "created is missing"),
        (format!(r#"{running}, "created": 5"#), "created is not a string"),
        (format!(r#"{running}, "created": "soon""#), "created \"soon\" is not a time"),
        (format!("{running}, {created}"), "addresses is missing, so it is not known where to ask"),
        (
            format!(r#""status": "ERROR", {created}, "addresses": null"#),
            "addresses is missing, so it is not known where to ask",
        ),
        (format!(r#"{running}, {created}, "addresses": []"#), "addresses cannot be read"),
        (
            format!(r#"{running}, {created}, "addresses": {{"n": null}}"#),
            "addresses on network \"n\" cannot be read",
        ),
        (
            format!(r#"{running}, {created}, "addresses": {{"n": [{{"addr": "x"}}]}}"#),
            "addresses on network \"n\" cannot be read",
        ),
    ] {
        let json =
            |mark: &str| format!(r#"{{"id": "a", "metadata": {{"group": "{mark}"}}, {fields}}}"#);
        let (ours, other) = (json("scaler"), json("front"));
        let ours: ServerRecord = serde_json::from_str(&ours).unwrap();
        assert_eq!(as_ours(ours).unwrap_err(), format!("server a: {why}"), "of {fields}");
        let other: ServerRecord = serde_json::from_str(&other).unwrap();
        assert_eq!(as_ours(other).unwrap().server.mark.as_deref(), Some("front"));
    }
    // Nobody asks a server that is being built.
    let json = format!(
        r#"{{"id": "a", "metadata": {{"group": "scaler"}}, "status": "BUILD", {created}}}"#
    );
    let building: ServerRecord = serde_json::from_str(&json).unwrap();
    assert_eq!(as_ours(building).unwrap().server.condition, Condition::Building);
}

#[test]
fn of_a_server_that_is_not_ours_only_its_id_and_its_mark_are_needed() {
    for metadata in ["null", "[]", "5", "{}", r#"{"group": null}"#, r#"{"group": "x", "n": 5}"#] {
        let json =
            format!(r#"{{"id": "a", "metadata": {metadata}, "created": 1, "addresses": 1}}"#);
        let record: ServerRecord = serde_json::from_str(&json).unwrap();
        assert!(as_ours(record).is_ok(), "of {metadata}");
    }
    let record: ServerRecord = serde_json::from_str(r#"{"id": "a"}"#).unwrap();
    assert_eq!(as_ours(record).unwrap().server.mark, None);
    for (json, why) in [
        (r#"{"metadata": {}}"#, "a server without an id"),
        (
            r#"{"id": "a", "metadata": {"group": 5}}"#,
            "server a: its metadata group is not a string, so it is not known whose it is",
        ),
    ] {
        let record: ServerRecord = serde_json::from_str(json).unwrap();
        assert_eq!(as_ours(record).unwrap_err(), why, "of {json}");
    }
}

#[test]
fn a_trial_carries_just_what_a_trial_is_given() {
    for (value, expected) in
        [(r#""true""#, true), (r#""false""#, false), ("null", false), ("true", false)]
    {
        let json = format!(
            r#"{{"id": "a", "metadata": {{"group": "scaler", "simplescalevm-trial": {value}}}, "created": "2026-11-24T19:00:00Z"}}"#
        );
        let record: ServerRecord = serde_json::from_str(&json).unwrap();
        assert_eq!(as_ours(record).unwrap().server.trial, expected, "of {value}");
    }
}
