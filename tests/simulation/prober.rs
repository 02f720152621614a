//! The replicas' services as the program asks them; what they say is read by the program's own code.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use simplescalevm::model::{Answer, ServerId};
use simplescalevm::probe::{Ask, Target, read};
use simplescalevm::settings::ProbeSettings;

use crate::clock;
use crate::universe::Shared;
use crate::world::vm::Vm;
use crate::world::weather::Request;

/// Asks without a network.
pub struct Prober {
    pub universe: Shared,
    pub settings: ProbeSettings,
}

impl Ask for Prober {
    fn ask_all(&self, targets: &[Target], _: &dyn Fn() -> bool) -> BTreeMap<ServerId, Answer> {
        let answers = self.ask(targets, true);
        self.universe.borrow_mut().judge.all_answered();
        answers
    }

    fn ask_once(&self, targets: &[Target]) -> BTreeMap<ServerId, Answer> {
        let answers = self.ask(targets, false);
        let universe = &mut *self.universe.borrow_mut();
        universe.judge.asked_in_haste(&universe.watched);
        answers
    }
}

impl Prober {
    /// One question too few answers is silence only to whoever asks again: `silence_tells`.
    fn ask(&self, targets: &[Target], silence_tells: bool) -> BTreeMap<ServerId, Answer> {
        let universe = &mut *self.universe.borrow_mut();
        universe.begin(Request::Probe);
        clock::advance(universe.world.weather.probes);
        universe.world.settle();
        let mut answers = BTreeMap::new();
        let cut_off = universe.world.weather.cut_off;
        let crowded = universe.world.weather.crowded_until > clock::now();
        let places = universe.world.vms.iter().enumerate();
        let places: HashMap<IpAddr, usize> =
            places.filter_map(|(place, vm)| Some((vm.fixed?, place))).collect();
        for (number, target) in targets.iter().enumerate() {
            if crowded && number > 0 {
                universe.judge.answered(&target.id, &Answer::Unasked);
                answers.insert(target.id.clone(), Answer::Unasked);
                continue;
            }
            // Whoever has that address now: an address may have changed hands since the list was made.
            let place = places.get(&target.address).filter(|_| !cut_off);
            let vm = place.and_then(|place| universe.world.vms.get_mut(*place));
            let none = |why: &str| Answer::None { why: why.to_owned() };
            let truth = vm.as_deref().map_or_else(|| none("nobody is there"), Vm::answer);
            if silence_tells || !matches!(truth, Answer::None { .. }) {
                universe.judge.answered(&target.id, &truth);
            } else {
                universe.judge.did_not_answer_once(&target.id);
            }
            let body = vm.as_deref().and_then(Vm::body);
            if let Some(vm) = vm {
                vm.asked();
            }
            let answer = match body {
                None => none("connection refused"),
                Some(body) => match read(&self.settings, body.as_bytes()) {
                    Ok((capacity, termination)) => Answer::Valid { capacity, termination },
                    Err(why) => Answer::None { why },
                },
            };
            answers.insert(target.id.clone(), answer);
        }
        universe.end(Request::Probe);
        answers
    }
}
