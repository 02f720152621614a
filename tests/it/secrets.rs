//! No secret is ever printed, whatever happens and however loud the log is.

use std::path::PathBuf;
use std::sync::LazyLock;

use crate::daemon::{Daemon, Ran, Settings, once, run};
use crate::expect;
use crate::fake::{Cloud, Fault, Gate, Manner, NoTls, Says, Service, Speaks, Times};

const USER_DATA: &str = "#cloud-config\npassword: user-data-s3cret\n";

/// A shorter piece of a secret is no sign of it.
const SIGN_CHARS: usize = 6;

/// The settings, as loud as it goes, and with user data that is secret.
pub fn loud(settings: Settings) -> Settings {
    // Once: others may be reading it.
    static FILE: LazyLock<PathBuf> =
        LazyLock::new(|| super::settings::file("secret-cloud-init", USER_DATA));
    let path = &*FILE;
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
        let mut signs = vec!["user-data-s3cret".to_owned(), encoded.chars().take(16).collect()];
        for secret in cloud.secrets() {
            let pieces = secret.split(|character: char| !character.is_ascii_alphanumeric());
            signs.extend(pieces.filter(|piece| piece.len() >= SIGN_CHARS).map(str::to_owned));
        }
        Secrets(signs)
    }

    /// With one more.
    #[must_use]
    fn and(mut self, sign: &str) -> Self {
        self.0.push(sign.to_owned());
        self
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
        .with("OS_APPLICATION_CREDENTIAL_SECRET", "Zx9appcred")
        .with("OS_PASSWORD_FILE", "/nonexistent")
        .with("REPLICA_CAPACITY", "none");
    let ran = once(&settings);
    ran.expect_status(2);
    Secrets::of(&cloud).expect_none_in(&ran);
}

/// A URL's password.
const URL_PASSWORD: &str = "url-s3cret";

/// `url` with a user and a password.
fn with_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    format!("{scheme}://user:{URL_PASSWORD}@{rest}")
}

#[test]
fn a_password_in_the_clouds_url_is_refused_and_not_shown() {
    let cloud = Cloud::start();
    let url = with_password(&cloud.url(Service::Identity));
    for arguments in [&["--once"][..], &[], &["--check"]] {
        let ran = run(arguments, &loud(Settings::of(&cloud)).with("OS_AUTH_URL", &url));
        ran.expect_status(2).expect_line(&["OS_AUTH_URL", "must not contain a user or a password"]);
        Secrets::of(&cloud).and(URL_PASSWORD).expect_none_in(&ran);
    }
}

#[test]
fn a_password_in_the_catalogs_urls_is_not_shown() {
    let services = [Service::Compute, Service::Network, Service::Image];
    let faults = [
        None,
        Some(Fault::html(200)),
        Some(Fault::html(500)),
        Some(Fault::Undone(Manner::Closed)),
        Some(Fault::Undone(Manner::HangBeforeHeaders)),
    ];
    expect::each(faults, |fault| {
        let cloud = Cloud::start();
        for service in services {
            let url = with_password(&cloud.url(service));
            cloud.state().catalog.elsewhere.insert(service, url);
        }
        for pattern in ["/v2.1", "/networks*", "/images*", "/flavors*"] {
            if let Some(fault) = &fault {
                cloud.fault("GET", pattern, Times::Always, fault.clone());
            }
        }
        let secrets = Secrets::of(&cloud).and(URL_PASSWORD);
        for arguments in [&["--once"][..], &["--check"]] {
            secrets.expect_none_in(&run(arguments, &loud(Settings::of(&cloud))));
        }
        let mut daemon = Daemon::start(&loud(Settings::of_loop(&cloud)));
        let healthz = if fault.is_some() { 503 } else { 200 };
        daemon.wait_for_status("/healthz", healthz);
        secrets.expect_none_on_pages(&daemon);
        secrets.expect_none_in(&daemon.terminate());
    });
}

#[test]
fn a_proxys_password_is_not_shown() {
    let variables = ["ALL_PROXY", "all_proxy"];
    let cases = variables.into_iter().flat_map(|name| (0..4).map(move |kind| (name, kind)));
    expect::each(cases, |(variable, kind)| {
        let cloud = Cloud::start();
        let no_tls = NoTls::start(Speaks::PlainHttp);
        let proxy = match kind {
            // It answers 404 to all it is asked.
            0 => cloud.url(Service::Image),
            // It closes the connection.
            1 => {
                for method in ["CONNECT", "POST"] {
                    cloud.fault(method, "*", Times::Always, Fault::Undone(Manner::Closed));
                }
                cloud.url(Service::Image)
            }
            // It repeats what it was sent, the password among it.
            2 => {
                for method in ["CONNECT", "POST"] {
                    cloud.fault(method, "*", Times::Always, Fault::Recite(407));
                }
                cloud.url(Service::Image)
            }
            // It refuses connections.
            _ => "http://127.0.0.1:1".to_owned(),
        };
        let secrets = Secrets::of(&cloud).and(URL_PASSWORD).and(&proxy_authorization());
        for auth_url in [cloud.url(Service::Identity), no_tls.url()] {
            let settings = loud(Settings::of(&cloud))
                .with("OS_AUTH_URL", &auth_url)
                .with(variable, &with_password(&proxy));
            for arguments in [&["--once"][..], &["--check"]] {
                let ran = run(arguments, &settings);
                ran.expect_status(1);
                secrets.expect_none_in(&ran);
            }
        }
    });
}

/// What a proxy is sent for `user` and the password of a URL.
fn proxy_authorization() -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(format!("user:{URL_PASSWORD}"))
}

#[test]
fn a_file_of_certificates_that_holds_a_key_is_not_shown() {
    let cloud = Cloud::start();
    let key =
        "-----BEGIN PRIVATE KEY-----\nTUlHSEFnRUFNQk1HQnlxR1NNNDk=\n-----END PRIVATE KEY-----\n";
    let path = super::settings::file("only-a-key.pem", key);
    for variable in ["OS_CACERT", "REPLICA_API_CACERT"] {
        let settings = loud(Settings::of(&cloud)).with(variable, path.to_str().unwrap());
        let ran = once(&settings.with("REPLICA_API_PROTOCOL", "https"));
        ran.expect_status(2).expect_line(&[variable, "certificate"]);
        Secrets::of(&cloud).and("TUlHSEFnRUFN").expect_none_in(&ran);
    }
}

#[test]
fn a_program_that_is_ended_in_a_request_prints_no_secret() {
    let requests = [
        ("POST", "/auth/tokens"),
        ("GET", "/servers/detail"),
        ("POST", "/servers"),
        ("DELETE", "/servers/*"),
    ];
    expect::each(requests, |(method, pattern)| {
        let cloud = Cloud::start();
        cloud.add_replica("done", Says::finished());
        let gate = Gate::default();
        cloud.fault(method, pattern, Times::Always, Fault::HeldBefore(gate.clone()));
        let settings = loud(Settings::of_loop(&cloud)).with("OPENSTACK_API_TIMEOUT", "60");
        let mut daemon = Daemon::start(&settings);
        daemon.wait_until("the request held", || gate.reached() > 0);
        Secrets::of(&cloud).expect_none_in(&daemon.terminate());
    });
}
