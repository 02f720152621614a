//! Nova's record of a server (Compute API, "List Servers Detailed"), and how it is read.
//!
//! Of a server that is not ours only the mark is needed; of ours, what decides about its life.

mod fields;
pub mod shape;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

use serde_json::Value;

pub use fields::Item;

use crate::model::{BATCH_KEY, Condition, FixedAddress, Launched, Server, ServerId, TRIAL_KEY};
use crate::provider::openstack::answer::Told;
use crate::provider::openstack::record::shape::{Fields, Text};
use crate::provider::openstack::{hidden, states, times};

/// What Nova reports of a server in a cell that is down: it exists, and that is all that is known.
pub const STATUS_UNKNOWN: &str = "UNKNOWN";

/// How the pool's servers are told from others.
#[derive(Clone, Debug)]
pub struct Ours {
    /// The metadata key of the mark.
    pub key: String,
    /// What the mark may be; `None`: anything.
    pub values: Option<Vec<String>>,
}

impl Ours {
    fn may_be(&self, mark: &str) -> bool {
        self.values.as_ref().is_none_or(|values| values.iter().any(|value| value == mark))
    }
}

/// One server as Nova lists it; fields that this program does not need are not read.
#[derive(Clone, Debug, Default)]
pub struct ServerRecord<'a> {
    id: Told<Text<'a>>,
    name: Told<Text<'a>>,
    status: Told<Text<'a>>,
    metadata: Told<Fields<'a, Told<Text<'a>>>>,
    addresses: Told<Fields<'a, Told<Vec<Told<AddressRecord<'a>>>>>>,
    created: Told<Text<'a>>,
    updated: Told<Text<'a>>,
    locked: Told<Value>,
    launched_at: Told<Text<'a>>,
    vm_state: Told<Text<'a>>,
    task_state: Told<Text<'a>>,
}

/// An address of a server, as Nova lists it.
#[derive(Clone, Debug, Default)]
pub struct AddressRecord<'a> {
    addr: Told<IpAddr>,
    kind: Told<Text<'a>>,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The server.
    pub server: Server,
    /// Those of its fixed addresses of which it was not told that they are fixed.
    pub untyped: Vec<IpAddr>,
    /// Which fields its record lacks, of those that decide anything.
    pub hidden: Vec<&'static str>,
}

impl ServerRecord<'_> {
    /// Whether Nova knows no more than that it exists.
    pub fn is_unknown(&self) -> bool {
        self.status.text() == Some(STATUS_UNKNOWN)
    }

    /// The server; or what is wrong with the record, when it is or may be one of ours and lacks what decides about it.
    pub fn read(self, ours: &Ours) -> Result<Read, String> {
        let Some(id) = self.id.text().filter(|id| !id.is_empty()) else {
            return Err("a server without an id".to_owned());
        };
        let mark = match self.metadata(&ours.key) {
            Told::Not | Told::Null => None,
            Told::Is(mark) => Some(&**mark),
            Told::Odd => {
                let key = &ours.key;
                return Err(format!(
                    "server {id}: its metadata {key} is not a string, so it is not known whose it is"
                ));
            }
        };
        let is_ours = mark.is_some_and(|mark| ours.may_be(mark));
        let created = match self.created() {
            Ok(created) => created,
            Err(why) if is_ours => return Err(format!("server {id}: {why}")),
            // Nobody asks how old it is.
            Err(_) => SystemTime::UNIX_EPOCH,
        };
        let condition = states::condition(&self.vm_state, &self.status, self.task());
        // Without its addresses one that runs looks like one that has none, and one in error like one that is silent.
        let asked = matches!(condition, Condition::Active { .. } | Condition::Error);
        let addresses = match self.addresses() {
            Ok(addresses) => addresses,
            Err(why) if is_ours && asked => return Err(format!("server {id}: {why}")),
            Err(_) => Addresses::default(),
        };
        let server = Server {
            mark: mark.map(str::to_owned),
            batch: self.metadata(BATCH_KEY).text().map(str::to_owned),
            // It makes a VM expendable, so it has to be just what we write.
            trial: self.metadata(TRIAL_KEY).text() == Some("true"),
            scheduling: self.task() == Some("scheduling"),
            words: states::words(&self.vm_state, &self.status, self.task()),
            condition,
            locked: self.is_locked(),
            created,
            updated: self.updated.text().and_then(times::parse),
            launched: self.launched(),
            fixed: addresses.fixed,
            floating: addresses.floating,
            name: self.name.text().unwrap_or_default().into(),
            id: ServerId(id.into()),
        };
        Ok(Read { server, untyped: addresses.untyped, hidden: self.hidden(addresses.hides_types) })
    }

    /// The value of its metadata under this key; not told where it has none, or where all of it is hidden.
    fn metadata(&self, key: &str) -> &Told<Text<'_>> {
        let fields = self.metadata.get().into_iter().flatten();
        fields.rev().find(|(name, _)| name == key).map_or(&Told::Not, |(_, value)| value)
    }

    fn created(&self) -> Result<SystemTime, String> {
        match &self.created {
            Told::Not | Told::Null => Err("created is missing".to_owned()),
            Told::Odd => Err("created is not a string".to_owned()),
            Told::Is(text) => {
                times::parse(text).ok_or_else(|| format!("created \"{text}\" is not a time"))
            }
        }
    }

    /// Only `null` says that it never ran.
    fn launched(&self) -> Launched {
        match &self.launched_at {
            Told::Null => Launched::Never,
            Told::Not | Told::Odd => Launched::NotTold,
            Told::Is(text) => times::parse(text).map_or(Launched::NotTold, Launched::At),
        }
    }

    /// What is there and neither yes nor no holds the replica, as a lock does. Nova refuses to delete a locked server also
    /// where it does not show the lock.
    fn is_locked(&self) -> bool {
        match &self.locked {
            Told::Not | Told::Null => false,
            Told::Is(Value::Bool(locked)) => *locked,
            Told::Is(Value::String(text)) => !text.eq_ignore_ascii_case("false"),
            Told::Is(_) | Told::Odd => true,
        }
    }

    /// The task under way. One that cannot be read is one.
    fn task(&self) -> Option<&str> {
        match &self.task_state {
            Told::Not | Told::Null => None,
            Told::Is(task) => Some(&**task).filter(|task| !task.is_empty()),
            Told::Odd => Some("in an unknown task"),
        }
    }

    fn addresses(&self) -> Result<Addresses, String> {
        let by_network = match &self.addresses {
            Told::Is(by_network) => by_network,
            Told::Not | Told::Null => {
                return Err("addresses is missing, so it is not known where to ask".to_owned());
            }
            Told::Odd => return Err("addresses cannot be read".to_owned()),
        };
        let mut addresses = Addresses::default();
        for (network, records) in by_name(by_network) {
            let unreadable = || format!("addresses on network \"{network}\" cannot be read");
            let records = records.get().ok_or_else(unreadable)?;
            addresses.fixed.reserve_exact(records.len());
            for record in records {
                let record = record.get().ok_or_else(unreadable)?;
                let address = *record.addr.get().ok_or_else(unreadable)?;
                match record.kind.text() {
                    Some("floating") => addresses.floating.push(address),
                    kind => {
                        addresses.fixed.push(FixedAddress { network: network.into(), address });
                        if kind != Some("fixed") {
                            addresses.untyped.push(address);
                        }
                        addresses.hides_types |= record.kind.is_hidden();
                    }
                }
            }
        }
        Ok(addresses)
    }

    fn hidden(&self, types: bool) -> Vec<&'static str> {
        let fields = [
            (hidden::METADATA, self.metadata.is_hidden()),
            (hidden::VM_STATE, self.vm_state.is_hidden()),
            (hidden::TASK_STATE, self.task_state.is_hidden()),
            (hidden::LAUNCHED_AT, self.launched_at.is_hidden()),
            (hidden::LOCKED, self.locked.is_hidden()),
            (hidden::ADDRESSES, self.addresses.is_hidden()),
            (hidden::ADDRESS_TYPE, types),
        ];
        fields.into_iter().filter(|(_, hidden)| *hidden).map(|(name, _)| name).collect()
    }
}

/// Fields in the order of their names; of two with one name the last.
fn by_name<'a, T>(fields: &'a Fields<'_, T>) -> impl Iterator<Item = (&'a str, &'a T)> {
    let by_name: BTreeMap<&str, &T> = fields.iter().map(|(name, it)| (&**name, it)).collect();
    by_name.into_iter()
}

/// A server's addresses by what they are.
#[derive(Default)]
struct Addresses {
    fixed: Vec<FixedAddress>,
    floating: Vec<IpAddr>,
    untyped: Vec<IpAddr>,
    hides_types: bool,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use super::*;

    fn any(key: &str) -> Ours {
        Ours { key: key.to_owned(), values: None }
    }

    fn pool() -> Ours {
        Ours { key: "group".to_owned(), values: Some(vec!["scaler".to_owned()]) }
    }

    fn record(fields: &str) -> ServerRecord<'static> {
        let json = format!(
            r#"{{"id": "a", "name": "web", "metadata": {{"group": "scaler"}}, "addresses": {{}}, "created": "2026-11-24T19:00:00Z", {fields}}}"#
        );
        // The last of two fields with one name is taken.
        let json: Value = serde_json::from_str(&json).unwrap();
        ServerRecord::deserialize(json).unwrap()
    }

    fn read(fields: &str) -> Server {
        record(fields).read(&pool()).unwrap().server
    }

    #[track_caller]
    fn check(vm_state: &str, task_state: &str, expected: &Condition, words: &str) {
        let server = read(&format!(
            r#""OS-EXT-STS:vm_state": {vm_state}, "OS-EXT-STS:task_state": {task_state}"#
        ));
        assert_eq!((&server.condition, server.words.as_str()), (expected, words));
    }

    #[test]
    fn every_state_of_nova_is_told_apart() {
        let task = |task: &str| Some(task.to_owned());
        check(r#""building""#, r#""spawning""#, &Condition::Building, "building (spawning)");
        check(r#""active""#, "null", &Condition::Active { task: None }, "active");
        let rebooting = Condition::Active { task: task("rebooting") };
        check(r#""active""#, r#""rebooting""#, &rebooting, "active (rebooting)");
        check(r#""active""#, r#""deleting""#, &Condition::Deleting, "active (deleting)");
        check(r#""error""#, r#""deleting""#, &Condition::Deleting, "error (deleting)");
        check(r#""deleted""#, "null", &Condition::Deleting, "deleted");
        check(
            r#""active""#,
            r#""soft-deleting""#,
            &Condition::SoftDeleted,
            "active (soft-deleting)",
        );
        check(r#""soft-delete""#, "null", &Condition::SoftDeleted, "soft-delete");
        check(
            r#""soft-delete""#,
            r#""deleting""#,
            &Condition::SoftDeleted,
            "soft-delete (deleting)",
        );
        check(r#""error""#, "null", &Condition::Error, "error");
        check(r#""stopped""#, "null", &Condition::Stopped { task: None }, "stopped");
        let starting = Condition::Stopped { task: task("powering-on") };
        check(r#""stopped""#, r#""powering-on""#, &starting, "stopped (powering-on)");
        for other in
            ["paused", "suspended", "rescued", "resized", "shelved", "shelved_offloaded", "novel"]
        {
            check(&format!("\"{other}\""), "null", &Condition::Other, other);
        }
    }

    #[test]
    fn a_state_that_is_hidden_or_of_no_known_name_is_told_by_the_status() {
        let doing = |task: &str| Condition::Active { task: Some(task.to_owned()) };
        let statuses = [
            ("BUILD", Condition::Building),
            ("ACTIVE", Condition::Active { task: None }),
            ("ERROR", Condition::Error),
            ("SHUTOFF", Condition::Stopped { task: None }),
            ("DELETED", Condition::Deleting),
            ("SOFT_DELETED", Condition::SoftDeleted),
            ("REBOOT", doing("rebooting")),
            ("HARD_REBOOT", doing("rebooting")),
            ("REBUILD", doing("rebuilding")),
            ("RESIZE", doing("resizing")),
            ("MIGRATING", doing("migrating")),
            ("PASSWORD", doing("updating_password")),
            ("PAUSED", Condition::Other),
            ("SUSPENDED", Condition::Other),
            ("RESCUE", Condition::Other),
            ("VERIFY_RESIZE", Condition::Other),
            ("REVERT_RESIZE", Condition::Other),
            ("SHELVED", Condition::Other),
            ("SHELVED_OFFLOADED", Condition::Other),
            ("SOMETHING_ELSE", Condition::Other),
        ];
        for hidden in [
            "",
            r#""OS-EXT-STS:vm_state": null,"#,
            r#""OS-EXT-STS:vm_state": "","#,
            r#""OS-EXT-STS:vm_state": "cloudified","#,
            r#""OS-EXT-STS:vm_state": 7,"#,
        ] {
            for (status, expected) in &statuses {
                let server = read(&format!(r#"{hidden} "status": "{status}""#));
                assert_eq!(server.condition, *expected, "{hidden} {status}");
            }
        }
        let server = read(r#""status": "ACTIVE", "OS-EXT-STS:task_state": "deleting""#);
        assert_eq!(server.condition, Condition::Deleting, "the task is told");
        let server = read(r#""locked": false"#);
        assert_eq!((server.condition, &*server.words), (Condition::Other, "in an unknown state"));
    }

    #[test]
    fn only_null_says_that_it_was_never_launched() {
        for (told, expected) in [
            (r#""name": "web""#, Launched::NotTold),
            (r#""OS-SRV-USG:launched_at": null"#, Launched::Never),
            (r#""OS-SRV-USG:launched_at": """#, Launched::NotTold),
            (r#""OS-SRV-USG:launched_at": "soon""#, Launched::NotTold),
            (r#""OS-SRV-USG:launched_at": false"#, Launched::NotTold),
            (r#""OS-SRV-USG:launched_at": 0"#, Launched::NotTold),
        ] {
            let json = format!(
                r#"{{"id": "a", "metadata": {{"group": "scaler"}}, "addresses": {{}}, "created": "2026-11-24T19:00:00Z", {told}}}"#
            );
            let record: ServerRecord = serde_json::from_str(&json).unwrap();
            assert_eq!(record.read(&pool()).unwrap().server.launched, expected, "of {told}");
        }
        for text in ["2026-11-24T19:00:30.000000", "2026-11-24T20:00:30+01:00"] {
            let server = read(&format!(r#""OS-SRV-USG:launched_at": "{text}""#));
            assert_eq!(server.launched, Launched::At(server.created + Duration::from_secs(30)));
        }
    }

    #[test]
    fn a_lock_of_any_spelling_holds() {
        for (told, expected) in [
            (r#""status": "ACTIVE""#, false),
            (r#""locked": null"#, false),
            (r#""locked": false"#, false),
            (r#""locked": "False""#, false),
            (r#""locked": true"#, true),
            (r#""locked": "true""#, true),
            (r#""locked": 1"#, true),
            (r#""locked": {}"#, true),
        ] {
            assert_eq!(read(told).locked, expected, "of {told}");
        }
    }

    #[test]
    fn a_task_that_cannot_be_read_is_one() {
        let server = read(r#""OS-EXT-STS:vm_state": "active", "OS-EXT-STS:task_state": ["x"]"#);
        assert!(matches!(server.condition, Condition::Active { task: Some(_) }), "{server:?}");
        for none in ["null", r#""""#] {
            check(r#""active""#, none, &Condition::Active { task: None }, "active");
        }
    }

    #[test]
    fn floating_addresses_are_told_from_fixed_ones() {
        let read = record(
            r#""addresses": {"Ext-Net": [
                {"version": 6, "addr": "fd10::19", "OS-EXT-IPS:type": "fixed"},
                {"version": 4, "addr": "127.20.0.141", "OS-EXT-IPS:type": "floating"},
                {"version": 4, "addr": "127.10.1.19", "OS-EXT-IPS:type": "fixed"},
                {"version": 4, "addr": "127.10.1.20"}]}"#,
        );
        let json = read.clone();
        let read = json.read(&pool()).unwrap();
        let fixed: Vec<String> = read
            .server
            .fixed
            .iter()
            .map(|fixed| format!("{} on {}", fixed.address, fixed.network))
            .collect();
        let expected = ["fd10::19 on Ext-Net", "127.10.1.19 on Ext-Net", "127.10.1.20 on Ext-Net"];
        assert_eq!(fixed, expected);
        assert_eq!(read.server.floating, ["127.20.0.141".parse::<IpAddr>().unwrap()]);
        assert_eq!(read.untyped, ["127.10.1.20".parse::<IpAddr>().unwrap()]);
        assert!(read.hidden.contains(&hidden::ADDRESS_TYPE), "{:?}", read.hidden);
    }

    #[test]
    fn the_mark_is_read_under_the_pools_key() {
        let mark = |key: &str| record(r#""locked": true"#).read(&any(key)).unwrap().server.mark;
        assert_eq!(mark("group").as_deref(), Some("scaler"));
        assert_eq!(mark("pool"), None);
    }

    #[test]
    fn a_server_of_ours_that_lacks_what_decides_about_it_is_named() {
        let running = r#""OS-EXT-STS:vm_state": "active""#;
        let created = r#""created": "2026-11-24T19:00:00Z""#;
        for (fields, why) in [
            (running.to_owned(), "created is missing"),
            (format!(r#"{running}, "created": null"#), "created is missing"),
            (format!(r#"{running}, "created": 5"#), "created is not a string"),
            (format!(r#"{running}, "created": "soon""#), "created \"soon\" is not a time"),
            (
                format!("{running}, {created}"),
                "addresses is missing, so it is not known where to ask",
            ),
            (
                format!(r#""status": "ERROR", {created}, "addresses": null"#),
                "addresses is missing, so it is not known where to ask",
            ),
            (format!(r#"{running}, {created}, "addresses": []"#), "addresses cannot be read"),
            (
                format!(r#"{running}, {created}, "addresses": {{"n": null}}"#),
                "addresses on network \"n\" cannot be read",
            ),
            (
                format!(r#"{running}, {created}, "addresses": {{"n": [{{"addr": "x"}}]}}"#),
                "addresses on network \"n\" cannot be read",
            ),
        ] {
            let json = |mark: &str| {
                format!(r#"{{"id": "a", "metadata": {{"group": "{mark}"}}, {fields}}}"#)
            };
            let (ours, other) = (json("scaler"), json("front"));
            let ours: ServerRecord = serde_json::from_str(&ours).unwrap();
            assert_eq!(ours.read(&pool()).unwrap_err(), format!("server a: {why}"), "of {fields}");
            let other: ServerRecord = serde_json::from_str(&other).unwrap();
            assert_eq!(other.read(&pool()).unwrap().server.mark.as_deref(), Some("front"));
        }
        // Nobody asks a server that is being built.
        let json = format!(
            r#"{{"id": "a", "metadata": {{"group": "scaler"}}, "status": "BUILD", {created}}}"#
        );
        let building: ServerRecord = serde_json::from_str(&json).unwrap();
        assert_eq!(building.read(&pool()).unwrap().server.condition, Condition::Building);
    }

    #[test]
    fn of_a_server_that_is_not_ours_only_its_id_and_its_mark_are_needed() {
        for metadata in ["null", "[]", "5", "{}", r#"{"group": null}"#, r#"{"group": "x", "n": 5}"#]
        {
            let json =
                format!(r#"{{"id": "a", "metadata": {metadata}, "created": 1, "addresses": 1}}"#);
            let record: ServerRecord = serde_json::from_str(&json).unwrap();
            assert!(record.read(&pool()).is_ok(), "of {metadata}");
        }
        let record: ServerRecord = serde_json::from_str(r#"{"id": "a"}"#).unwrap();
        assert_eq!(record.read(&pool()).unwrap().server.mark, None);
        for (json, why) in [
            (r#"{"metadata": {}}"#, "a server without an id"),
            (
                r#"{"id": "a", "metadata": {"group": 5}}"#,
                "server a: its metadata group is not a string, so it is not known whose it is",
            ),
        ] {
            let record: ServerRecord = serde_json::from_str(json).unwrap();
            assert_eq!(record.read(&pool()).unwrap_err(), why, "of {json}");
        }
    }

    #[test]
    fn a_trial_carries_just_what_a_trial_is_given() {
        for (value, expected) in
            [(r#""true""#, true), (r#""false""#, false), ("null", false), ("true", false)]
        {
            let json = format!(
                r#"{{"id": "a", "metadata": {{"group": "scaler", "simplescalevm-trial": {value}}}, "created": "2026-11-24T19:00:00Z"}}"#
            );
            let record: ServerRecord = serde_json::from_str(&json).unwrap();
            assert_eq!(record.read(&pool()).unwrap().server.trial, expected, "of {value}");
        }
    }
}
