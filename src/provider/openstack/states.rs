//! What Nova's words for a server's state mean (Compute API guide, "Server concepts"). Pure.

use crate::model::Condition;
use crate::provider::openstack::answer::Told;
use crate::provider::openstack::record::shape::Text;

/// By `vm_state` and task; where the first is hidden or a word of somebody else's, by `status`, which is made of both.
pub fn condition(
    vm_state: &Told<Text<'_>>,
    status: &Told<Text<'_>>,
    task: Option<&str>,
) -> Condition {
    let vm_state = vm_state.text().unwrap_or_default();
    match (vm_state, task.unwrap_or_default()) {
        // First, because deleting is also the task of a soft-deleted server that is reclaimed: still not our business.
        ("soft-delete", _) | (_, "soft-deleting") => Condition::SoftDeleted,
        _ if status.text() == Some("SOFT_DELETED") => Condition::SoftDeleted,
        ("deleted", _) | (_, "deleting") => Condition::Deleting,
        _ => by_vm_state(vm_state, task)
            .or_else(|| by_status(status.text().unwrap_or_default(), task))
            .unwrap_or(Condition::Other),
    }
}

fn by_vm_state(vm_state: &str, task: Option<&str>) -> Option<Condition> {
    let task = task.map(str::to_owned);
    Some(match vm_state {
        "building" => Condition::Building,
        "active" => Condition::Active { task },
        "error" => Condition::Error,
        "stopped" => Condition::Stopped { task },
        "paused" | "suspended" | "rescued" | "resized" | "shelved" | "shelved_offloaded" => {
            Condition::Other
        }
        _ => return None,
    })
}

/// A status that names a task stands for a running server with that task: whatever else it may be is at least as careful.
fn by_status(status: &str, task: Option<&str>) -> Option<Condition> {
    let told = task.map(str::to_owned);
    let doing = |word: &str| Condition::Active { task: Some(task.unwrap_or(word).to_owned()) };
    Some(match status {
        "BUILD" => Condition::Building,
        "ACTIVE" => Condition::Active { task: told },
        "REBOOT" | "HARD_REBOOT" => doing("rebooting"),
        "REBUILD" => doing("rebuilding"),
        "RESIZE" => doing("resizing"),
        "MIGRATING" => doing("migrating"),
        "PASSWORD" => doing("updating_password"),
        "ERROR" => Condition::Error,
        "SHUTOFF" => Condition::Stopped { task: told },
        "DELETED" => Condition::Deleting,
        // PAUSED, SUSPENDED, RESCUE, VERIFY_RESIZE, REVERT_RESIZE, SHELVED and SHELVED_OFFLOADED are an operator's business.
        _ => return None,
    })
}

/// The state in Nova's own words.
pub fn words<'a>(
    vm_state: &'a Told<Text<'_>>,
    status: &'a Told<Text<'_>>,
    task: Option<&str>,
) -> Text<'a> {
    let known = |word: &&str| !word.is_empty();
    let told = vm_state.text().filter(known).or_else(|| status.text().filter(known));
    let state = told.unwrap_or("in an unknown state");
    match task {
        Some(task) => Text::Owned(format!("{state} ({task})")),
        None => Text::Borrowed(state),
    }
}
