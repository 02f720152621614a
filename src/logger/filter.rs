//! What `RUST_LOG` may say. `env_logger` takes a word it does not know for the name of a module, and shows nothing else:
//! `RUST_LOG=warning` would switch the log off, errors too. Here that is a fault.

use log::LevelFilter;

use crate::error::one_line;
use crate::logger::OWN;
use crate::nearest::{near, nearest};

/// Every level, as it is written.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The modules that write lines. To name another one alone would switch the log off, too.
const WRITERS: [&str; 25] = [
    "act::creation",
    "config",
    "daemon",
    "daemon::greeting",
    "daemon::repeat",
    "events::news",
    "http::cloud",
    "lease::etcd",
    "lease::keeper",
    "observe",
    "pass",
    "probe",
    "provider::openstack::compute",
    "provider::openstack::image",
    "provider::openstack::large",
    "provider::openstack::microversion",
    "provider::openstack::session",
    "provider::simulated",
    "provider::simulated::replicas",
    "signals",
    "status::gate",
    "status::json",
    "status::server",
    "systemd",
    "watch",
];

/// What other programs call a level, where its spelling is no help.
const OTHER_WORDS: [(&str, &str); 6] = [
    ("all", "trace"),
    ("critical", "error"),
    ("fatal", "error"),
    ("none", "off"),
    ("notice", "info"),
    ("verbose", "debug"),
];

/// What is shown when nothing is said.
const DEFAULT: &str = "info";

/// Longest word that a fault quotes, in characters.
const QUOTED_CHARS_MAX: usize = 80;

/// Which lines are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(String);

impl Default for Filter {
    fn default() -> Self {
        Filter(DEFAULT.to_owned())
    }
}

impl Filter {
    /// Reads a value of `RUST_LOG`: levels, and `MODULE=LEVEL` for parts of the program. An error is a fault for each part
    /// that is neither.
    pub fn read(value: Option<&str>) -> std::result::Result<Self, Vec<String>> {
        let value = value.unwrap_or_default();
        let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
        let (mut good, mut faults) = (Vec::new(), Vec::new());
        for part in parts {
            match read_part(part) {
                Ok(part) => good.push(part),
                Err(why) => {
                    faults
                        .push(format!("RUST_LOG \"{}\": {why}", one_line(part, QUOTED_CHARS_MAX)));
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        if good.is_empty() {
            good.push(DEFAULT.to_owned());
        }
        Ok(Filter(good.join(",")))
    }

    /// In `env_logger`'s spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One part, without the blanks in it.
fn read_part(part: &str) -> Result<String, String> {
    // `env_logger` hides every line that does not hold the text behind it, errors too.
    if part.contains('/') {
        return Err("must not contain /: separate parts with commas, and search the log for a text with grep".to_owned());
    }
    let Some((module, level)) = part.split_once('=') else {
        return match read_level(part) {
            Ok(level) => Ok(level),
            // As `env_logger` has it: everything of that module.
            Err(_) if is_own(part) => Ok(part.to_owned()),
            Err(_) if part.starts_with(OWN) => Err(not_a_part(part, "trace")),
            Err(why) => Err(why),
        };
    };
    let (module, level) = (module.trim(), level.trim());
    if level.contains('=') {
        return Err("not MODULE=LEVEL".to_owned());
    }
    if !is_own(module) {
        return Err(not_a_part(module, level));
    }
    let level = if level.is_empty() { "trace".to_owned() } else { read_level(level)? };
    Ok(format!("{module}={level}"))
}

/// What is said of a module that is none of ours, with the one that was probably meant.
fn not_a_part(module: &str, level: &str) -> String {
    let bare = module.strip_prefix(OWN).and_then(|rest| rest.strip_prefix("::"));
    let meant = match bare {
        Some(bare) => near(&bare.to_ascii_lowercase(), &modules()),
        // Whatever is only near may be a library.
        None => modules().into_iter().find(|own| *own == module),
    };
    let meant = meant.map(|meant| format!("::{meant}")).unwrap_or_default();
    let level = if level.is_empty() { "trace" } else { level };
    let that_logs = if bare.is_some() { " that logs" } else { "" };
    format!("not a part of this program{that_logs}; did you mean {OWN}{meant}={level}?")
}

/// The modules that write lines, each behind those that it is in.
fn modules() -> Vec<&'static str> {
    let outer = |writer: &'static str| {
        writer.match_indices("::").filter_map(move |(end, _)| writer.get(..end))
    };
    WRITERS.into_iter().flat_map(|writer| outer(writer).chain([writer])).collect()
}

fn read_level(word: &str) -> Result<String, String> {
    if word.parse::<LevelFilter>().is_ok() {
        return Ok(word.to_owned());
    }
    let lower = one_line(word, QUOTED_CHARS_MAX).to_ascii_lowercase();
    let meant = OTHER_WORDS.iter().find(|(other, _)| *other == lower).map(|(_, level)| *level);
    let alike = |level: &&str| level.chars().any(|letter| lower.contains(letter));
    let meant = meant.or_else(|| nearest(&lower, &LEVELS).filter(alike));
    let meant = meant.map(|level| format!("; did you mean {level}?")).unwrap_or_default();
    Err(format!("not a level{meant} (have: {})", LEVELS.join(", ")))
}

/// Whether this is the program's own name, or that of a module with lines in it.
fn is_own(module: &str) -> bool {
    let Some(rest) = module.strip_prefix(OWN) else { return false };
    let Some(named) = rest.strip_prefix("::") else { return rest.is_empty() };
    WRITERS.iter().any(|writer| {
        writer
            .strip_prefix(named)
            .is_some_and(|deeper| deeper.is_empty() || deeper.starts_with("::"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_modules_of_ours_are_read_as_env_logger_does() {
        for (value, read) in [
            (None, "info"),
            (Some(""), "info"),
            (Some(" , "), "info"),
            (Some("off"), "off"),
            (Some(" Debug "), "Debug"),
            (Some("WARN"), "WARN"),
            (Some("simplescalevm"), "simplescalevm"),
            (Some("simplescalevm=debug"), "simplescalevm=debug"),
            (Some("simplescalevm::http ="), "simplescalevm::http=trace"),
            (Some("info, simplescalevm::http = trace,"), "info,simplescalevm::http=trace"),
            (Some("error,simplescalevm::act=OFF"), "error,simplescalevm::act=OFF"),
        ] {
            assert_eq!(Filter::read(value), Ok(Filter(read.to_owned())), "{value:?}");
        }
    }

    #[test]
    fn whatever_would_switch_the_log_off_unasked_is_a_fault_that_names_the_nearest() {
        let have = "(have: off, error, warn, info, debug, trace)";
        for (value, part, why) in [
            ("warning", "warning", "not a level; did you mean warn?"),
            ("verbose", "verbose", "not a level; did you mean debug?"),
            ("Information", "Information", "not a level; did you mean info?"),
            ("fatal", "fatal", "not a level; did you mean error?"),
            ("critical", "critical", "not a level; did you mean error?"),
            ("Notice", "Notice", "not a level; did you mean info?"),
            ("4", "4", "not a level"),
            ("\"info\"", "\"info\"", "not a level; did you mean info?"),
            ("info;debug", "info;debug", "not a level; did you mean debug?"),
            (
                "info, simplescalevm=debgu",
                "simplescalevm=debgu",
                "not a level; did you mean debug?",
            ),
        ] {
            let faults = Filter::read(Some(value));
            let expected = format!("RUST_LOG \"{part}\": {why} {have}");
            assert_eq!(faults, Err(vec![expected]), "{value}");
        }
    }

    #[test]
    fn a_text_to_look_for_would_hide_errors_so_it_is_a_fault() {
        for (value, part) in [
            ("info/debug", "info/debug"),
            ("error/foo", "error/foo"),
            ("info /foo", "info /foo"),
            ("info/a/b", "info/a/b"),
            ("/", "/"),
            ("info,simplescalevm::http=debug/GET", "simplescalevm::http=debug/GET"),
        ] {
            let expected = format!(
                "RUST_LOG \"{part}\": must not contain /: separate parts with commas, and search the log for a text \
                 with grep"
            );
            assert_eq!(Filter::read(Some(value)), Err(vec![expected]), "{value}");
        }
    }

    #[test]
    fn a_module_of_ours_that_is_near_is_named() {
        for (value, meant) in [
            ("simplescalevm::htp=debug", "simplescalevm::http=debug"),
            ("simplescalevm::HTTP=debug", "simplescalevm::http=debug"),
            ("simplescalevm::http::clod=info", "simplescalevm::http::cloud=info"),
            ("simplescalevm::prob", "simplescalevm::probe=trace"),
            ("simplescalevm::decide=", "simplescalevm=trace"),
            ("http=debug", "simplescalevm::http=debug"),
            ("htp=debug", "simplescalevm=debug"),
            ("actix_web=warn", "simplescalevm=warn"),
        ] {
            let faults = Filter::read(Some(value)).unwrap_err().join("\n");
            assert!(faults.ends_with(&format!("; did you mean {meant}?")), "{faults}");
        }
    }

    #[test]
    fn a_module_that_writes_nothing_is_a_fault() {
        for value in [
            "simplescalevm::htpp=debug",
            "simplescalevm::http::clod=debug",
            "simplescalevm::decide=trace",
            "simplescalevm::prob=debug",
            "simplescalevm::=debug",
            "simplescalevm::nova",
            "simplescalevm::HTTP=debug",
        ] {
            let faults = Filter::read(Some(value)).unwrap_err().join("\n");
            let expected = format!("RUST_LOG \"{value}\": not a part of this program that logs;");
            assert!(faults.starts_with(&expected), "{faults}");
        }
        for module in WRITERS {
            let value = format!("simplescalevm::{module}=debug");
            assert_eq!(Filter::read(Some(&value)), Ok(Filter(value.clone())));
        }
    }

    #[test]
    fn the_modules_that_write_lines_are_all_known() {
        let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut found, mut folders) = (Vec::new(), vec![src.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let writes = ["log", "error", "warn", "info", "debug", "trace"]
                    .iter()
                    .any(|name| text.contains(&format!("log::{name}!(")));
                if writes {
                    let path = path.strip_prefix(&src).unwrap().with_extension("");
                    let module = path.to_str().unwrap().replace('/', "::");
                    found.push(module.trim_end_matches("::mod").to_owned());
                }
            }
        }
        found.retain(|module| module != "main");
        found.sort();
        assert_eq!(found, WRITERS);
    }

    #[test]
    fn parts_of_other_programs_are_faults_and_all_are_told() {
        let faults = Filter::read(Some(
            "ureq=debug,simplescalevm2=info,a=b=c,quiet,simplescalevm:http,info/a/b",
        ));
        let faults = faults.unwrap_err();
        let begin = [
            "RUST_LOG \"ureq=debug\": not a part of this program; did you mean simplescalevm=debug?",
            "RUST_LOG \"simplescalevm2=info\": not a part of this program; did you mean simplescalevm=info?",
            "RUST_LOG \"a=b=c\": not MODULE=LEVEL",
            "RUST_LOG \"quiet\": not a level (have: off",
            "RUST_LOG \"simplescalevm:http\": not a part of this program",
            "RUST_LOG \"info/a/b\": must not contain /",
        ];
        assert_eq!(faults.len(), begin.len(), "{faults:?}");
        for (fault, begin) in faults.iter().zip(begin) {
            assert!(fault.starts_with(begin), "{fault}");
        }
    }
}
