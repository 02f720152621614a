//! Keystone: a token for credentials (Identity API v3, "Password authentication with scoped authorization",
//! "Authenticating with an Application Credential").

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind, Result};
use crate::http::{self, Attempts, CloudClient, Method, Request, SECOND_FACTOR, shown};
use crate::metrics::CloudService;
use crate::provider::openstack::answer::Told;
use crate::provider::openstack::catalog::CatalogService;
use crate::provider::openstack::times;
use crate::secret::Secret;
use crate::settings::{ApplicationCredential, Credentials, Domain, Project, User};

/// The life of a token that does not state it.
const LIFE_UNKNOWN: Duration = Duration::from_secs(5 * 60);

/// A token and what came with it.
#[derive(Clone, Debug)]
pub struct Token {
    /// What is sent as `X-Auth-Token`.
    pub value: Secret,
    /// How long it is good for since it was issued, whatever this machine's clock says.
    pub life: Duration,
    /// The project it is for.
    pub project: ProjectRecord,
    /// Where the services are.
    pub catalog: Vec<Told<CatalogService>>,
}

/// The project of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRecord {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

#[derive(Deserialize)]
struct Answer {
    token: TokenRecord,
}

#[derive(Deserialize)]
struct TokenRecord {
    #[serde(default)]
    issued_at: Told<String>,
    #[serde(default)]
    expires_at: Told<String>,
    #[serde(default)]
    project: Told<TokenProject>,
    #[serde(default)]
    catalog: Told<Vec<Told<CatalogService>>>,
}

#[derive(Deserialize)]
struct TokenProject {
    #[serde(default)]
    id: Told<String>,
    #[serde(default)]
    name: Told<String>,
}

/// Asks for a token.
pub fn log_in(
    client: &CloudClient,
    auth_url: &str,
    credentials: &Credentials,
    limit: Duration,
) -> Result<Token> {
    let url = format!("{}/auth/tokens", versioned(auth_url));
    let body = auth_request(credentials).to_string();
    let response = client.send(&Request {
        service: CloudService::Identity,
        method: Method::Post,
        url: &url,
        // Keystone behind uwsgi closes connections without saying so.
        headers: &[("connection", "close")],
        body: Some(body.as_bytes()),
        secrets: &[secret(credentials)],
        attempts: Attempts::Several,
        limit,
    });
    let response = response.map_err(|error| with_advice(&error))?;
    let invalid = |why: &str| {
        let text = format!("POST {}: not a Keystone v3 token: {why}", shown(&url));
        Error::new(ErrorKind::Invalid, text)
    };
    let value = response.header("x-subject-token");
    let token = Token::read(value.unwrap_or_default(), &response.body);
    let token = token.map_err(|why| invalid(&why))?;
    value.map(|_| token).ok_or_else(|| invalid("no X-Subject-Token header"))
}

impl Token {
    /// Reads an answer: `value` is its `X-Subject-Token`. Or what is wrong with it.
    pub fn read(value: &str, body: &[u8]) -> std::result::Result<Self, String> {
        let answer: Answer = http::json(body)?;
        let record = answer.token;
        let times = (record.issued_at.text(), record.expires_at.text());
        let project = record.project.take().ok_or("it is not for any project")?;
        let id = project.id.take().filter(|id| !id.is_empty()).ok_or("its project has no id")?;
        Ok(Token {
            value: Secret::new(value),
            life: life(times).unwrap_or(LIFE_UNKNOWN),
            project: ProjectRecord { id, name: project.name.take().unwrap_or_default() },
            catalog: record.catalog.take().unwrap_or_default(),
        })
    }
}

fn secret(credentials: &Credentials) -> &Secret {
    match credentials {
        Credentials::Password { password, .. } => password,
        Credentials::ApplicationCredential { secret, .. } => secret,
    }
}

/// Keystone answers 401 to nearly every mistake, so the settings that can be wrong are named.
fn with_advice(error: &Error) -> Error {
    let advice = match error.kind {
        // The credentials are right.
        ErrorKind::Refused(401) if error.text.contains(SECOND_FACTOR) => "",
        ErrorKind::Refused(401) => {
            " (check the user, password, project and domains, or the application credential)"
        }
        ErrorKind::Refused(404) => " (is OS_AUTH_URL a Keystone v3?)",
        _ => "",
    };
    // It is a list alone that is read in smaller pages.
    let kind = if error.kind == ErrorKind::TooLarge { ErrorKind::Invalid } else { error.kind };
    Error::new(kind, format!("{error}{advice}"))
}

fn life((issued, expires): (Option<&str>, Option<&str>)) -> Option<Duration> {
    let (issued, expires) = (times::parse(issued?)?, times::parse(expires?)?);
    expires.duration_since(issued).ok().filter(|life| !life.is_zero())
}

/// `OS_AUTH_URL` with `/v3` at its end, and without a slash.
fn versioned(auth_url: &str) -> String {
    let url = auth_url.trim_end_matches('/');
    let url = url.strip_suffix("/auth/tokens").unwrap_or(url);
    if url.ends_with("/v3") { url.to_owned() } else { format!("{url}/v3") }
}

fn auth_request(credentials: &Credentials) -> Value {
    match credentials {
        Credentials::Password { user: who, password, project } => {
            let password = json!(password.expose());
            let user = match who {
                User::Id(id) => json!({"id": id, "password": password}),
                User::Name { name, domain: of } => {
                    json!({"name": name, "domain": domain(of), "password": password})
                }
            };
            json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": project_scope(project)},
            }})
        }
        // It carries its own project: with a scope beside it, Keystone answers 401.
        Credentials::ApplicationCredential { which, secret } => json!({"auth": {
            "identity": {
                "methods": ["application_credential"],
                "application_credential": application_credential(which, secret),
            },
        }}),
    }
}

fn project_scope(project: &Project) -> Value {
    match project {
        Project::Id(id) => json!({"id": id}),
        Project::Name { name, domain: of } => json!({"name": name, "domain": domain(of)}),
    }
}

fn application_credential(which: &ApplicationCredential, secret: &Secret) -> Value {
    match which {
        ApplicationCredential::Id(id) => json!({"id": id, "secret": secret.expose()}),
        ApplicationCredential::Name { name, user: who } => {
            json!({"name": name, "secret": secret.expose(), "user": user(who)})
        }
    }
}

fn user(user: &User) -> Value {
    match user {
        User::Id(id) => json!({"id": id}),
        User::Name { name, domain: of } => json!({"name": name, "domain": domain(of)}),
    }
}

fn domain(domain: &Domain) -> Value {
    match domain {
        Domain::Id(id) => json!({"id": id}),
        Domain::Name(name) => json!({"name": name}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_auth_url_works_with_and_without_its_version() {
        for url in
            ["https://k", "https://k/", "https://k/v3", "https://k/v3/", "https://k/v3/auth/tokens"]
        {
            assert_eq!(versioned(url), "https://k/v3", "of {url}");
        }
        assert_eq!(versioned("https://host/identity"), "https://host/identity/v3");
    }

    #[test]
    fn a_tokens_life_does_not_depend_on_this_machines_clock() {
        let times = (Some("2020-01-01T00:00:00.000000Z"), Some("2020-01-01T01:00:00.000000Z"));
        assert_eq!(life(times), Some(Duration::from_secs(3600)));
        assert_eq!(life((None, Some("2020-01-01T01:00:00Z"))), None);
    }

    #[test]
    fn what_a_token_tells_beside_its_project_may_be_odd() {
        let token = |json: Value| Token::read("t", json.to_string().as_bytes());
        let project = json!({"id": "p", "name": "demo"});
        for (body, life) in [
            (json!({"project": project}), LIFE_UNKNOWN),
            (
                json!({"project": project, "catalog": null, "issued_at": null, "expires_at": null}),
                LIFE_UNKNOWN,
            ),
            (
                json!({"project": project, "catalog": 5, "issued_at": 5, "expires_at": {}}),
                LIFE_UNKNOWN,
            ),
            (
                json!({"project": project, "issued_at": "now", "expires_at": "2020-01-01T01:00:00Z"}),
                LIFE_UNKNOWN,
            ),
            (
                json!({"project": project, "issued_at": "2020-01-01T00:00:00.5Z",
                "expires_at": "2020-01-01T02:00:00.5+01:00"}),
                Duration::from_secs(3600),
            ),
            (
                json!({"project": {"id": "p", "name": null, "domain": []}, "roles": "none", "user": null}),
                LIFE_UNKNOWN,
            ),
        ] {
            let read = token(json!({"token": body})).unwrap_or_else(|why| panic!("{why}: {body}"));
            assert_eq!((read.project.id.as_str(), read.life), ("p", life), "of {body}");
        }
        for (project, why) in [
            (Value::Null, "it is not for any project"),
            (json!("p"), "it is not for any project"),
            (json!({"name": "demo"}), "its project has no id"),
            (json!({"id": null}), "its project has no id"),
            (json!({"id": ""}), "its project has no id"),
        ] {
            assert_eq!(token(json!({"token": {"project": project}})).unwrap_err(), why);
        }
    }

    #[test]
    fn an_application_credential_is_sent_without_a_scope() {
        let credentials = Credentials::ApplicationCredential {
            which: ApplicationCredential::Id("abc".into()),
            secret: Secret::new("s"),
        };
        let expected = json!({"auth": {"identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": "abc", "secret": "s"},
        }}});
        assert_eq!(auth_request(&credentials), expected);
    }

    #[test]
    fn a_user_given_by_id_is_sent_without_a_domain() {
        let credentials = Credentials::Password {
            user: User::Id("u1".into()),
            password: Secret::new("pw"),
            project: Project::Id("p".into()),
        };
        let user = auth_request(&credentials)["auth"]["identity"]["password"]["user"].clone();
        assert_eq!(user, json!({"id": "u1", "password": "pw"}));
        let which = ApplicationCredential::Name { name: "c".into(), user: User::Id("u1".into()) };
        let sent = application_credential(&which, &Secret::new("s"));
        assert_eq!(sent, json!({"name": "c", "secret": "s", "user": {"id": "u1"}}));
    }

    #[test]
    fn a_project_name_is_scoped_by_its_domain() {
        let credentials = Credentials::Password {
            user: User::Name { name: "user".into(), domain: Domain::Name("Default".into()) },
            password: Secret::new("pw"),
            project: Project::Name { name: "p".into(), domain: Domain::Id("default".into()) },
        };
        let scope = auth_request(&credentials)["auth"]["scope"].clone();
        assert_eq!(scope, json!({"project": {"name": "p", "domain": {"id": "default"}}}));
    }
}
