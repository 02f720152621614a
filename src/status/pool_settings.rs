//! How the pool is set, as far as it is shown: plain data.

use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::config::table::{
    OPENSTACK_METADATA_VALUE, OS_REGION_NAME, REPLICA_MIN_AVAILABLE_RESOURCES,
};
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
    /// `REPLICA_BOOT_GRACE`.
    #[serde(skip)]
    pub boot_grace: Duration,
    /// `REPLICA_LAUNCH_TIMEOUT`.
    #[serde(skip)]
    pub launch_timeout: Duration,
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
            boot_grace: config.policy.boot_grace,
            launch_timeout: config.policy.launch_timeout,
            place: Place::new(&config.provider),
            in_force: config.in_force.as_slice().into(),
            longest_request,
            full: config.status.full,
        }
    }

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
