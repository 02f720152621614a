//! Glance v2: images (Image service API v2, "List images", "Create image", "Update image", "Delete image").

use serde_json::{Value, json};

use super::keystone;
use super::state::{Image, State};
use crate::fake::http::{Request, Response};

/// Glance's `limit_param_default`.
const PAGE_DEFAULT: usize = 25;

/// The only kind of change that is taken here.
const PATCH: &str = "application/openstack-images-v2.1-json-patch";

/// Answers one request to the image service.
pub fn answer(state: &mut State, request: &Request) -> Response {
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
        ("POST", Some("")) => create(state, &request.json()),
        ("PATCH", Some(id)) => change(state, id.trim_start_matches('/'), request),
        ("DELETE", Some(id)) => delete(state, id.trim_start_matches('/')),
        _ => not_found("The resource could not be found."),
    }
}

fn one(state: &State, id: &str) -> Response {
    match state.images.iter().find(|image| image.id == id) {
        Some(image) => Response::json(200, &describe(image)),
        None => not_found(&format!("No image found with ID {id}")),
    }
}

fn create(state: &mut State, wanted: &Value) -> Response {
    let text = |key: &str| wanted[key].as_str().map(ToOwned::to_owned);
    let id = text("id").unwrap_or_else(|| state.new_id());
    if state.deleted_images.contains(&id) || state.images.iter().any(|image| image.id == id) {
        return refused(409, "Conflict", &format!("Image ID {id} already exists!"));
    }
    let known = ["id", "name", "visibility"];
    let properties = wanted.as_object().into_iter().flatten();
    let properties = properties
        .filter(|(key, _)| !known.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect::<std::collections::BTreeMap<_, _>>();
    if let Some((key, _)) = properties.iter().find(|(_, value)| value.chars().any(is_long)) {
        let message = format!("{key} can't contain 4 byte unicode characters.");
        return refused(400, "Bad Request", &message);
    }
    let image = Image {
        id,
        name: text("name").unwrap_or_default(),
        status: "queued".into(),
        visibility: text("visibility").unwrap_or_else(|| "shared".into()),
        created: state.now(),
        owner: state.identity.project.id.clone(),
        properties,
    };
    let response = Response::json(201, &describe(&image));
    state.images.push(image);
    response
}

fn is_long(character: char) -> bool {
    character.len_utf8() > 3
}

fn change(state: &mut State, id: &str, request: &Request) -> Response {
    if request.header("content-type") != Some(PATCH) {
        let message = "The media type of the request is not supported";
        return refused(415, "Unsupported Media Type", message);
    }
    let Some(image) = state.images.iter_mut().find(|image| image.id == id) else {
        return not_found(&format!("No image found with ID {id}"));
    };
    for change in request.json().as_array().into_iter().flatten() {
        let path = change["path"].as_str().unwrap_or_default().trim_start_matches('/');
        let Some(property) = image.properties.get_mut(path) else {
            let message = format!("Property {path} does not exist.");
            return refused(409, "Conflict", &message);
        };
        assert_eq!(change["op"], "replace", "this Glance knows no other change: {change}");
        change["value"].as_str().expect("a text").clone_into(property);
    }
    Response::json(200, &describe(image))
}

fn delete(state: &mut State, id: &str) -> Response {
    let Some(place) = state.images.iter().position(|image| image.id == id) else {
        return not_found(&format!("Failed to find image {id} to delete"));
    };
    state.images.remove(place);
    state.deleted_images.insert(id.to_owned());
    Response::empty(204)
}

fn not_found(message: &str) -> Response {
    refused(404, "Not Found", message)
}

fn refused(status: u16, reason: &str, message: &str) -> Response {
    let title = format!("{status} {reason}");
    let body = format!(
        "<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n  {message}<br /><br />\n \
         </body>\n</html>\n"
    );
    Response::html(status, &body)
}

fn list(state: &State, request: &Request) -> Response {
    if request.query_value("name").is_some_and(|name| name.contains(':')) {
        return refused(400, "Bad Request", "Unable to filter by unknown operator");
    }
    let own = &state.identity.project.id;
    let wanted = |key: &str, value: &str| {
        state.drops_filters || request.query_value(key).is_none_or(|v| v == value)
    };
    // Community images are shown to those only who ask for them.
    let shown = |image: &Image| match request.query_value("visibility") {
        Some(visibility) if !state.drops_filters => image.visibility == visibility,
        _ => image.visibility != "community",
    };
    let mut images: Vec<&Image> = state
        .images
        .iter()
        .filter(|image| wanted("name", &image.name) && wanted("status", &image.status))
        .filter(|image| shown(image))
        .filter(|image| image.visibility != "private" || &image.owner == own)
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
    let has_data = image.status == "active";
    let of_data = |value: Value| if has_data { value } else { Value::Null };
    let mut record = json!({
        "id": image.id, "name": image.name, "status": image.status, "visibility": image.visibility,
        "created_at": created, "updated_at": created, "disk_format": of_data("raw".into()),
        "container_format": of_data("bare".into()), "size": of_data(1984.into()), "min_ram": 0, "min_disk": 0, "protected": false,
        "os_hidden": false, "tags": [], "self": format!("/v2/images/{}", image.id),
        "schema": "/v2/schemas/image", "file": format!("/v2/images/{}/file", image.id),
        "virtual_size": of_data(1984.into()), "owner": image.owner,
        "checksum": of_data("563a422dcdce28511af7963be6a8d547".into()),
        "os_hash_algo": of_data("sha512".into()),
        "os_hash_value": of_data("3eead913053299757a882f872549b12d".into()),
    });
    if has_data {
        record["stores"] = "file".into();
    }
    for (name, value) in &image.properties {
        record[name] = value.clone().into();
    }
    record
}
