//! What can happen next, and what must hold always.

use simplescalevm::lease::candidate::{Request, Role, Rules};
use stateright::{Model, Property};

use crate::store::Store;
use crate::world::{Stop, World};

/// After the last fault somebody has to act, and to create, within this many ticks.
const CALM: u64 = 30;

/// As long as all goes well, what happens is the same again after so many ticks.
const PERIOD: u64 = 2;

/// Far more than a scaler has to ask in one tick.
const BUSY: usize = 40;

/// The protocol under these bounds.
pub struct Protocol {
    /// What all scalers have in common.
    pub rules: Rules,
    /// Seconds that each scaler's clocks count in a tick.
    pub clocks: Vec<u64>,
    /// As it is in the beginning.
    pub store: Store,
    /// A creation takes effect within this many ticks.
    pub longest: u64,
    /// The whole length, in ticks.
    pub horizon: u64,
    /// Whether the first scaler acts and the others stand by when it begins; else all of them start.
    pub established: bool,
    /// How much may go wrong.
    pub faults: u8,
    /// Whether somebody may delete all records by hand.
    pub wipes: bool,
    /// How many epochs there may be.
    pub epochs: u32,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A tick of time: when all that is due is done.
    Tick,
    /// A scaler sends what is due, it takes effect, and the answer is there. What kept it from that is over.
    Turn(usize),
    /// A scaler does not send what is due.
    Pause(usize),
    /// A scaler's machine falls asleep.
    Suspend(usize),
    /// A scaler sends what is due, and it does not arrive yet.
    Delay(usize),
    /// It does, and the answer is there.
    Arrive(usize),
    /// A scaler sends what is due, it takes effect, and the answer is not there yet.
    DelayAnswer(usize),
    /// It is.
    Answer(usize),
    /// A scaler waits no longer for what was delayed.
    GiveUp(usize),
    /// What nobody waits for takes effect.
    Late(usize),
    /// A scaler is killed and started again.
    Kill(usize),
    /// A scaler ends in order, hands over, and is started again.
    End(usize, Request),
    /// Somebody deletes all records by hand.
    Wipe,
}

impl Protocol {
    /// What a scaler may do instead of its next step. Before that nothing tells whether it still could.
    fn faults(world: &World, index: usize, steps: &mut Vec<Step>) {
        let scaler = &world.scalers[index];
        if scaler.asked.is_some() {
            steps.push(Step::Kill(index));
            return;
        }
        steps.extend([Step::Delay(index), Step::DelayAnswer(index)]);
        if scaler.stop.is_some() {
            return;
        }
        steps.extend([Step::Pause(index), Step::Kill(index)]);
        if !matches!(scaler.candidate.role(), Role::Standby(_)) {
            steps.push(Step::Suspend(index));
        }
        let release = scaler.candidate.hand_over(scaler.moment(world.now).elapsed);
        steps.extend(release.map(|release| Step::End(index, release)));
    }

    /// All goes well from here: whether somebody acts and creates before long.
    fn recovers(&self, world: &World) -> bool {
        let mut world = world.clone();
        for index in 0..world.scalers.len() {
            world.scalers[index].stop = None;
            world.give_up(index);
        }
        while !world.late.is_empty() {
            world.take_effect(0);
        }
        for _ in 0..CALM {
            let mut turns = 0;
            while let Some(due) = world.scalers.iter().position(|one| one.is_due(world.now)) {
                world.turn(due);
                turns += 1;
                if turns > BUSY {
                    return false;
                }
            }
            world.judge(self.longest);
            if world.scalers.iter().any(|scaler| scaler.creates) {
                return true;
            }
            world.tick();
        }
        false
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let mut world = World::new(self.rules, &self.clocks, self.store.clone(), self.faults);
        if self.established {
            for index in 0..world.scalers.len() {
                while world.scalers[index].is_due(world.now) {
                    world.turn(index);
                }
            }
            world.judge(self.longest);
        }
        vec![world]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        let mut is_busy = false;
        for (index, scaler) in world.scalers.iter().enumerate() {
            let is_due = scaler.is_due(world.now);
            is_busy |= is_due && scaler.stop.is_none();
            if is_due {
                steps.push(Step::Turn(index));
            }
            if let Some(asked) = &scaler.asked {
                let next = if asked.answer.is_some() { Step::Answer } else { Step::Arrive };
                steps.extend([next(index), Step::GiveUp(index)]);
            }
            if world.faults > 0 && (is_due || scaler.asked.is_some()) {
                Self::faults(world, index, steps);
            }
        }
        if self.wipes && world.faults > 0 && !world.store.is_empty() {
            steps.push(Step::Wipe);
        }
        steps.extend((0..world.late.len()).map(Step::Late));
        let is_over = if self.established && world.faults == self.faults {
            // From here all would be the same again.
            PERIOD
        } else {
            self.horizon
        };
        if !is_busy && world.now < is_over {
            steps.push(Step::Tick);
        }
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut world = world.clone();
        match step {
            Step::Tick => world.tick(),
            Step::Turn(index) => world.turn(index),
            Step::Pause(index) => world.scalers[index].stop = Some(Stop::Paused),
            Step::Suspend(index) => world.scalers[index].stop = Some(Stop::Suspended),
            Step::Delay(index) => world.send(index),
            Step::DelayAnswer(index) => {
                world.send(index);
                world.arrive(index);
            }
            Step::Arrive(index) => {
                world.arrive(index);
                world.answer(index);
            }
            Step::Answer(index) => world.answer(index),
            Step::GiveUp(index) => world.give_up(index),
            Step::Late(index) => world.take_effect(index),
            Step::Kill(index) => world.start(index, self.rules),
            Step::End(index, release) => world.end(index, release, self.rules),
            Step::Wipe => world.store.wipe(),
        }
        if step.is_fault() {
            world.faults -= 1;
        }
        world.tidy();
        world.judge(self.longest);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one acts", |_, world: &World| world.acting() <= 1),
            Property::always("creations do not mix", |_, world: &World| !world.creations_mix()),
            // An earlier end of the faults is the same as none until the horizon.
            Property::always("somebody acts again", |protocol: &Self, world: &World| {
                let is_start = world.now == 0 && world.faults == protocol.faults;
                (!is_start && world.now < protocol.horizon) || protocol.recovers(world)
            }),
        ]
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.store.epochs() <= self.epochs
    }
}

impl Step {
    fn is_fault(self) -> bool {
        match self {
            Step::Pause(_)
            | Step::Suspend(_)
            | Step::Delay(_)
            | Step::DelayAnswer(_)
            | Step::Kill(_)
            | Step::End(..)
            | Step::Wipe => true,
            Step::Tick
            | Step::Turn(_)
            | Step::Arrive(_)
            | Step::Answer(_)
            | Step::GiveUp(_)
            | Step::Late(_) => false,
        }
    }
}
