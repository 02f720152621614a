//! The fakes' own contract: they answer like the real thing, and fail as they are told to.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Build, Cloud, Fault, Fixed, Gate, Manner, Says, Service, Times};
use crate::daemon::{self, Answer};

/// A client with a token.
struct Client<'a> {
    cloud: &'a Cloud,
    token: String,
}

impl<'a> Client<'a> {
    fn new(cloud: &'a Cloud) -> Self {
        let (status, headers, _) = log_in(cloud, &password(cloud, None));
        assert_eq!(status, 201);
        let token = headers.into_iter().find(|(name, _)| name == "x-subject-token").unwrap().1;
        Client { cloud, token }
    }

    fn try_send(&self, service: Service, line: &str, body: Option<&Value>) -> Option<Answer> {
        let (method, target) = line.split_once(' ').unwrap();
        let url = format!("{}{target}", self.cloud.url(service));
        let headers =
            [("X-Auth-Token", self.token.as_str()), ("OpenStack-API-Version", "compute 2.69")];
        daemon::send(method, &url, &headers, body).ok()
    }

    fn send(&self, service: Service, line: &str, body: Option<&Value>) -> (u16, Value) {
        let (status, _, body) = self.try_send(service, line, body).expect("an answer");
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn list(&self) -> Vec<Value> {
        let (status, body) = self.send(Service::Compute, "GET /v2.1/servers/detail", None);
        assert_eq!(status, 200, "{body}");
        body["servers"].as_array().unwrap().clone()
    }

    fn create(&self, count: u64) -> (u16, Value) {
        let body = {
            let state = self.cloud.state();
            json!({"server": {"name": "web", "imageRef": state.images[0].id,
                "flavorRef": state.flavors[0].id, "networks": [{"uuid": state.networks[0].id}],
                "min_count": 1, "max_count": count}})
        };
        self.send(Service::Compute, "POST /v2.1/servers", Some(&body))
    }
}

fn password(cloud: &Cloud, wrong: Option<&str>) -> Value {
    let identity = &cloud.state().identity;
    let password = wrong.unwrap_or(&identity.password);
    json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": identity.user.name, "domain": {"name": "Default"}, "password": password}}},
        "scope": {"project": {"name": identity.project.name, "domain": {"id": "default"}}}}})
}

fn log_in(cloud: &Cloud, body: &Value) -> Answer {
    let url = format!("{}/v3/auth/tokens", cloud.url(Service::Identity));
    daemon::send("POST", &url, &[], Some(body)).unwrap()
}

fn field<'a>(records: &'a [Value], name: &str) -> Vec<&'a str> {
    records.iter().map(|record| record[name].as_str().unwrap_or("null")).collect()
}

#[test]
fn keystone_lets_in_by_password_and_by_unscoped_application_credential() {
    let cloud = Cloud::start();
    assert_eq!(log_in(&cloud, &password(&cloud, Some("wrong"))).0, 401);
    let (status, headers, body) = log_in(&cloud, &password(&cloud, None));
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, 201);
    assert!(headers.iter().all(|(name, _)| name != "date"), "Keystone sends no Date: {headers:?}");
    assert_eq!(body["token"]["catalog"][0]["endpoints"][2]["region"], "SBG7");

    let identity = {
        let identity = &cloud.state().identity;
        json!({"methods": ["application_credential"], "application_credential": {
            "id": identity.application_credential.id,
            "secret": identity.application_credential_secret}})
    };
    assert_eq!(log_in(&cloud, &json!({"auth": {"identity": identity}})).0, 201);
    let scoped = json!({"auth": {"identity": identity, "scope": {"project": {"id": "any"}}}});
    assert_eq!(log_in(&cloud, &scoped).0, 401);
}

#[test]
fn expired_and_revoked_tokens_are_refused() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    client.list();
    cloud.state().identity.tokens[0].revoked = true;
    assert_eq!(client.send(Service::Compute, "GET /v2.1/servers/detail", None).0, 401);
    cloud.state().identity.tokens[0].revoked = false;
    cloud.state().clock_ahead_s = 3601;
    assert_eq!(client.send(Service::Network, "GET /v2.0/networks", None).0, 401);
}

#[test]
fn servers_are_built_listed_and_deleted_step_by_step() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    cloud.state().next_builds = [Build::Fails(0)].into();
    let (status, created) = client.create(2);
    assert_eq!(status, 202, "{created}");

    let first = client.list();
    assert_eq!(field(&first, "name"), ["web-2", "web-1"]);
    assert_eq!(field(&first, "status"), ["BUILD", "ERROR"]);
    assert_eq!(first[0]["addresses"], json!({}));
    let second = client.list();
    assert_eq!(field(&second, "status"), ["ACTIVE", "ERROR"]);
    assert_eq!(second[0]["addresses"]["Ext-Net"][0]["OS-EXT-IPS:type"], "fixed");
    assert_eq!(field(&second, "OS-SRV-USG:launched_at")[1], "null");

    let delete = format!("DELETE /v2.1/servers/{}", created["server"]["id"].as_str().unwrap());
    assert_eq!(client.send(Service::Compute, &delete, None).0, 204);
    assert_eq!(field(&client.list(), "OS-EXT-STS:task_state"), ["null", "deleting"]);
    assert_eq!(client.list().len(), 1);
    assert_eq!(client.send(Service::Compute, &delete, None).0, 404);
}

#[test]
fn a_quota_cuts_a_batch_and_refuses_when_none_fits() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    cloud.state().instances_max = 2;
    assert_eq!(client.create(3).0, 202);
    let (status, body) = client.create(3);
    assert_eq!(status, 403, "{body}");
    assert_eq!(cloud.state().servers.len(), 2);
}

#[test]
fn pages_follow_their_links_and_a_down_cell_shows_only_without_limit() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    for number in 0..5 {
        cloud.state().add_server(&format!("s{number}"), Fixed::Next);
    }
    cloud.state().page_max = 2;
    let mut line = "GET /v2.1/servers/detail".to_owned();
    let mut sizes = Vec::new();
    loop {
        let (_, body) = client.send(Service::Compute, &line, None);
        sizes.push(body["servers"].as_array().unwrap().len());
        let Some(next) = body["servers_links"][0]["href"].as_str() else { break };
        line = format!("GET {}", next.strip_prefix(&cloud.url(Service::Compute)).unwrap());
    }
    assert_eq!(sizes, [2, 2, 1]);

    cloud.state().page_max = 1000;
    cloud.state().servers[0].cell_down = true;
    assert_eq!(field(&client.list(), "status").last(), Some(&"UNKNOWN"));
    let (_, body) = client.send(Service::Compute, "GET /v2.1/servers/detail?limit=9", None);
    assert_eq!(body["servers"].as_array().unwrap().len(), 4);
}

#[test]
fn a_floating_ip_moves_by_one_put_and_two_do_not_fit_on_one_address() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    let (a, b) = (cloud.add_silent("a"), cloud.add_silent("b"));
    let (one, two) = {
        let mut state = cloud.state();
        (state.add_floating_ip(Some(&a)), state.add_floating_ip(None))
    };
    let bind = |address: &str, server: &str| {
        let port = cloud.state().port_of(server).id.clone();
        let body = json!({"floatingip": {"port_id": port}});
        client.send(Service::Network, &format!("PUT /v2.0/floatingips/{address}"), Some(&body))
    };
    let (status, body) = bind(&two, &a);
    assert_eq!(
        (status, &body["NeutronError"]["type"]),
        (409, &json!("FloatingIPPortAlreadyAssociated"))
    );
    assert_eq!(bind(&one, &b).0, 200);
    assert_eq!(cloud.state().holder(&one), Some(b.clone()));
    assert_eq!(bind(&two, &a).0, 200);
    cloud.state().remove_server(&b);
    assert_eq!(cloud.state().holder(&one), None);

    let line = "GET /v2.0/floatingips?description=server";
    let (_, body) = client.send(Service::Network, line, None);
    assert_eq!(body["floatingips"][1]["port_details"]["device_id"], a.as_str());
    let (_, body) = client.send(Service::Network, "GET /v2.0/floatingips?description=x", None);
    assert_eq!(body, json!({"floatingips": []}));
}

#[test]
fn two_ipv4_without_a_choice_and_ipv6_alone_are_refused() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    let server = cloud.add_silent("a");
    let address = cloud.state().add_floating_ip(None);
    let port = cloud.state().port_of(&server).id.clone();
    let line = format!("PUT /v2.0/floatingips/{address}");
    let bind =
        |wanted: Value| client.send(Service::Network, &line, Some(&json!({"floatingip": wanted})));

    cloud.state().port_of(&server).fixed.push("127.1.2.3".parse().unwrap());
    assert_eq!(bind(json!({"port_id": port})).0, 400);
    assert_eq!(bind(json!({"port_id": port, "fixed_ip_address": "127.1.2.3"})).0, 200);
    cloud.state().port_of(&server).fixed = vec!["fd10:10::1".parse().unwrap()];
    assert_eq!(bind(json!({"port_id": port})).0, 400);
    assert_eq!(bind(json!({"port_id": "nowhere"})).0, 404);
}

#[test]
fn images_are_filtered_newest_first_and_paged() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    let newer = {
        let mut state = cloud.state();
        let now = state.now();
        state.add_image("Debian 11", "queued", now);
        state.add_image("Debian 11", "active", now - Duration::from_secs(60))
    };
    let line = "GET /v2/images?name=Debian%2011&status=active&limit=1";
    let (_, body) = client.send(Service::Image, line, None);
    assert_eq!(body["images"][0]["id"], newer.as_str());
    let next = |body: &Value| format!("GET {}", body["next"].as_str().unwrap());
    let (_, body) = client.send(Service::Image, &next(&body), None);
    assert_eq!(body["images"].as_array().unwrap().len(), 1);
    let (_, body) = client.send(Service::Image, &next(&body), None);
    assert_eq!((&body["images"], &body["next"]), (&json!([]), &Value::Null));
}

#[test]
fn faults_meet_as_many_requests_as_they_should() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    cloud.fault("GET", "/servers/detail", Times::Next(2), Fault::html(503));
    let status = || client.send(Service::Compute, "GET /v2.1/servers/detail", None).0;
    assert_eq!([status(), status(), status()], [503, 503, 200]);
}

#[test]
fn connections_are_cut_reset_and_closed() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    for manner in [Manner::Closed, Manner::Reset, Manner::CutShort, Manner::ResetHalfWay] {
        cloud.fault("GET", "/servers/detail", Times::Next(1), Fault::Sent(manner));
        let answer = client.try_send(Service::Compute, "GET /v2.1/servers/detail", None);
        assert!(answer.is_none(), "{manner:?} let an answer through: {answer:?}");
    }
    client.list();
    cloud.stop(Service::Compute);
    assert!(client.try_send(Service::Compute, "GET /v2.1/servers/detail", None).is_none());
    cloud.start_again(Service::Compute);
    client.list();
}

#[test]
fn a_lost_reply_has_done_its_work() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    cloud.fault("POST", "/servers", Times::Next(1), Fault::Sent(Manner::Closed));
    let body = {
        let state = cloud.state();
        json!({"server": {"name": "web", "imageRef": state.images[0].id,
            "flavorRef": state.flavors[0].id, "networks": [{"uuid": state.networks[0].id}]}})
    };
    assert!(client.try_send(Service::Compute, "POST /v2.1/servers", Some(&body)).is_none());
    assert_eq!(client.list().len(), 1);
}

#[test]
fn a_held_request_goes_on_when_its_gate_opens() {
    let cloud = Cloud::start();
    let client = Client::new(&cloud);
    let gate = Gate::default();
    cloud.fault("GET", "/servers/detail", Times::Next(1), Fault::HeldBefore(gate.clone()));
    std::thread::scope(|scope| {
        let held = scope.spawn(|| client.list());
        while gate.reached() == 0 {
            std::thread::yield_now();
        }
        gate.open();
        assert_eq!(held.join().unwrap().len(), 0);
    });
}

#[test]
fn replicas_say_what_they_are_told_to_and_go_silent() {
    let cloud = Cloud::start();
    let server = cloud.add_replica("a", Says::free(2));
    let address = cloud.state().fixed_address(&server).unwrap();
    let url = format!("http://{address}:{}/", cloud.replica_port());
    assert_eq!(daemon::request("GET", &url), (200, json!({"capacity": 2, "termination": false})));
    cloud.replica(&server, Says::finished());
    assert_eq!(daemon::request("GET", &url).1["termination"], true);
    assert_eq!(cloud.asked(&server), 2);
    cloud.silence(&server);
    assert!(daemon::send("GET", &url, &[], None).is_err(), "a silent replica answered");
}
