//! Which mark the pool carries when the operator did not say: the documented default, or what Python's code used.

use crate::error::{Error, ErrorKind, Result};
use crate::model::Server;
use crate::settings::Mark;

/// The mark's default by the page of the Python image.
pub const DOCUMENTED: &str = Mark::DOCUMENTED;

/// The mark's default by the code of the Python image.
pub const PYTHON: &str = Mark::PYTHON;

/// Which mark to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkChoice {
    /// This one.
    Use(String),
    /// [`PYTHON`], because only that is found; worth a warning.
    UsePython,
    /// Both are found: the operator has to say.
    Ambiguous,
}

/// Chooses the mark by the setting, or else by what the project's servers carry.
pub fn choose(mark: &Mark, servers: &[Server]) -> MarkChoice {
    if let Some(value) = &mark.value {
        return MarkChoice::Use(value.clone());
    }
    let carried = |value: &str| servers.iter().any(|server| server.mark.as_deref() == Some(value));
    match (carried(DOCUMENTED), carried(PYTHON)) {
        (true, true) => MarkChoice::Ambiguous,
        (false, true) => MarkChoice::UsePython,
        (_, false) => MarkChoice::Use(DOCUMENTED.to_owned()),
    }
}

/// The mark to go by, with a warning where there is one, or what the operator has to say first.
pub fn settle(setting: &Mark, servers: &[Server]) -> Result<(String, Option<String>)> {
    let (key, documented, python) = (&setting.key, DOCUMENTED, PYTHON);
    match choose(setting, servers) {
        MarkChoice::Use(value) => Ok((value, None)),
        MarkChoice::UsePython => {
            let warning = format!(
                "OPENSTACK_METADATA_VALUE is unset and the servers carry {key}={python}, the mark in the Python \
                 daemon's code, so {python} is used; set it to confirm that"
            );
            Ok((python.to_owned(), Some(warning)))
        }
        MarkChoice::Ambiguous => Err(Error::new(
            ErrorKind::Setting,
            format!(
                "OPENSTACK_METADATA_VALUE is unset, and there are servers with {key}={documented} and with \
                 {key}={python}: set it to the mark of your pool"
            ),
        )),
    }
}
