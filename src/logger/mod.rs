//! One line per record on stderr: text for people, for `docker logs` and for journald, or JSON for machines.
//!
//! Only this program's own records are shown, however loud `RUST_LOG` is: those of the HTTP library hold request headers,
//! and with them the token.
//!
//! Whoever logs never waits for whoever reads ([`Outlet`]): lines that nobody reads are lost, counted, and the log says so
//! once it can be written again.

mod filter;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::time::SystemTime;

use env_logger::{Builder, Logger, Target};
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde::Serialize;

pub use filter::Filter;

use crate::error::one_line;
use crate::outlet::Outlet;

/// Where the log goes, and how it looks.
static LOG: OnceLock<(Option<Outlet>, Look)> = OnceLock::new();

#[derive(Clone, Copy, Debug)]
struct Look {
    format: Format,
    under_journald: bool,
}

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

/// Starts logging. Under journald text carries a priority (sd-daemon(3)) instead of a time, and JSON a priority before it;
/// journald takes it off.
pub fn start(filter: &Filter, format: Format, under_journald: bool) {
    let look = Look { format, under_journald };
    // Without a thread the log is written as ever.
    let outlet = Outlet::start(io::stderr(), "log", lost_line).ok();
    let _ = LOG.set((outlet, look));
    let mut builder = Builder::new();
    builder.parse_filters(filter.as_str()).target(Target::Pipe(Box::new(Lines)));
    builder.format(move |buffer, record| writeln!(buffer, "{}", line(record, look)));
    let logger = builder.build();
    let level = logger.filter();
    if log::set_boxed_logger(Box::new(OwnRecords(logger))).is_ok() {
        log::set_max_level(level.min(LevelFilter::Trace));
    }
}

/// Says something in the log whatever `RUST_LOG` is: `text` for people, the same as an error for machines.
pub fn say(text: &str) {
    let line = match LOG.get() {
        Some((_, Look { format: Format::Json, .. })) => json(Level::Error, OWN, text.to_owned()),
        _ => format!("{OWN}: {text}"),
    };
    put(line + "\n");
}

/// Waits for the last lines to be written: while somebody reads them, and a little longer.
pub fn finish() {
    outlet().into_iter().for_each(Outlet::finish);
}

/// The same when the program has to be gone in a moment.
pub fn finish_in_haste() {
    outlet().into_iter().for_each(Outlet::finish_in_haste);
}

/// Lines that were lost, because nobody read them or they could not be written.
pub fn lines_lost() -> u64 {
    outlet().map_or(0, Outlet::lost)
}

fn outlet() -> Option<&'static Outlet> {
    LOG.get().and_then(|(outlet, _)| outlet.as_ref())
}

fn put(line: String) {
    // Whoever closed stderr wants no log.
    let _ = match outlet() {
        Some(outlet) => outlet.put(line),
        None => io::stderr().write_all(line.as_bytes()),
    };
}

/// What the log says of lines that it lacks.
fn lost_line(count: u64) -> Option<String> {
    let (_, look) = LOG.get()?;
    let lines = if count == 1 { "1 line" } else { &format!("{count} lines") };
    let text =
        format_args!("{lines} of this log lost here: could not be written, or nobody read them");
    let mut record = Record::builder();
    record.level(Level::Warn).target(module_path!()).args(text);
    Some(line(&record.build(), *look) + "\n")
}

/// Where `env_logger` writes to: a whole line at a time.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        put(String::from_utf8_lossy(line).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
fn line(record: &Record<'_>, look: Look) -> String {
    let Look { format, under_journald } = look;
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

/// One line of JSON, without its end.
fn json(level: Level, target: &str, message: String) -> String {
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
        let look = Look { format, under_journald };
        line(&builder.args(format_args!("say \"it\"\n")).build(), look)
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
        assert!(line.starts_with("panicked at src/logger/mod.rs:"), "{line}");
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
