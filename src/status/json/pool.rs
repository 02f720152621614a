//! The pool as the last pass saw it: replicas, addresses, and how many of each.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::decide::arithmetic::Arithmetic;
use crate::model::{self, AddressId, ServerId, State};
use crate::pass::Report;
use crate::plan::Plan;
use crate::questions;
use crate::status::ended_pass::holder;
use crate::status::json::time;
use crate::status::lives;
use crate::status::snapshot::Snapshot;
use crate::status::trouble::healthy_addresses;

/// Free resources, what they are made up of, and how many are wanted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    free: u64,
    wanted: u64,
    answered: u64,
    starting: u64,
    creating: u64,
    last_known: u64,
    unaccounted: u64,
    short: u64,
    /// Replicas that make up for what is short.
    missing_replicas: u64,
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
    /// On a healthy replica.
    healthy: usize,
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
    /// Since when it is in its state.
    state_since: Option<String>,
    /// Whether it was when it was first seen: then that began at `stateSince` or before.
    state_from_the_start: bool,
    /// When it last gave a valid answer; `null` when it never did since the start of the program.
    last_answer: Option<String>,
    /// `null` when it was not asked since then.
    last_question: Option<Question<'a>>,
    /// `null` for one that is neither built nor booting.
    progress: Option<Progress>,
}

/// The result of the last question.
#[derive(Serialize)]
struct Question<'a> {
    at: String,
    milliseconds: u64,
    answered: bool,
    /// The HTTP status of a valid answer, else why there was none.
    result: &'a str,
}

/// How far a build or a boot is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    /// `build` or `boot`.
    stage: &'static str,
    seconds: u64,
    limit_seconds: u64,
    /// How long the last ones took; `null` when none was seen.
    median_seconds: Option<u64>,
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
    /// What the holder is; `null` when it is not in the pool.
    holder_state: Option<State>,
}

/// The sum; `capacity` is that of one replica.
pub fn resources(plan: &Plan, capacity: u64) -> Resources {
    let sum = Arithmetic::of(&plan.replicas, plan.unaccounted, plan.wanted, capacity);
    Resources {
        free: plan.free,
        wanted: plan.wanted,
        answered: sum.answered,
        starting: sum.starting,
        creating: sum.creating,
        last_known: sum.last_known,
        unaccounted: sum.unaccounted,
        short: sum.short,
        missing_replicas: sum.missing,
    }
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
            healthy: healthy_addresses(report).map_or(0, |(healthy, _)| healthy),
        }),
    }
}

/// Every replica; `since` is how long ago the pool was seen.
pub fn replicas<'a>(
    snapshot: &'a Snapshot,
    plan: &'a Plan,
    report: &'a Report,
    since: Duration,
) -> Vec<Replica<'a>> {
    let Snapshot { lives, questions, settings, .. } = snapshot;
    let held = |id: &ServerId| {
        let addresses = report.addresses.iter().flatten();
        addresses.filter(|one| holder(one, report) == Some(id)).map(|one| one.address).collect()
    };
    let shown = |replica: &'a model::Replica| {
        let in_state = lives.of(&replica.id);
        let asked = questions.get(&replica.id);
        Replica {
            id: &replica.id,
            name: &replica.name,
            state: replica.state,
            why: &replica.why,
            locked: replica.locked,
            address: replica.address,
            external_addresses: held(&replica.id),
            capacity: replica.free,
            age_seconds: replica.age.saturating_add(since).as_secs(),
            state_since: in_state.map(|state| time(state.since)),
            state_from_the_start: in_state.is_some_and(|state| state.at_least),
            last_answer: asked.and_then(|asked| asked.answered).map(|at| time(at.wall)),
            last_question: asked.and_then(|asked| asked.last.as_ref()).map(question),
            progress: lives.progress(replica, settings, since).map(progress),
        }
    };
    plan.replicas.iter().map(shown).collect()
}

fn question(question: &questions::Question) -> Question<'_> {
    Question {
        at: time(question.at.wall),
        milliseconds: u64::try_from(question.lasted.as_millis()).unwrap_or(u64::MAX),
        answered: question.answered,
        result: &question.result,
    }
}

fn progress(progress: lives::Progress) -> Progress {
    Progress {
        stage: progress.stage.as_str(),
        seconds: progress.spent.as_secs(),
        limit_seconds: progress.limit.as_secs(),
        median_seconds: progress.median.map(|median| median.as_secs()),
    }
}

/// Every external address and who holds it.
pub fn addresses<'a>(plan: &'a Plan, report: &'a Report) -> Option<Vec<ExternalAddress<'a>>> {
    let replica = |id: &ServerId| plan.replicas.iter().find(|replica| replica.id == *id);
    let shown = |address: &'a model::ExternalAddress| {
        let holder = holder(address, report);
        let replica = holder.and_then(replica);
        ExternalAddress {
            id: &address.id,
            address: address.address,
            holder_id: holder,
            holder_name: replica.map(|replica| &*replica.name),
            holder_state: replica.map(|replica| replica.state),
        }
    };
    report.addresses.as_ref().map(|addresses| addresses.iter().map(shown).collect())
}
