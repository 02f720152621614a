//! The status server: the results of the last passes, over HTTP. It reads a snapshot and cannot hold anything up.
//!
//! ```text
//! loop ──► Latest ◄── answer ◄── tiny_http ◄── gate ◄── the network
//! ```
//!
//! People get a page, scripts get JSON; both are made afresh for each request, from the same snapshot.

pub mod ended_pass;
#[cfg(test)]
pub(crate) mod fixture;
pub mod gate;
mod gauges;
pub mod health;
pub mod history;
pub mod json;
pub mod latest;
pub mod line;
pub mod lives;
pub mod page;
pub mod place;
pub mod pool_settings;
pub mod question;
mod server;
pub mod snapshot;
pub mod trouble;
pub mod verdict;
pub mod words;

use serde::Serialize;

pub use server::{may_listen, start};

use crate::clock::Clock;
use crate::handles::Handles;
use crate::metrics;
use latest::Latest;
use question::Question;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What the body is.
    pub content: Content,
    /// The body.
    pub body: String,
}

/// What the body of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// For scripts.
    Json,
    /// For people: a page that needs nothing from elsewhere, and so may have nothing from there.
    Html,
    /// For Prometheus, in its text format.
    Metrics,
}

impl Content {
    /// The header fields that go with it.
    fn fields(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Content::Json => &[("Content-Type", "application/json")],
            Content::Metrics => &[("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
            Content::Html => &[
                ("Content-Type", "text/html; charset=utf-8"),
                ("Content-Security-Policy", page::POLICY),
                ("X-Frame-Options", "DENY"),
                ("Referrer-Policy", "no-referrer"),
            ],
        }
    }
}

impl Answer {
    /// JSON.
    pub fn json(status: u16, body: String) -> Self {
        Answer { status, content: Content::Json, body }
    }

    /// A page.
    pub fn html(body: String) -> Self {
        Answer { status: 200, content: Content::Html, body }
    }
}

/// What a `GET` is answered with.
pub type Responder = dyn Fn(&Question<'_>) -> Answer + Send + Sync;

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

/// Answers a `GET`.
pub fn answer(
    question: &Question<'_>,
    latest: &Latest,
    clock: &Clock,
    handles: &Handles,
) -> Answer {
    latest.happened(handles.turn.take_events());
    let (snapshot, history) = latest.with_history();
    let snapshot = snapshot.with_lease(handles.turn.view());
    let snapshot = match question.path {
        "/" | "/status" => snapshot.with_questions(handles.questions.all()),
        _ => snapshot,
    };
    let now = clock.now();
    match question.path {
        "/" if question.prefers_html() => {
            Answer::html(page::render(&snapshot, &history, now, &question.parameter("filter")))
        }
        "/" | "/status" => {
            Answer::json(200, json::page(&snapshot, history.events.iter().rev(), now))
        }
        "/metrics" => {
            let gauges = gauges::gauges(&snapshot, now.elapsed);
            let body = metrics::render(&gauges, &handles.metrics.counters());
            Answer { status: 200, content: Content::Metrics, body }
        }
        "/healthz" => {
            let why = health::healthy(&snapshot, now.elapsed).err();
            let status = if why.is_none() { 200 } else { 503 };
            Answer::json(status, json::text(&Health { healthy: why.is_none(), why }))
        }
        "/livez" => {
            let why = health::alive(&snapshot.settings, handles.progress.idle()).err();
            let status = if why.is_none() { 200 } else { 503 };
            Answer::json(status, json::text(&Life { alive: why.is_none(), why }))
        }
        _ => fault(404, "no such path (have: /, /status, /healthz, /livez, /metrics)"),
    }
}

fn fault(status: u16, error: &str) -> Answer {
    Answer::json(status, json::text(&Fault { error }))
}
