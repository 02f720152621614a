//! What is said of the lease, in the log and on the page. Pure.

use std::time::Duration;

use super::candidate::{Request, Role};
use super::{Record, State};
use crate::events::Tone;

/// Something to say: how it is to be taken, what it is about, and the text.
pub type Said = (Tone, &'static str, String);

/// What a change of the part is called. `over` is the record that was followed.
pub fn change(
    before: &Role,
    after: &Role,
    over: Option<&Record>,
    validity: Duration,
) -> Option<Said> {
    match (before, after) {
        (Role::Leader(_), Role::Leader(_)) => None,
        (_, Role::Leader(_)) => Some(began(over, validity)),
        (Role::Leader(_), Role::Standby(seen)) => {
            let to = seen.as_ref().map_or("another scaler", |seen| &seen.record.holder.name);
            let text = format!("lost the lease to {to}: standing by");
            Some((Tone::Warning, "lease lost", text))
        }
        (Role::Standby(known), Role::Standby(Some(seen)))
            if known.as_ref().is_some_and(|known| known.record.epoch == seen.record.epoch) =>
        {
            None
        }
        (_, Role::Standby(Some(seen))) => match seen.record.state {
            State::Held => {
                let text = format!("standing by: {} acts", seen.record.holder);
                Some((Tone::Plain, "standing by", text))
            }
            State::Released | State::Expired => None,
        },
        _ => None,
    }
}

fn began(over: Option<&Record>, validity: Duration) -> Said {
    let (tone, text) = match over.map(|record| (record.state, &record.holder.name)) {
        None => (Tone::Plain, "acting: nobody held the lease".to_owned()),
        Some((State::Released, name)) => {
            (Tone::Plain, format!("taken over from {name}: it handed the lease over"))
        }
        Some((State::Expired, name)) => {
            (Tone::Warning, format!("taken over from {name}: its lease ran out"))
        }
        Some((State::Held, name)) => {
            let seconds = validity.as_secs_f64();
            let text =
                format!("taken over from {name}: it did not renew the lease for {seconds} s");
            (Tone::Warning, text)
        }
    };
    (tone, "lease taken", text)
}

/// What was tried, of the lease.
pub fn tried(request: Request) -> &'static str {
    match request {
        Request::Look | Request::Read(_) => "read",
        Request::Create(_) => "take",
        Request::Renew { .. } => "renew",
        Request::Release(_) => "hand over",
        Request::Delete(_) => "clean up after",
    }
}
