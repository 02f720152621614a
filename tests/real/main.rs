//! Against a real `OpenStack`: the provider's contract, and the executable as a black box.
//!
//! `make test-real` brings the cloud up and runs these; plain `cargo test` leaves them out.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is tests, helpers too: a panic is how a test fails"
)]

mod access;
mod address;
mod client;
mod cloud;
mod clouds;
#[macro_use]
#[path = "../contract/mod.rs"]
mod contract;
#[path = "../it/daemon.rs"]
#[expect(dead_code, reason = "the other test binary needs the rest")]
mod daemon;
mod failover;
mod ground;
#[path = "../it/fake/http.rs"]
#[expect(dead_code, reason = "the other test binary needs the rest")]
mod http;
mod large;
mod lease_access;
mod lease_campaign;
#[macro_use]
#[path = "../contract/lease.rs"]
mod lease_contract;
mod lease_store;
mod limits;
#[path = "../it/metrics.rs"]
mod metrics;
mod openrc;
mod outages;
mod pool;
#[path = "../it/fake/replica.rs"]
#[expect(dead_code, reason = "the other test binary needs the rest")]
mod replica;
mod scene;
mod service;
mod short_list;
mod stage;
mod turn;
