//! Nova's list of servers (Compute API, "List Servers Detailed"), put together from its pages. Pure.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::{Error, ErrorKind};
use crate::model::{Server, ServerId};
use crate::provider::openstack::answer::parse_into;
use crate::provider::openstack::paging::{Links, next_page};
use crate::provider::openstack::record::{Item, Ours, Read, ServerRecord, Texts};

/// Where the list is.
pub const PATH: &str = "/servers/detail";

/// A page, whose servers are read one by one into what is kept of them.
struct Page<'a> {
    ours: &'a Ours,
    texts: &'a mut Texts,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Servers,
    #[serde(rename = "servers_links")]
    Links,
    #[serde(other)]
    Other,
}

/// What stood on a page.
#[derive(Default)]
struct Found {
    servers: Vec<Read>,
    links: Links,
    /// How many servers Nova knows nothing about except that they exist.
    unknown: usize,
    /// What is wrong with the first record that is wrong.
    fault: Option<String>,
}

impl<'de> DeserializeSeed<'de> for Page<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Page<'_> {
    type Value = Found;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a page of servers")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Found, A::Error> {
        let (mut found, mut is_list) = (Found::default(), false);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Servers if is_list => return Err(de::Error::duplicate_field("servers")),
                Field::Servers => {
                    let Page { ours, texts } = &mut self;
                    map.next_value_seed(Servers { ours, texts, found: &mut found })?;
                    is_list = true;
                }
                Field::Links => found.links = map.next_value()?,
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if is_list { Ok(found) } else { Err(de::Error::missing_field("servers")) }
    }
}

/// The servers of a page.
struct Servers<'a> {
    ours: &'a Ours,
    texts: &'a mut Texts,
    found: &'a mut Found,
}

impl<'de> DeserializeSeed<'de> for Servers<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Servers<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of servers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(Item(record)) = items.next_element()? {
            self.found.unknown +=
                usize::from(record.as_ref().is_some_and(ServerRecord::is_unknown));
            let read = record.ok_or_else(|| "a record that is not a server".to_owned());
            match read.and_then(|record| record.read(self.ours, self.texts)) {
                Ok(read) => self.found.servers.push(read),
                Err(why) => drop(self.found.fault.get_or_insert(why)),
            }
        }
        Ok(())
    }
}

/// The list as far as it is known.
#[derive(Clone, Debug)]
pub struct ServerList {
    ours: Ours,
    texts: Texts,
    servers: Vec<Server>,
    /// And the page that showed it first.
    ids: BTreeMap<ServerId, usize>,
    pages: usize,
    on_two_pages: usize,
    untyped: BTreeSet<IpAddr>,
    hidden: BTreeSet<&'static str>,
}

impl ServerList {
    /// An empty list of servers, whose marks are read under `metadata_key`. Each that has one may be of the pool.
    pub fn new(metadata_key: impl Into<String>) -> Self {
        ServerList::of(Ours { key: metadata_key.into(), values: None })
    }

    /// An empty list of servers of which `ours` says which may be of the pool.
    pub fn of(ours: Ours) -> Self {
        ServerList {
            ours,
            texts: Texts::default(),
            servers: Vec::new(),
            ids: BTreeMap::new(),
            pages: 0,
            on_two_pages: 0,
            untyped: BTreeSet::new(),
            hidden: BTreeSet::new(),
        }
    }

    /// Takes in the page that was found at `path`, and tells where the next one is, if there is one. A page that is not
    /// whole is an error: from a part of a list nothing may be decided.
    pub fn add(&mut self, path: &str, body: &[u8]) -> crate::error::Result<Option<String>> {
        let found = parse_into(Page { ours: &self.ours, texts: &mut self.texts }, body, PATH)?;
        down_cells(found.unknown)?;
        if let Some(why) = found.fault {
            return Err(Error::new(ErrorKind::Invalid, format!("{PATH}: {why}")));
        }
        self.pages += 1;
        self.servers.reserve(found.servers.len());
        for read in found.servers {
            self.untyped.extend(read.untyped);
            self.hidden.extend(read.hidden);
            match self.ids.entry(read.server.id.clone()) {
                Entry::Vacant(place) => {
                    place.insert(self.pages);
                    self.servers.push(read.server);
                }
                Entry::Occupied(place) => {
                    self.on_two_pages += usize::from(*place.get() != self.pages);
                }
            }
        }
        next_page(PATH, path, &found.links)
    }

    /// Whether some address did not say whether it is fixed or floating.
    pub fn has_untyped(&self) -> bool {
        !self.untyped.is_empty()
    }

    /// Of those addresses, these are floating.
    pub fn are_floating(&mut self, floating: &BTreeSet<IpAddr>) {
        let moved: BTreeSet<IpAddr> = self.untyped.intersection(floating).copied().collect();
        for server in &mut self.servers {
            let here = server.fixed.iter().map(|fixed| fixed.address);
            server.floating.extend(here.filter(|address| moved.contains(address)));
            server.fixed.retain(|fixed| !moved.contains(&fixed.address));
        }
    }

    /// The fields that some record lacks, of those that decide anything.
    pub fn hidden(&self) -> impl Iterator<Item = &'static str> {
        self.hidden.iter().copied()
    }

    /// How many were on two pages: they moved in the list while it was read, as they do while Nova schedules them. Then others
    /// may have been on none.
    pub fn on_two_pages(&self) -> usize {
        self.on_two_pages
    }

    /// All of them, without doubles.
    pub fn into_servers(self) -> Vec<Server> {
        self.servers
    }
}

/// A list is partial when it holds this many servers that Nova knows nothing about except that they exist.
pub fn down_cells(unknown: usize) -> crate::error::Result<()> {
    if unknown == 0 {
        return Ok(());
    }
    let text =
        format!("{PATH}: the list is partial: Nova cannot reach the cell of {unknown} servers");
    Err(Error::new(ErrorKind::Invalid, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], next: &str) -> Vec<u8> {
        let server = |id: &&str| {
            format!(r#"{{"id": "{id}", "metadata": {{}}, "created": "2026-11-24T19:00:00Z"}}"#)
        };
        let servers: Vec<String> = ids.iter().map(server).collect();
        let links =
            format!(r#"[{{"rel": "next", "href": "http://nova/v2.1/servers/detail?{next}"}}]"#);
        format!(r#"{{"servers": [{}], "servers_links": {links}}}"#, servers.join(",")).into_bytes()
    }

    #[test]
    fn a_server_on_two_pages_is_one_server() {
        let mut list = ServerList::new("group");
        let next = list.add(PATH, &page(&["a", "b"], "marker=b")).unwrap();
        assert_eq!(next.as_deref(), Some("/servers/detail?marker=b"));
        list.add("/servers/detail?marker=b", &page(&["b", "c", "c"], "marker=c")).unwrap();
        assert_eq!(list.on_two_pages(), 1, "c is on one page");
        let servers = list.into_servers();
        let ids: Vec<&str> = servers.iter().map(|server| server.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
    }

    #[test]
    fn a_page_that_is_its_own_next_page_is_an_error() {
        let again =
            ServerList::new("group").add("/servers/detail?marker=b", &page(&[], "marker=b"));
        assert_eq!(again.unwrap_err().text, "/servers/detail: the next page is this page");
    }

    #[test]
    fn an_address_of_unknown_type_is_floating_when_it_is_a_floating_ip() {
        let mut list = ServerList::new("group");
        let page = br#"{"servers": [{"id": "a", "metadata": {}, "created": "2026-11-24T19:00:00Z", "addresses": {"n": [
            {"addr": "10.0.0.4"}, {"addr": "203.0.113.9"}, {"addr": "10.0.0.5", "OS-EXT-IPS:type": "fixed"}]}}]}"#;
        list.add(PATH, page).unwrap();
        assert!(list.has_untyped());
        let [four, five, floating] =
            ["10.0.0.4", "10.0.0.5", "203.0.113.9"].map(|text| text.parse::<IpAddr>().unwrap());
        // Not even a floating IP of that address makes floating what Nova says is fixed.
        list.are_floating(&BTreeSet::from([floating, five]));
        let server = list.into_servers().remove(0);
        let fixed: Vec<IpAddr> = server.fixed.iter().map(|fixed| fixed.address).collect();
        assert_eq!((fixed, server.floating), (vec![four, five], vec![floating]));
    }

    #[test]
    fn a_record_that_is_no_server_is_no_whole_list() {
        for record in ["null", "5", "[]", "{}", r#"{"id": ""}"#, r#"{"id": 5}"#] {
            let page = format!(r#"{{"servers": [{record}]}}"#);
            let added = ServerList::new("group").add(PATH, page.as_bytes());
            assert!(added.is_err(), "of {record}");
        }
    }
}
