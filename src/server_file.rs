//! `OPENSTACK_SERVER_FILE`: fields for the `server` of `POST /servers` that have no setting of their own (Compute API,
//! "Create Server"). Pure: from text to fields that are known to make sense.
//!
//! Faults name the fields, never their values: one of them may be a password.

use serde_json::{Map, Value};

use crate::model::{BATCH_KEY, TRIAL_KEY, is_uuid};
use crate::settings::OpenStackSettings;

/// Four times the largest user data that Nova takes.
pub const BYTES_MAX: u64 = 256 * 1024;

/// Metadata keys and values (Compute API, "Create Server").
const METADATA_CHARACTERS_MAX: usize = 255;

/// The hints stand beside `server`, under one of two names.
const HINTS: [&str; 2] = ["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"];

/// Fields that the program fills in itself, and what to do instead.
const OWN: [(&str, &str); 6] = [
    ("name", "OPENSTACK_NAME sets the start of the VMs' names"),
    ("flavorRef", "OPENSTACK_FLAVOR sets it"),
    ("imageRef", "OPENSTACK_IMAGE sets it"),
    ("min_count", "each creation decides how many VMs to make"),
    ("max_count", "each creation decides how many VMs to make"),
    ("return_reservation_id", "the answer must name the VM that was made"),
];

/// What a known field holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    TextOrNull,
    Boolean,
    Texts,
    Objects,
    Metadata,
    Networks,
    SecurityGroups,
}

/// The fields of the Compute API by name: what each holds, and the microversions `2.N` that have it.
const KNOWN: [(&str, Kind, std::ops::RangeInclusive<u32>); 20] = [
    ("OS-DCF:diskConfig", Kind::Text, 1..=u32::MAX),
    ("accessIPv4", Kind::Text, 1..=u32::MAX),
    ("accessIPv6", Kind::Text, 1..=u32::MAX),
    (ADMIN_PASS, Kind::Text, 1..=u32::MAX),
    ("availability_zone", Kind::Text, 1..=u32::MAX),
    ("block_device_mapping", Kind::Objects, 1..=u32::MAX),
    ("block_device_mapping_v2", Kind::Objects, 1..=u32::MAX),
    ("config_drive", Kind::Boolean, 1..=u32::MAX),
    ("description", Kind::TextOrNull, 19..=u32::MAX),
    ("host", Kind::Text, 74..=u32::MAX),
    ("hostname", Kind::Text, 90..=u32::MAX),
    ("hypervisor_hostname", Kind::Text, 74..=u32::MAX),
    ("key_name", Kind::Text, 1..=u32::MAX),
    ("metadata", Kind::Metadata, 1..=u32::MAX),
    ("networks", Kind::Networks, 1..=u32::MAX),
    ("personality", Kind::Objects, 1..=56),
    ("security_groups", Kind::SecurityGroups, 1..=u32::MAX),
    ("tags", Kind::Texts, 52..=u32::MAX),
    ("trusted_image_certificates", Kind::Texts, 63..=u32::MAX),
    ("user_data", Kind::Text, 1..=u32::MAX),
];

/// The VMs' password, if somebody sets one.
const ADMIN_PASS: &str = "adminPass";

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerFile {
    /// Fields of `server`; none of them is the program's own.
    pub server: Map<String, Value>,
    /// The scheduler hints, under the name that the file gives them.
    pub hints: Option<(&'static str, Map<String, Value>)>,
}

impl ServerFile {
    /// Reads the file's text for a pool with these settings. An error names every field that is wrong.
    pub fn read(text: &str, settings: &OpenStackSettings) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("is not JSON: see line {line}, column {column}")
        })?;
        let Value::Object(mut server) = value else {
            return Err("must be a JSON object of fields of \"server\"".to_owned());
        };
        if server.contains_key("server") {
            return Err(
                "holds \"server\": write its fields without it, beside \"os:scheduler_hints\""
                    .to_owned(),
            );
        }
        let mut faults = Vec::new();
        let hints = take_hints(&mut server, &mut faults);
        for (field, value) in &server {
            faults.extend(fault(field, value, settings).map(|why| format!("{field:?} {why}")));
        }
        match faults.as_slice() {
            [] => Ok(ServerFile { server, hints }),
            faults => Err(faults.join("; ")),
        }
    }

    /// Which field a Nova that speaks `2.minor` does not know, in words.
    pub fn misfit(&self, minor: u32) -> Option<String> {
        let unfit = |(field, _, minors): &&(&str, Kind, std::ops::RangeInclusive<u32>)| {
            self.server.contains_key(*field) && !minors.contains(&minor)
        };
        let (field, _, minors) = KNOWN.iter().find(unfit)?;
        let needs = if minor < *minors.start() {
            format!("needs microversion 2.{} or later", minors.start())
        } else {
            format!("ended with microversion 2.{}", minors.end())
        };
        Some(format!("{field:?} {needs}, and this program uses 2.{minor} with this cloud"))
    }

    /// The security groups, by name or id.
    pub fn security_groups(&self) -> Vec<String> {
        self.texts_of("security_groups", "name")
    }

    /// The networks' ids; `None`: the file leaves them to the program.
    pub fn networks(&self) -> Option<Vec<String>> {
        self.server.contains_key("networks").then(|| self.texts_of("networks", "uuid"))
    }

    /// The server group that a hint names, by id.
    pub fn server_group(&self) -> Option<&str> {
        self.hints.as_ref()?.1.get("group")?.as_str()
    }

    /// A text field.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.server.get(field)?.as_str()
    }

    /// What no error may show.
    pub fn admin_pass(&self) -> Option<&str> {
        self.text(ADMIN_PASS)
    }

    /// Whether it brings block devices of its own.
    pub fn has_block_devices(&self) -> bool {
        ["block_device_mapping", "block_device_mapping_v2"]
            .iter()
            .any(|field| self.server.contains_key(*field))
    }

    /// Whether one of those is a volume to boot from: Nova takes no image beside it.
    pub fn boots_from_volume(&self) -> bool {
        let boots = |device: &Value| {
            let index = &device["boot_index"];
            (index == 0 || index == "0") && device["destination_type"] != "local"
        };
        let devices = self.server.get("block_device_mapping_v2").and_then(Value::as_array);
        devices.is_some_and(|devices| devices.iter().any(boots))
    }

    fn texts_of(&self, field: &str, key: &str) -> Vec<String> {
        let objects = self.server.get(field).and_then(Value::as_array).into_iter().flatten();
        objects.filter_map(|object| object[key].as_str()).map(str::to_owned).collect()
    }
}

fn take_hints(
    server: &mut Map<String, Value>,
    faults: &mut Vec<String>,
) -> Option<(&'static str, Map<String, Value>)> {
    let mut found = None;
    for name in HINTS {
        match server.remove(name) {
            None => {}
            Some(_) if found.is_some() => {
                faults.push(format!("{name:?} means the same as {:?}: give one of them", HINTS[0]));
            }
            Some(Value::Object(hints)) => {
                let group = hints.get("group");
                if group.is_some_and(|group| !group.as_str().is_some_and(is_uuid)) {
                    faults.push(format!("{name:?}: \"group\" must be the id of a server group"));
                }
                found = Some((name, hints));
            }
            Some(_) => faults.push(format!("{name:?} must be an object")),
        }
    }
    found
}

/// What is wrong with a field, if anything. An unknown one is for Nova to judge.
fn fault(field: &str, value: &Value, settings: &OpenStackSettings) -> Option<String> {
    if let Some((_, instead)) = OWN.iter().find(|(own, _)| *own == field) {
        return Some(format!("is the program's own: {instead}"));
    }
    let set = set_elsewhere(settings).into_iter().find(|(taken, _)| *taken == field);
    if let Some((_, setting)) = set {
        return Some(format!("is also set by {setting}: set it in one place"));
    }
    let (_, kind, _) = KNOWN.iter().find(|(known, ..)| *known == field)?;
    let objects = |wrong: &dyn Fn(&Value) -> Option<String>| match value.as_array() {
        Some(all) if all.iter().all(Value::is_object) => all.iter().find_map(wrong),
        _ => Some("must be a list of objects".to_owned()),
    };
    match kind {
        Kind::Text => (!value.is_string()).then(|| "must be a string".to_owned()),
        Kind::TextOrNull => {
            (!value.is_string() && !value.is_null()).then(|| "must be a string or null".to_owned())
        }
        Kind::Boolean => (!value.is_boolean()).then(|| "must be true or false".to_owned()),
        Kind::Texts => {
            let texts = value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
            (!texts).then(|| "must be a list of strings".to_owned())
        }
        Kind::Objects => objects(&|_| None),
        Kind::Metadata => metadata_fault(value, &settings.metadata_key),
        Kind::Networks if value.is_string() => Some(
            "must be a list that holds the pool's network: neither \"auto\" nor \"none\""
                .to_owned(),
        ),
        Kind::Networks => objects(&network_fault),
        Kind::SecurityGroups => objects(&|group| {
            (!group["name"].is_string()).then(|| "must give each group's \"name\"".to_owned())
        }),
    }
}

/// Fields that settings give, with their names.
fn set_elsewhere(settings: &OpenStackSettings) -> Vec<(&'static str, &'static str)> {
    let options = &settings.options;
    let all = [
        ("key_name", "OPENSTACK_KEYPAIR", settings.keypair.is_some()),
        ("user_data", "OPENSTACK_CLOUD_INIT_FILE", settings.cloud_init_file.is_some()),
        ("security_groups", "OPENSTACK_SECURITY_GROUPS", !options.security_groups.is_empty()),
        ("availability_zone", "OPENSTACK_AVAILABILITY_ZONE", options.availability_zone.is_some()),
        ("block_device_mapping", "OPENSTACK_BOOT_VOLUME_SIZE", options.boot_volume.is_some()),
        ("block_device_mapping_v2", "OPENSTACK_BOOT_VOLUME_SIZE", options.boot_volume.is_some()),
    ];
    all.into_iter().filter(|(.., set)| *set).map(|(field, setting, _)| (field, setting)).collect()
}

fn network_fault(network: &Value) -> Option<String> {
    if let Some(single) = ["port", "fixed_ip"].iter().find(|key| network.get(**key).is_some()) {
        return Some(format!("must not give a {single:?}: only one VM could have it"));
    }
    let id = network["uuid"].as_str();
    (!id.is_some_and(is_uuid)).then(|| "must give each network's id as its \"uuid\"".to_owned())
}

fn metadata_fault(value: &Value, mark: &str) -> Option<String> {
    let Some(metadata) = value.as_object() else { return Some("must be an object".to_owned()) };
    let own = |key: &&String| [mark, BATCH_KEY, TRIAL_KEY].contains(&key.as_str());
    if let Some(key) = metadata.keys().find(own) {
        return Some(format!("must leave {key:?} to the program: it marks the pool's VMs"));
    }
    let fits = |text: &str| text.chars().count() <= METADATA_CHARACTERS_MAX;
    let odd = metadata
        .iter()
        .find(|(key, value)| key.is_empty() || !fits(key) || !value.as_str().is_some_and(fits));
    let (key, _) = odd?;
    let key: String = key.chars().take(METADATA_CHARACTERS_MAX).collect();
    Some(format!("{key:?} must be a string of at most {METADATA_CHARACTERS_MAX} characters"))
}

#[cfg(test)]
mod tests;
