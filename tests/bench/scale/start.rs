//! From nothing: how soon the program asks its cloud, and how soon an empty pool is asked for.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, Settings};
use crate::extent::Extent;
use crate::floor;
use crate::numbers::{median, ms, ratio};
use crate::scaler::Scaler;
use crate::world::World;

/// How many free resources an empty pool is to have.
const MINIMUM: usize = 30;

/// What starts took.
pub struct Start {
    first_request: Duration,
    created: Duration,
    floor: Duration,
    requests: u64,
}

/// So many of each, in turn.
pub fn measure(extent: &Extent) -> Start {
    let (mut first_request, mut created, mut by_floor) = (Vec::new(), Vec::new(), Vec::new());
    let mut requests = 0;
    for _ in 0..extent.starts {
        first_request.push(until_first_request());
        let mut world = World::empty();
        let settings =
            world.settings().with("REPLICA_MIN_AVAILABLE_RESOURCES", &MINIMUM.to_string());
        let began = Instant::now();
        let scaler = Scaler::start(&settings);
        let status = scaler.wait_for_pass();
        created.push(began.elapsed());
        let journal = world.journal();
        drop(scaler);
        assert!(journal.contains("POST"), "nothing was created: {status}");
        requests = world.counts().requests;
        let mut floor = floor::repeats();
        let began = Instant::now();
        assert_eq!(floor.ask(&journal), requests.to_string());
        by_floor.push(began.elapsed());
    }
    let (first_request, created) = (median(first_request), median(created));
    Start { first_request, created, floor: median(by_floor), requests }
}

fn until_first_request() -> Duration {
    let cloud = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let settings = Settings::none()
        .with("OS_AUTH_URL", &format!("http://{}/v3", cloud.local_addr().unwrap()))
        .with("OS_USERNAME", "bench")
        .with("OS_PASSWORD", "bench")
        .with("OS_PROJECT_NAME", "bench")
        .with("APP_HOST", "127.0.0.1")
        .with("APP_PORT", "0");
    let began = Instant::now();
    let daemon = Daemon::start(&settings);
    cloud.accept().expect("it connects");
    let took = began.elapsed();
    drop(daemon);
    took
}

/// What README shows.
pub fn table(start: &Start) -> String {
    let Start { first_request, created, floor, requests } = start;
    format!(
        "\
From the start of the program; milliseconds:

| | time | floor | ratio |
|---|---:|---:|---:|
| to its first request | {} | | |
| to the end of the pass that makes {MINIMUM} replicas, with {requests} requests | {} | {} | {:.2} |
",
        ms(*first_request),
        ms(*created),
        ms(*floor),
        ratio(*created, *floor),
    )
}
