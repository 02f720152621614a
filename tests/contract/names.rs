//! Names and ids of what a creation needs.

use simplescalevm::error::{Error, ErrorKind};
use simplescalevm::model::ServerId;
use simplescalevm::provider::{CheckLine, Provider, ProviderMut};
use simplescalevm::settings::OpenStackSettings;

use super::member::Member;
use super::{Ground, creation, list, open, open_with};

pub fn a_wrong_flavor_names_those_that_exist(ground: &dyn Ground) {
    let error = refused(&OpenStackSettings { flavor: "d9-99".into(), ..ground.settings() });
    assert_eq!(error.kind, ErrorKind::Setting);
    let text = "OPENSTACK_FLAVOR \"d9-99\": no such flavor in region SBG7 (have: d2-2, ";
    assert!(error.text.starts_with(text), "{error}");
}

pub fn a_wrong_image_names_those_that_exist(ground: &dyn Ground) {
    let error = refused(&OpenStackSettings { image: "Debian 99".into(), ..ground.settings() });
    assert_eq!(error.kind, ErrorKind::Setting);
    let text =
        "OPENSTACK_IMAGE \"Debian 99\": no such active image in region SBG7 (have: Debian 11)";
    assert_eq!(error.text, text);
}

pub fn a_wrong_network_names_those_that_exist(ground: &dyn Ground) {
    let error = refused(&OpenStackSettings { network: "Int-Net".into(), ..ground.settings() });
    assert_eq!(error.kind, ErrorKind::Setting);
    let text = "OPENSTACK_NETWORK \"Int-Net\": no such network in region SBG7 (have: Ext-Net, ";
    assert!(error.text.starts_with(text), "{error}");
    // An id that nothing has is taken for a name.
    let id = "c6f04e5b-33f7-4413-97a3-1383e5950011";
    let error = refused(&OpenStackSettings { network: id.into(), ..ground.settings() });
    assert_eq!(error.kind, ErrorKind::Setting, "{error}");
}

pub fn a_wrong_keypair_makes_nothing(ground: &dyn Ground) {
    let error = refused(&OpenStackSettings { keypair: Some("lost".into()), ..ground.settings() });
    assert_eq!(error.kind, ErrorKind::Refused(400), "{error}");
    assert!(error.text.ends_with("status 400: Invalid key_name provided."), "{error}");
}

pub fn ids_do_as_well_as_names(ground: &dyn Ground) {
    let member = Member::new(&ground.settings());
    let id = |service: &str, path: &str, list: &str, name: &str| {
        let body = member.get(service, path);
        let found = body[list].as_array().unwrap().iter().find(|one| one["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {body}"))["id"].as_str().unwrap().to_owned()
    };
    let settings = OpenStackSettings {
        flavor: id("compute", "/flavors", "flavors", "d2-8"),
        image: id("image", "/images", "images", "Debian 11"),
        network: id("network", "/networks", "networks", "Ext-Net"),
        ..ground.settings()
    };
    let mut provider = open_with(&settings);
    assert_eq!(provider.network_name().unwrap(), "Ext-Net");
    provider.create(&creation(1)).unwrap();
    assert_eq!(list(&mut provider).len(), 1);
}

pub fn check_finds_everything(ground: &dyn Ground) {
    let settings = OpenStackSettings { keypair: Some("ops".into()), ..ground.settings() };
    ground.add_address();
    let lines = open_with(&settings).check();
    let faults: Vec<&CheckLine> = lines.iter().filter(|line| line.found.is_err()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let found = |what: &str| {
        let line = lines.iter().find(|line| line.what == what);
        let line = line.unwrap_or_else(|| panic!("no line on {what}: {lines:#?}"));
        line.found.clone().unwrap()
    };
    assert!(found("login").starts_with("project "), "{lines:#?}");
    assert!(found("login").ends_with("a token lives 60 min"), "{lines:#?}");
    assert_eq!(found("region"), "SBG7");
    assert!(found("compute").ends_with(", microversion 2.69"), "{lines:#?}");
    assert!(found("flavor").starts_with("d2-8 ("), "{lines:#?}");
    assert!(found("image").starts_with("Debian 11 ("), "{lines:#?}");
    assert!(found("network").starts_with("Ext-Net ("), "{lines:#?}");
    assert_eq!(found("keypair"), "ops");
    assert!(found("floating IP").ends_with(", unbound"), "{lines:#?}");
}

pub fn check_names_every_fault(ground: &dyn Ground) {
    let lines = open_with(&OpenStackSettings {
        flavor: "d9-99".into(),
        image: "Debian 99".into(),
        network: "Int-Net".into(),
        keypair: Some("lost".into()),
        cloud_init_file: Some("/nonexistent/cloud-init".into()),
        floating_ip_description: "nobody's".into(),
        ..ground.settings()
    })
    .check();
    let faulty: Vec<&str> =
        lines.iter().filter(|line| line.found.is_err()).map(|line| line.what.as_str()).collect();
    let expected = ["flavor", "image", "network", "keypair", "cloud-init file", "floating IPs"];
    assert_eq!(faulty, expected, "{lines:#?}");
}

pub fn a_server_exists_once_it_is_made(ground: &dyn Ground) {
    let mut provider = open(ground);
    let nobody = ServerId::new("c6f04e5b-33f7-4413-97a3-1383e5950011");
    assert!(provider.server(&nobody).unwrap().is_none());
    let id = provider.create(&creation(1)).unwrap();
    assert!(provider.server(&id).unwrap().is_some_and(|server| server.id == id));
}

/// A creation that fails before anything is made.
#[track_caller]
fn refused(settings: &OpenStackSettings) -> Error {
    let mut provider = open_with(settings);
    let error = provider.create(&creation(2)).expect_err("this cannot be created");
    assert_eq!(list(&mut provider), [], "made something in spite of: {error}");
    error
}
