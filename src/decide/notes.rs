//! What people should know of a pass, apart from its steps.

use crate::decide::Observation;
use crate::decide::brake::BRAKE_INTERVALS;
use crate::decide::kind::{Kind, Place, place};
use crate::decide::state::Judged;
use crate::memory::{LossBrake, Memory, SilenceBrake};
use crate::model::State;
use crate::plan::{Loudness, Note, Plan};
use crate::settings::Policy;

/// Adds brakes and notes to the plan.
pub fn write(
    policy: &Policy,
    seen: &Observation,
    memory: &Memory,
    judged: &[Judged<'_>],
    silence: Option<&SilenceBrake>,
    loss: Option<&LossBrake>,
    plan: &mut Plan,
) {
    brakes(seen, judged, silence, loss, plan);
    for one in judged {
        if let Some((loudness, text)) = standing(policy, seen, one) {
            let key = format!("{}:{}", one.replica.state, one.replica.id);
            plan.notes.push(Note { loudness, key, text });
        }
        if let Place::At { other_network: Some(other), .. } =
            place(seen.network.as_deref(), policy.ip_version, one.server)
        {
            plan.notes.push(Note {
                loudness: Loudness::Warning,
                key: format!("other-network:{other}"),
                text: format!(
                    "{} ({}) has no address on {}, so its only other network {other} is used",
                    one.replica.name,
                    one.replica.id,
                    seen.network.as_deref().unwrap_or("the wanted network")
                ),
            });
        }
    }
    second_daemon(memory, judged, plan);
    if let Some(held_back) = &plan.held_back {
        // These say more in notes of their own.
        let says_more = |note: &Note| {
            matches!(note.key.as_str(), "dead-weight-limit" | "full-of-dead")
                || note.key.starts_with("unseen-batch:")
        };
        if !plan.notes.iter().any(says_more) {
            let digits = |c: char| c.is_ascii_digit();
            let key = format!("held-back:{}", held_back.why.replace(digits, ""));
            let text = format!("creating fewer replicas than are missing: {}", held_back.why);
            plan.notes.push(Note { loudness: Loudness::Warning, key, text });
        }
    }
}

fn brakes(
    seen: &Observation,
    judged: &[Judged<'_>],
    silence: Option<&SilenceBrake>,
    loss: Option<&LossBrake>,
    plan: &mut Plan,
) {
    if let Some(brake) = silence {
        let silent = judged
            .iter()
            .filter(|one| brake.reference.contains(&one.replica.id))
            .filter(|one| {
                one.replica.state == State::Silent || seen.unconfirmed.contains_key(&one.replica.id)
            })
            .count();
        let text = format!(
            "brake: {silent} of {} replicas that should answer are silent, so the fault may be this program's own \
             network: their last capacity counts and no address leaves them (interval {} of {BRAKE_INTERVALS})",
            brake.reference.len(),
            brake.passes.count,
        );
        let key = "brake-silence".to_owned();
        plan.brakes.push(text.clone());
        plan.notes.push(Note { loudness: Loudness::Error, key, text });
    }
    if let Some(brake) = loss {
        let text = format!(
            "brake: {}: nothing is created and nothing in error is deleted (interval {} of {BRAKE_INTERVALS})",
            brake.why, brake.passes.count
        );
        plan.brakes.push(text.clone());
        plan.notes.push(Note { loudness: Loudness::Error, key: "brake-loss".into(), text });
    }
}

fn standing(policy: &Policy, seen: &Observation, one: &Judged<'_>) -> Option<(Loudness, String)> {
    let replica = &one.replica;
    let (name, id) = (&replica.name, &replica.id);
    match replica.state {
        State::Unreachable => Some((
            Loudness::Warning,
            format!(
                "{name} ({id}) has no IPv{} address on {}: it counts for nothing and is left alone",
                if policy.ip_version == crate::model::IpVersion::V4 { 4 } else { 6 },
                seen.network.as_deref().unwrap_or("the wanted network")
            ),
        )),
        State::Silent => {
            Some((Loudness::Warning, format!("{name} ({id}) is silent: {}", replica.why)))
        }
        State::Parked if matches!(one.kind, Kind::Running { .. }) => {
            Some((Loudness::Standing, format!("{name} ({id}) is left alone: {}", replica.why)))
        }
        State::Parked => Some((
            Loudness::Standing,
            format!("{name} ({id}) is {}: left alone, counted against REPLICA_MAX", replica.why),
        )),
        State::Finished | State::Failed if replica.locked => Some((
            Loudness::Standing,
            format!("{name} ({id}) is {} but locked: it is not deleted", replica.state),
        )),
        _ => None,
    }
}

/// Anything created after our start, but not by us, points to another daemon on the same pool.
fn second_daemon(memory: &Memory, judged: &[Judged<'_>], plan: &mut Plan) {
    let Some(started) = memory.started else { return };
    let ours = format!("{}-", memory.instance);
    let stranger = judged.iter().find(|one| {
        one.server.created > started
            && !one.server.batch.as_ref().is_some_and(|mark| mark.starts_with(&ours))
    });
    if let Some(one) = stranger {
        plan.notes.push(Note {
            loudness: Loudness::Warning,
            key: "second-daemon".into(),
            text: format!(
                "{} ({}) was created after this program's start, and not by it: does a second scaler run on this pool?",
                one.replica.name, one.replica.id
            ),
        });
    }
}
