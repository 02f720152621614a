//! The floor: the exchanges of a pass with nothing but sockets. The pages of the list are received, and not understood; the
//! replicas are asked from as many threads as the executable may have.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::fake::Cloud;
use crate::helper::{Helper, serve};
use crate::world::World;

/// What the process is started with.
pub const ROLE: &str = "floor";

/// `REPLICA_API_CONCURRENCY` unless it is set.
pub const THREADS: usize = 128;

/// How long a replica may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(2);

/// Between two questions to the same silent replica.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(1);

/// Most bytes of a question, and of an answer of a replica.
const ANSWER_BYTES: usize = 4096;

/// The process for a pool of so many replicas, which have so many milliseconds and so many second chances.
pub fn start(world: &World, count: usize, timeout_ms: u64, retries: u32) -> Helper {
    let arguments = [
        world.list().to_owned(),
        world.port().to_owned(),
        count.to_string(),
        timeout_ms.to_string(),
        retries.to_string(),
    ];
    Helper::start(ROLE, &arguments)
}

/// The process that repeats what others asked.
pub fn repeats() -> Helper {
    Helper::start(ROLE, &[])
}

/// The process itself. A line is `pass`, or requests to repeat.
pub fn run(arguments: impl Iterator<Item = String>) {
    let arguments: Vec<String> = arguments.collect();
    let mut pool = match &arguments[..] {
        [list, port, count, timeout_ms, retries] => Some(Floor {
            pages: Connection::to(list),
            list: path(list).to_owned(),
            port: port.parse().expect("a port"),
            count: count.parse().expect("a number"),
            timeout: Duration::from_millis(timeout_ms.parse().expect("a number")),
            retries: retries.parse().expect("a number"),
        }),
        _ => None,
    };
    serve(|line| match &mut pool {
        Some(pool) => pool.pass().to_string(),
        None => repeat(&serde_json::from_str(line).expect("JSON")).to_string(),
    });
}

struct Floor {
    pages: Connection,
    list: String,
    port: u16,
    count: usize,
    timeout: Duration,
    retries: u32,
}

impl Floor {
    /// How many replicas answered.
    fn pass(&mut self) -> usize {
        let mut next = Some(self.list.clone());
        while let Some(path) = next {
            let page = self.pages.exchange("GET", &path, "token", "").expect("a page");
            next = next_page(page);
        }
        let mut silent = self.round(&(0..self.count).collect::<Vec<usize>>());
        for _ in 0..self.retries {
            if silent.is_empty() {
                break;
            }
            thread::sleep(BETWEEN_ROUNDS);
            silent = self.round(&silent);
        }
        self.count - silent.len()
    }

    /// Which of these do not answer.
    fn round(&self, replicas: &[usize]) -> Vec<usize> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut silent = Vec::new();
            while let Some(replica) = replicas.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.ask(Cloud::address_in_crowd(*replica)).is_err() {
                    silent.push(*replica);
                }
            }
            silent
        };
        thread::scope(|scope| {
            let threads = THREADS.min(replicas.len());
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("it asked")).collect()
        })
    }

    fn ask(&self, address: IpAddr) -> io::Result<()> {
        let mut stream = TcpStream::connect_timeout(&(address, self.port).into(), CONNECT)?;
        stream.set_read_timeout(Some(self.timeout))?;
        let question = format!(
            "GET / HTTP/1.1\r\nconnection: close\r\nhost: {address}:{}\r\naccept-encoding: identity\r\n\
             user-agent: floor/0.1.0\r\naccept: application/json\r\n\r\n",
            self.port
        );
        stream.write_all(question.as_bytes())?;
        let (mut answer, mut read) = ([0; ANSWER_BYTES], 0);
        loop {
            match stream.read(&mut answer[read..])? {
                0 if answer[..read].ends_with(b"}") => return Ok(()),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                bytes => read += bytes,
            }
        }
    }
}

/// A kept connection to a service of the cloud.
struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    /// The last answer, head and body.
    answer: Vec<u8>,
}

impl Connection {
    fn to(url: &str) -> Self {
        let authority = url.trim_start_matches("http://").split('/').next().expect("a host");
        let address = authority.parse().expect("an address and a port");
        Connection { address, stream: None, answer: Vec::new() }
    }

    /// The whole answer to one request.
    fn exchange(&mut self, method: &str, path: &str, token: &str, body: &str) -> io::Result<&[u8]> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.address)?,
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nx-auth-token: {token}\r\naccept: application/json\r\n\
             openstack-api-version: compute 2.69\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        self.answer.clear();
        let mut chunk = vec![0; 64 * 1024];
        let mut whole = None;
        while whole.is_none_or(|whole| self.answer.len() < whole) {
            let bytes = stream.read(&mut chunk)?;
            if bytes == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.answer.extend_from_slice(&chunk[..bytes]);
            let end = whole.is_none().then(|| find(&self.answer, b"\r\n\r\n")).flatten();
            if let Some(end) = end {
                let length = header(&self.answer[..end], "content-length");
                whole =
                    Some(end + 4 + length.map_or(0, |length| length.parse().expect("a length")));
            }
        }
        let closes = find(&self.answer, b"\r\n\r\n").is_some_and(|end| {
            header(&self.answer[..end], "connection").as_deref() == Some("close")
        });
        self.stream = (!closes).then_some(stream);
        Ok(&self.answer)
    }
}

/// Sends these requests again, one after the other, to services that the last ones left connections to; how many there were.
fn repeat(requests: &Value) -> usize {
    let requests = requests.as_array().expect("a list");
    let mut connections: Vec<(String, Connection)> = Vec::new();
    let mut token = String::new();
    for request in requests {
        let text = |name: &str| request[name].as_str().expect("text");
        let authority = text("authority");
        let place = connections.iter().position(|(known, _)| known == authority);
        let place = place.unwrap_or_else(|| {
            connections.push((authority.to_owned(), Connection::to(authority)));
            connections.len() - 1
        });
        let connection = &mut connections[place].1;
        let answer = connection.exchange(text("method"), text("target"), &token, text("body"));
        let answer = answer.expect("an answer");
        let end = find(answer, b"\r\n\r\n").expect("a head");
        if let Some(new) = header(&answer[..end], "x-subject-token") {
            token = new;
        }
    }
    requests.len()
}

/// Where the page after this one is: its link is the last thing in it.
fn next_page(page: &[u8]) -> Option<String> {
    let tail = &page[page.len().saturating_sub(512)..];
    let tail = String::from_utf8_lossy(tail);
    let (_, links) = tail.split_once("\"servers_links\"")?;
    let (_, href) = links.split_once("\"href\": \"")?;
    href.split_once('"').map(|(href, _)| path(href).to_owned())
}

fn path(url: &str) -> &str {
    let (_, rest) = url.split_once("://").expect("a URL");
    rest.split_at(rest.find('/').expect("a path")).1
}

fn header(head: &[u8], name: &str) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().to_owned())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
