//! What is shown of a large pool, while a pass runs.

use std::time::{Duration, Instant};

use crate::daemon::send;
use crate::extent::Extent;
use crate::numbers::{median, ms, thousands};
use crate::scaler::Scaler;
use crate::world::World;

/// What is asked for, and as what.
const PAGES: [(&str, &str, &str); 3] = [
    ("the page", "/", "text/html"),
    ("`/status`", "/status", "application/json"),
    ("`/metrics`", "/metrics", "text/plain"),
];

/// How often a pass may end before the answer does, which is no fault.
const ATTEMPTS: usize = 50;

/// A pool, and what its pages took.
pub struct Shown {
    count: usize,
    pages: Vec<Page>,
}

struct Page {
    what: &'static str,
    times: Vec<Duration>,
    bytes: usize,
    during: usize,
}

/// Asks for each page while a pass runs.
pub fn measure(count: usize, extent: &Extent) -> Shown {
    let world = World::with_pool(count, 0);
    let scaler = Scaler::start(&world.settings().with("APP_INTERVAL", "3600"));
    scaler.wait_for_pass();
    let url = scaler.daemon.status_url();
    let pages = PAGES.map(|(what, path, accept)| {
        let mut page = Page { what, times: Vec::new(), bytes: 0, during: 0 };
        for _ in 0..ATTEMPTS {
            if page.during == extent.questions {
                break;
            }
            scaler.ask_for_pass();
            let began = Instant::now();
            let answer = send("GET", &format!("{url}{path}"), &[("Accept", accept)], None);
            let took = began.elapsed();
            let (status, _, body) = answer.expect("an answer");
            assert_eq!(status, 200, "{what}");
            page.bytes = body.len();
            if scaler.has_ended() {
                continue;
            }
            scaler.wait_for_pass();
            page.times.push(took);
            page.during += 1;
        }
        page
    });
    Shown { count, pages: pages.into() }
}

/// What README shows.
pub fn table(rows: &[Shown]) -> String {
    let mut table = "\
What is shown while a pass runs; milliseconds, kilobytes:

| replicas | | median | slowest | size |
|---:|---|---:|---:|---:|
"
    .to_owned();
    for Shown { count, pages } in rows {
        for Page { what, times, bytes, .. } in pages {
            let (count, kilobytes) = (thousands(*count), thousands(bytes / 1000));
            let slowest = times.iter().max().copied();
            let [median, slowest] = [slowest.map(|_| median(times.clone())), slowest]
                .map(|time| time.map_or("-".to_owned(), ms));
            let row = format!("| {count} | {what} | {median} | {slowest} | {kilobytes} |\n");
            table.push_str(&row);
        }
    }
    table
}
