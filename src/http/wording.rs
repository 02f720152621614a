//! Why there was no answer, in words and in kind.

use std::io;
use std::time::Duration;

use ureq::Timeout;

use crate::error::{ErrorKind, one_line, out_of_resources};
use crate::http::proxy_fault::ProxyFault;
use crate::http::remedy::{dated, refused_handshake};
use crate::metrics::ProbeFailure;

/// Longest cause that is not ours to word, in characters.
const CAUSE_CHARS_MAX: usize = 160;

/// Why there is no answer from where nobody refuses a connection, and nobody takes it.
pub const CANNOT_CONNECT_IN_TIME: &str = "cannot connect in time";

/// Why no whole answer came, in words. `limit` is the time the request had.
pub fn without_answer(error: &ureq::Error, limit: Duration, body_bytes_max: u64) -> String {
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => words(error),
        ureq::Error::Timeout(_) => format!("no answer within {} s", limit.as_secs().max(1)),
        ureq::Error::BodyExceedsLimit(_) => {
            format!("the answer is larger than {} KiB", body_bytes_max / 1024)
        }
        _ => words(error),
    }
}

/// The same where no limit is known.
pub fn words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            CANNOT_CONNECT_IN_TIME.to_owned()
        }
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::HostNotFound => "host name not found".to_owned(),
        ureq::Error::LargeResponseHeader(..) => "the answer's header is too large".to_owned(),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => "not a valid URL".to_owned(),
        ureq::Error::Protocol(_) => "the answer is not HTTP, or ends too early".to_owned(),
        ureq::Error::Io(error) => io_words(error),
        // Ours: a line already.
        ureq::Error::Other(ours) => ours.to_string(),
        other => one_line(&other.to_string(), CAUSE_CHARS_MAX),
    }
}

fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "connection reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "connection closed before the end of the answer".to_owned(),
        kind => {
            let text = one_line(&dated(&error.to_string()), CAUSE_CHARS_MAX);
            match text.strip_prefix(NO_SUCH_HOST) {
                Some(why) => format!("host name not found{why}"),
                // rustls speaks through io::Error.
                None if kind == io::ErrorKind::InvalidData => format!("TLS: {text}"),
                None => text,
            }
        }
    }
}

/// How std's errors of `getaddrinfo` begin: they have no kind of their own.
const NO_SUCH_HOST: &str = "failed to lookup address information";

/// Whether the request may have been carried out although no whole answer came.
pub fn kind(error: &ureq::Error) -> ErrorKind {
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::BadUri(_)
        | ureq::Error::Http(_)
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::TlsRequired => ErrorKind::Unavailable,
        ureq::Error::Io(error) if never_connected(error) => ErrorKind::Unavailable,
        ureq::Error::Other(ours) => {
            ours.downcast_ref::<ProxyFault>().map_or(ErrorKind::Unclear, |fault| fault.kind)
        }
        ureq::Error::BodyExceedsLimit(_) => ErrorKind::TooLarge,
        _ => ErrorKind::Unclear,
    }
}

/// Why a replica gave no whole answer, in the kinds that metrics tell apart.
pub fn probe_failure(error: &ureq::Error) -> ProbeFailure {
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed => ProbeFailure::Unreachable,
        ureq::Error::Io(error) if could_not_connect(error) => ProbeFailure::Unreachable,
        ureq::Error::Timeout(_) => ProbeFailure::Timeout,
        // Somebody is there, but talks no HTTP, hangs up or shows a wrong certificate.
        _ => ProbeFailure::Invalid,
    }
}

fn never_connected(error: &io::Error) -> bool {
    could_not_connect(error) || out_of_resources(error) || refused_handshake(&error.to_string())
}

fn could_not_connect(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable
    ) || error.to_string().starts_with(NO_SUCH_HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: io::Error, words: &str, expected: ErrorKind) {
        let error = ureq::Error::Io(error);
        let told = without_answer(&error, Duration::from_secs(1), 1024);
        assert_eq!((told.as_str(), kind(&error)), (words, expected));
    }

    #[test]
    fn a_name_that_is_not_found_says_so_and_means_that_nothing_was_done() {
        let text = "failed to lookup address information: Name or service not known";
        let words = "host name not found: Name or service not known";
        check(io::Error::other(text), words, ErrorKind::Unavailable);
    }

    #[test]
    fn what_tls_finds_wrong_is_told_apart_from_the_rest() {
        let tls = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text);
        let certificate = "invalid peer certificate: UnknownIssuer";
        check(tls(certificate), &format!("TLS: {certificate}"), ErrorKind::Unavailable);
        // It may have come in the middle of an answer.
        let corrupt = "received corrupt message of type InvalidContentType";
        check(tls(corrupt), &format!("TLS: {corrupt}"), ErrorKind::Unclear);
        check(io::Error::other("something else"), "something else", ErrorKind::Unclear);
    }
}
