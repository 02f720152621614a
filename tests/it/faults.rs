//! What the cloud's faults call for beside what every cell of the fault table shows (`fault_table`): repetition, and
//! none.

use crate::daemon::{Settings, once};
use crate::expect;
use crate::fake::{Cloud, Fault, Manner, Says, Service, Times};

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
fn a_redirect_is_not_followed_with_our_token() {
    let cloud = Cloud::start();
    let other = Cloud::start();
    let to = format!("{}/v2.1/servers/detail", other.url(Service::Compute));
    let redirect = crate::fake::Response::empty(302).with("Location", &to);
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::Answer(redirect));
    let ran = once(&Settings::of(&cloud).with("OPENSTACK_API_TIMEOUT", "1"));
    ran.expect_status(1);
    assert!(other.requests().is_empty(), "the token went elsewhere: {:?}", other.requests());
}
