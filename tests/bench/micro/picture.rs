//! A pool in which nothing happens, as the program sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use simplescalevm::decide::{Addresses, Observation};
use simplescalevm::model::{Answer, Condition, FixedAddress, Launched, Server, ServerId};
use simplescalevm::settings::Policy;
use simplescalevm::{config, files};

/// A page as the real Nova writes it.
const RECORDED: &str = include_str!("../../fixtures/openstack/servers-active.json");

/// Some time, in seconds since 1970.
const NOW: Duration = Duration::from_secs(1_800_000_000);

/// How long all of them have been active.
const AGE: Duration = Duration::from_secs(86_400);

/// The defaults, but for a limit that the pool would be beyond.
pub fn policy() -> Policy {
    let set = [("PROVIDER", "simulated"), ("REPLICA_MAX", "none")];
    let environment = set.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    config::load(&environment, &files::text, false).expect("good settings").policy
}

/// So many replicas, each of which has just answered.
pub fn pool(count: usize) -> Observation {
    let servers: Vec<Server> = (0..count).map(server).collect();
    let answer =
        |server: &Server| (server.id.clone(), Answer::Valid { capacity: 1, termination: false });
    Observation {
        elapsed: Duration::from_secs(3600),
        early: false,
        now: SystemTime::UNIX_EPOCH + NOW,
        clock_told: true,
        incomplete: None,
        answers: servers.iter().map(answer).collect::<BTreeMap<_, _>>(),
        servers,
        unconfirmed: BTreeMap::new(),
        network: Some("Ext-Net".into()),
        addresses: Addresses::NotManaged,
        gone: BTreeSet::new(),
        lookups: BTreeMap::new(),
    }
}

/// Ids come in no order.
fn id(number: usize) -> String {
    let scattered = u32::try_from(number).expect("fewer than 2^32").wrapping_mul(2_654_435_761);
    format!("{scattered:08x}-8ea1-4ee4-b0c3-13b96e756422")
}

fn server(number: usize) -> Server {
    let address = Ipv4Addr::from_bits(0x0a00_0001 + u32::try_from(number).expect("an address"));
    let created = SystemTime::UNIX_EPOCH + NOW - AGE;
    Server {
        id: ServerId::new(id(number)),
        name: format!("server-abcdef-{number}").into(),
        mark: Some("scaler".into()),
        batch: Some("abcdef-1".into()),
        trial: false,
        condition: Condition::Active { task: None },
        words: "active".into(),
        locked: false,
        created,
        updated: Some(created),
        launched: Launched::At(created),
        scheduling: false,
        fixed: vec![FixedAddress { network: "Ext-Net".into(), address: IpAddr::V4(address) }],
        floating: Vec::new(),
    }
}

/// A page of so many servers, each of its own id.
pub fn page(count: usize) -> Vec<u8> {
    let recorded: Value = serde_json::from_str(RECORDED).expect("JSON");
    let recorded = &recorded["servers"][0];
    let record = |number| {
        let mut record = recorded.clone();
        record["id"] = id(number).into();
        record
    };
    json!({"servers": (0..count).map(record).collect::<Vec<_>>()}).to_string().into_bytes()
}
