//! What is accepted and yet worth a line.

use super::with_login;

#[track_caller]
fn check(settings: &[(&str, &str)], once: bool, expected: &[&str]) {
    let config =
        with_login(settings, once).unwrap_or_else(|faults| panic!("{settings:?}: {faults:#?}"));
    let begins =
        config.warnings.iter().zip(expected).all(|(warning, part)| warning.starts_with(part));
    assert!(
        begins && config.warnings.len() == expected.len(),
        "{settings:?} (once: {once}) gives {:#?}, not {expected:#?}",
        config.warnings
    );
}

const MAX: (&str, &str) = ("REPLICA_MAX", "9");

#[test]
fn a_maximum_that_nobody_chose_is_told_but_not_by_every_cron_run() {
    check(&[], false, &["REPLICA_MAX is not set, so there are at most 100 replicas"]);
    check(&[("REPLICA_MAX", "none")], false, &["REPLICA_MAX is none"]);
    check(&[], true, &[]);
    check(&[MAX], false, &[]);
}

#[test]
fn a_misspelt_setting_is_warned_of_with_the_nearest_name() {
    for (name, nearest) in [
        ("REPLICA_MAXIMUM", "REPLICA_MAX"),
        ("REPLICA_API_RETRY", "REPLICA_API_RETRIES"),
        ("OPENSTACK_FLAVOUR", "OPENSTACK_FLAVOR"),
        ("OPENSTACK_SCALED_FLAVOUR", "OPENSTACK_SCALED_FLAVOR"),
        ("EXTERNAL_ADDRESSES_MANAGEMENT", "EXTERNAL_ADDRESS_MANAGEMENT"),
        ("APP_INTERVALL", "APP_INTERVAL"),
        ("REPLICA_MIN", "REPLICA_MIN_AVAILABLE_RESOURCES"),
        ("REPLICA_MX", "REPLICA_MAX"),
        ("OPENSTACK_PASSWORD", "OS_PASSWORD"),
        ("OS_REGION", "OS_REGION_NAME"),
        ("OS_PROJECTID", "OS_PROJECT_ID"),
        ("OS_PROJECT", "OS_PROJECT_ID"),
        ("OS_TENANT", "OS_TENANT_ID"),
        ("OS_USER", "OS_USERNAME"),
        ("OS_CACERTS", "OS_CACERT"),
        // A slip in the family.
        ("REPLICAS_MAX", "REPLICA_MAX"),
        ("REPLCA_MAX", "REPLICA_MAX"),
        ("RELPICA_API_PORT", "REPLICA_API_PORT"),
        ("OPENSTAK_FLAVOUR", "OPENSTACK_FLAVOR"),
        ("OSPASSWORD", "OS_PASSWORD"),
        ("LOGFORMAT", "LOG_FORMAT"),
        ("LOG_FORMATS", "LOG_FORMAT"),
        ("RUSTLOG", "RUST_LOG"),
        ("ETCDCTL_ENDPOINT", "ETCDCTL_ENDPOINTS"),
        // A word left out.
        ("REPLICA_PORT", "REPLICA_API_PORT"),
        ("REPLICA_PROTOCOL", "REPLICA_API_PROTOCOL"),
        ("REPLICA_PATH", "REPLICA_API_PATH"),
        ("REPLICA_TIMEOUT", "REPLICA_API_TIMEOUT"),
        ("OPENSTACK_TIMEOUT", "OPENSTACK_API_TIMEOUT"),
        // Another family's.
        ("REPLICA_NAME", "OPENSTACK_NAME"),
        ("OS_IMAGE", "OPENSTACK_IMAGE"),
        ("OS_NETWORK", "OPENSTACK_NETWORK"),
        ("OS_FLAVOR", "OPENSTACK_FLAVOR"),
        ("OPENSTACK_REGION", "OS_REGION_NAME"),
        ("OPENSTACK_USER", "OS_USERNAME"),
        ("OPENSTACK_CLOUD", "OS_CLOUD"),
    ] {
        let warning =
            format!("{name}: no such setting, so it has no effect; did you mean {nearest}?");
        check(&[MAX, (name, "5")], false, &[&warning]);
        check(&[MAX, (name, "5")], true, &[&warning]);
        check(&[MAX, (name, "")], false, &[]);
    }
}

#[test]
fn a_name_that_is_no_name_writes_no_line_of_its_own_into_the_log() {
    let name = format!("APP_\nERROR all is lost{}", "!".repeat(1000));
    let shown = format!("APP_ ERROR all is lost{}…", "!".repeat(57));
    let warning = format!("{shown}: no such setting, so it has no effect");
    check(&[MAX, (&name, "5")], false, &[&warning]);
    let name = "AUTOSCALING_\nERROR all is lost";
    let warning = "AUTOSCALING_ ERROR all is lost: no effect, because scaling the scaler itself is not supported";
    check(&[MAX, (name, "5")], false, &[warning]);
}

#[test]
fn no_guess_is_made_that_is_not_near() {
    for name in ["REPLICA_FOO", "REPLICA_HOST", "REPLICA_P", "OPENSTACK_XYZ", "APP_TIMEOUT", "APP_"]
    {
        let config = with_login(&[MAX, (name, "5")], false).unwrap();
        assert_eq!(
            config.warnings,
            [format!("{name}: no such setting, so it has no effect")],
            "a guess would mislead"
        );
    }
}

#[test]
fn variables_of_others_are_not_warned_of() {
    for name in [
        "PATH",
        "OS_VOLUME_API_VERSION",
        "OS_IMAGE_API_VERSION",
        "OS_VOLUME_ENDPOINT_OVERRIDE",
        "OS_AUTH_TOKEN",
        "OS_ENDPOINT",
        "OS_TOKEN",
        "OS_DOMAIN_ID",
        "OS_NAME",
        "OS_VERSION",
        "OS_TYPE",
        "OS_URL",
    ] {
        check(&[MAX, (name, "3")], false, &[]);
    }
}

#[test]
fn variables_that_many_systems_have_are_not_warned_of() {
    for name in [
        "HOME",
        "HOSTNAME",
        "HOST",
        "PORT",
        "NAME",
        "LANG",
        "LC_ALL",
        "TERM",
        "USER",
        "USERNAME",
        "LOGNAME",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "SHELL",
        "TMPDIR",
        "LS_COLORS",
        "OS",
        "OSTYPE",
        "DEBUG",
        "PASSWORD",
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "NOTIFY_SOCKET",
        "LISTEN_FDS",
        "CREDENTIALS_DIRECTORY",
        "CARGO_HOME",
        "CARGO_PKG_NAME",
        "CARGO_MANIFEST_DIR",
        "RUST_BACKTRACE",
        "RUST_LOG_STYLE",
        "LOG_LEVEL",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "ALL_PROXY",
        "KUBERNETES_PORT",
        "KUBERNETES_SERVICE_HOST",
        "ETCDCTL_API",
        "ETCD_NAME",
        "CI_PROJECT_ID",
        "CI_PROJECT_NAME",
        "PROJECT_ID",
        "PROJECT_NAME",
        "REGION_NAME",
        "SSL_CERT_FILE",
    ] {
        check(&[MAX, (name, "3")], false, &[]);
    }
}

#[test]
fn self_scaling_variables_are_known_and_have_no_effect() {
    let set = [
        MAX,
        ("ENABLE_AUTOSCALING", "false"),
        ("AUTOSCALING_REPLICAS", "3"),
        ("OPENSTACK_AUTOSCALER_FLAVOR", "d2-2"),
        ("OPENSTACK_METADATA_AUTOSCALER_VALUE", "autoscaler"),
    ];
    let warning = "AUTOSCALING_REPLICAS, OPENSTACK_AUTOSCALER_FLAVOR, OPENSTACK_METADATA_AUTOSCALER_VALUE: no effect";
    check(&set, false, &[warning]);
    // Every cron run would say so for ever.
    check(&set, true, &[]);
    check(&[MAX, ("ENABLE_AUTOSCALING", "false")], false, &[]);
    check(&[MAX, ("AUTOSCALING_REPLICAS", "")], false, &[]);
}

#[test]
fn an_unsafe_login_is_warned_of() {
    check(&[MAX, ("OS_INSECURE", "true")], false, &["OS_INSECURE is on"]);
    check(
        &[MAX, ("OS_AUTH_URL", "http://keystone/v3")],
        false,
        &["OS_AUTH_URL \"http://keystone/v3\" is not https"],
    );
    check(&[MAX, ("OS_AUTH_URL", "http://127.0.0.1:5000")], false, &[]);
    check(&[MAX, ("OS_AUTH_URL", "http://keystone/v3"), ("OS_INSECURE", "true")], true, &[]);
}

#[test]
fn variables_of_openstacks_clients_that_have_no_effect_are_warned_of() {
    let keystone = [MAX, ("OS_IDENTITY_ENDPOINT_OVERRIDE", "https://k")];
    check(&keystone, false, &["OS_IDENTITY_ENDPOINT_OVERRIDE has no effect"]);
    check(&keystone, true, &[]);
    let files = [MAX, ("OS_CLIENT_CONFIG_FILE", "/c"), ("OS_CLIENT_SECURE_FILE", "/s")];
    let warning = "OS_CLIENT_CONFIG_FILE and OS_CLIENT_SECURE_FILE have no effect: OS_CLOUD";
    check(&files, false, &[warning]);
    check(&[MAX, ("OS_CLIENT_CONFIG_FILE", "")], false, &[]);
}

#[test]
fn a_cloud_init_file_that_cannot_be_read_is_warned_of_at_the_start() {
    let warning = "OPENSTACK_CLOUD_INIT_FILE \"/etc/missing\": cannot be read: no such file; no VM is created until it can be";
    for once in [false, true] {
        check(&[MAX, ("OPENSTACK_CLOUD_INIT_FILE", "/etc/missing")], once, &[warning]);
    }
}

#[test]
fn a_cloud_init_file_that_nova_would_refuse_is_warned_of_at_the_start() {
    let warning = "OPENSTACK_CLOUD_INIT_FILE \"/etc/large.json\": too large: 349552 characters in base64, and Nova takes 65535; no VM is created until it is smaller";
    check(&[MAX, ("OPENSTACK_CLOUD_INIT_FILE", "/etc/large.json")], false, &[warning]);
}

#[test]
fn an_unsafe_probe_is_warned_of_only_where_there_is_tls() {
    check(
        &[MAX, ("REPLICA_API_INSECURE", "true"), ("REPLICA_API_PROTOCOL", "https")],
        false,
        &["REPLICA_API_INSECURE is on"],
    );
    check(&[MAX, ("REPLICA_API_INSECURE", "true")], false, &[]);
}
