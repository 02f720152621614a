//! The text format of Prometheus, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::time::Duration;

use crate::decide::arithmetic::KINDS;
use crate::error::ErrorKind;
use crate::metrics::family::FAMILIES;
use crate::metrics::{CloudService, Counters, Histogram, Phase, ProbeFailure};
use crate::model::State;
use crate::plan::DeletionReason;

/// What holds external addresses, as far as a graph tells it apart.
const HOLDERS: [&str; 4] = ["healthy", "other", "outside", "none"];

/// Classes of an answer's status; `none`: no whole answer.
const STATUS_CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "none"];

/// What is read off the latest snapshot.
#[derive(Clone, Debug, Default)]
pub struct Gauges {
    /// Replicas by state; `None` before the pool was first seen.
    pub replicas: Option<BTreeMap<State, u64>>,
    /// Replicas asked for and not listed yet; `None` before the pool was first seen.
    pub unaccounted: Option<u64>,
    /// `REPLICA_MAX`.
    pub replicas_max: Option<u64>,
    /// Free resources; `None` before the pool was first seen.
    pub free: Option<u64>,
    /// The same by kind, in the order of [`KINDS`].
    pub free_by_kind: Option<[u64; KINDS.len()]>,
    /// Wanted resources.
    pub wanted: u64,
    /// External addresses by holder, see the family's help; `None` when they are not managed or not known.
    pub addresses: Option<BTreeMap<&'static str, u64>>,
    /// The pause before the next creation.
    pub back_off: Duration,
    /// Whether a brake is on.
    pub brake: bool,
    /// Whether fewer replicas are created than are missing.
    pub held_back: bool,
    /// Since the last good pass, or since this scaler began to act; `None` on a standby.
    pub last_good_pass_age: Option<Duration>,
    /// Whether this scaler acts.
    pub leader: bool,
    /// `APP_INTERVAL`.
    pub interval: Duration,
}

/// The page of `/metrics`.
pub fn render(gauges: &Gauges, counters: &Counters) -> String {
    let mut page = Page(String::with_capacity(16 * 1024));
    for family in &FAMILIES {
        let (name, help) = (family.name, family.help);
        page.line(format_args!("# HELP {name} {help}"));
        page.line(format_args!("# TYPE {name} {}", family.kind.as_str()));
        if !render_gauge(&mut page, name, gauges) {
            render_counter(&mut page, name, counters);
        }
    }
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, line: impl Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn value(&mut self, name: &str, value: impl Display) {
        self.line(format_args!("{name} {value}"));
    }

    fn labelled(&mut self, name: &str, label: &str, label_value: &str, value: impl Display) {
        self.line(format_args!("{name}{{{label}=\"{label_value}\"}} {value}"));
    }

    /// Every value a label can have is shown from the start, so that the first event is an increase.
    fn counts<'a>(
        &mut self,
        name: &str,
        label: &str,
        values: impl IntoIterator<Item = &'a str>,
        counts: &BTreeMap<&'static str, u64>,
    ) {
        for value in values {
            self.labelled(name, label, value, counts.get(value).copied().unwrap_or(0));
        }
    }

    fn histogram(&mut self, name: &str, labels: &str, histogram: &Histogram) {
        let comma = if labels.is_empty() { "" } else { "," };
        for (bound, count) in histogram.buckets() {
            let bound = seconds(Duration::from_millis(bound));
            self.line(format_args!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}"));
        }
        let count = histogram.count();
        self.line(format_args!("{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}"));
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        self.line(format_args!("{name}_sum{braces} {}", seconds(histogram.sum())));
        self.line(format_args!("{name}_count{braces} {count}"));
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

/// Whether `name` is one of the gauges.
fn render_gauge(page: &mut Page, name: &str, gauges: &Gauges) -> bool {
    match name {
        "simplescalevm_build_info" => {
            page.labelled(name, "version", env!("CARGO_PKG_VERSION"), 1);
        }
        "simplescalevm_replicas" => {
            for (state, replicas) in gauges.replicas.iter().flat_map(|replicas| {
                State::ALL.map(|state| (state, replicas.get(&state).copied().unwrap_or(0)))
            }) {
                page.labelled(name, "state", state.as_str(), replicas);
            }
        }
        "simplescalevm_replicas_unaccounted" => {
            gauges.unaccounted.into_iter().for_each(|count| page.value(name, count));
        }
        "simplescalevm_replicas_max" => {
            gauges.replicas_max.into_iter().for_each(|max| page.value(name, max));
        }
        "simplescalevm_resources_free" => {
            gauges.free.into_iter().for_each(|free| page.value(name, free));
        }
        "simplescalevm_resources" => {
            for (kind, free) in gauges.free_by_kind.iter().flat_map(|free| KINDS.iter().zip(free)) {
                page.labelled(name, "kind", kind, free);
            }
        }
        "simplescalevm_resources_wanted" => page.value(name, gauges.wanted),
        "simplescalevm_external_addresses" => {
            if let Some(addresses) = &gauges.addresses {
                page.counts(name, "holder", HOLDERS, addresses);
            }
        }
        "simplescalevm_back_off_seconds" => page.value(name, seconds(gauges.back_off)),
        "simplescalevm_brake" => page.value(name, u8::from(gauges.brake)),
        "simplescalevm_creation_held_back" => page.value(name, u8::from(gauges.held_back)),
        "simplescalevm_last_good_pass_age_seconds" => {
            gauges.last_good_pass_age.into_iter().for_each(|age| page.value(name, seconds(age)));
        }
        "simplescalevm_leader" => page.value(name, u8::from(gauges.leader)),
        "simplescalevm_pass_interval_seconds" => page.value(name, seconds(gauges.interval)),
        _ => return false,
    }
    true
}

fn render_counter(page: &mut Page, name: &str, counters: &Counters) {
    match name {
        "simplescalevm_passes_total" => {
            page.counts(name, "result", ["ok", "failed"], &counters.passes);
        }
        "simplescalevm_pass_duration_seconds" => {
            page.histogram(name, "", &counters.pass_durations);
        }
        "simplescalevm_phase_duration_seconds" => {
            let none = Histogram::default();
            for phase in Phase::ALL {
                let histogram = counters.phase_durations.get(&phase).unwrap_or(&none);
                page.histogram(name, &format!("phase=\"{}\"", phase.as_str()), histogram);
            }
        }
        "simplescalevm_replicas_created_total" => page.value(name, counters.created),
        "simplescalevm_replicas_deleted_total" => {
            let reasons = DeletionReason::ALL.map(DeletionReason::as_str);
            page.counts(name, "reason", reasons, &counters.deleted);
        }
        "simplescalevm_address_moves_total" => page.value(name, counters.moves),
        "simplescalevm_address_downtime_seconds" => {
            page.histogram(name, "", &counters.downtimes.0);
        }
        "simplescalevm_watch_questions_total" => {
            page.counts(name, "result", ["answered", "failed"], &counters.watch_questions);
        }
        "simplescalevm_early_passes_total" => page.value(name, counters.early_passes),
        "simplescalevm_failures_total" => {
            page.counts(name, "kind", ErrorKind::NAMES, &counters.failures);
        }
        "simplescalevm_probe_failures_total" => {
            let reasons = ProbeFailure::ALL.map(ProbeFailure::as_str);
            page.counts(name, "reason", reasons, &counters.probe_failures);
        }
        "simplescalevm_cloud_requests_total" => {
            for (service, status) in CloudService::ALL
                .into_iter()
                .flat_map(|service| STATUS_CLASSES.map(|status| (service, status)))
            {
                let count = counters.requests.get(&(service, status)).copied().unwrap_or(0);
                let service = service.as_str();
                page.line(format_args!(
                    "{name}{{service=\"{service}\",status=\"{status}\"}} {count}"
                ));
            }
        }
        "simplescalevm_cloud_request_duration_seconds" => {
            let none = Histogram::default();
            for service in CloudService::ALL {
                let histogram = counters.request_durations.get(&service).unwrap_or(&none);
                page.histogram(name, &format!("service=\"{}\"", service.as_str()), histogram);
            }
        }
        "simplescalevm_cloud_request_retries_total" => {
            for service in CloudService::ALL {
                let count = counters.retries.get(&service).copied().unwrap_or(0);
                page.labelled(name, "service", service.as_str(), count);
            }
        }
        "simplescalevm_lease_changes_total" => page.value(name, counters.lease_changes),
        "simplescalevm_lease_failures_total" => page.value(name, counters.lease_failures),
        "simplescalevm_log_lines_lost_total" => page.value(name, counters.log_lines_lost),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    fn full() -> (Gauges, Counters) {
        let gauges = Gauges {
            replicas: Some(BTreeMap::from([(State::Healthy, 3)])),
            unaccounted: Some(1),
            replicas_max: Some(20),
            free: Some(6),
            free_by_kind: Some([1, 3, 0, 0, 2]),
            wanted: 6,
            addresses: Some(BTreeMap::from([("healthy", 2)])),
            back_off: Duration::from_secs(120),
            brake: true,
            held_back: true,
            last_good_pass_age: Some(Duration::from_millis(1500)),
            leader: true,
            interval: Duration::from_secs(60),
        };
        let metrics = Metrics::new();
        metrics.pass(true, Duration::from_millis(200));
        metrics.phase(Phase::Probe, Duration::from_millis(40));
        metrics.created(3);
        metrics.deleted(DeletionReason::Finished);
        metrics.moved();
        metrics.downtime(Duration::from_millis(3_200));
        metrics.watch_question(true);
        metrics.early_pass();
        metrics.failure(ErrorKind::Quota);
        metrics.probe_failure(ProbeFailure::Timeout);
        metrics.request(CloudService::Compute, Some(200), Duration::from_millis(140));
        metrics.request(CloudService::Compute, None, Duration::from_secs(60));
        metrics.retry(CloudService::Compute);
        (gauges, metrics.counters())
    }

    #[test]
    fn every_metric_of_the_list_is_shown_with_its_labels() {
        let (gauges, counters) = full();
        let page = render(&gauges, &counters);
        for family in FAMILIES {
            let is_of_it = |line: &&str| {
                line.strip_prefix(family.name).is_some_and(|rest| {
                    ["{", " ", "_bucket{"].iter().any(|it| rest.starts_with(it))
                })
            };
            let sample = page
                .lines()
                .find(is_of_it)
                .unwrap_or_else(|| panic!("{} is not shown:\n{page}", family.name));
            for label in family.labels {
                assert!(sample.contains(&format!("{label}=\"")), "no label {label} in {sample}");
            }
        }
    }

    #[test]
    fn nothing_is_shown_that_is_not_in_the_list() {
        let (gauges, counters) = full();
        for line in render(&gauges, &counters).lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let known = FAMILIES.iter().any(|family| name.starts_with(family.name));
            assert!(known, "not in the list: {line}");
        }
    }

    #[test]
    fn what_was_counted_is_what_is_shown() {
        let (gauges, counters) = full();
        let page = render(&gauges, &counters);
        for line in [
            "simplescalevm_replicas{state=\"healthy\"} 3",
            "simplescalevm_replicas{state=\"failed\"} 0",
            "simplescalevm_resources{kind=\"answered\"} 1",
            "simplescalevm_resources{kind=\"starting\"} 3",
            "simplescalevm_resources{kind=\"creating\"} 0",
            "simplescalevm_resources{kind=\"last_known\"} 0",
            "simplescalevm_resources{kind=\"unaccounted\"} 2",
            "simplescalevm_last_good_pass_age_seconds 1.5",
            "simplescalevm_passes_total{result=\"failed\"} 0",
            "simplescalevm_pass_duration_seconds_bucket{le=\"0.25\"} 1",
            "simplescalevm_replicas_deleted_total{reason=\"finished\"} 1",
            "simplescalevm_address_downtime_seconds_bucket{le=\"3\"} 0",
            "simplescalevm_address_downtime_seconds_bucket{le=\"4\"} 1",
            "simplescalevm_address_downtime_seconds_sum 3.2",
            "simplescalevm_watch_questions_total{result=\"answered\"} 1",
            "simplescalevm_watch_questions_total{result=\"failed\"} 0",
            "simplescalevm_early_passes_total 1",
            "simplescalevm_failures_total{kind=\"quota\"} 1",
            "simplescalevm_cloud_requests_total{service=\"compute\",status=\"2xx\"} 1",
            "simplescalevm_cloud_requests_total{service=\"compute\",status=\"none\"} 1",
            "simplescalevm_cloud_request_duration_seconds_count{service=\"compute\"} 2",
        ] {
            assert!(page.lines().any(|shown| shown == line), "no line {line} in:\n{page}");
        }
    }

    #[test]
    fn before_the_pool_was_seen_nothing_is_claimed_of_it() {
        let page = render(&Gauges::default(), &Counters::default());
        for name in
            ["simplescalevm_replicas{", "simplescalevm_resources_free ", "simplescalevm_resources{"]
        {
            assert!(page.lines().all(|line| !line.starts_with(name)), "{name} in:\n{page}");
        }
    }
}
