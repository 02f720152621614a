//! Nova's microversions (Compute API guide, "Microversions").

use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::error::{ErrorKind, Result};
use crate::http::{Attempts, CloudClient, Method, Request, shown};
use crate::metrics::CloudService;
use crate::provider::openstack::catalog::version_document;
use crate::provider::openstack::session::parse;
use crate::secret::Secret;

/// At 2.69 a list shows the servers of a cell that is down, instead of leaving them out.
const WANTED: (u32, u32) = (2, 69);

#[derive(Deserialize)]
struct Document {
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    version: String,
}

/// 2.69, or the highest that is offered below; `None` where there are no microversions. And what time it is there.
pub fn negotiate(
    client: &CloudClient,
    compute: &str,
    token: &Secret,
    limit: Duration,
) -> Result<(Option<String>, Option<SystemTime>)> {
    let url = version_document(compute);
    let request = Request {
        service: CloudService::Compute,
        method: Method::Get,
        url: &url,
        headers: &[("x-auth-token", token.expose())],
        body: None,
        secrets: &[token],
        attempts: Attempts::Several,
        limit,
    };
    let response = match client.send(&request) {
        Ok(response) => response,
        // Hidden behind a proxy that only lets the project's own paths through: then the oldest will do.
        Err(error) if matches!(error.kind, ErrorKind::Refused(_)) => {
            log::debug!("no version document, so 2.1 is spoken: {error}");
            return Ok((None, None));
        }
        Err(error) => return Err(error),
    };
    let document: Document = parse(&response.body, &shown(&url))?;
    Ok((highest(&document.version.version), response.date()))
}

fn highest(offered: &str) -> Option<String> {
    let (major, minor) = offered.split_once('.')?;
    let offered = (major.parse().ok()?, minor.parse().ok()?);
    let (major, minor) = WANTED.min(offered);
    Some(format!("{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::highest;

    #[test]
    fn version_2_69_is_spoken_where_it_is_offered_else_the_highest_below() {
        assert_eq!(highest("2.93").as_deref(), Some("2.69"));
        assert_eq!(highest("2.69").as_deref(), Some("2.69"));
        assert_eq!(highest("2.38").as_deref(), Some("2.38"));
        assert_eq!(highest("2.1").as_deref(), Some("2.1"));
        assert_eq!(highest(""), None, "the old v2 has no microversions");
    }
}
