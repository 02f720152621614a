//! What happens and changes, as data: made once, while a pass runs, for the log, the page and `/status` alike.
//!
//! [`News`] hears of everything when it happens, says it in the log and remembers it. One file per question: what has
//! changed since the last look ([`sight`]), what has ended ([`over`]), when to speak again of what lasts ([`repeat`]).

mod news;
mod over;
mod repeat;
mod sight;

use std::time::SystemTime;

pub use news::{News, is_of_one_replica};

/// Something that happened or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, by this machine's clock.
    pub at: SystemTime,
    /// How it is to be taken.
    pub tone: Tone,
    /// What it is about; names no id, name or address, so it is all that a summary shows.
    pub subject: String,
    /// What happened, to what, and why: the line in the log.
    pub text: String,
}

/// How an event or a fact is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As news.
    Plain,
    /// As good news.
    Good,
    /// Worth a look.
    Warning,
    /// Bad.
    Bad,
}

impl Tone {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Tone::Plain => "info",
            Tone::Good => "good",
            Tone::Warning => "warning",
            Tone::Bad => "error",
        }
    }
}

#[cfg(test)]
mod fixture {
    use crate::model::{Condition, ServerId};
    use crate::plan::{Deletion, DeletionReason};

    /// Of web-ID.
    pub fn deletion(id: &str) -> Deletion {
        Deletion {
            server: ServerId::new(id),
            name: format!("web-{id}"),
            reason: DeletionReason::Finished,
            why: "finished".into(),
            condition: Condition::Active { task: None },
            words: "active".into(),
            ask: None,
            only_after: Vec::new(),
        }
    }
}
