//! The cloud's services: stopped, started, started again with other settings. They are every test's, so a test that does
//! this is alone.

use std::path::Path;
use std::process::{Command, Output};

use crate::cloud::{Cloud, undo};

/// A service that is stopped. Dropped, it is started again, and answers.
pub struct Outage(String);

impl Outage {
    /// Stops the service, which is every test's.
    pub fn of(cloud: &Cloud, service: &str) -> Self {
        assert!(cloud.is_alone(), "{service} is every test's");
        let outage = Outage(service.to_owned());
        service_command("stop", service);
        outage
    }

    /// Panics if the service runs.
    #[track_caller]
    pub fn expect_stopped(&self) {
        let output = run_service_command("status", &self.0, &[]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said.trim(), format!("{} stopped", self.0), "no outage");
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        undo(|| service_command("start", &self.0));
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
