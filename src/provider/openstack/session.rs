//! A logged-in client: the token is kept, renewed before it expires, and once after a 401.

use std::time::{Duration, Instant, SystemTime};

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{self, Attempts, CloudClient, Method, Request, Response};
use crate::metrics::CloudService;
use crate::provider::openstack::catalog::{self, Endpoints};
use crate::provider::openstack::identity::{self, ProjectRecord, Token};
use crate::provider::openstack::microversion;
use crate::secret::Secret;
use crate::settings::{Credentials, OpenStackSettings};

/// A token is renewed this long before its end, or a tenth of its life if that is less: a pass should not see it expire.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);

/// Which service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Nova.
    Compute,
    /// Neutron.
    Network,
    /// Glance.
    Image,
}

/// One question to a service; its path begins with `/` and follows the service's endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Which service.
    pub service: Service,
    /// How.
    pub method: Method,
    /// What.
    pub path: &'a str,
    /// With which JSON.
    pub body: Option<&'a [u8]>,
    /// Whether it may be repeated.
    pub attempts: Attempts,
}

impl<'a> Question<'a> {
    /// A `GET`.
    pub fn get(service: Service, path: &'a str) -> Self {
        Question { service, method: Method::Get, path, body: None, attempts: Attempts::Several }
    }
}

/// What a login gave.
#[derive(Clone, Debug)]
pub struct Login {
    token: Secret,
    renew_at: Instant,
    /// The project it is for.
    pub project: ProjectRecord,
    /// How long the token lives.
    pub life: Duration,
    /// Where the services are.
    pub endpoints: Endpoints,
    /// Nova's microversion that is spoken (`2.69`); `None`: 2.1, without a header.
    pub microversion: Option<String>,
}

/// A client of one project in one region.
#[derive(Debug)]
pub struct Session {
    client: CloudClient,
    settings: OpenStackSettings,
    login: Option<Login>,
    earliest: Option<SystemTime>,
}

impl Session {
    /// A session that logs in when it is first asked something.
    pub fn new(client: CloudClient, settings: OpenStackSettings) -> Self {
        Session { client, settings, login: None, earliest: None }
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &OpenStackSettings {
        &self.settings
    }

    /// Forgets what Nova's clock has told so far.
    pub fn forget_time(&mut self) {
        self.earliest = None;
    }

    /// The earliest time that Nova told since then, in any of its answers: one of several controllers may be ahead.
    pub fn earliest_time(&self) -> Option<SystemTime> {
        self.earliest
    }

    fn note_time(&mut self, told: Option<SystemTime>) {
        self.earliest = self.earliest.into_iter().chain(told).min();
    }

    /// The login in force; a new one when there is none, or when it is about to expire.
    pub fn login(&mut self) -> Result<&Login> {
        let good = |login: &Login| Instant::now() < login.renew_at;
        let login = match self.login.take().filter(good) {
            Some(login) => login,
            None => self.log_in()?,
        };
        Ok(self.login.insert(login))
    }

    fn log_in(&mut self) -> Result<Login> {
        let settings = &self.settings;
        let began = Instant::now();
        let token = identity::log_in(
            &self.client,
            &settings.auth_url,
            &settings.credentials,
            settings.timeout,
        )
        .map_err(|error| error.context("cannot log in"))?;
        let Token { value, life, project, catalog } = token;
        let endpoints = catalog::choose(&catalog, settings.region.as_deref(), &settings.interface)?;
        let (microversion, told) =
            microversion::negotiate(&self.client, &endpoints.compute, &value, settings.timeout)
                .map_err(|error| error.context("cannot find out which Nova this is"))?;
        log::debug!(
            "logged in to project {} ({}), region {}, Nova {}",
            project.name,
            project.id,
            endpoints.region,
            microversion.as_deref().unwrap_or("2.1")
        );
        let renew_at = began + life.saturating_sub(RENEW_BEFORE.min(life / 10));
        self.note_time(told);
        Ok(Login { token: value, renew_at, project, life, endpoints, microversion })
    }

    /// Asks a service. A 401 is answered by a new login and the same question once more: it is a refusal, so nothing
    /// is done twice.
    pub fn ask(&mut self, question: &Question<'_>) -> Result<Response> {
        let login = self.login()?.clone();
        let answer = match self.ask_as(&login, question) {
            Err(error) if error.kind == ErrorKind::Refused(401) => {
                log::debug!("logging in again: {error}");
                self.login = None;
                // A 401 of this login is about the credentials: to repeat them would only lock the user out.
                let login = self.login()?.clone();
                self.ask_as(&login, question)
            }
            result => result,
        };
        if question.service == Service::Compute {
            self.note_time(answer.as_ref().ok().and_then(Response::date));
        }
        answer
    }

    /// Asks a service and reads the JSON of its answer.
    pub fn read<T: DeserializeOwned>(&mut self, service: Service, path: &str) -> Result<T> {
        let response = self.ask(&Question::get(service, path))?;
        parse(&response.body, path)
    }

    fn ask_as(&self, login: &Login, question: &Question<'_>) -> Result<Response> {
        let timeout = self.settings.timeout;
        let (service, endpoint) = match question.service {
            Service::Compute => (CloudService::Compute, &login.endpoints.compute),
            Service::Network => (CloudService::Network, &login.endpoints.network),
            Service::Image => (CloudService::Image, &login.endpoints.image),
        };
        let mut headers = vec![("x-auth-token", login.token.expose())];
        let compute = login.microversion.as_ref().map(|version| format!("compute {version}"));
        if let (Service::Compute, Some(long), Some(short)) =
            (question.service, &compute, &login.microversion)
        {
            headers.push(("openstack-api-version", long));
            // Nova before Newton knows only this one.
            headers.push(("x-openstack-nova-api-version", short));
        }
        let creates = question.method == Method::Post;
        self.client.send(&Request {
            service,
            method: question.method,
            url: &format!("{endpoint}{}", question.path),
            headers: &headers,
            body: question.body,
            secrets: &[self.own_secret(), &login.token],
            attempts: question.attempts,
            limit: if creates { timeout * 2 } else { timeout },
        })
    }

    /// What must be in no text: a service, or a proxy before it, may repeat what it was sent.
    fn own_secret(&self) -> &Secret {
        match &self.settings.credentials {
            Credentials::Password { password, .. } => password,
            Credentials::ApplicationCredential { secret, .. } => secret,
        }
    }
}

/// Reads JSON; `what` is where it came from.
pub fn parse<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T> {
    http::json(body).map_err(|why| Error::new(ErrorKind::Invalid, format!("{what}: {why}")))
}
