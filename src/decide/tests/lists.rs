//! What a pass makes of a list that leaves servers out while Nova schedules.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::decide::Observation;
use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{World, world};
use crate::memory::{BatchMemory, Intervals};
use crate::metrics::Metrics;
use crate::model::ServerId;
use crate::observe::{Before, PassClock, Sight, complete, observe};
use crate::settings::Mark;

fn scheduling(id: &str) -> Vm {
    let mut vm = building(id);
    vm.server.scheduling = true;
    vm
}

/// Somebody else's VM that is being scheduled.
fn strangers() -> Vm {
    let mut vm = scheduling("stranger");
    vm.server.mark = None;
    vm
}

/// So many healthy replicas, seen in an earlier pass, and one VM that somebody else makes just now.
fn pool(count: usize) -> World {
    let mut world = world((0..count).map(|number| healthy(&format!("r{number:02}"), 1)));
    world.pass().put([strangers()]);
    world
}

fn ids(ids: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    ids.into_iter().map(|number| format!("r{number:02}")).collect()
}

fn look(world: &mut World) -> Sight {
    let (policy, memory, prober) = (world.policy.clone(), world.memory.clone(), world.answers());
    let setting = Mark { key: "group".into(), value: Some("scaler".into()) };
    let spent = || Duration::ZERO;
    let clock = PassClock {
        began: Duration::from_secs(world.elapsed),
        wall: start(),
        spent: &spent,
        metrics: &Metrics::default(),
    };
    let mark = &mut Some("scaler".to_owned());
    let before = Before { memory: &memory, watched: &world.watched.clone() };
    observe(&policy, world, &prober, before, &setting, mark, &clock).unwrap()
}

fn look_twice(world: &mut World) -> Observation {
    let mut sight = look(world);
    assert!(sight.scheduling);
    let memory = world.memory.clone();
    complete(world, &memory, "scaler", &mut sight);
    sight.observation
}

#[track_caller]
fn check(seen: &Observation, count: usize, incomplete: Option<&str>) {
    assert_eq!(seen.servers.len(), count);
    let why = incomplete.map(|why| format!("while Nova schedules, {why}"));
    assert_eq!(seen.incomplete, why);
}

#[test]
fn replicas_that_neither_list_shows_are_looked_up() {
    let mut world = pool(30);
    world.unlisted = ids(0..20);
    check(&look_twice(&mut world), 30, None);
    world.take(&["r03"]);
    check(&look_twice(&mut world), 29, None);
    world.vms.get_mut("r04").unwrap().server.mark = None;
    check(&look_twice(&mut world), 28, None);
}

#[test]
fn too_many_to_look_up_leave_the_list_incomplete() {
    let mut world = pool(30);
    world.unlisted = ids(0..21);
    check(&look_twice(&mut world), 9, Some("21 replicas of the last pass are not in it"));
}

#[test]
fn two_lists_that_differ_leave_it_incomplete_and_count_together() {
    let mut world = pool(5);
    world.next_unlisted = [ids([0, 1]), ids([1, 2, 3])].into();
    check(&look_twice(&mut world), 4, Some("two reads differ by 3 replicas"));
}

#[test]
fn one_that_cannot_be_looked_up_leaves_it_incomplete() {
    let mut world = pool(5);
    world.unlisted = ids([0, 1]);
    world.look_fails.insert("r00".into());
    check(&look_twice(&mut world), 4, Some("1 replicas could not be looked up"));
}

#[test]
fn what_we_deleted_is_no_surprise() {
    let mut world = pool(2);
    world.put((0..30).map(|number| finished(&format!("f{number:02}")))).pass();
    assert_eq!(world.outcome.deleted.len(), 30);
    check(&look_twice(&mut world), 2, None);
}

/// A batch of `asked` whose first VM is `n1`, made in the last pass.
fn with_batch(world: &mut World, asked: u64) {
    let first = Some(ServerId::new("n1"));
    let passes = Intervals::from(Duration::ZERO);
    let batch = BatchMemory { mark: "b".into(), asked, first, trial: false, passes, listed: None };
    world.memory.batches.push(batch);
}

#[test]
fn a_batch_that_is_listed_in_part_is_looked_up_by_its_first() {
    let mut world = pool(2);
    with_batch(&mut world, 3);
    world.put(["n1", "n2", "n3"].map(|id| scheduling(id).of_batch("b")));
    world.unlisted = ["n1", "n3"].map(str::to_owned).into();
    let seen = look_twice(&mut world);
    check(&seen, 4, None);
    let first = seen.servers.last().unwrap();
    assert!(first.id.as_str() == "n1" && first.scheduling, "n3 may be left out, too: {first:?}");
}
