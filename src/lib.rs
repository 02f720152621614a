//! `SimpleScaleVM` keeps a pool of `OpenStack` VMs sized by what the VMs themselves report.
//!
//! The data flows one way, and only the middle step decides:
//!
//! ```text
//! Config ──► observe ──► Observation ──► decide ──► Plan ──► act ──► Outcome ──► publish ──► Snapshot
//!                                         ▲                    │
//!                                         └────── Memory ◄─────┘
//! ```
//!
//! The library exists for the executable, its tests and its fuzz targets; it promises no stable API.

pub mod act;
pub mod args;
pub mod check;
pub mod clock;
#[cfg(test)]
mod completions;
pub mod config;
pub mod daemon;
pub mod decide;
pub mod error;
pub mod events;
pub mod explain;
pub mod files;
pub mod handles;
pub mod healthcheck;
pub mod http;
pub mod lease;
pub mod logger;
pub mod memory;
pub mod metrics;
pub mod minimum;
pub mod model;
pub mod nearest;
pub mod observe;
pub mod outcome;
pub mod outlet;
pub mod pass;
pub mod plan;
pub mod probe;
pub mod progress;
pub mod provider;
pub mod proxies;
pub mod questions;
pub mod secret;
pub mod server_file;
pub mod settings;
pub mod signals;
pub mod status;
pub mod systemd;
pub mod unique;
pub mod watch;
pub mod workers;
