//! How the pool is (well, short or failing), why, and since when: one answer for the page, its title and its icon, and
//! for `/status`. Pure: a snapshot and a time in.

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use crate::clock::Moment;
use crate::memory::CREATION_FAILED;
use crate::outcome::StepResult;
use crate::plan::{HeldBack, Plan, StepKind};
use crate::status::ended_pass::EndedPass;
use crate::status::health;
use crate::status::snapshot::Snapshot;
use crate::status::trouble::healthy_addresses;
use crate::status::words::{count, near};

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
    /// Why they still are; or why more soon may be: creation fails.
    HeldBack,
    /// Addresses are on no healthy replica.
    Addresses,
    /// A brake is on.
    Brake,
    /// A lasting error that somebody has to act on.
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
    } else if let Some(failed) = &trouble.creation {
        let unproven =
            || Reason::new(Kind::HeldBack, health::NOT_PROVEN).why(own_words(&failed.why), full);
        reasons.push(paused(snapshot, elapsed).unwrap_or_else(unproven));
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
        let text = if full { error } else { "an error persists" };
        reasons.push(Reason::new(Kind::Error, text).since_after(", ", trouble.error));
    }
    reasons
}

/// Why resources are missing, and what happens next: never nothing, unless a failed pass already says it.
fn held_back(snapshot: &Snapshot, pass: &EndedPass, plan: &Plan, elapsed: Duration) -> Vec<Reason> {
    let full = snapshot.settings.full;
    let reason = |text: &str| Reason::new(Kind::HeldBack, text);
    let mut reasons = Vec::new();
    let pause = snapshot.trouble.pause.as_ref();
    if let Some(pause) = pause {
        reasons.push(paused(snapshot, elapsed).unwrap_or_else(|| {
            let reason = try_again(snapshot, reason("creation was paused; "), elapsed);
            reason.why(own_words(&pause.why), full)
        }));
    }
    let is_told = |why: &str| pause.is_some_and(|pause| why.ends_with(&pause.why));
    if let Some(HeldBack { why, for_at_least }) =
        plan.held_back.as_ref().filter(|it| !is_told(&it.why))
    {
        let mut reason = reason("creating fewer replicas than are missing").why(why, full);
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
    is_on.then(|| reason.why(own_words(&pause.why), snapshot.settings.full))
}

/// What the cloud said, without the request and the status before it; whatever begins in another way is left whole.
fn own_words(why: &str) -> &str {
    let after_the_request = || {
        let request = why.strip_prefix(CREATION_FAILED).unwrap_or(why);
        let (method, rest) = request.split_once(' ')?;
        let (url, rest) = rest.split_once(": status ")?;
        let (status, words) = rest.split_once(": ")?;
        let is_method = !method.is_empty() && method.chars().all(|c| c.is_ascii_uppercase());
        let is_url = url.contains("://") && !url.contains(' ');
        let is_status = status.len() == 3 && status.chars().all(|c| c.is_ascii_digit());
        (is_method && is_url && is_status && !words.is_empty()).then_some(words)
    };
    after_the_request().unwrap_or(why)
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
        // A pause follows, and says so.
        Some(StepResult::Failed(_)) if snapshot.trouble.pause.is_some() => None,
        Some(StepResult::Failed(error)) => {
            let reason = try_again(snapshot, reason("the creation failed; "), elapsed);
            Some(reason.why(own_words(&error.text), full))
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
        return reason.text("the pass under way tries again");
    }
    match snapshot.next {
        Some(next) if next.elapsed > elapsed => {
            reason.text("the next pass tries again, at ").time(next.wall)
        }
        _ => reason.text("the next pass tries again"),
    }
}
