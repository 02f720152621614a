//! The lease's record in a real etcd: the store's contract, and a cluster of which members die and hang.
//!
//! `make test-etcd` runs these. Debian's package is unpacked into `target/etcd` when there is no etcd; nothing is installed.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "all of this is tests, helpers too: a panic is how a test fails"
)]

mod cluster;
mod engine;
mod expiry;
#[macro_use]
#[path = "../contract/lease.rs"]
mod lease_contract;
mod locked;
mod on_etcd;
