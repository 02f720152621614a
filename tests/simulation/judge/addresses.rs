//! Rule 3: where addresses may go, and from where.

use std::net::IpAddr;

use simplescalevm::model::{AddressId, Answer, Condition, ServerId};

use super::{Judge, Rule};
use crate::clock;
use crate::world::{MARK, World};

/// Most replicas that are tried for one address in one pass.
const TRIES_MAX: usize = 3;

/// An address is about to be bound.
pub fn check(
    judge: &mut Judge,
    world: &World,
    address: &AddressId,
    server: &ServerId,
    fixed: IpAddr,
) {
    let tries = judge.witness.binds.iter().filter(|(bound, ..)| bound == address).count();
    if tries >= TRIES_MAX {
        let what = format!("{address} is tried for the {}th time in one pass", tries + 1);
        judge.breaks(Rule::FewRequests, what);
    }
    let what = from(judge, world, address)
        .and_then(|()| to(judge, world, address, server, fixed))
        .and_then(|()| again(judge, address, server));
    if let Err(why) = what {
        judge.breaks(Rule::OwnAndOneEach, format!("{address} goes to {server} although {why}"));
    }
}

fn from(judge: &Judge, world: &World, address: &AddressId) -> Result<(), String> {
    let witness = &judge.witness;
    let addresses = witness.addresses.as_ref().ok_or("the addresses are not known")?;
    let found = addresses.iter().find(|one| one.id == *address).ok_or("it is not the pool's")?;
    let Some(holder) = &found.holder else { return Ok(()) };
    if world.vm(holder).is_some_and(|vm| vm.mark.as_deref() != Some(MARK)) {
        return Err(format!("{holder} outside the pool holds it"));
    }
    if witness.gone_now.contains(holder) {
        return Ok(());
    }
    let record =
        witness.server(holder).ok_or(format!("{holder}, which is not listed, holds it"))?;
    if witness.is_healthy(holder) {
        return Err(format!("{holder} holds it and is healthy"));
    }
    let runs = matches!(record.condition, Condition::Active { .. } | Condition::Error)
        && !record.fixed.is_empty();
    if runs && matches!(witness.answers.get(holder), None | Some(Answer::Unasked)) {
        return Err(format!("{holder} holds it and was not asked"));
    }
    let excused = !judge.policy.once && witness.brakes.excuse(witness.began, holder);
    let is_silent = matches!(witness.answers.get(holder), Some(Answer::None { .. }));
    if excused && is_silent && record.condition == (Condition::Active { task: None }) {
        return Err(format!("{holder} holds it and is silent with most others"));
    }
    let now = clock::date(clock::now());
    let young =
        now.duration_since(record.created).is_ok_and(|age| age < judge.policy.launch_timeout);
    let comes = match record.condition {
        Condition::Building => true,
        Condition::Active { .. } => record.fixed.is_empty(),
        _ => false,
    };
    if young && comes {
        return Err(format!("{holder} holds it and is on its way in"));
    }
    Ok(())
}

fn to(
    judge: &Judge,
    world: &World,
    address: &AddressId,
    server: &ServerId,
    fixed: IpAddr,
) -> Result<(), String> {
    let witness = &judge.witness;
    if world.vm(server).is_some_and(|vm| vm.mark.as_deref() != Some(MARK)) {
        return Err("that is outside the pool".into());
    }
    let record = witness.server(server).ok_or("that is not listed")?;
    if !witness.is_healthy(server) {
        return Err("that is not healthy".into());
    }
    if record.fixed.iter().all(|one| one.address != fixed) {
        return Err(format!("that has no {fixed}"));
    }
    let addresses = witness.addresses.as_deref().unwrap_or_default();
    if let Some(held) = addresses.iter().find(|one| one.holder.as_ref() == Some(server)) {
        return Err(format!("that holds {}", held.address));
    }
    let bound = |(_, to, good): &(AddressId, ServerId, bool)| to == server && *good;
    if witness.binds.iter().any(bound) {
        return Err("that got one in this pass".into());
    }
    let ours = |floating: &IpAddr| addresses.iter().any(|one| one.address == *floating);
    if let Some(foreign) = record.floating.iter().find(|floating| !ours(floating)) {
        return Err(format!("that has {foreign}"));
    }
    let holders = world.addresses.iter().filter(|one| one.id != *address);
    let on_it = holders.filter(|one| one.holder.as_ref() == Some(server)).count();
    if on_it > 0 {
        return Err("that really holds another".into());
    }
    Ok(())
}

fn again(judge: &Judge, address: &AddressId, server: &ServerId) -> Result<(), String> {
    if judge.witness.was_refused(address, server) {
        return Err("this was refused lately".into());
    }
    Ok(())
}
