//! The columns: everything that can go wrong with a request.

use super::rows::{LOOK, LOOKUP, Row};
use crate::fake::{Fault, Manner, Speaks};

/// One thing that can go wrong.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: &'static str,
    pub how: How,
    /// What the log says went wrong.
    pub why: &'static str,
}

/// How it is brought about.
#[derive(Clone, Debug)]
pub enum How {
    /// The fake cloud does it to the request.
    Fault(Fault),
    /// The service's port is closed when the request comes.
    Refused,
    /// The catalog names a host that does not exist.
    NoSuchHost,
    /// The catalog leads to a port on which no TLS connection can be had.
    NoTls(Speaks),
}

/// More than any answer may be.
const BIG: usize = 50_000_000;

/// What answers with an error say, beside their status.
const STATUSES: [(&str, u16); 12] = [
    ("status 300", 300),
    ("status 400", 400),
    ("status 401", 401),
    ("status 403", 403),
    ("status 404", 404),
    ("status 409", 409),
    ("status 413", 413),
    ("status 429", 429),
    ("status 500", 500),
    ("status 502", 502),
    ("status 503", 503),
    ("status 504", 504),
];

/// All of them.
pub fn columns() -> Vec<Column> {
    let column = |name, how, why| Column { name, how, why };
    let fault = |name, fault, why| column(name, How::Fault(fault), why);
    let late = "no answer within";
    let ended = "connection closed before the end of the answer";
    let mut columns = vec![
        column("refused", How::Refused, "connection refused"),
        column("no such host", How::NoSuchHost, "host name not found"),
        column(
            "untrusted certificate",
            How::NoTls(Speaks::UntrustedTls),
            "TLS: invalid peer certificate: UnknownIssuer (set OS_CACERT",
        ),
        column("no TLS", How::NoTls(Speaks::PlainHttp), "TLS: "),
        fault("hang before the headers", Fault::Undone(Manner::HangBeforeHeaders), late),
        fault("hang in the body", Fault::Sent(Manner::HangInBody), late),
        fault("drip", Fault::Sent(Manner::Drip), late),
        fault("closed", Fault::Undone(Manner::Closed), ended),
        fault("closed half-way", Fault::Sent(Manner::CutShort), ended),
        fault("reset", Fault::Undone(Manner::Reset), "connection reset"),
        // ureq tells a reset from a close in the headers only.
        fault("reset half-way", Fault::Sent(Manner::ResetHalfWay), "connection "),
        fault("truncated JSON", Fault::Truncated, "not the expected JSON"),
        fault("wrong JSON types", Fault::WrongTypes, "not the expected JSON"),
        fault("HTML with 200", Fault::html(200), "not the expected JSON"),
        fault("gzip", Fault::Gzip, "the answer is compressed (gzip)"),
        fault("50 MB", Fault::Big(BIG), "the answer is larger than 16384 KiB"),
        fault("status 429 with Retry-After", Fault::rate_limited("2"), "status 429: This request"),
        fault("lost reply", Fault::Sent(Manner::Closed), ended),
        fault("reply lost in a reset", Fault::Sent(Manner::Reset), "connection reset"),
        fault("reply that never comes", Fault::Sent(Manner::HangBeforeHeaders), late),
        fault("400 with all that was sent", Fault::Echo(400), "status 400: "),
        fault("500 with all that was sent", Fault::Echo(500), "status 500: "),
        fault("500 that recites", Fault::Recite(500), "status 500: "),
        fault("200 that recites", Fault::Recite(200), "not the expected JSON"),
    ];
    columns.extend(STATUSES.map(|(name, status)| fault(name, Fault::html(status), name)));
    columns
}

/// Whether the cell makes sense: the catalog is read at login, so it is only on the first request to a service that it can
/// lead astray.
pub fn possible(row: &Row, column: &Column) -> bool {
    match column.how {
        How::NoSuchHost | How::NoTls(_) => row.after.is_none(),
        How::Fault(_) | How::Refused => true,
    }
}

/// Whether what happens is no failure, and why.
pub fn no_failure(row: &Row, column: &Column) -> Option<&'static str> {
    let has = |names: &[&str]| names.contains(&column.name);
    match row.name {
        "version" if has(&REFUSALS) => Some("a Nova that hides its version is spoken to in 2.1"),
        "version" if has(&UNREADABLE) => {
            Some("a Nova that cannot tell its version is spoken to in 2.1")
        }
        LOOKUP if has(&["truncated JSON", "wrong JSON types", "gzip"]) => Some("it is still a 404"),
        LOOKUP if has(&["status 404"]) => Some("then the server is gone"),
        LOOK | "delete" if has(&["status 404"]) => Some("what is gone already need not be deleted"),
        "delete"
            if has(&[
                "truncated JSON",
                "wrong JSON types",
                "gzip",
                "HTML with 200",
                "200 that recites",
            ]) =>
        {
            Some("nothing is read from the answer, and the next list shows what became of it")
        }
        _ => None,
    }
}

const UNREADABLE: [&str; 6] =
    ["truncated JSON", "wrong JSON types", "HTML with 200", "200 that recites", "gzip", "50 MB"];

const REFUSALS: [&str; 8] = [
    "status 300",
    "status 400",
    "status 401",
    "status 403",
    "status 404",
    "status 409",
    "status 413",
    "400 with all that was sent",
];

impl Column {
    /// The answer is larger than any may be.
    pub fn is_big(&self) -> bool {
        matches!(self.how, How::Fault(Fault::Big(_)))
    }
}
