//! Mistakes that a new user makes, as a table: what is set, and the line that says what to do. None of them is met in
//! silence, and each is reported at the start, also by `--check`.

use std::fs::{self, Permissions, set_permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::daemon::{Daemon, Ran, Settings, run};
use crate::fake::{Cloud, Says, Service};
use crate::settings::file;

/// Settings that nothing is to be said of.
fn settings(cloud: &Cloud) -> Settings {
    Settings::of(cloud).with("REPLICA_MAX", "9")
}

/// A directory of this test.
fn directory(name: &str) -> PathBuf {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

/// A pipe that nobody writes to.
fn pipe(name: &str) -> PathBuf {
    let path = directory(name).join("pipe");
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success(), "mkfifo {}", path.display());
    path
}

/// A user who may read their own files and nothing else: root without its rights, or whoever runs the tests.
fn without_rights(arguments: &[&str], settings: &Settings) -> Ran {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let limits = if is_root { "exec setpriv --bounding-set=-all \"$0\" \"$@\"" } else { "true" };
    Daemon::start_under(limits, arguments, settings).wait_for_end()
}

#[test]
fn every_mistake_is_told_at_the_start_with_what_to_do() {
    let cloud = Cloud::start();
    let is_a_directory = "is a directory (docker makes one where the file to mount is missing)";
    let (made, fifo) = (directory("mistake"), pipe("mistake-pipe"));
    let large = file("large.json", &format!("{{\"description\": \"{}\"}}", "x".repeat(300_000)));
    let compressed = made.join("large.gz");
    fs::write(&compressed, vec![0xff; 49_150]).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let federated = "create an application credential";
    for (name, value, status, said) in [
        ("RUST_LOG", "warning".into(), 2, "not a level; did you mean warn?"),
        ("RUST_LOG", "verbose".into(), 2, "not a level; did you mean debug?"),
        ("RUST_LOG", "simplescalevm=debg".into(), 2, "not a level; did you mean debug?"),
        ("RUST_LOG", "info/debug".into(), 2, "must not contain /"),
        ("RUST_LOG", "http=debug".into(), 2, "did you mean simplescalevm::http=debug?"),
        ("RUST_LOG", "foo=debug".into(), 2, "not a part of this program"),
        ("REPLICA_MIN", "5".into(), 0, "did you mean REPLICA_MIN_AVAILABLE_RESOURCES?"),
        ("REPLICAS_MAX", "5".into(), 0, "did you mean REPLICA_MAX?"),
        ("LOGFORMAT", "json".into(), 0, "did you mean LOG_FORMAT?"),
        ("REPLICA_PORT", "81".into(), 0, "did you mean REPLICA_API_PORT?"),
        ("OS_IMAGE", "Debian 12".into(), 0, "did you mean OPENSTACK_IMAGE?"),
        ("REPLICA_FOO", "5".into(), 0, "no such setting, so it has no effect"),
        ("OS_REGION", "SBG7".into(), 0, "did you mean OS_REGION_NAME?"),
        ("OS_PROJECTID", "p".into(), 0, "did you mean OS_PROJECT_ID?"),
        ("OPENSTACK_PASSWORD", "p".into(), 0, "did you mean OS_PASSWORD?"),
        ("APP_HOST", "0.0.0.0:8000".into(), 2, "set APP_HOST to 0.0.0.0 and APP_PORT to 8000"),
        ("APP_HOST", "192.0.2.1".into(), 1, "0.0.0.0 means all that it has"),
        ("OPENSTACK_CLOUD_INIT_FILE", text(&made), 2, is_a_directory),
        ("OPENSTACK_CLOUD_INIT_FILE", text(&fifo), 2, "is a pipe or a socket"),
        ("OPENSTACK_CLOUD_INIT_FILE", text(&large), 1, "; no VM is created until it is smaller"),
        (
            "OPENSTACK_CLOUD_INIT_FILE",
            text(&compressed),
            1,
            "too large: 65536 characters in base64, and Nova takes 65535;",
        ),
        ("OPENSTACK_SERVER_FILE", text(&made), 2, is_a_directory),
        ("OPENSTACK_SERVER_FILE", text(&fifo), 2, "is a pipe or a socket"),
        ("OPENSTACK_SERVER_FILE", text(&large), 2, "is larger than 256 KiB"),
        ("OS_CACERT", text(&made), 2, is_a_directory),
        ("OS_AUTH_TYPE", "v3oidcpassword".into(), 2, federated),
        ("OS_AUTH_TYPE", "v3websso".into(), 2, federated),
        ("OS_REGION_NAME", "sbg7".into(), 1, "did you mean SBG7?"),
    ] {
        let ran = run(&["--check"], &settings(&cloud).with(name, &value));
        ran.expect_status(status).expect_line(&[name, said]);
        let counted = if status == 0 { "no faults, 1 warning" } else { "" };
        assert!(ran.stdout.contains(counted), "{name} \"{value}\" is no counted warning\n{ran}");
    }
}

#[test]
fn a_guess_that_is_not_near_is_not_made() {
    let cloud = Cloud::start();
    for name in ["REPLICA_FOO", "OPENSTACK_XYZ", "APP_TIMEOUT"] {
        let ran = run(&["--check"], &Settings::of(&cloud).with(name, "5"));
        ran.expect_line(&[name, "no such setting"]);
        assert!(!ran.output().contains("did you mean"), "a guess misleads\n{ran}");
    }
    let ran = run(&["--foo"], &Settings::none());
    ran.expect_status(2).expect_line(&["unknown option --foo"]);
    assert!(!ran.output().contains("did you mean"), "a guess misleads\n{ran}");
}

#[test]
fn a_file_that_this_user_may_not_read_is_told_with_owner_and_mode() {
    let cloud = Cloud::start();
    let path = file("unreadable", "secret");
    set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    let found = fs::metadata(&path).unwrap();
    let whose = format!("belongs to uid {}, gid {}, mode 0000", found.uid(), found.gid());
    let me = format!("this program runs as uid {}", found.uid());
    let at = path.to_str().unwrap();
    let settings = Settings::of(&cloud).without("OS_PASSWORD").with("OS_PASSWORD_FILE", at);
    let ran = without_rights(&["--check"], &settings);
    ran.expect_status(2).expect_line(&["OS_PASSWORD_FILE", at, &me, &whose, "chown or chmod"]);
    let settings = Settings::of(&cloud).with("OPENSTACK_CLOUD_INIT_FILE", at);
    let ran = without_rights(&["--check"], &settings);
    ran.expect_status(1).expect_line(&["warning", "OPENSTACK_CLOUD_INIT_FILE", &whose]);
}

#[test]
fn a_secure_file_that_this_user_may_not_read_is_named() {
    let cloud = Cloud::start();
    let config = directory("secure/openstack");
    let url = cloud.url(Service::Identity);
    let text = {
        let identity = &cloud.state().identity;
        format!(
            "clouds: {{fake: {{auth: {{auth_url: {url:?}, user_id: {:?}, password: {:?}, project_name: {:?}}}}}}}",
            identity.user.id, identity.password, identity.project.name
        )
    };
    fs::write(config.join("clouds.yaml"), text).unwrap();
    let secure = config.join("secure.yaml");
    fs::write(&secure, "clouds: {fake: {auth: {password: other}}}").unwrap();
    set_permissions(&secure, Permissions::from_mode(0o000)).unwrap();
    let settings = Settings::of(&cloud)
        .without("OS_AUTH_URL")
        .without("OS_USERNAME")
        .without("OS_PASSWORD")
        .without("OS_PROJECT_NAME")
        .with("OS_CLOUD", "fake")
        .with("XDG_CONFIG_HOME", config.parent().unwrap().to_str().unwrap());
    let ran = without_rights(&["--check"], &settings);
    // The user's id in the other file is a login.
    ran.expect_status(0);
    ran.expect_line(&["warning", secure.to_str().unwrap(), "permission denied", "not used"]);
}

#[test]
fn a_check_for_scripts_is_one_object_whatever_is_wrong() {
    let cloud = Cloud::start();
    cloud.add_replica("odd", Says::Raw(200, r#"{"free": 1, "termination": false}"#.into()));
    let arguments = ["--check", "--output", "json"];
    let told = |ran: &Ran| -> Value {
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{ran}"))
    };
    let ran = run(&arguments, &settings(&cloud).with("REPLICA_FOO", "5"));
    ran.expect_status(1);
    let page = told(&ran);
    assert_eq!(
        (&page["ok"], &page["faults"], &page["warnings"]),
        (&false.into(), &1.into(), &1.into()),
        "{ran}"
    );
    let lines = page["lines"].as_array().unwrap();
    let keys = lines.iter().find(|line| line["what"] == "answers").unwrap();
    assert_eq!(keys["verdict"], "fault", "{ran}");
    assert!(keys["text"].as_str().unwrap().contains("(have: free, termination)"), "{ran}");
    assert_eq!(page["replicas"][0]["name"], "odd", "{ran}");

    let ran = run(&arguments, &Settings::of(&cloud).with("REPLICA_CAPACITY", "0"));
    ran.expect_status(2);
    let page = told(&ran);
    assert_eq!(page["lines"][0]["section"], "settings", "{ran}");
    assert!(
        page["lines"][0]["text"].as_str().unwrap().starts_with("REPLICA_CAPACITY \"0\""),
        "{ran}"
    );
}
