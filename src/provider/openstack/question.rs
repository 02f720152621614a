//! What a service is asked: plain data.

use crate::http::{Attempts, Method};

/// Which service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Nova.
    Compute,
    /// Neutron.
    Network,
    /// Glance.
    Image,
    /// Cinder.
    Volume,
}

/// One question to a service; its path begins with `/` and follows the service's endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Which service.
    pub service: Service,
    /// How.
    pub method: Method,
    /// What.
    pub path: &'a str,
    /// With which JSON.
    pub body: Option<&'a [u8]>,
    /// Whether it may be repeated.
    pub attempts: Attempts,
}

impl<'a> Question<'a> {
    /// A `GET`.
    pub fn get(service: Service, path: &'a str) -> Self {
        Question { service, method: Method::Get, path, body: None, attempts: Attempts::Several }
    }
}
