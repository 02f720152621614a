//! An HTTP proxy: it knows names that nobody else does (all of them are this machine), and notes what it was asked.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

/// What it does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serves {
    /// What was asked for.
    Everybody,
    /// Only who brings this `Proxy-Authorization`; others get 407.
    Login(String),
    /// Nobody: this status.
    Nobody(u16),
}

/// A listening proxy. Dropped, it is closed.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// Is told of each request that was answered: its head, when it came, and the answer.
type Listener = dyn Fn(&str, Instant, &[u8]) + Send + Sync;

struct Shared {
    serves: Serves,
    passed_on: Box<Listener>,
    heads: Mutex<Vec<String>>,
    ended: Mutex<bool>,
}

impl Proxy {
    /// Listens on 127.0.0.1.
    pub fn start(serves: Serves) -> Self {
        Proxy::start_telling(serves, |_, _, _| {})
    }

    /// The same, and `passed_on` is told of each request that was answered by whom it was for: its head, when it came, and
    /// the answer.
    pub fn start_telling(
        serves: Serves,
        passed_on: impl Fn(&str, Instant, &[u8]) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            serves,
            passed_on: Box::new(passed_on),
            heads: Mutex::default(),
            ended: Mutex::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if *accepting.ended.lock().unwrap() {
                    return;
                }
                let shared = Arc::clone(&accepting);
                // Whoever hangs up ends it.
                thread::spawn(move || drop(shared.serve(&stream)));
            }
        });
        Proxy { address, shared }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same with this user and password; none when it is empty.
    pub fn url_with(&self, login: &str) -> String {
        let at = if login.is_empty() { "" } else { "@" };
        format!("http://{login}{at}{}", self.address)
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        *self.shared.ended.lock().unwrap() = true;
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, mut stream: &TcpStream) -> io::Result<()> {
        loop {
            let head = read_head(stream)?;
            let came = Instant::now();
            self.heads.lock().unwrap().push(head.clone());
            if let Some(status) = self.refusal(&head) {
                let body = "<html><body>the proxy says no</body></html>";
                let length = body.len();
                return write!(
                    stream,
                    "HTTP/1.1 {status} No\r\nContent-Length: {length}\r\n\r\n{body}"
                );
            }
            let mut first = head.split(' ');
            let (method, target) =
                (first.next().unwrap_or_default(), first.next().unwrap_or_default());
            if method == "CONNECT" {
                let upstream = TcpStream::connect(at_home(target))?;
                stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
                return tunnel(stream, &upstream);
            }
            let (authority, path) = target
                .strip_prefix("http://")
                .and_then(|rest| rest.split_once('/'))
                .ok_or(io::ErrorKind::InvalidData)?;
            let mut upstream = TcpStream::connect(at_home(authority))?;
            let kept = |line: &&str| {
                let line = line.to_lowercase();
                !line.is_empty() && !line.starts_with("proxy-") && !line.starts_with("connection:")
            };
            let mut lines: Vec<&str> = head.lines().skip(1).filter(kept).collect();
            lines.extend(["Connection: close", "", ""]);
            let lines = lines.join("\r\n");
            write!(upstream, "{method} /{path} HTTP/1.1\r\n{lines}")?;
            let mut body = vec![0; content_length(&head)];
            stream.read_exact(&mut body)?;
            upstream.write_all(&body)?;
            let mut answer = Vec::new();
            upstream.read_to_end(&mut answer)?;
            (self.passed_on)(&head, came, &answer);
            stream.write_all(&answer)?;
        }
    }

    fn refusal(&self, head: &str) -> Option<u16> {
        match &self.serves {
            Serves::Everybody => None,
            Serves::Nobody(status) => Some(*status),
            Serves::Login(value) => {
                let line = format!("Proxy-Authorization: {value}");
                (!head.lines().any(|given| given == line)).then_some(407)
            }
        }
    }
}

/// Any host's port on this machine.
fn at_home(authority: &str) -> SocketAddr {
    let port = authority.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(80);
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn read_head(mut stream: &TcpStream) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn content_length(head: &str) -> usize {
    let value = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    value.unwrap_or(0)
}

fn tunnel(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut &*server, &mut &*client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = up.join();
    Ok(())
}
