//! `POST /servers` (Compute API, "Create Server" and "Create Multiple Servers").

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::Service;
use super::nova::{Call, refused};
use super::nova_record::links;
use super::state::{Build, Fixed, SecurityGroup, Server, State};
use crate::fake::http::Response;

/// What a server may be asked to have, and the microversion `2.N` from which on.
const KNOWN: [(&str, u32); 15] = [
    ("name", 1),
    ("imageRef", 1),
    ("flavorRef", 1),
    ("networks", 1),
    ("key_name", 1),
    ("user_data", 1),
    ("metadata", 1),
    ("min_count", 1),
    ("max_count", 1),
    ("security_groups", 1),
    ("availability_zone", 1),
    ("config_drive", 1),
    ("tags", 52),
    ("description", 19),
    ("block_device_mapping_v2", 1),
];

/// The new server's own password, which nobody asked for.
pub const ADMIN_PASS: &str = "2Rzjh6XG26VZ";

/// What a body asks for, checked.
struct Wanted {
    name: String,
    image: String,
    flavor: String,
    network: String,
    key_name: Option<String>,
    user_data: Option<String>,
    security_groups: Vec<String>,
    zone: Option<String>,
    description: Option<String>,
    tags: Vec<String>,
    config_drive: bool,
    group: Option<String>,
    has_volume: bool,
    metadata: BTreeMap<String, String>,
    count_min: usize,
    count_max: usize,
}

/// Creates what the quota allows, in one go, or nothing; the answer names only the first.
pub fn create(state: &mut State, call: &Call<'_>) -> Response {
    let body = call.request.json();
    let wanted = match check(state, &body, call.minor) {
        Ok(wanted) => wanted,
        Err(message) => return refused(400, "badRequest", &message),
    };
    let (used, max) = (state.servers.len(), state.instances_max);
    let left = max.saturating_sub(used);
    if left < wanted.count_min {
        let requested = match (wanted.count_min, wanted.count_max) {
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least}-{most}"),
        };
        let message = format!(
            "Quota exceeded for instances: Requested {requested}, but already used {used} of {max} instances"
        );
        return refused(403, "forbidden", &message);
    }
    let count = wanted.count_max.min(left);
    let ids: Vec<String> = (1..=count).map(|number| add(state, &wanted, number)).collect();
    let href = format!("http://{}/v2.1/servers/{}", state.addresses[&Service::Compute], ids[0]);
    let links = links(state, "/v2.1", &format!("servers/{}", ids[0]));
    let groups = match &body["server"]["security_groups"] {
        Value::Null => json!([{"name": "default"}]),
        groups => groups.clone(),
    };
    let server = json!({"id": ids[0], "links": links,
        "OS-DCF:diskConfig": "MANUAL", "security_groups": groups,
        "adminPass": ADMIN_PASS});
    Response::json(202, &json!({"server": server})).with("Location", &href)
}

fn check(state: &State, body: &Value, minor: u32) -> Result<Wanted, String> {
    let server = &body["server"];
    let text = |key: &str| server[key].as_str().map(str::to_owned);
    let fields = server.as_object().ok_or("Invalid input: server")?;
    if let Some(unknown) = fields.keys().find(|key| !is_known(key, minor)) {
        return Err(format!(
            "Invalid input for field/attribute server. Value: {server}. Additional properties are not allowed ('{unknown}' was \
             unexpected)"
        ));
    }
    let flavor = text("flavorRef").ok_or("'flavorRef' is a required property")?;
    let flavor = state
        .flavors
        .iter()
        .find(|one| one.id == flavor || one.name == flavor)
        .ok_or(format!("Flavor {flavor} could not be found."))?;
    let has_volume = server["block_device_mapping_v2"].is_array();
    let image = text("imageRef").unwrap_or_default();
    if !has_volume && !state.images.iter().any(|one| one.id == image) {
        return Err("Can not find requested image".into());
    }
    let network = server["networks"][0]["uuid"].as_str().unwrap_or_default().to_owned();
    if !state.networks.iter().any(|one| one.id == network) {
        return Err(format!("Network {network} could not be found."));
    }
    let key_name = text("key_name");
    if key_name.as_ref().is_some_and(|name| !state.keypairs.contains(name)) {
        return Err("Invalid key_name provided.".into());
    }
    let user_data = text("user_data");
    if user_data.as_ref().is_some_and(|data| decoded(data).is_none()) {
        return Err("Invalid input for field/attribute user_data. '...' is not a 'base64'".into());
    }
    let security_groups = security_groups(state, &server["security_groups"])?;
    let zone = text("availability_zone");
    if zone.as_ref().is_some_and(|zone| !state.zones.contains(zone)) {
        return Err("The requested availability zone is not available".into());
    }
    let group = body["os:scheduler_hints"]["group"].as_str().map(str::to_owned);
    if let Some(id) = group.as_ref().filter(|id| !state.server_groups.iter().any(|g| g.id == **id))
    {
        return Err(format!("Instance group {id} could not be found."));
    }
    let tags = server["tags"].as_array().into_iter().flatten();
    let tags = tags.filter_map(Value::as_str).map(str::to_owned).collect();
    let count = |key: &str| server[key].as_u64().map(|count| usize::try_from(count).unwrap());
    let count_min = count("min_count").unwrap_or(1);
    let count_max = count("max_count").unwrap_or(count_min);
    if count_min == 0 || count_max < count_min {
        return Err("min_count must be <= max_count".into());
    }
    let name = text("name").ok_or("'name' is a required property")?;
    let metadata =
        if state.drops_metadata { BTreeMap::new() } else { metadata(&server["metadata"])? };
    let flavor = flavor.name.clone();
    Ok(Wanted {
        name,
        image,
        flavor,
        network,
        key_name,
        user_data,
        security_groups,
        zone,
        description: text("description"),
        tags,
        config_drive: server["config_drive"] == true,
        group,
        has_volume,
        metadata,
        count_min,
        count_max,
    })
}

fn is_known(field: &str, minor: u32) -> bool {
    KNOWN.iter().any(|(known, since)| *known == field && *since <= minor)
}

/// The names of the groups that are asked for by name or id.
fn security_groups(state: &State, asked: &Value) -> Result<Vec<String>, String> {
    let Some(asked) = asked.as_array() else { return Ok(vec!["default".into()]) };
    let mut names = Vec::new();
    for group in asked {
        let wanted = group["name"].as_str().unwrap_or_default();
        let fits = |group: &&SecurityGroup| group.id == wanted || group.name == wanted;
        match state.security_groups.iter().filter(fits).collect::<Vec<_>>()[..] {
            [group] => names.push(group.name.clone()),
            [] => return Err(format!("Unable to find security_group with name or id '{wanted}'")),
            _ => return Err(format!("Multiple security_group matches found for name '{wanted}'")),
        }
    }
    Ok(names)
}

/// User data as it was before base64; `None` when it is no base64.
pub fn decoded(data: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(data).ok()
}

fn metadata(given: &Value) -> Result<BTreeMap<String, String>, String> {
    let Some(given) = given.as_object() else { return Ok(BTreeMap::new()) };
    let mut metadata = BTreeMap::new();
    for (key, value) in given {
        let value = value.as_str().filter(|value| value.len() <= 255);
        let value = value.ok_or(format!("Invalid input for field/attribute {key}."))?;
        metadata.insert(key.clone(), value.to_owned());
    }
    Ok(metadata)
}

fn add(state: &mut State, wanted: &Wanted, number: usize) -> String {
    let name = match wanted.count_max {
        1 => wanted.name.clone(),
        _ => format!("{}-{number}", wanted.name),
    };
    let (id, created) = (state.new_id(), state.now());
    let build = match wanted.flavor.as_str() {
        // A flavor that no host has room for.
        "no-host" => Build::Fails(1),
        // There is no Cinder.
        _ if wanted.has_volume => Build::Fails(1),
        _ => state.next_builds.pop_front().unwrap_or(state.build),
    };
    state.servers.push(Server {
        id: id.clone(),
        name,
        vm_state: "building".into(),
        task_state: Some("scheduling".into()),
        locked: false,
        created,
        updated: created,
        launched: None,
        metadata: wanted.metadata.clone(),
        flavor: wanted.flavor.clone(),
        image: wanted.image.clone(),
        key_name: wanted.key_name.clone(),
        security_groups: wanted.security_groups.clone(),
        zone: wanted.zone.clone().unwrap_or_else(|| "nova".into()),
        description: wanted.description.clone(),
        tags: wanted.tags.clone(),
        config_drive: wanted.config_drive,
        user_data: wanted.user_data.clone(),
        fault: None,
        cell_down: false,
        build: Some(build),
        lists_left: None,
    });
    for group in &mut state.server_groups {
        if wanted.group.as_ref() == Some(&group.id) {
            group.members.push(id.clone());
        }
    }
    // A port has an address of each of its network's subnets, in no fixed order.
    state.add_port(&id, &wanted.network, Fixed::Next);
    let host = u16::try_from(state.ports.len()).unwrap();
    let six = IpAddr::from([0xfd73, 0x7376, 0x6d00, 0, 0, 0, 0, host]);
    let fixed = &mut state.port_of(&id).fixed;
    fixed.insert(usize::from(host % 2), six);
    id
}
