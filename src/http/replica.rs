//! Asking a replica: one question, one answer, nothing kept.

use std::sync::Arc;
use std::time::Duration;

use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, NextTimeout, RustlsConnector, TcpConnector, Transport, time,
};
use ureq::{Agent, Timeout};

use crate::error::{Result, out_of_resources};
use crate::http::encoding::{ASKED, compressed};
use crate::http::remedy::remedy;
use crate::http::resolver::Lookup;
use crate::http::wording::{probe_failure, without_answer};
use crate::http::{Trust, USER_AGENT, tls};
use crate::metrics::ProbeFailure;
use crate::settings::ProbeSettings;

/// How long a connection may take; the rest of `REPLICA_API_TIMEOUT` is for the answer.
const CONNECT: Duration = Duration::from_secs(2);

/// Most bytes of an answer's body.
const BODY_BYTES_MAX: u64 = 64 * 1024;

/// What is read at once of an answer, in bytes; its header has to fit. ureq's default of 128 KiB, times 128 replicas at
/// once, is more than a daemon of this size should hold.
const INPUT_BYTES: usize = 8 * 1024;

/// Most bytes of an answer's header: one more, and there is no room to read on, which ureq takes for the end.
const HEADER_BYTES_MAX: usize = INPUT_BYTES - 1;

/// The whole question has to fit, in bytes; `REPLICA_API_PATH` is all of it that can be long.
const OUTPUT_BYTES: usize = 4 * 1024;

/// Why there is no answer, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// It was asked, and this is what became of it.
    Asked(ProbeFailure, String),
    /// This machine is short of what it takes to ask; that says nothing about the replica.
    Unasked(String),
}

/// Asks replicas.
#[derive(Clone, Debug)]
pub struct ReplicaClient {
    agent: Agent,
    timeout: Duration,
}

impl ReplicaClient {
    /// A client for replicas. An unreadable `REPLICA_API_CACERT` is an error.
    pub fn new(settings: &ProbeSettings) -> Result<Self> {
        Ok(ReplicaClient::within(settings.timeout, CONNECT, trusting(settings)?))
    }

    /// The same, for which a host counts as gone when it has not taken the connection after `connect`. A TLS handshake has
    /// its usual time: it is up to the service, which may be slow.
    pub fn impatient(settings: &ProbeSettings, connect: Duration) -> Result<Self> {
        Ok(ReplicaClient::within(settings.timeout, connect, trusting(settings)?))
    }

    /// A client for what runs on this machine, with the same limits: for `--healthcheck`.
    pub fn plain(timeout: Duration) -> Self {
        ReplicaClient::within(timeout, CONNECT, TlsConfig::builder().build())
    }

    fn within(timeout: Duration, connect: Duration, tls: TlsConfig) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .timeout_connect(Some(CONNECT.min(timeout)))
            // A replica is asked on its own address, whatever proxy this machine uses for the world.
            .proxy(None)
            // A redirect is no answer: it may lead anywhere.
            .max_redirects(0)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .input_buffer_size(INPUT_BYTES)
            .output_buffer_size(OUTPUT_BYTES)
            .max_response_header_size(HEADER_BYTES_MAX)
            .user_agent(USER_AGENT)
            .accept("application/json")
            .accept_encoding(ASKED)
            .tls_config(tls)
            .build();
        let connector = Reach(connect).chain(RustlsConnector::default());
        let agent = Agent::with_parts(config, connector, Lookup::default());
        ReplicaClient { agent, timeout }
    }

    /// One question; the status and the body of the answer, or why there is none.
    pub fn get(&self, url: &str) -> std::result::Result<(u16, Vec<u8>), NoAnswer> {
        let words = |error: ureq::Error| {
            let why = without_answer(&error, self.timeout, BODY_BYTES_MAX);
            let why = format!("{why}{}", remedy(&why, url, "REPLICA_API_CACERT"));
            match &error {
                ureq::Error::Io(cause) if out_of_resources(cause) => NoAnswer::Unasked(why),
                _ => NoAnswer::Asked(probe_failure(&error), why),
            }
        };
        let mut response =
            self.agent.get(url).header("connection", "close").call().map_err(words)?;
        let status = response.status().as_u16();
        if let (200..=299, Some(why)) = (status, compressed(response.headers())) {
            return Err(NoAnswer::Asked(ProbeFailure::Invalid, why));
        }
        let body = response.body_mut().with_config().limit(BODY_BYTES_MAX).read_to_vec();
        Ok((status, body.map_err(words)?))
    }
}

fn trusting(settings: &ProbeSettings) -> Result<TlsConfig> {
    let cacert = settings.cacert.as_deref();
    tls(Trust { cacert, insecure: settings.insecure, client: None }, "REPLICA_API_")
}

/// Opens TCP connections, within this time at most.
#[derive(Debug)]
struct Reach(Duration);

impl Connector for Reach {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> std::result::Result<Option<Self::Out>, ureq::Error> {
        let limit = details.timeout.after.min(time::Duration::Exact(self.0));
        let details = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: NextTimeout { after: limit, reason: Timeout::Connect, ..details.timeout },
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        let none: Option<()> = None;
        let transport = TcpConnector::default().connect(&details, none)?;
        Ok(transport.map(|transport| Box::new(transport) as Box<dyn Transport>))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What comes of an answer with a header field of so many bytes.
    fn answer_with(bytes: usize) -> std::result::Result<(u16, Vec<u8>), NoAnswer> {
        let field = "a".repeat(bytes);
        answered(&format!("HTTP/1.1 200 OK\r\nA: {field}\r\nContent-Length: 2\r\n\r\n{{}}"))
    }

    /// What comes of this answer.
    fn answered(answer: &str) -> std::result::Result<(u16, Vec<u8>), NoAnswer> {
        let whole = answer.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let replica = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
            assert!(request.contains("\r\naccept-encoding: identity\r\n"), "{request}");
            // The client may have hung up by now.
            let _ = stream.write_all(whole.as_bytes());
        });
        let answer = ReplicaClient::new(&ProbeSettings {
            https: false,
            port: 8080,
            path: "/".into(),
            capacity_key: "capacity".into(),
            termination_key: "termination".into(),
            timeout: Duration::from_secs(20),
            retries: 0,
            concurrency: 1,
            cacert: None,
            insecure: false,
        });
        let answer = answer.unwrap().get(&url);
        replica.join().unwrap();
        answer
    }

    #[test]
    fn a_compressed_answer_is_named_and_an_error_stays_one() {
        let answer = |status: u16, coding: &str| {
            answered(&format!(
                "HTTP/1.1 {status} A\r\nContent-Encoding: {coding}\r\nContent-Length: 2\r\n\r\n{{}}"
            ))
        };
        for coding in ["gzip", "x-gzip", "deflate", "br", "zstd", "GZIP, identity"] {
            let Err(NoAnswer::Asked(ProbeFailure::Invalid, why)) = answer(200, coding) else {
                panic!("{coding} is taken");
            };
            assert!(why.starts_with("the answer is compressed ("), "{why}");
        }
        for coding in ["identity", "", "utf-8"] {
            assert_eq!(answer(200, coding), Ok((200, b"{}".to_vec())), "{coding}");
        }
        assert_eq!(answer(503, "gzip"), Ok((503, b"{}".to_vec())));
    }

    #[test]
    fn a_header_that_is_too_large_is_told_from_an_answer_that_ends() {
        assert_eq!(answer_with(7 * 1024), Ok((200, b"{}".to_vec())));
        let why = "the answer's header is too large".to_owned();
        for bytes in [8 * 1024, 9 * 1024, 20 * 1024] {
            assert_eq!(
                answer_with(bytes),
                Err(NoAnswer::Asked(ProbeFailure::Invalid, why.clone())),
                "{bytes} bytes"
            );
        }
    }
}
