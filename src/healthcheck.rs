//! `--healthcheck`: whether the instance that runs with these same settings lives. It asks `/livez`, as a supervisor
//! would: what the cloud does is no reason to restart the scaler.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::error::one_line;

/// How long the instance may take to answer; less than a container engine gives its check.
const TIME_MAX: Duration = Duration::from_secs(3);

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// Asks the instance that listens on `host` (`APP_HOST`) and `port` (`APP_PORT`). The error says in one line why it does
/// not count as alive.
pub fn run(host: &str, port: u16) -> Result<(), String> {
    run_within(host, port, TIME_MAX)
}

fn run_within(host: &str, port: u16, time_max: Duration) -> Result<(), String> {
    if port == 0 {
        return Err("APP_PORT is 0, so nobody knows where to ask; choose a port".to_owned());
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let deadline = Instant::now() + time_max;
    let answer = exchange(host, port, deadline).map_err(|error| {
        format!("no answer from {host} port {port} (APP_HOST, APP_PORT): {error}")
    })?;
    judge(&answer)
}

fn exchange(host: &str, port: u16, deadline: Instant) -> Result<String, String> {
    let text = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::WouldBlock => "timeout".to_owned(),
        _ => error.to_string(),
    };
    let mut stream = connect(host, port, deadline)?;
    // Not the name that was bound: what is asked is ourselves.
    let request = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.set_write_timeout(Some(left(deadline)?)).map_err(text)?;
    stream.write_all(request.as_bytes()).map_err(text)?;
    let mut answer = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        stream.set_read_timeout(Some(left(deadline)?)).map_err(text)?;
        let length = stream.read(&mut chunk).map_err(text)?;
        answer.extend_from_slice(chunk.get(..length).unwrap_or_default());
        if length == 0 || answer.len() as u64 >= ANSWER_BYTES_MAX {
            return Ok(String::from_utf8_lossy(&answer).into_owned());
        }
    }
}

fn connect(host: &str, port: u16, deadline: Instant) -> Result<TcpStream, String> {
    let addresses = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
    let mut why = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&reachable(address), left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// Who listens on all addresses is asked on the loopback one.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn left(deadline: Instant) -> Result<Duration, String> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err("timeout".to_owned()) } else { Ok(left) }
}

fn judge(answer: &str) -> Result<(), String> {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    match status {
        "200" if head.starts_with("HTTP/1.") => Ok(()),
        _ => Err(format!("not alive: {}", one_line(&format!("{status} {body}"), 200))),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// An instance that answers one request so, after it has read it.
    fn instance(host: &str, answer: &'static str) -> u16 {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].starts_with(b"GET /livez HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        port
    }

    #[test]
    fn an_instance_that_says_it_lives_is_healthy() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"alive\":true}";
        for host in ["127.0.0.1", "0.0.0.0", "localhost"] {
            let port = instance(if host == "0.0.0.0" { host } else { "127.0.0.1" }, answer);
            assert_eq!(run(host, port), Ok(()), "{host}");
        }
    }

    #[test]
    fn all_addresses_of_both_versions_mean_the_loopback_one() {
        let asked = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:8000"), "127.0.0.1:8000");
        assert_eq!(asked("[::]:8000"), "[::1]:8000");
        assert_eq!(asked("192.0.2.1:8000"), "192.0.2.1:8000");
    }

    #[test]
    fn an_instance_that_says_it_is_stuck_is_not_and_why_is_said() {
        let answer =
            "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"alive\":false,\n\"why\":\"no progress\"}";
        let port = instance("127.0.0.1", answer);
        let why = r#"not alive: 503 {"alive":false, "why":"no progress"}"#.to_owned();
        assert_eq!(run("127.0.0.1", port), Err(why));
    }

    #[test]
    fn something_else_on_the_port_is_not_healthy() {
        let port = instance("127.0.0.1", "SSH 200\r\n");
        assert_eq!(run("127.0.0.1", port), Err("not alive: 200 ".trim_end().to_owned()));
    }

    #[test]
    fn a_frozen_instance_is_not_healthy() {
        // The system accepts for it, as it does for a process that was stopped.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let why = run_within("127.0.0.1", port, Duration::from_millis(50)).unwrap_err();
        assert!(why.ends_with("(APP_HOST, APP_PORT): timeout"), "{why}");
    }

    #[test]
    fn nobody_there_is_not_healthy() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let why = run("127.0.0.1", port).unwrap_err();
        assert!(why.contains("Connection refused"), "{why}");
        assert!(run("127.0.0.1", 0).unwrap_err().contains("APP_PORT"), "a port of 0");
    }
}
