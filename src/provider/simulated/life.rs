//! How VMs come and go by themselves: builds end, services start, die and are started again.

use std::time::Duration;

use crate::provider::simulated::vm::{Duty, Stage, Vm, counted};
use crate::provider::simulated::world::World;

/// Seconds between two deaths.
const DEATHS: (u64, u64) = (70, 110);

/// When fewer services than this accept sessions, none of them dies: the trial is not about an outage.
const ACCEPTING_MIN: usize = 3;
const DEATH_PUT_OFF: Duration = Duration::from_secs(5);

const SERVICE_START: Duration = Duration::from_secs(3);

/// A scaler that replaces silent replicas is faster; for one that does not, somebody starts the service again.
const DEAD_TIME: Duration = Duration::from_secs(60);

impl World {
    /// One step of every VM's life.
    pub(super) fn live(&mut self) {
        let now = self.now;
        let mut lines = Vec::new();
        for vm in self.vms.values_mut() {
            lines.extend(next_stage(vm, now));
        }
        self.vms.retain(|_, vm| !matches!(vm.stage, Stage::Deleting { until } if until <= now));
        for address in &mut self.addresses {
            let holder = address.holder.take();
            address.holder = holder.filter(|id| self.vms.values().any(|vm| vm.id == *id));
        }
        for line in lines {
            self.tell(line);
        }
        if now >= self.next_death {
            self.let_one_die();
        }
    }

    /// The service of the oldest holder of an external address, so that the address is seen to move.
    fn let_one_die(&mut self) {
        let accepting = self.vms.values().filter(|vm| vm.accepts()).count();
        if accepting < ACCEPTING_MIN {
            self.next_death = self.now + DEATH_PUT_OFF;
            return;
        }
        self.next_death = self.now + self.random.seconds(DEATHS.0, DEATHS.1);
        let (now, addresses) = (self.now, &self.addresses);
        let holds = |vm: &Vm| addresses.iter().any(|one| one.holder.as_ref() == Some(&vm.id));
        let accepting = || self.vms.iter().filter(|(_, vm)| vm.accepts());
        let holder = accepting().find(|(_, vm)| holds(vm)).or_else(|| accepting().next());
        let Some(number) = holder.map(|(number, _)| *number) else { return };
        let Some(vm) = self.vms.get_mut(&number) else { return };
        let lost = std::mem::take(&mut vm.sessions).len();
        vm.stage = Stage::Dead { until: now + DEAD_TIME };
        let lost = counted(lost, "session");
        let line = format!("the service of {} dies, and {lost} with it", vm.label());
        self.tell(line);
    }
}

/// Takes a VM to its next stage when it is time; what that looks like from outside.
fn next_stage(vm: &mut Vm, now: Duration) -> Option<String> {
    match vm.stage {
        Stage::Building { until, fails: true } if until <= now => {
            vm.stage = Stage::Error;
            vm.updated = now;
            Some(format!("the build of {} fails", vm.label()))
        }
        Stage::Building { until, fails: false } if until <= now => {
            vm.stage = Stage::Booting { until: now + SERVICE_START };
            vm.launched = Some(now);
            vm.updated = now;
            Some(format!("{} is built and boots", vm.label()))
        }
        Stage::Booting { until } if until <= now => {
            vm.stage = Stage::Serving;
            Some(format!("the service of {} is up", vm.label()))
        }
        Stage::Dead { until } if until <= now => {
            vm.stage = Stage::Serving;
            vm.duty = Duty::Accepting;
            Some(format!("the service of {} was started again", vm.label()))
        }
        _ => None,
    }
}
