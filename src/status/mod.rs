//! The status server: what the last passes came to, over HTTP. It reads a snapshot and can hold up nothing.
//!
//! ```text
//! loop ──► Latest ◄── answer ◄── tiny_http ◄── gate ◄── the network
//! ```

#[cfg(test)]
mod fixture;
mod gate;
pub mod health;
pub mod json;
mod server;
pub mod snapshot;

use serde::Serialize;

pub use server::start;

use crate::progress::Progress;
use snapshot::{Clock, Latest};

/// One answer: always JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

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
pub fn answer(path: &str, latest: &Latest, clock: &Clock, progress: &Progress) -> Answer {
    let snapshot = latest.get();
    let elapsed = clock.now().elapsed;
    match path {
        "/" => Answer { status: 200, body: json::page(&snapshot, elapsed) },
        "/healthz" => {
            let why = health::healthy(&snapshot, elapsed).err();
            let status = if why.is_none() { 200 } else { 503 };
            Answer { status, body: json::text(&Health { healthy: why.is_none(), why }) }
        }
        "/livez" => {
            let why = health::alive(&snapshot, progress.idle()).err();
            let status = if why.is_none() { 200 } else { 503 };
            Answer { status, body: json::text(&Life { alive: why.is_none(), why }) }
        }
        _ => fault(404, "no such path (have: /, /healthz, /livez)"),
    }
}

fn fault(status: u16, error: &str) -> Answer {
    Answer { status, body: json::text(&Fault { error }) }
}
