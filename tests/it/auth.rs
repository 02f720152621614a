//! Logging in, and finding the services.

use std::time::Duration;

use crate::daemon::{Daemon, Settings, once};
use crate::expect;
use crate::fake::{Cloud, Fault, Response, Times};

#[test]
fn a_password_with_the_projects_id_works() {
    let cloud = Cloud::start();
    let id = cloud.state().identity.project.id.clone();
    for name in ["OS_PROJECT_ID", "OS_TENANT_ID"] {
        let settings = Settings::of(&cloud).without("OS_PROJECT_NAME").with(name, &id);
        once(&settings).expect_status(0);
    }
}

#[test]
fn names_are_looked_for_in_their_domains() {
    let cloud = Cloud::start();
    cloud.state().identity.domain.id = "7d0c".into();
    cloud.state().identity.domain.name = "Staff".into();
    once(&Settings::of(&cloud)).expect_status(1);
    let settings = Settings::of(&cloud)
        .with("OS_USER_DOMAIN_NAME", "Staff")
        .with("OS_PROJECT_DOMAIN_ID", "7d0c");
    once(&settings).expect_status(0);
    let settings = Settings::of(&cloud)
        .with("OS_USER_DOMAIN_ID", "7d0c")
        .with("OS_PROJECT_DOMAIN_NAME", "Staff");
    once(&settings).expect_status(0);
}

#[test]
fn an_application_credential_works_with_and_without_a_project_beside_it() {
    let cloud = Cloud::start();
    let settings = Settings::of_application_credential(&cloud);
    once(&settings).expect_status(0);
    let with_project = settings
        .with("OS_AUTH_TYPE", "v3applicationcredential")
        .with("OS_PROJECT_NAME", "devproject")
        .with("OS_PROJECT_ID", "0c2859f90b444c899ad9dbe3070db73d");
    once(&with_project).expect_status(0);
}

#[test]
fn an_application_credential_by_its_name_works() {
    let cloud = Cloud::start();
    let settings = Settings::of_application_credential(&cloud)
        .without("OS_APPLICATION_CREDENTIAL_ID")
        .with("OS_APPLICATION_CREDENTIAL_NAME", "scaler")
        .with("OS_USERNAME", "devuser");
    once(&settings).expect_status(0);
}

#[test]
fn a_second_factor_and_a_redirect_are_told_with_what_to_do() {
    let receipt = serde_json::json!({
        "receipt": {"methods": ["password"], "expires_at": "2026-01-01T00:00:00.000000Z"},
        "required_auth_methods": [["password", "totp"]],
    });
    let receipt = Response::json(401, &receipt).with("Openstack-Auth-Receipt", "gAAAAA");
    let elsewhere = Response::empty(302).with("Location", "https://login.example.org/?next=s3cret");
    for (answer, words) in [
        (
            receipt,
            "this user needs a second factor, which no program can give: use an application credential",
        ),
        (elsewhere, "it redirects to https://login.example.org/, which is not followed"),
        (Response::empty(301), "a redirect that does not say where"),
    ] {
        let cloud = Cloud::start();
        cloud.fault("POST", "/auth/tokens", Times::Always, Fault::Answer(answer));
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(1).expect_line(&["cannot log in", words]);
        for absent in ["check the user", "s3cret"] {
            assert!(!ran.output().contains(absent), "{absent}\n{ran}");
        }
    }
}

#[test]
fn a_wrong_password_fails_the_pass_with_advice_and_is_not_tried_again_and_again() {
    let cloud = Cloud::start();
    let ran = once(&Settings::of(&cloud).with("OS_PASSWORD", "not-the-password"));
    ran.expect_status(1).expect_line(&["ERROR", "401", "password"]);
    assert_eq!(cloud.count("POST", "/auth/tokens"), 1, "{}\n{ran}", cloud.journal());
    assert!(!ran.output().contains("not-the-password"), "the password is printed\n{ran}");
}

#[test]
fn a_region_that_is_missing_is_told_with_those_that_exist() {
    let cloud = Cloud::start();
    cloud.state().catalog.regions = vec!["GRA9".into(), "SBG5".into()];
    let ran = once(&Settings::of(&cloud).with("OS_REGION_NAME", "SBG8"));
    ran.expect_line(&["OS_REGION_NAME", "SBG8", "GRA9", "SBG5"]);
    assert_ne!(ran.status, Some(0), "{ran}");
    let ran = once(&Settings::of(&cloud));
    ran.expect_line(&["OS_REGION_NAME", "SBG7", "GRA9", "SBG5"]);
    expect::no_change(&cloud, &ran);
}

#[test]
fn the_only_region_is_used_when_none_is_set() {
    let cloud = Cloud::start();
    cloud.state().catalog.regions = vec!["RegionOne".into()];
    once(&Settings::of(&cloud)).expect_status(0);
}

#[test]
fn the_services_of_the_wanted_region_and_interface_are_asked() {
    let cloud = Cloud::start();
    cloud.state().catalog.regions = vec!["GRA9".into(), "BHS5".into()];
    cloud.state().catalog.interface = "internal".into();
    for (name, value) in [("OS_INTERFACE", "internal"), ("OS_ENDPOINT_TYPE", "internalURL")] {
        let settings = Settings::of(&cloud).with("OS_REGION_NAME", "BHS5").with(name, value);
        once(&settings).expect_status(0);
    }
}

#[test]
fn endpoints_work_with_and_without_their_versions() {
    for (compute, network, image) in [
        ("/v2.1", "", ""),
        ("/v2.1/", "/", "/"),
        ("/v2.1/PROJECT", "/v2.0", "/v2"),
        ("", "/v2.0/", "/v2/"),
    ] {
        let cloud = Cloud::start();
        {
            let catalog = &mut cloud.state().catalog;
            catalog.compute_suffix = compute.into();
            catalog.network_suffix = network.into();
            catalog.image_suffix = image.into();
        }
        cloud.state().add_floating_ip(None);
        let ran = once(&Settings::of(&cloud).with("EXTERNAL_ADDRESS_MANAGEMENT", "true"));
        assert_eq!(ran.status, Some(0), "with {compute:?}: {}\n{ran}", cloud.journal());
        assert_eq!(cloud.state().servers.len(), 3, "with {compute:?}: {}\n{ran}", cloud.journal());
    }
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    let cloud = Cloud::start();
    cloud.fault("GET", "/servers/detail", Times::Next(1), Fault::unauthorized());
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    assert_eq!(cloud.count("POST", "/auth/tokens"), 2, "{}\n{ran}", cloud.journal());

    let cloud = Cloud::start();
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::unauthorized());
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(1);
    assert_eq!(cloud.count("POST", "/auth/tokens"), 2, "{}\n{ran}", cloud.journal());
}

#[test]
fn a_creation_refused_for_its_token_is_sent_once_more() {
    let cloud = Cloud::start();
    cloud.fault("POST", "/servers", Times::Next(1), Fault::unauthorized());
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    assert_eq!(cloud.count("POST", "/servers"), 2, "{}\n{ran}", cloud.journal());
    assert_eq!(cloud.state().servers.len(), 3);
}

#[test]
fn a_token_is_renewed_before_it_expires_and_kept_until_then() {
    let cloud = Cloud::start();
    cloud.state().identity.token_life = Duration::from_secs(5);
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_until("third token", || cloud.count("POST", "/auth/tokens") >= 3);
    let refused: Vec<_> =
        cloud.requests().into_iter().filter(|request| request.status == Some(401)).collect();
    assert!(refused.is_empty(), "used an expired token: {refused:?}\n{}", daemon.log());
    let passes = cloud.count("GET", "/servers/detail");
    assert!(passes >= 3, "logged in more often than it looked\n{}", cloud.journal());
}

#[test]
fn a_wrong_clock_of_this_machine_expires_no_token_and_ages_no_server() {
    for ahead in [-86_400, 86_400] {
        let cloud = Cloud::start();
        cloud.state().clock_ahead_s = ahead;
        let settings = Settings::of(&cloud);
        once(&settings).expect_status(0);
        once(&settings).expect_status(0);
        cloud.forget_requests();
        let ran = once(&settings);
        ran.expect_status(0);
        expect::no_change(&cloud, &ran);
    }
}
