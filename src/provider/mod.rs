//! The boundary to the cloud: reading and writing are different traits, so that a dry run cannot write.
//!
//! A new provider is one folder here and one line in each `match` below.

pub mod openstack;
pub mod simulated;

use std::net::IpAddr;

use crate::error::Result;
use crate::handles::Handles;
use crate::model::{AddressId, ExternalAddress, Listing, Scope, Server, ServerId};
use crate::settings::{Config, ProviderSettings};
use openstack::{OpenStack, OpenStackMut};

/// What can be seen of a cloud. Nothing here changes anything.
pub trait Provider {
    /// All servers of the project and the cloud's clock. An incomplete list is an error.
    fn servers(&mut self) -> Result<Listing>;

    /// The name of the network whose addresses are probed, as the server list spells it.
    fn network_name(&mut self) -> Result<String>;

    /// Every floating IP that carries the pool's description.
    fn external_addresses(&mut self) -> Result<Vec<ExternalAddress>>;

    /// The server with this id, in the pool or not; `None` when there is none.
    fn server(&mut self, id: &ServerId) -> Result<Option<Server>>;

    /// What the last login was for; `None` where there is no login, or none yet. Asks nobody.
    fn scope(&self) -> Option<Scope> {
        None
    }

    /// Everything a creation and a pass need, resolved and named, for `--check`; every fault, not only the first.
    fn check(&mut self) -> Vec<CheckLine>;

    /// What the project may hold of what a replica takes, for `--check`; empty where nothing is limited. An error for each
    /// service that does not tell.
    fn quotas(&mut self) -> Vec<Result<Quota>> {
        Vec::new()
    }
}

/// What can be changed in a cloud. Every method is safe to repeat but `create`.
pub trait ProviderMut: Provider {
    /// Asks once for `creation.count` servers. The answer names only the first of them.
    ///
    /// An error whose kind is [`crate::error::ErrorKind::Unclear`] means that servers may have been created;
    /// every other kind means that none was.
    fn create(&mut self, creation: &Creation) -> Result<ServerId>;

    /// Deletes a server; one that is gone already is a success.
    fn delete(&mut self, id: &ServerId) -> Result<()>;

    /// Binds an address to the port of `server` that has `fixed`, wherever it was before.
    fn bind(&mut self, address: &AddressId, server: &ServerId, fixed: IpAddr) -> Result<()>;

    /// The same provider, to read from.
    fn as_provider(&mut self) -> &mut dyn Provider;
}

/// The cloud that `PROVIDER` names, to look at and to change.
pub fn open(config: &Config, handles: &Handles) -> Result<Box<dyn ProviderMut>> {
    match &config.provider {
        ProviderSettings::OpenStack(settings) => {
            let manage_addresses = config.policy.manage_addresses;
            let reader = OpenStack::new(settings, manage_addresses, handles.clone())?;
            Ok(Box::new(OpenStackMut::new(of_pool(reader, config))))
        }
        ProviderSettings::Simulated => Ok(Box::new(simulated::open(config)?)),
    }
}

/// The same cloud, to look at only: what could change it is never made.
pub fn open_read_only(config: &Config, handles: &Handles) -> Result<Box<dyn Provider>> {
    match &config.provider {
        ProviderSettings::OpenStack(settings) => {
            let manage_addresses = config.policy.manage_addresses;
            let reader = OpenStack::new(settings, manage_addresses, handles.clone())?;
            Ok(Box::new(of_pool(reader, config)))
        }
        ProviderSettings::Simulated => Ok(Box::new(simulated::open_read_only(config)?)),
    }
}

fn of_pool(reader: OpenStack, config: &Config) -> OpenStack {
    let reader = reader.of_pool(&config.mark);
    if config.policy.once { reader.quiet() } else { reader }
}

/// One creation: so many servers with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// The servers' name; the cloud adds `-1`, `-2` … when there are several.
    pub name: String,
    /// How many, at least 1.
    pub count: u64,
    /// Metadata: the pool's mark and the batch's own.
    pub metadata: Vec<(String, String)>,
}

/// A limit on what the project holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is counted, with its unit: `instances`, `MiB of RAM`.
    pub what: &'static str,
    /// How much of it the project holds, the pool's replicas among it.
    pub used: u64,
    /// How much it may hold; `None`: there is no limit.
    pub limit: Option<u64>,
    /// How much a new replica takes.
    pub of_one: u64,
}

/// One line of `--check`: what was looked at and what was found, or what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckLine {
    /// What was looked at: `flavor`, `image`, `login` …
    pub what: String,
    /// `Ok`: what was found, with its id. `Err`: what is wrong and what to do.
    pub found: std::result::Result<String, String>,
    /// Whether what was found is worth a second look.
    pub warning: bool,
}
