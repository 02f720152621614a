//! A small client of the cloud, for the member and for the administrator: what the tests do behind the program's back.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;

use crate::contract::ApplicationCredentialKey;
use crate::contract::member::agent;
use crate::openrc::Openrc;

/// Someone who is logged in; again, when the token was revoked or has expired.
pub struct Client {
    agent: Agent,
    auth_url: String,
    credentials: Value,
    login: RefCell<Login>,
}

struct Login {
    token: String,
    answer: Value,
}

/// An answer's status and its JSON; `null` where it is none.
pub type Answer = (u16, Value);

impl Client {
    /// Logs in with what an openrc file of a password says.
    pub fn new(openrc: &Openrc) -> Self {
        let domain = json!({"name": openrc.get("OS_USER_DOMAIN_NAME")});
        let credentials = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": openrc.get("OS_USERNAME"), "domain": domain,
                "password": openrc.get("OS_PASSWORD")}}},
            "scope": {"project": {"name": openrc.get("OS_PROJECT_NAME"), "domain": domain}}}});
        Client::with(format!("{}/auth/tokens", openrc.get("OS_AUTH_URL")), credentials)
    }

    /// Logs in with an application credential at the same Keystone as `other`.
    pub fn of_application_credential(other: &Client, key: &ApplicationCredentialKey) -> Self {
        let credential = json!({"id": key.id, "secret": key.secret.expose()});
        let identity = json!({
            "methods": ["application_credential"], "application_credential": credential});
        Client::with(other.auth_url.clone(), json!({"auth": {"identity": identity}}))
    }

    fn with(auth_url: String, credentials: Value) -> Self {
        let agent = agent();
        let login = log_in(&agent, &auth_url, &credentials);
        let login = login.unwrap_or_else(|| panic!("cannot log in at {auth_url}"));
        Client { agent, auth_url, credentials, login: RefCell::new(login) }
    }

    /// The id of the user who is logged in.
    pub fn user_id(&self) -> String {
        self.login.borrow().answer["token"]["user"]["id"].as_str().unwrap().to_owned()
    }

    /// The id and the name of the project it is for.
    pub fn project(&self) -> (String, String) {
        let project = &self.login.borrow().answer["token"]["project"];
        let text = |key: &str| project[key].as_str().unwrap().to_owned();
        (text("id"), text("name"))
    }

    /// One request; `None` when there was no answer. `line`: `GET compute /servers`, by a service of the catalog.
    pub fn try_ask(&self, line: &str, body: Option<&Value>) -> Option<Answer> {
        let answer = self.try_ask_once(line, body)?;
        if answer.0 != 401 {
            return Some(answer);
        }
        *self.login.borrow_mut() = log_in(&self.agent, &self.auth_url, &self.credentials)?;
        self.try_ask_once(line, body)
    }

    /// The same with the token that is there, good or not.
    pub fn try_ask_once(&self, line: &str, body: Option<&Value>) -> Option<Answer> {
        let [method, service, path] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("not METHOD SERVICE PATH: {line}");
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint(service)))
            .header("x-auth-token", &self.login.borrow().token)
            .header("openstack-api-version", "compute 2.69")
            .header("content-type", "application/json");
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut answer = self.agent.run(request.body(body).unwrap()).ok()?;
        let body = answer.body_mut().read_to_vec().ok()?;
        Some((answer.status().as_u16(), serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// One request that has to be answered with 2xx.
    #[track_caller]
    pub fn ask(&self, line: &str, body: Option<&Value>) -> Value {
        let (status, answer) =
            self.try_ask(line, body).unwrap_or_else(|| panic!("{line}: no answer"));
        assert!((200..300).contains(&status), "{line}: status {status}: {answer}");
        answer
    }

    /// All servers of the project with all their pages; `None` while Nova does not give a whole list.
    pub fn try_servers(&self) -> Option<Vec<Value>> {
        // While servers are being scheduled Nova lists some of them on several pages.
        let mut servers = BTreeMap::new();
        let mut path = "/servers/detail".to_owned();
        loop {
            let (status, page) = self.try_ask(&format!("GET compute {path}"), None)?;
            let records = page["servers"].as_array().filter(|_| status == 200)?;
            let id = |record: &Value| record["id"].as_str().unwrap_or_default().to_owned();
            servers.extend(records.iter().map(|record| (id(record), record.clone())));
            let Some(next) = page["servers_links"][0]["href"].as_str() else {
                return Some(servers.into_values().collect());
            };
            path = format!("/servers/detail?{}", next.split_once('?')?.1);
        }
    }

    /// All servers of the project.
    #[track_caller]
    pub fn servers(&self) -> Vec<Value> {
        self.try_servers().expect("a list of servers")
    }

    /// Where the service is, by the catalog.
    pub fn endpoint(&self, service: &str) -> String {
        let (kind, version) = match service {
            "compute" => ("compute", ""),
            "network" => ("network", "/v2.0"),
            "image" => ("image", "/v2"),
            "identity" => ("identity", ""),
            other => panic!("no service {other}"),
        };
        let login = self.login.borrow();
        let catalog = login.answer["token"]["catalog"].as_array().unwrap();
        let entry = catalog.iter().find(|entry| entry["type"] == kind).unwrap();
        let endpoints = entry["endpoints"].as_array().unwrap();
        let public = endpoints.iter().find(|endpoint| endpoint["interface"] == "public").unwrap();
        format!("{}{version}", public["url"].as_str().unwrap())
    }
}

fn log_in(agent: &Agent, auth_url: &str, credentials: &Value) -> Option<Login> {
    let request = Request::post(auth_url).header("content-type", "application/json");
    let mut answer = agent.run(request.body(credentials.to_string()).unwrap()).ok()?;
    let token = answer.headers().get("x-subject-token")?.to_str().unwrap().to_owned();
    let body = answer.body_mut().read_to_vec().ok()?;
    Some(Login { token, answer: serde_json::from_slice(&body).unwrap_or_default() })
}
