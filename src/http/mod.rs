//! The only module that knows ureq: limits, retries, error wording.
//!
//! A client each, because they deserve different trust: a replica is asked quickly, without proxy and on a connection
//! of its own; the cloud is asked with retries, through the proxy of the environment, and its connections are kept; of
//! etcd one member after the other is asked until one answers.

mod cloud;
mod dial;
mod encoding;
mod etcd;
mod explain;
mod hide;
mod proxied;
mod proxy_fault;
mod quota;
mod remedy;
mod replica;
mod resolver;
mod wording;

use std::fs;
use std::path::Path;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

pub use cloud::{Attempts, CONTENT_TYPE, CloudClient, Method, Request, Response, shown};
pub use encoding::{no_text, without_mark};
pub use etcd::EtcdClient;
pub use explain::json;
pub use remedy::SECOND_FACTOR;
pub use replica::{NoAnswer, ReplicaClient};
pub use wording::CANNOT_CONNECT_IN_TIME;

use crate::error::{Error, ErrorKind, Result};

/// How a client introduces itself.
const USER_AGENT: &str = concat!("simplescalevm/", env!("CARGO_PKG_VERSION"));

/// Whom to trust: the authorities of `cacert` (named `setting` in errors) instead of the bundled ones, or anybody.
fn tls(cacert: Option<&Path>, setting: &str, insecure: bool) -> Result<TlsConfig> {
    let mut builder = TlsConfig::builder().disable_verification(insecure);
    if let Some(path) = cacert {
        builder = builder.root_certs(authorities(path, setting)?);
    }
    Ok(builder.build())
}

/// The authorities of a file that `setting` names.
fn authorities(path: &Path, setting: &str) -> Result<RootCerts> {
    let certificates = read_authorities(path).map_err(|why| {
        Error::new(ErrorKind::Setting, format!("{setting} {}: {why}", path.display()))
    })?;
    Ok(RootCerts::new_with_certs(&certificates))
}

fn read_authorities(path: &Path) -> std::result::Result<Vec<Certificate<'static>>, String> {
    let pem = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        Err("holds no PEM certificate".to_owned())
    } else {
        Ok(certificates)
    }
}
