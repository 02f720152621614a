//! Neutron: the network, ports and floating IPs (Networking API v2.0).

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Attempts, Method};
use crate::model::{AddressId, ExternalAddress, ServerId};
use crate::provider::openstack::answer::{Named, Told, parse};
use crate::provider::openstack::floating_ips::{
    self, Device, FloatingIp, FloatingIpList, PATH, Place, Wanted,
};
use crate::provider::openstack::paging::{self, Links, PAGES_MAX};
use crate::provider::openstack::question::{Question, Service};
use crate::provider::openstack::session::Session;
use crate::provider::openstack::{encode, is_uuid, of_one_name, same_id};

/// How many networks an error names at most.
const NAMED_MAX: usize = 10;

#[derive(Deserialize)]
struct Networks {
    networks: Vec<Told<Named>>,
    #[serde(default)]
    networks_links: Links,
}

#[derive(Deserialize)]
struct OneNetwork {
    network: Named,
}

#[derive(Deserialize)]
struct OneFloatingIp {
    floatingip: Binding,
}

#[derive(Deserialize)]
struct Binding {
    port_id: Option<String>,
}

#[derive(Deserialize)]
struct Ports {
    ports: Vec<Told<Port>>,
    #[serde(default)]
    ports_links: Links,
}

#[derive(Deserialize)]
struct OnePort {
    port: Device,
}

#[derive(Clone, Debug, Deserialize)]
struct Port {
    id: String,
    #[serde(default)]
    device_id: Told<String>,
    #[serde(default)]
    fixed_ips: Told<Vec<Told<FixedIp>>>,
}

#[derive(Clone, Debug, Deserialize)]
struct FixedIp {
    ip_address: IpAddr,
}

impl Port {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let fixed_ips = self.fixed_ips.get().into_iter().flatten();
        fixed_ips.filter_map(Told::get).map(|fixed| fixed.ip_address)
    }
}

/// The network `wanted`, by id or name.
pub fn network(session: &mut Session, wanted: &str) -> Result<Named> {
    if is_uuid(wanted)
        && let Some(network) = by_id(session, wanted)?
    {
        return Ok(network);
    }
    let path = format!("/networks?name={}&fields=id&fields=name", encode(wanted));
    let mut found = networks(session, path)?;
    found.retain(|network| network.name() == wanted);
    match found.as_slice() {
        [network] => Ok(network.clone()),
        [] => Err(no_such(session, wanted)?),
        several => {
            let ids: Vec<&str> = several.iter().map(|network| network.id.as_str()).collect();
            Err(of_one_name(&format!("OPENSTACK_NETWORK \"{wanted}\""), "networks", &ids))
        }
    }
}

/// All networks of the list at `path` that can be read; a filter in it may have been left out.
fn networks(session: &mut Session, path: String) -> Result<Vec<Named>> {
    let parts = |page: Networks| (page.networks, page.networks_links);
    paging::all(session, Service::Network, path, parts)
}

fn by_id(session: &mut Session, id: &str) -> Result<Option<Named>> {
    let path = format!("/networks/{}?fields=id&fields=name", encode(id));
    match session.ask(&Question::get(Service::Network, &path)) {
        Ok(response) => {
            let network = parse::<OneNetwork>(&response.body, &path)?.network;
            if same_id(&network.id, id) {
                return Ok(Some(network));
            }
            let text = format!("{path}: the answer is about another network");
            Err(Error::new(ErrorKind::Invalid, text))
        }
        Err(error) if error.kind == ErrorKind::Refused(404) => Ok(None),
        Err(error) => Err(error),
    }
}

fn no_such(session: &mut Session, wanted: &str) -> Result<Error> {
    let region = session.login()?.endpoints.region.clone();
    let all = networks(session, "/networks?fields=id&fields=name".to_owned())?;
    let mut names: Vec<&str> = all.iter().map(Named::name).collect();
    names.sort_unstable();
    let more = if names.len() > NAMED_MAX { " …" } else { "" };
    let have = names.into_iter().take(NAMED_MAX).collect::<Vec<_>>().join(", ");
    let text = format!(
        "OPENSTACK_NETWORK \"{wanted}\": no such network in region {region} (have: {have}{more})"
    );
    Ok(Error::new(ErrorKind::Setting, text))
}

/// The project's floating IPs with the pool's description.
pub fn external_addresses(session: &mut Session) -> Result<Vec<ExternalAddress>> {
    // An administrator's list holds every project's: ours are asked for.
    let project = session.login()?.project.id.clone();
    let description = session.settings().floating_ip_description.clone();
    let query = format!("description={}&project_id={}", encode(&description), encode(&project));
    let mut list = FloatingIpList::of(Wanted { description, project });
    let mut next = Some(format!("{PATH}?{query}"));
    for _ in 0..PAGES_MAX {
        let Some(path) = next else { return found(session, list) };
        let response = session.ask(&Question::get(Service::Network, &path))?;
        next = list.add(&path, &response.body)?;
    }
    Err(Error::new(ErrorKind::Invalid, format!("{PATH}: more than {PAGES_MAX} pages")))
}

fn found(session: &mut Session, list: FloatingIpList) -> Result<Vec<ExternalAddress>> {
    for address in list.forwarding() {
        session
            .say_once(&format!("floating IP {address} forwards single ports, so it is left alone"));
    }
    let none = no_address(&session.settings().floating_ip_description);
    let forwards = !list.forwarding().is_empty();
    let all = list.into_floating_ips();
    if all.is_empty() && !forwards {
        session.say_once(&none);
    } else {
        session.forget_said(&none);
    }
    all.into_iter().map(|floating_ip| external_address(session, floating_ip)).collect()
}

/// What is to be said when there is no address to manage.
pub fn no_address(description: &str) -> String {
    format!(
        "no floating IP of the project has the description \"{description}\" (OPENSTACK_FLOATING_IP_DESCRIPTION), so there \
         is none to manage"
    )
}

/// The addresses of all floating IPs of the project, whatever their description.
pub fn floating_addresses(session: &mut Session) -> Result<BTreeSet<IpAddr>> {
    let project = session.login()?.project.id.clone();
    let mut next = Some(format!("{PATH}?project_id={}", encode(&project)));
    let mut found = BTreeSet::new();
    for _ in 0..PAGES_MAX {
        let Some(path) = next else { return Ok(found) };
        let response = session.ask(&Question::get(Service::Network, &path))?;
        let (addresses, further) = floating_ips::addresses(&path, &response.body)?;
        found.extend(addresses);
        next = further;
    }
    Err(Error::new(ErrorKind::Invalid, format!("{PATH}: more than {PAGES_MAX} pages")))
}

fn external_address(session: &mut Session, floating_ip: FloatingIp) -> Result<ExternalAddress> {
    let FloatingIp { id, address, place } = floating_ip;
    let (device, on_server_port) = match place {
        Place::Nowhere => (None, false),
        Place::Device { id, is_server } => (Some(id), is_server),
        Place::Port(port) => {
            let (device, is_server) = device_of(session, &port)?;
            (Some(device).filter(|device| !device.is_empty()), is_server)
        }
    };
    let holder = device.map(ServerId::new);
    Ok(ExternalAddress { id, address, holder, on_server_port })
}

/// A port that we may not see, or that does not tell, is somebody's: its id stands for a holder that is none of our servers.
fn device_of(session: &mut Session, port: &str) -> Result<(String, bool)> {
    let path = format!("/ports/{}", encode(port));
    let somebody = format!("port {port}");
    match session.ask(&Question::get(Service::Network, &path)) {
        Ok(response) => {
            let device = parse::<OnePort>(&response.body, &path)?.port;
            Ok((device.id().map_or(somebody, str::to_owned), device.is_server()))
        }
        Err(error) if matches!(error.kind, ErrorKind::Refused(403 | 404)) => Ok((somebody, false)),
        Err(error) => Err(error),
    }
}

/// The ports of `server`: where the filter is left out, they are on any page.
fn ports(session: &mut Session, server: &ServerId) -> Result<Vec<Port>> {
    let query = format!(
        "device_id={}&fields=id&fields=device_id&fields=fixed_ips",
        encode(server.as_str())
    );
    let own = |port: &Port| port.device_id.text() == Some(server.as_str());
    let parts = |page: Ports| (page.ports, page.ports_links);
    let mut found = paging::all(session, Service::Network, format!("/ports?{query}"), parts)?;
    found.retain(own);
    Ok(found)
}

/// Binds an address to the port of `server` that has the fixed address `probed`.
pub fn bind(
    session: &mut Session,
    address: &AddressId,
    server: &ServerId,
    probed: IpAddr,
) -> Result<()> {
    let ports = ports(session, server)?;
    let (port, fixed) = choose_port(&ports, probed)
        .map_err(|why| Error::new(ErrorKind::Refused(400), format!("server {server} {why}")))?;
    let body = json!({"floatingip": {"port_id": port, "fixed_ip_address": fixed}}).to_string();
    let path = format!("/floatingips/{}", encode(&address.0));
    let question = Question {
        service: Service::Network,
        method: Method::Put,
        path: &path,
        body: Some(body.as_bytes()),
        attempts: Attempts::Several,
    };
    let response = session.ask(&question)?;
    // Anything else that answers 200 (a proxy, a portal) moved nothing, and the finished holder has to wait for this
    // move.
    let answer: OneFloatingIp = parse(&response.body, &format!("PUT {path}"))?;
    match answer.floatingip.port_id {
        Some(bound) if bound == port => Ok(()),
        bound => {
            let bound = bound.unwrap_or_else(|| "no port".to_owned());
            let text = format!("PUT {path}: asked for port {port}, the answer shows {bound}");
            Err(Error::new(ErrorKind::Invalid, text))
        }
    }
}

/// The port with the probed address and the IPv4 to bind to: the probed one, or else the port's only one.
fn choose_port(ports: &[Port], probed: IpAddr) -> std::result::Result<(&str, IpAddr), String> {
    let has = |port: &&Port| port.addresses().any(|address| address == probed);
    let port = ports.iter().find(has).ok_or_else(|| format!("has no port with {probed}"))?;
    if probed.is_ipv4() {
        return Ok((&port.id, probed));
    }
    let ipv4: Vec<IpAddr> = port.addresses().filter(IpAddr::is_ipv4).collect();
    match ipv4.as_slice() {
        [only] => Ok((&port.id, *only)),
        [] => Err(format!("has no IPv4 on the port with {probed}, so it can hold no floating IP")),
        _ => {
            Err(format!("has several IPv4 on the port with {probed}: it is not clear which to use"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ports: &[(&str, &[&str])], probed: &str, expected: Result<(&str, &str), &str>) {
        let ports: Vec<Port> = ports
            .iter()
            .map(|(id, fixed)| {
                let fixed = fixed
                    .iter()
                    .map(|address| Told::Is(FixedIp { ip_address: address.parse().unwrap() }));
                let fixed_ips = Told::Is(fixed.collect());
                Port { id: (*id).to_owned(), device_id: Told::Not, fixed_ips }
            })
            .collect();
        let chosen = choose_port(&ports, probed.parse().unwrap());
        let expected = expected
            .map(|(id, fixed)| (id, fixed.parse::<IpAddr>().unwrap()))
            .map_err(str::to_owned);
        assert_eq!(chosen, expected);
    }

    type Result<T, E> = std::result::Result<T, E>;

    #[test]
    fn the_probed_address_is_bound() {
        let ports: &[(&str, &[&str])] = &[("p1", &["10.0.0.4"]), ("p2", &["10.0.0.5", "10.0.0.6"])];
        check(ports, "10.0.0.6", Ok(("p2", "10.0.0.6")));
        check(ports, "10.0.0.7", Err("has no port with 10.0.0.7"));
    }

    #[test]
    fn a_replica_probed_by_ipv6_holds_the_address_on_its_only_ipv4() {
        check(&[("p", &["fd10::5", "10.0.0.5"])], "fd10::5", Ok(("p", "10.0.0.5")));
        let none = "has no IPv4 on the port with fd10::5, so it can hold no floating IP";
        check(&[("p", &["fd10::5"])], "fd10::5", Err(none));
        let several = "has several IPv4 on the port with fd10::5: it is not clear which to use";
        check(&[("p", &["fd10::5", "10.0.0.5", "10.0.0.6"])], "fd10::5", Err(several));
    }
}
