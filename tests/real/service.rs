//! The cloud's services: stopped, started, started again with other settings. They are every test's, so a test that does
//! this is alone.

use std::path::Path;
use std::process::{Command, Output};

use crate::cloud::{Cloud, undo};

/// A service that is stopped, or hangs. Dropped, it runs again, and answers.
pub struct Outage {
    service: String,
    /// What ends it.
    end: &'static str,
}

impl Outage {
    /// Stops the service, which is every test's.
    pub fn of(cloud: &Cloud, service: &str) -> Self {
        Outage::begin(cloud, service, "stop", "start")
    }

    /// Lets it hang: what it is sent takes effect later.
    pub fn hanging(cloud: &Cloud, service: &str) -> Self {
        Outage::begin(cloud, service, "pause", "resume")
    }

    fn begin(cloud: &Cloud, service: &str, begin: &str, end: &'static str) -> Self {
        assert!(cloud.is_alone(), "{service} is every test's");
        let outage = Outage { service: service.to_owned(), end };
        service_command(begin, service);
        outage
    }

    /// Panics if the service runs.
    #[track_caller]
    pub fn expect_stopped(&self) {
        let output = run_service_command("status", &self.service, &[]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said.trim(), format!("{} stopped", self.service), "no outage");
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        undo(|| service_command(self.end, &self.service));
    }
}

/// `tests/openstack/service ACTION SERVICE`.
pub fn service_command(action: &str, service: &str) {
    service_command_with(action, service, &[]);
}

/// The same, with these variables in its environment.
pub fn service_command_with(action: &str, service: &str, variables: &[(&str, &str)]) {
    let output = run_service_command(action, service, variables);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "service {action} {service}: {said}");
}

fn run_service_command(action: &str, service: &str, variables: &[(&str, &str)]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openstack/service");
    let mut command = Command::new(&script);
    command.args([action, service]).envs(variables.iter().copied());
    command.output().unwrap_or_else(|error| panic!("{}: {error}", script.display()))
}
