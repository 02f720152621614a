//! What strangers do to an open port: after each of it an honest client is answered.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Limits;
use crate::settings::StatusSettings;
use crate::status::Answer;
use crate::status::question::Question;
use crate::status::server::start_with;

/// How long a test waits for what has to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Far more time than any test needs.
const LIMITS: Limits =
    Limits { connections: 8, head_bytes: 8 * 1024, answer_bytes: 4 * LARGE, time: PATIENCE };

/// For the tests of the time limit.
const HASTY: Limits = Limits { time: Duration::from_millis(500), ..LIMITS };

/// More than any socket's buffers hold.
const LARGE: usize = 16 * 1024 * 1024;

struct Victim(SocketAddr);

impl Victim {
    fn start() -> Self {
        Victim::start_on("127.0.0.1", LIMITS)
    }

    fn start_on(host: &str, limits: Limits) -> Self {
        let settings = StatusSettings { host: host.into(), port: 0, full: true };
        let responder = |question: &Question<'_>| match question.path {
            "/panic" => panic!("a bug in a page"),
            "/large" => Answer::json(200, "x".repeat(LARGE)),
            "/accept" => Answer::html(question.accept.to_owned()),
            path => Answer::json(200, format!("page {path}")),
        };
        Victim(start_with(&settings, limits, Arc::new(responder)).expect("a free port"))
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.0).expect("the port is open");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Everything that comes back for these bytes, until the end of the connection.
    fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // The other side may have hung up by now; what it said is what counts.
        let _ = stream.write_all(bytes);
        read_all(&mut stream)
    }

    #[track_caller]
    fn serves_an_honest_client(&self) {
        let began = Instant::now();
        let mut answer = String::new();
        // On a busy machine the hasty limits can hit an honest client, too.
        while !answer.starts_with("HTTP/1.1 200") && began.elapsed() < PATIENCE {
            answer = self.send(b"GET /honest?query HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "no good answer: {answer:?}");
        assert!(answer.ends_with("\r\n\r\npage /honest"), "no good answer: {answer:?}");
    }

    /// Threads of this server, the gate's and `tiny_http`'s: all are named after the port, or inherit such a name.
    fn threads(&self) -> usize {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
        let port = format!(" {}", self.0.port());
        names.filter(|name| name.trim_end().ends_with(&port)).count()
    }
}

fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[track_caller]
fn starts_with(answer: &str, status: &str) {
    assert!(answer.starts_with(status), "expected {status}, got {answer:?}");
}

#[test]
fn an_answer_is_json_that_nobody_keeps_and_ends_the_connection() {
    let victim = Victim::start();
    let answer = victim.send(b"GET / HTTP/1.1\r\n\r\n");
    for field in [
        "Connection: close",
        "Content-Type: application/json",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Content-Length: 6",
        "Vary: Accept",
    ] {
        assert!(answer.contains(&format!("\r\n{field}\r\n")), "no {field} in {answer:?}");
    }
    let old = victim.send(b"GET / HTTP/1.0\r\n\r\n");
    assert!(old.contains("200 OK") && !old.contains("chunked"), "{old:?}");
}

#[test]
fn a_page_for_browsers_may_load_nothing_from_elsewhere_and_be_framed_by_nobody() {
    let request = b"GET /accept HTTP/1.1\r\nCookie: a\r\nAccept: text/html, */*;q=0.8\r\n\r\n";
    let answer = Victim::start().send(request);
    assert!(answer.ends_with("\r\n\r\ntext/html, */*;q=0.8"), "{answer:?}");
    for field in [
        "Content-Type: text/html; charset=utf-8",
        "Content-Security-Policy: default-src 'none'; ",
        "X-Frame-Options: DENY",
        "Referrer-Policy: no-referrer",
        "Vary: Accept",
    ] {
        assert!(answer.contains(&format!("\r\n{field}")), "no {field} in {answer:?}");
    }
    assert!(answer.contains("; frame-ancestors 'none'"), "{answer:?}");
}

#[test]
fn head_is_answered_without_a_body() {
    let answer = Victim::start().send(b"HEAD /a HTTP/1.1\r\n\r\n");
    starts_with(&answer, "HTTP/1.1 200 OK\r\n");
    assert!(answer.contains("Content-Length: 7\r\n") && answer.ends_with("\r\n\r\n"), "{answer:?}");
}

#[test]
fn another_method_is_told_what_is_allowed_whatever_its_body() {
    let victim = Victim::start();
    let smuggled = "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: xchunked\r\n\r\n\
                    GET /smuggled HTTP/1.1\r\n\r\n";
    for request in ["DELETE / HTTP/1.1\r\n\r\n", smuggled] {
        let answer = victim.send(request.as_bytes());
        starts_with(&answer, "HTTP/1.1 405 ");
        assert!(answer.contains("\r\nAllow: GET, HEAD\r\n"), "{answer:?}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "one answer only: {answer:?}");
    }
    victim.serves_an_honest_client();
}

#[test]
fn pipelined_and_smuggled_requests_are_refused_with_one_answer() {
    let victim = Victim::start();
    for tail in [
        "\r\nGET /second HTTP/1.1\r\n\r\n",
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n",
    ] {
        let answer = victim.send(format!("GET /first HTTP/1.1\r\n{tail}").as_bytes());
        starts_with(&answer, "HTTP/1.1 400 ");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "one answer only: {answer:?}");
    }
    victim.serves_an_honest_client();
}

#[test]
fn a_head_without_end_is_cut_off_and_told_so() {
    let victim = Victim::start();
    let mut request = b"GET / HTTP/1.1\r\nA: ".to_vec();
    request.resize(9 * 1024, b'a');
    starts_with(&victim.send(&request), "HTTP/1.1 431 ");
    // Far more than will ever be read.
    request.resize(LARGE, b'a');
    victim.send(&request);
    victim.serves_an_honest_client();
}

#[test]
fn a_head_of_just_the_limit_is_served() {
    let victim = Victim::start();
    let request = |length: usize| {
        let mut request = b"GET / HTTP/1.1\r\nA: ".to_vec();
        request.resize(length - 4, b'a');
        request.extend_from_slice(b"\r\n\r\n");
        request
    };
    starts_with(&victim.send(&request(LIMITS.head_bytes)), "HTTP/1.1 200 ");
    starts_with(&victim.send(&request(LIMITS.head_bytes + 1)), "HTTP/1.1 431 ");
}

#[test]
fn half_open_requests_neither_keep_others_out_nor_cost_a_thread_each() {
    let victim = Victim::start();
    let half_open: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = victim.connect();
            let _ = stream.write_all(b"GET / HTT");
            stream
        })
        .collect();
    victim.serves_an_honest_client();
    let threads = victim.threads();
    assert!(threads <= 2 * LIMITS.connections + 16, "{threads} threads");
    drop(half_open);
}

#[test]
fn a_request_that_never_ends_is_told_that_it_took_too_long() {
    let victim = Victim::start_on("127.0.0.1", HASTY);
    starts_with(&victim.send(b"GET / HTT"), "HTTP/1.1 408 ");
    victim.serves_an_honest_client();
}

#[test]
fn a_slow_drip_ends_at_the_limit_however_steady_it_is() {
    let victim = Victim::start_on("127.0.0.1", HASTY);
    let mut stream = victim.connect();
    let began = Instant::now();
    while stream.write_all(b"a").is_ok() {
        std::thread::sleep(Duration::from_millis(5));
        assert!(began.elapsed() < PATIENCE, "the drip goes on and on");
    }
    victim.serves_an_honest_client();
}

#[test]
fn readers_that_never_read_hold_nothing_beyond_their_time() {
    let victim = Victim::start_on("127.0.0.1", HASTY);
    let readers: Vec<TcpStream> = (0..LIMITS.connections)
        .map(|_| {
            let mut stream = victim.connect();
            stream.write_all(b"GET /large HTTP/1.1\r\n\r\n").unwrap();
            stream
        })
        .collect();
    victim.serves_an_honest_client();
    let began = Instant::now();
    for mut stream in readers {
        // Whatever had not fit into the buffers when the time was over never comes.
        assert!(read_all(&mut stream).len() <= LARGE + 1024);
    }
    assert!(began.elapsed() < PATIENCE, "readers were held");
    victim.serves_an_honest_client();
}

#[test]
fn answers_that_nobody_reads_have_a_bound_together() {
    let limits = Limits { answer_bytes: 3 * LARGE, ..LIMITS };
    let victim = Victim::start_on("127.0.0.1", limits);
    let ask = || {
        let mut stream = victim.connect();
        stream.write_all(b"GET /large HTTP/1.1\r\n\r\n").unwrap();
        // Its answer has begun to come: it is on its way as a whole.
        stream.read_exact(&mut [0]).unwrap();
        stream
    };
    let mut readers: Vec<TcpStream> = (0..4).map(|_| ask()).collect();
    let lengths: Vec<bool> = readers.iter_mut().map(|one| read_all(one).len() >= LARGE).collect();
    assert_eq!(lengths, [false, false, true, true], "whole answers; those that waited longest go");
    victim.serves_an_honest_client();
}

#[test]
fn a_bug_in_one_page_is_contained() {
    let victim = Victim::start();
    starts_with(&victim.send(b"GET /panic HTTP/1.1\r\n\r\n"), "HTTP/1.1 500 ");
    victim.serves_an_honest_client();
}

#[test]
fn clients_that_hang_up_at_once_disturb_nobody() {
    let victim = Victim::start();
    for _ in 0..100 {
        drop(victim.connect());
    }
    victim.serves_an_honest_client();
}

#[test]
fn ipv6_is_served_with_and_without_brackets() {
    if TcpListener::bind("[::1]:0").is_err() {
        // Not `eprintln`, which is captured: a test that is skipped says so.
        let why = "skipped: ipv6_is_served_with_and_without_brackets: no IPv6 on loopback\n";
        std::io::stderr().write_all(why.as_bytes()).unwrap();
        return;
    }
    for host in ["::1", "[::1]"] {
        Victim::start_on(host, LIMITS).serves_an_honest_client();
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_do() {
    let victim = Victim::start();
    let settings = StatusSettings { host: "127.0.0.1".into(), port: victim.0.port(), full: true };
    let responder = |_: &Question<'_>| Answer::json(200, String::new());
    let error = start_with(&settings, LIMITS, Arc::new(responder)).unwrap_err();
    let port = victim.0.port().to_string();
    for word in ["127.0.0.1", &port, "APP_PORT", "in use"] {
        assert!(error.text.contains(word), "no {word} in: {error}");
    }
}
