//! The watch of one process: the program's own rule of who is lost, and a world that answers it. And what a watch could say
//! that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use simplescalevm::model::{Answer, Lost, ServerId, Watched};
use simplescalevm::pass::Report;
use simplescalevm::watch::{Holders, after_pass};

use crate::clock;
use crate::world::World;
use crate::world::vm::Vm;

/// More than any world here has addresses.
const AT_ONCE: usize = 100;

/// Questions in a row that must have failed.
const LOST_AFTER: u32 = 3;

/// Whom a watch names that says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Whoever holds an address.
    Holders,
    /// The whole pool.
    All,
    /// Some of the pool, other ones each time.
    Some(u8),
    /// Those that are silent, for once.
    Silent,
    /// The whole pool, at addresses that it does not have.
    Elsewhere,
}

/// Asks the holders of addresses between two passes.
pub struct Watch {
    holders: Holders,
    /// Questions of each that failed since it last answered anybody.
    failed: BTreeMap<ServerId, u32>,
    /// Those that began a pass and have not answered since.
    began: BTreeSet<ServerId>,
}

impl Watch {
    pub fn new(interval: Duration) -> Self {
        let holders = Holders::new(interval, AT_ONCE);
        Watch { holders, failed: BTreeMap::new(), began: BTreeSet::new() }
    }

    /// A pass that began then is over.
    pub fn pass_ended(&mut self, report: &Report, began: u64) {
        report.answered.iter().for_each(|id| self.answers(id));
        if let (Some(plan), Some(addresses)) = (&report.plan, &report.addresses) {
            let holders = after_pass(plan, report.outcome.as_ref(), addresses, &report.answered);
            // Who is one no more, as far as the list tells, begins anew.
            self.began.retain(|id| holders.iter().any(|holder| holder.id == *id));
            self.holders.pass_ended(holders, Duration::from_secs(began), now());
        }
    }

    /// The second in which it asks next.
    pub fn next(&self) -> Option<u64> {
        self.holders.next(now()).map(|at| at.as_secs())
    }

    fn answers(&mut self, id: &ServerId) {
        self.failed.remove(id);
        self.began.remove(id);
    }

    /// Asks who is due, and tells who is lost. An error says why that is wrong.
    pub fn look(&mut self, world: &World) -> Result<Watched, String> {
        for question in self.holders.due(now()) {
            let vm = world.vms.iter().find(|vm| vm.fixed == Some(question.address));
            let answer = vm.filter(|_| !world.weather.cut_off).map(Vm::answer);
            let answer = answer.unwrap_or_else(|| Answer::None { why: "nobody is there".into() });
            if matches!(answer, Answer::Valid { .. }) {
                self.answers(&question.id);
            } else {
                *self.failed.entry(question.id.clone()).or_default() += 1;
            }
            self.holders.ended(&question, &answer, now());
        }
        let lost = self.holders.take_lost(now());
        for id in lost.keys() {
            let failed = self.failed.get(id).copied().unwrap_or_default();
            if failed < LOST_AFTER {
                return Err(format!("{id} is lost after {failed} questions"));
            }
            if !self.began.insert(id.clone()) {
                return Err(format!(
                    "{id} begins another pass, and has not answered since its last"
                ));
            }
        }
        Ok(Watched { lost, ..self.tell() })
    }

    /// What a pass should know that the watch did not begin.
    pub fn tell(&self) -> Watched {
        let (pending, last_answers) = (BTreeSet::new(), self.holders.last_answers());
        Watched { lost: BTreeMap::new(), pending, last_answers }
    }
}

/// What a watch says that says anything, for the `turn`th time.
pub fn anything(world: &World, whom: Whom, turn: u8) -> Watched {
    let holds = |vm: &Vm| world.addresses.iter().any(|one| one.holder.as_ref() == Some(&vm.id));
    let bits = |mask: u8, place: usize| mask.rotate_left(turn.into()) >> (place % 8) & 1 == 1;
    let mut watched = Watched::default();
    for (place, vm) in world.pool().enumerate() {
        let Some(address) = vm.fixed else { continue };
        let is_lost = match whom {
            Whom::Holders => holds(vm),
            Whom::All | Whom::Elsewhere => true,
            Whom::Some(mask) => bits(mask, place),
            Whom::Silent => vm.body().is_none(),
        };
        if is_lost {
            let elsewhere = IpAddr::from([192, 0, 2, 1]);
            let address = if whom == Whom::Elsewhere { elsewhere } else { address };
            watched.lost.insert(vm.id.clone(), lost(&vm.id, address));
        } else if matches!(whom, Whom::Some(mask) if bits(mask, place + 3)) {
            watched.pending.insert(vm.id.clone());
        }
    }
    watched
}

fn lost(id: &ServerId, address: IpAddr) -> Lost {
    let (name, why) = (id.to_string(), "connection refused".to_owned());
    Lost { name, address, why, times: 3, within: Duration::from_secs(3) }
}

fn now() -> Duration {
    Duration::from_secs(clock::now())
}
