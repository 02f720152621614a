//! The executable as a black box, against a fake `OpenStack` and fake replicas on loopback.

mod addresses;
mod auth;
mod cli;
mod create;
mod daemon;
mod fake;
mod faults;
mod lists;
mod marks;
mod once;
mod running;
mod secrets;
mod settings;
mod states;
mod status;
