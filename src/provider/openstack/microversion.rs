//! Nova's microversions (Compute API guide, "Microversions").

use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Attempts, CloudClient, Method, Request, shown};
use crate::metrics::CloudService;
use crate::provider::openstack::answer::{Told, parse, readable};
use crate::provider::openstack::catalog::version_document;
use crate::secret::Secret;

/// At 2.69 a list shows the servers of a cell that is down, instead of leaving them out.
const WANTED: (u32, u32) = (2, 69);

/// What a Nova's version document is: of one version, or of all.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    version: Told<Version>,
    #[serde(default)]
    versions: Told<Vec<Told<Version>>>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    id: Told<String>,
    #[serde(default, rename = "version")]
    most: Told<String>,
    #[serde(default, rename = "min_version")]
    least: Told<String>,
}

/// What to speak with a Nova.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spoken {
    /// 2.69, or what comes nearest to it; `None`: 2.1, without a header.
    pub version: Option<String>,
    /// Why nothing better is known than that 2.1 will do.
    pub doubt: Option<String>,
    /// What time it is there.
    pub told: Option<SystemTime>,
}

/// What the Nova at `compute` speaks. An error: it could not be asked.
pub fn negotiate(
    client: &CloudClient,
    compute: &str,
    token: &Secret,
    limit: Duration,
) -> Result<Spoken> {
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
    match client.send(&request) {
        Ok(response) => Ok(Spoken { told: response.date(), ..read(&response.body, &shown(&url)) }),
        // Hidden behind a proxy that only lets the project's own paths through: then the oldest will do.
        Err(error) if matches!(error.kind, ErrorKind::Refused(_)) => {
            log::debug!("no version document, so 2.1 is used: {error}");
            Ok(Spoken::default())
        }
        Err(error) if matches!(error.kind, ErrorKind::Invalid | ErrorKind::TooLarge) => {
            Ok(unknown(&error))
        }
        Err(error) => Err(error),
    }
}

/// What a version document says. `url`: where it was found.
pub fn read(body: &[u8], url: &str) -> Spoken {
    let document: Document = match parse(body, url) {
        Ok(document) => document,
        Err(error) => return unknown(&error),
    };
    let of_all = readable(document.versions.take().unwrap_or_default());
    let version = document.version.take().or_else(|| {
        of_all.into_iter().find(|version| version.id.text().is_some_and(|id| id == "v2.1"))
    });
    let Some(version) = version else {
        let text = format!("{url}: not a version document of Nova");
        return unknown(&Error::new(ErrorKind::Invalid, text));
    };
    match version.most {
        // The old v2 has no microversions, and says so.
        Told::Not | Told::Null => Spoken::default(),
        Told::Is(offered) if offered.is_empty() => Spoken::default(),
        Told::Is(offered) => {
            let version = chosen(version.least.text(), &offered);
            if version.is_some() {
                return Spoken { version, ..Spoken::default() };
            }
            let text = format!("{url}: \"{offered}\" is not a microversion");
            unknown(&Error::new(ErrorKind::Invalid, text))
        }
        Told::Odd => {
            unknown(&Error::new(ErrorKind::Invalid, format!("{url}: version is not a string")))
        }
    }
}

fn unknown(error: &Error) -> Spoken {
    let doubt = format!(
        "cannot find out which Nova this is, so 2.1 is used, whose list silently leaves out the servers of a cell that \
         is down: {error}"
    );
    Spoken { doubt: Some(doubt), ..Spoken::default() }
}

/// The `N` of the microversion `2.N` in use; without one it is 2.1.
pub fn minor(spoken: Option<&str>) -> u32 {
    spoken.and_then(number).map_or(1, |(_, minor)| minor)
}

/// 2.69, or the highest below it, or the lowest above it.
fn chosen(least: Option<&str>, most: &str) -> Option<String> {
    let most = number(most)?;
    let least = least.and_then(number).unwrap_or((2, 1));
    let (major, minor) = WANTED.min(most).max(least.min(most));
    Some(format!("{major}.{minor}"))
}

/// `2.69` as two numbers.
fn number(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_2_69_is_spoken_where_it_is_offered_else_what_comes_nearest() {
        for (least, most, expected) in [
            ("2.1", "2.93", "2.69"),
            ("2.1", "2.69", "2.69"),
            ("2.1", "2.38", "2.38"),
            ("2.1", "2.1", "2.1"),
            ("", "2.93", "2.69"),
            ("2.80", "2.96", "2.80"),
        ] {
            assert_eq!(chosen(Some(least), most).as_deref(), Some(expected), "{least} to {most}");
        }
    }

    #[test]
    fn whatever_a_version_document_is_some_version_is_spoken() {
        let known = |version: Option<&str>| (version.map(str::to_owned), false);
        let doubt = (None, true);
        for (body, expected) in [
            (
                r#"{"version": {"id": "v2.1", "version": "2.93", "min_version": "2.1"}}"#,
                known(Some("2.69")),
            ),
            (
                r#"{"version": {"id": "v2.1", "version": "2.60", "min_version": null}}"#,
                known(Some("2.60")),
            ),
            (r#"{"version": {"id": "v2.0", "version": "", "min_version": ""}}"#, known(None)),
            (r#"{"version": {"id": "v2.0"}}"#, known(None)),
            (r#"{"version": {"id": "v2.0", "version": null}}"#, known(None)),
            (
                r#"{"versions": [null, {"id": "v2.0", "version": ""}, {"id": "v2.1", "version": "2.93"}]}"#,
                known(Some("2.69")),
            ),
            ("<html><body>Welcome to nginx!</body></html>", doubt.clone()),
            ("", doubt.clone()),
            ("{}", doubt.clone()),
            ("[]", doubt.clone()),
            ("null", doubt.clone()),
            (r#"{"version": "2.93"}"#, doubt.clone()),
            (r#"{"version": {"id": "v2.1", "version": 2.93}}"#, doubt.clone()),
            (r#"{"version": {"id": "v2.1", "version": "newest"}}"#, doubt.clone()),
            (r#"{"versions": [{"id": "v3"}]}"#, doubt),
        ] {
            let spoken = read(body.as_bytes(), "http://nova/v2.1/");
            assert_eq!((spoken.version, spoken.doubt.is_some()), expected, "of {body}");
        }
    }
}
