//! Neutron's list of floating IPs (Networking API v2.0, "List floating IPs"), put together from its pages. Pure.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::model::AddressId;
use crate::provider::openstack::answer::{Told, parse, readable};
use crate::provider::openstack::paging::{Links, next_page};

/// Where the list is.
pub const PATH: &str = "/floatingips";

#[derive(Deserialize)]
struct Page {
    floatingips: Vec<Told<Record>>,
    #[serde(default)]
    floatingips_links: Links,
}

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    id: Told<String>,
    #[serde(default, rename = "floating_ip_address")]
    address: Told<IpAddr>,
    #[serde(default)]
    description: Told<String>,
    #[serde(default)]
    project_id: Told<String>,
    #[serde(default)]
    tenant_id: Told<String>,
    #[serde(default)]
    port_id: Told<String>,
    #[serde(default)]
    port_details: Told<Device>,
    #[serde(default)]
    port_forwardings: Told<Vec<Value>>,
}

/// Who a port belongs to.
#[derive(Clone, Debug, Deserialize)]
pub struct Device {
    /// A server's id, for a server's port; empty for nobody's.
    #[serde(default, rename = "device_id")]
    id: Told<String>,
    /// What the port was made for (Networking API, "Ports"): `compute:ZONE` for a server.
    #[serde(default, rename = "device_owner")]
    owner: Told<String>,
}

impl Device {
    /// The device's id, empty for nobody's; `None` when it is not told.
    pub fn id(&self) -> Option<&str> {
        self.id.text()
    }

    /// Whether the port was made for a server.
    pub fn is_server(&self) -> bool {
        self.owner.text().is_some_and(|owner| owner.starts_with("compute:"))
    }
}

/// Which floating IPs are the pool's. Neutron is asked for just these, and may have left a filter out.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Their description.
    pub description: String,
    /// The project they are in.
    pub project: String,
}

impl Wanted {
    fn fits(&self, record: &Record) -> bool {
        let project = record.project_id.text().or_else(|| record.tenant_id.text());
        record.description.text() == Some(&self.description) && project == Some(&self.project)
    }
}

/// One floating IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloatingIp {
    /// Its id.
    pub id: AddressId,
    /// The address itself.
    pub address: IpAddr,
    /// What it is bound to.
    pub place: Place,
}

/// What a floating IP is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing, or a port of nobody.
    Nowhere,
    /// The port of the device with this id.
    Device {
        /// The device's id.
        id: String,
        /// Whether it is a server, or was.
        is_server: bool,
    },
    /// The port with this id; Neutron before Rocky does not say whose it is.
    Port(String),
}

/// The list as far as it is known.
#[derive(Clone, Debug)]
pub struct FloatingIpList {
    wanted: Wanted,
    floating_ips: Vec<FloatingIp>,
    forwarding: Vec<IpAddr>,
    ids: BTreeSet<AddressId>,
}

impl FloatingIpList {
    /// An empty list of the floating IPs that are `wanted`.
    pub fn of(wanted: Wanted) -> Self {
        FloatingIpList {
            wanted,
            floating_ips: Vec::new(),
            forwarding: Vec::new(),
            ids: BTreeSet::new(),
        }
    }

    /// Takes in the page that was found at `path`, and tells where the next one is, if there is one. Those that are not
    /// wanted may be as odd as they like.
    pub fn add(&mut self, path: &str, body: &[u8]) -> Result<Option<String>> {
        let page: Page = parse(body, PATH)?;
        for record in readable(page.floatingips) {
            if !self.wanted.fits(&record) {
                continue;
            }
            let invalid = |why: &str| Error::new(ErrorKind::Invalid, format!("{PATH}: {why}"));
            let id = record.id.take().filter(|id| !id.is_empty());
            let id = id.ok_or_else(|| invalid("a floating IP without an id"))?;
            let unreadable =
                |field: &str| invalid(&format!("floating IP {id}: {field} cannot be read"));
            let address = record.address.take().ok_or_else(|| unreadable("floating_ip_address"))?;
            // What moved while the pages were read is on two of them.
            if !self.ids.insert(AddressId(id.clone())) {
                continue;
            }
            match record.port_forwardings {
                Told::Not | Told::Null => {}
                Told::Is(ports) if ports.is_empty() => {}
                // Neutron refuses to bind it, and whatever it forwards is somebody's.
                Told::Is(_) | Told::Odd => {
                    self.forwarding.push(address);
                    continue;
                }
            }
            let port = match record.port_id {
                Told::Null => None,
                Told::Is(port) => Some(port).filter(|port| !port.is_empty()),
                // It may well be bound to somebody.
                Told::Not | Told::Odd => return Err(unreadable("port_id")),
            };
            let place = place(port, record.port_details.get());
            self.floating_ips.push(FloatingIp { place, address, id: AddressId(id) });
        }
        next_page(PATH, path, &page.floatingips_links)
    }

    /// Those that forward single ports and so are bound to nothing: not ours to move.
    pub fn forwarding(&self) -> &[IpAddr] {
        &self.forwarding
    }

    /// All of them, without doubles.
    pub fn into_floating_ips(self) -> Vec<FloatingIp> {
        self.floating_ips
    }
}

/// The addresses of all floating IPs on a page, whosever they are, and where the next page is.
pub fn addresses(path: &str, body: &[u8]) -> Result<(Vec<IpAddr>, Option<String>)> {
    let page: Page = parse(body, PATH)?;
    let addresses = readable(page.floatingips).filter_map(|record| record.address.take());
    Ok((addresses.collect(), next_page(PATH, path, &page.floatingips_links)?))
}

/// The holder is the port's device, never whoever happens to have the fixed address.
fn place(port: Option<String>, device: Option<&Device>) -> Place {
    let is_server = device.is_some_and(Device::is_server);
    match (port, device.and_then(Device::id)) {
        (None, _) | (Some(_), Some("")) => Place::Nowhere,
        (Some(_), Some(device)) => Place::Device { id: device.to_owned(), is_server },
        (Some(port), None) => Place::Port(port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> FloatingIpList {
        FloatingIpList::of(Wanted { description: "server".into(), project: "p".into() })
    }

    fn page(ids: &[&str], next: &str) -> Vec<u8> {
        let one = |id: &&str| {
            format!(
                r#"{{"id": "{id}", "floating_ip_address": "192.0.2.1", "port_id": null, "description": "server", "project_id": "p"}}"#
            )
        };
        let all: Vec<String> = ids.iter().map(one).collect();
        let links =
            format!(r#"[{{"rel": "next", "href": "http://neutron/v2.0/floatingips?{next}"}}]"#);
        format!(r#"{{"floatingips": [{}], "floatingips_links": {links}}}"#, all.join(","))
            .into_bytes()
    }

    fn ids(list: FloatingIpList) -> Vec<String> {
        list.into_floating_ips().into_iter().map(|one| one.id.0).collect()
    }

    #[test]
    fn an_address_on_two_pages_is_one_address() {
        let mut list = list();
        let next = list.add(PATH, &page(&["a", "b"], "marker=b")).unwrap();
        assert_eq!(next.as_deref(), Some("/floatingips?marker=b"));
        list.add("/floatingips?marker=b", &page(&["b", "c"], "marker=c")).unwrap();
        assert_eq!(ids(list), ["a", "b", "c"]);
    }

    #[test]
    fn a_page_that_is_its_own_next_page_is_an_error() {
        let again = list().add("/floatingips?marker=b", &page(&[], "marker=b"));
        assert_eq!(again.unwrap_err().text, "/floatingips: the next page is this page");
    }

    #[test]
    fn the_holder_is_the_ports_device() {
        let port = || Some("p".to_owned());
        let device = |id: &str, owner: &str| -> Device {
            serde_json::from_str(&format!(r#"{{"device_id": "{id}", "device_owner": "{owner}"}}"#))
                .unwrap()
        };
        assert_eq!(place(None, Some(&device("vm", "compute:nova"))), Place::Nowhere);
        assert_eq!(place(port(), Some(&device("", ""))), Place::Nowhere);
        for (owner, is_server) in
            [("compute:nova", true), ("network:router_interface", false), ("", false)]
        {
            let expected = Place::Device { id: "vm".to_owned(), is_server };
            assert_eq!(place(port(), Some(&device("vm", owner))), expected, "{owner}");
        }
        assert_eq!(place(port(), None), Place::Port("p".to_owned()));
    }

    #[test]
    fn only_what_was_asked_for_is_the_pools() {
        let good = r#""id": "a", "floating_ip_address": "192.0.2.1", "port_id": null"#;
        for (fields, expected) in [
            (r#""description": "server", "project_id": "p""#, 1),
            (r#""description": "server", "tenant_id": "p""#, 1),
            (r#""description": "server", "project_id": "p", "tenant_id": "p""#, 1),
            (r#""description": "office-vpn", "project_id": "p""#, 0),
            (r#""description": "", "project_id": "p""#, 0),
            (r#""description": "server ", "project_id": "p""#, 0),
            (r#""description": "Server", "project_id": "p""#, 0),
            (r#""description": null, "project_id": "p""#, 0),
            (r#""project_id": "p""#, 0),
            (r#""description": "server", "project_id": "q""#, 0),
            (r#""description": "server""#, 0),
        ] {
            let mut list = list();
            let body = format!(r#"{{"floatingips": [null, {{{good}, {fields}}}, {{"id": 5}}]}}"#);
            list.add(PATH, body.as_bytes()).unwrap();
            assert_eq!(ids(list).len(), expected, "of {fields}");
        }
    }

    #[test]
    fn one_of_ours_that_cannot_be_read_is_named() {
        let ours = r#""description": "server", "project_id": "p""#;
        for (fields, why) in [
            (r#""floating_ip_address": "192.0.2.1""#, "a floating IP without an id"),
            (r#""id": "a""#, "floating IP a: floating_ip_address cannot be read"),
            (
                r#""id": "a", "floating_ip_address": "x""#,
                "floating IP a: floating_ip_address cannot be read",
            ),
            (
                r#""id": "a", "floating_ip_address": "192.0.2.1""#,
                "floating IP a: port_id cannot be read",
            ),
            (
                r#""id": "a", "floating_ip_address": "192.0.2.1", "port_id": 5"#,
                "floating IP a: port_id cannot be read",
            ),
        ] {
            let body = format!(r#"{{"floatingips": [{{{ours}, {fields}}}]}}"#);
            let error = list().add(PATH, body.as_bytes()).unwrap_err();
            assert_eq!(error.text, format!("/floatingips: {why}"));
        }
    }

    #[test]
    fn one_that_forwards_ports_is_left_out_and_told() {
        let forwardings = [
            ("null", 0),
            ("[]", 0),
            (r#"[{"protocol": "tcp", "external_port": 22}]"#, 1),
            ("[{}, {}]", 1),
            ("[null]", 1),
            (r#""some""#, 1),
            ("{}", 1),
        ];
        for (forwardings, expected) in forwardings {
            let mut list = list();
            let body = format!(
                r#"{{"floatingips": [{{"id": "a", "floating_ip_address": "192.0.2.1", "description": "server",
                    "port_id": null, "project_id": "p", "port_forwardings": {forwardings}}}]}}"#
            );
            list.add(PATH, body.as_bytes()).unwrap();
            assert_eq!(list.forwarding().len(), expected, "of {forwardings}");
            assert_eq!(ids(list).len(), 1 - expected, "of {forwardings}");
        }
    }
}
