//! Histories that once came out wrong. Each tells what must come of it, by the program's own passes.

mod full;

use std::collections::BTreeSet;

use simplescalevm::model::{Condition, ServerId};
use simplescalevm::pass::Report;

use crate::history::{Event, apply};
use crate::judge::Judge;
use crate::stage::{Stage, settings};
use crate::universe::{Deed, Meanwhile};
use crate::world::vm::{Phase, Vm};
use crate::world::weather::{Fate, Fault, Request};
use crate::world::{MARK, World};

const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

const REPLACED: (&str, &str) = ("REPLICA_REPLACE_SILENT_AFTER", "300");

/// A pool of so many replicas that work, and the settings that are not at their defaults.
struct Story(Stage);

impl Story {
    fn of(replicas: u8, addresses: u8, set: &[(&str, &str)]) -> Self {
        Story(Stage::new(settings(set, false).policy, replicas, addresses, false))
    }

    fn under_cron(replicas: u8, addresses: u8, set: &[(&str, &str)]) -> Self {
        Story(Stage::new(settings(set, true).policy, replicas, addresses, false))
    }

    fn happens(&mut self, event: Event) -> &mut Self {
        apply(&mut self.0.universe.borrow_mut(), event);
        self
    }

    fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.universe.borrow_mut().world)
    }

    fn judge<T>(&self, read: impl FnOnce(&Judge) -> T) -> T {
        read(&self.0.universe.borrow().judge)
    }

    #[track_caller]
    fn pass(&mut self) -> Report {
        let report = self.0.pass();
        self.nothing_is_broken();
        report.unwrap_or_else(|| panic!("the program did not live through the pass"))
    }

    #[track_caller]
    fn passes(&mut self, count: u64) -> &mut Self {
        (0..count).for_each(|_| drop(self.pass()));
        self
    }

    #[track_caller]
    fn early_passes(&mut self, count: u64, apart: u64) -> &mut Self {
        for _ in 0..count {
            self.0.early_pass(apart);
            self.nothing_is_broken();
        }
        self
    }

    #[track_caller]
    fn nothing_is_broken(&self) {
        self.judge(|judge| assert!(judge.broken.is_empty(), "{}", judge.broken.join("\n")));
    }

    /// Free resources of replicas that answer.
    fn free(&self) -> u64 {
        self.world(|world| world.pool().map(Vm::free).sum())
    }

    fn count(&self) -> usize {
        self.world(|world| world.pool().count())
    }

    /// Those that were there at the beginning and still are.
    fn left(&self) -> usize {
        self.world(|world| world.pool().filter(|vm| !vm.ours).count())
    }

    /// VMs that the program ever made.
    fn made(&self) -> u64 {
        self.world(|world| world.made)
    }

    /// Kills the first so many replicas.
    fn kill(&mut self, count: usize) -> &mut Self {
        self.world(|world| {
            let pool = world.vms.iter_mut().filter(|vm| vm.mark.as_deref() == Some(MARK));
            pool.take(count).for_each(|vm| vm.service.silent = true);
        });
        self
    }
}

// All dead under cron: nothing was created, and the exit status was 0.

#[test]
fn under_cron_a_pool_of_which_all_are_dead_is_filled_again() {
    for replicas in 1..=3 {
        let minimum = replicas.to_string();
        let set =
            [("REPLICA_CAPACITY", "1"), ("REPLICA_MIN_AVAILABLE_RESOURCES", minimum.as_str())];
        let mut story = Story::under_cron(replicas, 0, &set);
        story.kill(3).passes(15);
        assert_eq!(story.free(), u64::from(replicas), "of {replicas} replicas");
        assert_eq!(story.left(), usize::from(replicas), "of {replicas} replicas");
        assert_eq!(story.made(), u64::from(replicas), "of {replicas} replicas");
    }
}

#[test]
fn under_cron_the_address_leaves_the_dead_for_the_one_that_lives() {
    let mut story = Story::under_cron(4, 1, &[("EXTERNAL_ADDRESS_MANAGEMENT", "true")]);
    story.happens(Event::Bound { address: 0, to: Some(1) }).kill(3);
    story.pass();
    let (holder, alive) = story.world(|world| {
        let alive = world.pool().find(|vm| vm.is_healthy()).map(|vm| vm.id.clone());
        (world.addresses[0].holder.clone(), alive)
    });
    assert!(alive.is_some() && holder == alive, "{holder:?} instead of {alive:?}");
}

// What serves nothing piled up.

#[test]
fn a_service_that_answers_twice_and_dies_is_not_made_by_the_hundred() {
    let mut story = Story::of(0, 0, &[]);
    story.happens(Event::Builds(Fate::AnswersOnly(2))).passes(DAY);
    assert!(story.count() <= 14, "{} VMs", story.count());
    assert!(story.made() <= 12 + 48 + 1, "{} VMs made", story.made());
}

#[test]
fn a_dead_image_with_a_restart_a_day_adds_nothing_each_day() {
    let mut story = Story::of(0, 0, &[]);
    story.happens(Event::Builds(Fate::NeverAnswers));
    for _ in 0..3 {
        story.passes(DAY).0.restart();
    }
    assert!(story.count() <= 13, "{} VMs", story.count());
}

#[test]
fn replicas_that_finish_and_cannot_be_deleted_stop_creation() {
    let mut story = Story::of(0, 0, &[]);
    for minute in 0..DAY {
        story.world(|world| {
            world.weather.faults = vec![(Request::Delete, Fault::Forbidden, 255)];
            if minute % HOUR == 30 {
                world.vms.iter_mut().for_each(|vm| vm.service.finished = true);
            }
        });
        story.pass();
    }
    assert!(story.count() <= 20, "{} VMs", story.count());
}

#[test]
fn an_image_that_powers_itself_off_is_dead_weight_though_the_vms_are_parked() {
    for after in [20, 60] {
        let mut story = Story::of(0, 0, &[]);
        story.happens(Event::BuildTimes { build: 50, boot: 70 });
        story.happens(Event::Builds(Fate::PowersOff(after))).passes(DAY);
        assert!(story.count() <= 14, "{} VMs", story.count());
        assert!(story.made() <= 12 + 48 + 1, "{} VMs made", story.made());
    }
}

#[test]
fn an_image_that_powers_itself_off_is_made_ever_more_seldom_where_the_stopped_are_deleted() {
    let mut story = Story::of(0, 0, &[("REPLICA_DELETE_STOPPED", "true")]);
    story.happens(Event::BuildTimes { build: 50, boot: 70 });
    story.happens(Event::Builds(Fate::PowersOff(20))).passes(DAY);
    // Three at a time, with half an hour between them after the first pauses.
    assert!(story.made() <= 3 * (48 + 6), "{} VMs made", story.made());
    assert!(story.count() <= 13, "{} VMs", story.count());
}

#[test]
fn twelve_dead_beside_forty_healthy_do_not_stop_creation_under_cron() {
    let mut story = Story::under_cron(52, 0, &[]);
    story.kill(12).happens(Event::AllBusy).passes(10);
    assert_eq!(story.free(), 9);
    assert_eq!(story.made(), 3);
}

#[test]
fn a_hundred_that_die_at_once_are_made_up_for_whatever_is_restarted_in_between() {
    for restart in [false, true] {
        let mut story = Story::of(100, 0, &[("REPLICA_MAX", "none")]);
        story.passes(5).kill(100).passes(1);
        if restart {
            story.0.restart();
        }
        story.passes(30);
        assert_eq!((story.free(), story.left()), (9, 100), "restart: {restart}");
    }
}

// Working VMs that the cloud has in error were deleted.

fn five_in_error(mut story: Story) -> Story {
    story.passes(1);
    story.world(|world| {
        let pool = world.vms.iter_mut().filter(|vm| vm.mark.as_deref() == Some(MARK));
        pool.for_each(|vm| vm.becomes(Phase::Error));
    });
    story.passes(5);
    story
}

#[test]
fn five_that_work_in_error_outlive_a_restart_while_the_own_network_is_out() {
    let mut story = five_in_error(Story::of(5, 0, &[]));
    story.happens(Event::OwnNetwork { works: false }).0.restart();
    story.passes(HOUR);
    assert_eq!(story.left(), 5);
}

#[test]
fn five_that_work_in_error_outlive_an_outage_under_cron() {
    let mut story = five_in_error(Story::under_cron(5, 0, &[]));
    story.happens(Event::OwnNetwork { works: false }).passes(HOUR);
    assert_eq!(story.left(), 5);
}

#[test]
fn passes_a_second_apart_delete_nothing_for_a_silence_of_seconds() {
    let mut story = Story::of(5, 0, &[]);
    story.passes(1);
    let id = story.world(|world| {
        let vm = world.vms.iter_mut().find(|vm| vm.mark.as_deref() == Some(MARK));
        vm.map(|vm| {
            vm.becomes(Phase::Error);
            vm.service.silent = true;
            vm.id.clone()
        })
    });
    let is_there = |story: &Story| story.world(|world| id.iter().any(|id| is_listed(world, id)));
    story.early_passes(20, 1);
    assert!(is_there(&story));
    story.passes(4);
    assert!(!is_there(&story));
}

fn is_listed(world: &World, id: &ServerId) -> bool {
    world.records().iter().any(|server| server.id == *id && server.condition == Condition::Error)
}

#[test]
fn passes_a_second_apart_do_not_release_the_brake() {
    let mut story = Story::of(5, 0, &[]);
    story.passes(1).happens(Event::AllGoSilent).early_passes(20, 1);
    assert_eq!(story.made(), 0);
    story.passes(5);
    assert_eq!(story.made(), 3);
}

// What changes while a pass goes on.

#[test]
fn one_that_was_repaired_since_the_list_was_made_is_not_deleted() {
    let mut story = Story::of(4, 0, &[REPLACED]);
    // A newer one that works, without which no silent one goes.
    story.passes(1).happens(Event::Added).kill(1).passes(5);
    let meanwhile = Meanwhile { requests: 3, deed: Deed::Repairs };
    story.0.universe.borrow_mut().meanwhile = Some(meanwhile);
    story.passes(5);
    assert_eq!(story.left(), 5);
}

// One controller of three has a wrong clock.

#[test]
fn a_date_an_hour_ahead_makes_no_build_too_old() {
    let mut story = Story::of(0, 0, &[]);
    story.happens(Event::BuildTimes { build: 600, boot: 60 });
    story.happens(Event::WrongDates(true)).passes(20);
    assert_eq!((story.made(), story.free()), (3, 9));
}

// The port of a server that is gone kept its address.

#[test]
fn an_address_on_a_port_that_outlived_its_server_goes_to_a_healthy_replica() {
    let mut story = Story::of(4, 1, &[("EXTERNAL_ADDRESS_MANAGEMENT", "true")]);
    story.happens(Event::Bound { address: 0, to: Some(1) }).happens(Event::PortsOutlive(true));
    story.passes(2).happens(Event::Vanishes { vm: 1 }).passes(6);
    story.world(|world| {
        let holder = world.addresses[0].holder.clone();
        let holder = holder.and_then(|holder| world.vm(&holder).map(Vm::is_healthy));
        assert_eq!(holder, Some(true));
    });
}

// A cloud that drops metadata.

#[test]
fn under_cron_a_cloud_that_drops_metadata_does_not_fill_up() {
    let mut story = Story::under_cron(0, 0, &[("REPLICA_MAX", "6")]);
    let before = story.world(|world| world.vms.len());
    story.happens(Event::DropsMarks(true)).passes(HOUR);
    let more = story.world(|world| world.vms.len()) - before;
    assert!(more <= 6, "{more} VMs that nobody knows");
}

// Lists are short while the cloud looks for hosts.

#[test]
fn a_list_that_is_short_while_the_cloud_schedules_makes_nothing_twice() {
    let set = [("REPLICA_CAPACITY", "1"), ("REPLICA_MIN_AVAILABLE_RESOURCES", "45")];
    let mut story = Story::of(0, 0, &set);
    story.happens(Event::PageLimit { more: Some(29), schedules: 5 }).early_passes(30, 1).passes(5);
    assert_eq!((story.made(), story.free()), (45, 45));
}

// A first answer of 0 is an answer: only REPLICA_MAX ends this.

#[test]
fn replicas_that_are_born_busy_fill_the_pool_to_the_default_maximum_and_no_further() {
    let mut story = Story::of(0, 0, &[]);
    story.world(|world| world.capacity = 0);
    story.passes(6 * HOUR);
    assert_eq!(story.count(), 100);
    let held_back = story.pass().plan.and_then(|plan| plan.held_back);
    assert!(held_back.is_some_and(|held| held.why.contains("REPLICA_MAX 100")));
}

// Every VM is one of the pool's own, or was there before.

#[test]
fn nothing_of_others_is_touched_in_any_of_these() {
    let mut story = Story::of(3, 0, &[REPLACED]);
    let others = |world: &mut World| -> BTreeSet<ServerId> {
        let others = world.vms.iter().filter(|vm| vm.mark.as_deref() != Some(MARK));
        others.map(|vm| vm.id.clone()).collect()
    };
    let before = story.world(others);
    story.happens(Event::Builds(Fate::AnswersOnly(2))).kill(3).passes(3 * HOUR);
    assert_eq!(story.world(others), before);
}
