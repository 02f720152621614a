//! How what a file tells is named, and which variables lose against it.

use super::{Files, environment};
use crate::config::clouds::{FromFile, load, without_losers};

const CLOUD: &str = "\
clouds:
  c:
    auth: {auth_url: 'https://k/v3', username: ann, password: hunter2, project_id: p1}
    cacert: ~/ca.pem
    regions: [{name: R1, values: {interface: internal}}]
";

fn loaded(text: &str, variables: &[(&str, &str)]) -> FromFile {
    let files = Files::of([("clouds.yaml", text.to_owned())]);
    let variables = [&[("OS_CLOUD", "c")], variables].concat();
    load(&environment(&variables), &|path| files.read(path)).unwrap().unwrap()
}

#[test]
fn each_value_is_named_by_its_file_and_its_keys() {
    let loaded = loaded(CLOUD, &[]);
    assert_eq!(loaded.source.to_string(), "cloud \"c\" of ./clouds.yaml");
    for (setting, label, value) in [
        ("OS_USERNAME", "./clouds.yaml: clouds.c.auth.username", "ann"),
        ("OS_CACERT", "./clouds.yaml: clouds.c.cacert", "/home/ann/ca.pem"),
        ("OS_REGION_NAME", "./clouds.yaml: clouds.c.regions", "R1"),
        ("OS_INTERFACE", "./clouds.yaml: clouds.c.regions.R1.values.interface", "internal"),
    ] {
        let told = &loaded.values[setting];
        assert_eq!((told.label.as_str(), told.value.as_str()), (label, value), "{setting}");
    }
}

/// What is left of these variables beside the cloud `text`, and the warning.
#[track_caller]
fn check(text: &str, variables: &[(&str, &str)], kept: &[&str], warning: &str) {
    let loaded = loaded(text, variables);
    let (left, told) = without_losers(&environment(variables), &loaded);
    let left: Vec<&String> = left.keys().filter(|name| *name != "HOME").collect();
    assert_eq!(left, kept, "of {variables:?}");
    let told = told.unwrap_or_default();
    assert!(told.starts_with(warning) && told.is_empty() == warning.is_empty(), "{told}");
}

#[test]
fn a_variable_that_says_something_else_than_the_file_loses_and_is_named() {
    check(
        CLOUD,
        &[("OS_USERNAME", "bob")],
        &[],
        "OS_USERNAME has no effect, because cloud \"c\" of",
    );
    // The same value, or nothing.
    check(CLOUD, &[("OS_USERNAME", "ann"), ("OS_PASSWORD", "")], &[], "");
    let more = [("OS_TENANT_NAME", "x"), ("OS_PASSWORD_FILE", "/x"), ("OS_USER_DOMAIN_ID", "d")];
    check(CLOUD, &more, &["OS_USER_DOMAIN_ID"], "OS_PASSWORD_FILE, OS_TENANT_NAME have no effect");
    check(CLOUD, &[("OS_INSECURE", "true")], &[], "OS_INSECURE has no effect");
    check(CLOUD, &[("OPENSTACK_FLAVOR", "x")], &["OPENSTACK_FLAVOR"], "");
}

#[test]
fn the_files_way_to_log_in_is_the_way() {
    let other =
        [("OS_AUTH_TYPE", "v3applicationcredential"), ("OS_APPLICATION_CREDENTIAL_ID", "a")];
    check(CLOUD, &other, &[], "OS_APPLICATION_CREDENTIAL_ID, OS_AUTH_TYPE have no effect");
    let credential = "clouds: {c: {auth: {application_credential_id: a, auth_url: 'https://k'}}}";
    let other = [
        ("OS_AUTH_TYPE", "password"),
        ("OS_PASSWORD", "pw"),
        ("OS_PROJECT_ID", "p"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
    ];
    let kept = ["OS_APPLICATION_CREDENTIAL_SECRET"];
    check(credential, &other, &kept, "OS_AUTH_TYPE, OS_PASSWORD, OS_PROJECT_ID have no effect");
    // Neither way is told: the variables choose.
    let open = "clouds: {c: {auth: {auth_url: 'https://k'}}}";
    let both = [("OS_APPLICATION_CREDENTIAL_ID", "a"), ("OS_PASSWORD", "pw")];
    check(open, &both, &["OS_APPLICATION_CREDENTIAL_ID", "OS_PASSWORD"], "");
}
