use serde_json::json;

use super::*;
use crate::settings::{BootVolume, ProviderSettings};

fn settings() -> OpenStackSettings {
    let set = [("OS_USERNAME", "ann"), ("OS_PASSWORD", "s3cret"), ("OS_PROJECT_ID", "p1")];
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let config = crate::config::load(&set, &|_| Err(std::io::Error::other("no files")), true);
    match config.unwrap().provider {
        ProviderSettings::OpenStack(settings) => *settings,
        ProviderSettings::Simulated => panic!("not an OpenStack provider"),
    }
}

fn read(file: &Value) -> Result<ServerFile, String> {
    ServerFile::read(&file.to_string(), &settings())
}

#[track_caller]
fn refused(file: &Value, expected: &str) {
    match read(file) {
        Err(why) => assert!(why.contains(expected), "{file}: {why}, not: {expected}"),
        Ok(_) => panic!("{file} is taken, and should be refused: {expected}"),
    }
}

const ID: &str = "c6f04e5b-33f7-4413-97a3-1383e5950011";

#[test]
fn fields_of_the_compute_api_are_taken_and_unknown_ones_passed_on() {
    let file = json!({
        "description": null, "tags": ["a", "b"], "config_drive": true, "metadata": {"role": "recorder"},
        "networks": [{"uuid": ID, "tag": "front"}], "security_groups": [{"name": "web"}, {"name": ID}],
        "availability_zone": "nova", "OS-DCF:diskConfig": "AUTO", "field_of_tomorrow": [5],
        "os:scheduler_hints": {"group": ID, "same_host": []},
    });
    let read = read(&file).unwrap();
    assert_eq!(read.server["field_of_tomorrow"], json!([5]));
    assert!(!read.server.contains_key("os:scheduler_hints"), "hints stand beside the server");
    assert_eq!(read.server_group(), Some(ID));
    assert_eq!(read.security_groups(), ["web", ID]);
    assert_eq!(read.networks(), Some(vec![ID.to_owned()]));
    assert_eq!(read.misfit(69), None);
}

#[test]
fn what_is_the_programs_own_is_refused_by_name() {
    for field in
        ["name", "min_count", "max_count", "return_reservation_id", "imageRef", "flavorRef"]
    {
        refused(&json!({field: 1}), &format!("\"{field}\" is the program's own"));
    }
    for key in ["group", BATCH_KEY, TRIAL_KEY] {
        refused(&json!({"metadata": {key: "x"}}), &format!("\"metadata\" must leave \"{key}\""));
    }
}

#[test]
fn a_field_of_another_type_is_refused() {
    for (field, value, expected) in [
        ("description", json!(5), "must be a string or null"),
        ("availability_zone", json!(null), "must be a string"),
        ("config_drive", json!("yes"), "must be true or false"),
        ("tags", json!("a"), "must be a list of strings"),
        ("tags", json!(["a", 5]), "must be a list of strings"),
        ("metadata", json!([]), "must be an object"),
        ("metadata", json!({"a": 5}), "\"a\" must be a string"),
        ("metadata", json!({"a": "x".repeat(256)}), "at most 255 characters"),
        ("security_groups", json!(["web"]), "must be a list of objects"),
        ("security_groups", json!([{"id": "web"}]), "each group's \"name\""),
        ("block_device_mapping_v2", json!({}), "must be a list of objects"),
        ("networks", json!("auto"), "neither \"auto\" nor \"none\""),
        ("networks", json!([{"uuid": "Ext-Net"}]), "each network's id"),
        ("networks", json!([{"uuid": ID, "fixed_ip": "10.0.0.4"}]), "only one VM could have it"),
        ("networks", json!([{"port": ID}]), "only one VM could have it"),
        ("os:scheduler_hints", json!([]), "must be an object"),
        ("os:scheduler_hints", json!({"group": "my-group"}), "the id of a server group"),
    ] {
        refused(&json!({field: value}), &format!("\"{field}\""));
        refused(&json!({field: value}), expected);
    }
    let both = json!({"os:scheduler_hints": {}, "OS-SCH-HNT:scheduler_hints": {}});
    refused(&both, "means the same as");
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_no_value_is_shown() {
    let file = json!({"adminPass": ["hunter2"], "tags": "hunter2", "name": "hunter2"});
    let why = read(&file).unwrap_err();
    for field in ["adminPass", "tags", "name"] {
        assert!(why.contains(field), "{field} is not told: {why}");
    }
    assert!(!why.contains("hunter2"), "{why}");
    let why = ServerFile::read("{\"adminPass\": hunter2}", &settings()).unwrap_err();
    assert_eq!(why, "is not JSON: see line 1, column 15");
    for text in ["[]", "5", "null"] {
        assert!(
            ServerFile::read(text, &settings()).unwrap_err().contains("a JSON object"),
            "{text}"
        );
    }
}

#[test]
fn a_field_that_a_setting_gives_is_told_with_the_setting() {
    let mut settings = settings();
    settings.keypair = Some("ops".into());
    settings.cloud_init_file = Some("/etc/cloud-init".into());
    settings.options.security_groups = vec!["web".into()];
    settings.options.availability_zone = Some("nova".into());
    settings.options.boot_volume = Some(BootVolume { size_gib: 10, volume_type: None });
    for (field, setting) in [
        ("key_name", "OPENSTACK_KEYPAIR"),
        ("user_data", "OPENSTACK_CLOUD_INIT_FILE"),
        ("security_groups", "OPENSTACK_SECURITY_GROUPS"),
        ("availability_zone", "OPENSTACK_AVAILABILITY_ZONE"),
        ("block_device_mapping_v2", "OPENSTACK_BOOT_VOLUME_SIZE"),
    ] {
        let why = ServerFile::read(&json!({field: "x"}).to_string(), &settings).unwrap_err();
        assert_eq!(why, format!("\"{field}\" is also set by {setting}: set it in one place"));
    }
}

#[test]
fn a_field_of_another_microversion_is_told() {
    let of = |file: Value, minor| read(&file).unwrap().misfit(minor);
    let hostname =
        "\"hostname\" needs microversion 2.90 or later, and this program uses 2.69 with this cloud";
    assert_eq!(of(json!({"hostname": "a"}), 69).as_deref(), Some(hostname));
    assert_eq!(of(json!({"hostname": "a"}), 90), None);
    assert!(of(json!({"tags": []}), 51).is_some() && of(json!({"tags": []}), 52).is_none());
    assert!(of(json!({"description": "d"}), 1).is_some());
    let personality =
        "\"personality\" ended with microversion 2.56, and this program uses 2.69 with this cloud";
    assert_eq!(of(json!({"personality": []}), 69).as_deref(), Some(personality));
}

#[test]
fn a_volume_to_boot_from_is_known() {
    let boots = |device: Value| {
        read(&json!({"block_device_mapping_v2": [device]})).unwrap().boots_from_volume()
    };
    let volume = |index: Value| json!({"boot_index": index, "destination_type": "volume"});
    assert!(boots(volume(json!(0))) && boots(volume(json!("0"))));
    assert!(!boots(volume(json!(1))) && !boots(volume(json!(null))));
    assert!(!boots(json!({"boot_index": 0, "destination_type": "local"})));
}
