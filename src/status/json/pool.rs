//! The pool as the last pass saw it: replicas, addresses, and how many of each.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::model::{self, AddressId, ServerId, State};
use crate::pass::Report;
use crate::plan::Plan;

/// Free resources, and how many are wanted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    free: u64,
    wanted: u64,
}

/// How many there are.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    replicas: usize,
    /// Asked for, and not in the cloud's list yet.
    unaccounted: u64,
    by_state: BTreeMap<&'static str, usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_addresses: Option<AddressCounts>,
}

#[derive(Serialize)]
struct AddressCounts {
    total: usize,
    held: usize,
}

/// One replica.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replica<'a> {
    id: &'a ServerId,
    name: &'a str,
    state: State,
    why: &'a str,
    locked: bool,
    address: Option<IpAddr>,
    external_addresses: Vec<IpAddr>,
    /// Free resources it counts for.
    capacity: u64,
    age_seconds: u64,
}

/// One external address.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalAddress<'a> {
    id: &'a AddressId,
    address: IpAddr,
    holder_id: Option<&'a ServerId>,
    /// `null` also when the holder is not in the pool.
    holder_name: Option<&'a str>,
}

/// Free and wanted.
pub fn resources(plan: &Plan) -> Resources {
    Resources { free: plan.free, wanted: plan.wanted }
}

/// How many replicas, in which states, and how many addresses.
pub fn counts(plan: &Plan, report: &Report) -> Counts {
    let count = |state: State| plan.replicas.iter().filter(|one| one.state == state).count();
    Counts {
        replicas: plan.replicas.len(),
        unaccounted: plan.unaccounted,
        by_state: State::ALL.iter().map(|state| (state.as_str(), count(*state))).collect(),
        external_addresses: report.addresses.as_ref().map(|addresses| AddressCounts {
            total: addresses.len(),
            held: addresses.iter().filter(|one| holder(one, report).is_some()).count(),
        }),
    }
}

/// Every replica; `since` is how long ago the pool was seen.
pub fn replicas<'a>(plan: &'a Plan, report: &'a Report, since: Duration) -> Vec<Replica<'a>> {
    let held = |id: &ServerId| {
        let addresses = report.addresses.iter().flatten();
        addresses.filter(|one| holder(one, report) == Some(id)).map(|one| one.address).collect()
    };
    let shown = |replica: &'a model::Replica| Replica {
        id: &replica.id,
        name: &replica.name,
        state: replica.state,
        why: &replica.why,
        locked: replica.locked,
        address: replica.address,
        external_addresses: held(&replica.id),
        capacity: replica.free,
        age_seconds: replica.age.saturating_add(since).as_secs(),
    };
    plan.replicas.iter().map(shown).collect()
}

/// Every external address and who holds it.
pub fn addresses<'a>(plan: &'a Plan, report: &'a Report) -> Option<Vec<ExternalAddress<'a>>> {
    let name = |id: &ServerId| {
        plan.replicas.iter().find(|replica| replica.id == *id).map(|replica| replica.name.as_str())
    };
    let shown = |address: &'a model::ExternalAddress| {
        let holder = holder(address, report);
        ExternalAddress {
            id: &address.id,
            address: address.address,
            holder_id: holder,
            holder_name: holder.and_then(name),
        }
    };
    report.addresses.as_ref().map(|addresses| addresses.iter().map(shown).collect())
}

/// Who holds it after the moves of the pass.
fn holder<'a>(address: &'a model::ExternalAddress, report: &'a Report) -> Option<&'a ServerId> {
    let mut all = report.outcome.iter().flat_map(|outcome| &outcome.moved);
    let moved = all.find(|(id, _)| *id == address.id).map(|(_, to)| to);
    moved.or(address.holder.as_ref())
}
