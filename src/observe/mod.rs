//! Provider + probes → Observation. Collects, decides nothing; what could not be had is named.

mod again;
pub mod early;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

pub use again::complete;

use crate::decide::kind::{Kind, is_booting, kind};
use crate::decide::mark;
use crate::decide::{Addresses, Lookup, Observation, batch, now};
use crate::error::{Error, ErrorKind, Result};
use crate::memory::{ClockMemory, Memory};
use crate::metrics::{Metrics, Phase};
use crate::model::{Answer, ExternalAddress, Server, ServerId, Watched};
use crate::plan::Note;
use crate::probe::{Ask, Target};
use crate::provider::Provider;
use crate::settings::{Mark, Policy};

/// What was seen, and what could not be.
pub struct Sight {
    /// What `decide` goes by.
    pub observation: Observation,
    /// What failed without failing the pass as a whole.
    pub faults: Vec<Error>,
    /// What people should know, and no decision needs.
    pub notes: Vec<Note>,
    /// What to remember of the cloud's clock.
    pub clock: Option<ClockMemory>,
    /// Whether Nova looks for a host for any server of the project: until it has one, lists may leave servers out.
    pub scheduling: bool,
    /// Servers of the project outside the pool.
    pub outside: BTreeSet<ServerId>,
}

/// What is known of the pool when a pass begins.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    /// What the last passes saw.
    pub memory: &'a Memory,
    /// What the watch saw since.
    pub watched: &'a Watched,
}

/// When a pass looks at the world, on the monotonic clock.
pub struct PassClock<'a> {
    /// When the pass began, since the program started.
    pub began: Duration,
    /// The same by this machine's clock: for a cloud that does not tell its time.
    pub wall: SystemTime,
    /// How long the pass has been going on.
    pub spent: &'a dyn Fn() -> Duration,
    /// Who is told how long each phase took.
    pub metrics: &'a Metrics,
}

impl PassClock<'_> {
    /// Does `work`, and tells how long it took.
    pub fn timed<T>(&self, phase: Phase, work: impl FnOnce() -> T) -> T {
        let began = (self.spent)();
        let result = work();
        self.metrics.phase(phase, (self.spent)().saturating_sub(began));
        result
    }
}

/// Looks at everything once. `chosen` is the mark an earlier pass settled for; it is settled here when it is `None`.
pub fn observe(
    policy: &Policy,
    provider: &mut dyn Provider,
    prober: &dyn Ask,
    before: Before<'_>,
    setting: &Mark,
    chosen: &mut Option<String>,
    clock: &PassClock<'_>,
) -> Result<Sight> {
    let memory = before.memory;
    let mut sight =
        clock.timed(Phase::List, || list(policy, provider, before, setting, chosen, clock))?;
    let observation = &mut sight.observation;
    let targets = targets(policy, memory, observation);
    clock.timed(Phase::Probe, || {
        if before.watched.is_early() {
            early::ask(prober, &targets, before, observation);
        } else {
            let time_left = || (clock.spent)() < policy.interval / 2;
            observation.answers = prober.ask_all(&targets, &time_left);
        }
    });
    if policy.manage_addresses {
        // After the probes: who holds what now, not half a minute ago.
        let addresses = clock.timed(Phase::Addresses, || provider.external_addresses());
        sight.observation.addresses = match addresses {
            Ok(addresses) => {
                look_up_holders(provider, &addresses, memory, &mut sight);
                Addresses::Known(addresses)
            }
            Err(error) => {
                let error = error.context("cannot list the floating IPs, so they are left alone");
                sight.faults.push(error);
                Addresses::Unknown
            }
        };
    }
    Ok(sight)
}

/// Who is not asked stays what it was, which is no way to go on for long. When the program is ending nobody is asked any
/// more, and this means nothing.
pub fn unasked(observation: &Observation) -> Option<Error> {
    let answers = observation.answers.values();
    let count = answers.filter(|answer| **answer == Answer::Unasked).count();
    let text = format!(
        "cannot ask {count} of {} replicas, which keep their last state: this machine is short of file descriptors or \
         memory",
        observation.answers.len()
    );
    (count > 0).then(|| Error::new(ErrorKind::Unavailable, text))
}

/// The pool as the cloud lists it; nobody was asked yet.
fn list(
    policy: &Policy,
    provider: &mut dyn Provider,
    before: Before<'_>,
    setting: &Mark,
    chosen: &mut Option<String>,
    clock: &PassClock<'_>,
) -> Result<Sight> {
    let memory = before.memory;
    let listing = provider.servers().map_err(|error| error.context("cannot list the servers"))?;
    let pool = match chosen {
        Some(mark) => mark.clone(),
        None => chosen.insert(settle_mark(setting, &listing.servers, policy.once)?).clone(),
    };
    let scheduling = listing.servers.iter().any(|server| server.scheduling);
    let outside = listing.servers.iter().filter(|server| server.mark.as_deref() != Some(&pool));
    let outside = outside.map(|server| server.id.clone()).collect();
    let mut servers = of_pool(listing.servers, &pool);
    share_ids(&mut servers, memory);
    let now =
        now::now(listing.now, clock.began, clock.wall, policy.interval, memory.clock.as_ref());

    let mut faults = Vec::new();
    let network = match provider.network_name() {
        Ok(name) => Some(name),
        Err(error) => {
            faults.push(error);
            None
        }
    };
    let observation = Observation {
        elapsed: clock.began,
        early: before.watched.is_early(),
        now: now.now,
        clock_told: listing.now.is_some(),
        incomplete: None,
        servers,
        answers: BTreeMap::new(),
        unconfirmed: BTreeMap::new(),
        network,
        addresses: Addresses::NotManaged,
        gone: BTreeSet::new(),
        lookups: BTreeMap::new(),
    };
    let notes = now.note.into_iter().collect();
    let mut sight = Sight { observation, faults, notes, clock: now.memory, scheduling, outside };
    look_up_batches(provider, memory, &pool, &mut sight);
    Ok(sight)
}

fn of_pool(servers: Vec<Server>, mark: &str) -> Vec<Server> {
    servers.into_iter().filter(|server| server.mark.as_deref() == Some(mark)).collect()
}

/// A replica that is known goes by the id it is known by, so that one text serves all passes.
fn share_ids(servers: &mut [Server], memory: &Memory) {
    for server in servers {
        if let Some((known, _)) = memory.replicas.get_key_value(&server.id) {
            server.id.clone_from(known);
        }
    }
}

/// What became of the first servers of batches that the list does not show.
fn look_up_batches(provider: &mut dyn Provider, memory: &Memory, pool: &str, sight: &mut Sight) {
    for (mark, first) in batch::to_look_up(memory, &sight.observation.servers) {
        let lookup = match provider.server(&first) {
            Ok(server) => batch::lookup(server.as_ref(), pool),
            Err(error) => {
                let what = format!("cannot look up server {first} of batch {mark}");
                sight.faults.push(error.context(what));
                Lookup::Unknown
            }
        };
        sight.observation.lookups.insert(mark, lookup);
    }
}

/// Which holders of addresses are servers no more. Those that the last passes knew may only be missing from this list.
fn look_up_holders(
    provider: &mut dyn Provider,
    addresses: &[ExternalAddress],
    memory: &Memory,
    sight: &mut Sight,
) {
    for address in addresses.iter().filter(|address| address.on_server_port) {
        let Some(holder) = &address.holder else { continue };
        let listed = sight.observation.servers.iter().any(|server| server.id == *holder);
        if listed || sight.outside.contains(holder) || memory.replicas.contains_key(holder) {
            continue;
        }
        match provider.server(holder) {
            Ok(None) => drop(sight.observation.gone.insert(holder.clone())),
            Ok(Some(_)) => {}
            Err(error) => {
                let what =
                    format!("cannot look up server {holder}, which holds {}", address.address);
                sight.faults.push(error.context(what));
            }
        }
    }
}

/// Every replica that should be asked in this pass.
pub fn targets(policy: &Policy, memory: &Memory, seen: &Observation) -> Vec<Target> {
    let asked = |server: &Server| match kind(policy, seen.network.as_deref(), seen.now, server) {
        Kind::Running { address: Some(address), .. } => Some(Target {
            id: server.id.clone(),
            address,
            again: !is_booting(policy, memory.replicas.get(&server.id), seen.now, server),
        }),
        _ => None,
    };
    seen.servers.iter().filter_map(asked).collect()
}

/// With `--once` each run settles it anew, and a mail a minute would say the same.
fn settle_mark(setting: &Mark, servers: &[Server], once: bool) -> Result<String> {
    let (mark, warning) = mark::settle(setting, servers)?;
    if let Some(warning) = warning {
        let level = if once { log::Level::Debug } else { log::Level::Warn };
        log::log!(level, "{warning}");
    }
    Ok(mark)
}
