//! A logged-in client: the token is kept, renewed before it expires, and once after a 401.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{CONTENT_TYPE, CloudClient, Method, Request, Response, shown};
use crate::metrics::CloudService;
use crate::model::Scope;
use crate::provider::openstack::answer::{is_foreign, parse};
use crate::provider::openstack::catalog::{self, Choice};
use crate::provider::openstack::identity::{self, Token};
use crate::provider::openstack::login::{Failed, Login};
use crate::provider::openstack::microversion::{self, Spoken};
use crate::provider::openstack::question::{Question, Service};
use crate::secret::Secret;
use crate::settings::{Credentials, OpenStackSettings};

/// A token is renewed this long before its end, or a tenth of its life if that is less: a pass should not see it expire.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);

/// How Glance wants a change to be described (Image API v2, "Update image").
const IMAGE_PATCH: &str = "application/openstack-images-v2.1-json-patch";

/// A client of one project in one region.
#[derive(Debug)]
pub struct Session {
    client: CloudClient,
    settings: OpenStackSettings,
    login: Option<Login>,
    earliest: Option<SystemTime>,
    /// Whether something that was learnt at login seems to hold no longer.
    doubted: bool,
    /// Endpoints that could be reached when one before them could not.
    reached: Vec<String>,
    /// Most servers of one page, once a page was larger than an answer may be.
    page_limit: Option<u32>,
    said: BTreeSet<String>,
    quiet: bool,
    /// Whether Nova is asked what it speaks.
    asks_compute: bool,
    /// No request goes on beyond it.
    deadline: Option<Instant>,
}

impl Session {
    /// A session that logs in when it is first asked something.
    pub fn new(client: CloudClient, settings: OpenStackSettings) -> Self {
        Session {
            client,
            settings,
            login: None,
            earliest: None,
            doubted: false,
            reached: Vec::new(),
            page_limit: None,
            said: BTreeSet::new(),
            quiet: false,
            asks_compute: true,
            deadline: None,
        }
    }

    /// The same for one that asks Glance alone: whatever becomes of Nova does not concern it.
    #[must_use]
    pub fn of_images(mut self) -> Self {
        self.asks_compute = false;
        self
    }

    /// Whatever is asked from now on, with all its logins and repetitions, has to be over by then.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    /// Whether there is a login: then a 401 was not about it.
    pub fn is_logged_in(&self) -> bool {
        self.login.is_some()
    }

    /// The project and the region of the login, if there is one.
    pub fn scope(&self) -> Option<Scope> {
        let Login { project, endpoints, .. } = self.login.as_ref()?;
        Some(Scope {
            region: endpoints.region.clone(),
            project_id: project.id.clone(),
            project_name: project.name.clone(),
        })
    }

    /// Standing conditions are not worth a line: with `--once` they would be one a minute.
    pub fn be_quiet(&mut self) {
        self.quiet = true;
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &OpenStackSettings {
        &self.settings
    }

    /// Forgets what Nova's clock has said so far.
    pub fn forget_time(&mut self) {
        self.earliest = None;
    }

    /// The earliest time that Nova has given since then, in any of its answers: one of several controllers may be
    /// ahead.
    pub fn earliest_time(&self) -> Option<SystemTime> {
        self.earliest
    }

    fn note_time(&mut self, told: Option<SystemTime>) {
        self.earliest = self.earliest.into_iter().chain(told).min();
    }

    /// Says once what will hold for a long time.
    pub fn say_once(&mut self, text: &str) {
        if !self.said.insert(text.to_owned()) {
            return;
        }
        if self.quiet {
            log::debug!("{text}");
        } else {
            log::warn!("{text}");
        }
    }

    /// It no longer holds: when it does again, it is said again.
    pub fn forget_said(&mut self, text: &str) {
        self.said.remove(text);
    }

    /// Most servers of one page, when it has to be less than what Nova gives unasked.
    pub fn page_limit(&self) -> Option<u32> {
        self.page_limit
    }

    /// Pages of servers hold no more than this from now on, until the next login.
    pub fn limit_pages(&mut self, servers: u32) {
        self.page_limit = Some(servers);
    }

    /// The login in force; a new one when there is none, or when it is about to expire.
    pub fn login(&mut self) -> Result<&Login> {
        self.enter().map_err(|failed| failed.error)
    }

    /// The same, with how far it came when it fails.
    pub fn enter(&mut self) -> std::result::Result<&Login, Box<Failed>> {
        let good = |login: &Login| Instant::now() < login.renew_at;
        let login = match self.login.take().filter(good) {
            Some(login) => login,
            None => self.log_in()?,
        };
        Ok(self.login.insert(login))
    }

    /// Whether something failed in a way that could mean that an endpoint is gone.
    pub fn may_have_moved(error: &Error) -> bool {
        match error.kind {
            ErrorKind::Refused(status) => matches!(status, 300..=399 | 404 | 405 | 410),
            ErrorKind::Unavailable => true,
            _ => is_foreign(error),
        }
    }

    /// Something failed in a way that could mean that an endpoint is gone: it is looked for again at the next
    /// [`Session::look_again`].
    pub fn doubt(&mut self) {
        self.doubted = true;
    }

    /// Relearns what was learnt at login, if it is in doubt. Once per pass is enough, and if Keystone cannot tell, the
    /// old must do.
    pub fn look_again(&mut self) {
        if !std::mem::take(&mut self.doubted) {
            return;
        }
        let Some(old) = self.login.take() else { return };
        log::debug!("an endpoint may be gone: logging in again");
        self.login = match self.log_in() {
            Ok(login) => Some(login),
            Err(failed) => {
                log::debug!("the last login is kept: {}", failed.error);
                Some(old)
            }
        };
    }

    fn log_in(&mut self) -> std::result::Result<Login, Box<Failed>> {
        let settings = &self.settings;
        let began = Instant::now();
        let mut so_far = Failed { what: "login", project: None, region: None, error: no_answer() };
        let token = identity::log_in(
            &self.client,
            &settings.auth_url,
            &settings.credentials,
            limit(self.deadline, settings.timeout),
        )
        .map_err(|error| so_far.at("login", of_cloud(error.context("cannot log in"), settings)))?;
        let Token { value, life, project, catalog } = token;
        so_far.project = Some((project.clone(), life));
        let wanted = Choice {
            region: settings.region.as_deref(),
            default_region: settings.default_region,
            interface: &settings.interface,
            overrides: &settings.endpoint_overrides,
            project: &project.id,
        };
        let mut endpoints = catalog::choose(&catalog, &wanted)
            .map_err(|error| so_far.at("region", of_cloud(error, settings)))?;
        so_far.region = Some(endpoints.region.clone());
        let lists = [
            Some(&mut endpoints.compute),
            endpoints.network.as_mut().ok(),
            endpoints.image.as_mut().ok(),
            endpoints.volume.as_mut().ok(),
        ];
        for urls in lists.into_iter().flatten() {
            // Stable: the order of the others is the catalog's.
            urls.sort_by_key(|url| !self.reached.contains(url));
        }
        let microversion = if self.asks_compute {
            self.negotiate(&endpoints.compute, &value)
                .map_err(|error| so_far.at("compute", error))?
        } else {
            None
        };
        log::debug!(
            "logged in to project {} ({}), region {}, Nova {}",
            project.name,
            project.id,
            endpoints.region,
            microversion.as_deref().unwrap_or("2.1")
        );
        self.page_limit = None;
        let renew_at = began + life.saturating_sub(RENEW_BEFORE.min(life / 10));
        Ok(Login { token: value, renew_at, project, life, endpoints, microversion })
    }

    fn negotiate(&mut self, compute: &[String], token: &Secret) -> Result<Option<String>> {
        let timeout = limit(self.deadline, self.settings.timeout);
        let Spoken { version, doubt, told } = self
            .first_that_answers(compute, |client, url| {
                microversion::negotiate(client, url, token, timeout)
            })
            .map_err(|error| error.context("cannot find out which Nova this is"))?;
        self.note_time(told);
        if let Some(doubt) = doubt {
            self.say_once(&doubt);
        }
        Ok(version)
    }

    /// Asks a service. After a 401 it logs in again, after a 406 it finds out again what Nova speaks, and then asks the
    /// same question once more: they are refusals, so nothing is done twice.
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
            Err(error)
                if error.kind == ErrorKind::Refused(406)
                    && question.service == Service::Compute =>
            {
                self.doubt();
                let Some(login) = self.another_version(&login, &error) else { return Err(error) };
                self.ask_as(&login, question)
            }
            result => result,
        };
        if question.service == Service::Compute {
            self.note_time(answer.as_ref().ok().and_then(Response::date));
        }
        answer
    }

    /// The same login with another microversion, when Nova speaks another one by now.
    fn another_version(&mut self, login: &Login, refusal: &Error) -> Option<Login> {
        let before = login.microversion.as_ref()?;
        let microversion = match self.negotiate(&login.endpoints.compute, &login.token) {
            Ok(microversion) => microversion,
            Err(error) => {
                log::debug!("{error}, after {refusal}");
                return None;
            }
        };
        if microversion.as_ref() == Some(before) {
            return None;
        }
        let now = microversion.as_deref().unwrap_or("2.1");
        log::info!("Nova no longer supports {before}, so {now} is used from now on");
        self.doubted = false;
        Some(self.login.insert(Login { microversion, ..login.clone() }).clone())
    }

    /// Asks a service and reads the JSON of its answer.
    pub fn read<T: DeserializeOwned>(&mut self, service: Service, path: &str) -> Result<T> {
        let response = self.ask(&Question::get(service, path))?;
        parse(&response.body, path)
    }

    fn ask_as(&mut self, login: &Login, question: &Question<'_>) -> Result<Response> {
        let timeout = self.settings.timeout;
        let endpoints = &login.endpoints;
        let (service, urls) = match question.service {
            Service::Compute => (CloudService::Compute, &endpoints.compute),
            Service::Network => {
                (CloudService::Network, endpoints.network.as_ref().map_err(Clone::clone)?)
            }
            Service::Image => {
                (CloudService::Image, endpoints.image.as_ref().map_err(Clone::clone)?)
            }
            Service::Volume => {
                (CloudService::Volume, endpoints.volume.as_ref().map_err(Clone::clone)?)
            }
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
        if question.method == Method::Patch {
            headers.push((CONTENT_TYPE, IMAGE_PATCH));
        }
        let usual = if question.method == Method::Post { timeout * 2 } else { timeout };
        let own_secret = self.own_secret().clone();
        let deadline = self.deadline;
        self.first_that_answers(urls, |client, endpoint| {
            client.send(&Request {
                service,
                method: question.method,
                url: &format!("{endpoint}{}", question.path),
                headers: &headers,
                body: question.body,
                secrets: &[&own_secret, &login.token],
                attempts: question.attempts,
                limit: limit(deadline, usual),
            })
        })
    }

    /// Asks at the first of `urls` that can be reached, beginning with what could be reached before. Where one cannot be
    /// reached nothing was sent, so the same may be asked of the next.
    fn first_that_answers<T>(
        &mut self,
        urls: &[String],
        mut ask: impl FnMut(&CloudClient, &str) -> Result<T>,
    ) -> Result<T> {
        let mut urls: Vec<&String> = urls.iter().collect();
        urls.sort_by_key(|url| !self.reached.contains(url));
        let mut unreached: Vec<Error> = Vec::new();
        for url in &urls {
            let error = match ask(&self.client, url) {
                Err(error) if error.kind == ErrorKind::Unavailable => error,
                result => {
                    if let Some(first) = unreached.first() {
                        self.reached.retain(|known| !urls.contains(&known));
                        self.reached.push((*url).clone());
                        let text = format!(
                            "using {} instead of an endpoint that cannot be reached: {first}",
                            shown(url)
                        );
                        self.say_once(&text);
                    }
                    return result;
                }
            };
            unreached.push(error);
        }
        let mut unreached = unreached.into_iter();
        let first = unreached.next().unwrap_or_else(no_answer);
        Err(unreached.fold(first, |all, error| Error::new(all.kind, format!("{all}; {error}"))))
    }

    /// What must be in no text: a service, or a proxy before it, may repeat what it was sent.
    fn own_secret(&self) -> &Secret {
        match &self.settings.credentials {
            Credentials::Password { password, .. } => password,
            Credentials::ApplicationCredential { secret, .. } => secret,
        }
    }
}

/// How long a request may take that without a deadline may take `usual`.
fn limit(deadline: Option<Instant>, usual: Duration) -> Duration {
    let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
    deadline.map_or(usual, |deadline| usual.min(left(deadline)))
}

/// The settings that an error names may stand in a file.
fn of_cloud(error: Error, settings: &OpenStackSettings) -> Error {
    match &settings.cloud {
        Some(cloud) => Error::new(error.kind, format!("{error}; see {cloud}")),
        None => error,
    }
}

/// Should never happen: a service without any URL.
fn no_answer() -> Error {
    Error::new(ErrorKind::Unavailable, "no endpoint to ask")
}
