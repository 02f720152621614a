//! A list of servers that is larger than an answer may be, as an administrator's is, who is shown each server's user data:
//! it is read on in smaller pages.

use serde::Deserialize;

use crate::error::{ErrorKind, Result};
use crate::http::Response;
use crate::provider::openstack::answer::{Told, parse};
use crate::provider::openstack::question::{Question, Service};
use crate::provider::openstack::record::STATUS_UNKNOWN;
use crate::provider::openstack::servers::down_cells;
use crate::provider::openstack::session::Session;

/// Most servers of one page, one step after the other. User data has at most 64 KiB, so the first one will do, nearly
/// always.
const LIMITS: [u32; 3] = [200, 20, 1];

/// The list without details, where a server has some hundred bytes.
const BRIEF: &str = "/servers";

#[derive(Deserialize)]
struct BriefPage {
    servers: Vec<Told<BriefRecord>>,
}

#[derive(Deserialize)]
struct BriefRecord {
    #[serde(default)]
    status: Told<String>,
}

/// The page at `path`, of fewer servers when it would be too large. What was found to fit is kept for the pages to come.
pub fn page(session: &mut Session, path: &str) -> Result<Response> {
    loop {
        let limited = match session.page_limit() {
            Some(limit) => with_limit(path, limit),
            None => path.to_owned(),
        };
        if session.page_limit().is_some() && !path.contains("marker=") {
            no_cell_is_down(session)?;
        }
        match session.ask(&Question::get(Service::Compute, &limited)) {
            Err(error) if error.kind == ErrorKind::TooLarge => {
                let now = session.page_limit().unwrap_or(u32::MAX);
                let Some(smaller) = LIMITS.into_iter().find(|limit| *limit < now) else {
                    session.limit_pages(LIMITS.first().copied().unwrap_or(1));
                    return Err(error);
                };
                log::debug!("{error}; pages of {smaller} servers from now on");
                session.limit_pages(smaller);
            }
            result => return result,
        }
    }
}

/// With a `limit` Nova leaves out the servers of a cell that is down. Without one it shows them at 2.69, in the list without
/// details, too: so that is looked at first.
fn no_cell_is_down(session: &mut Session) -> Result<()> {
    let response = session.ask(&Question::get(Service::Compute, BRIEF))?;
    let page: BriefPage = parse(&response.body, BRIEF)?;
    let records = page.servers.iter().filter_map(Told::get);
    down_cells(records.filter(|record| record.status.text() == Some(STATUS_UNKNOWN)).count())
}

/// `path` with this `limit`, whatever limit it had.
fn with_limit(path: &str, limit: u32) -> String {
    let (list, query) = path.split_once('?').unwrap_or((path, ""));
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("limit="));
    let limit = format!("limit={limit}");
    let query: Vec<&str> = kept.chain([limit.as_str()]).collect();
    format!("{list}?{}", query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_takes_the_place_of_another() {
        for (path, expected) in [
            ("/servers/detail", "/servers/detail?limit=50"),
            ("/servers/detail?marker=a", "/servers/detail?marker=a&limit=50"),
            ("/servers/detail?limit=200&marker=a", "/servers/detail?marker=a&limit=50"),
            ("/servers/detail?marker=a&limit=200", "/servers/detail?marker=a&limit=50"),
        ] {
            assert_eq!(with_limit(path, 50), expected, "of {path}");
        }
    }
}
