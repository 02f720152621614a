//! The settings as people see them: each one that has an effect, with the value its default works out to.

use crate::config::reader::Reader;
use crate::config::table::{
    APP_LEASE_NAME, APP_LEASE_SECONDS, APP_NAME, EXTERNAL_ADDRESS_WATCH, OS_AUTH_TYPE,
    OS_PROJECT_ID, REPLICA_API_TIMEOUT, REPLICA_MAX, RUST_LOG,
};
use crate::settings::{Config, Credentials, InForce, ProviderSettings};

/// All that were read into `config`.
pub fn settings(reader: &mut Reader<'_>, config: &Config) -> Vec<InForce> {
    // The logger has read it, before everything else.
    let level = reader.given(&RUST_LOG).map(|given| given.value);
    reader.holds(&RUST_LOG, level);
    let max = config.policy.max.map_or("none".to_owned(), |max| max.to_string());
    reader.comes_to(&REPLICA_MAX, max);
    reader.comes_to(&REPLICA_API_TIMEOUT, config.probe.timeout.as_secs_f64().to_string());
    let watch = config.watch.map_or(0, |watch| watch.as_secs());
    reader.comes_to(&EXTERNAL_ADDRESS_WATCH, watch.to_string());
    if let ProviderSettings::OpenStack(cloud) = &config.provider {
        reader.comes_to(&OS_AUTH_TYPE, auth_type(&cloud.credentials).to_owned());
        // It is required where there is no name: here there is one.
        reader.comes_to(&OS_PROJECT_ID, "none".to_owned());
    }
    if let Some(lease) = &config.lease {
        reader.comes_to(&APP_LEASE_NAME, lease.name.clone());
        reader.comes_to(&APP_NAME, lease.holder.clone());
    }
    let mut in_force = reader.in_force();
    if config.lease.is_none() {
        let of_the_lease = [APP_LEASE_SECONDS.name, APP_LEASE_NAME.name, APP_NAME.name];
        in_force.retain(|one| !of_the_lease.contains(&one.name));
    }
    in_force
}

/// As `OS_AUTH_TYPE` spells it.
fn auth_type(credentials: &Credentials) -> &'static str {
    match credentials {
        Credentials::Password { .. } => "password",
        Credentials::ApplicationCredential { .. } => "v3applicationcredential",
    }
}
