//! The simulated VMs' services: real HTTP on loopback addresses, so that they are probed like any other.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind as IoErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::probe;
use crate::provider::simulated::vm::Status;
use crate::settings::ProbeSettings;

/// A caller that sends its request slower than this is left: one thread answers for all VMs.
const CALLER_TIME: Duration = Duration::from_millis(200);

/// Most callers of one VM that are answered in one go.
const CALLERS_MAX: usize = 16;

/// Most bytes of a request's head, and most pieces it may come in.
const HEAD_BYTES_MAX: usize = 4096;
const PIECES_MAX: usize = 4;

/// The listening sockets of all VMs whose service is up.
#[derive(Debug)]
pub struct Replicas {
    port: u16,
    listeners: BTreeMap<Ipv4Addr, TcpListener>,
    complained: BTreeSet<Ipv4Addr>,
}

impl Replicas {
    /// No replica yet. What would keep every one of them from answering is an error here already.
    pub fn new(settings: &ProbeSettings, network: [u8; 3]) -> Result<Self> {
        let refuse = |text: String| Err(Error::new(ErrorKind::Setting, text));
        if settings.https {
            return refuse(
                "REPLICA_API_PROTOCOL is https, but the simulated replicas speak http only: set it to http"
                    .into(),
            );
        }
        let answer = body(settings, Status { capacity: 3, termination: true });
        if probe::read(settings, answer.as_bytes()) != Ok((3, true)) {
            return refuse(format!(
                "REPLICA_API_CAPACITY_KEY \"{}\" and REPLICA_API_TERMINATION_KEY \"{}\" exclude each other: no answer \
                 can hold both",
                settings.capacity_key, settings.termination_key
            ));
        }
        let [a, b, c] = network;
        let first = SocketAddrV4::new(Ipv4Addr::new(a, b, c, 1), settings.port);
        if let Err(error) = TcpListener::bind(first) {
            return refuse(cannot_listen(first, &error));
        }
        Ok(Replicas {
            port: settings.port,
            listeners: BTreeMap::new(),
            complained: BTreeSet::new(),
        })
    }

    /// Listens at exactly these addresses; a replica that is not among them refuses connections from now on.
    pub fn follow(&mut self, serving: &BTreeMap<Ipv4Addr, String>) {
        self.listeners.retain(|address, _| serving.contains_key(address));
        self.complained.retain(|address| serving.contains_key(address));
        for (address, name) in serving {
            if self.listeners.contains_key(address) {
                continue;
            }
            let at = SocketAddrV4::new(*address, self.port);
            match listen(at) {
                Ok(listener) => {
                    self.listeners.insert(*address, listener);
                }
                Err(error) => {
                    if self.complained.insert(*address) {
                        log::error!("simulated: {name} is mute: {}", cannot_listen(at, &error));
                    }
                }
            }
        }
    }

    /// Everybody who has called since the last time, and whom they called.
    pub fn callers(&self) -> Vec<(Ipv4Addr, TcpStream)> {
        let mut callers = Vec::new();
        for (address, listener) in &self.listeners {
            // Whatever is an error now, and that there is nobody, is looked at again a moment later.
            let waiting = std::iter::from_fn(|| listener.accept().ok()).take(CALLERS_MAX);
            callers.extend(waiting.map(|(stream, _)| (*address, stream)));
        }
        callers
    }
}

fn listen(at: SocketAddrV4) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(at)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn cannot_listen(at: SocketAddrV4, error: &std::io::Error) -> String {
    let advice = match error.kind() {
        IoErrorKind::AddrInUse => {
            "another program, or another trial, uses this port: set REPLICA_API_PORT to a free one"
        }
        IoErrorKind::PermissionDenied => "set REPLICA_API_PORT to 1024 or more",
        _ => "the trial needs the whole of 127.0.0.0/8, as on Linux",
    };
    format!("cannot listen at {at} for simulated replicas: {error}; {advice}")
}

/// The status as the settings want to read it.
pub fn body(settings: &ProbeSettings, status: Status) -> String {
    let mut answer = Map::new();
    put(&mut answer, &settings.capacity_key, status.capacity.into());
    put(&mut answer, &settings.termination_key, status.termination.into());
    Value::Object(answer).to_string()
}

/// Puts `value` under a key, or where a JSON pointer (RFC 6901) will find it.
fn put(object: &mut Map<String, Value>, key: &str, value: Value) {
    let Some(pointer) = key.strip_prefix('/') else {
        object.insert(key.to_owned(), value);
        return;
    };
    let (token, rest) = match pointer.split_once('/') {
        Some((token, rest)) => (token, Some(rest)),
        None => (pointer, None),
    };
    let token = token.replace("~1", "/").replace("~0", "~");
    let Some(rest) = rest else {
        object.insert(token, value);
        return;
    };
    let inner = object.entry(token).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        put(inner, &format!("/{rest}"), value);
    }
}

/// Reads one request and answers it: the status under `path`, as configured.
pub fn answer(mut stream: TcpStream, path: &str, status: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(CALLER_TIME))?;
    stream.set_write_timeout(Some(CALLER_TIME))?;
    let head = read_head(&mut stream)?;
    let mut words = head.split(' ');
    let (code, body) = match (words.next(), words.next()) {
        (Some("GET"), Some(asked)) if asked == path => ("200 OK", status),
        (Some("GET"), Some(_)) => ("404 Not Found", "{\"error\": \"no such path\"}"),
        _ => ("405 Method Not Allowed", "{\"error\": \"only GET\"}"),
    };
    let length = body.len();
    let response = format!(
        "HTTP/1.1 {code}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n\
         {body}"
    );
    stream.write_all(response.as_bytes())
}

fn read_head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut piece = [0; HEAD_BYTES_MAX];
    for _ in 0..PIECES_MAX {
        let count = stream.read(&mut piece)?;
        head.extend(piece.iter().take(count));
        if count == 0 || head.len() > HEAD_BYTES_MAX || head.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
