//! Settings: from the environment to [`Config`]. Everything is checked at once, and every fault is reported in one run.
//!
//! `table` holds what settings there are, `parse` what a value may look like, `reader` how values and faults are
//! collected, `openstack` the cloud's part, `clouds` what a `clouds.yaml` says of it, `lease` that of several scalers,
//! `proxies` those of the environment, `unknown` the variables that look like settings but are not, `in_force` what
//! people are shown of all this, `list` how the table reads for people.

pub mod clouds;
mod in_force;
mod lease;
pub mod list;
mod openstack;
mod parse;
mod proxies;
mod reader;
pub mod table;
#[cfg(test)]
mod tests;
mod unknown;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use clouds::FromFile;
use parse::ReadFile;
use parse::{
    boolean, choice, count_or_none, file, host, metadata_key, seconds, text, text_of, url_path,
    whole,
};
use reader::Reader;
use table::{
    APP_HOST, APP_INTERVAL, APP_PORT, APP_STATUS_DETAIL, EXTERNAL_ADDRESS_MANAGEMENT,
    EXTERNAL_ADDRESS_WATCH, LOG_FORMAT, OPENSTACK_IP_VERSION, OPENSTACK_METADATA_KEY,
    OPENSTACK_METADATA_VALUE, OPENSTACK_NAME, OS_CLIENT_CONFIG_FILE, OS_CLIENT_SECURE_FILE,
    OS_CLOUD, PROVIDER, REPLICA_API_CACERT, REPLICA_API_CAPACITY_KEY, REPLICA_API_CONCURRENCY,
    REPLICA_API_INSECURE, REPLICA_API_PATH, REPLICA_API_PORT, REPLICA_API_PROTOCOL,
    REPLICA_API_RETRIES, REPLICA_API_TERMINATION_KEY, REPLICA_API_TIMEOUT, REPLICA_BOOT_GRACE,
    REPLICA_CAPACITY, REPLICA_DELETE_STOPPED, REPLICA_LAUNCH_TIMEOUT, REPLICA_MAX,
    REPLICA_MIN_AVAILABLE_RESOURCES, REPLICA_MIN_AVAILABLE_RESOURCES_FILE,
    REPLICA_REPLACE_SILENT_AFTER,
};

use crate::logger::Format;
use crate::model::IpVersion;
use crate::settings::{Config, Mark, Policy, ProbeSettings, ProviderSettings, StatusSettings};

/// More than any cloud project holds; small enough that no sum of products of two overflows.
pub const COUNT_MAX: u64 = 1_000_000;

/// A day: whoever wants a pass less often runs `--once` from cron.
const INTERVAL_SECONDS_MAX: u64 = 24 * 3600;

/// A year.
const SECONDS_MAX: u64 = 365 * 24 * 3600;

/// An hour: longer than any answer is worth waiting for.
const REQUEST_SECONDS_MAX: u64 = 3600;

/// Nova takes 255; the batch's suffix and the number within the batch come behind.
const NAME_CHARACTERS_MAX: usize = 200;

/// Reads and checks all settings. An error holds every fault, one line each, none with a secret in it.
///
/// `read_file` reads the files that hold secrets or certificates. `once` is the mode: with it, what cron would mail
/// every minute although it needs no action is not a warning, and shows only at `debug`.
pub fn load(
    environment: &BTreeMap<String, String>,
    read_file: &dyn Fn(&Path) -> std::io::Result<String>,
    once: bool,
) -> std::result::Result<Config, Vec<String>> {
    let Beside { file: cloud, kept, lost, fault } = beside(environment, read_file);
    // What seems to be missing may be among what lost; nothing is known of a file that could not be read.
    let is_read = cloud.as_ref().is_some_and(|cloud| !cloud.source.files.is_empty());
    let lost_with_faults = lost.clone().filter(|_| is_read);
    let mut reader = Reader::new(&kept, read_file).beside(cloud.as_ref());
    if let Some(fault) = fault {
        reader.fault_of(fault);
    }
    let interval = reader.value(&APP_INTERVAL, seconds(1..=INTERVAL_SECONDS_MAX));
    let mut config = Config {
        interval,
        watch: watch(&mut reader, interval),
        policy: policy(&mut reader, interval, once),
        minimum_file: reader.optional(&REPLICA_MIN_AVAILABLE_RESOURCES_FILE, file),
        probe: probe(&mut reader, interval),
        status: status(&mut reader),
        mark: mark(&mut reader),
        name: reader.value(&OPENSTACK_NAME, text_of(NAME_CHARACTERS_MAX)),
        provider: provider(&mut reader),
        lease: None,
        warnings: Vec::new(),
        in_force: Vec::new(),
    };
    config.lease = lease::settings(&mut reader, &config);
    let mut warnings = unknown::warnings(environment);
    warnings.extend(cloud.iter().flat_map(|cloud| cloud.warnings.clone()));
    warnings.extend(reader.take_warnings());
    let mut standing: Vec<String> = unknown::self_scaling(&mut reader).into_iter().collect();
    let max_is_default = reader.given(&REPLICA_MAX).is_none();
    standing.extend(standing_warnings(&config, max_is_default));
    standing.extend(lease::standing_warnings(&mut reader, config.lease.as_ref()));
    standing.extend(lost);
    standing.extend(unknown::without_effect(environment));
    if once {
        for warning in &standing {
            log::debug!("{warning}");
        }
    } else {
        warnings.extend(standing);
    }
    config.warnings = warnings;
    // The logger has long started: it is only checked here.
    reader.value(&LOG_FORMAT, choice(Format::WORDS));
    config.in_force = in_force::settings(&mut reader, &config);
    let mut faults = reader.into_faults();
    if faults.is_empty() {
        return Ok(config);
    }
    faults.extend(lost_with_faults);
    Err(faults)
}

/// What a `clouds.yaml` contributes.
struct Beside<'a> {
    file: Option<FromFile>,
    /// The variables that count beside it.
    kept: Cow<'a, BTreeMap<String, String>>,
    /// A warning that names those that do not.
    lost: Option<String>,
    fault: Option<String>,
}

fn beside<'a>(environment: &'a BTreeMap<String, String>, read_file: ReadFile<'_>) -> Beside<'a> {
    let simulated = environment
        .get(PROVIDER.name)
        .is_some_and(|provider| provider.trim().eq_ignore_ascii_case("simulated"));
    let set =
        |setting: &table::Setting| environment.get(setting.name).is_some_and(|v| !v.is_empty());
    if simulated || !set(&OS_CLOUD) {
        let kept = Cow::Borrowed(environment);
        return Beside { file: None, kept, lost: None, fault: None };
    }
    // What is wrong with a name, or a path, is reported when the settings are read.
    let sound = |setting: &table::Setting| {
        environment.get(setting.name).is_none_or(|value| file(value).is_ok())
    };
    let sound = [&OS_CLOUD, &OS_CLIENT_CONFIG_FILE, &OS_CLIENT_SECURE_FILE].into_iter().all(sound);
    let read = if sound { clouds::load(environment, read_file) } else { None };
    let (file, fault) = match read {
        Some(Ok(file)) => (file, None),
        // The other settings are judged all the same.
        Some(Err(fault)) => (FromFile::unknown(), Some(fault)),
        None => (FromFile::unknown(), None),
    };
    let (kept, lost) = clouds::without_losers(environment, &file);
    Beside { file: Some(file), kept: Cow::Owned(kept), lost, fault }
}

/// Reads where an instance with these settings serves its status, and judges nothing else: who asks it need not know its
/// secrets.
pub fn load_status(
    environment: &BTreeMap<String, String>,
    read_file: &dyn Fn(&Path) -> std::io::Result<String>,
) -> std::result::Result<StatusSettings, Vec<String>> {
    let mut reader = Reader::new(environment, read_file);
    let status = status(&mut reader);
    let faults = reader.into_faults();
    if faults.is_empty() { Ok(status) } else { Err(faults) }
}

/// `REPLICA_MAX` when nobody chose one: nothing grows without end because nobody set a number. It goes by the variable alone:
/// a slip in the file must be bounded, also by a program that starts anew with it.
const MAX_UNLESS_MORE: u64 = 100;

/// The same for a large pool: so many times what the minimum needs.
const MAX_TIMES_NEEDED: u64 = 4;

fn policy(reader: &mut Reader<'_>, interval: Duration, once: bool) -> Policy {
    let mut policy = Policy {
        capacity: reader.value(&REPLICA_CAPACITY, whole(1..=COUNT_MAX)),
        minimum: reader.value(&REPLICA_MIN_AVAILABLE_RESOURCES, whole(0..=COUNT_MAX)),
        max: None,
        manage_addresses: reader.value(&EXTERNAL_ADDRESS_MANAGEMENT, boolean),
        boot_grace: reader.value(&REPLICA_BOOT_GRACE, seconds(1..=SECONDS_MAX)),
        launch_timeout: reader.value(&REPLICA_LAUNCH_TIMEOUT, seconds(1..=SECONDS_MAX)),
        replace_silent_after: reader
            .optional(&REPLICA_REPLACE_SILENT_AFTER, seconds(1..=SECONDS_MAX)),
        delete_stopped: reader.value(&REPLICA_DELETE_STOPPED, boolean),
        ip_version: reader
            .optional(&OPENSTACK_IP_VERSION, choice([("4", IpVersion::V4), ("6", IpVersion::V6)]))
            .unwrap_or(IpVersion::V4),
        interval,
        once,
    };
    let needed = policy.minimum.div_ceil(policy.capacity.max(1));
    policy.max = match reader.optional(&REPLICA_MAX, count_or_none(1..=COUNT_MAX)) {
        Some(chosen) => chosen,
        None => Some(MAX_UNLESS_MORE.max(needed.saturating_mul(MAX_TIMES_NEEDED))),
    };
    let sound =
        reader.all_sound(&[&REPLICA_CAPACITY, &REPLICA_MIN_AVAILABLE_RESOURCES, &REPLICA_MAX]);
    if let Some(max) = policy.max.filter(|_| sound) {
        let (minimum, capacity) = (policy.minimum, policy.capacity);
        if max < needed {
            let text = format!(
                "REPLICA_MAX \"{max}\": must be {needed} or more, because REPLICA_MIN_AVAILABLE_RESOURCES is {minimum} \
                 and REPLICA_CAPACITY {capacity}"
            );
            reader.fault(&REPLICA_MAX, text);
        }
    }
    policy
}

fn probe(reader: &mut Reader<'_>, interval: Duration) -> ProbeSettings {
    ProbeSettings {
        https: reader.value(&REPLICA_API_PROTOCOL, choice([("http", false), ("https", true)])),
        port: reader.value(&REPLICA_API_PORT, whole(1..=u16::MAX)),
        path: reader.value(&REPLICA_API_PATH, url_path),
        capacity_key: reader.value(&REPLICA_API_CAPACITY_KEY, text),
        termination_key: reader.value(&REPLICA_API_TERMINATION_KEY, text),
        timeout: probe_timeout(reader, interval),
        retries: reader.value(&REPLICA_API_RETRIES, whole(0..=100)),
        concurrency: reader.value(&REPLICA_API_CONCURRENCY, whole(1..=1024)),
        cacert: reader.certificates(&REPLICA_API_CACERT),
        insecure: reader.value(&REPLICA_API_INSECURE, boolean),
    }
}

/// A limit that nobody chose must not make a short interval a fault, so the default gives way; a chosen one does not.
fn probe_timeout(reader: &mut Reader<'_>, interval: Duration) -> Duration {
    let timeout = reader.value(&REPLICA_API_TIMEOUT, seconds(1..=REQUEST_SECONDS_MAX));
    if reader.given(&REPLICA_API_TIMEOUT).is_none() {
        return timeout.min(interval / 2);
    }
    if reader.all_sound(&[&REPLICA_API_TIMEOUT, &APP_INTERVAL]) && timeout >= interval {
        let (timeout, interval) = (timeout.as_secs(), interval.as_secs());
        let text = format!(
            "REPLICA_API_TIMEOUT \"{timeout}\": must be less than APP_INTERVAL, which is {interval}"
        );
        reader.fault(&REPLICA_API_TIMEOUT, text);
    }
    timeout
}

/// As with the time limit: with an interval of a second, nobody who chose no watch gets told off for it.
fn watch(reader: &mut Reader<'_>, interval: Duration) -> Option<Duration> {
    let watch = reader.value(&EXTERNAL_ADDRESS_WATCH, seconds(0..=REQUEST_SECONDS_MAX));
    if reader.all_sound(&[&EXTERNAL_ADDRESS_WATCH, &APP_INTERVAL])
        && reader.given(&EXTERNAL_ADDRESS_WATCH).is_some()
        && watch >= interval
    {
        let (watch, interval) = (watch.as_secs(), interval.as_secs());
        let text = format!(
            "EXTERNAL_ADDRESS_WATCH \"{watch}\": must be less than APP_INTERVAL, which is {interval}; 0: off"
        );
        reader.fault(&EXTERNAL_ADDRESS_WATCH, text);
    }
    Some(watch).filter(|watch| !watch.is_zero() && *watch < interval)
}

fn status(reader: &mut Reader<'_>) -> StatusSettings {
    StatusSettings {
        host: reader.value(&APP_HOST, host),
        port: reader.value(&APP_PORT, whole(0..=u16::MAX)),
        full: reader.value(&APP_STATUS_DETAIL, choice([("full", true), ("summary", false)])),
    }
}

fn mark(reader: &mut Reader<'_>) -> Mark {
    let value = reader.value(&OPENSTACK_METADATA_VALUE, text);
    Mark {
        key: reader.value(&OPENSTACK_METADATA_KEY, metadata_key),
        value: reader.given(&OPENSTACK_METADATA_VALUE).map(|_| value),
    }
}

fn provider(reader: &mut Reader<'_>) -> ProviderSettings {
    let names = [("openstack", true), ("simulated", false)];
    match reader.optional(&PROVIDER, choice(names)) {
        Some(true) => ProviderSettings::OpenStack(Box::new(openstack::settings(reader))),
        // A wrong provider: whose settings to check is not known.
        Some(false) | None => ProviderSettings::Simulated,
    }
}

/// What holds for the whole run and was most likely meant that way; worth one line in a daemon's log.
fn standing_warnings(config: &Config, max_is_default: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    match config.policy.max {
        None => warnings.push(
            "REPLICA_MAX is none, so only the cloud's quota limits the pool; set it to the most replicas you \
             would pay for"
                .to_owned(),
        ),
        Some(max) if max_is_default => warnings.push(format!(
            "REPLICA_MAX is not set, so there are at most {max} replicas; set it to the most you would pay for, or to \
             none"
        )),
        Some(_) => {}
    }
    if config.probe.https && config.probe.insecure {
        warnings.push(
            "REPLICA_API_INSECURE is on: any host can answer in a replica's place; REPLICA_API_CACERT names your own \
             authority"
                .to_owned(),
        );
    }
    if let ProviderSettings::OpenStack(settings) = &config.provider {
        warnings.extend(openstack::standing_warnings(settings));
    }
    warnings
}
