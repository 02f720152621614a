//! Nova: making servers (Compute API, "Create Server" and "Create Multiple Servers").

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Attempts, Method};
use crate::model::ServerId;
use crate::provider::Creation;
use crate::provider::openstack::answer::parse;
use crate::provider::openstack::ingredients::Ingredients;
use crate::provider::openstack::question::{Question, Service};
use crate::provider::openstack::session::Session;
use crate::settings::BootVolume;

/// How much of the user data gives it away in an error's text, in base64 characters.
const USER_DATA_SIGN_CHARS: usize = 16;

#[derive(Deserialize)]
struct OneServer {
    server: OnlyId,
}

#[derive(Deserialize)]
struct OnlyId {
    id: String,
}

/// Asks once for all servers of a creation, and gives the first one's id.
pub fn create(
    session: &mut Session,
    creation: &Creation,
    ingredients: &Ingredients,
) -> Result<ServerId> {
    let body = body(creation, ingredients).to_string();
    let question = Question {
        service: Service::Compute,
        method: Method::Post,
        path: "/servers",
        body: Some(body.as_bytes()),
        attempts: Attempts::One,
    };
    let answer = session.ask(&question).and_then(|response| {
        let answer: OneServer = parse(&response.body, "POST /servers")?;
        Ok(ServerId::new(answer.server.id))
    });
    let user_data = ingredients.user_data.as_deref().or(ingredients.file.text("user_data"));
    answer.map_err(|error| clear_up(error, user_data, ingredients.file.admin_pass()))
}

/// What is asked for: the file's fields first, so that none of them can take the place of the program's own.
fn body(creation: &Creation, ingredients: &Ingredients) -> Value {
    let mut server = ingredients.file.server.clone();
    let mut metadata =
        server.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    metadata.extend(creation.metadata.iter().map(|(key, value)| (key.clone(), json!(value))));
    let mut put = |field: &str, value: Value| server.insert(field.to_owned(), value);
    put("name", json!(creation.name));
    put("flavorRef", json!(ingredients.flavor));
    put("networks", ingredients.networks.clone());
    put("metadata", Value::Object(metadata));
    // 1: where a quota leaves room for some of them, some are made.
    put("min_count", json!(1));
    put("max_count", json!(creation.count));
    if let Some(keypair) = &ingredients.keypair {
        put("key_name", json!(keypair));
    }
    if let Some(user_data) = &ingredients.user_data {
        put("user_data", json!(user_data));
    }
    if !ingredients.security_groups.is_empty() {
        let groups = ingredients.security_groups.iter().map(|id| json!({ "name": id }));
        put("security_groups", groups.collect());
    }
    if let Some(zone) = &ingredients.availability_zone {
        put("availability_zone", json!(zone));
    }
    match &ingredients.boot_volume {
        Some(volume) => {
            put("block_device_mapping_v2", json!([boot_device(volume, &ingredients.image)]));
        }
        // Who boots from a volume names no image, or the image of the volume and this one are at odds.
        None if ingredients.file.boots_from_volume() => {}
        None => {
            put("imageRef", json!(ingredients.image));
        }
    }
    let mut body = Map::from_iter([("server".to_owned(), Value::Object(server))]);
    if let Some((name, hints)) = &ingredients.file.hints {
        body.insert((*name).to_owned(), Value::Object(hints.clone()));
    }
    Value::Object(body)
}

/// A volume made of the image, to boot from (Compute API, "Create Server", `block_device_mapping_v2`).
fn boot_device(volume: &BootVolume, image: &str) -> Value {
    let mut device = json!({
        "boot_index": 0,
        "uuid": image,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": volume.size_gib,
        "delete_on_termination": true,
    });
    if let (Some(volume_type), Some(fields)) = (&volume.volume_type, device.as_object_mut()) {
        fields.insert("volume_type".to_owned(), json!(volume_type));
    }
    device
}

/// A 2xx that cannot be read leaves open what was made; and Nova likes to repeat a value that it refuses.
fn clear_up(error: Error, user_data: Option<&str>, admin_pass: Option<&str>) -> Error {
    let kind = match error.kind {
        ErrorKind::Invalid | ErrorKind::TooLarge => ErrorKind::Unclear,
        kind => kind,
    };
    let sign = user_data.map(|data| data.get(..USER_DATA_SIGN_CHARS).unwrap_or(data));
    let sign = sign.filter(|sign| !sign.is_empty());
    // However a password is spelt in there.
    let value = admin_pass.map(|_| "Value: ");
    let reason = admin_pass.and_then(|_| reason_of_a_field(&error.text));
    let repeated = [sign, value, admin_pass].into_iter().flatten().filter(|sign| !sign.is_empty());
    match repeated.filter_map(|sign| error.text.find(sign)).chain(reason).min() {
        Some(at) => {
            let kept = error.text.get(..at).unwrap_or_default();
            let what = match (sign, admin_pass) {
                (_, Some(_)) => "what was asked for",
                _ => "the user data",
            };
            Error::new(kind, format!("{kept}({what}, not shown)"))
        }
        None => Error { kind, ..error },
    }
}

/// Where the reason begins for which Nova refuses a field; it may recite the field's value.
fn reason_of_a_field(text: &str) -> Option<usize> {
    const FIELD: &str = "field/attribute ";
    const BEFORE_REASON: &str = ": ";
    let name = text.find(FIELD)? + FIELD.len();
    Some(name + text.get(name..)?.find(BEFORE_REASON)? + BEFORE_REASON.len())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::server_file::ServerFile;

    fn creation() -> Creation {
        let metadata = [("group", "scaler"), ("simplescalevm-batch", "b1")];
        Creation {
            name: "web".into(),
            count: 3,
            metadata: metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        }
    }

    fn ingredients(file: Value) -> Ingredients {
        let Value::Object(server) = file else { panic!("no object: {file}") };
        Ingredients {
            flavor: "f1".into(),
            image: "i1".into(),
            networks: json!([{"uuid": "n1"}]),
            network_name: "Ext-Net".into(),
            keypair: None,
            user_data: None,
            security_groups: Vec::new(),
            availability_zone: None,
            boot_volume: None,
            file: ServerFile { server, hints: None },
        }
    }

    #[test]
    fn without_options_only_what_is_needed_is_asked_for() {
        let expected = json!({"server": {"name": "web", "flavorRef": "f1", "imageRef": "i1",
            "networks": [{"uuid": "n1"}], "metadata": {"group": "scaler", "simplescalevm-batch": "b1"},
            "min_count": 1, "max_count": 3}});
        assert_eq!(body(&creation(), &ingredients(json!({}))), expected);
    }

    #[test]
    fn what_a_file_says_is_never_in_the_place_of_the_programs_own() {
        let file = json!({"name": "x", "max_count": 99, "description": "a recorder",
            "metadata": {"group": "x", "role": "recorder"}});
        let asked = body(&creation(), &ingredients(file));
        let server = &asked["server"];
        assert_eq!((&server["name"], &server["max_count"]), (&json!("web"), &json!(3)));
        let metadata = json!({"group": "scaler", "simplescalevm-batch": "b1", "role": "recorder"});
        assert_eq!(server["metadata"], metadata);
        assert_eq!(server["description"], "a recorder");
    }

    /// As the API reference has it: "Create Server", `block_device_mapping_v2`; `imageRef` is left out.
    #[test]
    fn a_boot_volume_takes_the_place_of_the_image() {
        let volume_type = Some("fast".to_owned());
        let boot_volume = Some(BootVolume { size_gib: 40, volume_type });
        let asked = body(&creation(), &Ingredients { boot_volume, ..ingredients(json!({})) });
        let expected = json!([{"boot_index": 0, "uuid": "i1", "source_type": "image",
            "destination_type": "volume", "volume_size": 40, "volume_type": "fast",
            "delete_on_termination": true}]);
        assert_eq!(asked["server"]["block_device_mapping_v2"], expected);
        assert!(asked["server"].get("imageRef").is_none(), "{asked}");
        let boot_volume = Some(BootVolume { size_gib: 40, volume_type: None });
        let asked = body(&creation(), &Ingredients { boot_volume, ..ingredients(json!({})) });
        let device = &asked["server"]["block_device_mapping_v2"][0];
        assert!(device.get("volume_type").is_none(), "Cinder's default: {asked}");
    }

    #[test]
    fn a_file_that_boots_from_a_volume_of_its_own_names_no_image() {
        let device = |index: u64| {
            json!({"block_device_mapping_v2": [{"boot_index": index, "uuid": "v1",
                "source_type": "snapshot", "destination_type": "volume"}]})
        };
        let asked = body(&creation(), &ingredients(device(0)));
        assert!(asked["server"].get("imageRef").is_none(), "{asked}");
        let asked = body(&creation(), &ingredients(device(1)));
        assert_eq!(asked["server"]["imageRef"], "i1", "a second disk is no boot disk");
    }

    #[test]
    fn user_data_that_nova_repeats_is_cut_out_of_the_error() {
        let data = STANDARD.encode("#cloud-config\npassword: hunter2\n");
        let said =
            format!("status 400: Invalid input for field/attribute user_data. Value: {data}.");
        let error = clear_up(Error::new(ErrorKind::Refused(400), said), Some(&data), None);
        let text = "status 400: Invalid input for field/attribute user_data. Value: (the user data, not shown)";
        assert_eq!(error.text, text);
    }

    #[test]
    fn a_password_that_nova_repeats_is_cut_out_of_the_error() {
        for said in [
            "status 400: Invalid input for field/attribute server. Value: {'adminPass': 'hunt\\\\er2', 'x': 1}. Oh.",
            "status 400: Invalid input for field/attribute server. hunt\\er2 is too short",
        ] {
            let error = Error::new(ErrorKind::Refused(400), said);
            let error = clear_up(error, None, Some("hunt\\er2"));
            let text = "status 400: Invalid input for field/attribute server. (what was asked for, not shown)";
            assert_eq!(error.text, text);
        }
        let said =
            "status 400: Invalid input for field/attribute server: 'hunt\\\\er2' is too short";
        let error = clear_up(Error::new(ErrorKind::Refused(400), said), None, Some("hunt\\er2"));
        let text =
            "status 400: Invalid input for field/attribute server: (what was asked for, not shown)";
        assert_eq!(error.text, text);
    }

    #[test]
    fn a_creation_whose_answer_cannot_be_read_is_unclear() {
        let error = clear_up(Error::new(ErrorKind::Invalid, "not the expected JSON"), None, None);
        assert_eq!(error.kind, ErrorKind::Unclear);
    }
}
