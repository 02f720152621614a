//! Nova's list of servers (Compute API, "List Servers Detailed"), put together from its pages. Pure.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Server, ServerId};
use crate::provider::openstack::paging::{Link, next_page};
use crate::provider::openstack::record::ServerRecord;
use crate::provider::openstack::session::parse;

/// Where the list is.
pub const PATH: &str = "/servers/detail";

#[derive(Deserialize)]
struct Page {
    servers: Vec<ServerRecord>,
    #[serde(default)]
    servers_links: Vec<Link>,
}

/// The list as far as it is known.
#[derive(Clone, Debug)]
pub struct ServerList {
    metadata_key: String,
    servers: Vec<Server>,
    ids: BTreeSet<ServerId>,
    on_two_pages: usize,
}

impl ServerList {
    /// An empty list of servers, whose marks are read under `metadata_key`.
    pub fn new(metadata_key: impl Into<String>) -> Self {
        let metadata_key = metadata_key.into();
        ServerList { metadata_key, servers: Vec::new(), ids: BTreeSet::new(), on_two_pages: 0 }
    }

    /// Takes in the page that was found at `path`, and tells where the next one is, if there is one. A page that is not
    /// whole is an error: from a part of a list nothing may be decided.
    pub fn add(&mut self, path: &str, body: &[u8]) -> Result<Option<String>> {
        let page: Page = parse(body, PATH)?;
        let invalid = |why: String| Error::new(ErrorKind::Invalid, format!("{PATH}: {why}"));
        let unknown = page.servers.iter().filter(|record| record.is_unknown()).count();
        if unknown > 0 {
            return Err(invalid(format!(
                "the list is partial: Nova cannot reach the cell of {unknown} servers"
            )));
        }
        let mut here = BTreeSet::new();
        for record in page.servers {
            let server = record.into_server(&self.metadata_key).map_err(invalid)?;
            if self.ids.contains(&server.id) {
                self.on_two_pages += 1;
            } else if here.insert(server.id.clone()) {
                self.servers.push(server);
            }
        }
        self.ids.append(&mut here);
        next_page(PATH, path, &page.servers_links)
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
        let ids: Vec<String> = list.into_servers().into_iter().map(|server| server.id.0).collect();
        assert_eq!(ids, ["a", "b", "c"]);
    }

    #[test]
    fn a_page_that_is_its_own_next_page_is_an_error() {
        let again =
            ServerList::new("group").add("/servers/detail?marker=b", &page(&[], "marker=b"));
        assert_eq!(again.unwrap_err().text, "/servers/detail: the next page is this page");
    }
}
