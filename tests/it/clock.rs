//! What time it is in the cloud, when its controllers do not agree or do not say.

use std::time::Duration;

use crate::daemon::{Daemon, Settings, once};
use crate::expect;
use crate::fake::{Cloud, Says};

/// A full pool, and one more that is being built, as it has been for a minute.
fn pool() -> Cloud {
    let cloud = Cloud::start();
    for name in ["a", "b", "c"] {
        cloud.add_replica(name, Says::free(1));
    }
    let id = cloud.add_silent("building");
    let mut state = cloud.state();
    let a_minute_ago = state.now() - Duration::from_secs(60);
    let server = state.server(&id);
    (server.vm_state, server.task_state) = ("building".into(), Some("spawning".into()));
    (server.created, server.launched) = (a_minute_ago, None);
    drop(state);
    cloud
}

#[test]
fn one_controller_whose_clock_is_ahead_makes_no_build_look_stuck() {
    let cloud = pool();
    // The version document comes from the one, the list from the other.
    cloud.state().controllers = [Some(0), Some(3600)].into();
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
}

#[test]
fn of_several_pages_the_earliest_time_counts() {
    let cloud = pool();
    cloud.state().page_max = 2;
    cloud.state().controllers = [Some(3600), Some(3600), Some(0), Some(3600)].into();
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    expect::no_change(&cloud, &ran);
}

#[test]
fn a_clock_that_jumps_ahead_is_not_believed_at_once() {
    let cloud = pool();
    let mut daemon = Daemon::start(&Settings::of_loop(&cloud));
    daemon.wait_for_passes(&cloud, 2);
    cloud.state().controllers = [Some(3600)].into();
    daemon.wait_for_log(&["WARN", "the cloud's clock jumped ahead by 3"]);
    daemon.wait_for_passes(&cloud, 3);
    let ran = daemon.terminate();
    expect::no_change(&cloud, &ran);
    assert_eq!(ran.stderr.matches("jumped ahead").count(), 1, "{ran}");
}

#[test]
fn a_cloud_that_does_not_tell_the_time_is_a_warning() {
    let cloud = pool();
    cloud.state().controllers = [None].into();
    let ran = once(&Settings::of(&cloud));
    ran.expect_status(0);
    ran.expect_line(&["WARN", "does not tell the time", "nothing is deleted for its age"]);
    expect::no_change(&cloud, &ran);
}
