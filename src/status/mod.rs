//! The status server: what the last passes came to, over HTTP. It reads a snapshot and can hold up nothing.
//!
//! ```text
//! loop ──► Latest ◄── answer ◄── tiny_http ◄── gate ◄── the network
//! ```

#[cfg(test)]
pub(crate) mod fixture;
mod gate;
mod gauges;
pub mod health;
pub mod json;
mod server;
pub mod snapshot;

use serde::Serialize;

pub use server::start;

use crate::handles::Handles;
use crate::metrics;
use snapshot::{Clock, Latest};

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its media type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// The media type of Prometheus's text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

const JSON: &str = "application/json";

/// What a `GET` of a path is answered with.
pub type Responder = dyn Fn(&str) -> Answer + Send + Sync;

#[derive(Serialize)]
struct Health {
    healthy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
struct Life {
    alive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
struct Fault<'a> {
    error: &'a str,
}

/// Answers `GET path`; `path` is without a query.
pub fn answer(path: &str, latest: &Latest, clock: &Clock, handles: &Handles) -> Answer {
    let snapshot = latest.get();
    let elapsed = clock.now().elapsed;
    match path {
        "/" => json_answer(200, json::page(&snapshot, elapsed)),
        "/metrics" => {
            let gauges = gauges::gauges(&snapshot, elapsed);
            let body = metrics::render(&gauges, &handles.metrics.counters());
            Answer { status: 200, content_type: METRICS, body }
        }
        "/healthz" => {
            let why = health::healthy(&snapshot, elapsed).err();
            let status = if why.is_none() { 200 } else { 503 };
            json_answer(status, json::text(&Health { healthy: why.is_none(), why }))
        }
        "/livez" => {
            let why = health::alive(&snapshot, handles.progress.idle()).err();
            let status = if why.is_none() { 200 } else { 503 };
            json_answer(status, json::text(&Life { alive: why.is_none(), why }))
        }
        _ => fault(404, "no such path (have: /, /healthz, /livez, /metrics)"),
    }
}

fn fault(status: u16, error: &str) -> Answer {
    json_answer(status, json::text(&Fault { error }))
}

fn json_answer(status: u16, body: String) -> Answer {
    Answer { status, content_type: JSON, body }
}
