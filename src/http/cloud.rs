//! Asking the cloud: every request with a limit in time and size, retried where a repetition does no harm.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::{self, HeaderMap};
use ureq::unversioned::transport::{Connector, RustlsConnector};

use crate::error::{Error, ErrorKind, Result};
use crate::handles::Handles;
use crate::http::dial::{Dial, LastGood};
use crate::http::encoding::{ASKED, compressed};
use crate::http::explain::explain;
use crate::http::proxied::{proxy_of, refused};
use crate::http::refusal::{retry_after, status_kind};
use crate::http::remedy::{redirected, remedy, second_factor};
use crate::http::request::{Attempts, Method, Request, Response, text};
use crate::http::resolver::Lookup;
use crate::http::wording::{kind, without_answer};
use crate::http::{Trust, USER_AGENT, tls};
use crate::metrics::CloudService;
use crate::proxies::Proxies;
use crate::secret::Secret;

/// Most bytes of an answer's body: a page of 1,000 servers has about 2 MB.
const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Most bytes of an answer's header: a Keystone token can have some thousand.
const HEADER_BYTES_MAX: usize = 32 * 1024;

/// Bytes of a connection's buffers.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long to wait before each repetition, unless the service says how long.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// How long an idle connection is kept: most proxies close theirs after a minute or more.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// What says of which kind a body is.
pub const CONTENT_TYPE: &str = "content-type";

/// Of which kind a body is where nothing else is said.
const JSON: &str = "application/json";

/// Idle connections kept: one to each service that is asked every pass, and some to spare.
const SERVICES: usize = 4;

/// Asks the cloud's services.
#[derive(Clone, Debug)]
pub struct CloudClient {
    kept: Agent,
    fresh: Agent,
    proxies: Arc<Proxies>,
    handles: Handles,
}

/// An attempt that failed, and how long the service asked us to wait.
struct Failure {
    error: Error,
    retry_after: Option<Duration>,
}

impl CloudClient {
    /// A client for the cloud. An unreadable `OS_CACERT`, `OS_CERT` or `OS_KEY` is an error.
    pub fn new(trust: Trust<'_>, proxies: Proxies, handles: Handles) -> Result<Self> {
        let tls = tls(trust, "OS_")?;
        let (proxies, last_good) = (Arc::new(proxies), LastGood::default());
        let agent = |idle_connections: usize| {
            let config = Agent::config_builder()
                // No redirect is followed: ureq would send `X-Auth-Token` along to any host.
                .max_redirects(0)
                .http_status_as_error(false)
                .max_idle_connections(idle_connections)
                .max_idle_age(IDLE_MAX)
                .input_buffer_size(BUFFER_BYTES)
                .output_buffer_size(BUFFER_BYTES)
                .max_response_header_size(HEADER_BYTES_MAX)
                .user_agent(USER_AGENT)
                .accept(JSON)
                .accept_encoding(ASKED)
                // Chosen here, for each URL.
                .proxy(None)
                .tls_config(tls.clone())
                .build();
            let dial = Dial::new(Arc::clone(&proxies), Arc::clone(&last_good));
            let connector = dial.chain(RustlsConnector::default());
            Agent::with_parts(config, connector, Lookup::through(Arc::clone(&proxies)))
        };
        Ok(CloudClient { kept: agent(SERVICES), fresh: agent(0), proxies, handles })
    }

    /// Sends a request. Every answer but 2xx is an error, with what the service said.
    pub fn send(&self, request: &Request<'_>) -> Result<Response> {
        let deadline = Instant::now() + request.limit;
        let mut pauses = PAUSES.into_iter();
        loop {
            let failure = match self.attempt(request, deadline) {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let pause = match pauses.next() {
                Some(pause) if may_repeat(request, failure.error.kind) => {
                    failure.retry_after.unwrap_or(pause)
                }
                _ => return Err(failure.error),
            };
            // Not `now + pause`: what a service asks for can be longer than any clock goes.
            if pause >= deadline.saturating_duration_since(Instant::now()) {
                return Err(failure.error);
            }
            log::debug!("trying again in {} s: {}", pause.as_secs(), failure.error);
            if self.handles.stop.wait(pause) {
                return Err(Error::new(ErrorKind::Interrupted, "the program is stopping"));
            }
            self.handles.metrics.retry(request.service);
        }
    }

    fn attempt(
        &self,
        request: &Request<'_>,
        deadline: Instant,
    ) -> std::result::Result<Response, Failure> {
        self.is_our_turn(request)?;
        let began = Instant::now();
        let limit = deadline.saturating_duration_since(began).max(Duration::from_millis(1));
        let result = self.exchange(request, limit);
        self.handles.progress.mark();
        let (method, url) = (request.method.as_str(), shown(request.url));
        let duration = began.elapsed();
        let status = result.as_ref().ok().map(|(status, _, _)| *status);
        self.handles.metrics.request(request.service, status, duration);
        let milliseconds = duration.as_millis();
        let (status, headers, body) = match result {
            Ok(answer) => answer,
            Err(error) => {
                let why = without_answer(&error, request.limit, BODY_BYTES_MAX);
                log::debug!("{method} {url}: {why} after {milliseconds} ms");
                let text = format!(
                    "{method} {url}: {why}{}{}",
                    remedy(&why, request.url, "OS_CACERT"),
                    self.on_the_way(request.url, &why)
                );
                let error = Error::new(kind(&error), text);
                return Err(Failure { error, retry_after: None });
            }
        };
        let request_id = text(&headers, "x-openstack-request-id").unwrap_or("no request id");
        log::debug!("{method} {url}: status {status} in {milliseconds} ms ({request_id})");
        let compressed = compressed(&headers);
        if (200..300).contains(&status) {
            let Some(why) = compressed.filter(|_| !body.is_empty()) else {
                return Ok(Response { headers, body });
            };
            let error = Error::new(ErrorKind::Invalid, format!("{method} {url}: {why}"));
            return Err(Failure { error, retry_after: None });
        }
        let retry_after = retry_after(&headers);
        let said = compressed.unwrap_or_else(|| explain(&body, &self.secrets(request)));
        let colon = if said.is_empty() { "" } else { ": " };
        let advice = self.about_status(status, &headers, &said, request.url);
        let text = format!("{method} {url}: status {status}{colon}{said}{advice}");
        let error = Error::new(status_kind(status, &said, retry_after), text);
        Err(Failure { error, retry_after })
    }

    /// Between a plan and its request lie names that are looked up, logins and repetitions: so it is asked once more here.
    fn is_our_turn(&self, request: &Request<'_>) -> std::result::Result<(), Failure> {
        let turn = &self.handles.turn;
        let allowed = match (request.service, request.method) {
            (CloudService::Identity, _) | (_, Method::Get) => Ok(()),
            (CloudService::Compute, Method::Post) => turn.may_create(),
            _ => turn.may_act(),
        };
        allowed.map_err(|why| {
            let (method, url) = (request.method.as_str(), shown(request.url));
            let text = format!("{method} {url}: not sent: {why}");
            Failure { error: Error::new(ErrorKind::NotOurTurn, text), retry_after: None }
        })
    }

    /// What must not be in what a service said; a proxy may repeat what it was sent, too.
    fn secrets<'a>(&'a self, request: &Request<'a>) -> Vec<&'a Secret> {
        let proxies = [&self.proxies.http, &self.proxies.https].into_iter().flatten();
        let logins = proxies.filter_map(|proxy| proxy.login.as_ref());
        let ours = logins.flat_map(|login| [&login.basic, &login.password]);
        request.secrets.iter().copied().chain(ours).collect()
    }

    /// Names the proxy, unless it is named already.
    fn on_the_way(&self, url: &str, why: &str) -> String {
        let uri = url.parse().ok();
        match uri.as_ref().and_then(|uri| proxy_of(&self.proxies, uri)) {
            Some(proxy) if !why.contains("the proxy ") => format!(", through the proxy {proxy}"),
            _ => String::new(),
        }
    }

    /// What more there is to say of a refusal.
    fn about_status(&self, status: u16, headers: &HeaderMap, said: &str, url: &str) -> String {
        let uri = url.parse().ok();
        let proxy = uri.as_ref().and_then(|uri| proxy_of(&self.proxies, uri));
        let advice = match (status, proxy) {
            (300..=399, _) => redirected(status, text(headers, "location")),
            (401, _) => second_factor(headers, said),
            (407, Some(proxy)) => return format!(" ({})", refused(proxy, status, url)),
            _ => remedy(said, url, "OS_CACERT"),
        };
        match proxy {
            // It may be the proxy's own word; within a tunnel it has none.
            Some(proxy)
                if url.starts_with("http://")
                    && !headers.contains_key("x-openstack-request-id") =>
            {
                format!("{advice} (through the proxy {proxy})")
            }
            _ => advice,
        }
    }

    fn exchange(
        &self,
        request: &Request<'_>,
        limit: Duration,
    ) -> std::result::Result<(u16, HeaderMap, Vec<u8>), ureq::Error> {
        let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.url);
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        // A connection kept from before may be closed by the other side just now. That costs a GET a repetition, but
        // would leave open what became of a request that must not be repeated: so that gets a new one.
        let agent = match request.attempts {
            Attempts::One => &self.fresh,
            Attempts::Several => &self.kept,
        };
        let mut response = if let Some(body) = request.body {
            let is_typed = request.headers.iter().any(|(name, _)| *name == CONTENT_TYPE);
            let builder = if is_typed { builder } else { builder.header(CONTENT_TYPE, JSON) };
            let built = builder.body(body)?;
            agent.run(agent.configure_request(built).timeout_global(Some(limit)).build())?
        } else {
            let built = builder.body(())?;
            agent.run(agent.configure_request(built).timeout_global(Some(limit)).build())?
        };
        // A body that grows while it is read takes up to three times its size.
        let length = response.body().content_length().unwrap_or(0).min(BODY_BYTES_MAX);
        let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        response.body_mut().with_config().limit(BODY_BYTES_MAX).reader().read_to_end(&mut body)?;
        let (head, _) = response.into_parts();
        Ok((head.status.as_u16(), head.headers, body))
    }
}

fn may_repeat(request: &Request<'_>, kind: ErrorKind) -> bool {
    let passing =
        matches!(kind, ErrorKind::RateLimited { .. } | ErrorKind::Unavailable | ErrorKind::Unclear);
    request.attempts == Attempts::Several && passing
}

/// A URL for people: without user and password, should it have any.
pub fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.get(..end).and_then(|authority| authority.rfind('@')) {
        Some(at) => format!("{scheme}://{}", rest.get(at + 1..).unwrap_or_default()),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::clock::Clock;
    use crate::lease::turn::Turn;
    use crate::settings::{LeaseKind, LeaseSettings};

    #[test]
    fn a_url_is_shown_without_its_password() {
        assert_eq!(shown("https://user:pw@host:5000/v3?a=b@c"), "https://host:5000/v3?a=b@c");
        assert_eq!(shown("https://host/v3/users/a@b"), "https://host/v3/users/a@b");
        assert_eq!(shown("nonsense"), "nonsense");
    }

    fn request(service: CloudService, method: Method, url: &str) -> Request<'_> {
        let (attempts, limit) = (Attempts::Several, Duration::from_secs(60));
        Request { service, method, url, headers: &[], body: None, secrets: &[], attempts, limit }
    }

    #[test]
    fn a_retry_after_beyond_the_end_of_time_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/servers", listener.local_addr().unwrap());
        let service = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0, "a request");
            let answer = format!(
                "HTTP/1.1 429 Busy\r\nRetry-After: {}\r\nContent-Length: 0\r\n\r\n",
                u64::MAX
            );
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let client =
            CloudClient::new(Trust::default(), Proxies::default(), Handles::new()).unwrap();
        let sent = client.send(&request(CloudService::Compute, Method::Get, &url));
        let retry_after = Some(Duration::from_secs(u64::MAX));
        assert_eq!(sent.unwrap_err().kind, ErrorKind::RateLimited { retry_after });
        service.join().unwrap();
    }

    #[test]
    fn what_would_change_something_is_not_sent_out_of_turn() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/servers/1", listener.local_addr().unwrap());
        let lease = LeaseSettings {
            kind: LeaseKind::OpenStack,
            validity: Duration::from_secs(30),
            name: "group=scaler".into(),
            holder: "left".into(),
        };
        let handles = Handles { turn: Turn::by_lease(&lease, Clock::start()), ..Handles::new() };
        let client = CloudClient::new(Trust::default(), Proxies::default(), handles).unwrap();
        for (service, method) in [
            (CloudService::Compute, Method::Post),
            (CloudService::Compute, Method::Delete),
            (CloudService::Network, Method::Put),
        ] {
            let error = client.send(&request(service, method, &url)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::NotOurTurn, "{error}");
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "something was sent");
        listener.set_nonblocking(false).unwrap();
        let service = thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                assert!(stream.read(&mut [0; 4096]).unwrap() > 0, "a request");
                let answer = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        client.send(&request(CloudService::Compute, Method::Get, &url)).unwrap();
        client.send(&request(CloudService::Identity, Method::Post, &url)).unwrap();
        service.join().unwrap();
    }
}
