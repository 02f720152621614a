//! What a VM gets that not every pool needs: groups, zone, volume, and what a file says.

use serde_json::{Value, json};
use simplescalevm::error::{Error, ErrorKind};
use simplescalevm::model::{Condition, Launched};
use simplescalevm::provider::{Creation, Provider, ProviderMut};
use simplescalevm::settings::{BootVolume, OpenStackSettings, ServerOptions};

use super::member::Member;
use super::{Ground, TemporaryFile, creation, list, open_with, running, until};

/// The id of nothing.
const NOBODY: &str = "c6f04e5b-33f7-4413-97a3-1383e5950011";

pub fn groups_zone_description_tags_and_hint_arrive(ground: &dyn Ground) {
    let group = "simplescalevm-contract-web";
    ground.add_security_group(group);
    let spread = ground.add_server_group();
    let file = file(&json!({
        "description": "a recorder", "tags": ["one", "two"], "config_drive": true,
        "metadata": {"role": "recorder"}, "os:scheduler_hints": {"group": spread},
    }));
    let mut provider = open_with(&OpenStackSettings {
        options: ServerOptions {
            security_groups: vec![group.into(), "default".into()],
            availability_zone: Some("nova".into()),
            server_file: Some(file.0.clone()),
            ..ServerOptions::default()
        },
        ..ground.settings()
    });
    let servers = running(&mut provider, 2);
    assert_eq!(servers.len(), 2);
    for server in &servers {
        assert_eq!(server.mark.as_deref(), Some("contract"), "{server:?}");
        let server = ground.server(&server.id);
        assert_eq!(names(&server["security_groups"]), ["default", group], "{server}");
        assert_eq!(server["OS-EXT-AZ:availability_zone"], "nova", "{server}");
        assert_eq!(server["description"], "a recorder", "{server}");
        assert_eq!(server["tags"], json!(["one", "two"]), "{server}");
        assert_eq!(server["config_drive"], "True", "{server}");
        let metadata =
            json!({"group": "contract", "simplescalevm-batch": "b1", "role": "recorder"});
        assert_eq!(server["metadata"], metadata, "{server}");
    }
    // The hint was followed: the servers are members of the group.
    let member = Member::new(&ground.settings());
    let group = member.get("compute", &format!("/os-server-groups/{spread}"));
    let mut members: Vec<&str> = group["server_group"]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    members.sort_unstable();
    let mut ids: Vec<&str> = servers.iter().map(|server| server.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(members, ids, "{group}");
}

pub fn groups_are_known_by_name_and_by_id(ground: &dyn Ground) {
    let name = "simplescalevm-contract-web";
    let id = ground.add_security_group(name);
    let in_file = file(&json!({"security_groups": [{"name": name}]}));
    let by_setting = |group: &str| ServerOptions {
        security_groups: vec![group.to_owned()],
        ..ServerOptions::default()
    };
    let by_file =
        ServerOptions { server_file: Some(in_file.0.clone()), ..ServerOptions::default() };
    for options in [by_setting(name), by_setting(&id), by_file] {
        let mut provider = open_with(&with(ground, options.clone()));
        for server in running(&mut provider, 1) {
            let server = ground.server(&server.id);
            assert_eq!(names(&server["security_groups"]), [name], "by {options:?}: {server}");
        }
    }
}

pub fn two_groups_of_one_name_need_an_id(ground: &dyn Ground) {
    let name = "simplescalevm-contract-twice";
    let (one, two) = (ground.add_security_group(name), ground.add_security_group(name));
    let of = |group: &str| ServerOptions {
        security_groups: vec![group.to_owned()],
        ..ServerOptions::default()
    };
    let error = refused(ground, of(name));
    assert_eq!(error.kind, ErrorKind::Setting, "{error}");
    let text = format!(
        "OPENSTACK_SECURITY_GROUPS \"{name}\": 2 security groups have this name; give the id of one: "
    );
    assert!(error.text.starts_with(&text) && error.text.contains(&one), "{error}");
    let mut provider = open_with(&with(ground, of(&two)));
    provider.create(&creation(1)).expect("an id tells them apart");
}

pub fn a_wrong_group_names_those_that_exist(ground: &dyn Ground) {
    ground.add_security_group("simplescalevm-contract-web");
    for wrong in ["lost", NOBODY] {
        let security_groups = vec!["default".into(), wrong.to_owned()];
        let error = refused(ground, ServerOptions { security_groups, ..ServerOptions::default() });
        assert_eq!(error.kind, ErrorKind::Setting, "{error}");
        let text =
            format!("OPENSTACK_SECURITY_GROUPS \"{wrong}\": no such security group in project ");
        assert!(error.text.starts_with(&text), "{error}");
        assert!(error.text.ends_with("(have: default, simplescalevm-contract-web)"), "{error}");
    }
}

pub fn a_wrong_zone_makes_nothing(ground: &dyn Ground) {
    let availability_zone = Some("lost".into());
    let error = refused(ground, ServerOptions { availability_zone, ..ServerOptions::default() });
    assert_eq!(error.kind, ErrorKind::Refused(400), "{error}");
    let said = "status 400: The requested availability zone is not available";
    assert!(error.text.ends_with(said), "{error}");
}

pub fn a_wrong_server_group_makes_nothing(ground: &dyn Ground) {
    let error = refused_file(ground, &json!({"os:scheduler_hints": {"group": NOBODY}}));
    assert_eq!(error.kind, ErrorKind::Refused(400), "{error}");
    let said = format!("status 400: Instance group {NOBODY} could not be found.");
    assert!(error.text.ends_with(&said), "{error}");
}

pub fn networks_of_a_file_have_the_pools_among_them(ground: &dyn Ground) {
    let member = Member::new(&ground.settings());
    let id = |name: &str| {
        let body = member.get("network", &format!("/networks?name={name}&fields=id"));
        body["networks"][0]["id"].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned()
    };
    let (pool, other) = (id("Ext-Net"), id("public"));
    let error = refused_file(ground, &json!({"networks": [{"uuid": other}]}));
    assert_eq!(error.kind, ErrorKind::Setting, "{error}");
    let text = format!(
        "\"networks\" lacks OPENSTACK_NETWORK \"Ext-Net\", on which replicas are asked: add {{\"uuid\": \"{pool}\"}}"
    );
    assert!(error.text.ends_with(&text), "{error}");
    let file = file(&json!({"networks": [{"uuid": pool}]}));
    let server_file = Some(file.0.clone());
    let options = ServerOptions { server_file, ..ServerOptions::default() };
    assert_eq!(running(&mut open_with(&with(ground, options)), 1).len(), 1);
}

pub fn a_file_that_is_wrong_makes_nothing(ground: &dyn Ground) {
    for (text, expected) in [
        ("{\"tags\": [}", "is not JSON: see line 1, column 11"),
        ("{\"max_count\": 99}", "\"max_count\" is the program's own"),
        ("{\"metadata\": {\"group\": \"x\"}}", "\"metadata\" must leave \"group\" to the program"),
    ] {
        let file = TemporaryFile::new(text.as_bytes());
        let error = refused(ground, of_file(&file));
        assert_eq!(error.kind, ErrorKind::Setting, "{error}");
        assert!(error.text.contains(expected), "{error}");
    }
    let gone = TemporaryFile::new(b"{}").0.clone();
    let error =
        refused(ground, ServerOptions { server_file: Some(gone), ..ServerOptions::default() });
    assert!(error.text.contains(": cannot be read: "), "{error}");
    let large = TemporaryFile::new(
        format!("{{\"description\": \"{}\"}}", "x".repeat(256 * 1024)).as_bytes(),
    );
    let error = refused(ground, of_file(&large));
    assert!(error.text.ends_with(": is larger than 256 KiB"), "{error}");
}

pub fn a_field_of_a_later_microversion_is_told_before_nova_is_asked(ground: &dyn Ground) {
    let error = refused_file(ground, &json!({"hostname": "recorder"}));
    assert_eq!(error.kind, ErrorKind::Setting, "{error}");
    let text = ": \"hostname\" needs microversion 2.90 or later, and this program uses 2.69 with this cloud";
    assert!(error.text.ends_with(text), "{error}");
    // What this program does not know is Nova's to judge.
    let error =
        refused_file(ground, &json!({"field_of_tomorrow": 5, "adminPass": "hunter2hunter2"}));
    assert_eq!(error.kind, ErrorKind::Refused(400), "{error}");
    assert!(!error.text.contains("hunter2"), "a password is shown: {error}");
}

pub fn a_boot_volume_needs_a_cloud_with_volumes(ground: &dyn Ground) {
    for volume_type in [None, Some("fast".to_owned())] {
        let boot_volume = Some(BootVolume { size_gib: 10, volume_type });
        let error = refused(ground, ServerOptions { boot_volume, ..ServerOptions::default() });
        assert_eq!(error.kind, ErrorKind::Setting, "{error}");
        let text = "OPENSTACK_BOOT_VOLUME_SIZE: this cloud has no volumes";
        assert!(error.text.starts_with(text), "{error}");
    }
}

/// The device of a file is as the setting makes it: Nova's schema takes it, and no image beside it.
pub fn nova_takes_a_boot_volume_and_fails_to_build_it_without_cinder(ground: &dyn Ground) {
    let member = Member::new(&ground.settings());
    let images = member.get("image", "/images?name=Debian%2011");
    let file = file(&json!({"block_device_mapping_v2": [{
        "boot_index": 0, "uuid": images["images"][0]["id"], "source_type": "image",
        "destination_type": "volume", "volume_size": 10, "delete_on_termination": true}]}));
    let mut provider = open_with(&with(ground, of_file(&file)));
    let id = provider.create(&creation(1)).expect("Nova accepts it, and fails later");
    let server = until("a server in error", || {
        let server = list(&mut provider).remove(0);
        (server.condition == Condition::Error, server)
    });
    assert_eq!(server.launched, Launched::Never);
    assert_eq!(ground.server(&id)["image"], "", "it boots from no image");
}

pub fn check_finds_every_option(ground: &dyn Ground) {
    let group = ground.add_security_group("simplescalevm-contract-web");
    let spread = ground.add_server_group();
    let file = file(&json!({"tags": ["a"], "os:scheduler_hints": {"group": spread}}));
    let options = ServerOptions {
        security_groups: vec!["simplescalevm-contract-web".into()],
        availability_zone: Some("nova".into()),
        boot_volume: None,
        server_file: Some(file.0.clone()),
    };
    let lines = open_with(&with(ground, options)).check();
    let found = |what: &str| {
        let line = lines.iter().find(|line| line.what == what);
        line.unwrap_or_else(|| panic!("no line on {what}: {lines:#?}")).found.clone().unwrap()
    };
    assert_eq!(found("security group"), format!("simplescalevm-contract-web ({group})"));
    assert_eq!(found("zone"), "nova");
    assert!(found("server file").ends_with(", fields: 1"), "{lines:#?}");
    assert!(found("server group").ends_with(&format!("({spread})")), "{lines:#?}");
}

pub fn check_names_every_fault_of_the_options(ground: &dyn Ground) {
    let wrong = file(&json!({"os:scheduler_hints": {"group": NOBODY}, "hostname": "x",
        "networks": [{"uuid": NOBODY}]}));
    let options = ServerOptions {
        security_groups: vec!["default".into(), "lost".into()],
        availability_zone: Some("lost".into()),
        boot_volume: Some(BootVolume { size_gib: 10, volume_type: None }),
        server_file: Some(wrong.0.clone()),
    };
    let mut provider = open_with(&with(ground, options));
    let lines = provider.check();
    let faulty: Vec<&str> =
        lines.iter().filter(|line| line.found.is_err()).map(|line| line.what.as_str()).collect();
    let expected =
        ["network", "security group", "zone", "server file", "server group", "boot volume"];
    // A floating IP of the ground's description is another case's matter.
    let faulty: Vec<&str> = faulty.into_iter().filter(|what| *what != "floating IPs").collect();
    assert_eq!(faulty, expected, "{lines:#?}");
    let zone = lines.iter().find(|line| line.what == "zone").unwrap().found.clone().unwrap_err();
    let text = "OPENSTACK_AVAILABILITY_ZONE \"lost\": no such availability zone (have: nova)";
    assert_eq!(zone, text);
    assert!(
        provider.quotas().iter().any(Result::is_err),
        "there is no Cinder to ask for its quota"
    );
}

pub fn a_quota_is_told_with_what_is_used(ground: &dyn Ground) {
    ground.set_quota(Some(5));
    let mut provider = open_with(&ground.settings());
    // While servers are scheduled Nova does not count them yet.
    running(&mut provider, 2);
    let quotas: Vec<_> = provider.quotas().into_iter().map(Result::unwrap).collect();
    let of = |what: &str| {
        let quota = quotas.iter().find(|quota| quota.what == what);
        let quota = quota.unwrap_or_else(|| panic!("no quota of {what}: {quotas:?}"));
        (quota.used, quota.limit, quota.of_one)
    };
    assert_eq!(of("instances"), (2, Some(5), 1));
    assert_eq!(of("cores"), (8, None, 4));
    assert_eq!(of("MiB of RAM"), (16000, None, 8000));
}

fn file(fields: &Value) -> TemporaryFile {
    TemporaryFile::new(fields.to_string().as_bytes())
}

fn of_file(file: &TemporaryFile) -> ServerOptions {
    ServerOptions { server_file: Some(file.0.clone()), ..ServerOptions::default() }
}

fn with(ground: &dyn Ground, options: ServerOptions) -> OpenStackSettings {
    OpenStackSettings { options, ..ground.settings() }
}

fn names(groups: &Value) -> Vec<&str> {
    let groups = groups.as_array().into_iter().flatten();
    let mut names: Vec<&str> = groups.map(|group| group["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A creation that fails before anything is made.
#[track_caller]
fn refused(ground: &dyn Ground, options: ServerOptions) -> Error {
    let mut provider = open_with(&with(ground, options));
    let wanted: Creation = creation(2);
    let error = provider.create(&wanted).expect_err("this cannot be created");
    assert_eq!(list(&mut provider), [], "made something in spite of: {error}");
    error
}

#[track_caller]
fn refused_file(ground: &dyn Ground, fields: &Value) -> Error {
    let file = file(fields);
    refused(ground, of_file(&file))
}
