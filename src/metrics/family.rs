//! The list of everything that `/metrics` shows: names by Prometheus's conventions, no label with many values.

use std::fmt::Write as _;

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only grows.
    Counter,
    /// Durations in buckets.
    Histogram,
}

impl Kind {
    /// The type as the text format spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it tells, in a sentence.
    pub help: &'static str,
}

const fn family(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    Family { name, kind, labels, help }
}

/// Every metric, in the order in which it is shown.
pub const FAMILIES: [Family; 31] = [
    family(
        "simplescalevm_build_info",
        Kind::Gauge,
        &["version"],
        "Always 1; the label holds the version.",
    ),
    family("simplescalevm_replicas", Kind::Gauge, &["state"], "Replicas by state."),
    family(
        "simplescalevm_replicas_unaccounted",
        Kind::Gauge,
        &[],
        "Replicas asked for but not yet in the cloud's list; they count against REPLICA_MAX.",
    ),
    family("simplescalevm_replicas_max", Kind::Gauge, &[], "REPLICA_MAX; absent when it is none."),
    family(
        "simplescalevm_resources_free",
        Kind::Gauge,
        &[],
        "Free resources, including what is on its way.",
    ),
    family(
        "simplescalevm_resources",
        Kind::Gauge,
        &["kind"],
        "The same by kind: answered (the replicas say so), starting, creating, last_known (of replicas that are silent \
         at the moment), unaccounted.",
    ),
    family("simplescalevm_resources_wanted", Kind::Gauge, &[], "REPLICA_MIN_AVAILABLE_RESOURCES."),
    family(
        "simplescalevm_external_addresses",
        Kind::Gauge,
        &["holder"],
        "External addresses by what holds them: healthy, other (a replica that is not), outside (not in the pool), \
         none.",
    ),
    family(
        "simplescalevm_back_off_seconds",
        Kind::Gauge,
        &[],
        "Time until creation is tried again after failures; 0: no pause.",
    ),
    family(
        "simplescalevm_brake",
        Kind::Gauge,
        &[],
        "1 while a brake is on: too many replicas failed at once.",
    ),
    family(
        "simplescalevm_creation_held_back",
        Kind::Gauge,
        &[],
        "1 while fewer replicas are created than are missing.",
    ),
    family(
        "simplescalevm_last_good_pass_age_seconds",
        Kind::Gauge,
        &[],
        "Time since the last pass that did all it set out to do, or since the start or the takeover if there was none; \
         absent on a standby.",
    ),
    family("simplescalevm_pass_interval_seconds", Kind::Gauge, &[], "APP_INTERVAL."),
    family(
        "simplescalevm_passes_total",
        Kind::Counter,
        &["result"],
        "Passes by result: ok, failed.",
    ),
    family("simplescalevm_pass_duration_seconds", Kind::Histogram, &[], "Durations of passes."),
    family(
        "simplescalevm_phase_duration_seconds",
        Kind::Histogram,
        &["phase"],
        "Durations of the phases of a pass: list, probe, addresses, act.",
    ),
    family(
        "simplescalevm_replicas_created_total",
        Kind::Counter,
        &[],
        "Replicas in the creations that the cloud accepted; a quota may have allowed fewer.",
    ),
    family(
        "simplescalevm_replicas_deleted_total",
        Kind::Counter,
        &["reason"],
        "Replicas whose deletion the cloud accepted, by reason.",
    ),
    family("simplescalevm_address_moves_total", Kind::Counter, &[], "External addresses moved."),
    family(
        "simplescalevm_address_downtime_seconds",
        Kind::Histogram,
        &[],
        "Time from the last good answer of an external address's holder to the move that the cloud accepted.",
    ),
    family(
        "simplescalevm_watch_questions_total",
        Kind::Counter,
        &["result"],
        "Questions to the holders of external addresses between two passes: answered, failed.",
    ),
    family(
        "simplescalevm_early_passes_total",
        Kind::Counter,
        &[],
        "Passes that began early because a holder no longer answered.",
    ),
    family(
        "simplescalevm_failures_total",
        Kind::Counter,
        &["kind"],
        "Failures in passes, by kind.",
    ),
    family(
        "simplescalevm_probe_failures_total",
        Kind::Counter,
        &["reason"],
        "Probes without a valid answer: unreachable, timeout, status, invalid.",
    ),
    family(
        "simplescalevm_cloud_requests_total",
        Kind::Counter,
        &["service", "status"],
        "Requests to the cloud by service and status class; none: no complete answer.",
    ),
    family(
        "simplescalevm_cloud_request_duration_seconds",
        Kind::Histogram,
        &["service"],
        "Durations of requests to the cloud.",
    ),
    family(
        "simplescalevm_cloud_request_retries_total",
        Kind::Counter,
        &["service"],
        "Requests to the cloud that were sent again.",
    ),
    family(
        "simplescalevm_leader",
        Kind::Gauge,
        &[],
        "1 while this scaler acts: always, without APP_LEASE; 0 on a standby, in a dry run, and while the lease is not renewed.",
    ),
    family(
        "simplescalevm_lease_changes_total",
        Kind::Counter,
        &[],
        "How many times the lease went to another scaler, as far as this one saw.",
    ),
    family(
        "simplescalevm_lease_failures_total",
        Kind::Counter,
        &[],
        "Requests about the lease that failed.",
    ),
    family(
        "simplescalevm_log_lines_lost_total",
        Kind::Counter,
        &[],
        "Log lines that were lost: could not be written, or nobody read them.",
    ),
];

/// The same list as a table for the README.
pub fn markdown() -> String {
    let mut table = "| metric | type | |\n| --- | --- | --- |\n".to_owned();
    for family in &FAMILIES {
        let labels = if family.labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", family.labels.join(","))
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| `{}{labels}` | {} | {} |",
            family.name,
            family.kind.as_str(),
            family.help
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_holds_the_table() {
        const README: &str = include_str!("../../README.md");
        let (begin, end) = ("<!-- metrics -->\n", "<!-- /metrics -->");
        let held = README.split_once(begin).and_then(|(_, rest)| Some(rest.split_once(end)?.0));
        let table = markdown();
        assert!(
            held.map(str::trim) == Some(table.trim()),
            "between {begin}and {end} the README should hold:\n{table}"
        );
    }

    /// Names of ours in a text, without what a histogram adds to them.
    fn named(text: &str) -> impl Iterator<Item = &str> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let suffixes = ["_bucket", "_sum", "_count"];
        words.filter(|word| word.starts_with("simplescalevm_")).map(move |word| {
            suffixes.iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word)
        })
    }

    #[test]
    fn rules_and_dashboard_name_only_what_there_is() {
        let alerts = include_str!("../../contrib/prometheus/alerts.yml");
        let dashboard = include_str!("../../contrib/grafana/simplescalevm.json");
        assert!(serde_json::from_str::<serde_json::Value>(dashboard).is_ok(), "not JSON");
        for name in named(alerts).chain(named(dashboard)) {
            assert!(FAMILIES.iter().any(|family| family.name == name), "{name} does not exist");
        }
        for family in FAMILIES {
            assert!(named(dashboard).any(|name| name == family.name), "no panel: {}", family.name);
        }
    }

    #[test]
    fn names_follow_prometheus() {
        for family in FAMILIES {
            let name = family.name;
            assert!(name.starts_with("simplescalevm_"), "{name} has no prefix");
            let is_total = name.ends_with("_total");
            assert_eq!(is_total, family.kind == Kind::Counter, "{name}: only counters are _total");
            let is_seconds = name.ends_with("_seconds");
            assert!(is_seconds || family.kind != Kind::Histogram, "{name}: what is its unit?");
        }
    }
}
