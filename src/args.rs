//! Stand-in: the command line is written elsewhere.

use std::ffi::OsString;

/// What the program is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Run the pool.
    Run {
        /// For one pass.
        once: bool,
        /// Without changing anything.
        dry_run: bool,
    },
    /// Check the settings.
    Check,
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// Reads the arguments, without the program's name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Mode, String> {
    let (mut once, mut dry_run) = (false, false);
    for argument in arguments {
        match argument.to_str() {
            Some("--once") => once = true,
            Some("--dry-run") => dry_run = true,
            Some("--check") => return Ok(Mode::Check),
            Some("--help") => return Ok(Mode::Help),
            Some("--version") => return Ok(Mode::Version),
            _ => return Err(format!("unknown argument {}", argument.display())),
        }
    }
    Ok(Mode::Run { once, dry_run })
}

/// The help.
pub fn help() -> String {
    "help".to_owned()
}

/// The version.
pub fn version() -> String {
    concat!("simplescalevm ", env!("CARGO_PKG_VERSION")).to_owned()
}
