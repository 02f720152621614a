//! Asking a replica: one question, one answer, nothing kept.

use std::time::Duration;

use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;

use crate::error::{Result, out_of_resources};
use crate::http::resolver::Lookup;
use crate::http::wording::{probe_failure, without_answer};
use crate::http::{USER_AGENT, tls};
use crate::metrics::ProbeFailure;
use crate::settings::ProbeSettings;

/// How long a connection may take; the rest of `REPLICA_API_TIMEOUT` is for the answer.
const CONNECT: Duration = Duration::from_secs(2);

/// Most bytes of an answer's body.
const BODY_BYTES_MAX: u64 = 64 * 1024;

/// What is read at once of an answer, in bytes, and the most its header may have: ureq's default of 128 KiB, times 128
/// replicas at once, is more than a daemon of this size should hold.
const INPUT_BYTES: usize = 8 * 1024;

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
        let tls = tls(settings.cacert.as_deref(), "REPLICA_API_CACERT", settings.insecure)?;
        let config = Agent::config_builder()
            .timeout_global(Some(settings.timeout))
            .timeout_connect(Some(CONNECT.min(settings.timeout)))
            // A replica is asked on its own address, whatever proxy this machine uses for the world.
            .proxy(None)
            // A redirect is no answer: it may lead anywhere.
            .max_redirects(0)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .input_buffer_size(INPUT_BYTES)
            .output_buffer_size(OUTPUT_BYTES)
            .max_response_header_size(INPUT_BYTES)
            .user_agent(USER_AGENT)
            .accept("application/json")
            .tls_config(tls)
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Lookup::default());
        Ok(ReplicaClient { agent, timeout: settings.timeout })
    }

    /// One question; the status and the body of the answer, or why there is none.
    pub fn get(&self, url: &str) -> std::result::Result<(u16, Vec<u8>), NoAnswer> {
        let words = |error: ureq::Error| {
            let why = without_answer(&error, self.timeout, BODY_BYTES_MAX);
            match &error {
                ureq::Error::Io(cause) if out_of_resources(cause) => NoAnswer::Unasked(why),
                _ => NoAnswer::Asked(probe_failure(&error), why),
            }
        };
        let mut response =
            self.agent.get(url).header("connection", "close").call().map_err(words)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(BODY_BYTES_MAX).read_to_vec();
        Ok((status, body.map_err(words)?))
    }
}
