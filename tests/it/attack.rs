//! What strangers do to the status port of the running daemon: it stays alive, its passes stay on time, its memory is
//! bounded, the pool is left as it is, and an honest client is served again soon.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self as unix, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::daemon::{Daemon, Settings, send};
use crate::fake::{Cloud, Says};

/// An honest client is served again so soon after an attack.
const SERVED_AGAIN: Duration = Duration::from_secs(10);

/// An attack is kept up for so many passes, at an interval of a second …
const PASSES: usize = 6;

/// … which take no longer than this; generous, because other tests keep the machine busy.
const ON_TIME: Duration = Duration::from_secs(20);

/// How long a client of ours waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A daemon whose pool wants nothing, and its status port.
struct Victim {
    cloud: Cloud,
    daemon: Daemon,
    port: SocketAddr,
}

impl Victim {
    fn start() -> Self {
        Victim::start_with(Daemon::start)
    }

    fn start_with(start: impl FnOnce(&Settings) -> Daemon) -> Self {
        let cloud = Cloud::start();
        for name in ["a", "b", "c"] {
            cloud.add_replica(name, Says::free(1));
        }
        Victim::of(cloud, "1", start)
    }

    fn of(cloud: Cloud, interval: &str, start: impl FnOnce(&Settings) -> Daemon) -> Self {
        let settings = Settings::of(&cloud).without("REPLICA_API_TIMEOUT");
        let daemon = start(&settings.with("APP_INTERVAL", interval));
        daemon.wait_for_status("/healthz", 200);
        let port = daemon.status_url().trim_start_matches("http://").parse().unwrap();
        Victim { cloud, daemon, port }
    }

    fn connect(&self) -> Option<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.port, PATIENCE).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Some(stream)
    }

    /// So many connections, on each of which these bytes were sent; those that were refused are missing.
    fn connections(&self, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
        let open = || {
            let mut stream = self.connect()?;
            stream.write_all(bytes).ok()?;
            Some(stream)
        };
        (0..count).filter_map(|_| open()).collect()
    }

    /// Everything that comes back for these bytes, until the end of the connection.
    fn answer_to(&self, bytes: &[u8]) -> String {
        let mut answer = Vec::new();
        if let Some(mut stream) = self.connect() {
            // The other side may have hung up by now; what it said is what counts.
            let _ = stream.write_all(bytes);
            let _ = stream.read_to_end(&mut answer);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn passes(&self) -> usize {
        self.cloud.count("GET", "/servers/detail")
    }

    /// Keeps `attack` up, step by step, until enough passes began meanwhile, and sees that they began on time.
    #[track_caller]
    fn endures(&self, mut attack: impl FnMut()) {
        let (began, before) = (Instant::now(), self.passes());
        self.daemon.wait_until("passes under attack", || {
            attack();
            self.passes() >= before + PASSES
        });
        let took = began.elapsed();
        assert!(took < ON_TIME, "{PASSES} passes took {took:?}\n{}", self.daemon.log());
    }

    /// What has to be so after every attack. All its connections are closed by now.
    #[track_caller]
    fn expect_well(mut self) {
        let began = Instant::now();
        let served = || {
            let url = format!("http://{}/", self.port);
            send("GET", &url, &[], None).is_ok_and(|(status, ..)| status == 200)
        };
        self.daemon.wait_until("answer to an honest client", served);
        let waited = began.elapsed();
        assert!(waited < SERVED_AGAIN, "served after {waited:?} only\n{}", self.daemon.log());
        let before = self.daemon.get("/").1["passes"].as_u64();
        self.daemon
            .wait_until("a further pass", || self.daemon.get("/").1["passes"].as_u64() > before);
        self.daemon.wait_for_status("/healthz", 200);
        println!("served after {waited:?}, {} kB at most", self.daemon.memory_peak_kb());
        self.daemon.expect_small();
        let log = self.daemon.log();
        assert!(self.cloud.changes().is_empty(), "{}\n{log}", self.cloud.journal());
        self.daemon.terminate().expect_status(0);
    }
}

/// Room for this process's own ends of the connections.
fn allow_many_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("up to the maximum");
}

#[test]
fn a_thousand_half_open_requests() {
    allow_many_descriptors();
    let victim = Victim::start();
    let held = victim.connections(1000, b"GET / HTT");
    victim.endures(|| {});
    drop(held);
    victim.expect_well();
}

#[test]
fn heads_of_64_mib() {
    const HEADS: usize = 8;
    let victim = Victim::start();
    let block = vec![b'a'; 1024 * 1024];
    thread::scope(|scope| {
        for mut stream in victim.connections(HEADS, b"GET / HTTP/1.1\r\nA: ") {
            let block = &block;
            scope.spawn(move || (0..64).all(|_| stream.write_all(block).is_ok()));
        }
        victim.endures(|| {});
    });
    victim.expect_well();
}

#[test]
fn a_drip_of_headers() {
    const DRIPS: usize = 100;
    let victim = Victim::start();
    let mut drips = victim.connections(DRIPS, b"GET / HTTP/1.1\r\n");
    victim.endures(|| {
        drips.retain_mut(|stream| stream.write_all(b"A: b\r\n").is_ok());
        // Those that were cut off come again.
        drips.extend(victim.connections(DRIPS - drips.len(), b"GET / HTTP/1.1\r\n"));
    });
    drop(drips);
    victim.expect_well();
}

#[test]
fn pipelined_and_smuggled_requests() {
    let victim = Victim::start();
    let second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
    let heads = [
        ("GET", String::new()),
        ("GET", format!("Content-Length: {}\r\nTransfer-Encoding: xchunked\r\n", second.len())),
        ("GET", "Content-Length: 4\r\nTransfer-Encoding: xchunked\r\n".into()),
        ("GET", "Transfer-Encoding: chunked\r\n".into()),
        ("GET", "Content-Length: 0\r\nContent-Length: 5\r\n".into()),
        ("POST", "Content-Length: 4\r\nTransfer-Encoding: xchunked\r\n".into()),
        ("POST", "Content-Length: 1000000\r\nExpect: 100-continue\r\n".into()),
        ("POST", "Transfer-Encoding : chunked\r\n".into()),
    ];
    victim.endures(|| {
        for (method, fields) in &heads {
            let request = format!("{method} / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{second}");
            let answer = victim.answer_to(request.as_bytes());
            let count = answer.matches("HTTP/1.1 ").count();
            assert_eq!(count, 1, "not one answer to {request:?}: {answer:?}");
            assert!(answer.starts_with("HTTP/1.1 4"), "{request:?} is answered with {answer:?}");
        }
    });
    victim.expect_well();
}

#[test]
fn a_body_that_nobody_reads() {
    let victim = Victim::start();
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n";
    let block = vec![b'a'; 1024 * 1024];
    let mut senders = victim.connections(40, head);
    victim.endures(|| senders.retain_mut(|stream| stream.write_all(&block).is_ok()));
    drop(senders);
    victim.expect_well();
}

#[test]
fn descriptors_used_up() {
    allow_many_descriptors();
    crate::expect::each(64..=67, |descriptors: u32| {
        let limit = format!("ulimit -n {descriptors}");
        let victim = Victim::start_with(|settings| Daemon::start_under(&limit, &[], settings));
        let mut held = victim.connections(100, b"GET / HTT");
        victim.endures(|| {
            held.truncate(100);
            held.extend(victim.connections(20, b"GET / HTTP/1.1\r\n\r\n"));
            held.rotate_right(20);
        });
        drop(held);
        victim.expect_well();
    });
}

#[test]
fn ten_thousand_quick_requests() {
    const CLIENTS: usize = 10;
    let owner = Victim::start();
    let victim = &owner;
    let served =
        |_: &usize| victim.answer_to(b"GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 ");
    let began = Instant::now();
    let before = victim.passes();
    let served: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(move || (0..10_000 / CLIENTS).filter(served).count()))
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    let (seconds, passes) = (began.elapsed().as_secs(), victim.passes() - before);
    println!("{served} served in {seconds} s, {passes} passes meanwhile");
    assert_eq!(served, 10_000, "{}", victim.daemon.log());
    assert!(passes * 2 + 2 >= usize::try_from(seconds).unwrap(), "{passes} passes in {seconds} s");
    owner.expect_well();
}

#[test]
fn connections_that_end_with_a_reset() {
    let victim = Victim::start();
    victim.endures(|| {
        for stream in victim.connections(50, b"GET / HTTP/1.1\r\n\r\n") {
            // With no linger time the close sends a reset.
            rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
        }
    });
    victim.expect_well();
}

#[test]
fn readers_that_never_read_the_page_of_a_large_pool() {
    let cloud = Cloud::start();
    cloud.add_crowd(1000, 0);
    let victim = Victim::of(cloud, "2", Daemon::start);
    let request = b"GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n";
    let mut held = victim.connections(100, request);
    victim.endures(|| {
        held.truncate(200);
        held.extend(victim.connections(5, request));
        held.rotate_right(5);
    });
    drop(held);
    victim.expect_well();
}

#[test]
fn a_local_user_who_goes_around_the_gate() {
    allow_many_descriptors();
    let limit = "ulimit -n 256";
    let victim = Victim::start_with(|settings| Daemon::start_under(limit, &[], settings));
    let ours = format!("simplescalevm-{}-", victim.daemon.pid());
    let mut held = Vec::new();
    victim.endures(|| {
        // What any user of the machine can see.
        let sockets = fs::read_to_string("/proc/net/unix").unwrap();
        let names = sockets.lines().filter_map(|line| line.split_once('@').map(|(_, name)| name));
        for name in names.filter(|name| name.starts_with(&ours)) {
            let address = unix::SocketAddr::from_abstract_name(name).unwrap();
            held.extend((0..1500).map_while(|_| UnixStream::connect_addr(&address).ok()));
        }
    });
    let (_, page) = victim.daemon.get("/");
    assert_eq!(page["lastPass"]["ok"], true, "{page}\n{}", victim.daemon.log());
    assert!(held.is_empty(), "{} connections", held.len());
    victim.expect_well();
}
