//! Who carries which external address.

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::learn::REFUSED_INTERVALS;
use crate::decide::state::Judged;
use crate::decide::{Addresses, Observation};
use crate::memory::{Memory, SilenceBrake};
use crate::model::{AddressId, ExternalAddress, ServerId, State};
use crate::plan::{Candidate, Deletion, Loudness, Move, Note, Plan};

/// Adds the address moves to the plan, and the replicas that may step in when the cloud refuses one.
pub fn assign(
    seen: &Observation,
    memory: &Memory,
    judged: &[Judged<'_>],
    silence: Option<&SilenceBrake>,
    plan: &mut Plan,
) {
    let Addresses::Known(addresses) = &seen.addresses else { return };
    let mut addresses: Vec<&ExternalAddress> = addresses.iter().collect();
    addresses.sort_by(|a, b| (a.address, &a.id).cmp(&(b.address, &b.id)));
    plan.refused = refused(memory);

    let pool: BTreeMap<&ServerId, &Judged<'_>> =
        judged.iter().map(|one| (&one.replica.id, one)).collect();
    let mut spares = candidates(&addresses, judged);
    for address in &addresses {
        let Some(why) = reason_to_move(address, &pool, &seen.gone, silence) else { continue };
        let fits = |spare: &Candidate| {
            !plan.refused.iter().any(|(a, s)| *a == address.id && *s == spare.server)
        };
        if let Some(position) = spares.iter().position(fits) {
            let to = spares.remove(position);
            let (id, from) = (address.id.clone(), address.holder.clone());
            plan.moves.push(Move { address: id, ip: address.address, from, to, why });
        }
    }
    // One move that always fails slowly must not use up the time of the others pass after pass.
    plan.moves.sort_by_key(|step| memory.move_failures.get(&step.address).copied());
    plan.spares = spares;
    warn_of_doubles(&addresses, &pool, plan);
}

/// Says what becomes of the addresses that cannot move; the deletions must be in the plan already.
pub fn tell_what_stays(
    seen: &Observation,
    judged: &[Judged<'_>],
    silence: Option<&SilenceBrake>,
    plan: &mut Plan,
) {
    let Addresses::Known(addresses) = &seen.addresses else { return };
    let pool: BTreeMap<&ServerId, &Judged<'_>> =
        judged.iter().map(|one| (&one.replica.id, one)).collect();
    for address in addresses {
        let Some(why) = reason_to_move(address, &pool, &seen.gone, silence) else { continue };
        if plan.moves.iter().any(|step| step.address == address.id) {
            continue;
        }
        let (ip, id) = (address.address, &address.id);
        let goes = plan.deletions.iter().find(|step| Some(&step.server) == address.holder.as_ref());
        let (key, text) = match goes {
            Some(Deletion { name, server, .. }) => (
                format!("address-freed:{id}"),
                format!(
                    "{ip} is free once {name} ({server}) is deleted ({why}): no healthy replica can take it"
                ),
            ),
            None if plan.spares.is_empty() => (
                format!("address-stays:{id}"),
                format!("{ip} stays where it is ({why}): no healthy replica is free for it"),
            ),
            // It would have moved to one of them.
            None => (
                format!("address-refused:{id}"),
                format!(
                    "{ip} stays where it is ({why}): the cloud refused to bind it to any healthy replica that is free; \
                     each is tried again {REFUSED_INTERVALS} intervals later"
                ),
            ),
        };
        plan.notes.push(Note { loudness: Loudness::Warning, key, text });
    }
}

fn refused(memory: &Memory) -> Vec<(AddressId, ServerId)> {
    let lasting = memory.refused.iter().filter(|(_, _, until)| memory.intervals.count < *until);
    lasting.map(|(address, server, _)| (address.clone(), server.clone())).collect()
}

/// Healthy replicas without any floating address, ours or not. Nova's list lags behind Neutron's, so of a pool
/// address it is Neutron that tells the holder.
fn candidates(addresses: &[&ExternalAddress], judged: &[Judged<'_>]) -> Vec<Candidate> {
    let holders: BTreeSet<&ServerId> =
        addresses.iter().filter_map(|address| address.holder.as_ref()).collect();
    let of_the_pool: BTreeSet<_> = addresses.iter().map(|address| address.address).collect();
    judged
        .iter()
        .filter(|one| one.replica.state == State::Healthy && one.fresh)
        .filter(|one| !holders.contains(&one.replica.id))
        .filter(|one| one.server.floating.iter().all(|floating| of_the_pool.contains(floating)))
        .filter_map(|one| {
            let (server, name) = (one.replica.id.clone(), one.replica.name.clone());
            Some(Candidate { server, name, fixed: one.replica.address? })
        })
        .collect()
}

fn reason_to_move(
    address: &ExternalAddress,
    pool: &BTreeMap<&ServerId, &Judged<'_>>,
    gone: &BTreeSet<ServerId>,
    silence: Option<&SilenceBrake>,
) -> Option<String> {
    let Some(holder) = &address.holder else { return Some("unbound".to_owned()) };
    if gone.contains(holder) {
        return Some("its server is gone".to_owned());
    }
    // A server outside the pool is none of our business, and may be somebody's.
    let one = pool.get(holder)?;
    match one.replica.state {
        // One that is on its way in was given its address by somebody, and may still come up with it.
        State::Healthy | State::Creating => None,
        _ if !one.fresh => None,
        // While most are silent, silence is more likely our own network's fault.
        State::Silent | State::Starting if silence.is_some() => None,
        state => Some(format!("{} is {state}", one.replica.name)),
    }
}

fn warn_of_doubles(
    addresses: &[&ExternalAddress],
    pool: &BTreeMap<&ServerId, &Judged<'_>>,
    plan: &mut Plan,
) {
    let mut held: BTreeMap<&ServerId, Vec<String>> = BTreeMap::new();
    for address in addresses {
        if let Some(holder) = &address.holder {
            held.entry(holder).or_default().push(address.address.to_string());
        }
    }
    for (holder, held) in held.into_iter().filter(|(_, held)| held.len() > 1) {
        let Some(one) = pool.get(holder) else { continue };
        if one.replica.state == State::Healthy {
            plan.notes.push(Note {
                loudness: Loudness::Warning,
                key: format!("addresses-on-one:{holder}"),
                text: format!(
                    "{} ({holder}) holds {}: left as they are",
                    one.replica.name,
                    held.join(" and ")
                ),
            });
        }
    }
}
