//! The store's contract, against one member and against three.

use std::time::Duration;

use serde_json::json;
use simplescalevm::lease::Store;
use simplescalevm::lease::etcd::Etcd;
use simplescalevm::settings::EtcdSettings;

use crate::engine::Cluster;
use crate::lease_contract::{LeaseGround, holder};

lease_tests!(crate::on_etcd::EtcdGround::start);

#[test]
fn of_six_that_ask_three_members_one_gets_it() {
    let ground = EtcdGround { cluster: Cluster::start(3) };
    crate::lease_contract::of_six_that_want_an_epoch_one_gets_it(&ground);
}

pub const LEASE: &str = "group=scaler \u{1f600}";

/// More than any test takes: nothing runs out by itself.
pub const LONG: Duration = Duration::from_secs(3600);

/// More than any request should take.
pub const LIMIT: Duration = Duration::from_secs(30);

/// An etcd of its own, in which nobody has held the lease.
pub struct EtcdGround {
    cluster: Cluster,
}

impl EtcdGround {
    pub fn start() -> Self {
        EtcdGround { cluster: Cluster::start(1) }
    }
}

/// A client whose lease is good for so long.
pub fn store(settings: &EtcdSettings, name: &str, validity: Duration) -> Etcd {
    Etcd::new(settings, LEASE, holder(name), validity, LIMIT).expect("a client")
}

impl LeaseGround for EtcdGround {
    fn store(&self, name: &str) -> Box<dyn Store> {
        let mut settings = self.cluster.settings();
        let count = settings.endpoints.len();
        settings.endpoints.rotate_left(name.len() % count);
        Box::new(store(&settings, name, LONG))
    }

    /// The same as the end of their time, at once.
    fn outlive(&self) {
        let leases = self.cluster.ask("/v3/lease/leases", "{}", None).unwrap();
        for lease in leases["leases"].as_array().into_iter().flatten() {
            let body = json!({"ID": lease["ID"]}).to_string();
            self.cluster.ask("/v3/lease/revoke", &body, None).unwrap();
        }
    }
}
