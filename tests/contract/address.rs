//! Floating IPs: bound, moved, refused.

use std::net::IpAddr;

use simplescalevm::error::ErrorKind;
use simplescalevm::model::{AddressId, ExternalAddress, Server, ServerId};
use simplescalevm::provider::openstack::OpenStackMut;
use simplescalevm::provider::{Provider, ProviderMut};
use simplescalevm::settings::OpenStackSettings;

use super::{Ground, ipv4, list, open, open_with, running, until};

pub fn an_address_is_bound_and_moved(ground: &dyn Ground) {
    let mut provider = open(ground);
    let servers = running(&mut provider, 2);
    let address = ground.add_address();
    assert_eq!(holder(&mut provider, &address), None);
    for server in [&servers[0], &servers[1], &servers[0]] {
        bind(&mut provider, &address, server).expect("one PUT binds it, wherever it was");
        assert_eq!(holder(&mut provider, &address).as_ref(), Some(&server.id));
    }
    let external = external(&mut provider, &address).address;
    let fixed = ipv4(&servers[0]).address;
    until("the floating address beside the fixed one in the list of servers", || {
        let servers_now = list(&mut provider);
        let shown = |server: &Server| server.floating == [external];
        let holders: Vec<&ServerId> =
            servers_now.iter().filter(|server| shown(server)).map(|server| &server.id).collect();
        let only = holders == [&servers[0].id];
        (only, servers_now)
    });
    let listed = list(&mut provider);
    let server = listed.iter().find(|server| server.id == servers[0].id).unwrap();
    assert_eq!(ipv4(server).address, fixed, "a floating address is no fixed one");
}

pub fn two_addresses_do_not_fit_on_one_server(ground: &dyn Ground) {
    let mut provider = open(ground);
    let server = running(&mut provider, 1).remove(0);
    let (one, two) = (ground.add_address(), ground.add_address());
    bind(&mut provider, &one, &server).unwrap();
    bind(&mut provider, &one, &server).expect("where it is already");
    let error = bind(&mut provider, &two, &server).expect_err("there is one already");
    assert_eq!(error.kind, ErrorKind::Refused(409), "{error}");
    assert!(error.text.contains("already has a floating IP"), "{error}");
    assert_eq!(holder(&mut provider, &one), Some(server.id));
    assert_eq!(holder(&mut provider, &two), None);
}

pub fn a_deleted_servers_address_is_free(ground: &dyn Ground) {
    let mut provider = open(ground);
    let server = running(&mut provider, 1).remove(0);
    let address = ground.add_address();
    bind(&mut provider, &address, &server).unwrap();
    provider.delete(&server.id).unwrap();
    until("no server, and an address on nothing", || {
        let servers = list(&mut provider);
        let holder = holder(&mut provider, &address);
        (servers.is_empty() && holder.is_none(), (servers, holder))
    });
}

pub fn an_address_that_never_was_is_refused(ground: &dyn Ground) {
    let mut provider = open(ground);
    let server = running(&mut provider, 1).remove(0);
    let nowhere = AddressId("c6f04e5b-33f7-4413-97a3-1383e5950011".into());
    let error = bind(&mut provider, &nowhere, &server).expect_err("there is no such address");
    assert_eq!(error.kind, ErrorKind::Refused(404), "{error}");
    let said = format!("status 404: Floating IP {nowhere} could not be found");
    assert!(error.text.ends_with(&said), "{error}");
}

pub fn a_server_without_that_port_is_refused(ground: &dyn Ground) {
    let mut provider = open(ground);
    let address = ground.add_address();
    let nobody = ServerId::new("c6f04e5b-33f7-4413-97a3-1383e5950011");
    let fixed: IpAddr = "127.1.1.1".parse().unwrap();
    let error = provider.bind(&address, &nobody, fixed).expect_err("there is no such server");
    assert_eq!(error.kind, ErrorKind::Refused(400), "{error}");
    assert_eq!(error.text, format!("server {nobody} has no port with 127.1.1.1"));
}

pub fn an_ipv6_replica_holds_on_its_ipv4(ground: &dyn Ground) {
    let mut provider = open(ground);
    let server = running(&mut provider, 1).remove(0);
    let six = server.fixed.iter().find(|fixed| fixed.address.is_ipv6());
    let six = six.unwrap_or_else(|| panic!("Ext-Net gives an IPv6 address, too: {server:?}"));
    let address = ground.add_address();
    provider.bind(&address, &server.id, six.address).unwrap();
    assert_eq!(holder(&mut provider, &address), Some(server.id));
}

pub fn other_descriptions_are_others_business(ground: &dyn Ground) {
    ground.add_address();
    let other =
        OpenStackSettings { floating_ip_description: "nobody's".into(), ..ground.settings() };
    assert_eq!(open_with(&other).external_addresses().unwrap(), []);
    assert_eq!(open(ground).external_addresses().unwrap().len(), 1);
}

fn bind(
    provider: &mut OpenStackMut,
    address: &AddressId,
    server: &Server,
) -> simplescalevm::error::Result<()> {
    provider.bind(address, &server.id, ipv4(server).address)
}

#[track_caller]
fn external(provider: &mut OpenStackMut, address: &AddressId) -> ExternalAddress {
    let all = provider.external_addresses().expect("a list of floating IPs");
    let found = all.iter().find(|one| one.id == *address);
    found.unwrap_or_else(|| panic!("{address} is not among {all:?}")).clone()
}

#[track_caller]
fn holder(provider: &mut OpenStackMut, address: &AddressId) -> Option<ServerId> {
    external(provider, address).holder
}
