//! What people are shown of the settings.

use super::*;
use crate::config::table::all;
use crate::settings::{InForce, Origin};

/// The value and where it comes from, of each of these settings.
#[track_caller]
fn check(settings: &[(&str, &str)], name: &str, expected: Option<(&str, Origin)>) {
    let in_force = good(settings).in_force;
    let found = in_force.iter().find(|one| one.name == name);
    let found = found.map(|InForce { value, origin, .. }| (value.as_str(), *origin));
    assert_eq!(found, expected, "{name} with {settings:?}");
}

#[test]
fn each_setting_says_what_holds_and_where_it_comes_from() {
    check(&[], "APP_PORT", Some(("8000", Origin::Default)));
    check(&[("APP_PORT", "80")], "APP_PORT", Some(("80", Origin::Set)));
    check(&[("APP_PORT", "")], "APP_PORT", Some(("8000", Origin::Default)));
    check(&[], "OPENSTACK_KEYPAIR", Some(("none", Origin::Default)));
    check(&[("OS_TENANT_ID", "p1")], "OS_PROJECT_ID", Some(("p1", Origin::Set)));
    check(&[("RUST_LOG", "debug")], "RUST_LOG", Some(("debug", Origin::Set)));
}

#[test]
fn a_default_that_depends_on_others_is_shown_as_what_it_comes_to() {
    check(&[], "REPLICA_MAX", Some(("100", Origin::Default)));
    let large = [("REPLICA_MIN_AVAILABLE_RESOURCES", "50")];
    check(&large, "REPLICA_MAX", Some(("200", Origin::Default)));
    check(&[("REPLICA_MAX", "none")], "REPLICA_MAX", Some(("none", Origin::Set)));
    check(&[("APP_INTERVAL", "4")], "REPLICA_API_TIMEOUT", Some(("2", Origin::Default)));
    check(&[("APP_INTERVAL", "1")], "EXTERNAL_ADDRESS_WATCH", Some(("0", Origin::Default)));
    let by_name = [("OS_PROJECT_ID", ""), ("OS_PROJECT_NAME", "web")];
    check(&by_name, "OS_PROJECT_ID", Some(("none", Origin::Default)));
    check(&[], "OS_AUTH_TYPE", Some(("password", Origin::Default)));
    let credential =
        [("OS_APPLICATION_CREDENTIAL_ID", "c1"), ("OS_APPLICATION_CREDENTIAL_SECRET", "s")];
    let by_credential = Some(("v3applicationcredential", Origin::Default));
    check(&credential, "OS_AUTH_TYPE", by_credential);
    let lease = [("APP_LEASE", "openstack"), ("OPENSTACK_METADATA_VALUE", "web")];
    check(&lease, "APP_LEASE_NAME", Some(("group=web", Origin::Default)));
    check(&lease, "APP_NAME", Some(("scaler-1", Origin::Default)));
}

#[test]
fn what_has_no_effect_is_not_in_force() {
    check(&[("APP_LEASE_SECONDS", "60")], "APP_LEASE_SECONDS", None);
    check(&[("PROVIDER", "simulated")], "OS_AUTH_URL", None);
    check(&[], "ETCDCTL_ENDPOINTS", None);
}

#[test]
fn the_value_of_a_clouds_file_says_so() {
    let file = [("OS_CLOUD", "pool 1")];
    check(&file, "OS_AUTH_URL", Some(("https://k/v3", Origin::CloudsFile)));
    check(&file, "OS_USERNAME", Some(("ann", Origin::Set)));
}

#[test]
fn no_secret_is_shown() {
    let etcd = [("APP_LEASE", "etcd"), ("APP_LEASE_NAME", "l"), ("ETCDCTL_ENDPOINTS", "http://e")];
    let secrets: [&[(&str, &str)]; 5] = [
        &[("OS_PASSWORD", "sesame")],
        &[("OS_APPLICATION_CREDENTIAL_ID", "a"), ("OS_APPLICATION_CREDENTIAL_SECRET", "sesame")],
        &[("ETCDCTL_USER", "ann:sesame")],
        &[("ETCDCTL_USER", "ann"), ("ETCDCTL_PASSWORD", "sesame")],
        &[("REPLICA_API_PATH", "/status?token=sesame")],
    ];
    for secret in secrets {
        let settings = [&etcd, secret].concat();
        let in_force = good(&settings).in_force;
        let shown = in_force.iter().find(|one| one.value.contains("sesame"));
        assert_eq!(shown, None, "with {settings:?}");
        let told = secret.last().map(|(name, _)| *name);
        assert!(in_force.iter().any(|one| Some(one.name) == told), "{told:?} is not in force");
    }
}

#[test]
fn a_login_in_an_address_is_not_shown() {
    let shown = |value: &str| {
        let environment = BTreeMap::new();
        let mut reader = crate::config::reader::Reader::new(&environment, &read_file);
        let setting = all().find(|setting| setting.name == "OS_AUTH_URL");
        if let Some(setting) = setting {
            reader.holds(setting, Some(value));
        }
        reader.in_force().into_iter().map(|one| one.value).collect::<String>()
    };
    assert_eq!(shown("https://u:pw@a:1/v3?x=y,http://b/@c"), "https://a:1/v3?…,http://b/@c");
    assert_eq!(shown("ann@example.org, what?"), "ann@example.org, what?");
}

#[test]
fn they_stand_in_the_order_of_the_table() {
    let in_force = good(&[]).in_force;
    let order: Vec<&str> = all().map(|setting| setting.name).collect();
    let places: Vec<usize> =
        in_force.iter().filter_map(|one| order.iter().position(|name| *name == one.name)).collect();
    assert!(places.is_sorted(), "{in_force:#?}");
    assert!(places.len() > 40, "only {} settings are in force", places.len());
}
