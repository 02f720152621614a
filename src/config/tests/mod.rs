//! Settings as small tables: what is set, and what comes of it.

mod derived;
mod faults;
mod in_force;
mod lease;
mod login;
mod proxies;
mod values;
mod warnings;
mod wrapped;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::settings::{Config, OpenStackSettings, ProviderSettings};

/// A login that is complete, and nothing else.
const LOGIN: [(&str, &str); 3] =
    [("OS_USERNAME", "ann"), ("OS_PASSWORD", "hunter2"), ("OS_PROJECT_ID", "p1")];

/// Whatever is read from these names is there; the rest is not.
const FILES: [(&str, &str); 10] = [
    ("/proc/sys/kernel/hostname", "scaler-1\n"),
    ("/run/password", "from file\n"),
    ("/run/two-newlines", "from file\n\n"),
    ("/run/empty", "\n"),
    ("/etc/ca.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
    ("/etc/key.pem", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"),
    ("/etc/not-pem", "hello\n"),
    ("/etc/server.json", "{\"tags\": [\"recorder\"]}\n"),
    ("/etc/wrong-server.json", "{\"tags\": \"recorder\", \"name\": \"x\"}\n"),
    ("./clouds.yaml", "clouds: {pool 1: {auth: {auth_url: 'https://k/v3'}}}"),
];

fn read_file(path: &Path) -> io::Result<String> {
    let found = FILES.iter().find(|(name, _)| Path::new(name) == path);
    found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| io::Error::other("no such file"))
}

fn load(settings: &[(&str, &str)], once: bool) -> Result<Config, Vec<String>> {
    let environment: BTreeMap<String, String> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    super::load(&environment, &read_file, once)
}

/// The complete login and these.
fn with_login(settings: &[(&str, &str)], once: bool) -> Result<Config, Vec<String>> {
    load(&[&LOGIN, settings].concat(), once)
}

#[track_caller]
fn good(settings: &[(&str, &str)]) -> Config {
    match with_login(settings, false) {
        Ok(config) => config,
        Err(faults) => panic!("{settings:?} is refused: {faults:#?}"),
    }
}

#[track_caller]
fn cloud(config: Config) -> OpenStackSettings {
    match config.provider {
        ProviderSettings::OpenStack(settings) => *settings,
        ProviderSettings::Simulated => panic!("not an OpenStack provider"),
    }
}

#[track_caller]
fn faults(settings: &[(&str, &str)]) -> Vec<String> {
    with_login(settings, false).err().unwrap_or_default()
}
