//! Tests of the simulated cloud.
mod fixture;
mod service;
mod story;
