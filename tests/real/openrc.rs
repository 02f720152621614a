//! The files with the cloud's settings, as `tests/openstack/up` writes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// What an openrc file exports.
pub struct Openrc(BTreeMap<String, String>);

impl Openrc {
    /// Reads `name` (`openrc`, `openrc-admin` …); panics where there is no cloud.
    pub fn read(name: &str) -> Self {
        let path = directory().join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!(
                "no cloud to test against: {}: {error}; bring one up: make openstack-up",
                path.display()
            )
        });
        let exports = text.lines().filter_map(|line| line.strip_prefix("export "));
        let pairs = exports.flat_map(str::split_whitespace).filter_map(|pair| pair.split_once('='));
        Openrc(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The value of a variable; panics where it is not exported.
    pub fn get(&self, variable: &str) -> &str {
        let value = self.0.get(variable);
        value.unwrap_or_else(|| panic!("the openrc file does not export {variable}"))
    }

    /// All that the executable knows of it.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Where the cloud keeps all it has.
pub fn directory() -> PathBuf {
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/openstack"));
    std::env::var_os("SIMPLESCALEVM_OPENSTACK_DIR").map_or_else(default, PathBuf::from)
}

/// What the names of each project's files end with: nothing for the first, `-2`, `-3` …
pub fn projects() -> impl Iterator<Item = String> {
    let others = (2..).map(|number| format!("-{number}"));
    let there = |suffix: &String| directory().join(format!("openrc{suffix}")).exists();
    std::iter::once(String::new()).chain(others.take_while(there))
}
