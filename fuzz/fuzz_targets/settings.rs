//! The environment, as a careless operator would write it: one `NAME=value` a line; a number stands for the name of the
//! setting with that number.

#![no_main]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use libfuzzer_sys::{Corpus, fuzz_target};
use simplescalevm::config::{load, load_status, table};
use simplescalevm::settings::{Config, ProviderSettings};
use simplescalevm_fuzz::assert_one_line;

/// Is in whatever is secret, and so in nothing that is said.
const SECRET: &str = "hunter2";

const SECRETS: [&str; 2] = ["OS_PASSWORD", "OS_APPLICATION_CREDENTIAL_SECRET"];

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = str::from_utf8(input) else { return Corpus::Reject };
    if text.contains(SECRET) {
        return Corpus::Reject;
    }
    let environment: BTreeMap<String, String> = text.lines().filter_map(variable).collect();
    for once in [false, true] {
        match load(&environment, &read_file, once) {
            Ok(config) => {
                is_sound(&config);
                assert!(
                    load_status(&environment, &read_file).is_ok(),
                    "as a whole it is good, and a part is not"
                );
            }
            Err(faults) => {
                assert!(!faults.is_empty(), "refused, and nobody knows why");
                names_settings(&faults);
            }
        }
    }
    if let Err(faults) = load_status(&environment, &read_file) {
        names_settings(&faults);
    }
    Corpus::Keep
});

fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let mut all = table::all().flat_map(table::Setting::names);
    let name = name.parse().ok().and_then(|number| all.nth(number)).unwrap_or(name);
    let value = match name {
        _ if value.is_empty() => String::new(),
        _ if SECRETS.contains(&name) => format!("{value}{SECRET}"),
        "OS_AUTH_URL" => value.replace('@', &format!("{SECRET}@")),
        _ => value.to_owned(),
    };
    Some((name.to_owned(), value))
}

/// The file's name says what is in it.
fn read_file(path: &Path) -> io::Result<String> {
    match path.to_str().unwrap_or_default() {
        name if name.contains("pem") => Ok(format!("-----BEGIN CERTIFICATE-----\n{SECRET}\n")),
        name if name.contains("empty") => Ok("\n".to_owned()),
        name if name.contains("missing") => Err(io::ErrorKind::NotFound.into()),
        _ => Ok(format!("{SECRET}\n")),
    }
}

fn names_settings(faults: &[String]) {
    for fault in faults {
        is_fit_to_be_shown(fault);
        let name = fault.split([' ', ':']).next().unwrap_or_default();
        let known = table::all().flat_map(table::Setting::names).any(|known| known == name);
        assert!(known || name == "ENABLE_AUTOSCALING", "names no setting: {fault}");
    }
}

fn is_fit_to_be_shown(text: &str) {
    assert_one_line(text);
    assert!(!text.contains(SECRET), "a secret is shown: {text}");
}

fn is_sound(config: &Config) {
    config.warnings.iter().for_each(|warning| is_fit_to_be_shown(warning));
    assert!(!format!("{config:?}").contains(SECRET), "a secret is shown: {config:?}");
    let (policy, probe) = (&config.policy, &config.probe);
    assert!(policy.capacity > 0);
    assert!(
        policy.max.is_none_or(|max| max >= policy.minimum.div_ceil(policy.capacity)),
        "{policy:?}"
    );
    assert!(!policy.interval.is_zero() && policy.interval == config.interval);
    assert!(!probe.timeout.is_zero() && probe.timeout < config.interval, "{probe:?}");
    assert!(probe.concurrency > 0 && probe.port > 0 && probe.path.starts_with('/'), "{probe:?}");
    assert!(probe.path.chars().all(|c| c.is_ascii_graphic()), "{probe:?}");
    if let ProviderSettings::OpenStack(cloud) = &config.provider {
        let words = [&cloud.auth_url, &cloud.flavor, &cloud.image, &cloud.network, &config.name];
        assert!(
            !words.iter().any(|word| word.is_empty() || word.contains(char::is_control)),
            "{words:?}"
        );
        assert!(!cloud.auth_url.contains('@'), "{}", cloud.auth_url);
    }
}
