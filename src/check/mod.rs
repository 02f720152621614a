//! `--check`: everything a pass and a creation need is looked at once, and every fault is shown. Changes nothing.

mod page;
mod room;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::{Duration, Instant};

use page::{Page, counted};

use crate::args::Output;
use crate::clock::Clock;
use crate::decide::{self, Addresses, Observation, mark};
use crate::error::{Result, one_line};
use crate::http::CANNOT_CONNECT_IN_TIME;
use crate::lease::{Record, State};
use crate::memory::Memory;
use crate::minimum::{self, MinimumFile};
use crate::model::{Answer, Listing, Server};
use crate::observe;
use crate::probe::{Ask, Prober};
use crate::provider::Provider;
use crate::settings::{Config, LeaseSettings, Mark, Policy};
use crate::status;

/// Most other values of the mark that are named.
const OTHER_VALUES_MAX: usize = 5;

/// Looks at the lease, and takes nothing.
pub type LookAtLease<'a> = &'a mut dyn FnMut() -> Result<Option<Record>>;

/// Checks the cloud and asks the pool, and shows what it finds on `out`. `true` when there is no fault.
///
/// A replica whose answer would be refused is a warning, not a fault: settings and cloud are as they should be, and a
/// pool at work always has replicas that boot or end. When all are refused for the same mistake, the settings are wrong.
pub fn run(
    config: &Config,
    provider: &mut dyn Provider,
    prober: &Prober,
    lease: Option<LookAtLease<'_>>,
    output: Output,
    out: &mut dyn Write,
) -> bool {
    let mut page = Page::new(output, out);
    settings(config, &mut page);
    cloud(provider, &mut page);
    minimum_file(config, &mut page);
    if let (Some(settings), Some(look)) = (&config.lease, lease) {
        page.heading("Several scalers");
        match look() {
            Ok(record) => page.found("lease", &held(settings, record.as_ref())),
            Err(error) => page.fault("lease", &error.text),
        }
    }
    if let Some(seen) = pool(config, provider, &mut page) {
        room::compare(&config.policy, seen.servers.len(), provider.quotas(), &mut page);
        replicas(config, prober, seen, &mut page);
    }
    page.end()
}

/// Shows for scripts that nothing else was looked at, for what is wrong with the settings. People are told on stderr.
pub fn refused(faults: &[String], out: &mut dyn Write) {
    let mut page = Page::new(Output::Json, out);
    page.heading(SETTINGS);
    for fault in faults {
        page.fault("settings", fault);
    }
    page.end();
}

const SETTINGS: &str = "Settings";

/// What is worth a line; without such a thing there is none.
fn settings(config: &Config, page: &mut Page<'_>) {
    let port = status::may_listen(&config.status).err();
    if !config.warnings.is_empty() || port.is_some() {
        page.heading(SETTINGS);
    }
    for warning in &config.warnings {
        page.warn("settings", warning);
    }
    if let Some(error) = port {
        page.fault("status server", &error.text);
    }
}

/// The lease as one look shows it: whether it is renewed takes two.
fn held(settings: &LeaseSettings, record: Option<&Record>) -> String {
    let LeaseSettings { name, holder: me, .. } = settings;
    match record.map(|record| (record.state, &record.holder.name)) {
        None => format!("{name}: nobody has held it yet; this scaler would take it, as {me}"),
        Some((State::Held, holder)) => format!("{name}: {holder} holds it; this scaler is {me}"),
        Some((State::Released, holder)) => {
            format!(
                "{name}: {holder} handed it over, so nobody holds it; this scaler would take it, as {me}"
            )
        }
        Some((State::Expired, holder)) => {
            format!(
                "{name}: {holder} let it run out, so nobody holds it; this scaler would take it, as {me}"
            )
        }
    }
}

fn cloud(provider: &mut dyn Provider, page: &mut Page<'_>) {
    page.heading("Cloud");
    for line in provider.check() {
        match line.found {
            Ok(found) if line.warning => page.warn(&line.what, &found),
            Ok(found) => page.found(&line.what, &found),
            Err(fault) => page.fault(&line.what, &fault),
        }
    }
}

/// A program that starts with a file it cannot use goes by the variable.
fn minimum_file(config: &Config, page: &mut Page<'_>) {
    let Some(path) = &config.minimum_file else { return };
    let shown = path.display();
    match minimum::read(path) {
        Ok(number) => {
            page.found("minimum file", &format!("{shown}, free resources wanted: {number}"));
            let policy = Policy { minimum: number, ..config.policy.clone() };
            if let Some(note) = MinimumFile::new(path.clone()).beyond_max(&policy) {
                page.warn("minimum file", &note.text);
            }
        }
        Err(why) => {
            let name = "REPLICA_MIN_AVAILABLE_RESOURCES_FILE";
            page.fault("minimum file", &format!("{name} {shown} {why}"));
        }
    }
}

/// The pool's servers, as a pass would see them before it asks them.
fn pool(config: &Config, provider: &mut dyn Provider, page: &mut Page<'_>) -> Option<Observation> {
    page.heading("Pool");
    let network = match provider.network_name() {
        Ok(name) => Some(name),
        Err(error) => {
            page.fault("network", &error.text);
            None
        }
    };
    let Listing { servers, now } = match provider.servers() {
        Ok(listing) => listing,
        Err(error) => {
            page.fault("servers", &error.text);
            return None;
        }
    };
    let chosen = match mark::settle(&config.mark, &servers) {
        Ok((chosen, warning)) => {
            if let Some(warning) = warning {
                page.warn("mark", &warning);
            }
            chosen
        }
        Err(error) => {
            page.fault("mark", &error.text);
            return None;
        }
    };
    if now.is_none() {
        let text = "the server list does not tell the time (no Date header): nothing is deleted for its age";
        page.warn("clock", text);
    }
    let (replicas, others): (Vec<Server>, Vec<Server>) =
        servers.into_iter().partition(|server| server.mark.as_deref() == Some(&chosen));
    let has = if replicas.len() == 1 { "server carries" } else { "servers carry" };
    let mark = format!("{} {has} {}={chosen}", replicas.len(), config.mark.key);
    page.found("mark", &mark);
    page.found("others", &outside(&config.mark, &others));
    Some(Observation {
        elapsed: Duration::ZERO,
        early: false,
        now: now.unwrap_or_else(|| Clock::start().now().wall),
        clock_told: now.is_some(),
        incomplete: None,
        servers: replicas,
        answers: BTreeMap::new(),
        unconfirmed: BTreeMap::new(),
        network,
        addresses: Addresses::NotManaged,
        gone: BTreeSet::new(),
        lookups: BTreeMap::new(),
    })
}

/// Shows the filter from its other side: an operator who expected more replicas sees where they are.
fn outside(mark: &Mark, others: &[Server]) -> String {
    let values: BTreeSet<&str> = others.iter().filter_map(|other| other.mark.as_deref()).collect();
    let named: Vec<String> = values
        .iter()
        .take(OTHER_VALUES_MAX)
        .map(|value| format!("{}={}", mark.key, one_line(value, 40)))
        .collect();
    let some = match named.as_slice() {
        [] => String::new(),
        named => format!(" (some carry {})", named.join(", ")),
    };
    match others.len() {
        0 => "no other server in the project".to_owned(),
        count => format!("{} without it, never touched{some}", counted(count, "server")),
    }
}

fn replicas(config: &Config, prober: &Prober, mut seen: Observation, page: &mut Page<'_>) {
    let (policy, memory) = (&config.policy, Memory::new("check"));
    let targets = observe::targets(policy, &memory, &seen);
    let began = Instant::now();
    seen.answers = prober.ask_all(&targets, &|| began.elapsed() < policy.interval / 2);
    let (plan, _) = decide::decide(policy, &seen, &memory);
    let invalid = |answer: &&Answer| matches!(answer, Answer::None { .. });
    let (asked, invalid) = (targets.len(), seen.answers.values().filter(invalid).count());
    if let Some(error) = observe::unasked(&seen) {
        page.fault("answers", &error.text);
        return page.table(&plan.replicas);
    }
    match (asked, invalid) {
        (0, _) => page.found("answers", "no replica to ask"),
        (_, 0) => page.found("answers", &format!("{} asked, all valid", counted(asked, "replica"))),
        _ => refused_answers(config, asked, invalid, &seen, page),
    }
    page.table(&plan.replicas);
}

fn refused_answers(
    config: &Config,
    asked: usize,
    invalid: usize,
    seen: &Observation,
    page: &mut Page<'_>,
) {
    let replicas = counted(asked, "replica");
    if let Some((why, advice)) = same_refusal(seen.answers.values()) {
        let text =
            format!("{replicas} asked, every answer refused for the same reason: {why}; {advice}");
        return page.fault("answers", &text);
    }
    let wall = behind_a_wall(seen.answers.values(), config.probe.port);
    let text = format!(
        "{replicas} asked, {invalid} without a valid answer: the last column says why{wall}"
    );
    page.warn("answers", &text);
}

/// Why every answer is refused, when it is the same mistake in all of them and no replica that boots, ends or is cut off makes
/// it; and which settings to look at.
fn same_refusal<'a>(
    mut answers: impl Iterator<Item = &'a Answer>,
) -> Option<(&'a str, &'static str)> {
    const OF_KEYS: &str = "\"";
    const OF_THE_WAY: [&str; 5] = ["not ", "status 3", "status 4", "TLS: ", "the answer "];
    let Some(Answer::None { why }) = answers.next() else { return None };
    let first = mistake(why);
    let same = |answer: &Answer| matches!(answer, Answer::None { why } if mistake(why) == first);
    if !answers.all(same) {
        return None;
    }
    let advice = if why.starts_with(OF_KEYS) {
        "REPLICA_API_CAPACITY_KEY and REPLICA_API_TERMINATION_KEY say which keys are read"
    } else if OF_THE_WAY.iter().any(|beginning| why.starts_with(beginning)) {
        "REPLICA_API_PROTOCOL, REPLICA_API_PORT and REPLICA_API_PATH say where the status is"
    } else {
        return None;
    };
    Some((why, advice))
}

/// What is wrong with an answer, without the values and the keys that it has: these are each replica's own.
fn mistake(why: &str) -> (&str, &str) {
    const MISSING: &str = "\" is missing (have: ";
    const NOT_JSON: &str = "not JSON: ";
    if let Some((key, _)) = why.split_once(MISSING) {
        return (key, MISSING);
    }
    if why.starts_with(NOT_JSON) {
        return (NOT_JSON, "");
    }
    let of_value = why.split_once("\" is ").zip(why.rsplit_once(", not "));
    of_value.map_or((why, ""), |((key, _), (_, wanted))| (key, wanted))
}

/// A VM that runs and on which nothing takes a connection, and nothing refuses it, is most often shut off by its security
/// group: the default one lets in only its own members.
fn behind_a_wall<'a>(answers: impl Iterator<Item = &'a Answer>, port: u16) -> String {
    let shut = |answer: &&Answer| matches!(answer, Answer::None { why } if why.contains(CANNOT_CONNECT_IN_TIME));
    match answers.filter(shut).count() {
        0 => String::new(),
        count => format!(
            "; cannot connect to {count} of them: do their security groups let this machine in on port {port}?"
        ),
    }
}
