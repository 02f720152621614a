//! Neutron's list of floating IPs (Networking API v2.0, "List floating IPs"), put together from its pages. Pure.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Deserialize;

use crate::error::Result;
use crate::model::AddressId;
use crate::provider::openstack::paging::{Link, next_page};
use crate::provider::openstack::session::parse;

/// Where the list is.
pub const PATH: &str = "/floatingips";

#[derive(Deserialize)]
struct Page {
    floatingips: Vec<Record>,
    #[serde(default)]
    floatingips_links: Vec<Link>,
}

#[derive(Deserialize)]
struct Record {
    id: String,
    #[serde(rename = "floating_ip_address")]
    address: IpAddr,
    port_id: Option<String>,
    port_details: Option<Device>,
}

/// Who a port belongs to.
#[derive(Deserialize)]
pub struct Device {
    /// A server's id, for a server's port; empty for nobody's.
    #[serde(default, rename = "device_id")]
    pub id: String,
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
    Device(String),
    /// The port with this id; Neutron before Rocky does not say whose it is.
    Port(String),
}

/// The list as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct FloatingIpList {
    floating_ips: Vec<FloatingIp>,
    ids: BTreeSet<AddressId>,
}

impl FloatingIpList {
    /// Takes in the page that was found at `path`, and tells where the next one is, if there is one.
    pub fn add(&mut self, path: &str, body: &[u8]) -> Result<Option<String>> {
        let page: Page = parse(body, PATH)?;
        for record in page.floatingips {
            let floating_ip = FloatingIp {
                place: place(record.port_id, record.port_details),
                address: record.address,
                id: AddressId(record.id),
            };
            // What moved while the pages were read is on two of them.
            if self.ids.insert(floating_ip.id.clone()) {
                self.floating_ips.push(floating_ip);
            }
        }
        next_page(PATH, path, &page.floatingips_links)
    }

    /// All of them, without doubles.
    pub fn into_floating_ips(self) -> Vec<FloatingIp> {
        self.floating_ips
    }
}

/// The holder is the port's device, never whoever happens to have the fixed address.
fn place(port: Option<String>, details: Option<Device>) -> Place {
    match (port, details) {
        (None, _) => Place::Nowhere,
        (Some(_), Some(device)) if device.id.is_empty() => Place::Nowhere,
        (Some(_), Some(device)) => Place::Device(device.id),
        (Some(port), None) => Place::Port(port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], next: &str) -> Vec<u8> {
        let one = |id: &&str| format!(r#"{{"id": "{id}", "floating_ip_address": "192.0.2.1"}}"#);
        let all: Vec<String> = ids.iter().map(one).collect();
        let links =
            format!(r#"[{{"rel": "next", "href": "http://neutron/v2.0/floatingips?{next}"}}]"#);
        format!(r#"{{"floatingips": [{}], "floatingips_links": {links}}}"#, all.join(","))
            .into_bytes()
    }

    #[test]
    fn an_address_on_two_pages_is_one_address() {
        let mut list = FloatingIpList::default();
        let next = list.add(PATH, &page(&["a", "b"], "marker=b")).unwrap();
        assert_eq!(next.as_deref(), Some("/floatingips?marker=b"));
        list.add("/floatingips?marker=b", &page(&["b", "c"], "marker=c")).unwrap();
        let ids: Vec<String> = list.into_floating_ips().into_iter().map(|one| one.id.0).collect();
        assert_eq!(ids, ["a", "b", "c"]);
    }

    #[test]
    fn a_page_that_is_its_own_next_page_is_an_error() {
        let again = FloatingIpList::default().add("/floatingips?marker=b", &page(&[], "marker=b"));
        assert_eq!(again.unwrap_err().text, "/floatingips: the next page is this page");
    }

    #[test]
    fn the_holder_is_the_ports_device() {
        let device = |id: &str| Some(Device { id: id.to_owned() });
        let port = || Some("p".to_owned());
        assert_eq!(place(None, device("vm")), Place::Nowhere);
        assert_eq!(place(port(), device("")), Place::Nowhere);
        assert_eq!(place(port(), device("vm")), Place::Device("vm".to_owned()));
        assert_eq!(place(port(), None), Place::Port("p".to_owned()));
    }
}
