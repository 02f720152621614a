//! A request as the fake cloud remembers it. Printed, it shows no secret: failure output ends up in public logs.

use std::fmt;

use serde_json::Value;

use super::Service;
use crate::fake::http::Request;

/// One request.
#[derive(Clone)]
pub struct Recorded {
    pub service: Service,
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The status it was answered with; `None` while it is being held.
    pub status: Option<u16>,
}

impl Recorded {
    /// What is remembered of `request`.
    pub fn new(service: Service, request: &Request) -> Self {
        Recorded {
            service,
            method: request.method.clone(),
            target: request.target.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            status: None,
        }
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The header's value, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether the cloud is another one after it. A login is not meant.
    pub fn changes_something(&self) -> bool {
        self.method != "GET" && self.service != Service::Identity
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or("no answer yet".to_owned(), |status| status.to_string());
        write!(formatter, "{:?} {} {} -> {status}", self.service, self.method, self.target)
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
