//! Deletions, when something has changed since the look that they were decided on.

use crate::daemon::{Settings, once};
use crate::expect;
use crate::fake::{Cloud, Fault, Says, Then, Times};

#[test]
fn what_an_operator_locks_meanwhile_stays() {
    let cloud = Cloud::start();
    for name in ["a", "b", "c"] {
        cloud.add_replica(name, Says::free(1));
    }
    cloud.add_replica("done", Says::finished());
    cloud.then("GET", "/servers/detail", Then::Lock("done"));
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0).expect_line(&["given up: delete done", "it is locked now"]);
    expect::no_change(&cloud, &ran);
}

#[test]
fn what_cannot_be_looked_at_once_more_stays() {
    let cloud = Cloud::start();
    for name in ["a", "b", "c"] {
        cloud.add_replica(name, Says::free(1));
    }
    cloud.add_replica("done", Says::finished());
    cloud.fault("GET", "/servers/0*", Times::Always, Fault::html(503));
    let ran = once(&Settings::of(&cloud).with("OPENSTACK_API_TIMEOUT", "1"));
    ran.expect_status(1);
    ran.expect_line(&[
        "ERROR",
        "cannot delete done",
        "cannot look at it again first",
        "status 503",
    ]);
    expect::no_change(&cloud, &ran);
}
