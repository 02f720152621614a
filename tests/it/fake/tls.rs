//! Ports on which no TLS connection can be had, each in its own way, or only by those who trust a certificate.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

/// What a port speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// TLS, with a certificate that nobody signed.
    UntrustedTls,
    /// HTTP in clear.
    PlainHttp,
    /// TLS, with the certificate of an authority (CA:TRUE) that signed itself.
    AuthoritysTls,
    /// TLS, with a certificate that expired in 2020.
    ExpiredTls,
    /// TLS, with the untrusted certificate, for clients that show one, too.
    TlsWithClients,
    /// No TLS that the client knows: the handshake ends with this fatal alert (RFC 8446, section 6).
    Alert(u8),
}

/// A port that no client should talk to, or only one that trusts its certificate. Dropped, it is closed.
pub struct NoTls {
    address: SocketAddr,
    ending: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl NoTls {
    /// Listens on 127.0.0.1.
    pub fn start(speaks: Speaks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ending = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&ending);
        let config = Arc::new(config(speaks));
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                match speaks {
                    Speaks::PlainHttp => refuse(stream),
                    Speaks::Alert(alert) => alarm(stream, alert),
                    _ => shake_hands(stream, &config),
                }
            }
        });
        NoTls { address, ending, accepting: Some(accepting) }
    }

    /// Where it listens: `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for NoTls {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// The certificate of [`Speaks::UntrustedTls`], to be trusted.
pub fn certificate() -> Vec<u8> {
    include_bytes!("untrusted/certificate.der").to_vec()
}

/// The one of [`Speaks::AuthoritysTls`].
pub fn authority() -> Vec<u8> {
    include_bytes!("untrusted/authority.der").to_vec()
}

/// The key of all of them.
pub fn private_key() -> Vec<u8> {
    include_bytes!("untrusted/key.der").to_vec()
}

/// The certificates were made with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 36500 -subj
/// /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -nodes`, the authority's
/// with CA:TRUE, the expired one by `openssl ca -selfsign -enddate 20200913122640Z`; all have one key.
fn config(speaks: Speaks) -> ServerConfig {
    let certificate = CertificateDer::from(match speaks {
        Speaks::AuthoritysTls => authority(),
        Speaks::ExpiredTls => include_bytes!("untrusted/expired.der").to_vec(),
        _ => certificate(),
    });
    let key = PrivateKeyDer::try_from(private_key()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = if speaks == Speaks::TlsWithClients {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authority())).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    builder.with_single_cert(vec![certificate], key).unwrap()
}

/// As far as the client goes; who goes all the way gets an answer.
fn shake_hands(mut stream: TcpStream, config: &Arc<ServerConfig>) {
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    if tls.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
        let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
        let _ = tls.write_all(answer.as_bytes());
        tls.conn.send_close_notify();
        let _ = tls.flush();
    }
    // What the client has not read yet would be lost in a reset.
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read(&mut [0; 4096]);
}

fn alarm(mut stream: TcpStream, alert: u8) {
    let _ = stream.read(&mut [0; 4096]);
    let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, alert]);
}

/// What a server says to a client that comes with TLS to its port without.
fn refuse(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 4096]);
    let answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let _ = stream.write_all(answer.as_bytes());
}
