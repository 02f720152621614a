//! Lists that come in pages: Nova's `servers_links`, Neutron's `floatingips_links`.

use serde::Deserialize;

/// Most pages of one list: beyond it, something goes round in circles.
pub const PAGES_MAX: usize = 1000;

/// A link of a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Link {
    rel: String,
    href: String,
}

/// The path of the next page, if there is one. Only the query is taken from the link: behind a proxy its host, scheme
/// and path are often not the ones we can reach.
pub fn next_page(path: &str, links: &[Link]) -> Option<String> {
    let link = links.iter().find(|link| link.rel == "next")?;
    let query = link.href.split_once('?').map_or("", |(_, query)| query);
    Some(format!("{path}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_asked_for_at_our_own_endpoint() {
        let href = "http://internal:8774/v2.1/servers/detail?limit=50&marker=abc";
        let links = [Link { rel: "next".into(), href: href.into() }];
        let next = next_page("/servers/detail", &links);
        assert_eq!(next.as_deref(), Some("/servers/detail?limit=50&marker=abc"));
        assert_eq!(next_page("/servers/detail", &[]), None);
    }
}
