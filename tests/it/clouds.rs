//! `clouds.yaml`: the login, which cloud of which file it is, and where its services are.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::daemon::{Daemon, Settings, once, run};
use crate::expect;
use crate::fake::{Cloud, Service};
use crate::settings::file;

/// The fake's login with a password, as a cloud `fake` of a file.
fn password(cloud: &Cloud) -> String {
    let url = cloud.url(Service::Identity);
    let identity = &cloud.state().identity;
    format!(
        "clouds:\n  fake:\n    auth:\n      auth_url: {url}\n      username: {:?}\n      password: {:?}\n      project_name: {:?}\n",
        identity.user.name, identity.password, identity.project.name
    )
}

/// The fake's login with an application credential.
fn application_credential(cloud: &Cloud) -> String {
    let url = cloud.url(Service::Identity);
    let identity = &cloud.state().identity;
    format!(
        "clouds:\n  fake:\n    auth_type: v3applicationcredential\n    auth:\n      auth_url: {url}\n      \
         application_credential_id: {:?}\n      application_credential_secret: {:?}\n",
        identity.application_credential.id, identity.application_credential_secret
    )
}

fn of_file(cloud: &Cloud, file: &Path) -> Settings {
    Settings::of(cloud)
        .without("OS_AUTH_URL")
        .without("OS_USERNAME")
        .without("OS_PASSWORD")
        .without("OS_PROJECT_NAME")
        .with("OS_CLOUD", "fake")
        .with("OS_CLIENT_CONFIG_FILE", file.to_str().unwrap())
}

#[test]
fn a_federated_login_of_a_file_becomes_an_application_credential_of_that_file() {
    let cloud = Cloud::start();
    let credential = application_credential(&cloud);
    let federated =
        password(&cloud).replace("    auth:", "    auth_type: v3oidcpassword\n    auth:");
    let path = file("federated.yaml", &federated);
    let ran = run(&["--check"], &of_file(&cloud, &path));
    ran.expect_status(2).expect_line(&[
        "clouds.fake.auth_type \"v3oidcpassword\"",
        "put auth_type: v3applicationcredential and, under auth, application_credential_id and",
        &format!("into cloud \"fake\" of {}", path.display()),
    ]);
    assert!(!ran.output().contains("OS_APPLICATION_CREDENTIAL"), "that would not help\n{ran}");
    // What else the file held may stay.
    let (_, credential) = credential.split_once("      application_credential_id").unwrap();
    let advised = federated.replace("v3oidcpassword", "v3applicationcredential");
    let advised = format!("{advised}      application_credential_id{credential}");
    let path = file("advised.yaml", &advised);
    run(&["--check"], &of_file(&cloud, &path)).expect_status(0);
}

#[test]
fn a_clouds_file_is_a_login() {
    let cloud = Cloud::start();
    for (name, text) in [
        ("password.yaml", password(&cloud)),
        ("application-credential.yaml", application_credential(&cloud)),
    ] {
        let path = file(name, &text);
        let ran = run(&["--check"], &of_file(&cloud, &path));
        ran.expect_status(0);
        ran.expect_line(&["OS_CLOUD", "cloud \"fake\" of", path.to_str().unwrap()]);
    }
    let path = file("login.yaml", &password(&cloud));
    let ran = once(&of_file(&cloud, &path));
    ran.expect_status(0);
    expect::created(&cloud, &ran, 3);
}

#[test]
fn the_loop_says_at_its_start_which_cloud_it_is_and_which_variables_lose() {
    let cloud = Cloud::start();
    let path = file("loop.yaml", &password(&cloud));
    let settings = of_file(&cloud, &path)
        .with("OS_USERNAME", "somebody")
        .with("OS_PASSWORD", "of-somebody")
        .with("OS_APPLICATION_CREDENTIAL_ID", "of-somebody")
        .with("APP_INTERVAL", "2");
    let daemon = Daemon::start(&settings);
    daemon.wait_for_log(&["INFO", "simplescalevm", "cloud \"fake\" of", "loop.yaml"]);
    daemon.wait_for_log(&[
        "WARN",
        "OS_APPLICATION_CREDENTIAL_ID, OS_PASSWORD, OS_USERNAME have no effect",
        "loop.yaml",
    ]);
    daemon.wait_for_passes(&cloud, 1);
    assert!(!daemon.log().contains("of-somebody"), "{}", daemon.log());
}

#[test]
fn a_file_that_every_user_may_read_is_warned_of_when_it_holds_a_secret() {
    let cloud = Cloud::start();
    let path = file("modes.yaml", &password(&cloud));
    for (mode, warned) in [(0o644, true), (0o600, false), (0o640, false)] {
        set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let ran = run(&["--check"], &of_file(&cloud, &path));
        let told = ran.output().contains("every user of this machine may read it");
        assert_eq!(told, warned, "mode {mode:o}\n{ran}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_every_other_fault_and_without_its_secrets() {
    let cloud = Cloud::start();
    let text = password(&cloud).replace("auth_url", "  auth_url");
    let path = file("wrong.yaml", &text);
    let ran = once(&of_file(&cloud, &path).with("REPLICA_CAPACITY", "0"));
    ran.expect_status(2);
    ran.expect_line(&["OS_CLOUD \"fake\":", "wrong.yaml:5:7: is not YAML"]);
    ran.expect_line(&["REPLICA_CAPACITY \"0\""]);
    assert!(!ran.output().contains("OS_USERNAME"), "a login is told to be missing\n{ran}");
    assert!(!ran.output().contains(&cloud.state().identity.password), "{ran}");
    assert!(cloud.requests().is_empty(), "asked the cloud with wrong settings\n{ran}");
}

#[test]
fn a_wrong_value_is_told_by_its_place_in_the_file() {
    let cloud = Cloud::start();
    let text = password(&cloud) + "    interface: secret\n    auth_type: v3totp\n";
    let ran = once(&of_file(&cloud, &file("values.yaml", &text)));
    ran.expect_status(2);
    ran.expect_line(&["values.yaml: clouds.fake.interface \"secret\": must be public or internal"]);
    ran.expect_line(&[
        "values.yaml: clouds.fake.auth_type \"v3totp\": must be password",
        "openstack application credential create",
    ]);
}

#[test]
fn a_region_of_a_file_that_does_not_exist_is_told_with_the_file() {
    let cloud = Cloud::start();
    let text = password(&cloud) + "    region_name: Atlantis\n";
    let ran = run(&["--check"], &of_file(&cloud, &file("region.yaml", &text)));
    ran.expect_status(1);
    ran.expect_line(&["OS_REGION_NAME \"Atlantis\": no such region", "region.yaml"]);
}

#[test]
fn without_os_cloud_a_file_changes_nothing_and_that_is_said() {
    let cloud = Cloud::start();
    let path = file("unused.yaml", "clouds: {fake: {auth: {username: nobody}}}\n");
    let settings = Settings::of(&cloud).with("OS_CLIENT_CONFIG_FILE", path.to_str().unwrap());
    let ran = run(&["--check"], &settings);
    ran.expect_status(0);
    ran.expect_line(&["warning", "OS_CLIENT_CONFIG_FILE has no effect: OS_CLOUD"]);
}

#[test]
fn an_endpoint_that_is_given_is_asked_instead_of_the_catalogs() {
    let cloud = Cloud::start();
    let live = |service| cloud.url(service);
    let (nova, neutron, glance) =
        (live(Service::Compute), live(Service::Network), live(Service::Image));
    for service in [Service::Compute, Service::Network, Service::Image] {
        // Nothing listens there.
        cloud.state().catalog.elsewhere.insert(service, "http://127.0.0.1:1".to_owned());
    }
    let from_environment = Settings::of(&cloud)
        .with("OS_COMPUTE_ENDPOINT_OVERRIDE", &format!("{nova}/v2.1/%(project_id)s"))
        .with("OS_NETWORK_ENDPOINT_OVERRIDE", &neutron)
        .with("OS_IMAGE_ENDPOINT_OVERRIDE", &format!("{glance}/v2"))
        .with("OS_IDENTITY_ENDPOINT_OVERRIDE", "http://127.0.0.1:1");
    let text = password(&cloud)
        + &format!(
            "    compute_endpoint_override: {nova}/v2.1/%(project_id)s\n    network_endpoint_override: {neutron}\n    \
             image_endpoint_override: {glance}/v2\n    identity_endpoint_override: http://127.0.0.1:1\n"
        );
    let from_file = of_file(&cloud, &file("endpoints.yaml", &text));
    let project = cloud.state().identity.project.id.clone();
    for settings in [&from_environment, &from_file] {
        let ran = run(&["--check"], settings);
        ran.expect_status(0);
        ran.expect_line(&["compute", &format!("{nova}/v2.1/{project}")]);
        ran.expect_line(&["network service", &format!("{neutron}/v2.0")]);
        ran.expect_line(&["image service", &format!("{glance}/v2")]);
    }
    let ran = run(&["--check"], &from_environment);
    ran.expect_line(&["warning", "OS_IDENTITY_ENDPOINT_OVERRIDE has no effect"]);
    let wrong = Settings::of(&cloud).with("OS_COMPUTE_ENDPOINT_OVERRIDE", "http://ann:pw@host");
    let ran = once(&wrong);
    ran.expect_status(2);
    ran.expect_line(&["OS_COMPUTE_ENDPOINT_OVERRIDE: must not contain a user or a password"]);
    assert!(!ran.output().contains("ann:pw"), "{ran}");
}
