//! The only module that knows ureq: limits, retries, error wording.
//!
//! A client each, because they deserve different trust: a replica is asked quickly, without proxy and on a connection
//! of its own; the cloud is asked with retries, through the proxy of the environment, and its connections are kept; of
//! etcd one member after the other is asked until one answers.

mod client_certificate;
mod cloud;
mod dial;
mod encoding;
mod etcd;
mod explain;
mod hide;
mod proxied;
mod proxy_fault;
mod quota;
mod refusal;
mod remedy;
mod replica;
mod request;
mod resolver;
mod wording;

use std::fs;
use std::path::Path;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use client_certificate::client_certificate;

pub use cloud::{CONTENT_TYPE, CloudClient, shown};
pub use encoding::{no_text, without_mark};
pub use etcd::EtcdClient;
pub use explain::{json, json_into};
pub use remedy::SECOND_FACTOR;
pub use replica::{NoAnswer, ReplicaClient};
pub use request::{Attempts, Method, Request, Response};
pub use wording::CANNOT_CONNECT_IN_TIME;

use crate::error::{Error, ErrorKind, Result};
use crate::files::cannot_be_read;
use crate::settings::ClientCertificate;

/// How a client introduces itself.
const USER_AGENT: &str = concat!("simplescalevm/", env!("CARGO_PKG_VERSION"));

/// Whom to trust in TLS, and who we are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trust<'a> {
    /// The authorities instead of the bundled ones.
    pub cacert: Option<&'a Path>,
    /// Trust anybody.
    pub insecure: bool,
    /// Our own certificate.
    pub client: Option<&'a ClientCertificate>,
}

/// The same as ureq has it. What is wrong with the files is told of the settings that begin with `prefix`: `OS_CACERT`,
/// `OS_CERT`, `OS_KEY`.
fn tls(trust: Trust<'_>, prefix: &str) -> Result<TlsConfig> {
    let mut builder = TlsConfig::builder().disable_verification(trust.insecure);
    if let Some(files) = trust.client {
        builder = builder.client_cert(Some(client_certificate(files, prefix)?));
    }
    if let Some(path) = trust.cacert {
        let certificates = read_authorities(path).map_err(|why| {
            Error::new(ErrorKind::Setting, format!("{prefix}CACERT {}: {why}", path.display()))
        })?;
        builder = builder.root_certs(RootCerts::new_with_certs(&certificates));
    }
    Ok(builder.build())
}

fn read_authorities(path: &Path) -> std::result::Result<Vec<Certificate<'static>>, String> {
    let pem = fs::read(path).map_err(|error| cannot_be_read(path, &error))?;
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
