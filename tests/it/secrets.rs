//! No secret is ever printed, whatever happens and however loud the log is.

use crate::daemon::{Daemon, Ran, Settings, once, run};
use crate::expect;
use crate::fake::{Cloud, Fault, Says, Times};

const USER_DATA: &str = "#cloud-config\npassword: user-data-s3cret\n";

/// `USER_DATA` in base64: what Nova likes to repeat when it refuses it.
fn encoded() -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(USER_DATA)
}

fn loud(settings: Settings) -> Settings {
    let path = super::settings::file("secret-cloud-init", USER_DATA);
    settings
        .with("RUST_LOG", "trace")
        .with("OPENSTACK_CLOUD_INIT_FILE", path.to_str().unwrap())
        .with("OPENSTACK_API_TIMEOUT", "1")
}

#[track_caller]
fn check(cloud: &Cloud, ran: &Ran) {
    let mut secrets = cloud.secrets();
    secrets.push("user-data-s3cret".into());
    secrets.push(encoded());
    let output = ran.output();
    for (number, secret) in secrets.iter().enumerate() {
        // The failure must not print it either.
        assert!(!output.contains(secret.as_str()), "secret number {number} is printed");
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
            check(&cloud, &ran);
        }
    }
}

#[test]
fn services_that_repeat_what_they_got_make_no_secret_public() {
    let requests = [
        ("POST", "/auth/tokens"),
        ("GET", "/servers/detail"),
        ("GET", "/flavors*"),
        ("POST", "/servers"),
        ("DELETE", "/servers/*"),
    ];
    let cases = requests.into_iter().flat_map(|one| [400, 401, 500].map(|status| (one, status)));
    expect::each(cases, |((method, pattern), status)| {
        let cloud = Cloud::start();
        cloud.add_replica("done", Says::finished());
        cloud.fault(method, pattern, Times::Always, Fault::Echo(status));
        let ran = once(&loud(Settings::of(&cloud)));
        check(&cloud, &ran);
    });
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
    check(&cloud, &ran);
}

#[test]
fn the_status_page_shows_no_secret() {
    let cloud = Cloud::start();
    cloud.fault("POST", "/servers", Times::Always, Fault::Echo(400));
    let mut daemon = Daemon::start(&loud(Settings::of_loop(&cloud)));
    daemon.wait_until("a refused creation", || cloud.count("POST", "/servers") == 1);
    daemon.wait_for_status("/healthz", 503);
    let page = daemon.get("/").1.to_string();
    let ran = daemon.terminate();
    check(&cloud, &Ran { stdout: page, ..ran.clone() });
    check(&cloud, &ran);
}
