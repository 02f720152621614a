//! What is counted, for Prometheus: counters and histograms that grow while the program runs.
//!
//! Gauges (replicas by state, free resources …) are no state of their own: they are read off the snapshot when somebody
//! asks, see [`render`].

mod family;
mod histogram;
mod render;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use family::{FAMILIES, Family, Kind, markdown};
pub use histogram::{Downtimes, Histogram};
pub use render::{Gauges, render};

use crate::error::ErrorKind;
use crate::logger;
use crate::plan::DeletionReason;

/// The counters of one process. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Mutex<Counters>>);

/// The state behind [`Metrics`].
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Passes, by result (`ok`, `failed`).
    pub passes: BTreeMap<&'static str, u64>,
    /// Durations of whole passes.
    pub pass_durations: Histogram,
    /// Durations of a pass's phases.
    pub phase_durations: BTreeMap<Phase, Histogram>,
    /// Replicas whose creation the cloud accepted.
    pub created: u64,
    /// Replicas whose deletion the cloud accepted, by reason.
    pub deleted: BTreeMap<&'static str, u64>,
    /// Addresses moved.
    pub moves: u64,
    /// How long addresses that moved had nobody behind them.
    pub downtimes: Downtimes,
    /// Questions of the watch that were asked, by result (`answered`, `failed`).
    pub watch_questions: BTreeMap<&'static str, u64>,
    /// Passes that the watch began.
    pub early_passes: u64,
    /// Failures in passes, by kind.
    pub failures: BTreeMap<&'static str, u64>,
    /// Probes without a valid answer, by reason.
    pub probe_failures: BTreeMap<&'static str, u64>,
    /// Requests to the cloud, by service and class of the status (`2xx` … `5xx`, `none`).
    pub requests: BTreeMap<(CloudService, &'static str), u64>,
    /// Durations of these requests, by service.
    pub request_durations: BTreeMap<CloudService, Histogram>,
    /// Repetitions of these requests, by service.
    pub retries: BTreeMap<CloudService, u64>,
    /// How many times the lease went to another scaler.
    pub lease_changes: u64,
    /// Requests about the lease that failed.
    pub lease_failures: u64,
    /// Lines that the log lacks.
    pub log_lines_lost: u64,
}

/// A service of the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CloudService {
    /// Keystone.
    Identity,
    /// Nova.
    Compute,
    /// Neutron.
    Network,
    /// Glance.
    Image,
    /// Cinder.
    Volume,
}

impl CloudService {
    /// Every service that a pass asks. Cinder is asked by `--check` alone, which has no metrics.
    pub const ALL: [CloudService; 4] =
        [CloudService::Identity, CloudService::Compute, CloudService::Network, CloudService::Image];

    /// One word, as the label spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            CloudService::Identity => "identity",
            CloudService::Compute => "compute",
            CloudService::Network => "network",
            CloudService::Image => "image",
            CloudService::Volume => "volume",
        }
    }
}

/// A phase of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The cloud is asked for the pool's servers, and what became of those that are missing.
    List,
    /// The replicas are asked.
    Probe,
    /// The cloud is asked for the external addresses.
    Addresses,
    /// The plan is carried out.
    Act,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Phase; 4] = [Phase::List, Phase::Probe, Phase::Addresses, Phase::Act];

    /// One word, as the label spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::List => "list",
            Phase::Probe => "probe",
            Phase::Addresses => "addresses",
            Phase::Act => "act",
        }
    }
}

/// Why a probe gave no valid answer, in the few kinds that are worth telling apart on a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeFailure {
    /// Nobody listens there, or nobody is there.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// An answer with a status other than 2xx.
    Status,
    /// An answer that is not the expected JSON.
    Invalid,
}

impl ProbeFailure {
    /// Every reason.
    pub const ALL: [ProbeFailure; 4] = [
        ProbeFailure::Unreachable,
        ProbeFailure::Timeout,
        ProbeFailure::Status,
        ProbeFailure::Invalid,
    ];

    /// One word, as the label spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            ProbeFailure::Unreachable => "unreachable",
            ProbeFailure::Timeout => "timeout",
            ProbeFailure::Status => "status",
            ProbeFailure::Invalid => "invalid",
        }
    }
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        Counters { log_lines_lost: logger::lines_lost(), ..self.lock().clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pass ended.
    pub fn pass(&self, good: bool, duration: Duration) {
        let mut counters = self.lock();
        add(&mut counters.passes, if good { "ok" } else { "failed" });
        counters.pass_durations.observe(duration);
    }

    /// A phase of a pass ended.
    pub fn phase(&self, phase: Phase, duration: Duration) {
        self.lock().phase_durations.entry(phase).or_default().observe(duration);
    }

    /// The cloud accepted a creation.
    pub fn created(&self, count: u64) {
        let mut counters = self.lock();
        counters.created = counters.created.saturating_add(count);
    }

    /// The cloud accepted a deletion.
    pub fn deleted(&self, reason: DeletionReason) {
        add(&mut self.lock().deleted, reason.as_str());
    }

    /// An address moved.
    pub fn moved(&self) {
        let mut counters = self.lock();
        counters.moves = counters.moves.saturating_add(1);
    }

    /// An address moved, so long after its holder's last good answer.
    pub fn downtime(&self, duration: Duration) {
        self.lock().downtimes.0.observe(duration);
    }

    /// A question of the watch ended.
    pub fn watch_question(&self, answered: bool) {
        add(&mut self.lock().watch_questions, if answered { "answered" } else { "failed" });
    }

    /// The watch began a pass.
    pub fn early_pass(&self) {
        let mut counters = self.lock();
        counters.early_passes = counters.early_passes.saturating_add(1);
    }

    /// The lease went to another scaler.
    pub fn lease_changed(&self) {
        let mut counters = self.lock();
        counters.lease_changes = counters.lease_changes.saturating_add(1);
    }

    /// A request about the lease failed.
    pub fn lease_failed(&self) {
        let mut counters = self.lock();
        counters.lease_failures = counters.lease_failures.saturating_add(1);
    }

    /// Something failed in a pass.
    pub fn failure(&self, kind: ErrorKind) {
        add(&mut self.lock().failures, kind.as_str());
    }

    /// A replica gave no valid answer.
    pub fn probe_failure(&self, reason: ProbeFailure) {
        add(&mut self.lock().probe_failures, reason.as_str());
    }

    /// One attempt of a request to the cloud ended. `status` is `None` when no whole answer came.
    pub fn request(&self, service: CloudService, status: Option<u16>, duration: Duration) {
        let class = match status {
            Some(100..=299) => "2xx",
            Some(300..=399) => "3xx",
            Some(400..=499) => "4xx",
            Some(_) => "5xx",
            None => "none",
        };
        let mut counters = self.lock();
        add(&mut counters.requests, (service, class));
        counters.request_durations.entry(service).or_default().observe(duration);
    }

    /// A request to the cloud is sent once more.
    pub fn retry(&self, service: CloudService) {
        add(&mut self.lock().retries, service);
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}
