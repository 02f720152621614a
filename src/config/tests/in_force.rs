//! The settings in force, as people read them.

use super::{good, load};
use crate::settings::Config;

/// `VALUE, set`, or `VALUE`, or nothing where the setting has no effect; a hidden value is `?`.
fn shown(config: &Config, name: &str) -> String {
    let Some(one) = config.in_force.iter().find(|one| one.name == name) else {
        return String::new();
    };
    let set = if one.set { ", set" } else { "" };
    format!("{}{set}", one.value.as_deref().unwrap_or("?"))
}

#[track_caller]
fn check(settings: &[(&str, &str)], expected: &[(&str, &str)]) {
    let config = good(settings);
    for (name, value) in expected {
        assert_eq!(&shown(&config, name), value, "{name} of {settings:?}");
    }
}

#[test]
fn each_has_its_value_and_says_whether_it_was_set() {
    let settings = [("REPLICA_CAPACITY", "4"), ("OS_TENANT_ID", "p1")];
    check(
        &settings,
        &[
            ("REPLICA_CAPACITY", "4, set"),
            ("OS_PROJECT_ID", "p1, set"),
            ("OS_PROJECT_NAME", "none"),
            ("REPLICA_MIN_AVAILABLE_RESOURCES", "3"),
            ("REPLICA_REPLACE_SILENT_AFTER", "never"),
            ("OPENSTACK_FLAVOR", "d2-8"),
        ],
    );
}

#[test]
fn what_is_not_set_shows_what_holds_then() {
    check(
        &[("APP_INTERVAL", "2"), ("OS_PROJECT_DOMAIN_NAME", "d"), ("OS_USER_DOMAIN_ID", "u")],
        &[
            ("REPLICA_MAX", "100"),
            ("REPLICA_API_TIMEOUT", "1"),
            ("EXTERNAL_ADDRESS_WATCH", "1"),
            ("OS_PROJECT_DOMAIN_ID", "none"),
            ("OS_USER_DOMAIN_NAME", "none"),
        ],
    );
    check(&[("APP_INTERVAL", "1")], &[("EXTERNAL_ADDRESS_WATCH", "0")]);
}

#[test]
fn no_secret_is_among_them() {
    let etcd = [
        ("APP_LEASE", "etcd"),
        ("OPENSTACK_METADATA_VALUE", "scaler"),
        ("ETCDCTL_ENDPOINTS", "http://etcd:2379"),
        ("ETCDCTL_USER", "ann:swordfish"),
        ("REPLICA_API_PATH", "/status?token=swordfish"),
    ];
    check(
        &etcd,
        &[
            ("OS_PASSWORD", "?, set"),
            ("ETCDCTL_USER", "ann, set"),
            ("REPLICA_API_PATH", "/status?…, set"),
            ("ETCDCTL_ENDPOINTS", "http://etcd:2379, set"),
        ],
    );
    let all = format!("{:?}", good(&etcd).in_force);
    for secret in ["hunter2", "swordfish"] {
        assert!(!all.contains(secret), "{secret} is shown: {all}");
    }
}

#[test]
fn what_has_no_effect_is_left_out() {
    let config = load(&[("PROVIDER", "simulated")], false).unwrap();
    for name in ["OS_AUTH_URL", "OPENSTACK_FLAVOR", "ETCDCTL_ENDPOINTS", "APP_LEASE_SECONDS"] {
        assert_eq!(shown(&config, name), "", "{name} has no effect");
    }
    assert_eq!(shown(&config, "OPENSTACK_METADATA_KEY"), "group");
    assert_eq!(shown(&config, "PROVIDER"), "simulated, set");
}
