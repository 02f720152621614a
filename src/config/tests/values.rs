//! What values come to.

use std::path::PathBuf;
use std::time::Duration;

use super::{cloud, good};
use crate::model::IpVersion;
use crate::settings::{BootVolume, Mark, Policy, ServerOptions};

#[test]
fn unset_settings_have_the_documented_defaults() {
    let config = good(&[]);
    assert_eq!(
        config.policy,
        Policy {
            capacity: 1,
            minimum: 3,
            max: Some(100),
            boot_grace: Duration::from_secs(600),
            launch_timeout: Duration::from_secs(900),
            replace_silent_after: None,
            delete_stopped: false,
            manage_addresses: false,
            ip_version: IpVersion::V4,
            interval: Duration::from_secs(60),
            once: false,
        }
    );
    assert_eq!(config.interval, Duration::from_secs(60));
    assert_eq!(config.mark, Mark { key: "group".into(), value: None });
    assert_eq!(config.name, "server");
    let status = &config.status;
    assert_eq!((status.host.as_str(), status.port, status.full), ("0.0.0.0", 8000, true));
    let probe = &config.probe;
    assert_eq!((probe.https, probe.port, probe.path.as_str()), (false, 8080, "/"));
    assert_eq!(
        (probe.capacity_key.as_str(), probe.termination_key.as_str()),
        ("capacity", "termination")
    );
    assert_eq!((probe.timeout, probe.retries, probe.concurrency), (Duration::from_secs(5), 2, 128));
    assert_eq!((&probe.cacert, probe.insecure), (&None, false));
    let cloud = cloud(config);
    assert_eq!(cloud.auth_url, "https://auth.cloud.ovh.net/v3");
    assert_eq!((cloud.region, cloud.interface.as_str()), (None, "public"));
    assert_eq!(
        (cloud.flavor.as_str(), cloud.image.as_str(), cloud.network.as_str()),
        ("d2-8", "Debian 11", "Ext-Net")
    );
    assert_eq!(
        (cloud.metadata_key.as_str(), cloud.floating_ip_description.as_str()),
        ("group", "server")
    );
    assert_eq!((cloud.keypair, cloud.cloud_init_file, cloud.cacert), (None, None, None));
    assert_eq!((cloud.timeout, cloud.insecure), (Duration::from_secs(60), false));
}

#[test]
fn empty_means_unset() {
    let empty: Vec<(&str, &str)> = crate::config::table::all()
        .map(|setting| (setting.name, ""))
        .filter(|(name, _)| !["OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_ID"].contains(name))
        .collect();
    assert_eq!(format!("{:?}", good(&empty)), format!("{:?}", good(&[])));
}

#[test]
fn set_values_arrive() {
    let config = good(&[
        ("APP_INTERVAL", "30"),
        ("APP_HOST", "[::1]"),
        ("APP_PORT", "0"),
        ("APP_STATUS_DETAIL", "Summary"),
        ("REPLICA_CAPACITY", " 4 "),
        ("REPLICA_MIN_AVAILABLE_RESOURCES", "0"),
        ("REPLICA_MAX", "9"),
        ("REPLICA_REPLACE_SILENT_AFTER", "1800"),
        ("OPENSTACK_IP_VERSION", "6"),
        ("OPENSTACK_NAME", "recorder"),
    ]);
    assert_eq!(config.interval, Duration::from_secs(30));
    assert_eq!(config.policy.interval, config.interval);
    assert_eq!(
        (config.status.host.as_str(), config.status.port, config.status.full),
        ("::1", 0, false)
    );
    assert_eq!((config.policy.capacity, config.policy.minimum, config.policy.max), (4, 0, Some(9)));
    assert_eq!(config.policy.replace_silent_after, Some(Duration::from_secs(1800)));
    assert_eq!(config.policy.ip_version, IpVersion::V6);
    assert_eq!(config.name, "recorder");
}

#[test]
fn what_the_vms_get_beyond_the_rest_arrives() {
    let options = cloud(good(&[
        ("OPENSTACK_SECURITY_GROUPS", "default, web,db servers"),
        ("OPENSTACK_AVAILABILITY_ZONE", "nova"),
        ("OPENSTACK_BOOT_VOLUME_SIZE", "40"),
        ("OPENSTACK_BOOT_VOLUME_TYPE", "fast"),
        ("OPENSTACK_SERVER_FILE", "/etc/server.json"),
    ]))
    .options;
    assert_eq!(options.security_groups, ["default", "web", "db servers"]);
    assert_eq!(options.availability_zone.as_deref(), Some("nova"));
    let volume = BootVolume { size_gib: 40, volume_type: Some("fast".into()) };
    assert_eq!(options.boot_volume, Some(volume));
    assert_eq!(options.server_file, Some(PathBuf::from("/etc/server.json")));
    assert_eq!(cloud(good(&[])).options, ServerOptions::default());
    let file = good(&[("REPLICA_MIN_AVAILABLE_RESOURCES_FILE", "/run/minimum")]).minimum_file;
    assert_eq!(file, Some(PathBuf::from("/run/minimum")));
}

#[test]
fn probe_settings_arrive() {
    let probe = good(&[
        ("REPLICA_API_PROTOCOL", "HTTPS"),
        ("REPLICA_API_PORT", "443"),
        ("REPLICA_API_PATH", "status?x=1"),
        ("REPLICA_API_CAPACITY_KEY", "/free/0"),
        ("REPLICA_API_TERMINATION_KEY", "done"),
        ("REPLICA_API_TIMEOUT", "7"),
        ("REPLICA_API_RETRIES", "0"),
        ("REPLICA_API_CONCURRENCY", "1"),
        ("REPLICA_API_CACERT", "/etc/ca.pem"),
        ("REPLICA_API_INSECURE", "on"),
    ])
    .probe;
    assert_eq!((probe.https, probe.port, probe.path.as_str()), (true, 443, "/status?x=1"));
    assert_eq!((probe.capacity_key.as_str(), probe.termination_key.as_str()), ("/free/0", "done"));
    assert_eq!((probe.timeout, probe.retries, probe.concurrency), (Duration::from_secs(7), 0, 1));
    assert_eq!((probe.cacert, probe.insecure), (Some(PathBuf::from("/etc/ca.pem")), true));
}

#[test]
fn cloud_settings_arrive() {
    let config = good(&[
        ("OS_AUTH_URL", "http://[fd10::1]:5000/identity/"),
        ("OS_REGION_NAME", "GRA11"),
        ("OPENSTACK_KEYPAIR", "ann"),
        ("OPENSTACK_METADATA_KEY", "pool"),
        ("OPENSTACK_METADATA_VALUE", "scaler"),
        ("OPENSTACK_API_TIMEOUT", "20"),
        ("OS_CACERT", "/etc/ca.pem"),
        ("OS_INSECURE", "1"),
        ("OS_IDENTITY_API_VERSION", "v3"),
    ]);
    assert_eq!(config.mark, Mark { key: "pool".into(), value: Some("scaler".into()) });
    let cloud = cloud(config);
    assert_eq!(cloud.auth_url, "http://[fd10::1]:5000/identity/");
    assert_eq!((cloud.region.as_deref(), cloud.keypair.as_deref()), (Some("GRA11"), Some("ann")));
    assert_eq!((cloud.metadata_key.as_str(), cloud.timeout), ("pool", Duration::from_secs(20)));
    assert_eq!((cloud.cacert, cloud.insecure), (Some(PathBuf::from("/etc/ca.pem")), true));
}

#[test]
fn booleans_are_read_in_every_spelling() {
    for (value, expected) in [
        ("true", true),
        ("True", true),
        ("YES", true),
        ("on", true),
        ("1", true),
        ("false", false),
        ("No", false),
        ("OFF", false),
        ("0", false),
    ] {
        let policy =
            good(&[("EXTERNAL_ADDRESS_MANAGEMENT", value), ("REPLICA_DELETE_STOPPED", value)])
                .policy;
        assert_eq!(
            (policy.manage_addresses, policy.delete_stopped),
            (expected, expected),
            "{value}"
        );
    }
}

#[test]
fn endpoint_kinds_are_read_in_the_old_spelling_too() {
    for (name, value, expected) in [
        ("OS_INTERFACE", "internal", "internal"),
        ("OS_INTERFACE", "publicURL", "public"),
        ("OS_ENDPOINT_TYPE", "internalURL", "internal"),
        ("OS_ENDPOINT_TYPE", "adminURL", "admin"),
    ] {
        assert_eq!(cloud(good(&[(name, value)])).interface, expected, "{name}={value}");
    }
}

#[test]
fn names_of_version_3_of_the_python_image_are_other_names() {
    let config = good(&[
        ("OPENSTACK_SCALED_NAME", "n"),
        ("OPENSTACK_SCALED_FLAVOR", "f"),
        ("OPENSTACK_SCALED_IMAGE", "i"),
        ("OPENSTACK_SCALED_NETWORK", "w"),
        ("OPENSTACK_SCALED_CLOUD_INIT_FILE", "/etc/server.json"),
        ("OPENSTACK_METADATA_SCALED_VALUE", "scaled"),
        ("REPLICA_MAX", "9"),
    ]);
    assert_eq!(config.warnings, [""; 0], "none of them is unknown");
    assert_eq!((config.name.as_str(), config.mark.value.as_deref()), ("n", Some("scaled")));
    let cloud = cloud(config);
    assert_eq!(
        (cloud.flavor.as_str(), cloud.image.as_str(), cloud.network.as_str()),
        ("f", "i", "w")
    );
    assert_eq!(cloud.cloud_init_file, Some(PathBuf::from("/etc/server.json")));
}

#[test]
fn the_watch_is_off_at_0_and_its_default_gives_way_to_an_interval_of_a_second() {
    let watch = |settings: &[(&str, &str)]| good(settings).watch.map(|watch| watch.as_secs());
    assert_eq!(watch(&[]), Some(1));
    assert_eq!(watch(&[("EXTERNAL_ADDRESS_WATCH", "5")]), Some(5));
    assert_eq!(watch(&[("EXTERNAL_ADDRESS_WATCH", "0")]), None);
    assert_eq!(watch(&[("APP_INTERVAL", "1")]), None);
}

#[test]
fn the_default_probe_timeout_gives_way_to_a_short_interval() {
    for (interval, milliseconds) in [("60", 5000), ("10", 5000), ("5", 2500), ("1", 500)] {
        let probe = good(&[("APP_INTERVAL", interval)]).probe;
        assert_eq!(probe.timeout, Duration::from_millis(milliseconds), "APP_INTERVAL={interval}");
    }
}
