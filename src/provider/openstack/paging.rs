//! Lists that come in pages: Nova's `servers_links`, Neutron's `floatingips_links`.

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};

/// Most pages of one list: beyond it, something goes round in circles.
pub const PAGES_MAX: usize = 1000;

/// A link of a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Link {
    rel: String,
    href: String,
}

/// Where the next page is, if there is one, of the list at `path` whose page at `this` holds `links`. Only the query is
/// taken from the link: behind a proxy its host, scheme and path are often not the ones we can reach.
pub fn next_page(path: &str, this: &str, links: &[Link]) -> Result<Option<String>> {
    let Some(link) = links.iter().find(|link| link.rel == "next") else { return Ok(None) };
    let query = link.href.split_once('?').map_or("", |(_, query)| query);
    let next = format!("{path}?{query}");
    if next == this {
        let text = format!("{path}: the next page is this page");
        return Err(Error::new(ErrorKind::Invalid, text));
    }
    Ok(Some(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_asked_for_at_our_own_endpoint() {
        const PATH: &str = "/servers/detail";
        let href = "http://internal:8774/v2.1/servers/detail?limit=50&marker=abc";
        let links = [Link { rel: "next".into(), href: href.into() }];
        let next = next_page(PATH, PATH, &links).unwrap();
        assert_eq!(next.as_deref(), Some("/servers/detail?limit=50&marker=abc"));
        assert_eq!(next_page(PATH, PATH, &[]), Ok(None));
    }
}
