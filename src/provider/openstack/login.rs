//! What a login gave, and how far one came that failed: plain data.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::provider::openstack::catalog::Endpoints;
use crate::provider::openstack::identity::ProjectRecord;
use crate::secret::Secret;

/// What a login gave.
#[derive(Clone, Debug)]
pub struct Login {
    /// Its token.
    pub token: Secret,
    /// From when on it is not used any more.
    pub renew_at: Instant,
    /// The project it is for.
    pub project: ProjectRecord,
    /// How long the token lives.
    pub life: Duration,
    /// Where the services are.
    pub endpoints: Endpoints,
    /// Nova's microversion in use (`2.69`); `None`: 2.1, without a header.
    pub microversion: Option<String>,
}

/// A login that failed, and how far it had come.
#[derive(Clone, Debug)]
pub struct Failed {
    /// What failed: `login`, `region` or `compute`.
    pub what: &'static str,
    /// The project, when it was only after the login that something failed; and how long its token lives.
    pub project: Option<(ProjectRecord, Duration)>,
    /// The region, when that was found.
    pub region: Option<String>,
    /// Why.
    pub error: Error,
}

impl Failed {
    /// The same at another step.
    pub fn at(&self, what: &'static str, error: Error) -> Box<Self> {
        Box::new(Failed { what, error, ..self.clone() })
    }
}
