//! No secret is ever printed, whatever happens and however loud the log is.

use crate::daemon::{Daemon, Ran, Settings, once, run};
use crate::fake::{Cloud, Says};

const USER_DATA: &str = "#cloud-config\npassword: user-data-s3cret\n";

/// A shorter piece of a secret is no sign of it.
const SIGN_CHARS: usize = 6;

/// The settings, as loud as it goes, and with user data that is secret.
pub fn loud(settings: Settings) -> Settings {
    let path = super::settings::file("secret-cloud-init", USER_DATA);
    settings
        .with("RUST_LOG", "trace")
        .with("OPENSTACK_CLOUD_INIT_FILE", path.to_str().unwrap())
        .with("OPENSTACK_API_TIMEOUT", "1")
}

/// What must be nowhere: not even a piece of a secret, and in whatever spelling.
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Those of `cloud` as it is now and of [`loud`] settings.
    pub fn of(cloud: &Cloud) -> Self {
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode(USER_DATA);
        let mut signs = vec!["user-data-s3cret".to_owned(), encoded[..16].to_owned()];
        // How the fake's tokens begin.
        signs.push("gAAAAAfake".to_owned());
        for secret in cloud.secrets() {
            let pieces = secret.split(|character: char| !character.is_ascii_alphanumeric());
            signs.extend(pieces.filter(|piece| piece.len() >= SIGN_CHARS).map(str::to_owned));
        }
        Secrets(signs)
    }

    /// Panics, without saying which, when one is in `text`.
    #[track_caller]
    pub fn expect_none(&self, place: &str, text: &str) {
        for (number, sign) in self.0.iter().enumerate() {
            let line = text.lines().find(|line| line.contains(sign));
            // The failure must not print it either.
            let line = line.map(|line| line.replace(sign, "(SECRET)"));
            assert!(line.is_none(), "secret number {number} in {place}: {}", line.unwrap());
        }
    }

    /// Panics when one is in what the run printed.
    #[track_caller]
    pub fn expect_none_in(&self, ran: &Ran) {
        self.expect_none("the output", &ran.output());
    }

    /// Panics when one is on a page of the status server.
    #[track_caller]
    pub fn expect_none_on_pages(&self, daemon: &Daemon) {
        for (page, text) in daemon.pages() {
            self.expect_none(&page, &text);
        }
    }
}

#[test]
fn good_passes_print_no_secret() {
    let cloud = Cloud::start();
    cloud.add_replica("done", Says::finished());
    for settings in [Settings::of(&cloud), Settings::of_application_credential(&cloud)] {
        for arguments in [&["--once"][..], &["--once", "--dry-run"], &["--check"]] {
            let ran = run(arguments, &loud(settings.clone()));
            ran.expect_status(0);
            Secrets::of(&cloud).expect_none_in(&ran);
        }
    }
}

#[test]
fn settings_errors_print_no_secret() {
    let cloud = Cloud::start();
    let settings = loud(Settings::of(&cloud))
        .with("OS_APPLICATION_CREDENTIAL_SECRET", "appcred-Zx9-s3cret")
        .with("OS_PASSWORD_FILE", "/nonexistent")
        .with("REPLICA_CAPACITY", "none");
    let ran = once(&settings);
    ran.expect_status(2);
    Secrets::of(&cloud).expect_none_in(&ran);
}
