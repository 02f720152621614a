//! Pools in trouble, and what is said of them.

use super::*;
use crate::error::{Error, ErrorKind};
use crate::lease::turn::Part;
use crate::model::State;
use crate::outcome::{Outcome, StepOutcome};
use crate::pass::{Pause, Report};
use crate::plan::{Batch, Loudness, Note};
use crate::status::fixture::{self, at};

/// 19:44:00 on the fixture's day.
const EVENING: u64 = 19_840;

fn ended(began: u64, report: Report) -> EndedPass {
    EndedPass { began: at(began), ended: at(began + 1), report }
}

/// A good pass that had nothing to do.
fn quiet(free: u64, wanted: u64) -> Report {
    let mut report = fixture::good_pass();
    let plan = report.plan.as_mut().unwrap();
    (plan.free, plan.wanted) = (free, wanted);
    (plan.creation, plan.held_back) = (None, None);
    plan.brakes.clear();
    plan.notes.clear();
    report
}

fn paused_for(seconds: u64, why: &str) -> Report {
    let mut report = quiet(289, 340);
    let left = Duration::from_secs(seconds);
    let held_back =
        HeldBack { why: format!("creation paused for 9 s: {why}"), for_at_least: Some(left) };
    report.plan.as_mut().unwrap().held_back = Some(held_back);
    report.pause = Some(Pause { left, step: 3, why: why.into() });
    report
}

/// Passes that began then; the next one begins a minute after the last.
fn after(passes: Vec<(u64, Report)>) -> Snapshot {
    let mut snapshot = fixture::before_the_first_pass();
    for (began, report) in passes {
        snapshot = snapshot.pass_began(at(began)).pass_ended(ended(began, report));
        snapshot.next = Some(at(began + 60));
    }
    snapshot
}

#[track_caller]
fn check(snapshot: &Snapshot, second: u64, tone: Option<Tone>, words: &str) {
    let now = at(second);
    let verdict = verdict(snapshot, now.elapsed);
    assert_eq!((verdict.tone, &*verdict.words(now.wall)), (tone, words));
}

const QUOTA: &str = "quota exceeded for instances";

#[test]
fn what_is_missing_is_told_in_numbers_since_when_and_why() {
    let passes = vec![
        (EVENING - 60, quiet(340, 340)),
        (EVENING, quiet(300, 340)),
        (EVENING + 180, paused_for(239, QUOTA)),
    ];
    let words =
        "51 of 340 missing since 19:44; creation paused until 19:51: quota exceeded for instances";
    check(&after(passes), EVENING + 200, Some(Tone::Short), words);
}

#[test]
fn between_the_end_of_a_pause_and_that_of_the_next_pass_the_reason_stays() {
    let mut snapshot = after(vec![(EVENING, paused_for(30, QUOTA))]);
    let short = "51 of 340 missing since 19:44:00; creation was paused; ";
    let words = format!("{short}the next pass tries again, at 19:45:00: {QUOTA}");
    check(&snapshot, EVENING + 40, Some(Tone::Short), &words);
    snapshot = snapshot.pass_began(at(EVENING + 60));
    let words = format!("{short}the pass under way tries again: {QUOTA}");
    check(&snapshot, EVENING + 61, Some(Tone::Short), &words);
}

#[test]
fn of_a_request_that_the_cloud_refused_only_its_own_words_are_told() {
    let request = "POST http://127.0.0.1:18160/compute/v2.1/servers: status 403";
    let quota = "Quota exceeded for instances: Requested 2, but already used 10 of 10 instances";
    for (why, told) in [
        (format!("the last creation failed: {request}: {quota}"), quota),
        (format!("{request}: {quota}"), quota),
        (format!("the last creation failed: {request}"), ""),
        (format!("the last creation failed: {request}: "), ""),
        ("the last creation failed: POST http://nova/servers: connection refused".into(), ""),
        ("the last creation failed: no room: status 403: said so".into(), ""),
        (format!("web-1 failed: {request}: {quota}"), ""),
        (QUOTA.into(), ""),
        (String::new(), ""),
    ] {
        assert_eq!(own_words(&why), if told.is_empty() { &*why } else { told });
    }
    let why = format!("the last creation failed: {request}: {quota}");
    let words =
        format!("51 of 340 missing since 19:44:00; creation paused until 19:45:01: {quota}");
    check(&after(vec![(EVENING, paused_for(60, &why))]), EVENING + 10, Some(Tone::Short), &words);
}

#[test]
fn a_pool_is_not_well_while_what_replaces_failed_creations_has_not_answered() {
    let mut coming = quiet(340, 340);
    coming.plan.as_mut().unwrap().unaccounted = 17;
    let passes = vec![(EVENING, paused_for(30, QUOTA)), (EVENING + 60, coming)];
    let words = format!("{}: {QUOTA}", health::NOT_PROVEN);
    check(&after(passes), EVENING + 70, Some(Tone::Short), &words);
}

#[test]
fn whatever_is_missing_has_its_reason() {
    let batch = Batch { count: 2, mark: "a".into(), trial: false, why: "the sum".into() };
    let creating = |result: Option<StepResult>| {
        let mut report = quiet(0, 6);
        report.plan.as_mut().unwrap().creation = Some(batch.clone());
        report.outcome = result.map(|result| {
            let step = "create".into();
            let steps = vec![StepOutcome { kind: StepKind::Create, step, result }];
            Outcome { steps, ..Outcome::default() }
        });
        report
    };
    let mut at_max = quiet(0, 6);
    let why = "REPLICA_MAX 4: there are 4 replicas".to_owned();
    at_max.plan.as_mut().unwrap().held_back = Some(HeldBack { why, for_at_least: None });
    let error = Error::new(ErrorKind::Unclear, "no answer");
    let later = "the next pass tries again, at 19:45:00";
    for (report, reason) in [
        (creating(Some(StepResult::Done)), "2 replicas asked for at 19:44:00".to_owned()),
        (creating(None), "a dry run: nothing is created".to_owned()),
        (
            creating(Some(StepResult::NotTried("no time".into()))),
            format!("not created yet; {later}: no time"),
        ),
        (
            creating(Some(StepResult::Failed(error))),
            format!("the creation failed; {later}: no answer"),
        ),
        (
            at_max,
            "creating fewer replicas than are missing: REPLICA_MAX 4: there are 4 replicas"
                .to_owned(),
        ),
        (quiet(0, 6), format!("nothing was asked for; {later}")),
    ] {
        let words = format!("6 of 6 missing since 19:44:00; {reason}");
        check(&after(vec![(EVENING, report)]), EVENING + 10, Some(Tone::Short), &words);
    }
}

#[test]
fn a_pool_is_well_while_enough_is_free_and_every_address_serves() {
    let snapshot = after(vec![(EVENING, quiet(6, 6))]);
    check(&snapshot, EVENING + 10, Some(Tone::Well), "");
    let mut report = quiet(6, 6);
    report.addresses = fixture::failed_pass().addresses;
    let replica = &mut report.plan.as_mut().unwrap().replicas[0];
    replica.state = State::Silent;
    // The stranger's is left alone.
    let words = "only 0 of 2 external addresses on a healthy replica since 19:44:00";
    check(&after(vec![(EVENING, report)]), EVENING + 10, Some(Tone::Short), words);
}

#[test]
fn a_brake_and_an_error_are_no_good_health() {
    let mut report = quiet(6, 6);
    let plan = report.plan.as_mut().unwrap();
    let brake = "brake: 3 of 4 are silent".to_owned();
    plan.brakes.push(brake.clone());
    let note = |key: &str, text: String| Note { loudness: Loudness::Error, key: key.into(), text };
    plan.notes = vec![note("brake-silence", brake), note("unseen-batch:a", "not listed".into())];
    let mut snapshot = after(vec![(EVENING, report)]);
    let words = "brake: 3 of 4 are silent, since 19:44:00; not listed, since 19:44:00";
    check(&snapshot, EVENING + 10, Some(Tone::Short), words);
    snapshot.settings.full = false;
    let words = "a brake is on, since 19:44:00; an error persists, since 19:44:00";
    check(&snapshot, EVENING + 10, Some(Tone::Short), words);
}

#[test]
fn it_fails_while_the_last_pass_did_or_none_ends() {
    let down = || Report { failures: vec!["no answer".into()], ..Report::default() };
    let once = after(vec![(EVENING, quiet(6, 6)), (EVENING + 60, down())]);
    check(&once, EVENING + 70, Some(Tone::Failing), "the last pass failed: no answer");
    let twice = once.pass_ended(ended(EVENING + 120, down()));
    let words = "passes have failed since 19:45: no answer";
    check(&twice, EVENING + 190, Some(Tone::Failing), words);
    let stuck = after(vec![(EVENING, quiet(6, 6))]);
    let words = "the last pass ended 199 s ago, more than 3 intervals";
    check(&stuck, EVENING + 200, Some(Tone::Failing), words);
}

#[test]
fn of_a_pool_that_was_never_seen_nothing_is_said_until_that_lasts() {
    let snapshot = fixture::before_the_first_pass();
    check(&snapshot, 10, None, "");
    let words = "no pass has ended in 200 s, more than 3 intervals";
    check(&snapshot, 200, Some(Tone::Failing), words);
    let standby = snapshot.with_lease(Some(fixture::standby()));
    check(&standby, 50, None, "");
    let words = "nobody has held the lease for 81 s, so nobody acts";
    check(&standby, 101, Some(Tone::Failing), words);
    let lapsed = after(vec![(EVENING, quiet(6, 6))]).with_lease(Some(fixture::lease(Part::Lapsed)));
    let words = "nothing is changed, because the lease was not renewed in time";
    check(&lapsed, EVENING + 10, Some(Tone::Failing), words);
}

#[test]
fn a_summary_names_nobody() {
    let mut snapshot = after(vec![(EVENING, fixture::failed_pass())]);
    snapshot.settings.full = false;
    let words = verdict(&snapshot, at(EVENING + 10).elapsed).words(at(EVENING + 10).wall);
    for hidden in ["web-", "id-", "192.0.2", "203.0.113", "stranger"] {
        assert!(!words.contains(hidden), "{hidden} is shown: {words}");
    }
    assert!(words.starts_with("the last pass failed; 3 of 6 missing since"), "{words}");
}
