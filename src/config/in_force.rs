//! The settings in force, for people: each with its value and whether it was set. No secret is among them.

use crate::config::reader::Reader;
use crate::config::table::{
    self, APP_LEASE, ETCDCTL_USER, EXTERNAL_ADDRESS_WATCH, OPENSTACK_IP_VERSION,
    OPENSTACK_METADATA_KEY, OPENSTACK_METADATA_VALUE, OPENSTACK_NAME, OS_PROJECT_DOMAIN_ID,
    OS_PROJECT_DOMAIN_NAME, OS_REGION_NAME, OS_USER_DOMAIN_ID, OS_USER_DOMAIN_NAME,
    REPLICA_API_PATH, REPLICA_API_TIMEOUT, REPLICA_MAX, Setting, Unset,
};
use crate::settings::{Config, InForce, LeaseKind, ProviderSettings};

/// Settings whose value nobody but the service it is for may know.
const SECRET: [&str; 3] = ["OS_PASSWORD", "OS_APPLICATION_CREDENTIAL_SECRET", "ETCDCTL_PASSWORD"];

/// Every setting that has an effect on this configuration, in reading order.
pub fn in_force(reader: &mut Reader<'_>, config: &Config) -> Vec<InForce> {
    let effective = table::all().filter(|setting| has_effect(config, setting));
    effective.map(|setting| one(reader, config, setting)).collect()
}

fn has_effect(config: &Config, setting: &Setting) -> bool {
    let of_any_cloud = [
        &OPENSTACK_NAME,
        &OPENSTACK_IP_VERSION,
        &OPENSTACK_METADATA_KEY,
        &OPENSTACK_METADATA_VALUE,
    ];
    let is_clouds = setting.name.starts_with("OS_") || setting.name.starts_with("OPENSTACK_");
    let is_simulated = matches!(config.provider, ProviderSettings::Simulated);
    let on_etcd =
        config.lease.as_ref().is_some_and(|lease| matches!(lease.kind, LeaseKind::Etcd(_)));
    let leases = setting.name.starts_with("APP_LEASE") && setting.name != APP_LEASE.name;
    !(is_simulated && is_clouds && of_any_cloud.iter().all(|one| one.name != setting.name)
        || setting.name.starts_with("ETCDCTL_") && !on_etcd
        || leases && config.lease.is_none())
}

fn one(reader: &mut Reader<'_>, config: &Config, setting: &'static Setting) -> InForce {
    let is_secret = SECRET.contains(&setting.name);
    let given = reader.given(setting).map(|given| given.value.trim().to_owned());
    let set = given.is_some();
    let value = match given {
        Some(_) if is_secret => None,
        Some(value) => shown(setting, value),
        None => Some(unset(reader, config, setting)),
    };
    InForce { name: setting.name, value, set }
}

/// A value as everybody may read it; `None` when it may hold a secret.
fn shown(setting: &Setting, value: String) -> Option<String> {
    if setting.name == ETCDCTL_USER.name {
        return value.split(':').next().map(str::to_owned);
    }
    if setting.name == REPLICA_API_PATH.name {
        // Some services want a token in the question.
        let path = value.split('?').next().unwrap_or_default();
        return Some(if path == value { value } else { format!("{path}?…") });
    }
    let may_hold_a_login = value.contains("://") && value.contains('@');
    (!may_hold_a_login).then_some(value)
}

/// What holds where nothing is set.
fn unset(reader: &mut Reader<'_>, config: &Config, setting: &Setting) -> String {
    let none = || "none".to_owned();
    let of_a_file = reader.file().is_some();
    let mut beats = |id: &'static Setting| reader.given(id).is_some();
    match setting.name {
        name if name == REPLICA_MAX.name => {
            config.policy.max.map_or_else(none, |it| it.to_string())
        }
        name if name == REPLICA_API_TIMEOUT.name => config.probe.timeout.as_secs_f64().to_string(),
        name if name == EXTERNAL_ADDRESS_WATCH.name => {
            config.watch.map_or("0".into(), |watch| watch.as_secs().to_string())
        }
        name if name == OPENSTACK_METADATA_VALUE.name => "scaler (or scaled)".to_owned(),
        name if name == OS_REGION_NAME.name && of_a_file => "the catalog's only one".to_owned(),
        name if name == OS_PROJECT_DOMAIN_ID.name && beats(&OS_PROJECT_DOMAIN_NAME) => none(),
        name if name == OS_USER_DOMAIN_NAME.name && beats(&OS_USER_DOMAIN_ID) => none(),
        _ => match setting.unset {
            // Another one stands for it, or the program would not run.
            Unset::Means(value) if value.starts_with("required") => none(),
            Unset::Default(value) | Unset::Means(value) => value.to_owned(),
        },
    }
}
