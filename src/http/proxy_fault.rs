//! A failure that is the proxy's: the service itself was not reached.

use std::fmt;

use ureq::Error;

use crate::error::ErrorKind;

/// What a proxy did wrong, or would not do.
#[derive(Debug)]
pub struct ProxyFault {
    /// What it means for the request.
    pub kind: ErrorKind,
    /// In words; names the proxy and its variable.
    pub text: String,
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::error::Error for ProxyFault {}

impl From<ProxyFault> for Error {
    fn from(fault: ProxyFault) -> Self {
        Error::Other(Box::new(fault))
    }
}
