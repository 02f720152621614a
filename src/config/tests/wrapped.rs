//! Quotes around values and blanks at their ends: docker's `--env-file` keeps them, and nobody means them.

use proptest::prelude::*;

use super::load;
use crate::config::table::{self, Setting};

/// Values that fit a setting that has no default.
fn sample(setting: &Setting) -> &'static str {
    match setting.name {
        "REPLICA_API_CACERT" | "OS_CACERT" | "OS_CERT" | "ETCDCTL_CACERT" | "ETCDCTL_CERT" => {
            "/etc/ca.pem"
        }
        "OS_KEY" | "ETCDCTL_KEY" => "/etc/key.pem",
        "OS_PASSWORD_FILE" | "OS_APPLICATION_CREDENTIAL_SECRET_FILE" | "ETCDCTL_PASSWORD_FILE" => {
            "/run/password"
        }
        "ETCDCTL_ENDPOINTS" => "https://etcd.example.org:2379",
        "OS_AUTH_TYPE" => "password",
        name if name.ends_with("_ENDPOINT_OVERRIDE") => "https://service.example.org/v2",
        "OPENSTACK_CLOUD_INIT_FILE" | "OPENSTACK_SERVER_FILE" => "/etc/server.json",
        "REPLICA_MAX" | "REPLICA_REPLACE_SILENT_AFTER" | "OPENSTACK_BOOT_VOLUME_SIZE" => "9",
        _ => setting.default().unwrap_or("pool 1"),
    }
}

/// A login with which this setting is read.
fn login(setting: &Setting) -> Vec<(&'static str, &'static str)> {
    let name = setting.name;
    let mut login = match name {
        "OS_APPLICATION_CREDENTIAL_NAME" => vec![("OS_APPLICATION_CREDENTIAL_SECRET", "s3cret")],
        _ if name.starts_with("OS_APPLICATION_CREDENTIAL") => {
            vec![("OS_APPLICATION_CREDENTIAL_ID", "ac1")]
        }
        "OS_PASSWORD_FILE" => vec![],
        _ => vec![("OS_PASSWORD", "hunter2")],
    };
    if name == "OS_KEY" {
        login.push(("OS_CERT", "/etc/ca.pem"));
    }
    if name == "OS_APPLICATION_CREDENTIAL_ID" {
        login = vec![("OS_APPLICATION_CREDENTIAL_SECRET", "s3cret")];
    }
    let project = if name.starts_with("OS_PROJECT_") { "OS_PROJECT_NAME" } else { "OS_PROJECT_ID" };
    let also = [("OS_USERNAME", "ann"), (project, "p1")];
    login.extend(
        also.into_iter().filter(|(variable, _)| !setting.names().any(|name| name == *variable)),
    );
    // Each on its own has an effect only with it.
    let lease = ("APP_LEASE", "etcd");
    let also: &[(&'static str, &'static str)] = match name {
        "OPENSTACK_BOOT_VOLUME_TYPE" => &[("OPENSTACK_BOOT_VOLUME_SIZE", "40")],
        "ETCDCTL_CERT" => &[lease, ("ETCDCTL_KEY", "/etc/key.pem")],
        "ETCDCTL_KEY" => &[lease, ("ETCDCTL_CERT", "/etc/ca.pem")],
        "ETCDCTL_USER" => &[lease, ("ETCDCTL_PASSWORD", "s3cret")],
        "ETCDCTL_PASSWORD" | "ETCDCTL_PASSWORD_FILE" => &[lease, ("ETCDCTL_USER", "ann")],
        _ if name.starts_with("ETCDCTL_") || name.starts_with("APP_LEASE_") => &[lease],
        _ => &[],
    };
    login.extend(also);
    if also.contains(&lease) {
        let also = [("ETCDCTL_ENDPOINTS", "https://localhost"), ("OPENSTACK_METADATA_VALUE", "a")];
        login.extend(also);
    }
    login.retain(|(variable, _)| *variable != name);
    login
}

/// Settings whose values are chosen from a list, or numbers: blanks around them mean nothing, and are taken off.
fn is_trimmed(setting: &Setting) -> bool {
    let words = [
        "EXTERNAL_ADDRESS_MANAGEMENT",
        "REPLICA_DELETE_STOPPED",
        "REPLICA_API_PROTOCOL",
        "REPLICA_API_INSECURE",
        "APP_STATUS_DETAIL",
        "PROVIDER",
        "OS_INTERFACE",
        "OS_IDENTITY_API_VERSION",
        "OS_AUTH_TYPE",
        "OS_INSECURE",
        "APP_LEASE",
        "LOG_FORMAT",
    ];
    words.contains(&setting.name) || sample(setting).parse::<u64>().is_ok()
}

fn is_secret(setting: &Setting) -> bool {
    ["OS_PASSWORD", "OS_APPLICATION_CREDENTIAL_SECRET", "ETCDCTL_PASSWORD"].contains(&setting.name)
}

/// All settings but the log's filter, under each of their names.
fn variables() -> impl Iterator<Item = (&'static Setting, &'static str)> {
    let settings = table::all().filter(|setting| setting.name != "RUST_LOG");
    settings.flat_map(|setting| setting.names().map(move |name| (setting, name)))
}

/// What comes of a value: its faults, its warnings, and all settings as text.
fn outcome(
    setting: &'static Setting,
    variable: &'static str,
    value: &str,
) -> (Vec<String>, Vec<String>, String) {
    match load(&[&login(setting)[..], &[(variable, value)]].concat(), true) {
        Ok(config) => (vec![], config.warnings.clone(), format!("{config:?}")),
        Err(faults) => (faults, vec![], String::new()),
    }
}

#[test]
fn the_samples_are_good() {
    for (setting, variable) in variables() {
        let (faults, warnings, _) = outcome(setting, variable, sample(setting));
        assert_eq!((faults, warnings), (vec![], vec![]), "{variable}");
    }
}

#[test]
fn every_setting_in_quotes_is_refused_by_name_and_shown_as_it_is() {
    for (setting, variable) in variables().filter(|(setting, _)| !is_secret(setting)) {
        for (open, close) in
            [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’'), ('„', '“'), ('«', '»')]
        {
            let value = format!("{open}{}{close}", sample(setting));
            let (faults, _, _) = outcome(setting, variable, &value);
            let begin = format!("{variable} {value:?}: must ");
            let [fault] = &faults[..] else { panic!("{variable}: {faults:?}") };
            assert!(fault.starts_with(&begin), "{fault}");
            assert!(fault.contains("in quotes") && fault.contains("--env-file"), "{fault}");
        }
    }
}

#[test]
fn every_text_with_a_blank_at_an_end_is_refused_and_shows_it() {
    for (setting, variable) in variables().filter(|(setting, _)| !is_secret(setting)) {
        let sample = sample(setting);
        for value in [
            format!("{sample} "),
            format!(" {sample}"),
            format!("{sample}\r"),
            format!("{sample}\t"),
            format!("{sample}\n"),
            format!("\u{a0}{sample}"),
            format!("\u{feff}{sample}"),
            format!("{sample}\u{200b}"),
        ] {
            let (faults, warnings, config) = outcome(setting, variable, &value);
            if is_trimmed(setting) && value.trim() == sample {
                assert_eq!((faults, warnings), (vec![], vec![]), "{variable} {value:?}");
                assert_eq!(config, outcome(setting, variable, sample).2, "{variable} {value:?}");
                continue;
            }
            let [fault] = &faults[..] else { panic!("{variable} {value:?}: {faults:?}") };
            let why = if is_trimmed(setting) { "" } else { "not begin or end with a blank" };
            assert!(fault.starts_with(&format!("{variable} {value:?}: must {why}")), "{fault}");
        }
    }
}

#[test]
fn a_secret_in_quotes_or_blanks_is_taken_as_it_is_and_warned_of_without_showing_it() {
    for (setting, variable) in variables().filter(|(setting, _)| is_secret(setting)) {
        for value in [
            "\"s3cret\"",
            "'s3cret'",
            "“s3cret”",
            "s3cret ",
            " s3cret",
            "s3cret\r",
            "\ts3cret",
            "\u{feff}s3cret",
        ] {
            let (faults, warnings, config) = outcome(setting, variable, value);
            let [warning] = &warnings[..] else { panic!("{variable}: {faults:?} {warnings:?}") };
            let begin = format!("{variable}: the secret happens to ");
            assert!(warning.starts_with(&begin) && !warning.contains("s3cret"), "{warning}");
            assert!(!config.contains("s3cret"), "{config}");
        }
    }
    let login = [("OS_USERNAME", "ann"), ("OS_PROJECT_ID", "p1")];
    let file = [("OS_PASSWORD_FILE", "/run/two-newlines")];
    let warnings = load(&[&login[..], &file].concat(), true).unwrap().warnings;
    assert!(warnings[0].starts_with("OS_PASSWORD_FILE: the secret happens to "), "{warnings:?}");
}

#[test]
fn quotes_and_blanks_within_a_text_are_its_own() {
    for value in ["pool of ann", "5\" disk", "\"a\" or \"b", "ann's", "'", "\""] {
        for variable in
            ["OPENSTACK_FLOATING_IP_DESCRIPTION", "OPENSTACK_METADATA_VALUE", "OPENSTACK_IMAGE"]
        {
            let setting = table::all().find(|setting| setting.name == variable).unwrap();
            assert_eq!(outcome(setting, variable, value).0, [""; 0], "{variable} {value}");
        }
    }
}

proptest! {
    #[test]
    fn a_good_value_with_a_small_change_works_or_is_named(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        add in prop::sample::select(vec!["\"", "'", " ", "\r", "\n", "\u{a0}", "\u{feff}", "%", "\\", "\0", "ß", "/"]),
        both in any::<bool>(),
    ) {
        let all: Vec<_> = variables().collect();
        let (setting, variable) = all[which.index(all.len())];
        let sample: Vec<char> = sample(setting).chars().collect();
        let at = at.index(sample.len() + 1);
        let (before, after) = sample.split_at(at);
        let (before, after): (String, String) = (before.iter().collect(), after.iter().collect());
        let value = if both { format!("{add}{before}{after}{add}") } else { format!("{before}{add}{after}") };
        let (faults, warnings, _) = outcome(setting, variable, &value);
        let wrapped = value.trim() != value;
        let text = !is_trimmed(setting) && !is_secret(setting);
        prop_assert!(!(wrapped && text && faults.is_empty()), "{variable} {value:?} is taken");
        for told in faults.iter().chain(&warnings) {
            prop_assert!(told.contains(variable), "{variable} {value:?}: {told}");
            prop_assert!(!told.contains(char::is_control), "{told:?}");
        }
    }
}
