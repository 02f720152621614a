//! How many replicas there are: enough, and never too many.

use serde_json::json;

use crate::daemon::Daemon;
use crate::replica::Says;
use crate::scene::{Scene, Vm, creations, lines, states};

#[test]
fn a_cold_start_makes_what_is_missing_with_one_request() {
    let scene = Scene::open();
    scene.never_more_than(3);
    let daemon = Daemon::start(&scene.settings());
    let pool = scene.until_healthy(&daemon, 3);
    scene.keep(&pool);
    scene.passes(&daemon, 3);
    assert_eq!(creations(&daemon), 1, "one creation, once\n{}", daemon.log());
}

#[test]
fn load_makes_the_pool_grow_by_as_much_as_is_missing() {
    let scene = Scene::open();
    let settings =
        scene.settings().with("REPLICA_CAPACITY", "2").with("REPLICA_MIN_AVAILABLE_RESOURCES", "4");
    // Both replicas change between two passes, so that one pass sees the whole load.
    let settings = settings.with("APP_INTERVAL", "15");
    scene.boots_say(Some(Says::free(2)));
    scene.never_more_than(2);
    let daemon = Daemon::start(&settings);
    let pool = scene.until_healthy(&daemon, 2);
    scene.keep(&pool);
    // 0 + 1 of 4 are free: two more replicas of 2 each.
    scene.never_more_than(4);
    scene.passes(&daemon, 1);
    scene.replica(&pool[0], Some(Says::free(0)));
    scene.replica(&pool[1], Some(Says::free(1)));
    scene.until_healthy(&daemon, 4);
    scene.passes(&daemon, 2);
    assert_eq!(creations(&daemon), 2, "{}", daemon.log());
}

#[test]
fn a_finished_replica_is_replaced() {
    let scene = Scene::open();
    let daemon = Daemon::start(&scene.settings());
    let pool = scene.until_healthy(&daemon, 3);
    scene.never_more_than(4);
    scene.keep(&pool[1..]);
    scene.replica(&pool[0], Some(Says::finished()));
    let gone = |now: &[Vm]| now.iter().all(|vm| vm.id != pool[0].id);
    scene.until(&daemon, "the finished replica is gone", gone);
    scene.until_healthy(&daemon, 3);
    assert_eq!(lines(&daemon, &["INFO", "delete "]), 1, "one deletion\n{}", daemon.log());
}

#[test]
fn broken_replicas_are_replaced_and_parked_ones_are_left_alone() {
    let scene = Scene::open();
    let settings = scene
        .settings()
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", "6")
        .with("REPLICA_LAUNCH_TIMEOUT", "120");
    let daemon = Daemon::start(&settings);
    let pool = scene.until_healthy(&daemon, 6);
    // Two passes see them: Nova is slow enough for that.
    let (stopped, paused, shelved, locked, broken) =
        (&pool[0], &pool[1], &pool[2], &pool[3], &pool[4]);
    scene.keep([stopped, paused, shelved, locked]);
    scene.cloud.act(&locked.id, &json!({"lock": null}));
    scene.replica(locked, Some(Says::finished()));
    scene.cloud.act(&stopped.id, &json!({"os-stop": null}));
    scene.cloud.act(&paused.id, &json!({"pause": null}));
    scene.cloud.act(&shelved.id, &json!({"shelve": null}));
    scene.replica(broken, None);
    scene.cloud.act(&broken.id, &json!({"os-resetState": {"state": "error"}}));
    let settled = |now: &[Vm]| {
        let states = states(&daemon);
        let count = |state: &str| states.iter().filter(|one| *one == state).count();
        now.iter().all(|vm| vm.id != broken.id)
            && (count("parked"), count("finished"), count("healthy")) == (3, 1, 6)
            && states.len() == 10
    };
    scene.until(&daemon, "3 parked, 1 locked, 6 healthy, and the broken one gone", settled);
    scene.never_more_than(10);
    scene.passes(&daemon, 3);
}

#[test]
fn a_replica_that_is_stuck_in_build_is_replaced() {
    let scene = Scene::open();
    let settings = scene
        .settings()
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", "1")
        .with("REPLICA_LAUNCH_TIMEOUT", "60");
    scene.never_more_than(2);
    scene.cloud.set_knob("build_delay", "1 240");
    let daemon = Daemon::start(&settings);
    let pool = scene.until(&daemon, "a replica that builds", |now| now.len() == 1);
    let stuck = pool[0].clone();
    daemon_says(&daemon, &["INFO", "delete ", &stuck.id, "building"], &scene);
    // Nova deletes it once its build is over, which ends with the knob.
    scene.cloud.unset_knob("build_delay");
    scene.until(&daemon, "the stuck one is gone", |now| now.iter().all(|vm| vm.id != stuck.id));
    scene.until_healthy(&daemon, 1);
}

#[test]
fn two_scalers_with_different_marks_do_not_see_each_other() {
    let scene = Scene::open();
    scene.never_more_than(2);
    let settings = scene.settings().with("REPLICA_MIN_AVAILABLE_RESOURCES", "2");
    let ours = Daemon::start(&settings);
    let pool = scene.until_healthy(&ours, 2);
    scene.keep(&pool);
    // Nothing answers for the others: they stay starting, and do not concern us.
    let theirs = Daemon::start(&settings.with("OPENSTACK_METADATA_VALUE", "e2e-other"));
    scene.until(&ours, "the other scaler's two replicas", |_| states(&theirs).len() == 2);
    scene.passes(&ours, 2);
    scene.passes(&theirs, 2);
    assert_eq!((states(&ours).len(), states(&theirs).len()), (2, 2));
    assert_eq!(scene.cloud.member.servers().len(), 4, "two pools of two");
    assert_eq!((creations(&ours), creations(&theirs)), (1, 1), "{}", ours.log());
}

#[track_caller]
fn daemon_says(daemon: &Daemon, words: &[&str], scene: &Scene) {
    scene.until(daemon, &format!("a line with all of {words:?}"), |_| lines(daemon, words) > 0);
}
