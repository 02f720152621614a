//! Nova: servers, flavors and key pairs (Compute API v2.1).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Attempts, Method};
use crate::model::{Listing, Server, ServerId};
use crate::provider::Creation;
use crate::provider::openstack::answer::{Named, Told, parse, readable};
use crate::provider::openstack::paging::{Links, PAGES_MAX, next_page};
use crate::provider::openstack::record::{Ours, ServerRecord};
use crate::provider::openstack::servers::{PATH, ServerList};
use crate::provider::openstack::session::{Question, Service, Session};
use crate::provider::openstack::{encode, large, network};

/// Nova's own limit of `user_data`, in base64 characters.
const USER_DATA_CHARS_MAX: usize = 65_535;

/// How much of the user data gives it away in an error's text, in base64 characters.
const USER_DATA_SIGN_CHARS: usize = 16;

/// What a creation needs beside its own settings: ids, and the cloud-init file's bytes.
pub struct Ingredients {
    /// The flavor's id.
    pub flavor: String,
    /// The image's id.
    pub image: String,
    /// The network's id.
    pub network: String,
    /// The cloud-init file in base64.
    pub user_data: Option<String>,
}

/// The body of `POST /servers` (Compute API, "Create Multiple Servers").
#[derive(Serialize)]
struct ServerRequest<'a> {
    name: &'a str,
    #[serde(rename = "flavorRef")]
    flavor: &'a str,
    #[serde(rename = "imageRef")]
    image: &'a str,
    networks: [NetworkRequest<'a>; 1],
    metadata: BTreeMap<&'a str, &'a str>,
    /// 1: where a quota leaves room for some of them, some are made.
    min_count: u64,
    max_count: u64,
    #[serde(rename = "key_name", skip_serializing_if = "Option::is_none")]
    keypair: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_data: Option<&'a str>,
}

#[derive(Serialize)]
struct NetworkRequest<'a> {
    uuid: &'a str,
}

#[derive(Deserialize)]
struct OneRecord {
    server: ServerRecord,
}

#[derive(Deserialize)]
struct OneServer {
    server: OnlyId,
}

#[derive(Deserialize)]
struct OnlyId {
    id: String,
}

#[derive(Deserialize)]
struct OneKeypair {
    keypair: Keypair,
}

#[derive(Deserialize)]
struct Keypair {
    #[serde(default)]
    name: Told<String>,
}

#[derive(Deserialize)]
struct FlavorPage {
    flavors: Vec<Told<Named>>,
    #[serde(default)]
    flavors_links: Links,
}

/// How often a list is read that moves while it is read.
const LIST_ATTEMPTS: u32 = 3;

/// Every server of the project, all pages, or an error; and the earliest time that was told meanwhile.
///
/// While a batch is scheduled Nova sorts its servers anew, and a list of several pages misses some of them. It shows by
/// others that are on two pages. Nor is there a page after a server that is gone meanwhile. Such a list is read again.
pub fn servers(session: &mut Session, ours: &Ours) -> Result<Listing> {
    session.look_again();
    session.forget_time();
    let mut how = String::new();
    for _ in 0..LIST_ATTEMPTS {
        how = match read_list(session, ours)? {
            Ok(mut list) => {
                if list.has_untyped() {
                    list.are_floating(&floating(session));
                }
                let (servers, now) = (list.into_servers(), session.earliest_time());
                return Ok(Listing { servers, now });
            }
            Err(how) => how,
        };
        log::debug!("{PATH}: {how}; the list is read again");
    }
    let text = format!(
        "{PATH}: the list moved each of {LIST_ATTEMPTS} times it was read, last with {how}, so others may be missing; this \
         ends when Nova has scheduled what was just created"
    );
    Err(Error::new(ErrorKind::Invalid, text))
}

/// Which fields of the servers' records the cloud hides, of those that decide anything; `None`: there is no server to tell by.
pub fn hidden(session: &mut Session, ours: &Ours) -> Result<Option<Vec<&'static str>>> {
    let Ok(list) = read_list(session, ours)? else { return Ok(None) };
    let hidden = list.hidden().collect();
    Ok((!list.into_servers().is_empty()).then_some(hidden))
}

/// Every floating IP there is to see. Without them a floating address counts as a fixed one, which Neutron then refuses to
/// bind to.
fn floating(session: &mut Session) -> BTreeSet<IpAddr> {
    match network::floating_addresses(session) {
        Ok(addresses) => addresses,
        Err(error) => {
            log::debug!("cannot tell floating addresses from fixed ones: {error}");
            BTreeSet::new()
        }
    }
}

/// The whole list; or how it moved while it was read.
fn read_list(
    session: &mut Session,
    ours: &Ours,
) -> Result<std::result::Result<ServerList, String>> {
    let mut list = ServerList::of(ours.clone());
    // No `limit` on the first page: with one, Nova leaves out the servers of a cell that is down.
    let mut next = Some(PATH.to_owned());
    for number in 0..PAGES_MAX {
        let Some(path) = next else {
            let moved = list.on_two_pages();
            let how = format!("{moved} servers on two pages");
            return Ok(if moved == 0 { Ok(list) } else { Err(how) });
        };
        let response = match large::page(session, &path) {
            // The server after which the page begins was deleted meanwhile.
            Err(error) if number > 0 && error.kind == ErrorKind::Refused(400) => {
                return Ok(Err(format!("a page that Nova could not find ({error})")));
            }
            answer => answer?,
        };
        next = list.add(&path, &response.body)?;
    }
    Err(Error::new(ErrorKind::Invalid, format!("{PATH}: more than {PAGES_MAX} pages")))
}

/// The server with this id, if there is one (Compute API, "Show Server Details").
pub fn server(session: &mut Session, ours: &Ours, id: &ServerId) -> Result<Option<Server>> {
    let path = format!("/servers/{}", encode(&id.0));
    match session.ask(&Question::get(Service::Compute, &path)) {
        Ok(response) => {
            let invalid = |why: String| Error::new(ErrorKind::Invalid, format!("{path}: {why}"));
            let answer: OneRecord = parse(&response.body, &path)?;
            let server = answer.server.read(ours).map_err(invalid)?.server;
            // Whatever else says 200 (a proxy, a portal) is no word about this server.
            if server.id == *id { Ok(Some(server)) } else { Err(invalid("another server".into())) }
        }
        Err(error) if error.kind == ErrorKind::Refused(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The flavor `wanted`, by id or name.
pub fn flavor(session: &mut Session, wanted: &str) -> Result<Named> {
    let flavors = flavors(session)?;
    let by_id = flavors.iter().find(|flavor| flavor.id == wanted);
    if let Some(flavor) = by_id.or_else(|| flavors.iter().find(|flavor| flavor.name() == wanted)) {
        return Ok(flavor.clone());
    }
    let region = session.login()?.endpoints.region.clone();
    let mut have: Vec<&str> = flavors.iter().map(Named::name).collect();
    have.sort_unstable();
    let have = have.join(", ");
    let text =
        format!("OPENSTACK_FLAVOR \"{wanted}\": no such flavor in region {region} (have: {have})");
    Err(Error::new(ErrorKind::Setting, text))
}

fn flavors(session: &mut Session) -> Result<Vec<Named>> {
    const FLAVORS: &str = "/flavors";
    let (mut flavors, mut next) = (Vec::new(), Some(FLAVORS.to_owned()));
    for _ in 0..PAGES_MAX {
        let Some(path) = next else { break };
        let page: FlavorPage = session.read(Service::Compute, &path)?;
        flavors.extend(readable(page.flavors));
        next = next_page(FLAVORS, &path, &page.flavors_links)?;
    }
    Ok(flavors)
}

/// Whether the key pair `name` exists.
pub fn keypair(session: &mut Session, name: &str) -> Result<()> {
    let path = format!("/os-keypairs/{}", encode(name));
    match session.ask(&Question::get(Service::Compute, &path)) {
        Ok(response) => {
            let answer: OneKeypair = parse(&response.body, &path)?;
            if answer.keypair.name.text() == Some(name) {
                return Ok(());
            }
            Err(Error::new(ErrorKind::Invalid, format!("{path}: the answer is another key pair")))
        }
        Err(error) if error.kind == ErrorKind::Refused(404) => {
            let text = format!("OPENSTACK_KEYPAIR \"{name}\": the user has no such key pair");
            Err(Error::new(ErrorKind::Setting, text))
        }
        Err(error) => Err(error),
    }
}

/// The cloud-init file as Nova wants it.
pub fn user_data(path: &Path) -> Result<String> {
    let fault = |why: String| {
        let text = format!("OPENSTACK_CLOUD_INIT_FILE {}: {why}", path.display());
        Error::new(ErrorKind::Setting, text)
    };
    let bytes = fs::read(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
    let encoded = STANDARD.encode(bytes);
    if encoded.len() > USER_DATA_CHARS_MAX {
        return Err(fault(format!(
            "too large: {} characters in base64, and Nova takes {USER_DATA_CHARS_MAX}",
            encoded.len()
        )));
    }
    Ok(encoded)
}

/// Asks once for all servers of a creation, and gives the first one's id.
pub fn create(
    session: &mut Session,
    creation: &Creation,
    ingredients: &Ingredients,
) -> Result<ServerId> {
    let keypair = session.settings().keypair.clone();
    let request = ServerRequest {
        name: &creation.name,
        flavor: &ingredients.flavor,
        image: &ingredients.image,
        networks: [NetworkRequest { uuid: &ingredients.network }],
        metadata: creation.metadata.iter().map(|(key, value)| (&**key, &**value)).collect(),
        min_count: 1,
        max_count: creation.count,
        keypair: keypair.as_deref(),
        user_data: ingredients.user_data.as_deref(),
    };
    let body = json!({ "server": request }).to_string();
    let question = Question {
        service: Service::Compute,
        method: Method::Post,
        path: "/servers",
        body: Some(body.as_bytes()),
        attempts: Attempts::One,
    };
    let answer = session.ask(&question).and_then(|response| {
        let answer: OneServer = parse(&response.body, "POST /servers")?;
        Ok(ServerId(answer.server.id))
    });
    answer.map_err(|error| clear_up(error, ingredients.user_data.as_deref()))
}

/// A 2xx that cannot be read leaves open what was made; and Nova likes to repeat a value that it refuses.
fn clear_up(error: Error, user_data: Option<&str>) -> Error {
    let kind = match error.kind {
        ErrorKind::Invalid | ErrorKind::TooLarge => ErrorKind::Unclear,
        kind => kind,
    };
    let sign = user_data.map(|data| data.get(..USER_DATA_SIGN_CHARS).unwrap_or(data));
    match sign.filter(|sign| !sign.is_empty()).and_then(|sign| error.text.find(sign)) {
        Some(at) => {
            let kept = error.text.get(..at).unwrap_or_default();
            Error::new(kind, format!("{kept}(the user data, not shown)"))
        }
        None => Error { kind, ..error },
    }
}

/// Deletes a server; one that is gone already is a success.
pub fn delete(session: &mut Session, id: &ServerId) -> Result<()> {
    let path = format!("/servers/{}", encode(&id.0));
    let question = Question {
        service: Service::Compute,
        method: Method::Delete,
        path: &path,
        body: None,
        attempts: Attempts::Several,
    };
    match session.ask(&question) {
        Ok(_) => Ok(()),
        Err(error) if error.kind == ErrorKind::Refused(404) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_data_that_nova_repeats_is_cut_out_of_the_error() {
        let data = STANDARD.encode("#cloud-config\npassword: hunter2\n");
        let said =
            format!("status 400: Invalid input for field/attribute user_data. Value: {data}.");
        let error = clear_up(Error::new(ErrorKind::Refused(400), said), Some(&data));
        let text = "status 400: Invalid input for field/attribute user_data. Value: (the user data, not shown)";
        assert_eq!(error.text, text);
    }

    #[test]
    fn a_creation_whose_answer_cannot_be_read_is_unclear() {
        let error = clear_up(Error::new(ErrorKind::Invalid, "not the expected JSON"), None);
        assert_eq!(error.kind, ErrorKind::Unclear);
    }
}
