//! Nova's list of servers, page by page, and what is decided from it.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use simplescalevm::decide::kind::{Kind, kind};
use simplescalevm::decide::{Addresses, Observation, decide};
use simplescalevm::memory::Memory;
use simplescalevm::model::{Answer, IpVersion, Server, ServerId};
use simplescalevm::plan::DeletionReason;
use simplescalevm::provider::openstack::servers::{PATH, ServerList};
use simplescalevm::settings::Policy;
use simplescalevm_fuzz::{assert_one_line, ids, pages};

const NETWORK: &str = "Ext-Net";

/// When the fixtures were recorded; with the seconds since 1970.
const NOW: Duration = Duration::from_secs(1_795_555_555);

const MAX: u64 = 5;

fuzz_target!(|input: &[u8]| {
    let mut list = ServerList::new("group");
    let mut path = PATH.to_owned();
    for page in pages(input) {
        match list.add(&path, page) {
            Ok(Some(next)) => {
                assert!(next.starts_with("/servers/detail?"), "another path: {next}");
                assert_ne!(next, path, "round in circles");
                path = next;
            }
            Ok(None) => {}
            Err(error) => return assert_one_line(&error.text),
        }
    }
    let servers = list.into_servers();
    let different: BTreeSet<_> = servers.iter().map(|server| &server.id).collect();
    assert_eq!(different.len(), servers.len(), "doubles");
    let others = ids(input, "servers");
    assert!(others.is_none_or(|others| others == servers.len()), "some are missing: {others:?}");
    for ip_version in [IpVersion::V4, IpVersion::V6] {
        judge(&servers, ip_version);
    }
});

/// All that run say that they work: two passes let them be.
fn judge(servers: &[Server], ip_version: IpVersion) {
    let policy = policy(ip_version);
    let now = SystemTime::UNIX_EPOCH + NOW;
    let mut answers = BTreeMap::new();
    for server in servers {
        let Kind::Running { address: Some(address), .. } =
            kind(&policy, Some(NETWORK), now, server)
        else {
            continue;
        };
        assert!(ip_version.matches(address), "{address} is of another version");
        assert!(
            server.fixed.iter().any(|fixed| fixed.address == address),
            "{address} is not its own"
        );
        answers.insert(
            server.id.clone(),
            Answer::Valid { capacity: u64::MAX / 2, termination: false },
        );
    }
    let mut memory = Memory::new("fuzz");
    for pass in 0..2 {
        let seen = Observation {
            elapsed: policy.interval * pass,
            early: false,
            now: now + policy.interval * pass,
            clock_told: true,
            incomplete: None,
            servers: servers.to_vec(),
            answers: answers.clone(),
            unconfirmed: BTreeMap::new(),
            network: Some(NETWORK.to_owned()),
            addresses: Addresses::NotManaged,
            gone: BTreeSet::new(),
            lookups: BTreeMap::new(),
        };
        let (plan, next) = decide(&policy, &seen, &memory);
        let deleted: BTreeSet<&ServerId> =
            plan.deletions.iter().map(|deletion| &deletion.server).collect();
        assert_eq!(deleted.len(), plan.deletions.len(), "a server is deleted twice");
        for deletion in &plan.deletions {
            assert!(
                !answers.contains_key(&deletion.server),
                "one that works is deleted: {deletion:?}"
            );
            let server = servers.iter().find(|server| server.id == deletion.server);
            assert!(
                server.is_some_and(|server| !server.locked),
                "not there, or locked: {deletion:?}"
            );
            assert!(
                matches!(deletion.reason, DeletionReason::Failed | DeletionReason::Stuck),
                "{deletion:?}"
            );
        }
        let count = plan.creation.map_or(0, |batch| batch.count);
        assert!(
            count == 0 || servers.len() as u64 + count <= MAX,
            "{} and {count} more",
            servers.len()
        );
        memory = next;
    }
}

fn policy(ip_version: IpVersion) -> Policy {
    Policy {
        capacity: 2,
        minimum: 6,
        max: Some(MAX),
        boot_grace: Duration::from_secs(600),
        launch_timeout: Duration::from_secs(900),
        replace_silent_after: Some(Duration::from_secs(60)),
        delete_stopped: false,
        manage_addresses: false,
        ip_version,
        interval: Duration::from_secs(60),
        once: false,
    }
}
