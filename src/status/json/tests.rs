use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::questions::{Asked, Question};
use crate::status::fixture;

/// With an event of its passes, if it had any.
fn page(snapshot: &Snapshot, elapsed: Duration) -> String {
    let event = (snapshot.passes > 0).then(fixture::event);
    super::page(snapshot, event.iter(), fixture::at(elapsed.as_secs()))
}

/// The page 32 s after the start, to the letter but for the line breaks.
#[track_caller]
fn check(snapshot: &Snapshot, golden: &str) {
    let page = broken_into_lines(&page(snapshot, Duration::from_secs(32)));
    let golden = golden.replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert!(page == golden, "the page is\n{page}\nand should be\n{golden}");
}

/// A line for each entry of the object, and of the lists in it.
fn broken_into_lines(json: &str) -> String {
    let (mut lines, mut in_text, mut lists) = (String::new(), false, String::new());
    for c in json.chars() {
        in_text ^= c == '"';
        match c {
            '{' | '[' if !in_text => lists.push(c),
            '}' | ']' if !in_text => {
                lists.pop();
            }
            _ => {}
        }
        lines.push(c);
        if !in_text
            && ((c == ',' && matches!(lists.as_str(), "{" | "{[")) || lists == "{[")
            && ",[".contains(c)
        {
            lines.push('\n');
        }
    }
    lines + "\n"
}

#[test]
fn the_page_begins_as_the_python_daemons_does() {
    let page = page(&fixture::before_the_first_pass(), Duration::ZERO);
    assert!(page.starts_with(r#"{"status":1,"isMaster":true,"version":"#), "{page}");
}

#[test]
fn of_several_scalers_the_page_says_which_acts() {
    let page_of = |lease, full| {
        let mut snapshot = fixture::before_the_first_pass().with_lease(Some(lease));
        snapshot.settings.full = full;
        serde_json::from_str::<Value>(&page(&snapshot, Duration::ZERO)).unwrap()
    };
    let standby = page_of(fixture::standby(), true);
    assert_eq!(standby["isMaster"], false);
    let lease = serde_json::json!({
        "part": "standby", "since": "2026-09-21T14:13:30.000Z", "validitySeconds": 30.0,
        "name": "group=scaler", "me": "left", "holder": "right",
    });
    assert_eq!(standby["lease"], lease);
    let summary = page_of(fixture::standby(), false).to_string();
    assert!(!summary.contains("right") && !summary.contains("left"), "{summary}");
    let acts = page_of(fixture::lease(Part::Acts), true);
    assert_eq!((&acts["isMaster"], &acts["lease"]["holder"]), (&true.into(), &"left".into()));
    let lapsed = page_of(fixture::lease(Part::Lapsed), true);
    assert_eq!(lapsed["isMaster"], false, "it changes nothing");
}

#[test]
fn before_the_first_pass_has_ended_there_is_no_last_pass() {
    let snapshot = fixture::before_the_first_pass().pass_began(fixture::at(1));
    check(&snapshot, include_str!("golden/first.json"));
}

#[test]
fn the_full_page_shows_the_pool_and_what_became_of_each_step() {
    let last = Question {
        at: fixture::at(24),
        lasted: Duration::from_millis(12),
        answered: false,
        result: "status 503".into(),
    };
    let asked = Asked { last: Some(last), answered: Some(fixture::at(10)) };
    let snapshot = fixture::after(fixture::failed_pass());
    let questions = [(crate::model::ServerId::new("id-0"), asked)].into_iter().collect();
    check(&snapshot.with_questions(questions), include_str!("golden/full.json"));
}

#[test]
fn the_summary_shows_counts_only() {
    let mut snapshot = fixture::after(fixture::failed_pass());
    snapshot.settings.full = false;
    check(&snapshot, include_str!("golden/summary.json"));
}

#[test]
fn no_id_name_or_address_is_left_in_the_summary() {
    let mut snapshot = fixture::after(fixture::failed_pass());
    snapshot.settings.full = false;
    let page = page(&snapshot, Duration::ZERO);
    for hidden in ["web-", "id-", "ip-", "192.0.2", "203.0.113", "stranger", "abc-1"] {
        assert!(!page.contains(hidden), "{hidden} is shown: {page}");
    }
}

#[test]
fn a_dry_run_shows_what_it_would_do() {
    let page = page(&fixture::after(fixture::dry_run()), Duration::ZERO);
    let step = r#"{"kind":"create","step":"create 1 replica: 3 of 6 free","outcome":"dry run"}"#;
    assert!(page.contains(step), "{page}");
}

#[test]
fn the_last_picture_of_the_pool_stays_while_the_cloud_is_down() {
    let down = crate::pass::Report {
        failures: vec!["no answer".into()],
        ..crate::pass::Report::default()
    };
    let pass = EndedPass { began: fixture::at(61), ended: fixture::at(62), report: down };
    let snapshot = fixture::after(fixture::good_pass()).pass_ended(pass);
    let page = page(&snapshot, Duration::from_secs(63));
    let value: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(value["lastPass"]["ok"], false, "{value:#}");
    assert_eq!(value["replicas"][0]["name"], "web-0", "{value:#}");
    assert_eq!(value["poolSeen"], "2026-09-21T14:13:21.000Z", "{value:#}");
    assert_eq!(value["plan"], serde_json::json!([]), "nothing was planned: {value:#}");
    assert_eq!(value["settings"]["markValue"], "scaler", "{value:#}");
}

#[test]
fn it_says_where_the_pool_is_and_what_settings_are_in_force() {
    let page_of = |full| {
        let mut snapshot = fixture::after(fixture::good_pass());
        snapshot.settings.full = full;
        serde_json::from_str::<Value>(&page(&snapshot, Duration::ZERO)).unwrap()
    };
    let full = page_of(true);
    let place = serde_json::json!({
        "region": "GRA9", "project": "Recorders", "projectId": "p1",
        "flavor": "d2-8", "image": "Debian 12", "network": "Ext-Net",
    });
    assert_eq!(full["cloud"], place);
    let in_force = &full["settings"]["inForce"];
    let entry = |value: &str, from: &str| serde_json::json!({ "value": value, "from": from });
    assert_eq!(in_force["REPLICA_CAPACITY"], entry("3", "set"));
    assert_eq!(in_force["OS_PROJECT_ID"], entry("p1", "clouds.yaml"));
    assert_eq!(in_force["OS_REGION_NAME"], entry("GRA9", "default"), "as the login found it");
    let summary = page_of(false);
    assert_eq!(summary["cloud"], Value::Null);
    assert_eq!(summary["settings"]["inForce"], Value::Null);
    assert_eq!(summary["settings"]["capacity"], 3);
}

#[test]
fn a_clock_beyond_all_calendars_is_shown_as_such() {
    let mut snapshot = fixture::before_the_first_pass();
    snapshot.started.wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    assert!(page(&snapshot, Duration::ZERO).contains(r#""started":"unknown""#));
}
