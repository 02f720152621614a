//! The only module that knows ureq: limits, retries, error wording.

use crate::error::Result;
use crate::settings::ProbeSettings;

/// Asks replicas.
#[derive(Clone, Debug)]
pub struct ReplicaClient {}

impl ReplicaClient {
    /// A client for replicas.
    pub fn new(_settings: &ProbeSettings) -> Result<Self> {
        Ok(ReplicaClient {})
    }

    /// One question; the status and the body of the answer, or why there is none.
    pub fn get(&self, _url: &str) -> std::result::Result<(u16, Vec<u8>), String> {
        Err("to come".to_owned())
    }
}
