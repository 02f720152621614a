//! A list is short while Nova schedules: once servers and those being scheduled exceed its page limit together, it leaves
//! some out for a second or two, with status 200, no next page and no double. So before anything is made there is a second
//! list, and what neither shows is looked up.

use std::collections::BTreeSet;

use crate::memory::Memory;
use crate::model::{Server, ServerId, State};
use crate::observe::{Sight, of_pool};
use crate::provider::Provider;

/// Most servers that are looked up one by one.
const LOOK_UPS_MAX: usize = 20;

/// Adds to what was seen what the list left out. When more may be left out, says so in the observation.
pub fn complete(provider: &mut dyn Provider, memory: &Memory, mark: &str, sight: &mut Sight) {
    if let Err(why) = look_again(provider, memory, mark, sight) {
        sight.observation.incomplete = Some(format!("while Nova schedules, {why}"));
    }
}

fn look_again(
    provider: &mut dyn Provider,
    memory: &Memory,
    mark: &str,
    sight: &mut Sight,
) -> Result<(), String> {
    let listing = match provider.servers() {
        Ok(listing) => listing,
        Err(error) => {
            sight.faults.push(error.context("cannot list the servers a second time"));
            return Err("it could not be read a second time".to_owned());
        }
    };
    let seen = &mut sight.observation;
    // Earlier is safer: it makes nothing look older.
    seen.now = listing.now.map_or(seen.now, |now| seen.now.min(now));
    let second = of_pool(listing.servers, mark);
    let ids = |servers: &[Server]| -> BTreeSet<ServerId> {
        servers.iter().map(|server| server.id.clone()).collect()
    };
    let first = ids(&seen.servers);
    let differences = first.symmetric_difference(&ids(&second)).count();
    seen.servers.extend(second.into_iter().filter(|server| !first.contains(&server.id)));
    if differences > 0 {
        return Err(format!("two reads differ by {differences} replicas"));
    }
    let missing = missing(memory, sight);
    if missing.len() > LOOK_UPS_MAX {
        return Err(format!("{} replicas of the last pass are not in it", missing.len()));
    }
    look_up(provider, mark, &missing, sight)
}

/// Who was there in the last pass, or is the first of a batch of ours, and has not been seen in this one. Those that we
/// deleted are no surprise.
fn missing(memory: &Memory, sight: &Sight) -> BTreeSet<ServerId> {
    let replicas = memory.replicas.iter().filter(|(_, replica)| {
        replica.missing.is_none()
            && replica.delete_sent.is_none()
            && replica.state != State::Deleting
    });
    let batches =
        memory.batches.iter().filter(|one| !sight.observation.lookups.contains_key(&one.mark));
    let expected = replicas.map(|(id, _)| id).chain(batches.filter_map(|one| one.first.as_ref()));
    let seen = |id: &&ServerId| sight.observation.servers.iter().any(|server| server.id == **id);
    expected.filter(|id| !seen(id)).cloned().collect()
}

fn look_up(
    provider: &mut dyn Provider,
    mark: &str,
    missing: &BTreeSet<ServerId>,
    sight: &mut Sight,
) -> Result<(), String> {
    let mut unknown = 0;
    for id in missing {
        match provider.server(id) {
            // Others of its batch may be left out, too.
            Ok(Some(server)) if server.mark.as_deref() == Some(mark) => {
                sight.observation.servers.push(Server { scheduling: true, ..server });
            }
            // Gone, or taken out of the pool.
            Ok(_) => {}
            Err(error) => {
                unknown += 1;
                sight.faults.push(error.context(format!("cannot look up server {id}")));
            }
        }
    }
    if unknown == 0 { Ok(()) } else { Err(format!("{unknown} replicas could not be looked up")) }
}
