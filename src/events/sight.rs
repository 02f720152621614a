//! What has changed in the pool since a pass last saw it, apart from what this program did. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::events::Tone;
use crate::model::{AddressId, ExternalAddress, Replica, ServerId, State};

/// More replicas than this that changed in the same way are reported as one event.
const ALIKE_MAX: usize = 4;

/// The pool as a pass saw it, as far as the next one is compared with it.
#[derive(Debug, Default)]
pub struct Sight {
    replicas: BTreeMap<ServerId, (Arc<str>, State)>,
    /// `None`: never seen.
    addresses: Option<BTreeMap<AddressId, (IpAddr, Option<ServerId>)>>,
}

/// The tone, subject and text of an [`Event`](crate::events::Event).
pub type Change = (Tone, String, String);

impl Sight {
    /// The pool as it is seen this time, and how that differs from `before`.
    pub fn of(
        replicas: &[Replica],
        addresses: Option<&[ExternalAddress]>,
        before: Option<Sight>,
    ) -> (Sight, Vec<Change>) {
        let replica = |one: &Replica| (one.id.clone(), (one.name.clone(), one.state));
        let address = |one: &ExternalAddress| (one.id.clone(), (one.address, one.holder.clone()));
        let mut now = Sight {
            replicas: replicas.iter().map(replica).collect(),
            addresses: addresses.map(|all| all.iter().map(address).collect()),
        };
        let Some(before) = before else {
            let text = format!("first look at the pool: {}", count(replicas.len()));
            return (now, vec![(Tone::Plain, text.clone(), text)]);
        };
        let mut changes = of_replicas(&before, &now, replicas);
        changes.extend(of_addresses(&before, &now));
        // Unknown is not gone.
        now.addresses = now.addresses.or(before.addresses);
        (now, changes)
    }

    /// The same after these moves of our own.
    pub fn moved(&mut self, moves: &[(AddressId, ServerId)]) {
        for (address, to) in moves {
            let known = self.addresses.as_mut().and_then(|all| all.get_mut(address));
            if let Some((_, holder)) = known {
                *holder = Some(to.clone());
            }
        }
    }

    fn name(&self, id: Option<&ServerId>) -> String {
        let Some(id) = id else { return "nobody".into() };
        let found = self.replicas.get(id);
        found.map_or_else(|| format!("server {id}"), |(name, _)| format!("{name} ({id})"))
    }
}

fn of_replicas(before: &Sight, now: &Sight, replicas: &[Replica]) -> Vec<Change> {
    let mut alike: BTreeMap<(Option<State>, Option<State>), Vec<String>> = BTreeMap::new();
    for Replica { id, name, state, why, .. } in replicas {
        let was = before.replicas.get(id).map(|(_, state)| *state);
        if was != Some(*state) {
            let colon = if why.is_empty() { "" } else { ": " };
            let how = format!("{name} ({id}): {}{colon}{why}", how(was, Some(*state)));
            alike.entry((was, Some(*state))).or_default().push(how);
        }
    }
    for (id, (name, was)) in &before.replicas {
        if !now.replicas.contains_key(id) {
            let how = format!("{name} ({id}): {}", how(Some(*was), None));
            alike.entry((Some(*was), None)).or_default().push(how);
        }
    }
    let mut changes = Vec::new();
    for ((was, is), texts) in alike {
        let (tone, how) = (is.map_or(Tone::Plain, tone), how(was, is));
        if texts.len() > ALIKE_MAX {
            let text = format!("{}: {how}", count(texts.len()));
            changes.push((tone, text.clone(), text));
        } else {
            let subject = format!("{}: {how}", count(1));
            changes.extend(texts.into_iter().map(|text| (tone, subject.clone(), text)));
        }
    }
    changes
}

fn how(was: Option<State>, is: Option<State>) -> String {
    match (was, is) {
        (Some(was), Some(is)) => format!("{was} → {is}"),
        (None, Some(is)) => format!("new, {is}"),
        (was, None) => format!("gone, {} before", was.map_or("unknown", State::as_str)),
    }
}

/// Changes of holders that this program did not make.
fn of_addresses(before: &Sight, now: &Sight) -> Vec<Change> {
    let (Some(were), Some(are)) = (&before.addresses, &now.addresses) else { return Vec::new() };
    let new = are.iter().filter(|(id, _)| !were.contains_key(id));
    let new = new.map(|(_, (ip, _))| format!("external address {ip} is new"));
    let old = were.iter().filter_map(|(id, (ip, old))| match are.get(id) {
        None => Some(format!("external address {ip} is gone")),
        Some((_, new)) if new == old => None,
        Some((_, new)) => Some(format!(
            "external address {ip} moved from {} to {}, not by this program",
            before.name(old.as_ref()),
            now.name(new.as_ref())
        )),
    });
    let subject = "an external address changed, not by this program";
    new.chain(old).map(|text| (Tone::Warning, subject.to_owned(), text)).collect()
}

fn tone(state: State) -> Tone {
    match state {
        State::Healthy => Tone::Good,
        State::Failed | State::Unreachable => Tone::Bad,
        State::Silent => Tone::Warning,
        _ => Tone::Plain,
    }
}

fn count(replicas: usize) -> String {
    if replicas == 1 { "1 replica".to_owned() } else { format!("{replicas} replicas") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(number: usize, state: State, why: &str) -> Replica {
        Replica {
            id: ServerId::new(format!("id-{number}")),
            name: format!("web-{number}").into(),
            state,
            why: why.into(),
            free: 0,
            locked: false,
            address: None,
            age: std::time::Duration::ZERO,
            up: None,
            batch: None,
            trial: false,
        }
    }

    fn address(number: u8, holder: Option<&str>) -> ExternalAddress {
        ExternalAddress {
            id: AddressId(format!("ip-{number}")),
            address: [203, 0, 113, number].into(),
            holder: holder.map(ServerId::new),
            on_server_port: true,
        }
    }

    /// What the last of these looks tells, after the others.
    #[track_caller]
    fn check(looks: &[(&[Replica], Option<&[ExternalAddress]>)], expected: &[&str]) {
        let (mut sight, mut told) = (None, Vec::new());
        for (replicas, addresses) in looks {
            let (next, changes) = Sight::of(replicas, *addresses, sight);
            (sight, told) = (Some(next), changes);
        }
        check_all(told, expected);
    }

    #[track_caller]
    fn check_all(told: Vec<Change>, expected: &[&str]) {
        let line = |(tone, subject, text): Change| {
            for hidden in ["web-", "id-", "ip-", "203.0.113"] {
                assert!(!subject.contains(hidden), "a summary shows {subject}");
            }
            format!("{}: {text}", tone.as_str())
        };
        assert_eq!(told.into_iter().map(line).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_first_look_tells_how_many_there_are_and_a_quiet_one_nothing() {
        let all = [replica(0, State::Healthy, ""), replica(1, State::Healthy, "")];
        check(&[(&all, None)], &["info: first look at the pool: 2 replicas"]);
        check(&[(&all, None), (&all, None)], &[]);
    }

    #[test]
    fn replicas_that_come_change_and_go_are_told_with_the_reason() {
        let before = [replica(0, State::Healthy, "3 free"), replica(1, State::Finished, "")];
        let after = [
            replica(0, State::Silent, "connection refused"),
            replica(9, State::Creating, "building"),
        ];
        let expected = [
            "info: web-9 (id-9): new, creating: building",
            "warning: web-0 (id-0): healthy → silent: connection refused",
            "info: web-1 (id-1): gone, finished before",
        ];
        check(&[(&before, None), (&after, None)], &expected);
    }

    #[test]
    fn many_that_change_alike_are_one_event() {
        let many = |state| (0..40).map(|number| replica(number, state, "")).collect::<Vec<_>>();
        let (before, after) = (many(State::Starting), many(State::Healthy));
        check(&[(&before, None), (&after, None)], &["good: 40 replicas: starting → healthy"]);
    }

    #[test]
    fn an_address_that_somebody_else_moved_is_told_and_our_own_moves_are_not() {
        let pool = [replica(0, State::Healthy, ""), replica(1, State::Healthy, "")];
        let before = [address(1, Some("id-0")), address(2, None), address(3, None)];
        let after = [address(1, Some("stranger")), address(2, Some("id-1"))];
        let expected = [
            "warning: external address 203.0.113.1 moved from web-0 (id-0) to server stranger, not by this program",
            "warning: external address 203.0.113.3 is gone",
        ];
        let (mut sight, _) = Sight::of(&pool, Some(&before), None);
        sight.moved(&[(AddressId("ip-2".into()), ServerId::new("id-1"))]);
        check_all(Sight::of(&pool, Some(&after), Some(sight)).1, &expected);
        let new = [address(1, Some("id-0")), address(2, None), address(3, None), address(4, None)];
        let expected = ["warning: external address 203.0.113.4 is new"];
        check(&[(&pool, Some(&before)), (&pool, None), (&pool, Some(&new))], &expected);
    }
}
