//! The JSON of `GET /status`, and of `GET /` for all but browsers. Pure: a snapshot and a time in, text out.
//!
//! In summary detail everything that could hold an id, a name or an address is left out: lists of things, and every text
//! that is put together from them. What is left are the settings, times, numbers and kinds.

mod pool;
mod settings;
pub mod steps;
#[cfg(test)]
mod tests;

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::clock::Moment;
use crate::events;
use crate::lease::turn::{Part, View};
use crate::plan::{Loudness, Plan};
use crate::status::ended_pass::EndedPass;
use crate::status::lives::Stage;
use crate::status::place::Place;
use crate::status::snapshot::Snapshot;
use crate::status::verdict::{self, Tone, verdict};
use pool::{Counts, ExternalAddress, Replica, Resources};
use settings::Settings;
use steps::{Step, StepCount};

/// The whole object. The Python daemon answers `{"status": 1, "isMaster": true}`: so do we, first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    status: u8,
    is_master: bool,
    version: &'static str,
    settings: Settings<'a>,
    started: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<Lease<'a>>,
    passes: u64,
    pass_running_since: Option<String>,
    last_pass: Option<LastPass<'a>>,
    /// When the pool was seen as it is shown from here on; `null` before it ever was.
    pool_seen: Option<String>,
    /// `well`, `short` or `failing`; `null` while nothing is known of it.
    pool: Option<&'static str>,
    /// Why it is not well, worst first.
    reasons: Vec<Reason>,
    resources: Option<Resources>,
    counts: Option<Counts>,
    /// How long the last builds and boots of replicas took, by their medians.
    median_build_seconds: Option<u64>,
    median_boot_seconds: Option<u64>,
    back_off: Option<BackOff<'a>>,
    held_back: Option<HeldBack<'a>>,
    step_counts: Vec<StepCount>,
    brake_count: usize,
    note_counts: NoteCounts,
    /// What happened lately, newest first.
    events: Vec<Event<'a>>,
    #[serde(flatten)]
    details: Option<Details<'a>>,
}

/// Why the pool is not well.
#[derive(Serialize)]
struct Reason {
    kind: &'static str,
    /// With its times in UTC.
    text: String,
    /// `null` where that is not known.
    since: Option<String>,
}

/// Of several scalers, which acts; not there without a lease.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lease<'a> {
    /// `acts`, `lapsed`, `taking`, `standby` or `dead`.
    part: &'static str,
    since: String,
    validity_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    me: Option<&'a str>,
    /// Who acts, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LastPass<'a> {
    began: String,
    ended: String,
    seconds: f64,
    ok: bool,
    failure_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<&'a [String]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BackOff<'a> {
    seconds_left: f64,
    step: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeldBack<'a> {
    seconds_at_least: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Default, Serialize)]
struct NoteCounts {
    error: usize,
    warning: usize,
    standing: usize,
}

#[derive(Serialize)]
struct Event<'a> {
    at: String,
    tone: &'static str,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// What only the full detail shows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    /// Where the VMs are and what they are made of; `null` in a simulation.
    cloud: Option<&'a Place>,
    replicas: Vec<Replica<'a>>,
    /// `null` when they are not managed, or could not be listed.
    external_addresses: Option<Vec<ExternalAddress<'a>>>,
    plan: Vec<Step<'a>>,
    brakes: &'a [String],
    notes: Vec<Note<'a>>,
}

#[derive(Serialize)]
struct Note<'a> {
    loudness: Loudness,
    text: &'a str,
}

/// The page at `now`, with these events.
pub fn page<'a>(
    snapshot: &'a Snapshot,
    events: impl Iterator<Item = &'a events::Event>,
    now: Moment,
) -> String {
    let elapsed = now.elapsed;
    let full = snapshot.settings.full;
    let last = snapshot.last.as_deref();
    let steps = last.map(|pass| steps::steps(&pass.report)).unwrap_or_default();
    let sight = snapshot
        .last_sight
        .as_deref()
        .and_then(|pass| pass.report.plan.as_ref().map(|plan| (pass, plan)));
    let plan = sight.map(|(_, plan)| plan);
    let held_back = plan.and_then(|plan| plan.held_back.as_ref());
    let verdict = verdict(snapshot, elapsed);
    text(&Page {
        status: 1,
        is_master: snapshot.acts(),
        version: env!("CARGO_PKG_VERSION"),
        settings: Settings::new(&snapshot.settings),
        started: time(snapshot.started.wall),
        lease: snapshot.lease.as_ref().map(|lease| lease_of(lease, full)),
        passes: snapshot.passes,
        pass_running_since: snapshot.running.map(|began| time(began.wall)),
        last_pass: last.map(|pass| last_pass(pass, full)),
        pool_seen: sight.map(|(pass, _)| time(pass.began.wall)),
        pool: verdict.tone.map(Tone::as_str),
        reasons: verdict.reasons.iter().map(|one| reason(one, now.wall)).collect(),
        resources: plan.map(|plan| pool::resources(plan, snapshot.settings.capacity)),
        counts: sight.map(|(pass, plan)| pool::counts(plan, &pass.report)),
        median_build_seconds: snapshot.lives.median(Stage::Build).map(|took| took.as_secs()),
        median_boot_seconds: snapshot.lives.median(Stage::Boot).map(|took| took.as_secs()),
        back_off: last.and_then(|pass| back_off(pass, elapsed, full)),
        held_back: held_back.map(|held_back| HeldBack {
            seconds_at_least: held_back.for_at_least.map(rounded_seconds),
            why: full.then_some(held_back.why.as_str()),
        }),
        step_counts: steps::counts(&steps),
        brake_count: plan.map_or(0, |plan| plan.brakes.len()),
        note_counts: plan.map(note_counts).unwrap_or_default(),
        events: events.map(|one| event(one, full)).collect(),
        details: full.then(|| details(snapshot, sight, steps, elapsed)),
    })
}

/// Any of our own answers as text; they hold nothing that cannot be written.
pub fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        log::error!("cannot write the status as JSON: {error}");
        r#"{"error":"cannot write the status as JSON"}"#.to_owned()
    })
}

fn reason(reason: &verdict::Reason, now: SystemTime) -> Reason {
    Reason { kind: reason.kind.as_str(), text: reason.words(now), since: reason.since.map(time) }
}

fn lease_of(lease: &View, full: bool) -> Lease<'_> {
    let (part, holder) = match &lease.part {
        Part::Acts => ("acts", Some(lease.me.as_str())),
        Part::Lapsed => ("lapsed", None),
        Part::Taking => ("taking", None),
        Part::StandsBy(holder) => ("standby", holder.as_deref()),
        Part::Dead => ("dead", None),
    };
    Lease {
        part,
        since: time(lease.since.wall),
        validity_seconds: rounded_seconds(lease.validity),
        name: full.then_some(&lease.lease),
        me: full.then_some(&lease.me),
        holder: holder.filter(|_| full),
        failure: lease.failure.as_deref().filter(|_| full),
    }
}

fn last_pass(pass: &EndedPass, full: bool) -> LastPass<'_> {
    LastPass {
        began: time(pass.began.wall),
        ended: time(pass.ended.wall),
        seconds: rounded_seconds(pass.ended.elapsed.saturating_sub(pass.began.elapsed)),
        ok: pass.report.is_good(),
        failure_count: pass.report.failures.len(),
        failures: full.then_some(&pass.report.failures),
    }
}

fn event(event: &events::Event, full: bool) -> Event<'_> {
    Event {
        at: time(event.at),
        tone: event.tone.as_str(),
        subject: &event.subject,
        text: full.then_some(&event.text),
    }
}

fn back_off(pass: &EndedPass, elapsed: Duration, full: bool) -> Option<BackOff<'_>> {
    let pause = pass.report.pause.as_ref()?;
    let left = pause.left.saturating_sub(elapsed.saturating_sub(pass.ended.elapsed));
    let why = full.then_some(pause.why.as_str());
    Some(BackOff { seconds_left: rounded_seconds(left), step: pause.step, why })
}

fn details<'a>(
    snapshot: &'a Snapshot,
    sight: Option<(&'a EndedPass, &'a Plan)>,
    plan: Vec<Step<'a>>,
    elapsed: Duration,
) -> Details<'a> {
    let cloud = snapshot.settings.place.as_ref();
    let Some((pass, seen)) = sight else {
        return Details {
            cloud,
            replicas: Vec::new(),
            external_addresses: None,
            plan,
            brakes: &[],
            notes: Vec::new(),
        };
    };
    let since = elapsed.saturating_sub(pass.began.elapsed);
    Details {
        cloud,
        replicas: pool::replicas(snapshot, seen, &pass.report, since),
        external_addresses: pool::addresses(seen, &pass.report),
        plan,
        brakes: &seen.brakes,
        notes: seen
            .notes
            .iter()
            .map(|note| Note { loudness: note.loudness, text: &note.text })
            .collect(),
    }
}

fn note_counts(plan: &Plan) -> NoteCounts {
    let count = |loudness| plan.notes.iter().filter(|note| note.loudness == loudness).count();
    NoteCounts {
        error: count(Loudness::Error),
        warning: count(Loudness::Warning),
        standing: count(Loudness::Standing),
    }
}

/// Seconds with at most three decimals.
fn rounded_seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// RFC 3339 in UTC; a clock that is set beyond all calendars is no reason to fail.
fn time(time: SystemTime) -> String {
    let mut text = String::new();
    let time = time.max(SystemTime::UNIX_EPOCH);
    match write!(text, "{}", humantime::format_rfc3339_millis(time)) {
        Ok(()) => text,
        Err(_) => "unknown".to_owned(),
    }
}
