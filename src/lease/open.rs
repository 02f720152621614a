//! Where the record of the lease is kept: the one place that names every kind.

use super::{Holder, Record, State, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::handles::Handles;
use crate::lease::etcd::Etcd;
use crate::lease::openstack::Images;
use crate::settings::{Config, LeaseKind, LeaseSettings, ProviderSettings};
use crate::unique;

/// The store that `APP_LEASE` names, and who we are there.
pub fn join(
    config: &Config,
    lease: &LeaseSettings,
    handles: &Handles,
) -> Result<(Holder, Box<dyn Store>)> {
    let me = Holder { name: lease.holder.clone(), word: unique::word() };
    let store = open(lease, config, &me, handles.beside())?;
    Ok((me, store))
}

/// Who holds the lease, as far as one look can tell: whether it is renewed takes two.
pub fn held_by(record: Option<Record>) -> Option<Holder> {
    record.filter(|record| record.state == State::Held).map(|record| record.holder)
}

/// The store that `APP_LEASE` names. `handles` are those of whoever asks it: never the loop's own, for what it does is no
/// progress of the loop.
fn open(
    lease: &LeaseSettings,
    config: &Config,
    me: &Holder,
    handles: Handles,
) -> Result<Box<dyn Store>> {
    let limit = lease.request_limit();
    match (&lease.kind, &config.provider) {
        (LeaseKind::OpenStack, ProviderSettings::OpenStack(settings)) => {
            Ok(Box::new(Images::new(settings, &lease.name, me.clone(), limit, handles)?))
        }
        (LeaseKind::OpenStack, ProviderSettings::Simulated) => {
            Err(Error::new(ErrorKind::Setting, "APP_LEASE \"openstack\": there is no such cloud"))
        }
        (LeaseKind::Etcd(settings), _) => {
            let (name, validity) = (&lease.name, lease.validity);
            Ok(Box::new(Etcd::new(settings, name, me.clone(), validity, limit)?))
        }
    }
}
