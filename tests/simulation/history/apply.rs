//! What an event does to the world. Passes, restarts and pauses are the program's, see `run`.

use std::net::{IpAddr, Ipv4Addr};

use simplescalevm::model::ServerId;

use super::Event;
use crate::clock;
use crate::universe::Universe;
use crate::world::vm::{Phase, Vm};
use crate::world::{MARK, World};

/// Seconds from one pass to the next.
const INTERVAL: u64 = 60;

/// Lets it happen.
pub fn apply(universe: &mut Universe, event: Event) {
    universe.world.settle();
    if let Event::Ends(end) = event {
        universe.end = Some(end);
        return;
    }
    if let Event::Meanwhile(meanwhile) = event {
        universe.meanwhile = Some(meanwhile);
        return;
    }
    let world = &mut universe.world;
    if !(on_replica(world, event) || by_operator(world, event)) {
        on_weather(world, event);
    }
}

fn on_replica(world: &mut World, event: Event) -> bool {
    match event {
        Event::Load { vm, free } => on(world, vm, |vm| vm.service.free = free.into()),
        Event::AllBusy => on_all(world, |vm| vm.service.free = 0),
        Event::Finishes { vm } => on(world, vm, |vm| vm.service.finished = true),
        Event::GoesSilent { vm } => on(world, vm, |vm| vm.service.silent = true),
        Event::AllGoSilent => on_all(world, |vm| vm.service.silent = true),
        Event::AllAnswer => on_all(world, Vm::repair),
        Event::Lies { vm, lie } => on(world, vm, |vm| vm.service.lie = Some(lie)),
        Event::TurnsToError { vm, serves } => on(world, vm, |vm| turn_to_error(vm, serves)),
        Event::MostTurnToError => on_all_but_one(world, |vm| turn_to_error(vm, false)),
        Event::Vanishes { vm } => {
            if let Some(id) = pick(world, vm) {
                world.vms.retain(|vm| vm.id != id);
            }
        }
        Event::Unlisted { vm, passes } => on(world, vm, |vm| vm.unlisted_until = after(passes)),
        Event::MostUnlisted { passes } => {
            on_all_but_one(world, |vm| vm.unlisted_until = after(passes));
        }
        Event::Task { vm, passes, serves } => on(world, vm, |vm| {
            if vm.phase == Phase::Active {
                vm.becomes(Phase::Busy { until: after(passes), serves });
            }
        }),
        Event::LosesPort { vm } => on(world, vm, |vm| vm.fixed = None),
        _ => return false,
    }
    true
}

fn by_operator(world: &mut World, event: Event) -> bool {
    match event {
        Event::Stopped { vm } => on(world, vm, |vm| set_aside(vm, Phase::Stopped)),
        Event::Shelved { vm } => on(world, vm, |vm| set_aside(vm, Phase::Aside("shelved"))),
        Event::SoftDeleted { vm } => on(world, vm, |vm| set_aside(vm, Phase::SoftDeleted)),
        Event::Deleted { vm } => {
            let until = world.weather.deletion.map(|time| clock::now() + time);
            on(world, vm, |vm| vm.becomes(Phase::Deleting { until }));
        }
        Event::StartedAgain { vm } => on(world, vm, start_again),
        Event::Locked { vm } => on(world, vm, |vm| vm.locked = true),
        Event::Unlocked { vm } => on(world, vm, |vm| vm.locked = false),
        Event::Added => {
            world.add_running(Some(MARK.to_owned()));
        }
        Event::ForeignAddress { vm } => on(world, vm, |vm| {
            vm.foreign = Some(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)));
        }),
        Event::Bound { address, to } => bind(world, address, to),
        _ => return false,
    }
    true
}

fn on_weather(world: &mut World, event: Event) {
    let existing = u64::try_from(world.vms.len()).unwrap_or(u64::MAX);
    let weather = &mut world.weather;
    match event {
        Event::Builds(fate) => weather.fate = fate,
        Event::BuildTimes { build, boot } => {
            (weather.build, weather.boot) = (build.into(), boot.into());
        }
        Event::Quota(more) => weather.quota = more.map(|more| existing + u64::from(more)),
        Event::Room(more) => weather.room = more.map(|more| existing + u64::from(more)),
        Event::Deletions(time) => weather.deletion = time.map(u64::from),
        Event::Router { works } => weather.no_router = !works,
        Event::ListsLate { passes } => weather.late = INTERVAL * u64::from(passes),
        Event::ListFreezes { passes } => {
            let shown = world.weather.frozen.take().map(|(_, shown)| shown);
            let shown = shown.unwrap_or_else(|| world.records());
            world.weather.frozen = Some((after(passes), shown));
        }
        Event::Fault { request, fault, times } => weather.faults.push((request, fault, times)),
        Event::Crowded { passes } => weather.crowded_until = after(passes),
        Event::SlowProbes { seconds } => weather.probes = seconds.into(),
        Event::OwnNetwork { works } => weather.cut_off = !works,
        Event::HidesLaunches(hides) => weather.hides_launches = hides,
        Event::NoDate(none) => weather.no_date = none,
        Event::WrongDates(wrong) => weather.wrong_dates = wrong,
        Event::PortsOutlive(outlive) => weather.ports_outlive = outlive,
        Event::DropsMarks(drops) => weather.drops_marks = drops,
        Event::PageLimit { more, schedules } => {
            weather.page_limit = more.map(|more| existing + u64::from(more));
            weather.schedules = schedules.into();
        }
        _ => {}
    }
}

/// A moment after so many passes and before the next one.
fn after(passes: u8) -> u64 {
    clock::now() + INTERVAL * u64::from(passes) - INTERVAL / 2
}

fn pick(world: &World, number: u8) -> Option<ServerId> {
    let pool: Vec<&Vm> = world.pool().collect();
    let vm = pool.get(usize::from(number) % pool.len().max(1))?;
    Some(vm.id.clone())
}

fn on(world: &mut World, number: u8, change: impl FnOnce(&mut Vm)) {
    if let Some(id) = pick(world, number)
        && let Some(vm) = world.vm_mut(&id)
    {
        change(vm);
    }
}

fn on_all(world: &mut World, change: impl Fn(&mut Vm)) {
    world.vms.iter_mut().filter(|vm| vm.mark.as_deref() == Some(MARK)).for_each(change);
}

fn on_all_but_one(world: &mut World, change: impl Fn(&mut Vm)) {
    world.vms.iter_mut().filter(|vm| vm.mark.as_deref() == Some(MARK)).skip(1).for_each(change);
}

fn turn_to_error(vm: &mut Vm, serves: bool) {
    if matches!(vm.phase, Phase::Active | Phase::Busy { .. }) {
        vm.becomes(Phase::Error);
        vm.service.silent |= !serves;
    }
}

fn set_aside(vm: &mut Vm, phase: Phase) {
    if matches!(vm.phase, Phase::Active | Phase::Error | Phase::Stopped) {
        vm.becomes(phase);
    }
}

fn start_again(vm: &mut Vm) {
    if matches!(vm.phase, Phase::Stopped | Phase::Aside(_) | Phase::SoftDeleted)
        && vm.launched.is_some()
    {
        vm.becomes(Phase::Active);
        vm.service.ready = vm.service.ready.map(|_| clock::now() + 60);
    }
}

/// Never a second one where one is: Neutron refuses that.
fn bind(world: &mut World, address: u8, to: Option<u8>) {
    let count = world.addresses.len().max(1);
    // Every fourth number is a VM outside the pool.
    let to = to.and_then(|to| match to % 4 {
        0 => world.vms.iter().find(|vm| vm.mark.as_deref() != Some(MARK)).map(|vm| vm.id.clone()),
        _ => pick(world, to),
    });
    let taken = to.as_ref().is_some_and(|to| {
        world.addresses.iter().any(|address| address.holder.as_ref() == Some(to))
    });
    if let Some(address) = world.addresses.get_mut(usize::from(address) % count).filter(|_| !taken)
    {
        world.orphans.remove(&address.id);
        address.holder = to;
    }
}
