//! Tests of the simulated cloud.
mod fixture;
mod pool;
mod service;
mod story;
