//! Whether the pool fits into what the project may hold.

use crate::check::page::{Page, counted};
use crate::error::{ErrorKind, Result};
use crate::provider::Quota;
use crate::settings::Policy;

/// Compares each quota with what may come. `replicas`: those there are; they are among what is used.
pub fn compare(policy: &Policy, replicas: usize, quotas: Vec<Result<Quota>>, page: &mut Page<'_>) {
    let replicas = u64::try_from(replicas).unwrap_or(u64::MAX);
    let mut unlimited = Vec::new();
    for quota in quotas {
        match quota {
            Ok(Quota { limit: None, what, .. }) => unlimited.push(what),
            Ok(quota) => one(policy, replicas, &quota, page),
            // Whatever setting is wrong has its own line.
            Err(error) if error.kind == ErrorKind::Setting => {}
            Err(error) => {
                page.warn("quota", &format!("cannot be compared with REPLICA_MAX: {error}"));
            }
        }
    }
    if !unlimited.is_empty() {
        page.found("quota", &format!("no limit on {}", unlimited.join(", ")));
    }
}

fn one(policy: &Policy, replicas: u64, quota: &Quota, page: &mut Page<'_>) {
    let Quota { what, used, limit: Some(limit), of_one } = *quota else { return };
    let text = format!("{what} {used} of {limit} used");
    let room = limit.saturating_sub(used).checked_div(of_one).unwrap_or(u64::MAX);
    let most = policy.max.unwrap_or(u64::MAX);
    let needed = policy.minimum.div_ceil(policy.capacity).min(most);
    let count = |number: u64, noun| counted(usize::try_from(number).unwrap_or(usize::MAX), noun);
    if needed.saturating_sub(replicas) > room {
        let text = format!(
            "{text}: a minimum of {} free resources does not fit: it needs {}, and there is room for {room} more",
            policy.minimum,
            count(needed, "replica")
        );
        return page.fault("quota", &text);
    }
    match policy.max {
        Some(max) if max.saturating_sub(replicas) > room => {
            let room = count(room, "more replica");
            let text = format!("{text}: REPLICA_MAX {max} does not fit: there is room for {room}");
            page.warn("quota", &text);
        }
        _ => page.found("quota", &text),
    }
}
