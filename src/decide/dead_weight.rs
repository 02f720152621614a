//! What serves nothing must not pile up: how many there are since new replicas last worked, and how many are too many.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use crate::decide::Observation;
use crate::decide::delete::{is_stuck, newest_healthy};
use crate::decide::state::Judged;
use crate::model::State;
use crate::plan::Plan;
use crate::settings::Policy;

/// Why a replica serves nothing, in the order in which people should look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// It answered, and died soon after.
    DiedYoung,
    /// It runs and does not answer.
    Silent,
    /// It stopped before it ever answered.
    Stopped,
    /// It is failed or finished and is not deleted.
    NotDeleted,
    /// It is going and never gone.
    Stuck,
    /// It has no address.
    Unreachable,
    /// It is on its way.
    Coming,
}

impl Cause {
    const ALL: [Cause; 7] = [
        Cause::DiedYoung,
        Cause::Silent,
        Cause::Stopped,
        Cause::NotDeleted,
        Cause::Stuck,
        Cause::Unreachable,
        Cause::Coming,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Cause::DiedYoung => "died soon after the first answer",
            Cause::Silent => "silent",
            Cause::Stopped => "stopped before the first answer",
            Cause::NotDeleted => "failed or finished and not deleted",
            Cause::Stuck => "stuck in deletion",
            Cause::Unreachable => "without an address",
            Cause::Coming => "on their way",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Cause::DiedYoung => "read the log of the service in one of them to see why it dies",
            Cause::Silent | Cause::Coming => {
                "check the image's service, REPLICA_API_PORT and the security group"
            }
            Cause::Stopped => "see whether the image or its cloud-init powers the VM off",
            Cause::NotDeleted => "unlock them, or find out why the cloud refuses to delete them",
            Cause::Stuck => "ask the cloud's operators why deletions do not finish",
            Cause::Unreachable => "check OPENSTACK_NETWORK and OPENSTACK_IP_VERSION",
        }
    }
}

/// Replicas that serve nothing, by cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadWeight(BTreeMap<Cause, u64>);

impl DeadWeight {
    /// Those made since the newest replica that is healthy now; with none healthy, all of them. Those known to have died
    /// young count until a replica that was made later has lasted; `lasted` is when the newest such was made.
    pub fn of(
        seen: &Observation,
        lasted: Option<SystemTime>,
        judged: &[Judged<'_>],
        plan: &Plan,
    ) -> Self {
        let evidence = newest_healthy(judged);
        let counts = |one: &Judged<'_>| {
            let cause = cause(seen, one, plan)?;
            let is_newer = evidence.is_none_or(|newest| one.server.created > newest);
            let none_lasted = lasted.is_none_or(|at| at <= one.server.created);
            (is_newer || (cause == Cause::DiedYoung && none_lasted)).then_some(cause)
        };
        let mut weight = DeadWeight::sum(judged.iter().filter_map(counts));
        let coming = weight.0.entry(Cause::Coming).or_default();
        *coming = coming.saturating_add(plan.unaccounted);
        weight
    }

    /// All that serve nothing and are not on their way, however old.
    pub fn idle(seen: &Observation, judged: &[Judged<'_>], plan: &Plan) -> Self {
        let causes = judged.iter().filter_map(|one| cause(seen, one, plan));
        DeadWeight::sum(causes.filter(|cause| *cause != Cause::Coming))
    }

    fn sum(causes: impl Iterator<Item = Cause>) -> Self {
        let mut sum = DeadWeight::default();
        for cause in causes {
            *sum.0.entry(cause).or_default() += 1;
        }
        sum
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// What to do about most of them.
    pub fn advice(&self) -> &'static str {
        let most = Cause::ALL.into_iter().rev().max_by_key(|cause| self.count_of(*cause));
        most.map_or("", Cause::advice)
    }

    fn count_of(&self, cause: Cause) -> u64 {
        self.0.get(&cause).copied().unwrap_or(0)
    }
}

/// `12 replicas serve nothing: 9 silent, 3 on their way`.
impl fmt::Display for DeadWeight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = Cause::ALL.map(|cause| (self.count_of(cause), cause));
        let each = each.iter().filter(|(count, _)| *count > 0);
        let each: Vec<String> =
            each.map(|(count, cause)| format!("{count} {}", cause.as_str())).collect();
        let noun = if self.count() == 1 { "replica serves" } else { "replicas serve" };
        write!(formatter, "{} {noun} nothing: {}", self.count(), each.join(", "))
    }
}

/// So many are too many.
pub fn limit(policy: &Policy) -> u64 {
    policy.minimum.div_ceil(policy.capacity).saturating_mul(3).saturating_add(3)
}

/// Why this one serves nothing, if it does not. What is about to be deleted weighs nothing, and what an operator set aside is
/// the operator's.
fn cause(seen: &Observation, one: &Judged<'_>, plan: &Plan) -> Option<Cause> {
    match one.replica.state {
        State::Silent if one.spared => None,
        State::Silent if one.memory.died_young => Some(Cause::DiedYoung),
        State::Silent => Some(Cause::Silent),
        State::Starting | State::Creating => Some(Cause::Coming),
        State::Unreachable => Some(Cause::Unreachable),
        State::Failed | State::Finished => {
            let planned = plan.deletions.iter().any(|step| step.server == one.replica.id);
            let goes = planned && one.memory.delete_failures == 0;
            (!goes).then_some(Cause::NotDeleted)
        }
        State::Deleting => is_stuck(seen, one).then_some(Cause::Stuck),
        // Nobody knows whether it answered an earlier process, so that is not assumed.
        State::Parked => one.memory.capacity.is_none().then_some(Cause::Stopped),
        State::Healthy => None,
    }
}
