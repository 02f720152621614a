//! What is said at the start: who, where, and what for.

use crate::settings::{Config, LeaseKind};
use crate::status::pool_settings::PoolSettings;

/// Says it, with every warning about the settings.
pub fn greet(config: &Config, settings: &PoolSettings) {
    let policy = &config.policy;
    // cron mails whatever a pass says, so one that found nothing to do says nothing.
    let level = if policy.once { log::Level::Debug } else { log::Level::Info };
    log::log!(
        level,
        "simplescalevm {} on {}{}: pool {}={}, at least {} resources free, {} per replica, a pass every {} s{}{}{}",
        env!("CARGO_PKG_VERSION"),
        settings.provider,
        settings.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default(),
        settings.mark_key,
        settings.mark_value.as_deref().unwrap_or("scaler (or scaled)"),
        policy.minimum,
        policy.capacity,
        config.interval.as_secs(),
        match config.watch.filter(|_| policy.manage_addresses && !policy.once) {
            Some(watch) => format!(", address holders asked every {} s", watch.as_secs()),
            None => String::new(),
        },
        config.cloud().map(|cloud| format!("; {cloud}")).unwrap_or_default(),
        if settings.dry_run { "; a dry run: nothing is changed" } else { "" },
    );
    if let Some(lease) = config.lease.as_ref().filter(|_| !settings.dry_run) {
        let place = match lease.kind {
            LeaseKind::OpenStack => "the cloud's image service",
            LeaseKind::Etcd(_) => "etcd",
        };
        let (me, name, seconds) = (&lease.holder, &lease.name, lease.validity.as_secs());
        log::log!(
            level,
            "one of several scalers: {me}; the lease {name} of {seconds} s in {place} decides which one acts"
        );
    }
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
}
