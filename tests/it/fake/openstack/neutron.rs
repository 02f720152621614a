//! Neutron v2.0: networks, ports and floating IPs (Networking API v2.0).

use std::net::IpAddr;

use serde_json::{Value, json};

use super::page::{self, Page};
use super::state::{FloatingIp, Network, Port, SecurityGroup, State};
use super::{Service, keystone};
use crate::fake::http::{Request, Response};

const PUBLIC: &str = "3ecc2491-651d-4085-961f-2c7f72143f76";

/// Answers one request to the network service.
pub fn answer(state: &mut State, request: &Request) -> Response {
    let path = request.path().trim_end_matches('/').to_owned();
    if path.is_empty() {
        let version = json!({"id": "v2.0", "status": "CURRENT", "links": []});
        return Response::json(200, &json!({"versions": [version]}));
    }
    if !keystone::is_authorized(state, request) {
        return keystone::unauthorized();
    }
    let Some(path) = path.strip_prefix("/v2.0") else { return not_found() };
    let mut parts = path.split('/').skip(1);
    let (collection, id) = (parts.next().unwrap_or_default(), parts.next());
    match (request.method.as_str(), collection, id) {
        ("GET", "networks", None) => {
            list(state, request, "networks", state.networks.iter().map(network).collect())
        }
        ("GET", "networks", Some(id)) => {
            match state.networks.iter().find(|network| network.id == id) {
                Some(found) => {
                    Response::json(200, &json!({"network": fields(request, network(found))}))
                }
                None => {
                    refused(404, "NetworkNotFound", &format!("Network {id} could not be found."))
                }
            }
        }
        ("GET", "security-groups", None) => {
            let all = state.security_groups.iter().map(security_group).collect();
            list(state, request, "security_groups", all)
        }
        ("GET", "security-groups", Some(id)) => one_security_group(state, request, id),
        ("GET", "ports", None) => {
            list(state, request, "ports", state.ports.iter().map(port).collect())
        }
        ("GET", "ports", Some(id)) => match state.ports.iter().find(|port| port.id == id) {
            Some(found) => Response::json(200, &json!({"port": port(found)})),
            None => refused(404, "PortNotFound", &format!("Port {id} could not be found.")),
        },
        ("GET", "floatingips", None) => {
            let all = state.floating_ips.iter().map(|address| floating(state, address)).collect();
            list(state, request, "floatingips", all)
        }
        ("GET", "floatingips", Some(id)) => {
            match state.floating_ips.iter().find(|address| address.id == id) {
                Some(found) => Response::json(200, &json!({"floatingip": floating(state, found)})),
                None => floating_ip_not_found(id),
            }
        }
        ("PUT", "floatingips", Some(id)) => bind(state, id, &request.json()),
        _ => not_found(),
    }
}

fn list(state: &State, request: &Request, collection: &str, all: Vec<Value>) -> Response {
    let filters: Vec<(String, String)> = request
        .query()
        .into_iter()
        .filter(|(key, _)| !["limit", "marker", "fields", "page_reverse"].contains(&key.as_str()))
        .collect();
    let fits = |one: &Value| {
        state.drops_filters
            || filters.iter().all(|(key, value)| one[key] == value.as_str() || one[key].is_null())
    };
    let all: Vec<Value> = all.into_iter().filter(fits).map(|one| fields(request, one)).collect();
    let limit = request.query_value("limit").and_then(|limit| limit.parse().ok());
    let base = format!("http://{}", state.addresses[&Service::Network]);
    match page::cut(request, &base, all, limit.unwrap_or(usize::MAX)) {
        Page::NoMarker(marker) => refused(400, "BadRequest", &format!("Invalid marker: {marker}")),
        Page::Cut { items, next } => {
            let mut body = json!({collection: items});
            if let Some(next) = next {
                body[format!("{collection}_links")] = json!([{"rel": "next", "href": next}]);
            }
            Response::json(200, &body)
        }
    }
}

/// What the query's `fields` leave of a record; all of it without any.
fn fields(request: &Request, mut record: Value) -> Value {
    let wanted: Vec<String> = request
        .query()
        .into_iter()
        .filter(|(key, _)| key == "fields")
        .map(|(_, name)| name)
        .collect();
    if let Some(record) = record.as_object_mut().filter(|_| !wanted.is_empty()) {
        record.retain(|name, _| wanted.contains(name));
    }
    record
}

fn bind(state: &mut State, id: &str, body: &Value) -> Response {
    let Some(position) = state.floating_ips.iter().position(|address| address.id == id) else {
        return floating_ip_not_found(id);
    };
    let wanted = &body["floatingip"];
    let bound = match wanted["port_id"].as_str() {
        None => None,
        Some(port) => match target(state, id, port, wanted["fixed_ip_address"].as_str()) {
            Ok(fixed) => Some((port.to_owned(), fixed)),
            Err(response) => return *response,
        },
    };
    let address = &mut state.floating_ips[position];
    let was_bound = address.port_id.is_some();
    address.port_id = bound.as_ref().map(|(port, _)| port.clone());
    address.fixed = bound.map(|(_, fixed)| fixed);
    let address = address.clone();
    let mut record = floating(state, &address);
    // The answer tells the status of before.
    record["status"] = status(was_bound).into();
    Response::json(200, &json!({"floatingip": record}))
}

fn status(bound: bool) -> &'static str {
    if bound { "ACTIVE" } else { "DOWN" }
}

/// The fixed address on `port` that the floating IP `id` is to be bound to.
fn target(
    state: &State,
    id: &str,
    port: &str,
    wanted: Option<&str>,
) -> Result<IpAddr, Box<Response>> {
    let bad = |message: String| {
        Box::new(refused(400, "BadRequest", &format!("Bad floatingip request: {message}")))
    };
    let Some(found) = state.ports.iter().find(|one| one.id == port) else {
        let message = format!("Port {port} could not be found.");
        return Err(Box::new(refused(404, "PortNotFound", &message)));
    };
    let four: Vec<IpAddr> = found.fixed.iter().copied().filter(IpAddr::is_ipv4).collect();
    let fixed = match (wanted, four.as_slice()) {
        (Some(wanted), _) => {
            let address: IpAddr =
                wanted.parse().map_err(|_| bad(format!("{wanted} is no address")))?;
            if address.is_ipv6() {
                let why = "since that is not an IPv4 address";
                let what = "Cannot process floating IP association with";
                return Err(bad(format!("{what} {address}, {why}.")));
            }
            if !found.fixed.contains(&address) {
                return Err(bad(format!("Port {port} does not have fixed ip {address}.")));
            }
            address
        }
        (None, []) => {
            let what = "Cannot add floating IP to port";
            return Err(bad(format!("{what} {port} that has no fixed IPv4 addresses.")));
        }
        (None, [only]) => *only,
        (None, _) => {
            let what = "has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address";
            return Err(bad(format!("Port {port} {what} when assigning a floating IP.")));
        }
    };
    if state.no_router {
        let message = format!(
            "External network {PUBLIC} is not reachable from subnet {}.  Therefore, cannot associate Port {port} with \
             a Floating IP.",
            found.network_id
        );
        let kind = "ExternalGatewayForFloatingIPNotFound";
        return Err(Box::new(refused(404, kind, &message)));
    }
    let taken = |other: &&FloatingIp| {
        other.id != id && other.port_id.as_deref() == Some(port) && other.fixed == Some(fixed)
    };
    if state.floating_ips.iter().any(|other| taken(&other)) {
        let own = state.floating_ips.iter().find(|address| address.id == id);
        let ip = own.map(|address| address.address.to_string()).unwrap_or_default();
        let message = format!(
            "Cannot associate floating IP {ip} ({id}) with port {port} using fixed IP {fixed}, as that fixed IP already \
             has a floating IP on external network {PUBLIC}."
        );
        return Err(Box::new(refused(409, "FloatingIPPortAlreadyAssociated", &message)));
    }
    Ok(fixed)
}

fn refused(status: u16, kind: &str, message: &str) -> Response {
    let error = json!({"type": kind, "message": message, "detail": ""});
    Response::json(status, &json!({"NeutronError": error}))
}

fn not_found() -> Response {
    refused(404, "HTTPNotFound", "The resource could not be found.")
}

fn floating_ip_not_found(id: &str) -> Response {
    refused(404, "FloatingIPNotFound", &format!("Floating IP {id} could not be found"))
}

fn network(network: &Network) -> Value {
    json!({"id": network.id, "name": network.name, "admin_state_up": true, "mtu": 1500,
        "status": "ACTIVE", "shared": true, "router:external": false, "description": "", "tags": []})
}

fn one_security_group(state: &State, request: &Request, id: &str) -> Response {
    let Some(found) = state.security_groups.iter().find(|group| group.id == id) else {
        let message = format!("Security group {id} does not exist");
        return refused(404, "SecurityGroupNotFound", &message);
    };
    let group = fields(request, security_group(found));
    Response::json(200, &json!({"security_group": group}))
}

fn security_group(group: &SecurityGroup) -> Value {
    json!({"id": group.id, "name": group.name, "project_id": group.project_id,
        "tenant_id": group.project_id, "description": "", "stateful": true, "shared": false,
        "security_group_rules": [], "tags": []})
}

fn port(port: &Port) -> Value {
    let fixed: Vec<Value> = port
        .fixed
        .iter()
        .map(|address| json!({"subnet_id": "af9b1585-13c6-4f71-ae65-5ed6844deb54", "ip_address": address}))
        .collect();
    let owner = if port.device_id.is_empty() { "" } else { "compute:nova" };
    json!({"id": port.id, "name": "", "network_id": port.network_id, "status": "ACTIVE",
        "mac_address": "fa:16:3e:1f:e7:5c", "admin_state_up": true, "device_id": port.device_id,
        "device_owner": owner, "fixed_ips": fixed, "description": "", "tags": []})
}

fn floating(state: &State, address: &FloatingIp) -> Value {
    let bound = state.ports.iter().find(|port| Some(&port.id) == address.port_id.as_ref());
    let details = bound.map(|bound| {
        let owner = if bound.device_id.is_empty() { "" } else { "compute:nova" };
        json!({"name": "", "network_id": bound.network_id, "mac_address": "fa:16:3e:1f:e7:5c",
            "admin_state_up": true, "status": "ACTIVE", "device_id": bound.device_id,
            "device_owner": owner})
    });
    let mut record = json!({
        "id": address.id, "floating_ip_address": address.address, "floating_network_id": PUBLIC,
        "router_id": bound.map(|_| "c42c57eb-ca84-4576-b217-2b77e7c34372"),
        "port_id": address.port_id, "fixed_ip_address": address.fixed,
        "status": status(bound.is_some()),
        "description": address.description, "port_details": details, "tags": [],
        "project_id": state.identity.project.id, "tenant_id": state.identity.project.id,
        "revision_number": 1, "created_at": "2026-11-24T21:12:56Z", "updated_at": "2026-11-24T21:13:14Z",
    });
    // Only a Neutron that can forward ports shows this.
    if address.forwards {
        record["port_forwardings"] = json!([{"protocol": "tcp", "internal_ip_address": "10.0.0.4",
            "internal_port": 22, "external_port": 2222}]);
    }
    record
}
