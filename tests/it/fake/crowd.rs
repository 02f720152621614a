//! Many fake replicas behind one listener: a thread and a port for each of 1,000 would tell more of this machine than of
//! the executable.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Threads that answer: a slow client must not hold up the others.
const THREADS: usize = 8;

/// Connections to black holes that are held open: more than any client has at once, fewer than descriptors allow.
const HELD_MAX: usize = 400;

/// Connections that may wait to be accepted: more than any client makes at once.
const WAITING_MAX: i32 = 1024;

/// How long a client may take to send its question.
const QUESTION: Duration = Duration::from_secs(5);

/// What every healthy one says.
const STATUS: &str = r#"{"capacity": 1, "termination": false}"#;

/// Replicas on every loopback address, all with one port. Dropped, they refuse connections.
pub struct Crowd {
    shared: Arc<Shared>,
    port: u16,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    listener: TcpListener,
    stopped: AtomicBool,
    accepted: AtomicUsize,
    holes: Mutex<BTreeSet<IpAddr>>,
    held: Mutex<VecDeque<TcpStream>>,
}

impl Crowd {
    /// Listens on a port that is free on all addresses.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
        rustix::net::listen(&listener, WAITING_MAX).expect("it listens already");
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            listener,
            stopped: AtomicBool::new(false),
            accepted: AtomicUsize::new(0),
            holes: Mutex::default(),
            held: Mutex::default(),
        });
        let serve = || {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.serve())
        };
        let threads = (0..THREADS).map(|_| serve()).collect();
        Crowd { shared, port, threads }
    }

    /// The port of all of them.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there were so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// From now on connections to this address are accepted and never answered.
    pub fn black_hole(&self, address: IpAddr) {
        self.shared.holes.lock().unwrap().insert(address);
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the threads, one each.
        for _ in 0..THREADS {
            let _ = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.port)));
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn serve(&self) {
        while let Ok((stream, peer)) = self.listener.accept() {
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
            // It listens on this machine's other addresses, too.
            let Ok(address) = stream.local_addr() else { continue };
            if !peer.ip().is_loopback() {
                continue;
            }
            self.accepted.fetch_add(1, Ordering::Relaxed);
            if self.holes.lock().unwrap().contains(&address.ip()) {
                let mut held = self.held.lock().unwrap();
                held.push_back(stream);
                if held.len() > HELD_MAX {
                    held.pop_front();
                }
            } else {
                // A client that went away meanwhile is the client's own affair.
                let _ = answer(&stream);
            }
        }
    }
}

fn answer(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(QUESTION))?;
    let (mut question, mut chunk) = (Vec::new(), [0; 1024]);
    while !question.ends_with(b"\r\n\r\n") {
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            n => question.extend_from_slice(&chunk[..n]),
        }
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
    stream.write_all(format!("{head}{}\r\n\r\n{STATUS}", STATUS.len()).as_bytes())
}
