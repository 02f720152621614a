//! One line per record on stderr, for people, for `docker logs` and for journald.

use std::io::Write;
use std::time::SystemTime;

use env_logger::{Builder, Logger};
use log::{Level, LevelFilter, Log, Metadata, Record};

/// Starts logging. `filter` is the value of `RUST_LOG`; unset or empty means `info`. Under journald (`JOURNAL_STREAM` is set) lines carry
/// a priority (sd-daemon(3)) instead of a time.
pub fn start(filter: Option<&str>, under_journald: bool) {
    let filter = filter.filter(|filter| !filter.is_empty()).unwrap_or("info");
    let mut builder = Builder::new();
    builder.parse_filters(filter);
    builder.format(move |buffer, record| {
        let message = record.args();
        if under_journald {
            return writeln!(buffer, "<{}>{message}", priority(record.level()));
        }
        let time = humantime::format_rfc3339_seconds(now());
        writeln!(buffer, "{time} {:5} {message}", record.level())
    });
    let logger = builder.build();
    let level = logger.filter();
    if log::set_boxed_logger(Box::new(OwnRecords(logger))).is_ok() {
        log::set_max_level(level.min(LevelFilter::Trace));
    }
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

/// Only this program's own records: the HTTP library's would show request headers, and with them the token.
struct OwnRecords(Logger);

impl Log for OwnRecords {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("simplescalevm") && self.0.enabled(metadata)
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
