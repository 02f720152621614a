//! A server as Nova describes it, by microversion.

use serde_json::{Map, Value, json};

use super::Service;
use super::state::{Server, State};

/// The server's record in the list, or (`alone`) in `GET` of the one server.
pub fn detail(state: &State, server: &Server, minor: u32, alone: bool) -> Value {
    let created = humantime::format_rfc3339_seconds(server.created).to_string();
    let updated = humantime::format_rfc3339_seconds(server.updated).to_string();
    let project = &state.identity.project.id;
    let links = links(state, "/v2.1", &format!("servers/{}", server.id));
    if server.cell_down {
        return json!({"id": server.id, "status": "UNKNOWN", "tenant_id": project,
            "created": created, "links": links});
    }
    let launched = server.launched.map(|time| {
        humantime::format_rfc3339_micros(time).to_string().trim_end_matches('Z').to_owned()
    });
    let mut record = json!({
        "id": server.id, "name": server.name, "status": status(server),
        "tenant_id": project, "user_id": state.identity.user.id, "metadata": server.metadata,
        "hostId": "", "image": image(state, server),
        "flavor": flavor(state, server, minor), "created": created, "updated": updated,
        "addresses": addresses(state, server), "accessIPv4": "", "accessIPv6": "", "links": links,
        "OS-DCF:diskConfig": "MANUAL", "OS-EXT-AZ:availability_zone": server.zone,
        "config_drive": if server.config_drive { "True" } else { "" }, "key_name": server.key_name,
        "OS-SRV-USG:launched_at": launched, "OS-SRV-USG:terminated_at": null,
        "OS-EXT-STS:task_state": server.task_state, "OS-EXT-STS:vm_state": server.vm_state,
        "OS-EXT-STS:power_state": i32::from(server.vm_state == "active"),
        "os-extended-volumes:volumes_attached": [],
    });
    if ["active", "building"].contains(&server.vm_state.as_str()) {
        record["progress"] = 0.into();
    }
    // They are those of its ports.
    if server.vm_state != "building" && state.ports.iter().any(|port| port.device_id == server.id) {
        let groups = server.security_groups.iter().map(|name| json!({ "name": name }));
        record["security_groups"] = groups.collect();
    }
    if minor >= 9 {
        record["locked"] = server.locked.into();
    }
    if minor >= 19 {
        record["description"] = json!(server.description);
    }
    if minor >= 26 {
        record["tags"] = json!(server.tags);
    }
    if minor >= 63 {
        record["trusted_image_certificates"] = Value::Null;
    }
    if let Some(message) = server.fault.as_ref().filter(|_| alone) {
        record["fault"] = json!({"code": 500, "created": created, "message": message});
    }
    record
}

/// A server that boots from a volume has none.
fn image(state: &State, server: &Server) -> Value {
    if server.image.is_empty() {
        return "".into();
    }
    json!({"id": server.image, "links": [bookmark(state, &format!("images/{}", server.image))]})
}

/// The links of something: to itself at this version, and to it at none.
pub fn links(state: &State, version: &str, what: &str) -> Value {
    let href = format!("http://{}{version}/{what}", state.addresses[&Service::Compute]);
    json!([{"rel": "self", "href": href}, bookmark(state, what)])
}

fn bookmark(state: &State, what: &str) -> Value {
    let href = format!("http://{}/{what}", state.addresses[&Service::Compute]);
    json!({"rel": "bookmark", "href": href})
}

impl State {
    /// The server's record as an administrator gets it: with the user data, among others.
    pub fn as_administrator(&mut self, id: &str) -> Value {
        let server = self.server(id).clone();
        let mut record = detail(self, &server, 69, true);
        record["OS-EXT-SRV-ATTR:user_data"] = server.user_data.into();
        record
    }
}

/// Nova's `status`, the word derived from `vm_state` and `task_state`.
fn status(server: &Server) -> String {
    let word = match (server.vm_state.as_str(), server.task_state.as_deref()) {
        ("active", Some("rebooting" | "reboot_pending" | "reboot_started")) => "REBOOT",
        ("active", Some("resize_prep" | "resize_migrating" | "resize_finish")) => "RESIZE",
        ("active" | "error", Some("rebuilding")) => "REBUILD",
        ("building", _) => "BUILD",
        ("stopped", _) => "SHUTOFF",
        ("resized", _) => "VERIFY_RESIZE",
        ("rescued", _) => "RESCUE",
        ("soft-delete", _) => "SOFT_DELETED",
        (other, _) => return other.to_uppercase(),
    };
    word.to_owned()
}

fn flavor(state: &State, server: &Server, minor: u32) -> Value {
    if minor >= 47 {
        return json!({"vcpus": 4, "ram": 8000, "disk": 50, "ephemeral": 0, "swap": 0,
            "original_name": server.flavor, "extra_specs": {}});
    }
    let found = state.flavors.iter().find(|flavor| flavor.name == server.flavor);
    json!({"id": found.map(|flavor| &flavor.id), "links": []})
}

/// Empty while it is building, even when the port exists; by the network's name in Nova; floating addresses beside
/// the fixed ones.
fn addresses(state: &State, server: &Server) -> Value {
    let mut networks: Map<String, Value> = Map::new();
    if server.vm_state == "building" {
        return Value::Object(networks);
    }
    for port in state.ports.iter().filter(|port| port.device_id == server.id) {
        let network = state.networks.iter().find(|network| network.id == port.network_id);
        let name = network.map_or("unknown", |network| network.name_in_nova.as_str());
        let fixed = port.fixed.iter().map(|address| (address, "fixed"));
        let bound = state.floating_ips.iter().filter(|ip| ip.port_id.as_ref() == Some(&port.id));
        let shown = fixed.chain(bound.map(|ip| (&ip.address, "floating")));
        let entry = networks.entry(name.to_owned()).or_insert_with(|| json!([]));
        let Some(list) = entry.as_array_mut() else { continue };
        list.extend(shown.map(|(address, kind)| {
            json!({"version": if address.is_ipv4() { 4 } else { 6 }, "addr": address,
                "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:d8:b4:1b"})
        }));
    }
    Value::Object(networks)
}
