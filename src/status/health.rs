//! Whether passes end well, on time and without a lasting error (`/healthz`), and whether the loop is alive at all
//! (`/livez`). Pure.

use std::time::Duration;

use crate::lease::turn::{Part, View};
use crate::status::pool_settings::PoolSettings;
use crate::status::snapshot::Snapshot;
use crate::status::trouble::created;
use crate::status::words::time_of_day;

/// This many intervals without what should have happened are too many.
const INTERVALS_MAX: u32 = 3;

/// This many validities of the lease without a holder are too many.
const VALIDITIES_MAX: u32 = 2;

/// What is said of creations that failed while the next one has still to show that it works.
pub const NOT_PROVEN: &str = "creation has failed, and no new replica has answered since";

/// On top of the longest request, for whatever else lies between two signs of progress.
const SLACK: Duration = Duration::from_secs(15);

/// Whether passes end well and on time, and no error stands that the operator has to act on; if not, why. In summary
/// detail the reason names no id, name or address.
///
/// A standby is healthy while it sees the lease being renewed.
pub fn healthy(snapshot: &Snapshot, elapsed: Duration) -> Result<(), String> {
    if let Some(lease) = snapshot.lease.as_ref().filter(|lease| !lease.leads()) {
        return lease_healthy(lease, snapshot.settings.full, elapsed);
    }
    let Some(last) = &snapshot.last else {
        return Err("no pass has ended yet".to_owned());
    };
    let failures = &last.report.failures;
    let errors: Vec<&str> = last.report.errors().collect();
    let mut faults: Vec<String> = lapsed(snapshot).into_iter().collect();
    if !failures.is_empty() && snapshot.settings.full {
        faults.push(format!("the last pass failed: {}", failures.join("; ")));
    } else if !failures.is_empty() {
        faults.push("the last pass failed; the program's log says why".to_owned());
    }
    if !errors.is_empty() && snapshot.settings.full {
        faults.push(errors.join("; "));
    } else if !errors.is_empty() {
        faults.push("an error persists; the program's log says which".to_owned());
    }
    faults.extend(creation_fails(snapshot, elapsed));
    faults.extend(late(snapshot, elapsed));
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// Why no pass has ended for too long, if none has.
pub fn late(snapshot: &Snapshot, elapsed: Duration) -> Option<String> {
    let limit = snapshot.settings.interval * INTERVALS_MAX;
    let since = snapshot.last.as_ref().map_or(snapshot.began, |last| last.ended);
    let ago = elapsed.saturating_sub(since.elapsed);
    let seconds = ago.as_secs();
    let text = match &snapshot.last {
        Some(_) => {
            format!("the last pass ended {seconds} s ago, more than {INTERVALS_MAX} intervals")
        }
        None => format!("no pass has ended in {seconds} s, more than {INTERVALS_MAX} intervals"),
    };
    (ago > limit).then_some(text)
}

/// Passes go well while the creation pauses, and the cloud may accept what comes to nothing: neither makes the pool any
/// better.
fn creation_fails(snapshot: &Snapshot, elapsed: Duration) -> Option<String> {
    let failed = snapshot.trouble.creation.as_ref()?;
    let report = &snapshot.last_sight.as_ref()?.report;
    let plan = report.plan.as_ref()?;
    let why = if snapshot.settings.full { &failed.why } else { "the program's log says why" };
    let missing = plan.wanted.saturating_sub(plan.free);
    if missing == 0 || created(report).is_some() {
        return Some(format!("{NOT_PROVEN}: {why}; new replicas are on their way"));
    }
    let pause = snapshot.trouble.pause.as_ref().map(|pause| pause.until);
    let coming = [pause, snapshot.next].into_iter().flatten();
    let next = coming.filter(|moment| moment.elapsed > elapsed).max_by_key(|moment| moment.elapsed);
    let next = match (next, snapshot.running) {
        (Some(next), _) => format!("the next try is at {} UTC", time_of_day(next.wall)),
        (None, Some(_)) => "the pass under way tries again".to_owned(),
        (None, None) => "the next pass tries again".to_owned(),
    };
    Some(format!("creation fails, and {missing} of {} are missing: {why}; {next}", plan.wanted))
}

/// Whether a scaler that makes no passes sees that another one does.
pub fn lease_healthy(lease: &View, full: bool, elapsed: Duration) -> Result<(), String> {
    let unread = elapsed.saturating_sub(lease.answered);
    let unheld = elapsed.saturating_sub(lease.held);
    if lease.part == Part::Dead {
        Err("the thread that keeps the lease has died".to_owned())
    } else if !lease.asked {
        Err("the lease has not been read yet".to_owned())
    } else if let Some(why) = lease.failure.as_deref().filter(|_| unread > lease.validity) {
        let why = if full { why } else { "the program's log says why" };
        Err(format!("the lease could not be read for {} s: {why}", unread.as_secs()))
    } else if unheld > lease.validity * VALIDITIES_MAX {
        let why = lease.failure.as_deref().filter(|_| full);
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        Err(format!("nobody has held the lease for {} s, so nobody acts{why}", unheld.as_secs()))
    } else {
        Ok(())
    }
}

/// Why nothing is changed although this scaler had its turn, if that is so.
pub fn lapsed(snapshot: &Snapshot) -> Option<String> {
    let lease = snapshot.lease.as_ref().filter(|lease| lease.part == Part::Lapsed)?;
    let why = match &lease.failure {
        Some(why) if snapshot.settings.full => format!(": {why}"),
        Some(_) => "; the program's log says why".to_owned(),
        None => String::new(),
    };
    Some(format!("nothing is changed, because the lease was not renewed in time{why}"))
}

/// Whether the loop did anything lately, whatever the result; `idle` is how long nothing got done. If not, why.
///
/// The limit is three intervals, or a little more than the longest request when that is longer: a scaler that waits
/// for a slow creation with a short `APP_INTERVAL` is alive, and a supervisor that killed it would make it forget
/// what it has just asked for.
pub fn alive(settings: &PoolSettings, idle: Duration) -> Result<(), String> {
    let limit = (settings.interval * INTERVALS_MAX).max(settings.longest_request + SLACK);
    if idle > limit {
        return Err(format!(
            "no progress for {} s, more than {} s",
            idle.as_secs(),
            limit.as_secs()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{CreationOutcome, Outcome};
    use crate::pass::{Pause, Report};
    use crate::plan::{Loudness, Note};
    use crate::status::ended_pass::EndedPass;
    use crate::status::fixture;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn before_the_first_pass_has_ended_it_is_not_healthy() {
        let snapshot = fixture::before_the_first_pass();
        assert_eq!(healthy(&snapshot, SECOND), Err("no pass has ended yet".to_owned()));
    }

    #[test]
    fn a_good_pass_is_healthy_for_three_intervals() {
        let snapshot = fixture::after(fixture::good_pass());
        assert_eq!(healthy(&snapshot, 2 * SECOND + 180 * SECOND), Ok(()));
        assert_eq!(
            healthy(&snapshot, 2 * SECOND + 181 * SECOND),
            Err("the last pass ended 181 s ago, more than 3 intervals".to_owned())
        );
    }

    fn failed_pass_without_a_pause() -> Report {
        Report { pause: None, ..fixture::failed_pass() }
    }

    #[test]
    fn a_failed_pass_is_not_healthy_and_a_summary_hides_whom_it_names() {
        let mut snapshot = fixture::after(failed_pass_without_a_pause());
        let why = healthy(&snapshot, 2 * SECOND).unwrap_err();
        assert_eq!(why, "the last pass failed: cannot delete web-1 (id-1): status 500");
        snapshot.settings.full = false;
        let why = healthy(&snapshot, 2 * SECOND).unwrap_err();
        assert_eq!(why, "the last pass failed; the program's log says why");
    }

    #[test]
    fn what_the_log_calls_an_error_is_not_healthy_while_it_lasts() {
        let mut report = fixture::good_pass();
        let note = |loudness, text: &str| Note { loudness, key: text.into(), text: text.into() };
        report.plan.as_mut().unwrap().notes = vec![
            note(Loudness::Warning, "web-2 (id-2) is silent"),
            note(Loudness::Error, "creation stopped: web-3 (id-3) exists and is not listed"),
        ];
        let mut snapshot = fixture::after(report);
        let why = healthy(&snapshot, 2 * SECOND).unwrap_err();
        assert_eq!(why, "creation stopped: web-3 (id-3) exists and is not listed");
        snapshot.settings.full = false;
        let why = healthy(&snapshot, 2 * SECOND).unwrap_err();
        assert_eq!(why, "an error persists; the program's log says which");
    }

    #[test]
    fn what_is_a_failure_and_an_error_is_told_once() {
        let mut report = failed_pass_without_a_pause();
        let text = report.failures[0].clone();
        let note = Note { loudness: Loudness::Error, key: "limit".into(), text };
        report.plan.as_mut().unwrap().notes.push(note);
        let why = healthy(&fixture::after(report), 2 * SECOND).unwrap_err();
        assert_eq!(why, "the last pass failed: cannot delete web-1 (id-1): status 500");
    }

    #[test]
    fn a_back_off_does_not_make_a_pool_healthy_that_lacks_resources() {
        let why = |snapshot: &Snapshot, second: u64| {
            healthy(snapshot, Duration::from_secs(second)).err().unwrap_or_default()
        };
        let short = || {
            let mut report = fixture::good_pass();
            report.plan.as_mut().unwrap().creation = None;
            report
        };
        let pause = |left: u64| {
            let why = "the last creation failed: no room".into();
            Some(Pause { left: Duration::from_secs(left), step: 1, why })
        };
        let pass = |snapshot: &Snapshot, began, report| {
            let ended = fixture::at(began + 1);
            let pass = EndedPass { began: fixture::at(began), ended, report };
            let mut next = snapshot.pass_began(fixture::at(began)).pass_ended(pass);
            next.next = Some(fixture::at(began + 60));
            next
        };
        let failed = Report {
            pause: pause(119),
            failures: vec!["1 of 1 steps of the plan failed".into()],
            ..short()
        };
        let mut snapshot = pass(&fixture::before_the_first_pass(), 0, failed);
        let quiet = Report { pause: pause(59), ..short() };
        snapshot = pass(&snapshot, 60, quiet);
        let fails = "creation fails, and 3 of 6 are missing: no room";
        let next = format!("{fails}; the next try is at 14:15:20 UTC");
        assert_eq!(why(&snapshot, 62), next, "the pass itself was good");
        let under_way = snapshot.pass_began(fixture::at(120));
        let again = format!("{fails}; the pass under way tries again");
        assert_eq!(why(&under_way, 125), again);
        let mut accepted = short();
        let creation = CreationOutcome {
            mark: "a".into(),
            count: 1,
            trial: false,
            result: Ok(crate::model::ServerId::new("id-9")),
            left: None,
        };
        accepted.outcome = Some(Outcome { creation: Some(creation), ..Outcome::default() });
        let coming = format!("{NOT_PROVEN}: no room; new replicas are on their way");
        let accepted = pass(&snapshot, 120, accepted);
        assert_eq!(why(&accepted, 122), coming, "the cloud accepted one");
        let mut starting = short();
        let plan = starting.plan.as_mut().unwrap();
        (plan.free, plan.unaccounted) = (6, 1);
        assert_eq!(why(&pass(&accepted, 180, starting), 182), coming, "it has not answered yet");
        let mut answers = short();
        answers.plan.as_mut().unwrap().creation_works = true;
        assert_eq!(why(&pass(&accepted, 180, answers), 182), "", "one of more that come answers");
        let mut hidden = snapshot.clone();
        hidden.settings.full = false;
        let text = why(&hidden, 62);
        assert!(text.contains("the program's log says why") && !text.contains("no room"), "{text}");
        let mut enough = short();
        let plan = enough.plan.as_mut().unwrap();
        (plan.free, plan.replicas[0].free) = (6, 6);
        assert_eq!(why(&pass(&snapshot, 120, enough), 122), "", "nothing is missing any more");
    }

    #[track_caller]
    fn standby_says(lease: View, after: u32, expected: &str) {
        let mut snapshot = fixture::before_the_first_pass().with_lease(Some(lease));
        let why = healthy(&snapshot, after * SECOND).err().unwrap_or_default();
        assert_eq!(why, expected);
        snapshot.settings.full = false;
        let why = healthy(&snapshot, after * SECOND).err().unwrap_or_default();
        assert!(!why.contains("192.0.2.9"), "{why}");
    }

    #[test]
    fn a_standby_is_healthy_while_it_sees_the_lease_being_renewed() {
        standby_says(fixture::standby(), 50, "");
        standby_says(fixture::standby(), 80, "");
        let nobody = "nobody has held the lease for 61 s, so nobody acts";
        standby_says(fixture::standby(), 81, nobody);
        standby_says(fixture::lease(Part::Taking), 81, nobody);
        let dead = "the thread that keeps the lease has died";
        standby_says(fixture::lease(Part::Dead), 20, dead);
        let unasked = View { asked: false, ..fixture::standby() };
        standby_says(unasked, 1, "the lease has not been read yet");
    }

    #[test]
    fn a_lease_that_cannot_be_read_is_waited_for_one_validity() {
        let failure = Some("cannot list images: 192.0.2.9 refused".to_owned());
        let lease = View { failure, ..fixture::standby() };
        standby_says(lease.clone(), 50, "");
        let why = "the lease could not be read for 31 s: cannot list images: 192.0.2.9 refused";
        standby_says(lease, 51, why);
    }

    #[test]
    fn who_acts_is_judged_by_its_passes_and_by_its_lease() {
        let acts = fixture::after(fixture::good_pass());
        let acts = acts.with_lease(Some(fixture::lease(Part::Acts)));
        assert_eq!(healthy(&acts, 20 * SECOND), Ok(()));
        let failure = Some("cannot renew".to_owned());
        let lapsed = View { failure, ..fixture::lease(Part::Lapsed) };
        let why = healthy(&acts.with_lease(Some(lapsed)), 20 * SECOND).unwrap_err();
        assert_eq!(
            why,
            "nothing is changed, because the lease was not renewed in time: cannot renew"
        );
    }

    #[test]
    fn a_failed_pass_is_alive() {
        assert_eq!(alive(&fixture::after(fixture::failed_pass()).settings, SECOND), Ok(()));
    }

    #[test]
    fn three_intervals_without_progress_are_no_life() {
        let snapshot = fixture::before_the_first_pass();
        assert_eq!(alive(&snapshot.settings, 180 * SECOND), Ok(()));
        let why = alive(&snapshot.settings, 181 * SECOND).unwrap_err();
        assert_eq!(why, "no progress for 181 s, more than 180 s");
    }

    #[test]
    fn a_request_that_may_last_longer_than_three_intervals_is_waited_for() {
        let mut snapshot = fixture::before_the_first_pass();
        snapshot.settings.interval = 5 * SECOND;
        snapshot.settings.longest_request = 120 * SECOND;
        assert_eq!(alive(&snapshot.settings, 135 * SECOND), Ok(()));
        assert!(alive(&snapshot.settings, 136 * SECOND).is_err());
    }
}
