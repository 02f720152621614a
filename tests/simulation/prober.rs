//! The replicas' services as the program asks them; what they say is read by the program's own code.

use std::collections::BTreeMap;

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
        let universe = &mut *self.universe.borrow_mut();
        universe.begin(Request::Probe);
        clock::advance(universe.world.weather.probes);
        universe.world.settle();
        let mut answers = BTreeMap::new();
        let crowded = universe.world.weather.crowded_until > clock::now();
        for (number, target) in targets.iter().enumerate() {
            if crowded && number > 0 {
                universe.judge.answered(&target.id, &Answer::Unasked);
                answers.insert(target.id.clone(), Answer::Unasked);
                continue;
            }
            // Whoever has that address now: an address may have changed hands since the list was made.
            let vm = universe.world.vms.iter().find(|vm| vm.fixed == Some(target.address));
            let none = |why: &str| Answer::None { why: why.to_owned() };
            let truth = vm.map_or_else(|| none("nobody is there"), Vm::answer);
            universe.judge.answered(&target.id, &truth);
            let answer = match vm.and_then(Vm::body) {
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
