//! One line per record on stderr: text for people, for `docker logs` and for journald, or JSON for machines.
//!
//! Only this program's own records are shown, however loud `RUST_LOG` is: those of the HTTP library hold request headers,
//! and with them the token.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::panic::PanicHookInfo;
use std::time::SystemTime;

use env_logger::{Builder, Logger};
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde::Serialize;

use crate::error::one_line;

/// Longest line of a panic, in characters.
const PANIC_CHARS_MAX: usize = 400;

/// What the targets of our own records begin with: the crate's name.
const OWN: &str = "simplescalevm";

/// How lines look (`LOG_FORMAT`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Time, level and message.
    #[default]
    Text,
    /// One JSON object with `time`, `level`, `target` and `message`.
    Json,
}

impl Format {
    /// Every format, by the word that chooses it.
    pub const WORDS: [(&str, Format); 2] = [("text", Format::Text), ("json", Format::Json)];

    /// What a value of `LOG_FORMAT` chooses. A wrong one is text: the settings' own check tells that it is wrong.
    pub fn of(value: &str) -> Self {
        let found = Format::WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(value.trim()));
        found.map(|(_, format)| *format).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct JsonLine<'a> {
    time: String,
    level: String,
    target: &'a str,
    message: String,
}

/// Starts logging. `filter` is the value of `RUST_LOG`; unset or empty means `info`. Under journald text carries a
/// priority (sd-daemon(3)) instead of a time, and JSON a priority before it; journald takes it off.
pub fn start(filter: Option<&str>, format: Format, under_journald: bool) {
    let filter = filter.filter(|filter| !filter.is_empty()).unwrap_or("info");
    let mut builder = Builder::new();
    builder.parse_filters(filter);
    builder
        .format(move |buffer, record| writeln!(buffer, "{}", line(record, format, under_journald)));
    let logger = builder.build();
    let level = logger.filter();
    if log::set_boxed_logger(Box::new(OwnRecords(logger))).is_ok() {
        log::set_max_level(level.min(LevelFilter::Trace));
    }
}

/// Whether stderr is what `JOURNAL_STREAM` names (`systemd.exec(5)`): the variable alone may be inherited from a service
/// whose child writes elsewhere.
pub fn is_journal(journal_stream: Option<&str>) -> bool {
    let stderr = fs::metadata("/proc/self/fd/2");
    let named = stderr.map(|stderr| format!("{}:{}", stderr.dev(), stderr.ino()));
    named.is_ok_and(|named| journal_stream == Some(named.as_str()))
}

/// A panic as one line, as everything else in the log: where and why, and nothing of the data that was at hand (no
/// backtrace, no arguments).
pub fn panic_line(panic: &PanicHookInfo<'_>) -> String {
    one_line(&panic.to_string(), PANIC_CHARS_MAX)
}

/// One line, without its end.
fn line(record: &Record<'_>, format: Format, under_journald: bool) -> String {
    let message = record.args();
    let prefix =
        if under_journald { format!("<{}>", priority(record.level())) } else { String::new() };
    match format {
        Format::Json => {
            format!("{prefix}{}", json(record.level(), record.target(), message.to_string()))
        }
        Format::Text if under_journald => format!("{prefix}{message}"),
        Format::Text => {
            let time = humantime::format_rfc3339_seconds(now());
            format!("{time} {:5} {message}", record.level())
        }
    }
}

/// One line of JSON, without its end: for what has to be said whatever `RUST_LOG` is.
pub fn json(level: Level, target: &str, message: String) -> String {
    let time = humantime::format_rfc3339_millis(now()).to_string();
    let level = level.as_str().to_ascii_lowercase();
    let line = JsonLine { time, level, target, message };
    serde_json::to_string(&line).unwrap_or_else(|error| format!("{{\"message\":\"{error}\"}}"))
}

#[expect(clippy::disallowed_methods, reason = "a log line carries this machine's time")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

struct OwnRecords(Logger);

impl Log for OwnRecords {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let crate_name = metadata.target().split("::").next();
        crate_name == Some(OWN) && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::{panic, thread};

    use super::*;
    use crate::secret::Secret;

    #[track_caller]
    fn shown(format: Format, under_journald: bool) -> String {
        let mut builder = Record::builder();
        builder.level(Level::Warn).target("simplescalevm::news");
        line(&builder.args(format_args!("say \"it\"\n")).build(), format, under_journald)
    }

    #[test]
    fn json_has_the_same_fields_in_each_line() {
        let line = shown(Format::Json, false);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let fields: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["level", "message", "target", "time"], "{line}");
        assert_eq!(value["level"], "warn");
        assert_eq!(value["target"], "simplescalevm::news");
        assert_eq!(value["message"], "say \"it\"\n");
        let time = value["time"].as_str().unwrap();
        assert!(humantime::parse_rfc3339(time).is_ok() && time.len() == 24, "no ms: {time}");
    }

    #[test]
    fn a_panic_is_one_line_with_its_place_and_its_reason() {
        let (said, heard) = mpsc::channel();
        let (mine, others) = (thread::current().id(), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            if thread::current().id() == mine {
                let _ = said.send(panic_line(panic));
            } else {
                others(panic);
            }
        }));
        let secret = Secret::new("s3cret");
        let caught = panic::catch_unwind(|| panic!("first line\nsecond of {secret:?}"));
        let _ = panic::take_hook();
        assert!(caught.is_err());
        let line = heard.try_recv().unwrap();
        assert!(line.starts_with("panicked at src/logger.rs:"), "{line}");
        assert!(line.ends_with(": first line second of Secret(…)"), "{line}");
    }

    #[test]
    fn journald_gets_a_priority() {
        assert_eq!(shown(Format::Text, true), "<4>say \"it\"\n");
        assert!(shown(Format::Json, true).starts_with("<4>{\"time\""));
    }

    #[test]
    fn text_begins_with_time_and_level() {
        let line = shown(Format::Text, false);
        let words: Vec<&str> = line.split_whitespace().take(3).collect();
        assert_eq!(words[1..], ["WARN", "say"], "{line}");
        assert!(humantime::parse_rfc3339(words[0]).is_ok(), "{line}");
    }

    #[test]
    fn other_crates_records_are_not_shown_however_loud_the_filter() {
        let mut builder = Builder::new();
        let logger = OwnRecords(builder.parse_filters("trace").build());
        let enabled = |target| {
            logger.enabled(&Metadata::builder().level(Level::Error).target(target).build())
        };
        assert!(enabled("simplescalevm") && enabled("simplescalevm::http::cloud"));
        assert!(!enabled("ureq_proto::client") && !enabled("simplescalevm2"));
    }
}
