//! The status server, while the loop runs.

use serde_json::{Value, json};

use crate::daemon::{Daemon, Settings, request, send};
use crate::fake::{Build, Cloud, Fault, Gate, Says, Times};

fn content() -> Cloud {
    let cloud = Cloud::start();
    for name in ["web-a", "web-b", "web-c"] {
        cloud.add_replica(name, Says::free(1));
    }
    cloud
}

#[test]
fn the_page_shows_the_pool_as_json() {
    let cloud = content();
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_for_status("/healthz", 200);
    let (status, page) = daemon.get("/");
    assert_eq!(status, 200);
    assert_eq!((&page["status"], &page["isMaster"]), (&json!(1), &json!(true)), "{page}");
    let text = page.to_string();
    let (id, address) = {
        let state = cloud.state();
        let id = state.servers[0].id.clone();
        let address = state.fixed_address(&id).unwrap().to_string();
        (id, address)
    };
    for shown in ["web-a", &id, &address, "healthy"] {
        assert!(text.contains(shown), "{shown} is not shown: {page:#}");
    }
}

#[test]
fn the_status_tells_where_it_is_how_it_is_set_and_what_happened() {
    let cloud = content();
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_for_status("/healthz", 200);
    let (status, page) = daemon.get("/status");
    assert_eq!(
        (status, &page["pool"], &page["reasons"]),
        (200, &json!("well"), &json!([])),
        "{page:#}"
    );
    for key in ["region", "project", "flavor", "image", "network"] {
        let value = page["cloud"][key].as_str().unwrap_or_default();
        assert!(!value.is_empty(), "no {key}: {page:#}");
        daemon.wait_for_log(&[key, value]);
    }
    assert_eq!(page["settings"]["inForce"]["APP_PORT"]["from"], "set", "{page:#}");
    let first = page["events"].as_array().unwrap().last().unwrap();
    assert_eq!(first["text"], "first look at the pool: 3 replicas", "{page:#}");
    let replica = &page["replicas"][0];
    assert_eq!(replica["lastQuestion"]["result"], "200", "{page:#}");
    assert!(replica["lastAnswer"].is_string() && replica["stateSince"].is_string(), "{page:#}");
}

#[test]
fn a_browser_gets_a_page_and_everything_else_gets_json() {
    let cloud = content();
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_for_status("/healthz", 200);
    let url = daemon.status_url();
    let kind = |path: &str, accept: &str| {
        let answer = send("GET", &format!("{url}{path}"), &[("Accept", accept)], None);
        let (status, headers, body) = answer.expect("an answer");
        assert_eq!(status, 200, "{path}");
        let mut fields = headers.into_iter();
        let kind = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        (kind.expect("a content type").1, String::from_utf8(body).expect("text"))
    };
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let (html, page) = kind("/", browser);
    assert_eq!(html, "text/html; charset=utf-8");
    assert!(page.contains("web-a") && page.contains("<h1>"), "{page}");
    for (path, accept) in [("/", "*/*"), ("/status", browser), ("/healthz", browser)] {
        assert_eq!(kind(path, accept).0, "application/json", "{path} for {accept}");
    }
}

#[test]
fn a_summary_shows_no_id_name_or_address() {
    let cloud = content();
    let a = cloud.state().servers[0].id.clone();
    cloud.state().add_floating_ip(Some(&a));
    let settings = Settings::of_loop(&cloud)
        .with("APP_STATUS_DETAIL", "summary")
        .with("EXTERNAL_ADDRESS_MANAGEMENT", "true");
    let daemon = Daemon::start(&settings);
    daemon.wait_for_status("/healthz", 200);
    let done = cloud.add_replica("web-done", Says::finished());
    daemon.wait_until("the finished one deleted", || cloud.changes().len() == 1);
    daemon.wait_for_passes(&cloud, 1);
    let (status, page) = daemon.get("/");
    assert_eq!(status, 200);
    let text = page.to_string();
    for hidden in ["web-a", "web-done", a.as_str(), done.as_str(), "203.0.113.1", "\"127."] {
        assert!(!text.contains(hidden), "{hidden} is shown: {page:#}");
    }
}

#[test]
fn the_page_answers_while_a_pass_is_stuck() {
    let cloud = content();
    let gate = Gate::default();
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::HeldBefore(gate.clone()));
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_until("the pass stuck", || gate.reached() == 1);
    for path in ["/", "/livez"] {
        assert_eq!(daemon.get(path).0, 200, "{path}\n{}", daemon.log());
    }
    cloud.no_faults();
    gate.open();
    daemon.wait_for_status("/healthz", 200);
}

#[test]
fn health_follows_the_passes_and_life_does_not() {
    let cloud = content();
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::html(503));
    let settings = Settings::of_loop(&cloud).with("OPENSTACK_API_TIMEOUT", "1");
    let daemon = Daemon::start(&settings);
    daemon.wait_for_log(&["ERROR", "list the servers"]);
    let why = daemon.wait_for_status("/healthz", 503);
    assert_eq!(daemon.get("/livez").0, 200, "a supervisor would kill a scaler whose cloud is down");
    assert_ne!(why, Value::Null, "the reason is JSON");
    cloud.no_faults();
    daemon.wait_for_status("/healthz", 200);
}

#[test]
fn health_stays_bad_through_the_pauses_of_a_creation_that_fails() {
    let cloud = content();
    cloud.boots_say(Says::free(1));
    cloud.fault("POST", "/servers", Times::Always, Fault::html(403));
    let settings = Settings::of_loop(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "4");
    let daemon = Daemon::start(&settings);
    daemon.wait_until("a good pass in a pause", || {
        let (_, page) = daemon.get("/status");
        page["lastPass"]["ok"] == true && page["backOff"].is_object()
    });
    let (status, health) = daemon.get("/healthz");
    let why = health["why"].as_str().unwrap_or_default();
    assert_eq!(status, 503, "{health}");
    assert!(why.starts_with("creation fails, and 1 of 4 are missing: "), "{why}");
    let (_, page) = daemon.get("/status");
    assert_eq!(page["pool"], "short", "{page:#}");
    assert_eq!(page["reasons"][1]["kind"], "held back", "{page:#}");
    assert!(!daemon.log().contains("recovered"), "nothing has: {}", daemon.log());
    cloud.no_faults();
    daemon.wait_for_status("/healthz", 200);
    daemon.wait_for_log(&["recovered after", "create"]);
}

#[test]
fn health_stays_bad_while_every_server_that_the_cloud_accepts_ends_in_error() {
    let cloud = content();
    cloud.boots_say(Says::free(1));
    cloud.fault("POST", "/servers", Times::Next(1), Fault::html(403));
    cloud.state().next_builds = vec![Build::Fails(0); 100].into();
    let settings = Settings::of_loop(&cloud).with("REPLICA_MIN_AVAILABLE_RESOURCES", "4");
    let daemon = Daemon::start(&settings);
    daemon.wait_for_log(&["ERROR", "cannot create 1 replica"]);
    daemon.wait_for_status("/healthz", 503);
    daemon.wait_until("a third creation that is accepted", || {
        let (status, health) = daemon.get("/healthz");
        assert_eq!(status, 503, "{health}\n{}", daemon.log());
        cloud.count("POST", "/servers") == 4
    });
    assert_eq!(daemon.get("/livez").0, 200);
    assert!(!daemon.log().contains("recovered"), "nothing has: {}", daemon.log());
    cloud.state().next_builds.clear();
    daemon.wait_for_status("/healthz", 200);
    daemon.wait_for_log(&["recovered after", "create"]);
}

#[test]
fn other_paths_and_methods_are_refused_as_json() {
    let cloud = content();
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    let url = daemon.status_url();
    let (status, body) = daemon.get("/nowhere");
    assert_eq!(status, 404);
    assert!(body.is_object(), "{body}");
    let (status, body) = request("POST", &format!("{url}/"));
    assert_eq!(status, 405);
    assert!(body.is_object(), "{body}");
    assert_eq!(request("HEAD", &format!("{url}/livez")).0, 200);
}

#[test]
fn once_opens_no_port() {
    let cloud = content();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    crate::daemon::once(&Settings::of(&cloud).with("APP_PORT", &port)).expect_status(0);
}
