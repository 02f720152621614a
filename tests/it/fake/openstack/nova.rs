//! Nova v2.1: the version document, servers, flavors, key pairs (Compute API).

use serde_json::{Value, json};

use super::page::{self, Page};
use super::state::{Build, Named, Server, State};
use super::{Service, keystone, nova_create, nova_record};
use crate::fake::http::{Request, Response};

/// A request to Nova, understood.
pub struct Call<'a> {
    pub request: &'a Request,
    /// What follows `/v2.1` and the project.
    pub path: String,
    /// The microversion it is answered at: `2.N`.
    pub minor: u32,
}

/// Answers one request to the compute service.
pub fn answer(state: &mut State, request: &Request) -> Response {
    let number = state.new_id();
    let response = version_and_route(state, request);
    let response = response.with("X-Openstack-Request-Id", &format!("req-{number}"));
    match state.controller_time() {
        Some(time) => response.with("Date", &httpdate::fmt_http_date(time)),
        None => response,
    }
}

/// One of Nova's errors: `{"itemNotFound": {"code": 404, "message": …}}`.
pub fn refused(status: u16, kind: &str, message: &str) -> Response {
    Response::json(status, &json!({kind: {"code": status, "message": message}}))
}

fn version_and_route(state: &mut State, request: &Request) -> Response {
    let path = request.path().trim_end_matches('/').to_owned();
    if path.is_empty() {
        return Response::json(200, &json!({"versions": [version(state)]}));
    }
    let Some(path) = path.strip_prefix("/v2.1") else { return no_such_path() };
    let project = format!("/{}", state.identity.project.id);
    let path = path.strip_prefix(&project).unwrap_or(path).to_owned();
    if path.is_empty() {
        return Response::json(200, &json!({"version": version(state)}));
    }
    if !keystone::is_authorized(state, request) {
        return keystone::unauthorized();
    }
    match microversion(state, request) {
        Ok(minor) => {
            let response = route(state, &Call { request, path, minor });
            response.with("Openstack-Api-Version", &format!("compute 2.{minor}"))
        }
        Err(response) => *response,
    }
}

fn route(state: &mut State, call: &Call<'_>) -> Response {
    let mut parts = call.path.split('/').skip(1);
    let (collection, id) = (parts.next().unwrap_or_default(), parts.next());
    match (call.request.method.as_str(), collection, id) {
        ("GET", "servers", None) => list(state, call, brief),
        ("GET", "servers", Some("detail")) => {
            if call.request.query_value("marker").is_none() {
                go_on(state);
            }
            list(state, call, |state, server, minor| {
                nova_record::detail(state, server, minor, false)
            })
        }
        ("POST", "servers", None) => nova_create::create(state, call),
        ("GET", "servers", Some(id)) => match find(state, id) {
            Some(server) => {
                let server = nova_record::detail(state, server, call.minor, true);
                Response::json(200, &json!({"server": server}))
            }
            None => no_such_server(id),
        },
        ("DELETE", "servers", Some(id)) => delete(state, id),
        ("GET", "flavors", None) => {
            let flavors = state.flavors.iter().map(|flavor| short_flavor(state, flavor));
            paged(state, call, "flavors", flavors.collect())
        }
        ("GET", "flavors", Some("detail")) => {
            let flavors = state.flavors.iter().map(|flavor| flavor_record(state, flavor));
            paged(state, call, "flavors", flavors.collect())
        }
        ("GET", "flavors", Some(id)) => match state.flavors.iter().find(|flavor| flavor.id == id) {
            Some(flavor) => Response::json(200, &json!({"flavor": flavor_record(state, flavor)})),
            None => refused(404, "itemNotFound", &format!("Flavor {id} could not be found.")),
        },
        ("GET", "limits", None) => Response::json(200, &limits(state)),
        ("GET", "os-availability-zone", None) => {
            let zone = |name: &String| json!({"zoneName": name, "zoneState": {"available": true}, "hosts": null});
            let zones: Vec<Value> = state.zones.iter().map(zone).collect();
            Response::json(200, &json!({"availabilityZoneInfo": zones}))
        }
        ("GET", "os-server-groups", Some(id)) => server_group(state, id),
        ("GET", "os-keypairs", Some(name)) => key_pair(state, name),
        _ => no_such_path(),
    }
}

fn version(state: &State) -> Value {
    let address = state.addresses[&Service::Compute];
    let max = state.microversion_max.map_or(String::new(), |minor| format!("2.{minor}"));
    let min = if max.is_empty() { "" } else { "2.1" };
    json!({"id": "v2.1", "status": "CURRENT", "version": max, "min_version": min,
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": format!("http://{address}/v2.1/")},
            {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"}],
        "media-types": [{"base": "application/json",
            "type": "application/vnd.openstack.compute+json;version=2.1"}]})
}

fn microversion(state: &State, request: &Request) -> Result<u32, Box<Response>> {
    let asked = request.header("openstack-api-version").and_then(|v| v.strip_prefix("compute "));
    let asked = asked.or_else(|| request.header("x-openstack-nova-api-version"));
    let (Some(asked), Some(max)) = (asked, state.microversion_max) else { return Ok(1) };
    let minor = asked.trim().strip_prefix("2.").and_then(|minor| minor.parse().ok());
    match minor {
        Some(minor) if (1..=max).contains(&minor) => Ok(minor),
        _ => {
            let text = "is not supported by the API. Minimum is 2.1 and maximum is";
            let message = format!("Version {asked} {text} 2.{max}.");
            Err(Box::new(refused(406, "computeFault", &message)))
        }
    }
}

fn list(state: &State, call: &Call<'_>, record: fn(&State, &Server, u32) -> Value) -> Response {
    let first_page = call.request.query_value("marker").is_none();
    // What a down cell holds is shown only from 2.69 on, and only when no page was asked for.
    let tells = call.minor >= 69 && first_page && call.request.query_value("limit").is_none();
    let mut servers: Vec<&Server> =
        state.servers.iter().filter(|server| tells || !server.cell_down).collect();
    servers.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
    if state.short_while_scheduling {
        let scheduling = |server: &&&Server| server.task_state.as_deref() == Some("scheduling");
        let together = servers.len() + servers.iter().filter(scheduling).count();
        servers
            .truncate(servers.len() - together.saturating_sub(state.page_max).min(servers.len()));
    }
    let records = servers.iter().map(|server| record(state, server, call.minor));
    paged(state, call, "servers", records.collect())
}

/// A server in the list without details.
fn brief(state: &State, server: &Server, _minor: u32) -> Value {
    let links = nova_record::links(state, "/v2.1", &format!("servers/{}", server.id));
    if server.cell_down {
        return json!({"id": server.id, "status": "UNKNOWN", "links": links});
    }
    json!({"id": server.id, "name": server.name, "links": links})
}

/// One list later: builds and deletions are a step further.
fn go_on(state: &mut State) {
    let now = state.now();
    let gone: Vec<String> = state
        .servers
        .iter()
        .filter(|server| server.lists_left == Some(0))
        .map(|server| server.id.clone())
        .collect();
    for id in gone {
        state.remove_server(&id);
    }
    let failing = state.servers.iter().filter(|server| server.build == Some(Build::Fails(0)));
    let failing: Vec<String> = failing.map(|server| server.id.clone()).collect();
    // A build that fails leaves no port behind.
    state.ports.retain(|port| !failing.contains(&port.device_id));
    for server in &mut state.servers {
        if matches!(server.build, Some(Build::Active(0) | Build::Fails(0))) {
            server.updated = now;
        }
        server.lists_left = server.lists_left.map(|left| left.saturating_sub(1));
        match server.build {
            None => {}
            Some(Build::Active(0)) => {
                server.vm_state = "active".into();
                (server.task_state, server.launched, server.build) = (None, Some(now), None);
            }
            Some(Build::Fails(0)) => {
                server.vm_state = "error".into();
                (server.task_state, server.build) = (None, None);
                server.fault = Some("No valid host was found. ".into());
            }
            Some(Build::Active(left)) => server.build = Some(Build::Active(left - 1)),
            Some(Build::Fails(left)) => server.build = Some(Build::Fails(left - 1)),
        }
    }
}

fn paged(state: &State, call: &Call<'_>, collection: &str, items: Vec<Value>) -> Response {
    let limit = call.request.query_value("limit").and_then(|limit| limit.parse().ok());
    let limit = limit.unwrap_or(state.page_max).min(state.page_max);
    let base = format!("http://{}", state.addresses[&Service::Compute]);
    match page::cut(call.request, &base, items, limit) {
        Page::NoMarker(marker) => {
            refused(400, "badRequest", &format!("marker [{marker}] not found"))
        }
        Page::Cut { items, next } => {
            let mut body = json!({collection: items});
            if let Some(next) = next {
                body[format!("{collection}_links")] = json!([{"rel": "next", "href": next}]);
            }
            Response::json(200, &body)
        }
    }
}

fn find<'a>(state: &'a State, id: &str) -> Option<&'a Server> {
    state.servers.iter().find(|server| server.id == id)
}

fn delete(state: &mut State, id: &str) -> Response {
    let (lists, now) = (state.deleting_lists, state.now());
    let Some(server) = state.servers.iter_mut().find(|server| server.id == id) else {
        return no_such_server(id);
    };
    if server.locked {
        let message = format!("Instance {id} is locked");
        return refused(409, "conflictingRequest", &message);
    }
    server.task_state = Some("deleting".into());
    (server.build, server.updated) = (None, now);
    server.lists_left = server.lists_left.or(Some(lists));
    Response::empty(204)
}

fn flavor_record(state: &State, flavor: &Named) -> Value {
    let mut record = short_flavor(state, flavor);
    let rest = json!({"ram": 8000, "disk": state.flavor_disk, "swap": "", "vcpus": 4, "rxtx_factor": 1.0,
        "OS-FLV-EXT-DATA:ephemeral": 0, "OS-FLV-DISABLED:disabled": false,
        "os-flavor-access:is_public": true, "extra_specs": {}});
    record.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    record
}

/// A flavor in the list without details.
fn short_flavor(state: &State, flavor: &Named) -> Value {
    let links = nova_record::links(state, "/v2.1", &format!("flavors/{}", flavor.id));
    json!({"id": flavor.id, "name": flavor.name, "description": null, "links": links})
}

/// All servers are of one size; only how many there may be is limited.
fn limits(state: &State) -> Value {
    let used = state.servers.len();
    json!({"limits": {"rate": [], "absolute": {
        "maxTotalInstances": state.instances_max, "totalInstancesUsed": used,
        "maxTotalCores": -1, "totalCoresUsed": used * 4,
        "maxTotalRAMSize": -1, "totalRAMUsed": used * 8000,
        "maxServerMeta": 128, "maxTotalKeypairs": 100, "maxServerGroups": 10,
        "maxServerGroupMembers": 10, "totalServerGroupsUsed": state.server_groups.len()}}})
}

fn server_group(state: &State, id: &str) -> Response {
    let Some(group) = state.server_groups.iter().find(|group| group.id == id) else {
        let message = format!("Instance group {id} could not be found.");
        return refused(404, "itemNotFound", &message);
    };
    let group = json!({"id": group.id, "name": group.name, "policy": "soft-anti-affinity",
        "rules": {}, "members": group.members, "project_id": state.identity.project.id,
        "user_id": state.identity.user.id});
    Response::json(200, &json!({"server_group": group}))
}

fn key_pair(state: &State, name: &str) -> Response {
    let user = &state.identity.user.id;
    if state.keypairs.iter().any(|keypair| keypair == name) {
        let fingerprint = "cb:38:46:ff:c7:41:45:0d:fc:2c:de:91:54:9d:06:dd";
        let keypair = json!({"name": name, "fingerprint": fingerprint, "user_id": user, "id": 1,
            "type": "ssh", "public_key": "ssh-rsa AAAA", "created_at": "2026-11-24T20:44:10.000000",
            "updated_at": null, "deleted": false, "deleted_at": null});
        return Response::json(200, &json!({"keypair": keypair}));
    }
    refused(404, "itemNotFound", &format!("Keypair {name} not found for user {user}"))
}

fn no_such_server(id: &str) -> Response {
    refused(404, "itemNotFound", &format!("Instance {id} could not be found."))
}

fn no_such_path() -> Response {
    let body = "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n</html>\n";
    Response::html(404, body)
}
