//! What `RUST_LOG` may say. `env_logger` takes a word it does not know for the name of a module, and shows nothing else:
//! `RUST_LOG=warning` would switch the log off, errors too. Here that is a fault.

use log::LevelFilter;

use crate::error::one_line;
use crate::logger::OWN;
use crate::nearest::nearest;

/// Every level, as it is written.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The modules that write lines. To name another one alone would switch the log off, too.
const WRITERS: [&str; 23] = [
    "act::creation",
    "config",
    "daemon",
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
const OTHER_WORDS: [(&str, &str); 4] =
    [("all", "trace"), ("fatal", "error"), ("none", "off"), ("verbose", "debug")];

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
    /// Reads a value of `RUST_LOG`: levels, and `MODULE=LEVEL` for parts of the program; behind a `/` a text that every
    /// line has to hold. An error is a fault for each part that is none of these.
    pub fn read(value: Option<&str>) -> std::result::Result<Self, Vec<String>> {
        let value = value.unwrap_or_default();
        let (parts, text) = match value.split_once('/') {
            Some((parts, text)) => (parts, Some(text)),
            None => (value, None),
        };
        let parts = parts.split(',').map(str::trim).filter(|part| !part.is_empty());
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
        if text.is_some_and(|text| text.contains('/')) {
            faults.push("RUST_LOG: more than one /".to_owned());
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        if good.is_empty() {
            good.push(DEFAULT.to_owned());
        }
        let text = text.map(|text| format!("/{text}")).unwrap_or_default();
        Ok(Filter(good.join(",") + &text))
    }

    /// In `env_logger`'s spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One part, without the blanks in it.
fn read_part(part: &str) -> Result<String, String> {
    let Some((module, level)) = part.split_once('=') else {
        return match read_level(part) {
            Ok(level) => Ok(level),
            // As `env_logger` has it: everything of that module.
            Err(_) if is_own(part) => Ok(part.to_owned()),
            Err(_) if part.starts_with(OWN) => {
                Err(format!("not a part of this program that logs; did you mean {OWN}=trace?"))
            }
            Err(why) => Err(why),
        };
    };
    let (module, level) = (module.trim(), level.trim());
    if level.contains('=') {
        return Err("not MODULE=LEVEL".to_owned());
    }
    if !is_own(module) && module.starts_with(&format!("{OWN}::")) {
        return Err(format!("not a part of this program that logs; did you mean {OWN}={level}?"));
    }
    if !is_own(module) {
        return Err(format!("not a part of this program; did you mean {OWN}={level}?"));
    }
    let level = if level.is_empty() { "trace".to_owned() } else { read_level(level)? };
    Ok(format!("{module}={level}"))
}

fn read_level(word: &str) -> Result<String, String> {
    if word.parse::<LevelFilter>().is_ok() {
        return Ok(word.to_owned());
    }
    let lower = one_line(word, QUOTED_CHARS_MAX).to_ascii_lowercase();
    let meant = OTHER_WORDS.iter().find(|(other, _)| *other == lower).map(|(_, level)| *level);
    let alike = |level: &&str| level.chars().any(|letter| lower.contains(letter));
    let meant = meant.or_else(|| nearest(&lower, &LEVELS).filter(alike));
    let meant = meant.map(|level| format!("did you mean {level}? ")).unwrap_or_default();
    Err(format!("not a level; {meant}(have: {})", LEVELS.join(", ")))
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
            (
                Some("error,simplescalevm::act=OFF/server a"),
                "error,simplescalevm::act=OFF/server a",
            ),
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
            ("4", "4", "not a level;"),
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
            "ureq=debug,simplescalevm2=info,a=b=c,nova,simplescalevm:http,info/a/b",
        ));
        let faults = faults.unwrap_err();
        let begin = [
            "RUST_LOG \"ureq=debug\": not a part of this program; did you mean simplescalevm=debug?",
            "RUST_LOG \"simplescalevm2=info\": not a part of this program; did you mean simplescalevm=info?",
            "RUST_LOG \"a=b=c\": not MODULE=LEVEL",
            "RUST_LOG \"nova\": not a level; ",
            "RUST_LOG \"simplescalevm:http\": not a part of this program",
            "RUST_LOG: more than one /",
        ];
        assert_eq!(faults.len(), begin.len(), "{faults:?}");
        for (fault, begin) in faults.iter().zip(begin) {
            assert!(fault.starts_with(begin), "{fault}");
        }
    }
}
