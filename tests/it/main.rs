//! The executable as a black box, against a fake `OpenStack` and fake replicas on loopback.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is tests, helpers too: a panic is how a test fails"
)]

mod addresses;
mod attack;
mod auth;
mod bounds;
mod cli;
mod clock;
mod clouds;
#[macro_use]
#[path = "../contract/mod.rs"]
mod contract;
mod create;
mod daemon;
mod deletions;
mod expect;
mod failover;
mod fake;
mod fault_table;
mod faults;
mod lease;
#[macro_use]
#[path = "../contract/lease.rs"]
mod lease_contract;
mod lease_store;
mod lists;
mod manager;
mod marks;
mod metrics;
mod minimum;
mod mistakes;
mod odd_answers;
mod odd_clouds;
mod of_fake;
mod on_fake;
mod once;
mod options;
mod proxies;
mod readers;
mod running;
mod secrets;
mod settings;
mod states;
mod status;
mod tls;
mod vitals;
mod watch;
