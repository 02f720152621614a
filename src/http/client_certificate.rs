//! Our own certificate: read, and looked at before it is used.

use std::fs;
use std::path::Path;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, parse_pem};

use crate::error::{Error, ErrorKind, Result};
use crate::files::cannot_be_read;
use crate::settings::ClientCertificate;

/// The certificate and its key. What is wrong with them is told of the settings that begin with `prefix`: `OS_CERT` or
/// `OS_KEY`.
pub fn client_certificate(files: &ClientCertificate, prefix: &str) -> Result<ClientCert> {
    let (cert_setting, key_setting) = (&format!("{prefix}CERT"), &format!("{prefix}KEY"));
    let cert = read(cert_setting, &files.cert)?;
    let chain: Vec<Certificate<'static>> = parse_pem(&cert)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if chain.is_empty() {
        return Err(wrong(cert_setting, &files.cert, "holds no PEM certificate"));
    }
    let (setting, path) = match &files.key {
        Some(path) => (key_setting, path),
        None => (cert_setting, &files.cert),
    };
    let pem = read(setting, path)?;
    let (Ok(key), Ok(same)) = (PrivateKey::from_pem(&pem), PrivateKeyDer::from_pem_slice(&pem))
    else {
        let why = format!("holds no unencrypted PEM private key ({key_setting} may name it)");
        return Err(wrong(setting, path, &why));
    };
    check(&chain, same).map_err(|why| wrong(setting, path, &why))?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

/// ureq takes it for granted that rustls takes them.
fn check(
    chain: &[Certificate<'_>],
    key: PrivateKeyDer<'static>,
) -> std::result::Result<(), String> {
    let chain = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err("its private key does not match the certificate".to_owned())
        }
        Err(error) => Err(format!("its certificate or private key cannot be used: {error}")),
    }
}

fn read(setting: &str, path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| wrong(setting, path, &cannot_be_read(path, &error)))
}

fn wrong(setting: &str, path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Setting, format!("{setting} {}: {why}", path.display()))
}
