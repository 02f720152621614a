//! Keystone v3: tokens and the catalog (Identity API v3, "Password authentication with scoped authorization").

use std::time::SystemTime;

use serde_json::{Value, json};

use super::Service;
use super::state::{Named, State, Token};
use crate::fake::http::{Request, Response};

const UNAUTHORIZED: &str = "The request you have made requires authentication.";

/// How every token begins.
pub const TOKENS_BEGIN: &str = "gAAAAAfake";

/// Answers one request to the identity service.
pub fn answer(state: &mut State, request: &Request) -> Response {
    let path = request.path().trim_end_matches('/');
    let mut response = match (request.method.as_str(), path) {
        ("GET", "") => Response::json(300, &json!({"versions": {"values": [version(state)]}})),
        ("GET", "/v3") => Response::json(200, &json!({"version": version(state)})),
        ("POST", "/v3/auth/tokens") => issue(state, &request.json()),
        _ => Response::json(404, &error(404, "The resource could not be found.", "Not Found")),
    };
    // As behind uwsgi: no keep-alive, and no `Date`.
    response.close = true;
    response
}

/// `401`, in the words of Keystone and of the middleware in front of Nova and Neutron.
pub fn unauthorized() -> Response {
    Response::json(401, &error(401, UNAUTHORIZED, "Unauthorized"))
        .with("WWW-Authenticate", "Keystone uri=\"http://127.0.0.1/v3\"")
}

/// Whether the request carries a token that is good now.
pub fn is_authorized(state: &State, request: &Request) -> bool {
    let given = request.header("x-auth-token").unwrap_or_default();
    let good =
        |token: &&Token| token.value == given && !token.revoked && state.now() < token.expires;
    state.identity.tokens.iter().find(good).is_some()
}

fn error(code: u16, message: &str, title: &str) -> Value {
    json!({"error": {"code": code, "message": message, "title": title}})
}

fn version(state: &State) -> Value {
    let address = state.addresses[&Service::Identity];
    json!({
        "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("http://{address}/v3/")}],
        "media-types": [{"base": "application/json",
            "type": "application/vnd.openstack.identity-v3+json"}],
    })
}

fn issue(state: &mut State, body: &Value) -> Response {
    let auth = &body["auth"];
    let method = auth["identity"]["methods"][0].as_str().unwrap_or_default().to_owned();
    let known = match method.as_str() {
        "password" => is_user(state, &auth["identity"]["password"]["user"]),
        "application_credential" => {
            if !auth["scope"].is_null() {
                let message = "Error authenticating with application credential: \
                               Application credentials cannot request a scope.";
                return Response::json(401, &error(401, message, "Unauthorized"));
            }
            is_credential(state, &auth["identity"]["application_credential"])
        }
        _ => false,
    };
    if !known || (method == "password" && !is_project(state, &auth["scope"]["project"])) {
        return unauthorized();
    }
    let now = state.now();
    let expires = now + state.identity.token_life;
    let value = format!("{TOKENS_BEGIN}-{}-token", state.new_id());
    let body = json!({"token": token(state, &method, now, expires)});
    state.identity.tokens.push(Token { value: value.clone(), expires, revoked: false });
    Response::json(201, &body).with("X-Subject-Token", &value).with("Vary", "X-Auth-Token")
}

fn is_user(state: &State, user: &Value) -> bool {
    names(user, &state.identity.user)
        && (user["id"].is_string() || names(&user["domain"], &state.identity.domain))
        && user["password"] == state.identity.password.as_str()
}

fn is_credential(state: &State, credential: &Value) -> bool {
    let user = &credential["user"];
    let user_named = names(user, &state.identity.user)
        && (user["id"].is_string() || names(&user["domain"], &state.identity.domain));
    names(credential, &state.identity.application_credential)
        && (credential["id"].is_string() || user_named)
        && credential["secret"] == state.identity.application_credential_secret.as_str()
}

fn is_project(state: &State, project: &Value) -> bool {
    names(project, &state.identity.project)
        && (project["id"].is_string() || names(&project["domain"], &state.identity.domain))
}

/// Whether `given` names `thing`, by its id or else by its name.
fn names(given: &Value, thing: &Named) -> bool {
    match (given["id"].as_str(), given["name"].as_str()) {
        (Some(id), _) => id == thing.id,
        (None, Some(name)) => name == thing.name,
        (None, None) => false,
    }
}

fn token(state: &State, method: &str, issued: SystemTime, expires: SystemTime) -> Value {
    let identity = &state.identity;
    let domain = json!({"id": identity.domain.id, "name": identity.domain.name});
    let time = |time| humantime::format_rfc3339_micros(time).to_string();
    json!({
        "methods": [method],
        "user": {"domain": domain, "id": identity.user.id, "name": identity.user.name,
            "password_expires_at": null},
        "audit_ids": ["1RNLqMToT_uULuQDNtZ6zw"],
        "issued_at": time(issued), "expires_at": time(expires),
        "project": {"domain": domain, "id": identity.project.id, "name": identity.project.name},
        "is_domain": false,
        "roles": [{"id": "9e005f6a34ed42d48e4b17b51fbab4ba", "name": "member"}],
        "catalog": catalog(state),
    })
}

fn catalog(state: &State) -> Value {
    let catalog = &state.catalog;
    let suffix = |text: &str| text.replace("PROJECT", &state.identity.project.id);
    let service = |kind: &str, name: &str, service: Service, suffix: String| {
        let listening = format!("http://{}", state.addresses[&service]);
        let live = catalog.elsewhere.get(&service).unwrap_or(&listening).clone() + &suffix;
        json!({"id": format!("{kind}-service"), "type": kind, "name": name,
            "endpoints": endpoints(state, &live)})
    };
    json!([
        service("compute", "nova", Service::Compute, suffix(&catalog.compute_suffix)),
        service("placement", "placement", Service::Compute, "/placement".into()),
        service("identity", "keystone", Service::Identity, "/v3".into()),
        service("network", "neutron", Service::Network, suffix(&catalog.network_suffix)),
        service("image", "glance", Service::Image, suffix(&catalog.image_suffix)),
    ])
}

fn endpoints(state: &State, live: &str) -> Vec<Value> {
    let mut endpoints = Vec::new();
    for (position, region) in state.catalog.regions.iter().enumerate() {
        for interface in ["admin", "internal", "public"] {
            let real =
                position + 1 == state.catalog.regions.len() && interface == state.catalog.interface;
            // Port 1: nothing listens there, so choosing the wrong endpoint shows at once.
            let url = if real { live } else { "http://127.0.0.1:1/wrong-endpoint" };
            let mut add = |url: &str| {
                endpoints
                    .push(json!({"id": format!("{region}-{interface}"), "interface": interface,
                    "region": region, "region_id": region, "url": url}));
            };
            if real && state.catalog.dead_first {
                add("http://127.0.0.1:1/dead-endpoint");
            }
            add(url);
        }
    }
    endpoints
}
