//! What is refused, and in which words.

use super::{faults, load};

#[track_caller]
fn check(settings: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(faults(settings), expected, "faults of {settings:?}");
}

#[track_caller]
fn fault(name: &str, value: &str, allowed: &str) {
    check(&[(name, value)], &[&format!("{name} \"{value}\": {allowed}")]);
}

#[test]
fn numbers_out_of_range_are_refused() {
    fault("REPLICA_CAPACITY", "0", "must be a whole number from 1 to 1000000");
    fault("REPLICA_CAPACITY", "1.5", "must be a whole number from 1 to 1000000");
    fault("REPLICA_MIN_AVAILABLE_RESOURCES", "-1", "must be a whole number from 0 to 1000000");
    fault(
        "REPLICA_MIN_AVAILABLE_RESOURCES",
        "99999999999999999999",
        "must be a whole number from 0 to 1000000",
    );
    fault("REPLICA_MAX", "0", "must be a whole number from 1 to 1000000, or none");
    fault("REPLICA_API_PORT", "0", "must be a whole number from 1 to 65535");
    fault("REPLICA_API_PORT", "65536", "must be a whole number from 1 to 65535");
    fault("REPLICA_API_RETRIES", "101", "must be a whole number from 0 to 100");
    fault("REPLICA_API_CONCURRENCY", "0", "must be a whole number from 1 to 1024");
    fault("APP_PORT", "http", "must be a whole number from 0 to 65535");
}

#[test]
fn times_are_whole_seconds() {
    fault("APP_INTERVAL", "0", "must be a whole number of seconds from 1 to 86400");
    fault("APP_INTERVAL", "1m", "must be a whole number of seconds from 1 to 86400");
    fault("REPLICA_BOOT_GRACE", "0.5", "must be a whole number of seconds from 1 to 31536000");
    fault("REPLICA_LAUNCH_TIMEOUT", "0", "must be a whole number of seconds from 1 to 31536000");
    fault(
        "REPLICA_REPLACE_SILENT_AFTER",
        "never",
        "must be a whole number of seconds from 1 to 31536000",
    );
    fault("OPENSTACK_API_TIMEOUT", "0", "must be a whole number of seconds from 1 to 3600");
}

#[test]
fn words_are_from_a_list() {
    let boolean = "must be true or false (or yes/no, on/off, 1/0)";
    fault("EXTERNAL_ADDRESS_MANAGEMENT", "maybe", boolean);
    fault("REPLICA_DELETE_STOPPED", "2", boolean);
    fault("REPLICA_API_INSECURE", "t", boolean);
    fault("OS_INSECURE", "oui", boolean);
    fault("ENABLE_AUTOSCALING", "sometimes", boolean);
    fault("REPLICA_API_PROTOCOL", "ftp", "must be http or https");
    fault("APP_STATUS_DETAIL", "none", "must be full or summary");
    fault("PROVIDER", "aws", "must be openstack or simulated");
    fault("OPENSTACK_IP_VERSION", "5", "must be 4 or 6");
    fault("OS_INTERFACE", "private", "must be public or internal or admin");
    fault("OS_IDENTITY_API_VERSION", "2", "must be 3: no other version is supported");
    fault(
        "OS_AUTH_TYPE",
        "v3oidcpassword",
        "must be password or v3applicationcredential: no other login is supported, not even a federated one; log in \
         once with OpenStack's own client, create an application credential (openstack application credential create \
         NAME), and set OS_APPLICATION_CREDENTIAL_ID and OS_APPLICATION_CREDENTIAL_SECRET",
    );
}

#[test]
fn texts_that_can_not_work_are_refused() {
    fault(
        "REPLICA_API_PATH",
        "http://host/x",
        "must be a path only: host and port come from the replica",
    );
    fault(
        "REPLICA_API_PATH",
        "/a b",
        "must be the path of a URL (with other characters written as %20 and so on)",
    );
    let long = "x".repeat(2049);
    let shown = "x".repeat(79);
    let expected = format!("REPLICA_API_PATH \"{shown}…\": must have at most 2048 characters");
    check(&[("REPLICA_API_PATH", &long)], &[&expected]);
    fault("APP_HOST", "http://0.0.0.0", "must be an address or a host name, without port");
    for (host, name, port) in [
        ("0.0.0.0:8000", "0.0.0.0", "8000"),
        ("localhost:80", "localhost", "80"),
        ("[::1]:8000", "::1", "8000"),
    ] {
        let text =
            format!("must not contain a port: set APP_HOST to {name} and APP_PORT to {port}");
        fault("APP_HOST", host, &text);
    }
    let text = "must be an address or a host name, without port: this is not an IPv6 address, and the port goes into \
                APP_PORT";
    for host in ["fe80::1:8000:", "host:eighty", "1:2:3"] {
        fault("APP_HOST", host, text);
    }
    for host in ["::", "[::1]", "fe80::1%eth0", "2001:db8::1", "scaler-1.example.org"] {
        check(&[("APP_HOST", host)], &[]);
    }
    fault(
        "OPENSTACK_METADATA_KEY",
        "größe",
        "must have at most 255 characters, and only letters, digits, \"-_:.\" and spaces",
    );
    fault(
        "OPENSTACK_METADATA_KEY",
        "simplescalevm-batch",
        "is the key of the batch marks; choose another one",
    );
    check(
        &[("OPENSTACK_IMAGE", "Debian\n11")],
        &[
            "OPENSTACK_IMAGE \"Debian\\n11\": must not contain a line break or another control character",
        ],
    );
    let long = "x".repeat(256);
    check(
        &[("OPENSTACK_METADATA_VALUE", &long)],
        &[&format!(
            "OPENSTACK_METADATA_VALUE \"{}…\": must have at most 255 characters",
            "x".repeat(79)
        )],
    );
    check(
        &[("OPENSTACK_NAME", &long)],
        &[&format!("OPENSTACK_NAME \"{}…\": must have at most 200 characters", "x".repeat(79))],
    );
}

#[test]
fn keystone_has_an_address() {
    let wrong = "must be an address like https://keystone.example.org/v3";
    for value in [
        "keystone.example.org",
        "ftp://keystone.example.org",
        "https://",
        "https:///v3",
        "https://host:port/v3",
        "https://host:0/v3",
        "https://ho st/v3",
        "https://host/v3?x=1",
        "https://[::1/v3",
        "https://[::1]5000",
        "https://::1/v3",
    ] {
        fault("OS_AUTH_URL", value, wrong);
    }
    fault(
        "OS_AUTH_URL",
        "https://host/identity/v2.0/",
        "is the address of Identity API 2; only version 3 is supported, so end it in /v3",
    );
}

#[test]
fn a_password_in_the_address_of_keystone_is_refused_and_not_shown() {
    for value in ["https://ann:s3cret@host/v3", "htp://ann:s3cret@host", "ann:s3cret@host"] {
        let faults = faults(&[("OS_AUTH_URL", value)]).join("\n");
        assert!(
            faults.starts_with("OS_AUTH_URL: must not contain a user or a password"),
            "{faults}"
        );
        assert!(!faults.contains("s3cret") && !faults.contains("ann"), "{faults}");
    }
}

#[test]
fn the_maximum_has_room_for_the_minimum() {
    check(
        &[
            ("REPLICA_MAX", "2"),
            ("REPLICA_MIN_AVAILABLE_RESOURCES", "7"),
            ("REPLICA_CAPACITY", "3"),
        ],
        &[
            "REPLICA_MAX \"2\": must be 3 or more, because REPLICA_MIN_AVAILABLE_RESOURCES is 7 and REPLICA_CAPACITY 3",
        ],
    );
    check(
        &[
            ("REPLICA_MAX", "3"),
            ("REPLICA_MIN_AVAILABLE_RESOURCES", "7"),
            ("REPLICA_CAPACITY", "3"),
        ],
        &[],
    );
}

#[test]
fn a_chosen_probe_timeout_is_less_than_the_interval() {
    check(
        &[("REPLICA_API_TIMEOUT", "60")],
        &["REPLICA_API_TIMEOUT \"60\": must be less than APP_INTERVAL, which is 60"],
    );
    check(&[("REPLICA_API_TIMEOUT", "59")], &[]);
}

#[test]
fn a_chosen_watch_is_more_often_than_the_passes() {
    let why = "must be less than APP_INTERVAL, which is 60; 0: off";
    check(&[("EXTERNAL_ADDRESS_WATCH", "60")], &[&format!("EXTERNAL_ADDRESS_WATCH \"60\": {why}")]);
    check(&[("EXTERNAL_ADDRESS_WATCH", "59")], &[]);
    let allowed = "must be a whole number of seconds from 0 to 3600";
    check(
        &[("EXTERNAL_ADDRESS_WATCH", "0.5")],
        &[&format!("EXTERNAL_ADDRESS_WATCH \"0.5\": {allowed}")],
    );
}

#[test]
fn a_wrong_value_causes_no_second_fault_where_it_is_compared() {
    check(
        &[("REPLICA_CAPACITY", "none"), ("REPLICA_MAX", "1")],
        &["REPLICA_CAPACITY \"none\": must be a whole number from 1 to 1000000"],
    );
    check(
        &[("APP_INTERVAL", "x"), ("REPLICA_API_TIMEOUT", "600")],
        &["APP_INTERVAL \"x\": must be a whole number of seconds from 1 to 86400"],
    );
}

#[test]
fn two_names_with_different_values_are_refused() {
    check(
        &[("OPENSTACK_FLAVOR", "d2-2"), ("OPENSTACK_SCALED_FLAVOR", "d2-8")],
        &[
            "OPENSTACK_FLAVOR \"d2-2\" and OPENSTACK_SCALED_FLAVOR \"d2-8\": two names of one setting with different \
           values; set only OPENSTACK_FLAVOR",
        ],
    );
    check(
        &[("OS_TENANT_ID", "p2")],
        &[
            "OS_PROJECT_ID \"p1\" and OS_TENANT_ID \"p2\": two names of one setting with different values; set only \
           OS_PROJECT_ID",
        ],
    );
    check(&[("OPENSTACK_FLAVOR", "d2-2"), ("OPENSTACK_SCALED_FLAVOR", "d2-2")], &[]);
    check(&[("OPENSTACK_FLAVOR", ""), ("OPENSTACK_SCALED_FLAVOR", "d2-2")], &[]);
}

#[test]
fn the_name_that_was_used_is_the_one_that_is_named() {
    check(
        &[("OS_ENDPOINT_TYPE", "x")],
        &["OS_ENDPOINT_TYPE \"x\": must be public or internal or admin"],
    );
}

#[test]
fn certificates_have_to_be_there() {
    fault("OS_CACERT", "/etc/missing", "cannot be read: no such file");
    fault("OS_CACERT", "/etc/not-pem", "holds no certificate in PEM form");
    fault("REPLICA_API_CACERT", "/etc/missing", "cannot be read: no such file");
    check(&[("OS_CACERT", "/etc/ca.pem"), ("REPLICA_API_CACERT", "/etc/ca.pem")], &[]);
}

#[test]
fn a_server_file_that_is_wrong_is_told_at_the_start() {
    check(&[("OPENSTACK_SERVER_FILE", "/etc/server.json")], &[]);
    fault("OPENSTACK_SERVER_FILE", "/etc/missing", "cannot be read: no such file");
    fault(
        "OPENSTACK_SERVER_FILE",
        "/proc",
        "is a directory (docker makes one where the file to mount is missing)",
    );
    fault("OPENSTACK_SERVER_FILE", "/etc/large.json", "is larger than 256 KiB");
    check(
        &[("OPENSTACK_SERVER_FILE", "/etc/wrong-server.json")],
        &[
            "OPENSTACK_SERVER_FILE \"/etc/wrong-server.json\": \"name\" is the program's own: OPENSTACK_NAME sets the \
             start of the VMs' names; \"tags\" must be a list of strings",
        ],
    );
}

#[test]
fn a_cloud_init_file_that_is_a_directory_is_told_at_the_start() {
    let text = "is a directory (docker makes one where the file to mount is missing)";
    fault("OPENSTACK_CLOUD_INIT_FILE", "/proc", text);
}

#[test]
fn a_list_of_groups_has_no_empty_name() {
    let text = "must not contain an empty name: put one comma between two names";
    for list in ["web,", ",web", "web,,db", ","] {
        fault("OPENSTACK_SECURITY_GROUPS", list, text);
    }
}

#[test]
fn a_volume_type_needs_a_volume() {
    check(
        &[("OPENSTACK_BOOT_VOLUME_TYPE", "fast")],
        &[
            "OPENSTACK_BOOT_VOLUME_TYPE: needs OPENSTACK_BOOT_VOLUME_SIZE: without it there is no boot volume",
        ],
    );
    let text = "must be a whole number from 1 to 2147483647";
    fault("OPENSTACK_BOOT_VOLUME_SIZE", "0", text);
}

#[test]
fn scaling_the_scaler_is_refused() {
    let faults = faults(&[("ENABLE_AUTOSCALING", "True"), ("AUTOSCALING_REPLICAS", "3")]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].starts_with("ENABLE_AUTOSCALING: scaling the scaler itself is not supported")
    );
}

#[test]
fn every_fault_is_told_in_one_run() {
    let faults = load(
        &[
            ("APP_INTERVAL", "soon"),
            ("REPLICA_CAPACITY", "0"),
            ("APP_PORT", "x"),
            ("OS_AUTH_URL", "x"),
            ("OPENSTACK_IP_VERSION", "x"),
        ],
        false,
    )
    .expect_err("nothing of this is right");
    let names: Vec<&str> =
        faults.iter().filter_map(|fault| fault.split([' ', ':']).next()).collect();
    assert_eq!(
        names,
        [
            "APP_INTERVAL",
            "REPLICA_CAPACITY",
            "OPENSTACK_IP_VERSION",
            "APP_PORT",
            "OS_AUTH_URL",
            "OS_USERNAME",
            "OS_PASSWORD",
            "OS_PROJECT_ID"
        ]
    );
}
