//! Making servers: how many, and what they carry.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use simplescalevm::model::{Condition, Launched};
use simplescalevm::provider::ProviderMut;
use simplescalevm::settings::OpenStackSettings;

use super::member::Member;
use super::{Ground, TemporaryFile, creation, list, open, open_with, open_without_host, until};

pub fn many_are_made_with_one_request(ground: &dyn Ground) {
    let mut provider = open(ground);
    let first = provider.create(&creation(3)).unwrap();
    // At once: Nova records the whole batch before it answers.
    let servers = list(&mut provider);
    let names: BTreeSet<&str> = servers.iter().map(|server| &*server.name).collect();
    assert_eq!(names, ["web-1", "web-2", "web-3"].into());
    assert!(servers.iter().any(|server| server.id == first), "the answer names one of them");
    for server in &servers {
        let marks = (server.mark.as_deref(), server.batch.as_deref());
        assert_eq!(marks, (Some("contract"), Some("b1")), "{server:?}");
    }
}

pub fn one_alone_keeps_its_plain_name(ground: &dyn Ground) {
    let mut provider = open(ground);
    provider.create(&creation(1)).unwrap();
    assert_eq!(&*list(&mut provider)[0].name, "web");
}

pub fn user_data_metadata_and_keypair_arrive(ground: &dyn Ground) {
    let data = b"#cloud-config\nruncmd: [\"echo \xc3\xa9 > /dev/null\"]\n";
    let file = TemporaryFile::new(data);
    let mut provider = open_with(&OpenStackSettings {
        keypair: Some("ops".into()),
        cloud_init_file: Some(file.0.clone()),
        ..ground.settings()
    });
    let id = provider.create(&creation(1)).unwrap();
    let server = ground.server(&id);
    let arrived = server["OS-EXT-SRV-ATTR:user_data"].as_str().unwrap_or_default();
    assert_eq!(STANDARD.decode(arrived).unwrap(), data, "the user data of {server}");
    assert_eq!(server["key_name"], "ops", "{server}");
    let metadata = serde_json::json!({"group": "contract", "simplescalevm-batch": "b1"});
    assert_eq!(server["metadata"], metadata, "{server}");
    let wanted = ground.settings();
    assert_eq!(server["flavor"]["original_name"], wanted.flavor.as_str(), "{server}");
}

pub fn without_a_host_all_end_in_error_with_a_fault(ground: &dyn Ground) {
    let mut provider = open_without_host(ground);
    let first = provider.create(&creation(3)).expect("Nova accepts it, and fails later");
    let servers = until("three servers in error", || {
        let servers = list(&mut provider);
        (servers.iter().all(|server| server.condition == Condition::Error), servers)
    });
    assert_eq!(servers.len(), 3);
    for server in &servers {
        assert_eq!((server.launched, &server.fixed[..]), (Launched::Never, &[][..]), "{server:?}");
        assert_eq!(&*server.words, "error");
    }
    // The reason is in the record of the one server, never in the list.
    let member = Member::new(&ground.settings());
    let alone = member.get("compute", &format!("/servers/{first}"));
    let fault = alone["server"]["fault"]["message"].as_str().unwrap_or_default();
    assert!(fault.starts_with("No valid host was found."), "{alone}");
    let listed = member.get("compute", "/servers/detail");
    assert!(listed["servers"][0].get("fault").is_none(), "{listed}");
}
