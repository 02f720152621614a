//! The lease: of several scalers, one acts.

use std::path::PathBuf;
use std::time::Duration;

use super::{faults, good, load};
use crate::config::tests::with_login;
use crate::settings::{EtcdSettings, LeaseKind, LeaseSettings};

const ETCD: [(&str, &str); 3] = [
    ("APP_LEASE", "etcd"),
    ("OPENSTACK_METADATA_VALUE", "web"),
    ("ETCDCTL_ENDPOINTS", "etcd-1:2379,https://etcd-2:2379/, http://[::1]:2379"),
];

#[track_caller]
fn lease(settings: &[(&str, &str)]) -> LeaseSettings {
    good(settings).lease.expect("a lease")
}

#[track_caller]
fn etcd(settings: &[(&str, &str)]) -> EtcdSettings {
    match lease(&[&ETCD, settings].concat()).kind {
        LeaseKind::Etcd(etcd) => *etcd,
        LeaseKind::OpenStack => panic!("not etcd"),
    }
}

#[track_caller]
fn check(settings: &[(&str, &str)], expected: &[&str]) {
    let faults = faults(settings);
    let begins = faults.iter().zip(expected).all(|(fault, part)| fault.starts_with(part));
    assert!(begins && faults.len() == expected.len(), "{settings:?}: {faults:#?}");
}

#[test]
fn without_one_a_scaler_acts_alone_and_is_told_when_it_was_not_meant_to() {
    assert!(good(&[]).lease.is_none());
    let settings = [("REPLICA_MAX", "9"), ("APP_LEASE_NAME", "web"), ("APP_NAME", "a")];
    let warnings = with_login(&settings, false).unwrap().warnings;
    assert_eq!(
        warnings,
        ["APP_LEASE_NAME: no effect without APP_LEASE: this scaler acts, whether or not others do"]
    );
}

#[test]
fn a_lease_is_named_after_the_mark_and_its_holder_after_the_host() {
    let set = [("APP_LEASE", "openstack"), ("OPENSTACK_METADATA_VALUE", "web")];
    let LeaseSettings { kind, validity, name, holder } = lease(&set);
    assert!(matches!(kind, LeaseKind::OpenStack));
    assert_eq!(
        (validity, name.as_str(), holder.as_str()),
        (Duration::from_secs(30), "group=web", "scaler-1")
    );
    let more = [("APP_LEASE_SECONDS", "10"), ("APP_LEASE_NAME", "pool a"), ("APP_NAME", "left")];
    let LeaseSettings { validity, name, holder, .. } = lease(&[&set[..], &more].concat());
    assert_eq!(
        (validity, name.as_str(), holder.as_str()),
        (Duration::from_secs(10), "pool a", "left")
    );
}

#[test]
fn a_mark_that_is_found_out_only_later_names_no_lease() {
    let on = ("APP_LEASE", "openstack");
    check(&[on], &["OPENSTACK_METADATA_VALUE: must be set with APP_LEASE"]);
    assert_eq!(lease(&[on, ("APP_LEASE_NAME", "web")]).name, "web");
    let long = "x".repeat(200);
    check(&[on, ("OPENSTACK_METADATA_VALUE", &long)], &["APP_LEASE_NAME: must be set"]);
}

#[test]
fn what_can_not_be_meant_is_refused() {
    let on = [("APP_LEASE", "openstack"), ("OPENSTACK_METADATA_VALUE", "web")];
    check(
        &[("APP_LEASE", "zookeeper")],
        &["APP_LEASE \"zookeeper\": must be none or openstack or etcd"],
    );
    for seconds in ["5", "3601", "0", "ten"] {
        let wrong = [on[0], on[1], ("APP_LEASE_SECONDS", seconds)];
        check(&wrong, &["APP_LEASE_SECONDS \""]);
    }
    let simulated = [&on[..], &[("PROVIDER", "simulated")]].concat();
    let faults = load(&simulated, false).unwrap_err();
    assert_eq!(
        faults,
        ["APP_LEASE \"openstack\": the simulated cloud has no images; use etcd, or none"]
    );
}

#[test]
fn etcd_is_found_where_etcdctl_finds_it() {
    let plain = etcd(&[]);
    let expected = ["http://etcd-1:2379", "https://etcd-2:2379", "http://[::1]:2379"];
    assert_eq!(plain.endpoints, expected);
    assert!(plain.certificate.is_none() && plain.login.is_none() && plain.cacert.is_none());
    let tls = etcd(&[
        ("ETCDCTL_CACERT", "/etc/ca.pem"),
        ("ETCDCTL_CERT", "/etc/ca.pem"),
        ("ETCDCTL_KEY", "/etc/key.pem"),
    ]);
    assert_eq!(tls.endpoints[0], "https://etcd-1:2379", "certificates mean https");
    assert_eq!(tls.certificate.unwrap().key, Some(PathBuf::from("/etc/key.pem")));
}

#[test]
fn what_etcd_lacks_is_named() {
    check(&ETCD[..2], &["ETCDCTL_ENDPOINTS: must be set"]);
    for wrong in ["unix:///run/etcd", "a:2379,,b:2379", "https://a/v3", "https://ann:pw@a"] {
        check(&[ETCD[0], ETCD[1], ("ETCDCTL_ENDPOINTS", wrong)], &["ETCDCTL_ENDPOINTS \""]);
    }
    let with = |more: &[(&'static str, &'static str)]| [&ETCD, more].concat();
    check(
        &with(&[("ETCDCTL_CERT", "/etc/ca.pem")]),
        &["ETCDCTL_KEY: must be set with ETCDCTL_CERT"],
    );
    check(
        &with(&[("ETCDCTL_KEY", "/etc/key.pem")]),
        &["ETCDCTL_CERT: must be set with ETCDCTL_KEY"],
    );
    let both = [("ETCDCTL_CERT", "/etc/ca.pem"), ("ETCDCTL_KEY", "/etc/not-pem")];
    check(&with(&both), &["ETCDCTL_KEY \"/etc/not-pem\": holds no private key in PEM form"]);
}

#[test]
fn a_user_of_etcd_has_a_password_beside_it_or_in_it() {
    for login in [
        &[("ETCDCTL_USER", "ann:hun:ter2")][..],
        &[("ETCDCTL_USER", "ann"), ("ETCDCTL_PASSWORD", "hun:ter2")],
    ] {
        let login = etcd(login).login.unwrap();
        assert_eq!((login.user.as_str(), login.password.expose()), ("ann", "hun:ter2"));
    }
    let with = |more: &[(&'static str, &'static str)]| [&ETCD, more].concat();
    check(&with(&[("ETCDCTL_USER", "ann")]), &["ETCDCTL_PASSWORD: must be set"]);
    check(&with(&[("ETCDCTL_PASSWORD", "x")]), &["ETCDCTL_PASSWORD: needs ETCDCTL_USER"]);
    check(
        &with(&[("ETCDCTL_USER", ":hunter2")]),
        &["ETCDCTL_USER: must be NAME, or NAME:PASSWORD"],
    );
    let twice = [("ETCDCTL_USER", "ann:hunter2"), ("ETCDCTL_PASSWORD", "x")];
    check(&with(&twice), &["ETCDCTL_USER and ETCDCTL_PASSWORD: both hold a password"]);
    for wrong in [":hunter2", "ann:hunter2\"", "\"ann:hunter2\""] {
        let settings = with(&[("ETCDCTL_USER", wrong), ("ETCDCTL_ENDPOINTS", "ftp://x")]);
        let told = format!("{:?}", faults(&settings));
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_password_that_goes_over_the_network_in_clear_is_warned_of() {
    let user = ("ETCDCTL_USER", "ann:hunter2");
    let warnings = good(&[&ETCD[..], &[user]].concat()).warnings;
    assert!(
        warnings.iter().any(|warning| warning.contains("http://etcd-1:2379 is not https")),
        "{warnings:?}"
    );
    assert!(!format!("{warnings:?}").contains("hunter2"));
}
