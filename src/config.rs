//! Stand-in: the settings are written elsewhere. The simulated cloud with a few settings, to run the loop.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::model::IpVersion;
use crate::settings::{Config, Mark, Policy, ProbeSettings, ProviderSettings, StatusSettings};

/// Reads a file.
pub type ReadFile = dyn Fn(&Path) -> io::Result<String>;

/// Reads the settings.
pub fn load(
    environment: &BTreeMap<String, String>,
    _read: &ReadFile,
    once: bool,
) -> Result<Config, Vec<String>> {
    let number = |name: &str, default: u64| {
        environment.get(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let text = |name: &str, default: &str| {
        environment.get(name).cloned().unwrap_or_else(|| default.to_owned())
    };
    let interval = Duration::from_secs(number("APP_INTERVAL", 60));
    Ok(Config {
        interval,
        status: StatusSettings {
            host: text("APP_HOST", "0.0.0.0"),
            port: u16::try_from(number("APP_PORT", 8000)).unwrap_or(8000),
            full: text("APP_STATUS_DETAIL", "full") == "full",
        },
        policy: Policy {
            capacity: number("REPLICA_CAPACITY", 1),
            minimum: number("REPLICA_MIN_AVAILABLE_RESOURCES", 3),
            max: None,
            boot_grace: Duration::from_secs(600),
            launch_timeout: Duration::from_secs(900),
            replace_silent_after: None,
            delete_stopped: false,
            manage_addresses: true,
            ip_version: IpVersion::V4,
            interval,
            once,
        },
        probe: ProbeSettings {
            https: false,
            port: 8080,
            path: "/".into(),
            capacity_key: "capacity".into(),
            termination_key: "termination".into(),
            timeout: Duration::from_secs(5),
            retries: 2,
            concurrency: 128,
            cacert: None,
            insecure: false,
        },
        mark: Mark { key: "group".into(), value: None },
        name: "server".into(),
        provider: ProviderSettings::Simulated,
        warnings: Vec::new(),
    })
}
