//! Lists that come in pages: Nova's `servers_links`, Neutron's `floatingips_links`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::provider::openstack::answer::{Told, readable};
use crate::provider::openstack::question::Service;
use crate::provider::openstack::session::Session;

/// Most pages of one list: beyond it, something goes round in circles.
pub const PAGES_MAX: usize = 1000;

/// The links of a list; none, absent and `null` are the end of it.
pub type Links = Told<Vec<Told<Link>>>;

/// A link of a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Link {
    #[serde(default)]
    rel: Told<String>,
    #[serde(default)]
    href: Told<String>,
}

/// All that can be read of a short list: what stands on its pages, the first of which is at `first`, is in their `parts`.
pub fn all<P: DeserializeOwned, T>(
    session: &mut Session,
    service: Service,
    first: String,
    parts: impl Fn(P) -> (Vec<Told<T>>, Links),
) -> Result<Vec<T>> {
    let list = first.split('?').next().unwrap_or_default().to_owned();
    let (mut found, mut next) = (Vec::new(), Some(first));
    for _ in 0..PAGES_MAX {
        let Some(path) = next else { break };
        let (items, links) = parts(session.read(service, &path)?);
        found.extend(readable(items));
        next = next_page(&list, &path, &links)?;
    }
    Ok(found)
}

/// Where the next page is, if there is one, of the list at `path` whose page at `this` holds `links`. Only the query is
/// taken from the link: behind a proxy its host, scheme and path are often not the ones we can reach.
///
/// A link that cannot be read may be the one to the rest of the list, so it is an error.
pub fn next_page(path: &str, this: &str, links: &Links) -> Result<Option<String>> {
    let invalid = |why: &str| Error::new(ErrorKind::Invalid, format!("{path}: {why}"));
    let unreadable = || invalid("the link to the next page cannot be read");
    let links = match links {
        Told::Not | Told::Null => return Ok(None),
        Told::Is(links) => links,
        Told::Odd => return Err(unreadable()),
    };
    for link in links {
        let link = link.get().ok_or_else(unreadable)?;
        if link.rel.text().ok_or_else(unreadable)? != "next" {
            continue;
        }
        let href = link.href.text().ok_or_else(unreadable)?;
        let next = format!("{path}?{}", href.split_once('?').map_or("", |(_, query)| query));
        if next == this {
            return Err(invalid("the next page is this page"));
        }
        return Ok(Some(next));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/servers/detail";

    fn next(links: &str) -> std::result::Result<Option<String>, String> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            links: Links,
        }
        let page: Page = serde_json::from_str(&format!("{{{links}}}")).unwrap();
        next_page(PATH, PATH, &page.links).map_err(|error| error.text)
    }

    #[test]
    fn the_next_page_is_asked_for_at_our_own_endpoint() {
        let href = "http://internal:8774/v2.1/servers/detail?limit=50&marker=abc";
        let found = next(&format!(r#""links": [{{"rel": "next", "href": "{href}"}}]"#));
        assert_eq!(found, Ok(Some("/servers/detail?limit=50&marker=abc".to_owned())));
        for end in ["", r#""links": null"#, r#""links": []"#, r#""links": [{"rel": "self"}]"#] {
            assert_eq!(next(end), Ok(None), "of {end}");
        }
    }

    #[test]
    fn a_link_that_cannot_be_read_is_no_end() {
        for links in
            ["5", "[null]", "[{}]", r#"[{"rel": "next"}]"#, r#"[{"rel": "next", "href": 1}]"#]
        {
            let found = next(&format!(r#""links": {links}"#));
            let text = "/servers/detail: the link to the next page cannot be read";
            assert_eq!(found, Err(text.to_owned()), "of {links}");
        }
    }
}
