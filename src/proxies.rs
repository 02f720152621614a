//! Which proxy a service is asked through: plain data and one question. `config/proxies.rs` reads it from the environment.

use std::fmt;
use std::net::IpAddr;

use crate::secret::Secret;

/// The proxies of the environment, by the scheme of whom is asked, and who is asked without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http` targets.
    pub http: Option<Proxy>,
    /// For `https` targets.
    pub https: Option<Proxy>,
    /// Who is asked without a proxy (`no_proxy`).
    pub direct: Vec<Direct>,
}

/// An HTTP proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The variable that names it.
    pub variable: &'static str,
    /// Its name or address; IPv6 in brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What it is told of us, when it asks.
    pub login: Option<Login>,
}

/// A proxy's user and password (RFC 7617).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The password alone, to be hidden wherever it is repeated.
    pub password: Secret,
    /// User and password as they are sent: `user:password` in base64.
    pub basic: Secret,
}

/// One entry of `no_proxy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direct {
    /// Who.
    pub who: Who,
    /// At this port only.
    pub port: Option<u16>,
}

/// Whom an entry of `no_proxy` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// `*`
    Everybody,
    /// A name and all names below it, in small letters.
    Domain(String),
    /// The addresses that begin with so many bits of this one.
    Network(IpAddr, u8),
}

impl Proxies {
    /// The proxy for a host (IPv6 with or without brackets) and its port. Names are not looked up, as curl doesn't: a
    /// network in `no_proxy` is for hosts that are given by their addresses.
    pub fn of(&self, scheme: &str, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = if scheme == "https" { self.https.as_ref() } else { self.http.as_ref() };
        let is_direct = self.direct.iter().any(|direct| direct.means(host, port));
        proxy.filter(|_| !is_direct)
    }
}

impl Direct {
    fn means(&self, host: &str, port: u16) -> bool {
        if self.port.is_some_and(|only| only != port) {
            return false;
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        match (&self.who, address) {
            (Who::Everybody, _) => true,
            (Who::Domain(domain), None) => {
                let host = host.to_ascii_lowercase();
                host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Who::Network(network, bits), Some(address)) => {
                let differing = match (network, address) {
                    (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
                    (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
                    _ => return false,
                };
                differing >= u32::from(*bits)
            }
            _ => false,
        }
    }
}

/// The proxy for people, with the variable to look at: `http://proxy:3128 (https_proxy)`.
impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}:{} ({})", self.host, self.port, self.variable)
    }
}
