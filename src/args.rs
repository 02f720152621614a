//! The command line: turns the arguments into what the program is to do.

use std::ffi::OsString;

use lexopt::{Arg, Parser};

use crate::config::list;
use crate::nearest::near;

/// What the program is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Keep the pool.
    Run {
        /// One pass, then exit.
        once: bool,
        /// Show what would be done, in this form, and change nothing.
        dry_run: Option<Output>,
    },
    /// Check settings, cloud and replicas, then exit.
    Check {
        /// The form in which to show what was found.
        output: Output,
    },
    /// Ask the running instance whether it is alive, then exit.
    Healthcheck,
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// Whom a dry run, or a check, explains itself to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For scripts: one JSON object per line; a dry run prints one per pass, in the shape of the status page.
    Json,
}

/// One option.
pub struct CommandLineOption {
    /// Its name, without the dashes.
    pub long: &'static str,
    /// Its letter, if it has one.
    pub short: Option<char>,
    /// What its value is called, if it takes one.
    pub value: Option<&'static str>,
    /// What it does.
    pub meaning: &'static str,
}

/// What the value of `--output` is called.
pub const FORMAT: &str = "FORMAT";

/// The words it may be.
pub const FORMATS: [&str; 2] = ["text", "json"];

/// Every option.
pub const OPTIONS: [CommandLineOption; 7] = [
    CommandLineOption {
        long: "once",
        short: None,
        value: None,
        meaning: "run one pass, then exit; for cron",
    },
    CommandLineOption {
        long: "dry-run",
        short: None,
        value: None,
        meaning: "show what it sees and would do, and change nothing; alone or with --once",
    },
    CommandLineOption {
        long: "output",
        short: None,
        value: Some(FORMAT),
        meaning: "with --dry-run or --check: text, or json for scripts, one object per line",
    },
    CommandLineOption {
        long: "check",
        short: None,
        value: None,
        meaning: "check the settings, login, flavor, image, network and the rest, ask the existing replicas, show \
                  every fault, then exit; changes nothing",
    },
    CommandLineOption {
        long: "healthcheck",
        short: None,
        value: None,
        meaning: "ask the instance running with these settings whether it is alive, then exit; for containers",
    },
    CommandLineOption { long: "help", short: Some('h'), value: None, meaning: "this text" },
    CommandLineOption { long: "version", short: Some('V'), value: None, meaning: "the version" },
];

/// Reads the arguments, without the program's own name. An error is one line that says what is wrong and where to look.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> std::result::Result<Mode, String> {
    let mut parser = Parser::from_args(args);
    let (mut once, mut dry_run, mut check, mut healthcheck) = (false, false, false, false);
    let mut output = None;
    while let Some(arg) = parser.next().map_err(|error| hinted(&error.to_string()))? {
        match arg {
            Arg::Long("once") => once = true,
            Arg::Long("dry-run") => dry_run = true,
            Arg::Long("output") => {
                let value = parser.value().map_err(|error| hinted(&error.to_string()))?;
                output = Some(format(&value.to_string_lossy())?);
            }
            Arg::Long("check") => check = true,
            Arg::Long("healthcheck") => healthcheck = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(Mode::Help),
            Arg::Long("version") | Arg::Short('V') => return Ok(Mode::Version),
            Arg::Long(name) => return Err(unknown(name)),
            Arg::Short(letter) => return Err(hinted(&format!("unknown option -{letter}"))),
            Arg::Value(value) => {
                let value = value.to_string_lossy();
                let text =
                    format!("unexpected argument \"{value}\" (settings are environment variables)");
                return Err(hinted(&text));
            }
        }
    }
    if check && (once || dry_run) {
        return Err(hinted(
            "--check changes nothing and exits by itself, so it takes neither --once nor --dry-run",
        ));
    }
    if output.is_some() && !dry_run && !check {
        let text = "--output sets the format of --dry-run and --check, so it needs one of them";
        return Err(hinted(text));
    }
    if healthcheck && (check || once || dry_run) {
        return Err(hinted("--healthcheck asks a running instance, so it goes alone"));
    }
    let dry_run = dry_run.then(|| output.unwrap_or_default());
    Ok(match (check, healthcheck) {
        (true, _) => Mode::Check { output: output.unwrap_or_default() },
        (false, true) => Mode::Healthcheck,
        (false, false) => Mode::Run { once, dry_run },
    })
}

fn format(value: &str) -> std::result::Result<Output, String> {
    match value {
        "text" => Ok(Output::Text),
        "json" => Ok(Output::Json),
        _ => Err(hinted(&format!("--output \"{value}\": must be text or json"))),
    }
}

fn unknown(name: &str) -> String {
    let mut known = OPTIONS.map(|option| option.long);
    known.sort_unstable_by_key(|long| long.len());
    let text = match near(name, &known) {
        Some(known) => format!("unknown option --{name}; did you mean --{known}?"),
        None => format!("unknown option --{name}"),
    };
    hinted(&text)
}

fn hinted(text: &str) -> String {
    format!("{text} (see simplescalevm --help)")
}

/// Narrowest terminal that the help is made for, in columns.
pub const COLUMNS_MIN: usize = 80;

/// Lines that are longer are hard to read, however wide a terminal is.
const COLUMNS_MAX: usize = 120;

/// How wide the help is, in columns: as wide as the terminal that `columns` (`COLUMNS`) tells of.
pub fn width(columns: Option<&str>) -> usize {
    let told = columns.and_then(|columns| columns.trim().parse().ok());
    told.unwrap_or(COLUMNS_MIN).clamp(COLUMNS_MIN, COLUMNS_MAX)
}

/// The text of `--help`, at most so many columns wide.
pub fn help(columns: usize) -> String {
    let options = OPTIONS.map(|option| {
        let short = option.short.map(|letter| format!("-{letter}, ")).unwrap_or_default();
        let value = option.value.map(|value| format!(" {value}")).unwrap_or_default();
        let name = format!("{short}--{}{value}", option.long);
        list::entry(&name, OPTION_COLUMN, option.meaning, columns)
    });
    let settings = list::plain(columns);
    format!("{USAGE}\nOptions:\n{}{EXIT_STATUS}{settings}{MORE}", options.concat())
}

/// The text of `--version`: with the commit it was built from, where that is known.
pub fn version() -> String {
    let commit = option_env!("SIMPLESCALEVM_SHOWN_COMMIT").map(|commit| format!(" ({commit})"));
    format!("simplescalevm {}{}\n", env!("CARGO_PKG_VERSION"), commit.unwrap_or_default())
}

const OPTION_COLUMN: usize = 21;

const USAGE: &str = "\
Usage: simplescalevm [--once] [--dry-run [--output FORMAT]]
       simplescalevm --check [--output FORMAT] | --healthcheck

Keeps a pool of OpenStack VMs sized by what the VMs themselves report: creates
what is missing, deletes what is finished or broken, and keeps floating IPs on
VMs that answer.
";

const EXIT_STATUS: &str = "
Exit status:
  0  stopped by a signal; with --once: the pass did all it set out to do, or
     another scaler holds the lease; with --check: no fault; with --healthcheck:
     alive
  1  with --once: the pass or a part of it failed, a limit stops creation, or
     resources are missing while a replica is silent; with --check: at least one
     fault; with --healthcheck: no answer, or stuck
  2  wrong settings or arguments: every fault is named

Settings are environment variables; empty means unset.
";

const MORE: &str = "
Requests to the cloud go through http_proxy, https_proxy and all_proxy, except
for the hosts in no_proxy; requests to replicas never do.

More: man 8 simplescalevm
";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: std::result::Result<Mode, &str>) {
        let parsed = parse(line.split_whitespace().map(OsString::from));
        match (&parsed, &expected) {
            (Err(error), Err(part)) => assert!(
                error.contains(*part) && error.ends_with("(see simplescalevm --help)"),
                "{line}: {error:?} lacks {part:?} or the hint"
            ),
            _ => assert_eq!(parsed, expected.map_err(str::to_owned), "{line}"),
        }
    }

    #[test]
    fn each_mode_has_its_option() {
        check("", Ok(Mode::Run { once: false, dry_run: None }));
        check("--once", Ok(Mode::Run { once: true, dry_run: None }));
        check("--dry-run", Ok(Mode::Run { once: false, dry_run: Some(Output::Text) }));
        check("--dry-run --once", Ok(Mode::Run { once: true, dry_run: Some(Output::Text) }));
        let json = Ok(Mode::Run { once: true, dry_run: Some(Output::Json) });
        check("--once --dry-run --output json", json);
        check("--output=json --dry-run --once", json);
        check("--check", Ok(Mode::Check { output: Output::Text }));
        check("--check --output json", Ok(Mode::Check { output: Output::Json }));
        check("--healthcheck", Ok(Mode::Healthcheck));
        check("--help", Ok(Mode::Help));
        check("-h", Ok(Mode::Help));
        check("--version", Ok(Mode::Version));
        check("-V", Ok(Mode::Version));
        check("--once --help --check", Ok(Mode::Help));
    }

    #[test]
    fn wrong_arguments_are_refused_with_a_hint() {
        check("--onec", Err("unknown option --onec; did you mean --once?"));
        check("--dryrun", Err("did you mean --dry-run?"));
        check("-x", Err("unknown option -x"));
        check("--foo", Err("unknown option --foo ("));
        check("--verbose", Err("unknown option --verbose ("));
        check("--out", Err("did you mean --output?"));
        check("--he", Err("did you mean --help?"));
        check("--once=5", Err("unexpected argument for option '--once'"));
        check("--dry-run --output yaml", Err("--output \"yaml\": must be text or json"));
        check("--dry-run --output", Err("--output"));
        check("--output json", Err("needs one of them"));
        check("start", Err("unexpected argument \"start\""));
        check("--check --once", Err("neither --once nor --dry-run"));
        check("--healthcheck --once", Err("goes alone"));
        check("--check --healthcheck", Err("goes alone"));
        check("--dry-run --check", Err("neither --once nor --dry-run"));
    }

    #[test]
    fn every_format_that_is_offered_is_taken() {
        for word in FORMATS {
            assert!(format(word).is_ok(), "--output {word} is completed by shells, but refused");
        }
    }

    #[test]
    fn arguments_that_are_not_text_are_refused_not_a_panic() {
        use std::os::unix::ffi::OsStringExt;
        assert!(parse([OsString::from_vec(vec![0xff, 0xfe])]).is_err());
        assert!(parse([OsString::from_vec(b"--\xff".to_vec())]).is_err());
    }

    #[test]
    fn help_fits_the_terminal_and_names_every_option() {
        for columns in [80, 100, 120] {
            let help = help(columns);
            for line in help.lines() {
                assert!(line.chars().count() <= columns, "wider than {columns} columns: {line}");
                assert_eq!(line.trim_end(), line, "trailing spaces");
            }
            let beside = "  --once             run one pass, then exit; for cron\n";
            assert!(help.contains(beside), "{help}");
            let below = "  REPLICA_MIN_AVAILABLE_RESOURCES\n                              resources to keep";
            assert!(help.contains(below), "{help}");
            for option in OPTIONS {
                let long = option.long;
                assert!(help.contains(&format!("--{long}")), "--{long} is missing");
            }
        }
    }

    #[test]
    fn the_help_is_as_wide_as_the_terminal_within_bounds() {
        let told =
            [None, Some("100"), Some(" 100 "), Some("20"), Some("500"), Some("wide"), Some("")];
        assert_eq!(told.map(width), [80, 100, 100, 80, 120, 80, 80]);
    }

    #[test]
    fn version_names_program_version_and_commit() {
        let told = version();
        let rest = told.strip_prefix(concat!("simplescalevm ", env!("CARGO_PKG_VERSION")));
        let rest = rest.unwrap_or_else(|| panic!("{told}")).trim_end_matches('\n');
        let commit = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
        let hex =
            |commit: &str| commit.len() == 12 && commit.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(rest.is_empty() || commit.is_some_and(hex), "{told}");
        assert_eq!(commit, option_env!("SIMPLESCALEVM_SHOWN_COMMIT"), "{told}");
    }
}
