//! What `RUST_LOG` may say. `env_logger` takes a word it does not know for the name of a module, and shows nothing else:
//! `RUST_LOG=warning` would switch the log off, errors too. Here that is a fault.

use log::LevelFilter;

use crate::error::one_line;
use crate::logger::OWN;
use crate::nearest::nearest;

/// Every level, as it is written.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

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
            Err(_) if part.starts_with(OWN) => Err("no part of this program".to_owned()),
            Err(why) => Err(why),
        };
    };
    let (module, level) = (module.trim(), level.trim());
    if level.contains('=') {
        return Err("not MODULE=LEVEL".to_owned());
    }
    if !is_own(module) {
        return Err(format!("no part of this program; did you mean {OWN}={level}?"));
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

/// Whether this is the program's own name, or may be that of a module in it.
fn is_own(module: &str) -> bool {
    let mut names = module.split("::");
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    names.next() == Some(OWN) && names.all(is_name)
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
    fn parts_of_other_programs_are_faults_and_all_are_told() {
        let faults = Filter::read(Some(
            "ureq=debug,simplescalevm2=info,a=b=c,nova,simplescalevm:http,info/a/b",
        ));
        let faults = faults.unwrap_err();
        let begin = [
            "RUST_LOG \"ureq=debug\": no part of this program; did you mean simplescalevm=debug?",
            "RUST_LOG \"simplescalevm2=info\": no part of this program; did you mean simplescalevm=info?",
            "RUST_LOG \"a=b=c\": not MODULE=LEVEL",
            "RUST_LOG \"nova\": not a level; ",
            "RUST_LOG \"simplescalevm:http\": no part of this program",
            "RUST_LOG: more than one /",
        ];
        assert_eq!(faults.len(), begin.len(), "{faults:?}");
        for (fault, begin) in faults.iter().zip(begin) {
            assert!(fault.starts_with(begin), "{fault}");
        }
    }
}
