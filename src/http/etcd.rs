//! Asking etcd: the first endpoint that answers, within one limit in time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::Request;
use ureq::unversioned::transport::{Connector, RustlsConnector};

use crate::error::{Error, ErrorKind, Result};
use crate::http::dial::{Dial, LastGood};
use crate::http::explain::explain;
use crate::http::remedy::remedy;
use crate::http::resolver::Lookup;
use crate::http::wording::{kind, without_answer};
use crate::http::{Trust, USER_AGENT, shown, tls};
use crate::secret::Secret;
use crate::settings::EtcdSettings;

/// Most bytes of an answer: what is asked for has a few hundred.
const BODY_BYTES_MAX: u64 = 64 * 1024;

/// What may be behind a connection that is lost at once.
const DOUBT: &str = "; it may want a client certificate: set ETCDCTL_CERT and ETCDCTL_KEY";

/// Asks the members of one cluster.
#[derive(Clone, Debug)]
pub struct EtcdClient {
    agent: Agent,
    /// The one that answered last is the first.
    endpoints: Vec<String>,
    /// Whether members are shown a certificate.
    is_certified: bool,
}

impl EtcdClient {
    /// A client of these endpoints. A certificate or a key that can't be read is an error.
    pub fn new(settings: &EtcdSettings) -> Result<Self> {
        let (cacert, client) = (settings.cacert.as_deref(), settings.certificate.as_ref());
        let tls = tls(Trust { cacert, insecure: false, client }, "ETCDCTL_")?;
        let config = Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            // A kept one may be closed by the other side just now: what became of the request would be open.
            .max_idle_connections(0)
            .user_agent(USER_AGENT)
            .accept("application/json")
            // Chosen here, for each URL.
            .proxy(None)
            .tls_config(tls)
            .build();
        let proxies = Arc::new(settings.proxies.clone());
        let dial = Dial::new(Arc::clone(&proxies), LastGood::default());
        let connector = dial.chain(RustlsConnector::default());
        let agent = Agent::with_parts(config, connector, Lookup::through(proxies));
        Ok(EtcdClient {
            agent,
            endpoints: settings.endpoints.clone(),
            is_certified: client.is_some(),
        })
    }

    /// Posts JSON to the first endpoint that answers; the answer's body. Every answer but 2xx is an error. Where there was no
    /// answer the request may have taken effect, and is sent to the next one all the same: it has to be one that does
    /// no harm a second time. `secrets` are in no error.
    pub fn post(
        &mut self,
        path: &str,
        body: &[u8],
        token: Option<&Secret>,
        secrets: &[&Secret],
        deadline: Instant,
    ) -> Result<Vec<u8>> {
        let mut unanswered: Option<Error> = None;
        let count = self.endpoints.len();
        for place in 0..count {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // One that hangs must leave time for the others.
            let share = left / u32::try_from(count - place).unwrap_or(u32::MAX);
            let Some(endpoint) = self.endpoints.get(place) else { break };
            match self.attempt(&format!("{endpoint}{path}"), body, token, secrets, share) {
                Err(error) if matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Unclear) => {
                    unanswered = Some(match unanswered {
                        None => error,
                        Some(before) => {
                            // That nothing was done is sure only if it is so of all.
                            let unclear = before.kind == ErrorKind::Unclear;
                            let kind = if unclear { before.kind } else { error.kind };
                            Error::new(kind, format!("{before}; {error}"))
                        }
                    });
                }
                answer => {
                    self.endpoints.swap(0, place);
                    return answer;
                }
            }
        }
        let no_time = || Error::new(ErrorKind::Unavailable, format!("POST {path}: no time left"));
        Err(unanswered.unwrap_or_else(no_time))
    }

    fn attempt(
        &self,
        url: &str,
        body: &[u8],
        token: Option<&Secret>,
        secrets: &[&Secret],
        limit: Duration,
    ) -> Result<Vec<u8>> {
        let (status, answer) = self.exchange(url, body, token, limit).map_err(|error| {
            let why = without_answer(&error, limit, BODY_BYTES_MAX);
            let advice = remedy(&why, url, "ETCDCTL_CACERT");
            let doubt = if self.may_want_a_certificate(url, &why) { DOUBT } else { "" };
            Error::new(kind(&error), format!("POST {}: {why}{advice}{doubt}", shown(url)))
        })?;
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let said = explain(&answer, secrets);
        let colon = if said.is_empty() { "" } else { ": " };
        let advice = remedy(&said, url, "ETCDCTL_CACERT");
        let kind = match status {
            408 | 500.. => ErrorKind::Unclear,
            _ => ErrorKind::Refused(status),
        };
        Err(Error::new(kind, format!("POST {}: status {status}{colon}{said}{advice}", shown(url))))
    }

    /// A server that speaks TLS 1.3 refuses a client without a certificate after the handshake, and closes the connection
    /// with the question unread: so its refusal may be lost.
    fn may_want_a_certificate(&self, url: &str, why: &str) -> bool {
        let is_lost = why == "connection reset" || why.starts_with("connection closed");
        is_lost && url.starts_with("https:") && !self.is_certified
    }

    fn exchange(
        &self,
        url: &str,
        body: &[u8],
        token: Option<&Secret>,
        limit: Duration,
    ) -> std::result::Result<(u16, Vec<u8>), ureq::Error> {
        let mut request = Request::post(url).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", token.expose());
        }
        let request = self.agent.configure_request(request.body(body)?).timeout_global(Some(limit));
        let mut response = self.agent.run(request.build())?;
        let body = response.body_mut().with_config().limit(BODY_BYTES_MAX).read_to_vec()?;
        Ok((response.status().as_u16(), body))
    }
}
