//! What the pool works for: sessions that come and go as a day does, a day being four minutes.

use std::time::Duration;

use crate::provider::simulated::vm::{Duty, Stage, Vm, counted};
use crate::provider::simulated::world::World;

/// How long one hour of the simulated day lasts.
const HOUR: Duration = Duration::from_secs(10);

/// The hour at which the world begins: the load is about to rise.
const FIRST_HOUR: u128 = 4;

/// Sessions at each full hour, in percent of the peak.
const PERCENT: [u64; 24] =
    [12, 9, 8, 8, 14, 26, 40, 55, 70, 82, 92, 98, 100, 98, 95, 92, 90, 85, 74, 60, 45, 32, 22, 16];

/// VMs' worth of sessions at the peak, as far as `REPLICA_MAX` lets the pool grow.
const PEAK_VMS: u64 = 5;

/// Seconds a session lasts.
const SESSION: (u64, u64) = (6, 16);

/// How long a VM that had work is idle before it may say that it is finished.
const IDLE_TIME: Duration = Duration::from_secs(6);

/// Hours between two lines about the load.
const HOURS_BETWEEN_LINES: u128 = 3;

impl World {
    fn sessions(&self) -> u64 {
        self.vms.values().map(Vm::running).sum()
    }

    /// Sessions that people want at this time of the day.
    fn demand(&self) -> u64 {
        let capacity = self.rules.capacity;
        let most = self.rules.max.map_or(u64::MAX, |max| max.saturating_mul(capacity));
        let peak = most.saturating_sub(self.rules.minimum).min(capacity.saturating_mul(PEAK_VMS));
        let peak = (peak / self.rules.weight()).max(1);
        peak.saturating_mul(percent(self.now)) / 100
    }

    /// One step of the sessions: some end, some begin, and VMs find that they are done.
    pub(super) fn work(&mut self) {
        let now = self.now;
        for vm in self.vms.values_mut() {
            vm.sessions.retain(|end| *end > now);
            if !vm.sessions.is_empty() {
                vm.worked = Some(now);
            }
        }
        if self.sessions() < self.demand() {
            self.begin_session();
        }
        let mut lines = Vec::new();
        for vm in self.vms.values_mut() {
            lines.extend(share_is_done(vm));
        }
        for line in lines {
            self.tell(line);
        }
        self.let_surplus_go();
    }

    /// On the oldest VM that has room: so the youngest are idle when the load falls.
    fn begin_session(&mut self) {
        let weight = self.rules.weight();
        let fits = |vm: &Vm| vm.accepts() && self.rules.room(vm) >= weight;
        let number = self.vms.iter().find(|(_, vm)| fits(vm)).map(|(number, _)| *number);
        let end = self.now + self.random.seconds(SESSION.0, SESSION.1);
        if let Some(vm) = number.and_then(|number| self.vms.get_mut(&number)) {
            vm.sessions.push(end);
            vm.sessions_left = vm.sessions_left.saturating_sub(1);
            vm.worked = Some(self.now);
            self.turned_away = false;
        } else if !self.turned_away && self.vms.values().any(Vm::accepts) {
            self.turned_away = true;
            self.tell("every replica is full: new sessions are turned away".into());
        }
    }

    /// A VM that had work and is idle leaves when the others have enough room without it; one at a time.
    fn let_surplus_go(&mut self) {
        let accepting = self.vms.values().filter(|vm| vm.accepts());
        let free = accepting.map(|vm| self.rules.room(vm)).fold(0, u64::saturating_add);
        if free < self.rules.minimum.saturating_add(self.rules.capacity) {
            return;
        }
        let now = self.now;
        let idle = |vm: &&mut Vm| {
            vm.accepts()
                && vm.sessions.is_empty()
                && vm.worked.is_some_and(|worked| now.saturating_sub(worked) >= IDLE_TIME)
        };
        if let Some(vm) = self.vms.values_mut().rev().find(idle) {
            vm.duty = Duty::Finished;
            let line = format!("{} is idle and not needed: it says it is finished", vm.label());
            self.tell(line);
        }
    }

    /// One line about the load every few hours; `step` is how far the world has just moved.
    pub(super) fn tell_the_hour(&mut self, step: Duration) {
        let line_every = HOUR.as_millis() * HOURS_BETWEEN_LINES;
        let time = time_of_day(self.now);
        if time % line_every >= step.as_millis() {
            return;
        }
        let hour = time / HOUR.as_millis();
        let sessions = self.vms.values().map(|vm| vm.sessions.len()).sum();
        let (sessions, serving) =
            (counted(sessions, "session"), counted(self.serving().len(), "replica"));
        self.tell(format!("it is {hour:02}:00: {sessions} on {serving}"));
    }
}

/// A VM that took all sessions of its share ends them, and then it is finished.
fn share_is_done(vm: &mut Vm) -> Option<String> {
    if vm.stage != Stage::Serving {
        return None;
    }
    if vm.duty == Duty::Accepting && vm.sessions_left == 0 {
        vm.duty = Duty::Draining;
        let (label, sessions) = (vm.label(), counted(vm.sessions.len(), "session"));
        return Some(format!("{label} has done its share: it ends its {sessions}, takes no more"));
    }
    if vm.duty == Duty::Draining && vm.sessions.is_empty() {
        vm.duty = Duty::Finished;
        return Some(format!("{} has ended its last session: it says it is finished", vm.label()));
    }
    None
}

/// Milliseconds since the last midnight of the simulated days.
fn time_of_day(now: Duration) -> u128 {
    (now.as_millis() + HOUR.as_millis() * FIRST_HOUR) % (HOUR.as_millis() * 24)
}

/// The load in percent of the peak, between the full hours on a straight line.
fn percent(now: Duration) -> u64 {
    let (time, hour) = (time_of_day(now), HOUR.as_millis());
    let at = |hour: u128| {
        let index = usize::try_from(hour % 24).unwrap_or(0);
        u128::from(PERCENT.get(index).copied().unwrap_or(0))
    };
    let (before, after, into) = (at(time / hour), at(time / hour + 1), time % hour);
    u64::try_from((before * (hour - into) + after * into) / hour).unwrap_or(0)
}
