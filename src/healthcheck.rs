//! `--healthcheck`: whether the running instance with these settings is alive. It asks `/livez`, as a supervisor would:
//! what the cloud does is no reason to restart the scaler.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::error::one_line;
use crate::http::{NoAnswer, ReplicaClient};

/// How long the instance may take to answer; less than a container engine gives its check.
const TIME_MAX: Duration = Duration::from_secs(3);

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
    let url = format!("http://{}:{port}/livez", reachable(host));
    match ReplicaClient::plain(time_max).get(&url) {
        Ok((200, _)) => Ok(()),
        Ok((status, body)) => {
            let body = String::from_utf8_lossy(&body);
            Err(format!("not alive: {}", one_line(&format!("{status} {body}"), 200)))
        }
        Err(NoAnswer::Asked(_, why) | NoAnswer::Unasked(why)) => {
            Err(format!("no answer from {host} port {port} (APP_HOST, APP_PORT): {why}"))
        }
    }
}

/// The host as a URL has it. One that listens on all addresses is asked on loopback.
fn reachable(host: &str) -> String {
    match host.parse() {
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => format!("[{}]", Ipv6Addr::LOCALHOST),
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
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
        assert_eq!(reachable("0.0.0.0"), "127.0.0.1");
        assert_eq!(reachable("::"), "[::1]");
        assert_eq!(reachable("fd10::1"), "[fd10::1]");
        assert_eq!(reachable("192.0.2.1"), "192.0.2.1");
        assert_eq!(reachable("scaler"), "scaler");
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
        let why = run("127.0.0.1", port).unwrap_err();
        assert!(
            why.contains("(APP_HOST, APP_PORT): the answer is not HTTP, or ends too early"),
            "{why}"
        );
    }

    #[test]
    fn a_frozen_instance_is_not_healthy() {
        // The system accepts for it, as it does for a process that was stopped.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let why = run_within("127.0.0.1", port, Duration::from_millis(50)).unwrap_err();
        assert!(why.ends_with("(APP_HOST, APP_PORT): no answer within 1 s"), "{why}");
    }

    #[test]
    fn nobody_there_is_not_healthy() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let why = run("127.0.0.1", port).unwrap_err();
        assert!(why.ends_with("(APP_HOST, APP_PORT): connection refused"), "{why}");
        assert!(run("127.0.0.1", 0).unwrap_err().contains("APP_PORT"), "a port of 0");
    }
}
