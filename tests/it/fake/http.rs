//! A small HTTP/1.1 server on raw sockets: it has to misbehave in ways no library offers.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A request as it came.
#[derive(Clone)]
pub struct Request {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query's pairs, decoded, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        query.split('&').filter(|pair| !pair.is_empty()).map(decoded_pair).collect()
    }

    /// The first value of the query's `key`.
    pub fn query_value(&self, key: &str) -> Option<String> {
        self.query().into_iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The header's value, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

fn decoded_pair(pair: &str) -> (String, String) {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    (decode(key), decode(value))
}

/// An answer, and how it is sent.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub manner: Manner,
    /// Whether the connection ends after it, and says so.
    pub close: bool,
}

/// How an answer is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// As it should be.
    #[default]
    Whole,
    /// After this time.
    Late(Duration),
    /// Not at all: the connection is closed.
    Closed,
    /// Not at all: the connection is reset.
    Reset,
    /// Not at all: the connection stays open and silent.
    HangBeforeHeaders,
    /// The headers and half of the body, then silence. Of an answer without a body, half of its headers.
    HangInBody,
    /// One byte at a time, for ever.
    Drip,
    /// The headers and half of the body, then a close: shorter than `Content-Length` says.
    CutShort,
    /// The headers and half of the body, then a reset.
    ResetHalfWay,
    /// With so many bytes behind the body, and no word of its length.
    Padded(usize),
}

impl Response {
    /// A JSON answer.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Response::new(status, "application/json", body.to_string())
    }

    /// An HTML answer.
    pub fn html(status: u16, body: &str) -> Self {
        Response::new(status, "text/html; charset=UTF-8", body)
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Response { status, headers, body, manner: Manner::Whole, close: false }
    }

    /// An answer of any kind.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut response = Response::empty(status);
        response.body = body.into();
        response.with("Content-Type", content_type)
    }

    /// The same answer with one header more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same answer, sent in another manner.
    #[must_use]
    pub fn sent(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }
}

type Handler = dyn Fn(&Request) -> Response + Send + Sync;

/// A listening server. Dropping it closes the port and every connection.
pub struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stopped: Mutex<bool>,
    stop: Condvar,
    connections: Mutex<Vec<TcpStream>>,
    /// How many connections there were.
    accepted: AtomicUsize,
    /// The thread that holds the port.
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl HttpServer {
    /// Listens on `address` (port 0: any) and answers with `handler`, each connection in a thread of its own.
    pub fn start(
        address: SocketAddr,
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address)
            .unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"));
        HttpServer::start_on(listener, handler)
    }

    /// The same on a port that is open already.
    pub fn start_on(
        listener: TcpListener,
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let handler: Arc<Handler> = Arc::new(handler);
        let in_thread = Arc::clone(&shared);
        let accepting = thread::spawn(move || accept(&listener, &in_thread, &handler));
        *shared.accepting.lock().unwrap() = Some(accepting);
        HttpServer { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has accepted so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// Its port, to be closed by whoever answers a request.
    pub fn port(&self) -> Port {
        Port { address: self.address, shared: Arc::clone(&self.shared) }
    }
}

/// The port of a server.
#[derive(Clone)]
pub struct Port {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Port {
    /// Closes it: who connects from now on is refused. An answer that is on its way is the last one of its connection.
    pub fn close(&self) {
        self.shared.close_port(self.address);
        for connection in self.shared.connections.lock().unwrap().iter() {
            let _ = connection.shutdown(Shutdown::Read);
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.shared.close_port(self.address);
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, handler: &Arc<Handler>) {
    for stream in listener.incoming() {
        if *shared.stopped.lock().unwrap() {
            return;
        }
        let Ok(stream) = stream else { continue };
        shared.accepted.fetch_add(1, Ordering::Relaxed);
        let _ = stream.set_nodelay(true);
        if let Ok(clone) = stream.try_clone() {
            shared.connections.lock().unwrap().push(clone);
        }
        let (shared, handler) = (Arc::clone(shared), Arc::clone(handler));
        thread::spawn(move || {
            let peer = stream.peer_addr();
            let served = serve(&stream, &shared, &*handler);
            let mut connections = shared.connections.lock().unwrap();
            // The clone kept for the end of the server holds the socket open.
            connections.retain(|other| other.peer_addr().ok() != peer.as_ref().ok().copied());
            if served.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset) {
                // With no linger time the close sends a reset; a shutdown would not.
                let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
            } else {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }
}

fn serve(stream: &TcpStream, shared: &Shared, handler: &Handler) -> io::Result<()> {
    let mut unread = Vec::new();
    while let Some(request) = read_request(stream, &mut unread)? {
        let response = handler(&request);
        send(stream, shared, &response)?;
        let asked = request.header("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        if response.close || response.manner != Manner::Whole || asked {
            break;
        }
    }
    Ok(())
}

fn read_request(mut stream: &TcpStream, unread: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let mut chunk = [0; 8192];
    let end = loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            n => unread.extend_from_slice(&chunk[..n]),
        }
    };
    let head = String::from_utf8_lossy(&unread[..end]).into_owned();
    unread.drain(..end);
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let mut request = Request {
        method: first.next().unwrap_or_default().to_owned(),
        target: first.next().unwrap_or_default().to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect(),
        body: Vec::new(),
    };
    let length = request.header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    while unread.len() < length {
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            n => unread.extend_from_slice(&chunk[..n]),
        }
    }
    request.body = unread.drain(..length).collect();
    Ok(Some(request))
}

fn send(mut stream: &TcpStream, shared: &Shared, response: &Response) -> io::Result<()> {
    let bytes = bytes(response);
    let half = match response.body.len() {
        0 => bytes.len() / 2,
        body => bytes.len() - body.div_ceil(2),
    };
    match response.manner {
        Manner::Whole => stream.write_all(&bytes),
        Manner::Late(time) => {
            shared.wait(time);
            stream.write_all(&bytes)
        }
        Manner::Closed => Ok(()),
        Manner::Reset => reset(),
        Manner::HangBeforeHeaders => {
            shared.wait(Duration::MAX);
            Ok(())
        }
        Manner::HangInBody => {
            stream.write_all(&bytes[..half])?;
            shared.wait(Duration::MAX);
            Ok(())
        }
        Manner::Drip => {
            for byte in bytes {
                stream.write_all(&[byte])?;
                if shared.wait(Duration::from_millis(200)) {
                    break;
                }
            }
            Ok(())
        }
        Manner::CutShort => stream.write_all(&bytes[..half]),
        Manner::ResetHalfWay => {
            stream.write_all(&bytes[..half])?;
            // The first half must be on its way before the reset overtakes it.
            shared.wait(Duration::from_millis(50));
            reset()
        }
        Manner::Padded(padding) => {
            stream.write_all(&bytes)?;
            let chunk = [b'x'; 8 * 1024];
            let mut left = padding;
            while left > 0 {
                let now = left.min(chunk.len());
                stream.write_all(&chunk[..now])?;
                left -= now;
            }
            Ok(())
        }
    }
}

fn bytes(response: &Response) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    for (name, value) in &response.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let padded = matches!(response.manner, Manner::Padded(_));
    if response.status != 204 && !padded {
        head.extend(["Content-Length: ", &response.body.len().to_string(), "\r\n"]);
    }
    if response.close || padded {
        head.push_str("Connection: close\r\n");
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&response.body);
    bytes
}

/// Ends the connection with a reset.
fn reset() -> io::Result<()> {
    Err(io::ErrorKind::ConnectionReset.into())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        300 => "Multiple Choices",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        406 => "Not Acceptable",
        409 => "Conflict",
        410 => "Gone",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unknown",
    }
}

impl Shared {
    fn close_port(&self, address: SocketAddr) {
        *self.stopped.lock().unwrap() = true;
        self.stop.notify_all();
        // Wakes the accepting thread, which then closes the port.
        let _ = TcpStream::connect(address);
        if let Some(accepting) = self.accepting.lock().unwrap().take() {
            let _ = accepting.join();
        }
    }

    /// Sleeps for `time` or until the server ends; `true` when it does.
    fn wait(&self, time: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap();
        if time == Duration::MAX {
            return *self.stop.wait_while(stopped, |stopped| !*stopped).unwrap();
        }
        *self.stop.wait_timeout_while(stopped, time, |stopped| !*stopped).unwrap().0
    }
}
