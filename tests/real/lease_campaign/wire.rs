//! The wire between one scaler and the cloud: it notes each request, and can be cut, or hold back what is sent.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use super::log::{Entry, Log};
use crate::cloud::Cloud;
use crate::daemon::Settings;

/// The services that a scaler talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Identity,
    Compute,
    Network,
    Image,
}

const SERVICES: [Service; 4] =
    [Service::Identity, Service::Compute, Service::Network, Service::Image];

/// What becomes of requests to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// They are answered.
    Open,
    /// The service is stopped: connections are closed.
    Stopped,
    /// The service hangs: what is sent takes effect when this is over, whether or not somebody still waits for the answer.
    Hangs,
    /// The network is cut: what is sent is lost, and so is what is answered.
    Cut,
}

/// One scaler's wire. Dropped, whatever is on it is lost.
pub struct Wire {
    addresses: [SocketAddr; 4],
    shared: Arc<Shared>,
}

struct Shared {
    process: usize,
    log: Arc<Log>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    flows: [Flow; 4],
    /// How many requests wait for a service that hangs.
    held: usize,
    ended: bool,
}

impl Wire {
    /// One for this process, to the services of `cloud`.
    pub fn open(process: usize, cloud: &Cloud, log: &Arc<Log>) -> Self {
        let state = State { flows: [Flow::Open; 4], held: 0, ended: false };
        let shared = Arc::new(Shared {
            process,
            log: Arc::clone(log),
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let addresses = SERVICES.map(|service| {
            let to = host_and_port(&url(cloud, service));
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let accepting = Arc::clone(&shared);
            thread::spawn(move || accept(&accepting, &listener, service, &to));
            address
        });
        Wire { addresses, shared }
    }

    /// The settings of a scaler that uses it.
    pub fn settings(&self, cloud: &Cloud, settings: Settings) -> Settings {
        const NAMES: [&str; 4] = [
            "OS_AUTH_URL",
            "OS_COMPUTE_ENDPOINT_OVERRIDE",
            "OS_NETWORK_ENDPOINT_OVERRIDE",
            "OS_IMAGE_ENDPOINT_OVERRIDE",
        ];
        SERVICES.iter().zip(NAMES).zip(self.addresses).fold(
            settings,
            |settings, ((service, name), address)| {
                let url = url(cloud, *service);
                let here = url.replacen(&host_and_port(&url), &address.to_string(), 1);
                settings.with(name, &here)
            },
        )
    }

    /// From now on this becomes of requests to the service.
    pub fn set(&self, service: Service, flow: Flow) {
        self.shared.state.lock().unwrap().flows[service as usize] = flow;
        self.shared.changed.notify_all();
    }

    /// The same for all services.
    pub fn set_all(&self, flow: Flow) {
        self.shared.state.lock().unwrap().flows = [flow; 4];
        self.shared.changed.notify_all();
    }

    /// How many requests wait for a service that hangs.
    pub fn held(&self) -> usize {
        self.shared.state.lock().unwrap().held
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().ended = true;
        self.shared.changed.notify_all();
        for address in self.addresses {
            drop(TcpStream::connect(address));
        }
    }
}

fn url(cloud: &Cloud, service: Service) -> String {
    match service {
        Service::Identity => cloud.openrc.get("OS_AUTH_URL").to_owned(),
        Service::Compute => cloud.member.endpoint("compute"),
        Service::Network => cloud.member.endpoint("network"),
        Service::Image => cloud.member.endpoint("image"),
    }
}

fn host_and_port(url: &str) -> String {
    url.split('/').nth(2).expect("a URL").to_owned()
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener, service: Service, to: &str) {
    for stream in listener.incoming().map_while(Result::ok) {
        if shared.state.lock().unwrap().ended {
            return;
        }
        let (shared, to) = (Arc::clone(shared), to.to_owned());
        // Whoever hangs up ends it.
        thread::spawn(move || drop(shared.serve(&stream, service, &to)));
    }
}

impl Shared {
    /// One request and its answer; the connection ends with it.
    fn serve(&self, mut stream: &TcpStream, service: Service, to: &str) -> io::Result<()> {
        if self.flow(service) == Flow::Stopped {
            return Ok(());
        }
        let (line, request, body) = read_request(stream)?;
        let number = self.log.sent(Entry::new(self.process, service, &line, &body));
        if !self.passes(service) {
            return Ok(());
        }
        let mut cloud = TcpStream::connect(to)?;
        cloud.write_all(&request)?;
        let mut answer = Vec::new();
        cloud.read_to_end(&mut answer)?;
        let status = answer.get(9..12).and_then(|status| std::str::from_utf8(status).ok());
        let status = status.and_then(|status| status.parse().ok()).unwrap_or(0);
        if self.passes(service) {
            let text = String::from_utf8_lossy(&answer);
            self.log.answered(number, Instant::now(), status, &text);
            stream.write_all(&answer)?;
        }
        Ok(())
    }

    fn flow(&self, service: Service) -> Flow {
        self.state.lock().unwrap().flows[service as usize]
    }

    /// Waits while the service hangs or the network is cut; `false`: it is lost.
    fn passes(&self, service: Service) -> bool {
        let mut state = self.state.lock().unwrap();
        let mut lost = false;
        state.held += 1;
        loop {
            let flow = state.flows[service as usize];
            lost |= flow == Flow::Cut;
            if state.ended || matches!(flow, Flow::Open | Flow::Stopped) {
                state.held -= 1;
                return !lost && !state.ended && flow == Flow::Open;
            }
            state = self.changed.wait(state).unwrap();
        }
    }
}

/// The first line, the whole request with `Connection: close`, and its body.
fn read_request(stream: &TcpStream) -> io::Result<(String, Vec<u8>, String)> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let lower = line.to_ascii_lowercase();
        if first.is_empty() {
            line.trim_end().clone_into(&mut first);
        } else if lower.starts_with("connection:") {
            continue;
        } else if let Some(text) = lower.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap_or(0);
        } else if line == "\r\n" {
            break;
        }
        head.extend_from_slice(line.as_bytes());
    }
    assert!(length < 1 << 20, "no request of a scaler is so long");
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    head.extend_from_slice(b"Connection: close\r\n\r\n");
    head.extend_from_slice(&body);
    Ok((first, head, String::from_utf8_lossy(&body).into_owned()))
}
