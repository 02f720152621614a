//! Nova's record of a server (Compute API, "List Servers Detailed"), and how it is read.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

use serde::Deserialize;

use crate::model::{BATCH_KEY, Condition, FixedAddress, Launched, Server, ServerId, TRIAL_KEY};

/// What Nova reports of a server in a cell that is down: it exists, and that is all that is known.
const STATUS_UNKNOWN: &str = "UNKNOWN";

/// One server as Nova lists it; fields that this program does not need are not read.
#[derive(Clone, Debug, Deserialize)]
pub struct ServerRecord {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    addresses: Option<BTreeMap<String, Vec<AddressRecord>>>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    updated: Option<String>,
    #[serde(default)]
    locked: Option<bool>,
    #[serde(default, rename = "OS-SRV-USG:launched_at")]
    launched_at: Option<String>,
    #[serde(default, rename = "OS-EXT-STS:vm_state")]
    vm_state: Option<String>,
    #[serde(default, rename = "OS-EXT-STS:task_state")]
    task_state: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct AddressRecord {
    addr: IpAddr,
    #[serde(default, rename = "OS-EXT-IPS:type")]
    kind: Option<String>,
}

impl ServerRecord {
    /// Whether Nova knows no more than that it exists.
    pub fn is_unknown(&self) -> bool {
        self.status.as_deref() == Some(STATUS_UNKNOWN)
    }

    /// The server, with its mark under `metadata_key`; what is wrong with the record, if it cannot be read.
    pub fn into_server(self, metadata_key: &str) -> Result<Server, String> {
        let time = |name: &str, text: Option<&str>| match text {
            None | Some("") => Ok(None),
            Some(text) => parse_time(text)
                .map(Some)
                .ok_or_else(|| format!("server {}: {name} \"{text}\" is no time", self.id)),
        };
        let created = time("created", self.created.as_deref())?
            .ok_or_else(|| format!("server {}: created is missing", self.id))?;
        let updated = time("updated", self.updated.as_deref())?;
        let launched = time("launched_at", self.launched_at.as_deref())?;
        let metadata = self
            .metadata
            .as_ref()
            .ok_or_else(|| format!("server {}: metadata is missing", self.id))?;
        let (fixed, floating) = split(self.addresses.as_ref());
        Ok(Server {
            mark: metadata.get(metadata_key).cloned(),
            batch: metadata.get(BATCH_KEY).cloned(),
            trial: metadata.contains_key(TRIAL_KEY),
            scheduling: self.task() == Some("scheduling"),
            condition: self.condition(),
            words: self.words(),
            locked: self.locked.unwrap_or(false),
            created,
            updated,
            launched: launched.map_or(Launched::Never, Launched::At),
            fixed,
            floating,
            name: self.name.unwrap_or_default(),
            id: ServerId(self.id),
        })
    }

    fn task(&self) -> Option<&str> {
        self.task_state.as_deref().filter(|task| !task.is_empty())
    }

    fn condition(&self) -> Condition {
        let task = self.task().map(str::to_owned);
        match (self.vm_state.as_deref().unwrap_or_default(), self.task().unwrap_or_default()) {
            // First, because deleting is also the task of a soft-deleted server that is reclaimed: still not our business.
            ("soft-delete", _) | (_, "soft-deleting") => Condition::SoftDeleted,
            ("deleted", _) | (_, "deleting") => Condition::Deleting,
            ("building", _) => Condition::Building,
            ("active", _) => Condition::Active { task },
            ("error", _) => Condition::Error,
            ("stopped", _) => Condition::Stopped { task },
            _ => Condition::Other,
        }
    }

    fn words(&self) -> String {
        let state =
            self.vm_state.as_deref().or(self.status.as_deref()).unwrap_or("in no known state");
        match self.task() {
            Some(task) => format!("{state} ({task})"),
            None => state.to_owned(),
        }
    }
}

fn split(
    addresses: Option<&BTreeMap<String, Vec<AddressRecord>>>,
) -> (Vec<FixedAddress>, Vec<IpAddr>) {
    let (mut fixed, mut floating) = (Vec::new(), Vec::new());
    for (network, records) in addresses.into_iter().flatten() {
        for record in records {
            if record.kind.as_deref() == Some("floating") {
                floating.push(record.addr);
            } else {
                fixed.push(FixedAddress { network: network.clone(), address: record.addr });
            }
        }
    }
    (fixed, floating)
}

/// Nova's times are UTC, with a `Z` or without.
fn parse_time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339_weak(text).ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn record(fields: &str) -> ServerRecord {
        let json = format!(
            r#"{{"id": "a", "name": "web", "metadata": {{"group": "scaler"}}, "created": "2026-11-24T19:00:00Z", {fields}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[track_caller]
    fn check(vm_state: &str, task_state: &str, expected: &Condition, words: &str) {
        let server = record(&format!(
            r#""OS-EXT-STS:vm_state": {vm_state}, "OS-EXT-STS:task_state": {task_state}"#
        ));
        let server = server.into_server("group").unwrap();
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
    fn a_server_without_a_state_is_left_to_the_operator() {
        let server = record(r#""status": "ACTIVE""#).into_server("group").unwrap();
        assert_eq!((server.condition, server.words.as_str()), (Condition::Other, "ACTIVE"));
    }

    #[test]
    fn times_without_a_zone_are_utc() {
        let server = record(r#""OS-SRV-USG:launched_at": "2026-11-24T19:00:30.000000""#);
        let server = server.into_server("group").unwrap();
        assert_eq!(server.launched, Launched::At(server.created + Duration::from_secs(30)));
        assert_eq!(parse_time("1970-01-01T00:00:01"), Some(UNIX_EPOCH + Duration::from_secs(1)));
    }

    #[test]
    fn floating_addresses_are_told_from_fixed_ones() {
        let server = record(
            r#""addresses": {"Ext-Net": [
                {"version": 6, "addr": "fd10::19", "OS-EXT-IPS:type": "fixed"},
                {"version": 4, "addr": "127.20.0.141", "OS-EXT-IPS:type": "floating"},
                {"version": 4, "addr": "127.10.1.19", "OS-EXT-IPS:type": "fixed"}]}"#,
        );
        let server = server.into_server("group").unwrap();
        let fixed: Vec<String> = server
            .fixed
            .iter()
            .map(|fixed| format!("{} on {}", fixed.address, fixed.network))
            .collect();
        assert_eq!(fixed, ["fd10::19 on Ext-Net", "127.10.1.19 on Ext-Net"]);
        assert_eq!(server.floating, ["127.20.0.141".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn the_mark_is_read_under_the_pools_key() {
        let server = record(r#""locked": true"#);
        assert!(server.clone().into_server("group").unwrap().locked);
        assert_eq!(server.clone().into_server("group").unwrap().mark.as_deref(), Some("scaler"));
        assert_eq!(server.into_server("pool").unwrap().mark, None);
    }

    #[test]
    fn a_record_that_cannot_be_read_is_no_server() {
        let broken: ServerRecord =
            serde_json::from_str(r#"{"id": "a", "status": "UNKNOWN"}"#).unwrap();
        assert!(broken.is_unknown());
        assert_eq!(broken.into_server("group").unwrap_err(), "server a: created is missing");
    }
}
