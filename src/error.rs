//! One error type: a sentence for people, and a kind for the few places that choose by it.

use std::fmt;
use std::io;
use std::time::Duration;

/// What a failure means for what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The service said no with this HTTP status (3xx or 4xx): nothing was done.
    Refused(u16),
    /// A quota is used up: nothing was done.
    Quota,
    /// Too many requests (429): nothing was done.
    RateLimited {
        /// How long the service asked us to wait (its `Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The request never reached the service (refused connection, name not found, TLS failure).
    Unavailable,
    /// Timeout, reset or 5xx: the work may have been done or not.
    Unclear,
    /// An answer came but cannot be understood.
    Invalid,
    /// An answer came and was larger than any may be: asking again would give the same.
    TooLarge,
    /// A setting names something that does not exist; the operator has to act.
    Setting,
    /// The program is ending and gave up waiting.
    Interrupted,
    /// It would have changed something and is not this scaler's turn: it was not sent.
    NotOurTurn,
}

impl ErrorKind {
    /// Every kind in one word, as metrics spell it.
    pub const NAMES: [&'static str; 8] = [
        "refused",
        "quota",
        "rate_limited",
        "unavailable",
        "unclear",
        "invalid",
        "setting",
        "interrupted",
    ];

    /// The kind in one word, as metrics spell it: one of [`ErrorKind::NAMES`].
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Refused(_) => "refused",
            ErrorKind::Quota => "quota",
            ErrorKind::RateLimited { .. } => "rate_limited",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Unclear => "unclear",
            ErrorKind::Invalid | ErrorKind::TooLarge => "invalid",
            ErrorKind::Setting => "setting",
            ErrorKind::Interrupted | ErrorKind::NotOurTurn => "interrupted",
        }
    }
}

/// More than any message of our own: lists of names are the longest.
const TEXT_CHARACTERS_MAX: usize = 4000;

/// A failure: what was being done, to what, what went wrong, and what to do; one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What code may choose by.
    pub kind: ErrorKind,
    /// What people read. Never holds a secret, a line break, or more than a line.
    pub text: String,
}

impl Error {
    /// An error of this kind with this text. What it quotes may come from anywhere, so it is made one line here.
    pub fn new(kind: ErrorKind, text: impl AsRef<str>) -> Self {
        Error { kind, text: unbroken(text.as_ref()) }
    }

    /// The same error, with what was being done in front: `context: text`.
    #[must_use]
    pub fn context(self, what: impl fmt::Display) -> Self {
        Error { kind: self.kind, text: format!("{what}: {}", self.text) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

/// The result of whatever can fail with an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`: this machine has run out. That says nothing about the other end.
const OUT_OF_RESOURCES: [i32; 4] = [24, 23, 12, 105];

/// Whether this machine was short of something: file descriptors, memory.
pub fn out_of_resources(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|number| OUT_OF_RESOURCES.contains(&number))
}

/// `text` as one line of bounded length. Its blanks stay as they are: they may be the very thing that is wrong with a name.
fn unbroken(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let joined = text.split(breaks).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    shortened(joined, TEXT_CHARACTERS_MAX)
}

/// `text` as one line of at most `max` characters: what a service said, fit for a log.
pub fn one_line(text: &str, max: usize) -> String {
    let joined = text.split(|c: char| c.is_whitespace() || c.is_control());
    shortened(joined.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "), max)
}

fn shortened(text: String, max: usize) -> String {
    if text.chars().count() <= max {
        return text;
    }
    let cut: String = text.chars().take(max.saturating_sub(1)).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_quoted_an_error_is_one_line_of_bounded_length() {
        let quoted = format!("server a\r\nERROR b: {}", "x".repeat(10_000));
        let text = Error::new(ErrorKind::Invalid, quoted).text;
        assert!(text.starts_with("server a ERROR b: xxx"), "{text}");
        assert_eq!(text.chars().count(), TEXT_CHARACTERS_MAX, "{text}");
    }

    #[test]
    fn an_error_shows_the_blanks_of_what_it_quotes() {
        let text = Error::new(ErrorKind::Setting, "OPENSTACK_FLAVOR \"d2-8  x\u{a0}\"").text;
        assert_eq!(text, "OPENSTACK_FLAVOR \"d2-8  x\u{a0}\"");
    }
}
