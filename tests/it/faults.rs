//! The cloud's faults, one kind of request after the other: exit status 1, a clear line, and nothing too much done.

use crate::daemon::{Settings, once};
use crate::expect;
use crate::fake::{Cloud, Fault, Manner, Says, Service, Times};

/// Everything that can go wrong with one request and does not pass.
fn lasting_faults() -> Vec<Fault> {
    vec![
        Fault::html(503),
        Fault::html(500),
        Fault::html(200),
        Fault::rate_limited("60"),
        Fault::Truncated,
        Fault::Big(17 * 1024 * 1024),
        Fault::Undone(Manner::Closed),
        Fault::Undone(Manner::Reset),
        Fault::Undone(Manner::HangBeforeHeaders),
        Fault::Sent(Manner::HangInBody),
        Fault::Sent(Manner::Drip),
        Fault::Sent(Manner::CutShort),
        Fault::Sent(Manner::ResetHalfWay),
    ]
}

fn impatient(cloud: &Cloud) -> Settings {
    Settings::of(cloud).with("OPENSTACK_API_TIMEOUT", "1")
}

/// With every lasting fault in the requests given, a pass over a pool that has work to do ends with status 1 and an
/// error that has all of `words`; `look` says what must hold then.
#[track_caller]
fn check(
    method: &str,
    pattern: &str,
    words: &[&str],
    look: impl Fn(&Cloud, &crate::daemon::Ran) + Sync,
) {
    expect::each(lasting_faults(), |fault| {
        let cloud = Cloud::start();
        cloud.add_replica("done", Says::finished());
        cloud.fault(method, pattern, Times::Always, fault.clone());
        let ran = once(&impatient(&cloud));
        assert_eq!(ran.status, Some(1), "{fault:?}: {}\n{ran}", cloud.journal());
        let mut all = vec!["ERROR"];
        all.extend(words);
        ran.expect_line(&all);
        look(&cloud, &ran);
    });
}

#[test]
fn no_token_no_pass() {
    check("POST", "/auth/tokens", &["log in"], expect::no_change);
}

#[test]
fn no_list_of_servers_no_decision() {
    check("GET", "/servers/detail", &["list the servers"], expect::no_change);
}

#[test]
fn no_flavor_no_creation() {
    check("GET", "/flavors*", &["create 3"], |cloud, ran| {
        expect::created(cloud, ran, 0);
        assert_eq!(cloud.changes().len(), 1, "the deletion goes on\n{}\n{ran}", cloud.journal());
    });
}

#[test]
fn no_image_no_creation() {
    check("GET", "/images*", &["create 3"], |cloud, ran| {
        expect::created(cloud, ran, 0);
        assert_eq!(cloud.changes().len(), 1, "the deletion goes on\n{}\n{ran}", cloud.journal());
    });
}

#[test]
fn no_network_no_creation() {
    check("GET", "/networks*", &["create 3"], |cloud, ran| {
        expect::created(cloud, ran, 0);
        assert_eq!(cloud.changes().len(), 1, "the deletion goes on\n{}\n{ran}", cloud.journal());
    });
}

#[test]
fn a_creation_that_fails_is_sent_once() {
    check("POST", "/servers", &["create 3"], |cloud, ran| {
        expect::created(cloud, ran, 3);
        let servers = cloud.state().servers.len();
        assert!(servers <= 4, "{servers} servers: {}\n{ran}", cloud.journal());
    });
}

#[test]
fn a_deletion_that_fails_holds_up_no_creation() {
    let faults = [Fault::html(503), Fault::rate_limited("60"), Fault::Undone(Manner::Reset)];
    expect::each(faults, |fault| {
        let cloud = Cloud::start();
        cloud.add_replica("done", Says::finished());
        cloud.fault("DELETE", "/servers/*", Times::Always, fault.clone());
        let ran = once(&impatient(&cloud));
        assert_eq!(ran.status, Some(1), "{fault:?}: {}\n{ran}", cloud.journal());
        ran.expect_line(&["ERROR", "delete done"]);
        expect::created(&cloud, &ran, 3);
    });
}

#[test]
fn a_server_that_is_gone_already_is_deleted_well_enough() {
    let cloud = Cloud::start();
    let id = cloud.add_replica("done", Says::finished());
    let body = serde_json::json!({"itemNotFound": {"code": 404, "message": "gone"}});
    let gone = Fault::Answer(crate::fake::Response::json(404, &body));
    cloud.fault("DELETE", "/servers/*", Times::Next(1), gone);
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    expect::deleted(&cloud, &ran, &[&id]);
}

#[test]
fn what_does_no_harm_is_tried_again() {
    let requests = [
        ("POST", "/auth/tokens"),
        ("GET", "/servers/detail"),
        ("GET", "/flavors*"),
        ("GET", "/images*"),
        ("GET", "/networks*"),
        ("GET", "/floatingips"),
        ("PUT", "/floatingips/*"),
        ("DELETE", "/servers/*"),
    ];
    let faults = [Fault::html(503), Fault::rate_limited("1"), Fault::Sent(Manner::Reset)];
    let cases = requests.into_iter().flat_map(|one| faults.clone().map(|fault| (one, fault)));
    expect::each(cases, |((method, pattern), fault)| {
        let cloud = Cloud::start();
        cloud.add_replica("done", Says::finished());
        cloud.add_replica("a", Says::free(1));
        cloud.state().add_floating_ip(None);
        cloud.fault(method, pattern, Times::Next(1), fault.clone());
        let ran = once(&Settings::of(&cloud).with("EXTERNAL_ADDRESS_MANAGEMENT", "true"));
        let story = format!("{method} {pattern} {fault:?}: {}\n{ran}", cloud.journal());
        assert_eq!(ran.status, Some(0), "{story}");
        assert_eq!(cloud.state().servers.len(), 4, "{story}");
    });
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let cases = [
        (Service::Identity, ["log in", "refused"]),
        (Service::Compute, ["list the servers", "refused"]),
        (Service::Network, ["create 3", "refused"]),
        (Service::Image, ["create 3", "refused"]),
    ];
    expect::each(cases, |(service, words)| {
        let cloud = Cloud::start();
        let settings = impatient(&cloud);
        cloud.stop(service);
        let ran = once(&settings);
        ran.expect_status(1).expect_line(&["ERROR", words[0], words[1]]);
        expect::no_change(&cloud, &ran);
    });
}

#[test]
fn a_redirect_is_not_followed_with_our_token() {
    let cloud = Cloud::start();
    let other = Cloud::start();
    let to = format!("{}/v2.1/servers/detail", other.url(Service::Compute));
    let redirect = crate::fake::Response::empty(302).with("Location", &to);
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::Answer(redirect));
    let ran = once(&impatient(&cloud));
    ran.expect_status(1);
    assert!(other.requests().is_empty(), "the token went elsewhere: {:?}", other.requests());
}
