//! `OpenStack`: Keystone, Nova, Neutron and Glance. One file per service; [`session::Session`] logs in for all.

pub mod answer;
pub mod catalog;
mod check;
mod compute;
pub mod floating_ips;
mod hidden;
pub mod identity;
pub mod image;
mod ingredients;
mod large;
mod limits;
pub mod login;
mod microversion;
mod network;
mod new_server;
#[cfg(test)]
mod odd_tests;
mod paging;
pub mod question;
mod record;
mod scheduling;
mod security_groups;
pub mod servers;
pub mod session;
mod states;
mod times;

use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Error, ErrorKind, Result};
use crate::handles::Handles;
use crate::http::{CloudClient, Trust};
use crate::model::{AddressId, ExternalAddress, Listing, Scope, Server, ServerId, is_uuid};
use crate::provider::{CheckLine, Creation, Provider, ProviderMut, Quota};
use crate::settings::{Mark, OpenStackSettings};
use ingredients::Ingredients;
use record::Ours;
use session::Session;

/// That a setting names several things, which only an id tells apart; `given` is the setting with its value.
fn of_one_name(given: &str, things: &str, ids: &[&str]) -> Error {
    let (count, ids) = (ids.len(), ids.join(", "));
    let text = format!("{given}: {count} {things} have this name; give the id of one: {ids}");
    Error::new(ErrorKind::Setting, text)
}

/// A client for the cloud of these settings. An unreadable `OS_CACERT`, `OS_CERT` or `OS_KEY` is an error.
pub fn client(settings: &OpenStackSettings, handles: Handles) -> Result<CloudClient> {
    let trust = Trust {
        cacert: settings.cacert.as_deref(),
        insecure: settings.insecure,
        client: settings.client_certificate.as_ref(),
    };
    CloudClient::new(trust, settings.proxies.clone(), handles)
}

/// What RFC 3986 lets stand as it is in any part of a URL.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `text` as one segment of a path, or one value of a query.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Whether two ids are of the same thing, with their hyphens or without.
pub fn same_id(one: &str, other: &str) -> bool {
    let bare = |id: &str| id.replace('-', "").to_ascii_lowercase();
    bare(one) == bare(other)
}

/// A project of an `OpenStack` cloud, to look at.
#[derive(Debug)]
pub struct OpenStack {
    session: Session,
    ours: Ours,
    manage_addresses: bool,
    network_name: Option<String>,
}

impl OpenStack {
    /// A client that logs in when it is first asked something. An unreadable `OS_CACERT` is an error.
    pub fn new(
        settings: &OpenStackSettings,
        manage_addresses: bool,
        handles: Handles,
    ) -> Result<Self> {
        let client = client(settings, handles)?;
        let session = Session::new(client, settings.clone());
        let ours = Ours { key: settings.metadata_key.clone(), values: None };
        Ok(OpenStack { session, ours, manage_addresses, network_name: None })
    }

    /// The same for a pool with this mark: of servers that carry another one, no more than that is read.
    #[must_use]
    pub fn of_pool(mut self, mark: &Mark) -> Self {
        self.ours = Ours { key: mark.key.clone(), values: Some(mark.values()) };
        self
    }

    /// The same for a single pass: standing conditions are not worth a line each time.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.session.be_quiet();
        self
    }

    /// A failure like this may mean that an endpoint is no longer where the login said.
    fn doubting<T>(&mut self, result: Result<T>) -> Result<T> {
        if result.as_ref().is_err_and(Session::may_have_moved) {
            self.session.doubt();
        }
        result
    }
}

impl Provider for OpenStack {
    fn servers(&mut self) -> Result<Listing> {
        let listing = compute::servers(&mut self.session, &self.ours);
        self.doubting(listing)
    }

    /// A name needs no question. An id is looked up once: a later change of the network's name shows in the next
    /// creation, and until then each server's only network is used.
    fn network_name(&mut self) -> Result<String> {
        let setting = &self.session.settings().network;
        if !is_uuid(setting) {
            return Ok(setting.clone());
        }
        if let Some(name) = &self.network_name {
            return Ok(name.clone());
        }
        let wanted = setting.clone();
        let network = network::network(&mut self.session, &wanted);
        let network = self.doubting(network)?.name().to_owned();
        Ok(self.network_name.insert(network).clone())
    }

    fn external_addresses(&mut self) -> Result<Vec<ExternalAddress>> {
        let addresses = network::external_addresses(&mut self.session);
        self.doubting(addresses)
    }

    fn server(&mut self, id: &ServerId) -> Result<Option<Server>> {
        let server = compute::server(&mut self.session, &self.ours, id);
        self.doubting(server)
    }

    fn scope(&self) -> Option<Scope> {
        self.session.scope()
    }

    fn check(&mut self) -> Vec<CheckLine> {
        check::check(&mut self.session, &self.ours, self.manage_addresses)
    }

    fn quotas(&mut self) -> Vec<Result<Quota>> {
        limits::quotas(&mut self.session)
    }
}

/// The same project, to change. Only this type can.
#[derive(Debug)]
pub struct OpenStackMut(OpenStack);

impl OpenStackMut {
    /// Lets `reader` change what it sees.
    pub fn new(reader: OpenStack) -> Self {
        OpenStackMut(reader)
    }

    /// Names are resolved anew for each creation, so that a new image with the old name is used.
    fn ingredients(&mut self) -> Result<Ingredients> {
        let ingredients = ingredients::gather(&mut self.0.session)?;
        self.0.network_name = Some(ingredients.network_name.clone());
        Ok(ingredients)
    }
}

impl Provider for OpenStackMut {
    fn servers(&mut self) -> Result<Listing> {
        self.0.servers()
    }

    fn network_name(&mut self) -> Result<String> {
        self.0.network_name()
    }

    fn external_addresses(&mut self) -> Result<Vec<ExternalAddress>> {
        self.0.external_addresses()
    }

    fn server(&mut self, id: &ServerId) -> Result<Option<Server>> {
        self.0.server(id)
    }

    fn scope(&self) -> Option<Scope> {
        self.0.scope()
    }

    fn check(&mut self) -> Vec<CheckLine> {
        self.0.check()
    }

    fn quotas(&mut self) -> Vec<Result<Quota>> {
        self.0.quotas()
    }
}

impl ProviderMut for OpenStackMut {
    fn create(&mut self, creation: &Creation) -> Result<ServerId> {
        let ingredients = self.ingredients();
        let ingredients = self.0.doubting(ingredients).map_err(never_asked)?;
        new_server::create(&mut self.0.session, creation, &ingredients)
    }

    fn delete(&mut self, id: &ServerId) -> Result<()> {
        compute::delete(&mut self.0.session, id)
    }

    fn bind(&mut self, address: &AddressId, server: &ServerId, fixed: IpAddr) -> Result<()> {
        let bound = network::bind(&mut self.0.session, address, server, fixed);
        // A 404 is about the address or the port.
        if bound.as_ref().is_err_and(|error| matches!(error.kind, ErrorKind::Refused(_))) {
            return bound;
        }
        self.0.doubting(bound)
    }

    fn as_provider(&mut self) -> &mut dyn Provider {
        &mut self.0
    }
}

/// What failed before Nova was asked cannot have made a server.
fn never_asked(error: Error) -> Error {
    let kind = match error.kind {
        ErrorKind::Unclear | ErrorKind::Invalid | ErrorKind::TooLarge => ErrorKind::Unavailable,
        kind => kind,
    };
    Error { kind, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_an_id() {
        assert!(is_uuid("c6f04e5b-33f7-4413-97a3-1383e5950011"));
        assert!(
            is_uuid("059969c1f22846af8e1d401d009d8239"),
            "ids without hyphens are still in use"
        );
        for name in ["Ext-Net", "d2-8", "", "c6f04e5b-33f7-4413-97a3-1383e595001z"] {
            assert!(!is_uuid(name), "{name:?} is a name");
        }
    }

    #[test]
    fn an_id_is_the_same_with_its_hyphens_and_without() {
        let id = "c6f04e5b-33f7-4413-97a3-1383e5950011";
        assert!(same_id(id, "C6F04E5B33F7441397A31383E5950011"));
        assert!(!same_id(id, "c6f04e5b-33f7-4413-97a3-1383e5950012"));
    }

    #[test]
    fn names_survive_the_way_into_a_url() {
        assert_eq!(encode("Debian 11 & more/é"), "Debian%2011%20%26%20more%2F%C3%A9");
    }
}
