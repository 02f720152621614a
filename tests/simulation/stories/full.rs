//! Pools that `REPLICA_MAX` leaves no room, and what died in them.

use crate::history::Event;
use crate::stories::{HOUR, REPLACED, Story};
use crate::world::weather::{Fate, Fault, Request};

/// A pool of this minimum and maximum, in which what is silent is replaced.
fn replaced(minimum: &'static str, max: &'static str) -> [(&'static str, &'static str); 4] {
    [
        ("REPLICA_CAPACITY", "1"),
        ("REPLICA_MIN_AVAILABLE_RESOURCES", minimum),
        ("REPLICA_MAX", max),
        REPLACED,
    ]
}

/// One brake, and `REPLICA_REPLACE_SILENT_AFTER` was void for good.
#[test]
fn a_pool_of_three_at_most_outlives_any_number_of_deaths() {
    let mut story = Story::of(1, 0, &replaced("1", "3"));
    let mut below = 0;
    for _ in 0..6 {
        story.kill(3);
        for _ in 0..HOUR {
            story.pass();
            below += u64::from(story.free() == 0);
        }
        assert!(story.count() <= 2 && story.free() == 1, "{} VMs", story.count());
    }
    assert!(below <= 6 * 7, "{below} passes below the minimum");
}

#[test]
fn a_pool_that_is_full_of_dead_replicas_makes_room_for_a_trial_and_lives_again() {
    let mut story = Story::of(3, 0, &replaced("3", "3"));
    story.passes(3).kill(3).passes(30);
    assert_eq!((story.free(), story.count(), story.left()), (3, 3, 0));
}

#[test]
fn a_full_pool_that_is_cut_off_loses_one_working_vm_at_most() {
    let set = [("REPLICA_CAPACITY", "1"), ("REPLICA_MAX", "12"), REPLACED];
    let mut story = Story::of(12, 0, &set);
    story.passes(3).happens(Event::OwnNetwork { works: false });
    for _ in 0..12 {
        story.passes(HOUR).0.restart();
    }
    assert!(story.left() >= 11, "{} are left", story.left());
    story.happens(Event::OwnNetwork { works: true }).passes(10);
    assert!(story.left() >= 11, "{} are left", story.left());
}

#[test]
fn a_full_pool_of_dead_replicas_gives_up_one_and_no_other_when_its_trial_is_taken_away() {
    let mut story = Story::of(3, 0, &replaced("3", "3"));
    story.passes(3).kill(3).happens(Event::Builds(Fate::NeverAnswers)).passes(15);
    assert_eq!((story.left(), story.made()), (2, 1), "one gave way to a trial");
    // Somebody deletes the trial, and fills its place with what is as dead as the others.
    story.world(|world| world.vms.retain(|vm| !vm.ours));
    story.happens(Event::Added).kill(3).passes(HOUR);
    assert_eq!((story.left(), story.made()), (3, 1));
}

#[test]
fn a_full_pool_of_dead_replicas_of_which_two_vanish_keeps_a_place_for_trials_and_lives_again() {
    let mut story = Story::of(4, 0, &replaced("3", "4"));
    story.passes(3).kill(4).happens(Event::Builds(Fate::NeverAnswers));
    story.world(|world| world.weather.faults = vec![(Request::Delete, Fault::Forbidden, 255)]);
    story.passes(15);
    assert_eq!((story.left(), story.made()), (4, 0), "the cloud refuses the deletion");
    story.world(|world| {
        world.weather.faults.clear();
        let gone: Vec<_> = world.pool().take(2).map(|vm| vm.id.clone()).collect();
        world.vms.retain(|vm| !gone.contains(&vm.id));
    });
    story.passes(30);
    assert_eq!((story.count(), story.free()), (4, 0), "two came, and are as dead");
    story.happens(Event::Builds(Fate::Good)).passes(HOUR);
    assert_eq!(story.free(), 3, "a trial worked, and the others were replaced");
}

#[test]
fn a_dead_replica_that_was_to_give_way_and_is_locked_instead_lets_another_do_so() {
    let mut story = Story::of(3, 0, &replaced("3", "3"));
    story.passes(3).kill(3);
    story.world(|world| world.weather.faults = vec![(Request::Delete, Fault::Forbidden, 255)]);
    story.passes(15);
    assert_eq!((story.left(), story.made()), (3, 0), "the cloud refuses the deletion");
    story.world(|world| world.weather.faults.clear());
    story.happens(Event::Locked { vm: 0 }).passes(30);
    assert_eq!((story.left(), story.free()), (1, 2), "all but the locked one work again");
}
