//! Where the record of the lease is kept: the one place that names every kind.

use super::{Holder, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::handles::Handles;
use crate::settings::{Config, LeaseKind, LeaseSettings};

/// The store that `APP_LEASE` names. `handles` are those of whoever asks it: never the loop's own, for what it does is no
/// progress of the loop.
pub fn open(
    lease: &LeaseSettings,
    _config: &Config,
    _me: &Holder,
    _handles: &Handles,
) -> Result<Box<dyn Store>> {
    let kind = match lease.kind {
        LeaseKind::OpenStack => "openstack",
        LeaseKind::Etcd(_) => "etcd",
    };
    let text = format!("APP_LEASE \"{kind}\": this program was built without it; unset APP_LEASE");
    Err(Error::new(ErrorKind::Setting, text))
}
