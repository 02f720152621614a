//! What belongs to the pool, and what does not.

use crate::daemon::{Daemon, Settings, once};
use crate::expect;
use crate::fake::{Cloud, Fixed, Says};

fn mark(cloud: &Cloud, id: &str, key: &str, value: &str) {
    cloud.state().server(id).metadata = [(key.to_owned(), value.to_owned())].into();
}

#[test]
fn nothing_outside_the_pool_is_asked_counted_or_deleted() {
    let cloud = Cloud::start();
    let other = cloud.add_replica("other-group", Says::finished());
    mark(&cloud, &other, "group", "web");
    let other_key = cloud.add_replica("other-key", Says::finished());
    mark(&cloud, &other_key, "role", "scaler");
    let bare = cloud.add_replica("no-mark", Says::finished());
    cloud.state().server(&bare).metadata.clear();
    let broken = cloud.state().add_server("broken", Fixed::Next);
    cloud.state().server(&broken).vm_state = "error".into();
    mark(&cloud, &broken, "group", "web");

    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    expect::created(&cloud, &ran, 3);
    expect::deleted(&cloud, &ran, &[]);
    for id in [&other, &other_key, &bare] {
        assert_eq!(cloud.asked(id), 0, "a server outside the pool was probed\n{ran}");
    }
}

#[test]
fn the_mark_of_the_python_code_is_found_when_none_is_set() {
    let cloud = Cloud::start();
    for name in ["a", "b", "c"] {
        let id = cloud.add_replica(name, Says::free(1));
        mark(&cloud, &id, "group", "scaled");
    }
    let found = ["OPENSTACK_METADATA_VALUE", "scaled"];
    let daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_for_log(&["WARN", found[0], found[1]]);
    drop(daemon);
    cloud.forget_requests();

    let settings = Settings::of(&cloud).with("AUTOSCALING_REPLICAS", "3");
    let ran = once(&settings);
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
    assert_eq!(ran.stderr, "", "cron would mail this each minute");
    let ran = once(&settings.with("RUST_LOG", "debug"));
    ran.expect_line(&["DEBUG", found[0], found[1]]).expect_line(&["DEBUG", "AUTOSCALING_REPLICAS"]);
}

#[test]
fn both_marks_without_a_setting_are_a_question_for_the_operator() {
    let cloud = Cloud::start();
    let id = cloud.add_replica("a", Says::free(1));
    mark(&cloud, &id, "group", "scaled");
    cloud.add_replica("b", Says::free(1));
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(2).expect_line(&["OPENSTACK_METADATA_VALUE"]);
    expect::no_change(&cloud, &ran);
    let ran = once(&Settings::of(&cloud).with("OPENSTACK_METADATA_VALUE", "scaler"));
    ran.expect_status(0);
    expect::created(&cloud, &ran, 2);
}

#[test]
fn the_mark_can_be_any_key_and_value() {
    let cloud = Cloud::start();
    let settings = Settings::of(&cloud)
        .with("OPENSTACK_METADATA_KEY", "pool")
        .with("OPENSTACK_METADATA_VALUE", "é & co");
    let ran = once(&settings);
    ran.expect_status(0);
    assert_eq!(expect::created(&cloud, &ran, 3)["metadata"]["pool"], "é & co");
    cloud.forget_requests();
    let ran = once(&settings);
    expect::no_change(&cloud, &ran);
}
