//! Nova: servers, flavors and key pairs (Compute API v2.1). How servers are made is in [`super::new_server`].

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::http::{Attempts, Method};
use crate::model::{Listing, Server, ServerId};
use crate::provider::openstack::answer::{Named, Told, parse, parse_into};
use crate::provider::openstack::paging::{self, Links, PAGES_MAX};
use crate::provider::openstack::question::{Question, Service};
use crate::provider::openstack::record::{Ours, ServerRecord, Texts};
use crate::provider::openstack::servers::{PATH, ServerList};
use crate::provider::openstack::session::Session;
use crate::provider::openstack::{encode, large, network};

/// Most bytes of a cloud-init file that are read; how many are too many for Nova is said with its own limit.
const USER_DATA_BYTES_MAX: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct OneRecord<'a> {
    #[serde(borrow)]
    server: ServerRecord<'a>,
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
struct OneFlavor {
    flavor: FlavorSize,
}

/// How large a flavor's servers are (Compute API, "Show Flavor Details"); what a cloud does not tell is `None`.
#[derive(Clone, Debug, Deserialize)]
pub struct FlavorSize {
    id: String,
    /// Virtual processors.
    #[serde(default)]
    pub vcpus: Told<u64>,
    /// MiB of memory.
    #[serde(default)]
    pub ram: Told<u64>,
    /// GiB of the root disk.
    #[serde(default)]
    pub disk: Told<u64>,
}

#[derive(Deserialize)]
struct FlavorPage {
    flavors: Vec<Told<Named>>,
    #[serde(default)]
    flavors_links: Links,
}

/// How many times to read a list that changes while it is read.
const LIST_ATTEMPTS: u32 = 3;

/// Every server of the project, all pages, or an error; and the earliest time that was given meanwhile.
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
        "{PATH}: the list changed each of the {LIST_ATTEMPTS} times it was read, last with {how}, so others may be \
         missing; this ends when Nova has scheduled what was just created"
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

/// The whole list; or how it changed while it was read.
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
    let path = format!("/servers/{}", encode(id.as_str()));
    match session.ask(&Question::get(Service::Compute, &path)) {
        Ok(response) => {
            let invalid = |why: String| Error::new(ErrorKind::Invalid, format!("{path}: {why}"));
            let record = PhantomData::<OneRecord<'_>>;
            let answer = parse_into(record, &response.body, &path)?;
            let server = answer.server.read(ours, &mut Texts::default()).map_err(invalid)?.server;
            // Anything else that answers 200 (a proxy, a portal) says nothing about this server.
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

/// How large the flavor with this id is.
pub fn flavor_size(session: &mut Session, id: &str) -> Result<FlavorSize> {
    let path = format!("/flavors/{}", encode(id));
    let answer: OneFlavor = session.read(Service::Compute, &path)?;
    if answer.flavor.id == id {
        return Ok(answer.flavor);
    }
    Err(Error::new(ErrorKind::Invalid, format!("{path}: the answer is about another flavor")))
}

fn flavors(session: &mut Session) -> Result<Vec<Named>> {
    let parts = |page: FlavorPage| (page.flavors, page.flavors_links);
    paging::all(session, Service::Compute, "/flavors".to_owned(), parts)
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
            Err(Error::new(
                ErrorKind::Invalid,
                format!("{path}: the answer is about another key pair"),
            ))
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
    let bytes = files::read(path, USER_DATA_BYTES_MAX).map_err(fault)?;
    match files::too_large_for_nova(bytes.len() as u64) {
        Some(why) => Err(fault(why)),
        None => Ok(STANDARD.encode(bytes)),
    }
}

/// Deletes a server; one that is gone already is a success.
pub fn delete(session: &mut Session, id: &ServerId) -> Result<()> {
    let path = format!("/servers/{}", encode(id.as_str()));
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
