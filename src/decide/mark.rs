//! Which mark the pool carries when the operator did not say: the documented default, or what Python's code used.

use crate::model::Server;
use crate::settings::Mark;

/// The mark's default by the page of the Python image.
pub const DOCUMENTED: &str = "scaler";

/// The mark's default by the code of the Python image.
pub const PYTHON: &str = "scaled";

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
