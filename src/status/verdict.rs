//! How the pool is (well, short or failing), why, and since when: one answer for the page, its title and its icon, and
//! for `/status`. Pure: a snapshot and a time in.

use std::time::{Duration, SystemTime};

use crate::outcome::StepResult;
use crate::plan::{HeldBack, Plan, StepKind};
use crate::status::health;
use crate::status::page::words::{count, near};
use crate::status::snapshot::{EndedPass, Moment, Snapshot};
use crate::status::trouble::healthy_addresses;

/// How the pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Enough is free, every managed address is on a healthy replica, and no brake is on.
    Well,
    /// Something is missing, or somebody has to act.
    Short,
    /// The last pass failed, or none ended for too long: what is shown may no longer be so.
    Failing,
}

impl Tone {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Tone::Well => "well",
            Tone::Short => "short",
            Tone::Failing => "failing",
        }
    }
}

/// What a reason is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The last pass failed.
    Failed,
    /// No pass has ended for too long.
    Late,
    /// The lease is not kept, so nothing is changed.
    Lease,
    /// Free resources are missing.
    Missing,
    /// Why they still are.
    HeldBack,
    /// Addresses are on no healthy replica.
    Addresses,
    /// A brake is on.
    Brake,
    /// An error lasts that somebody has to act on.
    Error,
}

impl Kind {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Failed => "failed",
            Kind::Late => "late",
            Kind::Lease => "lease",
            Kind::Missing => "missing",
            Kind::HeldBack => "held back",
            Kind::Addresses => "addresses",
            Kind::Brake => "brake",
            Kind::Error => "error",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Kind::Failed | Kind::Late | Kind::Lease => Tone::Failing,
            _ => Tone::Short,
        }
    }
}

/// A piece of a text: a time is shown as its reader likes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text.
    Text(String),
    /// A time of day.
    Time(SystemTime),
}

/// One reason why the pool is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it is about.
    pub kind: Kind,
    /// In words.
    pub pieces: Vec<Piece>,
    /// Since when it has been so, where that is known.
    pub since: Option<SystemTime>,
}

impl Reason {
    fn new(kind: Kind, text: impl Into<String>) -> Self {
        Reason { kind, pieces: vec![Piece::Text(text.into())], since: None }
    }

    fn text(mut self, text: impl Into<String>) -> Self {
        self.pieces.push(Piece::Text(text.into()));
        self
    }

    fn time(mut self, time: SystemTime) -> Self {
        self.pieces.push(Piece::Time(time));
        self
    }

    /// Also in words.
    fn since(self, since: Option<Moment>) -> Self {
        self.since_after(" ", since)
    }

    /// The same behind this.
    fn since_after(mut self, end: &str, since: Option<Moment>) -> Self {
        let Some(since) = since else { return self };
        self.since = Some(since.wall);
        self.text(format!("{end}since ")).time(since.wall)
    }

    /// `: ` and why; a summary does not say, for it may name somebody.
    fn why(self, why: &str, full: bool) -> Self {
        if full { self.text(format!(": {why}")) } else { self }
    }

    /// The same as a sentence of its own.
    #[must_use]
    pub fn capitalised(&self) -> Self {
        let mut reason = self.clone();
        if let Some(Piece::Text(text)) = reason.pieces.first_mut()
            && let Some(first) = text.chars().next()
        {
            let rest = text.get(first.len_utf8()..).unwrap_or_default();
            *text = first.to_uppercase().chain(rest.chars()).collect();
        }
        reason
    }

    /// In words, with its times in UTC.
    pub fn words(&self, now: SystemTime) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Time(time) => near(*time, now),
        };
        self.pieces.iter().map(piece).collect()
    }
}

/// How the pool is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `None`: nothing is known of it, for it has not been seen yet, or another scaler acts.
    pub tone: Option<Tone>,
    /// What is wrong, worst first.
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// All reasons in one line.
    pub fn words(&self, now: SystemTime) -> String {
        self.reasons.iter().map(|reason| reason.words(now)).collect::<Vec<_>>().join("; ")
    }
}

/// The verdict at `elapsed`, on the clock of the snapshot's moments. In summary detail it names no id, name or address.
pub fn verdict(snapshot: &Snapshot, elapsed: Duration) -> Verdict {
    let full = snapshot.settings.full;
    if let Some(lease) = snapshot.lease.as_ref().filter(|lease| !lease.leads()) {
        let why = health::lease_healthy(lease, full, elapsed).err();
        let reasons: Vec<Reason> =
            why.map(|why| Reason::new(Kind::Lease, why)).into_iter().collect();
        return Verdict { tone: reasons.first().map(|_| Tone::Failing), reasons };
    }
    let mut reasons = failing(snapshot, elapsed);
    let sight = snapshot.last_sight.as_deref();
    if let Some((pass, plan)) = sight.and_then(|pass| Some((pass, pass.report.plan.as_ref()?))) {
        reasons.extend(short(snapshot, pass, plan, elapsed));
    }
    let worst = reasons.iter().map(|reason| reason.kind.tone()).max();
    let tone = worst.or_else(|| sight.map(|_| Tone::Well));
    Verdict { tone, reasons }
}

fn failing(snapshot: &Snapshot, elapsed: Duration) -> Vec<Reason> {
    let full = snapshot.settings.full;
    let mut reasons = Vec::new();
    if let Some(why) = health::lapsed(snapshot) {
        reasons.push(Reason::new(Kind::Lease, why));
    }
    if let Some(last) = snapshot.last.as_deref().filter(|last| !last.report.is_good()) {
        let begun = snapshot.trouble.failing;
        let reason = match begun {
            Some(since) if since != last.began => {
                Reason::new(Kind::Failed, "passes have failed").since(begun)
            }
            _ => {
                let since = begun.map(|since| since.wall);
                Reason { since, ..Reason::new(Kind::Failed, "the last pass failed") }
            }
        };
        reasons.push(reason.why(&last.report.failures.join("; "), full));
    }
    if let Some(why) = health::late(snapshot, elapsed) {
        reasons.push(Reason::new(Kind::Late, why));
    }
    reasons
}

fn short(snapshot: &Snapshot, pass: &EndedPass, plan: &Plan, elapsed: Duration) -> Vec<Reason> {
    let (full, trouble) = (snapshot.settings.full, &snapshot.trouble);
    let mut reasons = Vec::new();
    let missing = plan.wanted.saturating_sub(plan.free);
    if missing > 0 {
        let text = format!("{missing} of {} missing", plan.wanted);
        reasons.push(Reason::new(Kind::Missing, text).since(trouble.missing));
        reasons.extend(held_back(snapshot, pass, plan, elapsed));
    }
    if let Some((healthy, all)) = healthy_addresses(&pass.report).filter(|(few, all)| few < all) {
        let noun = if all == 1 { "external address" } else { "external addresses" };
        let text = format!("only {healthy} of {all} {noun} on a healthy replica");
        reasons.push(Reason::new(Kind::Addresses, text).since(trouble.unheld));
    }
    for brake in &plan.brakes {
        let text = if full { brake } else { "a brake is on" };
        reasons.push(Reason::new(Kind::Brake, text).since_after(", ", trouble.brake));
    }
    for error in pass.report.errors().filter(|error| !plan.brakes.iter().any(|it| it == error)) {
        let text = if full { error } else { "an error lasts" };
        reasons.push(Reason::new(Kind::Error, text).since_after(", ", trouble.error));
    }
    reasons
}

/// Why resources are missing, and what comes of that next: never nothing, unless a pass that failed says it already.
fn held_back(snapshot: &Snapshot, pass: &EndedPass, plan: &Plan, elapsed: Duration) -> Vec<Reason> {
    let full = snapshot.settings.full;
    let reason = |text: &str| Reason::new(Kind::HeldBack, text);
    let mut reasons = Vec::new();
    let pause = snapshot.trouble.pause.as_ref();
    if let Some(pause) = pause {
        reasons.push(paused(snapshot, elapsed).unwrap_or_else(|| {
            let reason = try_again(snapshot, reason("creation was paused; "), elapsed);
            reason.why(&pause.why, full)
        }));
    }
    let is_told = |why: &str| pause.is_some_and(|pause| why.ends_with(&pause.why));
    if let Some(HeldBack { why, for_at_least }) =
        plan.held_back.as_ref().filter(|it| !is_told(&it.why))
    {
        let mut reason = reason("fewer replicas than are missing").why(why, full);
        if let Some(time) = for_at_least {
            let is_on = pass.began.elapsed + *time > elapsed;
            reason = if is_on {
                reason.text(", until ").time(pass.began.wall + *time).text(" at least")
            } else {
                try_again(snapshot, reason.text("; "), elapsed)
            };
        }
        reasons.push(reason);
    }
    reasons.extend(what_became_of_it(snapshot, pass, plan, elapsed));
    if reasons.is_empty() {
        reasons.push(try_again(snapshot, reason("nothing was asked for; "), elapsed));
    }
    reasons
}

/// The pause before the next creation, while it lasts.
pub fn paused(snapshot: &Snapshot, elapsed: Duration) -> Option<Reason> {
    let pause = snapshot.trouble.pause.as_ref()?;
    let reason = Reason::new(Kind::HeldBack, "creation paused until ").time(pause.until.wall);
    let is_on = pause.until.elapsed > elapsed;
    is_on.then(|| reason.why(&pause.why, snapshot.settings.full))
}

/// What became of the creation.
fn what_became_of_it(
    snapshot: &Snapshot,
    pass: &EndedPass,
    plan: &Plan,
    elapsed: Duration,
) -> Option<Reason> {
    let full = snapshot.settings.full;
    let reason = |text: &str| Reason::new(Kind::HeldBack, text);
    let batch = plan.creation.as_ref()?;
    let Some(outcome) = &pass.report.outcome else {
        return Some(reason("a dry run: nothing is created"));
    };
    let step = outcome.steps.iter().find(|step| step.kind == StepKind::Create);
    match step.map(|step| &step.result) {
        Some(StepResult::Done) => {
            let text = format!("{} asked for at ", count(batch.count, "replica"));
            Some(reason(&text).time(pass.began.wall))
        }
        // A pause follows, and tells it.
        Some(StepResult::Failed(_)) if snapshot.trouble.pause.is_some() => None,
        Some(StepResult::Failed(error)) => {
            let reason = try_again(snapshot, reason("the creation failed; "), elapsed);
            Some(reason.why(&error.text, full))
        }
        Some(StepResult::NotTried(why) | StepResult::Dropped(why)) => {
            let reason = try_again(snapshot, reason("not created yet; "), elapsed);
            Some(reason.why(why, full))
        }
        None => None,
    }
}

/// Which pass tries again.
fn try_again(snapshot: &Snapshot, reason: Reason, elapsed: Duration) -> Reason {
    if snapshot.running.is_some() {
        return reason.text("the pass that is under way tries again");
    }
    match snapshot.next {
        Some(next) if next.elapsed > elapsed => {
            reason.text("the next pass tries again, at ").time(next.wall)
        }
        _ => reason.text("the next pass tries again"),
    }
}

#[cfg(test)]
mod tests {
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
        report.pause = Some(Pause { left, step: 3, why: why.into(), refused: true });
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
        let words = "51 of 340 missing since 19:44; creation paused until 19:51: quota exceeded for instances";
        check(&after(passes), EVENING + 200, Some(Tone::Short), words);
    }

    #[test]
    fn between_the_end_of_a_pause_and_that_of_the_next_pass_the_reason_stays() {
        let mut snapshot = after(vec![(EVENING, paused_for(30, QUOTA))]);
        let short = "51 of 340 missing since 19:44:00; creation was paused; ";
        let words = format!("{short}the next pass tries again, at 19:45:00: {QUOTA}");
        check(&snapshot, EVENING + 40, Some(Tone::Short), &words);
        snapshot = snapshot.pass_began(at(EVENING + 60));
        let words = format!("{short}the pass that is under way tries again: {QUOTA}");
        check(&snapshot, EVENING + 61, Some(Tone::Short), &words);
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
                "fewer replicas than are missing: REPLICA_MAX 4: there are 4 replicas".to_owned(),
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
        let note =
            |key: &str, text: String| Note { loudness: Loudness::Error, key: key.into(), text };
        plan.notes =
            vec![note("brake-silence", brake), note("unseen-batch:a", "not listed".into())];
        let mut snapshot = after(vec![(EVENING, report)]);
        let words = "brake: 3 of 4 are silent, since 19:44:00; not listed, since 19:44:00";
        check(&snapshot, EVENING + 10, Some(Tone::Short), words);
        snapshot.settings.full = false;
        let words = "a brake is on, since 19:44:00; an error lasts, since 19:44:00";
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
        let lapsed =
            after(vec![(EVENING, quiet(6, 6))]).with_lease(Some(fixture::lease(Part::Lapsed)));
        let words = "nothing is changed, for the lease was not renewed in time";
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
}
