//! What the last passes came to, and how the pool is set: plain data.

use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

pub use crate::clock::Moment;
use crate::config::table::{
    OPENSTACK_METADATA_VALUE, OS_REGION_NAME, REPLICA_MIN_AVAILABLE_RESOURCES,
};
use crate::lease::turn::{Part, View};
use crate::model::{ExternalAddress, ServerId};
use crate::pass::Report;
use crate::settings::{Config, InForce, Origin, ProviderSettings};
use crate::status::place::Place;

/// The pool's settings, as far as the status page shows them, and how it shows them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolSettings {
    /// `PROVIDER`.
    pub provider: &'static str,
    /// `OPENSTACK_METADATA_KEY`.
    pub mark_key: String,
    /// `OPENSTACK_METADATA_VALUE`; `None` until the first pass has found out which default applies.
    pub mark_value: Option<String>,
    /// `REPLICA_CAPACITY`.
    pub capacity: u64,
    /// `REPLICA_MIN_AVAILABLE_RESOURCES`, or what its file said in the last pass.
    pub minimum: u64,
    /// `REPLICA_MAX`.
    pub max: Option<u64>,
    /// `APP_INTERVAL`.
    #[serde(rename = "intervalSeconds", serialize_with = "whole_seconds")]
    pub interval: Duration,
    /// `EXTERNAL_ADDRESS_MANAGEMENT`.
    pub address_management: bool,
    /// Whether nothing is changed (`--dry-run`).
    pub dry_run: bool,
    /// Where the pool is; `None` for a simulated cloud.
    #[serde(skip)]
    pub place: Option<Place>,
    /// The settings as they were read.
    #[serde(skip)]
    pub in_force: Arc<[InForce]>,
    /// The longest that one request to the cloud can last.
    #[serde(skip)]
    pub longest_request: Duration,
    /// `false` hides ids, names and addresses (`APP_STATUS_DETAIL=summary`).
    #[serde(skip)]
    pub full: bool,
}

impl PoolSettings {
    /// What of `config` is shown.
    pub fn new(config: &Config, dry_run: bool) -> Self {
        let (provider, longest_request) = match &config.provider {
            // A creation may take twice the limit of the other requests.
            ProviderSettings::OpenStack(settings) => ("openstack", settings.timeout * 2),
            ProviderSettings::Simulated => ("simulated", Duration::ZERO),
        };
        PoolSettings {
            provider,
            mark_key: config.mark.key.clone(),
            mark_value: config.mark.value.clone(),
            capacity: config.policy.capacity,
            minimum: config.policy.minimum,
            max: config.policy.max,
            interval: config.interval,
            address_management: config.policy.manage_addresses,
            dry_run,
            place: Place::new(&config.provider),
            in_force: config.in_force.as_slice().into(),
            longest_request,
            full: config.status.full,
        }
    }
}

impl PoolSettings {
    /// The settings in force: as they were read, but for what only the passes could find out.
    pub fn in_force(&self) -> impl Iterator<Item = InForce> {
        let minimum = Some(self.minimum.to_string());
        let region = self.place.as_ref().and_then(|place| place.region.clone());
        self.in_force.iter().map(move |one| {
            let found = match one.name {
                name if name == REPLICA_MIN_AVAILABLE_RESOURCES.name => &minimum,
                name if name == OPENSTACK_METADATA_VALUE.name => &self.mark_value,
                name if name == OS_REGION_NAME.name && one.origin == Origin::Default => &region,
                _ => &None,
            };
            InForce { value: found.as_ref().unwrap_or(&one.value).clone(), ..one.clone() }
        })
    }
}

fn whole_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

/// Seconds with at most three decimals.
pub fn rounded_seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// One pass that ended.
#[derive(Debug)]
pub struct EndedPass {
    /// When it began.
    pub began: Moment,
    /// When it ended.
    pub ended: Moment,
    /// What it came to.
    pub report: Report,
}

/// Who holds an address after the moves of the pass that saw it.
pub fn holder<'a>(address: &'a ExternalAddress, report: &'a Report) -> Option<&'a ServerId> {
    let mut all = report.outcome.iter().flat_map(|outcome| &outcome.moved);
    let moved = all.find(|(id, _)| *id == address.id).map(|(_, to)| to);
    moved.or(address.holder.as_ref())
}

/// Everything the status server shows, but for the past.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When the program started.
    pub started: Moment,
    /// The pool's settings.
    pub settings: PoolSettings,
    /// The lease as it is now; `None` without one. Filled in when somebody asks.
    pub lease: Option<View>,
    /// When passes began to be made: the start, or when this scaler took over.
    pub began: Moment,
    /// Passes that ended.
    pub passes: u64,
    /// When the pass that is under way began; `None` between passes.
    pub running: Option<Moment>,
    /// When the next pass begins; `None` before the first one has ended.
    pub next: Option<Moment>,
    /// The last pass that ended.
    pub last: Option<Arc<EndedPass>>,
    /// When the last good pass ended.
    pub last_good: Option<Moment>,
    /// The last pass that saw the pool: when the cloud is down its picture is still worth showing.
    pub last_sight: Option<Arc<EndedPass>>,
    /// The last pass that had something to do.
    pub last_busy: Option<Arc<EndedPass>>,
}

impl Snapshot {
    /// Before the first pass.
    pub fn new(started: Moment, settings: PoolSettings) -> Self {
        Snapshot {
            started,
            settings,
            lease: None,
            began: started,
            passes: 0,
            running: None,
            next: None,
            last: None,
            last_good: None,
            last_sight: None,
            last_busy: None,
        }
    }

    /// The same with nothing seen yet: it has become another scaler's turn, or this one's.
    #[must_use]
    pub fn anew(&self, now: Moment) -> Self {
        let fresh = Snapshot::new(self.started, self.settings.clone());
        Snapshot { began: now, passes: self.passes, ..fresh }
    }

    /// The same, with the lease as it is now.
    #[must_use]
    pub fn with_lease(&self, lease: Option<View>) -> Self {
        Snapshot { lease, ..self.clone() }
    }

    /// Whether this scaler acts, and no other one.
    pub fn acts(&self) -> bool {
        self.lease.as_ref().map_or(!self.settings.dry_run, |lease| lease.part == Part::Acts)
    }

    /// Whether passes are made.
    pub fn leads(&self) -> bool {
        self.lease.as_ref().is_none_or(View::leads)
    }

    /// The same, with a pass that has just begun.
    #[must_use]
    pub fn pass_began(&self, began: Moment) -> Self {
        Snapshot { running: Some(began), ..self.clone() }
    }

    /// The same, with a pass that has just ended.
    #[must_use]
    pub fn pass_ended(&self, pass: EndedPass) -> Self {
        let mut next = self.clone();
        if pass.report.mark.is_some() {
            next.settings.mark_value.clone_from(&pass.report.mark);
        }
        if let Some(minimum) = pass.report.minimum {
            next.settings.minimum = minimum;
        }
        if let (Some(place), Some(scope)) = (&mut next.settings.place, &pass.report.scope) {
            place.settle(scope);
        }
        let pass = Arc::new(pass);
        if pass.report.plan.is_some() {
            next.last_sight = Some(Arc::clone(&pass));
        }
        if pass.report.is_good() {
            next.last_good = Some(pass.ended);
        }
        if pass.report.plan.as_ref().is_some_and(|plan| !plan.is_empty()) {
            next.last_busy = Some(Arc::clone(&pass));
        }
        next.last = Some(pass);
        next.passes += 1;
        next.running = None;
        next
    }
}
