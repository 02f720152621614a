//! What a run needs to know of the fake cloud, and how its passes are counted.

use crate::daemon::{Daemon, Settings};
use crate::fake::{Cloud, Service};

impl Settings {
    /// What `cloud` needs, with a password; everything else is left to its default, but for short time limits.
    pub fn of(cloud: &Cloud) -> Self {
        let mut settings = Settings::none()
            .with("OS_AUTH_URL", &format!("{}/v3", cloud.url(Service::Identity)))
            .with("REPLICA_API_PORT", &cloud.replica_port().to_string())
            .with("REPLICA_API_TIMEOUT", "1")
            .with("REPLICA_API_RETRIES", "0")
            .with("APP_HOST", "127.0.0.1")
            .with("APP_PORT", "0");
        let state = cloud.state();
        settings = settings
            .with("OS_USERNAME", &state.identity.user.name)
            .with("OS_PASSWORD", &state.identity.password)
            .with("OS_PROJECT_NAME", &state.identity.project.name);
        settings
    }

    /// The same, with an application credential instead of the password and the project.
    pub fn of_application_credential(cloud: &Cloud) -> Self {
        let settings = Settings::of(cloud)
            .without("OS_USERNAME")
            .without("OS_PASSWORD")
            .without("OS_PROJECT_NAME");
        let identity = &cloud.state().identity;
        settings
            .with("OS_APPLICATION_CREDENTIAL_ID", &identity.application_credential.id)
            .with("OS_APPLICATION_CREDENTIAL_SECRET", &identity.application_credential_secret)
    }

    /// What the loop needs besides: passes as close together as the settings allow.
    pub fn of_loop(cloud: &Cloud) -> Self {
        Settings::of(cloud).with("APP_INTERVAL", "2")
    }
}

impl Daemon {
    /// Waits for `passes` further lists of servers, and for the end of the passes before the last of them.
    #[track_caller]
    pub fn wait_for_passes(&self, cloud: &Cloud, passes: usize) {
        let before = cloud.count("GET", "/servers/detail");
        self.wait_until(&format!("{passes} further passes; {}", cloud.journal()), || {
            cloud.count("GET", "/servers/detail") >= before + passes
        });
    }
}
