//! Ports on which no TLS connection can be had, each in its own way.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

/// What a port speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// TLS, with a certificate that nobody signed.
    UntrustedTls,
    /// HTTP in clear.
    PlainHttp,
}

/// A port that no client should talk to. Dropped, it is closed.
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
        let config = Arc::new(untrusted());
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                match speaks {
                    Speaks::UntrustedTls => shake_hands(stream, &config),
                    Speaks::PlainHttp => refuse(stream),
                }
            }
        });
        NoTls { address, ending, accepting: Some(accepting) }
    }

    /// Where it listens: `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
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

/// Made with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 36500 -subj /CN=127.0.0.1 -addext
/// subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -nodes`.
fn untrusted() -> ServerConfig {
    let certificate = CertificateDer::from(include_bytes!("untrusted/certificate.der").as_slice());
    let key = PrivateKeyDer::try_from(include_bytes!("untrusted/key.der").as_slice()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    builder.with_single_cert(vec![certificate], key).unwrap()
}

/// As far as the client goes.
fn shake_hands(mut stream: TcpStream, config: &Arc<ServerConfig>) {
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
}

/// What a server says to a client that comes with TLS to its port without.
fn refuse(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 4096]);
    let answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let _ = stream.write_all(answer.as_bytes());
}
