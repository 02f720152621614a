//! Getting in: passwords, application credentials, regions and interfaces.

use serde_json::json;
use simplescalevm::error::{Error, ErrorKind};
use simplescalevm::provider::Provider;
use simplescalevm::secret::Secret;
use simplescalevm::settings::{
    ApplicationCredential, Credentials, Domain, OpenStackSettings, Project, User,
};

use super::{Ground, list, member, open, open_with};

const ADVICE: &str =
    "(check the user, password, project and domains, or the application credential)";

pub fn a_password_opens_the_project(ground: &dyn Ground) {
    list(&mut open(ground));
}

pub fn a_wrong_password_is_refused(ground: &dyn Ground) {
    let mut settings = ground.settings();
    with_password(&mut settings, |password, _, _| *password = Secret::new("not-the-password"));
    let error = refused(&settings);
    assert!(!error.text.contains("not-the-password"), "{error}");
}

pub fn a_wrong_user_or_project_is_refused(ground: &dyn Ground) {
    let mut settings = ground.settings();
    with_password(&mut settings, |_, user, _| *user = "nobody".into());
    refused(&settings);
    let mut settings = ground.settings();
    with_password(&mut settings, |_, _, project| *project = Project::Id("0".repeat(32)));
    refused(&settings);
}

pub fn an_application_credential_needs_no_scope(ground: &dyn Ground) {
    let key = ground.application_credential();
    let mut settings = ground.settings();
    let Credentials::Password { user, .. } = settings.credentials.clone() else {
        panic!("the ground's settings have no password");
    };
    for which in
        [ApplicationCredential::Id(key.id), ApplicationCredential::Name { name: key.name, user }]
    {
        settings.credentials =
            Credentials::ApplicationCredential { which, secret: key.secret.clone() };
        list(&mut open_with(&settings));
    }
}

pub fn a_user_may_be_given_by_id(ground: &dyn Ground) {
    let mut settings = ground.settings();
    let (_, _, answer) = member::log_in(&settings, &member::password(&settings));
    let id = answer["token"]["user"]["id"].as_str().expect("a token tells its user").to_owned();
    let Credentials::Password { user, .. } = &mut settings.credentials else {
        panic!("the ground's settings have no password");
    };
    let by_id = User::Id(id);
    *user = by_id.clone();
    list(&mut open_with(&settings));
    let key = ground.application_credential();
    let which = ApplicationCredential::Name { name: key.name, user: by_id };
    settings.credentials = Credentials::ApplicationCredential { which, secret: key.secret };
    list(&mut open_with(&settings));
}

pub fn an_application_credential_is_refused_with_a_scope(ground: &dyn Ground) {
    let (key, settings) = (ground.application_credential(), ground.settings());
    let scope = member::password(&settings)["auth"]["scope"].clone();
    let identity = json!({"methods": ["application_credential"],
        "application_credential": {"id": key.id, "secret": key.secret.expose()}});
    let body = |scope| json!({"auth": {"identity": identity, "scope": scope}});
    let (status, _, answer) = member::log_in(&settings, &body(scope));
    assert_eq!(status, 401, "{answer}");
    assert_eq!(answer["error"]["title"], "Unauthorized", "{answer}");
}

pub fn a_wrong_secret_is_refused(ground: &dyn Ground) {
    let mut settings = ground.settings();
    let which = ApplicationCredential::Id(ground.application_credential().id);
    let secret = Secret::new("not-the-secret");
    settings.credentials = Credentials::ApplicationCredential { which, secret };
    let error = refused(&settings);
    assert!(!error.text.contains("not-the-secret"), "{error}");
}

pub fn an_unknown_region_names_those_that_exist(ground: &dyn Ground) {
    let settings = OpenStackSettings { region: Some("NOWHERE9".into()), ..ground.settings() };
    let error = open_with(&settings).servers().unwrap_err();
    assert_eq!(error.text, "OS_REGION_NAME \"NOWHERE9\": no such region (have: SBG7)");
    let settings = OpenStackSettings { region: Some("sbg7".into()), ..ground.settings() };
    let error = open_with(&settings).servers().unwrap_err();
    let text = "OS_REGION_NAME \"sbg7\": no such region; did you mean SBG7? (have: SBG7)";
    assert_eq!(error.text, text);
}

pub fn the_only_region_needs_no_name(ground: &dyn Ground) {
    list(&mut open_with(&OpenStackSettings { region: None, ..ground.settings() }));
}

pub fn an_unknown_interface_names_those_that_exist(ground: &dyn Ground) {
    let settings = OpenStackSettings { interface: "secret".into(), ..ground.settings() };
    let error = open_with(&settings).servers().unwrap_err();
    let text =
        "OS_INTERFACE \"secret\": the compute service in region SBG7 has no such endpoint (have: ";
    assert!(error.text.starts_with(text), "{error}");
    for interface in ["admin", "internal", "public"] {
        assert!(error.text.contains(interface), "{interface} is not named: {error}");
    }
}

fn with_password(
    settings: &mut OpenStackSettings,
    change: impl FnOnce(&mut Secret, &mut String, &mut Project),
) {
    let Credentials::Password { password, user: User::Name { name, domain }, project } =
        &mut settings.credentials
    else {
        panic!("the ground's settings have no password");
    };
    *domain = Domain::Id("default".into());
    change(password, name, project);
}

#[track_caller]
fn refused(settings: &OpenStackSettings) -> Error {
    let error = open_with(settings).servers().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused(401), "{error}");
    assert!(error.text.starts_with("cannot log in: POST http"), "{error}");
    assert!(error.text.ends_with(ADVICE), "{error}");
    error
}
