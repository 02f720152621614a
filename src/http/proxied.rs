//! Through an HTTP proxy: a tunnel to `https` services (`CONNECT`), the whole URL in the first line for `http` ones. ureq
//! asks for a tunnel always, which proxies grant for port 443 only.

use std::io::{Read, Write};
use std::sync::Arc;

use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, NextTimeout, Transport, TransportAdapter,
};

use crate::error::ErrorKind;
use crate::http::USER_AGENT;
use crate::http::proxy_fault::ProxyFault;
use crate::http::wording::words;
use crate::proxies::{Proxies, Proxy};
use crate::secret::Secret;

/// Most bytes of a proxy's answer to `CONNECT`.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// No connection to the proxy.
pub fn unreachable(proxy: &Proxy, why: &Error) -> Error {
    let text = format!("cannot reach the proxy {proxy}: {}", words(why));
    ProxyFault { kind: ErrorKind::Unavailable, text }.into()
}

/// What a proxy says of its own.
pub fn refused(proxy: &Proxy, status: u16, target: &str) -> ProxyFault {
    let why = match (status, &proxy.login) {
        // tinyproxy says 401 to a wrong login.
        (401 | 407, None) => {
            "it asks for a user and a password: http://USER:PASSWORD@HOST:PORT".to_owned()
        }
        (401 | 407, Some(_)) => "it does not accept this user and password".to_owned(),
        (403 | 405, _) => format!("it does not let us connect to {target}"),
        (502..=504, _) => format!("it cannot reach {target}"),
        _ => format!("it does not connect us to {target}"),
    };
    // To ask again with the same password would only lock the user out.
    let kind = match status {
        401 | 407 => ErrorKind::Refused(407),
        _ => ErrorKind::Unavailable,
    };
    ProxyFault { kind, text: format!("the proxy {proxy} answers with status {status}: {why}") }
}

/// A URL's scheme, host and port.
pub fn target(uri: &Uri) -> (&str, &str, u16) {
    let scheme = uri.scheme_str().unwrap_or("http");
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    (scheme, uri.host().unwrap_or_default(), port)
}

/// The proxy a URL is asked through.
pub fn proxy_of<'a>(proxies: &'a Proxies, uri: &Uri) -> Option<&'a Proxy> {
    let (scheme, host, port) = target(uri);
    proxies.of(scheme, host, port)
}

/// A connection to the proxy made one to the target.
pub fn connected(
    transport: Box<dyn Transport>,
    proxy: &Proxy,
    details: &ConnectionDetails<'_>,
    timeout: NextTimeout,
) -> Result<Box<dyn Transport>, Error> {
    let (scheme, host, port) = target(details.uri);
    if scheme == "https" {
        let mut stream = TransportAdapter::new(transport, Arc::clone(&details.current_time));
        stream.set_timeout(timeout);
        let target = format!("{host}:{port}");
        match open_tunnel(&mut stream, proxy, &target) {
            Ok(200..=299) => Ok(stream.into_inner()),
            Ok(status) => Err(refused(proxy, status, &target).into()),
            Err(error) => {
                let error = Error::from(error);
                let text =
                    format!("the proxy {proxy} does not connect us to {target}: {}", words(&error));
                Err(ProxyFault { kind: ErrorKind::Unavailable, text }.into())
            }
        }
    } else {
        let origin = match details.uri.port_u16() {
            Some(port) => format!("http://{host}:{port}"),
            None => format!("http://{host}"),
        };
        let login = proxy.login.as_ref().map(|login| login.basic.clone());
        Ok(Box::new(WholeUrls { inner: transport, origin, login, begins: true }))
    }
}

/// Asks for a tunnel; the status of the answer.
fn open_tunnel<S: Read + Write>(
    stream: &mut S,
    proxy: &Proxy,
    target: &str,
) -> std::io::Result<u16> {
    let mut head =
        format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {USER_AGENT}\r\n");
    if let Some(login) = &proxy.login {
        head.extend(["Proxy-Authorization: Basic ", login.basic.expose(), "\r\n"]);
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.flush()?;
    let no_http = || std::io::Error::other("its answer is not HTTP");
    let (mut head, mut byte) = (Vec::new(), [0]);
    // Byte by byte: what follows is the tunnel's.
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend(byte);
        if head.len() > HEAD_BYTES_MAX || !b"HTTP/".starts_with(head.get(..5).unwrap_or(&head)) {
            return Err(no_http());
        }
    }
    let line = String::from_utf8_lossy(&head);
    let status = line.split_ascii_whitespace().nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(no_http)
}

/// A connection to a proxy, for requests of which ureq writes but the path: scheme and host are put before it, and the
/// proxy's login behind the first line.
#[derive(Debug)]
struct WholeUrls {
    inner: Box<dyn Transport>,
    origin: String,
    login: Option<Secret>,
    /// Whether what is sent next begins a request.
    begins: bool,
}

impl Transport for WholeUrls {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !std::mem::replace(&mut self.begins, false) {
            return self.inner.transmit_output(amount, timeout);
        }
        let written = self.inner.buffers().output().get(..amount).unwrap_or_default().to_vec();
        let mut rest = &with_origin(&written, &self.origin, self.login.as_ref())[..];
        while !rest.is_empty() {
            let output = self.inner.buffers().output();
            let (now, later) = rest.split_at(rest.len().min(output.len()));
            for (to, from) in output.iter_mut().zip(now) {
                *to = *from;
            }
            self.inner.transmit_output(now.len(), timeout)?;
            rest = later;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.begins = true;
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}

/// `GET /path …` as `GET http://host/path …`, with the login.
fn with_origin(head: &[u8], origin: &str, login: Option<&Secret>) -> Vec<u8> {
    let mut whole = Vec::with_capacity(head.len() + origin.len() + 128);
    let mut lines = head.splitn(2, |byte| *byte == b'\n');
    let mut words = lines.next().unwrap_or_default().splitn(2, |byte| *byte == b' ');
    whole.extend(words.next().unwrap_or_default());
    whole.push(b' ');
    whole.extend(origin.as_bytes());
    whole.extend(words.next().unwrap_or_default());
    whole.push(b'\n');
    if let Some(login) = login {
        whole.extend(b"Proxy-Authorization: Basic ");
        whole.extend(login.expose().as_bytes());
        whole.extend(b"\r\n");
    }
    whole.extend(lines.next().unwrap_or_default());
    whole
}
