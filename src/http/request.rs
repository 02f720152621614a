//! A request to the cloud and its answer: plain data.

use std::time::{Duration, SystemTime};

use ureq::http::HeaderMap;

use crate::metrics::CloudService;
use crate::secret::Secret;

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl Method {
    /// The method as it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// Whether a request may be sent again after 429, 5xx or a broken connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// Never: to repeat it would do the work twice.
    One,
    /// Up to twice more, within the time limit.
    Several,
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Whom it is for, for counts.
    pub service: CloudService,
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: &'a str,
    /// Headers beside those of HTTP itself. A body is `application/json` unless they say another `content-type`.
    pub headers: &'a [(&'a str, &'a str)],
    /// A JSON body.
    pub body: Option<&'a [u8]>,
    /// What must be in no text about it, although the service may repeat it.
    pub secrets: &'a [&'a Secret],
    /// Whether it may be repeated.
    pub attempts: Attempts,
    /// Limit of all attempts together.
    pub limit: Duration,
}

/// A whole answer with a status of 2xx.
#[derive(Clone, Debug)]
pub struct Response {
    pub(super) headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header, when there is one that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        text(&self.headers, name)
    }

    /// The service's clock (RFC 9110, section 6.6.1), when it tells.
    pub fn date(&self) -> Option<SystemTime> {
        date(&self.headers)
    }
}

/// The service's clock (RFC 9110, section 6.6.1), when it tells.
pub fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, "date")?).ok()
}

/// The value of a header, when there is one that is text.
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
