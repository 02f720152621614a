//! A plan that was carried out leaves nothing to plan: apply it to the cloud, look again, decide again.

use crate::decide::tests::pictures::*;
use crate::decide::tests::world::{World, world};

/// Small, fast, and the same on every machine (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn vm(dice: &mut Dice, id: &str) -> Vm {
    let capacity = dice.roll(4);
    let vm = match dice.roll(16) {
        0..=4 => healthy(id, capacity),
        5 => silent(id),
        6 => finished(id),
        7 => building(id),
        8 => building(id).aged(OLD),
        9 => unbuilt(id),
        10 => healthy(id, capacity).in_error(),
        11 => stopped(id),
        12 => set_aside(id, "shelved_offloaded"),
        13 => deleting(id),
        14 => silent(id).nowhere(),
        _ => starting(id).with_task("rebooting"),
    };
    let vm = if dice.roll(10) == 0 { vm.locked() } else { vm };
    if dice.roll(10) == 0 { vm.floating("203.0.113.9") } else { vm }
}

fn picture(seed: u64) -> World {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut world = world([]);
    world.policy.capacity = 1 + dice.roll(3);
    world.policy.minimum = dice.roll(12);
    world.policy.max = (dice.roll(2) == 0).then(|| world.policy.minimum + dice.roll(6));
    world.policy.once = dice.roll(4) == 0;
    let ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let count = usize::try_from(dice.roll(9)).unwrap();
    for id in &ids[..count] {
        let vm = vm(&mut dice, id);
        world.put([vm]);
    }
    if dice.roll(3) > 0 {
        let holders = ["", "", "a", "b", "c", "elsewhere"];
        let mut holder = || holders[usize::try_from(dice.roll(6)).unwrap()];
        let addresses = [("192.0.2.1", holder()), ("192.0.2.2", holder()), ("192.0.2.3", holder())];
        world = world.with_addresses(&addresses);
    }
    world
}

/// What must be true of every plan, whatever the picture.
fn check_rules(world: &World, before: &World, seed: u64) {
    let total = before.vms.len() as u64 + world.plan.creation.as_ref().map_or(0, |one| one.count);
    if let (Some(max), true) = (world.policy.max, world.plan.creation.is_some()) {
        assert!(total <= max, "seed {seed}: {total} of at most {max}\n{}", world.plan);
    }
    for step in &world.plan.deletions {
        let vm = &before.vms[step.server.as_str()];
        let works = matches!(vm.answer, crate::model::Answer::Valid { termination: false, .. })
            && !vm.server.fixed.is_empty()
            && vm.server.launched.at().is_some();
        let going = step.reason == crate::plan::DeletionReason::Stuck;
        assert!(!works || going, "seed {seed}: a VM that works goes: {step}");
        assert!(!vm.server.locked, "seed {seed}: a locked VM goes: {step}");
    }
    for step in &world.plan.moves {
        let healthy = |id: &crate::model::ServerId| {
            let found = world.plan.replicas.iter().find(|replica| replica.id == *id);
            found.map(|replica| replica.state) == Some(crate::model::State::Healthy)
        };
        assert!(healthy(&step.to.server), "seed {seed}: {step}");
        assert!(!step.from.as_ref().is_some_and(healthy), "seed {seed}: {step}");
    }
}

#[test]
fn a_plan_that_was_carried_out_leaves_nothing_to_plan() {
    for seed in 1..=200 {
        let before = picture(seed);
        let mut world = picture(seed);
        world.pass();
        check_rules(&world, &before, seed);
        let first = world.plan.to_string();
        // What was created in the first pass is being built; nothing else has changed. A pause or a limit that cut the
        // first creation may still be over in the second pass, so what is being built has to suffice.
        let cut = world.plan.held_back.is_some();
        world.pass();
        let rest =
            (world.plan.moves.len(), world.plan.deletions.len(), world.plan.creation.is_some());
        assert_eq!(rest, (0, 0, cut && rest.2), "seed {seed}: first\n{first}then\n{}", world.plan);
    }
}

#[test]
fn the_same_picture_gives_the_same_plan() {
    for seed in 1..=50 {
        let (mut one, mut two) = (picture(seed), picture(seed));
        assert_eq!(one.pass().plan, two.pass().plan, "seed {seed}");
    }
}

#[test]
fn a_second_process_finds_nothing_to_do_either() {
    for seed in 1..=100 {
        let mut world = picture(seed);
        if world.policy.max.is_some() {
            continue;
        }
        world.pass().restart().pass();
        assert!(world.plan.is_empty(), "seed {seed}: a new process plans\n{}", world.plan);
    }
}

#[test]
fn the_worked_example_is_settled_after_one_pass() {
    let mut world = world([finished("a"), silent("b"), healthy("c", 1), building("d")]);
    world.policy.minimum = 6;
    world.policy.capacity = 3;
    world.pass().creates(1).deletes(&["a"]);
    world.plans("");
    world.boot(&["d", "n1"], 3).plans("");
}
