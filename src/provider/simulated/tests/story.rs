//! The world by itself: what a scaler, or a person, sees of it as time passes.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use crate::error::ErrorKind;
use crate::model::{Condition, Launched, ServerId};
use crate::provider::Creation;
use crate::provider::simulated::rules::Rules;
use crate::provider::simulated::vm::Status;
use crate::provider::simulated::world::{QUOTA, World};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn world() -> World {
    let rules = Rules {
        capacity: 4,
        minimum: 6,
        max: Some(12),
        mark_key: "group".into(),
        network: [127, 77, 0],
    };
    World::new(rules, SystemTime::UNIX_EPOCH)
}

fn creation(count: u64) -> Creation {
    let metadata = vec![("group".to_owned(), "scaler".to_owned())];
    Creation { name: "server-a".into(), count, metadata }
}

/// A world in which `count` VMs were made at its beginning, `time` later.
fn with_vms(count: u64, time: Duration) -> World {
    let mut world = world();
    world.create(&creation(count)).unwrap();
    world.advance(time);
    world
}

fn id(number: u64) -> ServerId {
    ServerId::new(format!("vm-{number}"))
}

fn conditions(world: &World) -> Vec<Condition> {
    world.listing().servers.into_iter().map(|server| server.condition).collect()
}

fn status(world: &World, number: u8) -> Option<Status> {
    world.status(Ipv4Addr::new(127, 77, 0, number))
}

/// Lets the world live until its story has a line with `words` in it; the line.
#[track_caller]
fn wait_for(world: &mut World, words: &str) -> String {
    let mut told = Vec::new();
    for _ in 0..2000 {
        world.advance(world.now + Duration::from_millis(250));
        for line in world.take_story() {
            if line.contains(words) {
                return line;
            }
            told.push(line);
        }
    }
    panic!("no line with {words:?} in the story:\n{}", told.join("\n"))
}

#[test]
fn a_vm_is_built_then_boots_then_answers() {
    let world = with_vms(1, seconds(3));
    assert_eq!(conditions(&world), [Condition::Building]);
    let server = &world.listing().servers[0];
    assert_eq!((server.mark.as_deref(), server.launched), (Some("scaler"), Launched::Never));
    assert!(server.fixed.is_empty(), "no address while it is built");

    let world = with_vms(1, seconds(5));
    assert_eq!(conditions(&world), [Condition::Active { task: None }]);
    assert_eq!(status(&world, 1), None, "its service takes longer");
    let server = &world.listing().servers[0];
    assert_eq!(server.launched, Launched::At(SystemTime::UNIX_EPOCH + seconds(4)));

    let world = with_vms(1, seconds(7));
    let answer = status(&world, 1).expect("its service is up");
    assert!(!answer.termination && answer.capacity > 0, "{answer:?}");
}

#[test]
fn the_fourth_build_fails_and_never_launches() {
    let mut world = with_vms(4, seconds(5));
    let failed = &world.listing().servers[3];
    assert_eq!((&failed.condition, failed.launched), (&Condition::Error, Launched::Never));
    world.delete(&failed.id);
    world.advance(seconds(8));
    assert!(world.server(&failed.id).is_none(), "a deleted server is gone after a moment");
}

#[test]
fn sessions_fill_the_oldest_vm_first() {
    let world = with_vms(3, seconds(12));
    let free = |number| status(&world, number).map(|status| status.capacity);
    assert!(free(1) < Some(4), "the first VM works: {:?}", free(1));
    assert_eq!(free(3), Some(4), "the last one is idle");
}

#[test]
fn the_first_vm_has_soon_done_its_share_and_is_finished() {
    let mut world = with_vms(3, seconds(7));
    wait_for(&mut world, "server-a-1 (vm-1) has done its share");
    assert_eq!(status(&world, 1), Some(Status { capacity: 0, termination: false }));
    wait_for(&mut world, "server-a-1 (vm-1) has ended its last session");
    assert_eq!(status(&world, 1), Some(Status { capacity: 0, termination: true }));
    assert!(world.now < seconds(45), "it took {:?}", world.now);
}

#[test]
fn a_service_dies_within_a_minute_and_it_is_the_holder_of_an_address() {
    let mut world = with_vms(3, seconds(8));
    world.create(&creation(4)).unwrap();
    world.advance(seconds(20));
    let address = world.external_addresses()[0].id.clone();
    world.bind(&address, &id(3), IpAddr::from([127, 77, 0, 3])).unwrap();
    let line = wait_for(&mut world, "dies");
    assert!(line.contains("(vm-3)"), "{line}");
    assert!(world.now < seconds(60), "it took {:?}", world.now);
    assert_eq!(status(&world, 3), None);
    assert_eq!(world.external_addresses()[0].holder, Some(id(3)), "the cloud moves nothing");
    wait_for(&mut world, "(vm-3) was started again");
    assert!(status(&world, 3).is_some());
}

#[test]
fn no_service_dies_while_there_are_few() {
    let mut world = with_vms(2, seconds(200));
    let story = world.take_story();
    assert!(!story.iter().any(|line| line.contains("dies")), "{story:#?}");
}

#[test]
fn an_idle_vm_goes_when_the_load_falls_and_never_below_the_minimum() {
    let mut world = with_vms(10, seconds(7));
    let mut leavers = 0;
    while world.now < seconds(240) {
        world.advance(world.now + Duration::from_millis(250));
        let story = world.take_story();
        leavers += story.iter().filter(|line| line.contains("is idle and not needed")).count();
        let free: u64 = (1..=10).filter_map(|vm| status(&world, vm)).map(|one| one.capacity).sum();
        if story.iter().any(|line| line.contains("is idle and not needed")) {
            assert!(free >= 6, "at {:?} only {free} are free: {story:#?}", world.now);
        }
    }
    assert!(leavers > 0, "nobody left in a whole day");
}

#[test]
fn the_story_does_not_depend_on_how_often_the_world_is_looked_at() {
    let mut seldom = with_vms(6, seconds(120));
    let mut often = world();
    often.create(&creation(6)).unwrap();
    for millis in (0..=120_000).step_by(30) {
        often.advance(Duration::from_millis(millis));
    }
    assert_eq!(seldom.take_story(), often.take_story());
    assert_eq!(seldom.listing(), often.listing());
}

#[test]
fn large_capacities_are_worked_with_as_well() {
    let mut world = world();
    world.rules.capacity = 1000;
    world.create(&creation(3)).unwrap();
    world.advance(seconds(12));
    let free = status(&world, 1).unwrap().capacity;
    assert!(free < 1000 && free.is_multiple_of(125), "{free} of 1000 are free");
}

#[test]
fn what_is_beyond_the_quota_is_not_made() {
    let mut world = world();
    world.create(&creation(100)).unwrap();
    assert_eq!(world.listing().servers.len(), QUOTA);
    assert_eq!(world.create(&creation(1)).unwrap_err().kind, ErrorKind::Quota);
}

#[test]
fn addresses_move_as_neutron_moves_them() {
    let mut world = with_vms(3, seconds(7));
    let addresses = world.external_addresses();
    let fixed = |number: u8| IpAddr::from([127, 77, 0, number]);
    let (first, second) = (&addresses[0].id, &addresses[1].id);
    world.bind(first, &id(1), fixed(1)).unwrap();
    world.bind(first, &id(2), fixed(2)).unwrap();
    assert_eq!(world.external_addresses()[0].holder, Some(id(2)));
    assert_eq!(world.listing().servers[1].floating, [addresses[0].address]);

    let kind = |result: Result<(), crate::error::Error>| result.unwrap_err().kind;
    assert_eq!(kind(world.bind(second, &id(2), fixed(2))), ErrorKind::Refused(409));
    assert_eq!(kind(world.bind(second, &id(3), fixed(2))), ErrorKind::Refused(400));
    assert_eq!(kind(world.bind(second, &id(9), fixed(9))), ErrorKind::Refused(404));

    world.delete(&id(2));
    world.advance(seconds(10));
    assert_eq!(world.external_addresses()[0].holder, None, "free once its holder is gone");
}
