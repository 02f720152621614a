//! Glance v2: images (Image service API v2, "List images").

use serde_json::{Value, json};

use super::keystone;
use super::state::{Image, State};
use crate::fake::http::{Request, Response};

/// Glance's `limit_param_default`.
const PAGE_DEFAULT: usize = 25;

/// Answers one request to the image service.
pub fn answer(state: &State, request: &Request) -> Response {
    let path = request.path().trim_end_matches('/').to_owned();
    if path.is_empty() {
        let versions = json!({"versions": [{"id": "v2.15", "status": "CURRENT", "links": []}]});
        return Response::json(300, &versions);
    }
    if !keystone::is_authorized(state, request) {
        let body = "<html>\n <head>\n  <title>401 Unauthorized</title>\n </head>\n</html>\n";
        return Response::html(401, body);
    }
    match (request.method.as_str(), path.strip_prefix("/v2/images")) {
        ("GET", Some("")) => list(state, request),
        ("GET", Some(id)) => one(state, id.trim_start_matches('/')),
        _ => not_found("The resource could not be found."),
    }
}

fn one(state: &State, id: &str) -> Response {
    match state.images.iter().find(|image| image.id == id) {
        Some(image) => Response::json(200, &describe(image)),
        None => not_found(&format!("No image found with ID {id}")),
    }
}

fn not_found(message: &str) -> Response {
    let title = "404 Not Found";
    let body = format!(
        "<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n  {message}<br /><br />\n \
         </body>\n</html>\n"
    );
    Response::html(404, &body)
}

fn list(state: &State, request: &Request) -> Response {
    let wanted = |key: &str, value: &str| {
        state.drops_filters || request.query_value(key).is_none_or(|v| v == value)
    };
    // Community images are shown to those only who ask for them.
    let shown = |image: &Image| match request.query_value("visibility") {
        Some(visibility) => image.visibility == visibility,
        None => image.visibility != "community",
    };
    let mut images: Vec<&Image> = state
        .images
        .iter()
        .filter(|image| wanted("name", &image.name) && wanted("status", &image.status))
        .filter(|image| shown(image))
        .collect();
    images.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    if !ascending(request) {
        images.reverse();
    }
    if let Some(marker) = request.query_value("marker") {
        let Some(position) = images.iter().position(|image| image.id == marker) else {
            return not_found("Invalid marker. Image could not be found.");
        };
        images.drain(..=position);
    }
    let limit = request.query_value("limit").and_then(|limit| limit.parse().ok());
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    images.truncate(limit);
    let is_full = images.len() == limit;
    let mut body = json!({
        "images": images.iter().map(|image| describe(image)).collect::<Vec<_>>(),
        "first": target(request, None), "schema": "/v2/schemas/images",
    });
    if let Some(last) = images.last().filter(|_| is_full) {
        body["next"] = target(request, Some(&last.id)).into();
    }
    Response::json(200, &body)
}

/// By default, and with `sort=created_at:desc`, the newest comes first.
fn ascending(request: &Request) -> bool {
    request.query_value("sort_dir").is_some_and(|dir| dir == "asc")
        || request.query_value("sort").is_some_and(|sort| sort.ends_with(":asc"))
}

fn target(request: &Request, marker: Option<&str>) -> String {
    let mut pairs: Vec<(String, String)> =
        request.query().into_iter().filter(|(key, _)| key != "marker").collect();
    pairs.extend(marker.map(|marker| ("marker".to_owned(), marker.to_owned())));
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{key}={}", value.replace(' ', "+"))).collect();
    if pairs.is_empty() { "/v2/images".into() } else { format!("/v2/images?{}", pairs.join("&")) }
}

fn describe(image: &Image) -> Value {
    let created = humantime::format_rfc3339_seconds(image.created).to_string();
    json!({
        "id": image.id, "name": image.name, "status": image.status, "visibility": image.visibility,
        "created_at": created, "updated_at": created, "disk_format": "raw",
        "container_format": "bare", "size": 1984, "min_ram": 0, "min_disk": 0, "protected": false,
        "os_hidden": false, "tags": [], "self": format!("/v2/images/{}", image.id),
        "schema": "/v2/schemas/image", "file": format!("/v2/images/{}/file", image.id),
        "virtual_size": 1984, "owner": "b6ed08b773bb4f91ae28a398e2741ebe", "stores": "file",
        "checksum": "563a422dcdce28511af7963be6a8d547", "os_hash_algo": "sha512",
        "os_hash_value": "3eead913053299757a882f872549b12d",
    })
}
