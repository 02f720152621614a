//! This program: its own passes, in the simulation's world.

use std::collections::HashMap;

use simplescalevm::model::ServerId;

use crate::clock;
use crate::fleet::{Boot, Fleet, Scaler};
use crate::stage::{Stage, settings};
use crate::world::World;
use crate::world::vm::Phase;
use crate::{CAPACITY, INTERVAL};

/// With every setting at its default but for capacity and minimum.
pub struct Program {
    stage: Stage,
    /// The numbers of those that are in the fleet.
    numbers: HashMap<ServerId, usize>,
}

impl Program {
    pub fn new(minimum: u64, boot: Boot) -> Self {
        let (capacity, minimum) = (CAPACITY.to_string(), minimum.to_string());
        let set =
            [("REPLICA_CAPACITY", &*capacity), ("REPLICA_MIN_AVAILABLE_RESOURCES", &*minimum)];
        let policy = settings(&set, false).policy;
        assert_eq!(policy.interval.as_secs(), INTERVAL, "it looks as often as Python's");
        let stage = Stage::new(policy, 0, 0, false);
        {
            let weather = &mut stage.universe.borrow_mut().world.weather;
            (weather.build, weather.boot, weather.probes) = (boot.build, boot.start, 0);
        }
        Program { stage, numbers: HashMap::new() }
    }

    /// What replicas will say in this pass.
    fn tell(&self, world: &mut World, fleet: &Fleet) {
        clock::advance_to(clock::BEGINNING + fleet.now);
        world.settle();
        for vm in &mut world.vms {
            if let Some(number) = self.numbers.get(&vm.id) {
                vm.service.free = fleet.room(*number);
                vm.service.finished = fleet.is_finished(*number);
                assert_eq!(
                    vm.body().is_some(),
                    fleet.answers(*number),
                    "{} boots as others",
                    vm.id
                );
            }
        }
    }

    /// What the pass did.
    fn hear(&mut self, world: &World, fleet: &mut Fleet) {
        for vm in world.pool() {
            if let Some(number) = self.numbers.get(&vm.id) {
                if matches!(vm.phase, Phase::Deleting { .. }) {
                    fleet.delete(*number);
                    self.numbers.remove(&vm.id);
                }
            } else if vm.created == clock::now() {
                self.numbers.insert(vm.id.clone(), fleet.create());
            }
        }
    }
}

impl Scaler for Program {
    fn act(&mut self, fleet: &mut Fleet) {
        if !fleet.now.is_multiple_of(INTERVAL) {
            return;
        }
        let universe = self.stage.universe.clone();
        self.tell(&mut universe.borrow_mut().world, fleet);
        self.stage.pass().expect("it lives through the pass");
        let universe = universe.borrow();
        assert_eq!(clock::now(), clock::BEGINNING + fleet.now, "a pass takes no time");
        assert!(universe.judge.broken.is_empty(), "{}", universe.judge.broken.join("\n"));
        self.hear(&universe.world, fleet);
    }
}
