//! Plain requests as the project's member: for what a case asks of the cloud itself, not of the provider.

use std::time::Duration;

use serde_json::{Value, json};
use simplescalevm::settings::{Credentials, Domain, OpenStackSettings, Project, User};
use ureq::Agent;
use ureq::http::Request;

/// The member with a token.
pub struct Member {
    agent: Agent,
    token: String,
    /// What came with the token.
    pub login: Value,
}

/// An answer's status and its JSON; `null` where it is none.
pub type Answer = (u16, Value);

impl Member {
    /// Logs in with the password of `settings`.
    pub fn new(settings: &OpenStackSettings) -> Self {
        let (status, token, login) = log_in(settings, &password(settings));
        assert_eq!(status, 201, "the member cannot log in: {login}");
        Member { agent: agent(), token, login }
    }

    /// One request to a service of the catalog (`compute`, `network`, `image`); the path follows its version.
    pub fn ask(&self, service: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let url = format!("{}{path}", self.endpoint(service));
        let request = Request::builder()
            .method(method)
            .uri(&url)
            .header("x-auth-token", &self.token)
            .header("openstack-api-version", "compute 2.69")
            .header("content-type", "application/json");
        let body = body.map(Value::to_string).unwrap_or_default();
        let answer = self.agent.run(request.body(body).unwrap());
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        let body = answer.body_mut().read_to_vec().unwrap();
        (answer.status().as_u16(), serde_json::from_slice(&body).unwrap_or_default())
    }

    /// `GET`, which has to go well.
    #[track_caller]
    pub fn get(&self, service: &str, path: &str) -> Value {
        let (status, body) = self.ask(service, "GET", path, None);
        assert_eq!(status, 200, "{service} GET {path}: {body}");
        body
    }

    fn endpoint(&self, service: &str) -> String {
        let catalog = self.login["token"]["catalog"].as_array().unwrap();
        let entry = catalog.iter().find(|entry| entry["type"] == service).unwrap();
        let endpoints = entry["endpoints"].as_array().unwrap();
        let public = endpoints.iter().find(|endpoint| endpoint["interface"] == "public").unwrap();
        let url = public["url"].as_str().unwrap().trim_end_matches('/');
        let version = match service {
            "compute" => "/v2.1",
            "network" => "/v2.0",
            _ => "/v2",
        };
        if url.contains(version) { url.to_owned() } else { format!("{url}{version}") }
    }
}

/// A request for a token: the status, the token and the answer.
pub fn log_in(settings: &OpenStackSettings, body: &Value) -> (u16, String, Value) {
    let url = format!("{}/auth/tokens", settings.auth_url);
    let request = Request::post(&url).header("content-type", "application/json");
    let mut answer = agent().run(request.body(body.to_string()).unwrap()).expect("an answer");
    let token = answer.headers().get("x-subject-token").map(|value| value.to_str().unwrap());
    let token = token.unwrap_or_default().to_owned();
    let body = answer.body_mut().read_to_vec().unwrap();
    (answer.status().as_u16(), token, serde_json::from_slice(&body).unwrap_or_default())
}

/// The body of a login with the password of `settings`.
pub fn password(settings: &OpenStackSettings) -> Value {
    let Credentials::Password { user: User::Name { name, domain: of }, password, project } =
        &settings.credentials
    else {
        panic!("the ground's settings have no password");
    };
    let domain = |domain: &Domain| match domain {
        Domain::Id(id) => json!({"id": id}),
        Domain::Name(name) => json!({"name": name}),
    };
    let project = match project {
        Project::Id(id) => json!({"id": id}),
        Project::Name { name, domain: of } => json!({"name": name, "domain": domain(of)}),
    };
    json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": name, "domain": domain(of), "password": password.expose()}}},
        "scope": {"project": project}}})
}

/// For one request a connection, whatever its status.
pub fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .proxy(None)
        // Services are stopped and started, and Keystone behind uwsgi closes connections without saying so.
        .max_idle_connections(0)
        .build();
    Agent::new_with_config(config)
}
