//! What the cloud's record alone says of a server: before, and apart from, any answer of its own.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::memory::ReplicaMemory;
use crate::model::{Condition, IpVersion, Launched, Server, State};
use crate::settings::Policy;

/// A server of the pool by its record alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On its way out.
    Deleting,
    /// Soft-deleted: the restore window is the operator's.
    SoftDeleted,
    /// On its way in.
    Creating,
    /// Building for longer than `REPLICA_LAUNCH_TIMEOUT`.
    StuckBuilding,
    /// Active without an address for longer than `REPLICA_LAUNCH_TIMEOUT`, or in error with addresses elsewhere only.
    Unreachable,
    /// To be asked.
    Running {
        /// Where; `None` when there is nowhere to ask.
        address: Option<IpAddr>,
        /// What the cloud is doing with it, if anything.
        task: Option<String>,
        /// Whether the cloud has it in error.
        in_error: bool,
    },
    /// In error, and it never ran.
    NeverLaunched,
    /// Stopped, with nothing under way.
    Stopped,
    /// An operator's business.
    Parked,
}

/// The state table's left half.
pub fn kind(policy: &Policy, network: Option<&str>, now: SystemTime, server: &Server) -> Kind {
    let timed_out = since(now, server.created) >= policy.launch_timeout;
    match &server.condition {
        Condition::Deleting => Kind::Deleting,
        Condition::SoftDeleted => Kind::SoftDeleted,
        Condition::Building if timed_out => Kind::StuckBuilding,
        Condition::Building => Kind::Creating,
        Condition::Active { task } => match place(network, policy.ip_version, server) {
            Place::At { address, .. } => {
                Kind::Running { address: Some(address), task: task.clone(), in_error: false }
            }
            // Which of its networks is the pool's is not known in this pass: it is not asked, and not lost either.
            Place::Ambiguous => {
                Kind::Running { address: None, task: task.clone(), in_error: false }
            }
            Place::Nowhere if timed_out => Kind::Unreachable,
            Place::Nowhere => Kind::Creating,
        },
        Condition::Error if server.launched == Launched::Never => Kind::NeverLaunched,
        Condition::Error => match place(network, policy.ip_version, server) {
            Place::At { address, .. } => {
                Kind::Running { address: Some(address), task: None, in_error: true }
            }
            // It may well serve those who know its other networks: nothing is known against it.
            Place::Nowhere if !server.fixed.is_empty() => Kind::Unreachable,
            Place::Ambiguous | Place::Nowhere => {
                Kind::Running { address: None, task: None, in_error: true }
            }
        },
        Condition::Stopped { task: None } => Kind::Stopped,
        Condition::Stopped { task: Some(_) } | Condition::Other => Kind::Parked,
    }
}

/// Where a server's status is to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// There; `other_network` when it is not the wanted one but the only one.
    At {
        /// The address.
        address: IpAddr,
        /// The network's name, when it is not the wanted one.
        other_network: Option<Arc<str>>,
    },
    /// It has addresses on several networks, and the wanted one's name is not known.
    Ambiguous,
    /// It has none of the wanted version on the wanted network.
    Nowhere,
}

/// The first fixed address of the wanted version, in numeric order, on the wanted network, or else on the only other
/// one: Nova keeps a renamed network's old name for a while.
pub fn place(network: Option<&str>, version: IpVersion, server: &Server) -> Place {
    let usable = || server.fixed.iter().filter(|fixed| version.matches(fixed.address));
    let wanted = usable().filter(|fixed| Some(&*fixed.network) == network);
    if let Some(fixed) = wanted.min_by_key(|fixed| fixed.address) {
        return Place::At { address: fixed.address, other_network: None };
    }
    let Some(first) = usable().min_by_key(|fixed| fixed.address) else { return Place::Nowhere };
    if usable().any(|fixed| fixed.network != first.network) {
        return if network.is_some() { Place::Nowhere } else { Place::Ambiguous };
    }
    let other_network = network.map(|_| first.network.clone());
    Place::At { address: first.address, other_network }
}

/// Whether a replica without an answer is still booting: it never answered since it was launched, or came back from
/// parked, and its grace is not over.
pub fn is_booting(
    policy: &Policy,
    before: Option<&ReplicaMemory>,
    now: SystemTime,
    server: &Server,
) -> bool {
    if before.is_some_and(|before| comes_back(before.state)) {
        return true;
    }
    let answered = before.is_some_and(|before| before.answered_this_boot);
    let boot = booted(before, server).unwrap_or(server.created);
    !answered && since(now, boot) < policy.boot_grace
}

/// When it was launched, or came back from parked, as far as that is known.
fn booted(before: Option<&ReplicaMemory>, server: &Server) -> Option<SystemTime> {
    before.and_then(|before| before.back_since).or(server.launched.at())
}

/// How long it has been up, as far as that is known.
pub fn up(before: Option<&ReplicaMemory>, now: SystemTime, server: &Server) -> Option<Duration> {
    if before.is_some_and(|before| comes_back(before.state)) {
        return Some(Duration::ZERO);
    }
    booted(before, server).map(|booted| since(now, booted))
}

/// Whether a replica that runs now, and was this in the last pass, has just been started again. One that was going
/// and is back was restored by the operator.
pub fn comes_back(before: State) -> bool {
    matches!(before, State::Parked | State::Deleting)
}

/// How long before `now` something was; zero when the cloud's clocks disagree about the order.
pub fn since(now: SystemTime, then: SystemTime) -> Duration {
    now.duration_since(then).unwrap_or_default()
}
