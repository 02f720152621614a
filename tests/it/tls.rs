//! TLS: whom the client trusts, what it says of the rest, and the way through a proxy's tunnel.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use simplescalevm::error::ErrorKind;
use simplescalevm::handles::Handles;
use simplescalevm::http::{Attempts, CloudClient, Method, Request, Trust};
use simplescalevm::metrics::CloudService;
use simplescalevm::proxies::{Proxies, Proxy as Through};
use simplescalevm::settings::ClientCertificate;

use crate::fake::{NoTls, Proxy, Serves, Speaks, authority, certificate, private_key};

/// A PEM file of this certificate.
fn pem(name: &str, der: &[u8]) -> PathBuf {
    super::settings::file(name, &pem_of("CERTIFICATE", der))
}

fn pem_of(what: &str, der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {what}-----\n{body}\n-----END {what}-----\n")
}

/// What comes of asking `url`: the body, or the error's kind and words.
fn ask(
    url: &str,
    cacert: Option<&PathBuf>,
    proxies: Proxies,
) -> Result<Vec<u8>, (ErrorKind, String)> {
    ask_as(url, Trust { cacert: cacert.map(PathBuf::as_path), ..Trust::default() }, proxies)
}

fn ask_as(url: &str, trust: Trust<'_>, proxies: Proxies) -> Result<Vec<u8>, (ErrorKind, String)> {
    let client = CloudClient::new(trust, proxies, Handles::new());
    let answer = client.unwrap().send(&Request {
        service: CloudService::Identity,
        method: Method::Get,
        url,
        headers: &[],
        body: None,
        secrets: &[],
        attempts: Attempts::One,
        limit: Duration::from_secs(60),
    });
    answer.map(|response| response.body).map_err(|error| (error.kind, error.text))
}

/// A PEM file of the key that all certificates here have.
fn key(name: &str) -> PathBuf {
    super::settings::file(name, &pem_of("PRIVATE KEY", &private_key()))
}

#[test]
fn a_server_that_wants_a_client_certificate_gets_it() {
    let trusted = pem("clients-trusted.pem", &certificate());
    // Its issuer has the authority's name and key.
    let cert = pem("clients-cert.pem", &certificate());
    let key = key("clients-key.pem");
    let both = pem_of("CERTIFICATE", &certificate()) + &pem_of("PRIVATE KEY", &private_key());
    let both = super::settings::file("clients-both.pem", &both);
    let server = NoTls::start(Speaks::TlsWithClients);
    for files in [
        ClientCertificate { cert: cert.clone(), key: Some(key) },
        ClientCertificate { cert: both, key: None },
    ] {
        let trust = Trust { cacert: Some(&trusted), insecure: false, client: Some(&files) };
        let answer = ask_as(&server.url(), trust, Proxies::default());
        assert_eq!(answer, Ok(b"{}".to_vec()), "{files:?}");
    }
}

#[test]
fn a_client_certificate_that_cannot_be_used_is_a_wrong_setting() {
    let cert = pem("unusable-cert.pem", &certificate());
    let garbage = pem("unusable-garbage.pem", b"no certificate");
    let key = key("unusable-key.pem");
    // An Ed25519 key (RFC 8410, section 10.3): sound, and no certificate's here.
    let other = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                 -----END PRIVATE KEY-----\n";
    let other = super::settings::file("unusable-other.pem", other);
    let none = PathBuf::from("/nowhere/key.pem");
    for (cert, key, words) in [
        (&cert, None, "OS_CERT"),
        (&cert, None, "holds no unencrypted PEM private key"),
        (&cert, Some(&cert), "holds no unencrypted PEM private key"),
        (&cert, Some(&other), "its private key does not match the certificate"),
        (&cert, Some(&none), "OS_KEY /nowhere/key.pem: cannot be read"),
        (&key, Some(&key), "holds no PEM certificate"),
        (&garbage, Some(&key), "cannot be used"),
    ] {
        let files = ClientCertificate { cert: cert.clone(), key: key.cloned() };
        let trust = Trust { client: Some(&files), ..Trust::default() };
        let error = CloudClient::new(trust, Proxies::default(), Handles::new()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Setting, "{error}");
        assert!(error.text.contains(words), "{error} lacks {words}");
    }
}

#[test]
fn what_is_wrong_with_tls_is_followed_by_what_to_do() {
    let trusted = pem("trusted.pem", &certificate());
    let authority = pem("authority.pem", &authority());
    for (speaks, cacert, words) in [
        (Speaks::UntrustedTls, None, "UnknownIssuer (set OS_CACERT"),
        (Speaks::AuthoritysTls, None, "give it one with CA:FALSE"),
        // To trust it does not help.
        (Speaks::AuthoritysTls, Some(&authority), "give it one with CA:FALSE"),
        (Speaks::ExpiredTls, None, "it expired at Sun, 13 Sep 2020 12:26:40 GMT (renew it"),
        (Speaks::TlsWithClients, Some(&trusted), "the server wants a client certificate"),
        (Speaks::Alert(40), None, "no TLS version or cipher in common"),
        (Speaks::Alert(70), None, "no TLS version or cipher in common"),
        (Speaks::Alert(71), None, "no TLS version or cipher in common"),
        (Speaks::Alert(112), None, "the server does not know the host name"),
    ] {
        let server = NoTls::start(speaks);
        let (kind, told) = ask(&server.url(), cacert, Proxies::default()).unwrap_err();
        assert!(told.contains("TLS: ") && told.contains(words), "{speaks:?}: {told}");
        assert_eq!(kind, ErrorKind::Unavailable, "{speaks:?}: {told}");
    }
    let server = NoTls::start(Speaks::UntrustedTls);
    let by_name = format!("https://localhost:{}", server.port());
    let (_, told) = ask(&by_name, Some(&trusted), Proxies::default()).unwrap_err();
    assert!(
        told.contains("certificate not valid for name") && told.contains("(use a name"),
        "{told}"
    );
}

#[test]
fn each_protocol_on_the_others_port_is_told() {
    let plain = NoTls::start(Speaks::PlainHttp);
    let (_, told) = ask(&plain.url(), None, Proxies::default()).unwrap_err();
    assert!(told.contains("does this port speak https?"), "{told}");
    let tls = NoTls::start(Speaks::UntrustedTls);
    let url = tls.url().replace("https://", "http://");
    let (_, told) = ask(&url, None, Proxies::default()).unwrap_err();
    assert!(told.contains("does this port speak https?"), "{told}");
}

#[test]
fn a_tunnel_leads_to_the_server_and_its_certificate() {
    let trusted = pem("tunnel.pem", &certificate());
    let proxy = Proxy::start(Serves::Everybody);
    let address = proxy.url();
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    let through = Through { variable: "https_proxy", host: "127.0.0.1".into(), port, login: None };
    let proxies = Proxies { https: Some(through), ..Proxies::default() };
    let server = NoTls::start(Speaks::UntrustedTls);
    assert_eq!(ask(&server.url(), Some(&trusted), proxies.clone()), Ok(b"{}".to_vec()));
    let head = &proxy.heads()[0];
    let target = server.url().replace("https://", "");
    assert!(
        head.starts_with(&format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n")),
        "{head}"
    );
    let (_, told) = ask(&server.url(), None, proxies).unwrap_err();
    assert!(
        told.contains("UnknownIssuer")
            && told.ends_with(&format!("through the proxy {address} (https_proxy)")),
        "{told}"
    );
}
