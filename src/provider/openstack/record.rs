//! Nova's record of a server (Compute API, "List Servers Detailed"), and how it is read.
//!
//! Of a server that is not ours only the mark is needed; of ours, what decides about its life.

mod fields;
pub mod shape;
mod texts;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

use serde_json::Value;

pub use fields::Item;
pub use texts::Texts;

use crate::model::{BATCH_KEY, Condition, FixedAddress, Launched, Server, ServerId, TRIAL_KEY};
use crate::provider::openstack::answer::Told;
use crate::provider::openstack::record::shape::{Fields, Text};
use crate::provider::openstack::{hidden, states, times};

/// What Nova reports of a server in a cell that is down: it exists, and that is all that is known.
pub const STATUS_UNKNOWN: &str = "UNKNOWN";

/// How the pool's servers are told from others.
#[derive(Clone, Debug)]
pub struct Ours {
    /// The metadata key of the mark.
    pub key: String,
    /// What the mark may be; `None`: anything.
    pub values: Option<Vec<String>>,
}

impl Ours {
    fn may_be(&self, mark: &str) -> bool {
        self.values.as_ref().is_none_or(|values| values.iter().any(|value| value == mark))
    }
}

/// One server as Nova lists it; fields that this program does not need are not read.
#[derive(Clone, Debug, Default)]
pub struct ServerRecord<'a> {
    id: Told<Text<'a>>,
    name: Told<Text<'a>>,
    status: Told<Text<'a>>,
    metadata: Told<Fields<'a, Told<Text<'a>>>>,
    addresses: Told<Fields<'a, Told<Vec<Told<AddressRecord<'a>>>>>>,
    created: Told<Text<'a>>,
    updated: Told<Text<'a>>,
    locked: Told<Value>,
    launched_at: Told<Text<'a>>,
    vm_state: Told<Text<'a>>,
    task_state: Told<Text<'a>>,
}

/// An address of a server, as Nova lists it.
#[derive(Clone, Debug, Default)]
pub struct AddressRecord<'a> {
    addr: Told<IpAddr>,
    kind: Told<Text<'a>>,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The server.
    pub server: Server,
    /// Those of its fixed addresses of which it was not told that they are fixed.
    pub untyped: Vec<IpAddr>,
    /// Which fields its record lacks, of those that decide anything.
    pub hidden: Vec<&'static str>,
}

impl ServerRecord<'_> {
    /// Whether Nova knows no more than that it exists.
    pub fn is_unknown(&self) -> bool {
        self.status.text() == Some(STATUS_UNKNOWN)
    }

    /// The server, of which `texts` keeps what others have, too; or what is wrong with the record, when it is or may be one of
    /// ours and lacks what decides about it.
    pub fn read(self, ours: &Ours, texts: &mut Texts) -> Result<Read, String> {
        let Some(id) = self.id.text().filter(|id| !id.is_empty()) else {
            return Err("a server without an id".to_owned());
        };
        let mark = match self.metadata(&ours.key) {
            Told::Not | Told::Null => None,
            Told::Is(mark) => Some(&**mark),
            Told::Odd => {
                let key = &ours.key;
                return Err(format!(
                    "server {id}: its metadata {key} is not a string, so it is not known whose it is"
                ));
            }
        };
        let is_ours = mark.is_some_and(|mark| ours.may_be(mark));
        let created = match self.created() {
            Ok(created) => created,
            Err(why) if is_ours => return Err(format!("server {id}: {why}")),
            // Nobody asks how old it is.
            Err(_) => SystemTime::UNIX_EPOCH,
        };
        let condition = states::condition(&self.vm_state, &self.status, self.task());
        // Without its addresses one that runs looks like one that has none, and one in error like one that is silent.
        let asked = matches!(condition, Condition::Active { .. } | Condition::Error);
        let addresses = match self.addresses(texts) {
            Ok(addresses) => addresses,
            Err(why) if is_ours && asked => return Err(format!("server {id}: {why}")),
            Err(_) => Addresses::default(),
        };
        let server = Server {
            mark: mark.map(|mark| texts.share(mark)),
            batch: self.metadata(BATCH_KEY).text().map(|mark| texts.share(mark)),
            // It makes a VM expendable, so it has to be just what we write.
            trial: self.metadata(TRIAL_KEY).text() == Some("true"),
            scheduling: self.task() == Some("scheduling"),
            words: texts.share(&states::words(&self.vm_state, &self.status, self.task())),
            condition,
            locked: self.is_locked(),
            created,
            updated: self.updated.text().and_then(times::parse),
            launched: self.launched(),
            fixed: addresses.fixed,
            floating: addresses.floating,
            name: self.name.text().unwrap_or_default().into(),
            id: ServerId::new(id),
        };
        Ok(Read { server, untyped: addresses.untyped, hidden: self.hidden(addresses.hides_types) })
    }

    /// The value of its metadata under this key; not told where it has none, or where all of it is hidden.
    fn metadata(&self, key: &str) -> &Told<Text<'_>> {
        let fields = self.metadata.get().into_iter().flatten();
        fields.rev().find(|(name, _)| name == key).map_or(&Told::Not, |(_, value)| value)
    }

    fn created(&self) -> Result<SystemTime, String> {
        match &self.created {
            Told::Not | Told::Null => Err("created is missing".to_owned()),
            Told::Odd => Err("created is not a string".to_owned()),
            Told::Is(text) => {
                times::parse(text).ok_or_else(|| format!("created \"{text}\" is not a time"))
            }
        }
    }

    /// Only `null` says that it never ran.
    fn launched(&self) -> Launched {
        match &self.launched_at {
            Told::Null => Launched::Never,
            Told::Not | Told::Odd => Launched::NotTold,
            Told::Is(text) => times::parse(text).map_or(Launched::NotTold, Launched::At),
        }
    }

    /// What is there and neither yes nor no holds the replica, as a lock does. Nova refuses to delete a locked server also
    /// where it does not show the lock.
    fn is_locked(&self) -> bool {
        match &self.locked {
            Told::Not | Told::Null => false,
            Told::Is(Value::Bool(locked)) => *locked,
            Told::Is(Value::String(text)) => !text.eq_ignore_ascii_case("false"),
            Told::Is(_) | Told::Odd => true,
        }
    }

    /// The task under way. One that cannot be read is one.
    fn task(&self) -> Option<&str> {
        match &self.task_state {
            Told::Not | Told::Null => None,
            Told::Is(task) => Some(&**task).filter(|task| !task.is_empty()),
            Told::Odd => Some("in an unknown task"),
        }
    }

    fn addresses(&self, texts: &mut Texts) -> Result<Addresses, String> {
        let by_network = match &self.addresses {
            Told::Is(by_network) => by_network,
            Told::Not | Told::Null => {
                return Err("addresses is missing, so it is not known where to ask".to_owned());
            }
            Told::Odd => return Err("addresses cannot be read".to_owned()),
        };
        let mut addresses = Addresses::default();
        for (network, records) in by_name(by_network) {
            let unreadable = || format!("addresses on network \"{network}\" cannot be read");
            let records = records.get().ok_or_else(unreadable)?;
            addresses.fixed.reserve_exact(records.len());
            let network = texts.share(network);
            for record in records {
                let record = record.get().ok_or_else(unreadable)?;
                let address = *record.addr.get().ok_or_else(unreadable)?;
                match record.kind.text() {
                    Some("floating") => addresses.floating.push(address),
                    kind => {
                        addresses.fixed.push(FixedAddress { network: network.clone(), address });
                        if kind != Some("fixed") {
                            addresses.untyped.push(address);
                        }
                        addresses.hides_types |= record.kind.is_hidden();
                    }
                }
            }
        }
        Ok(addresses)
    }

    fn hidden(&self, types: bool) -> Vec<&'static str> {
        let fields = [
            (hidden::METADATA, self.metadata.is_hidden()),
            (hidden::VM_STATE, self.vm_state.is_hidden()),
            (hidden::TASK_STATE, self.task_state.is_hidden()),
            (hidden::LAUNCHED_AT, self.launched_at.is_hidden()),
            (hidden::LOCKED, self.locked.is_hidden()),
            (hidden::ADDRESSES, self.addresses.is_hidden()),
            (hidden::ADDRESS_TYPE, types),
        ];
        fields.into_iter().filter(|(_, hidden)| *hidden).map(|(name, _)| name).collect()
    }
}

/// Fields in the order of their names; of two with one name the last.
fn by_name<'a, T>(fields: &'a Fields<'_, T>) -> impl Iterator<Item = (&'a str, &'a T)> {
    let by_name: BTreeMap<&str, &T> = fields.iter().map(|(name, it)| (&**name, it)).collect();
    by_name.into_iter()
}

/// A server's addresses by what they are.
#[derive(Default)]
struct Addresses {
    fixed: Vec<FixedAddress>,
    floating: Vec<IpAddr>,
    untyped: Vec<IpAddr>,
    hides_types: bool,
}

#[cfg(test)]
mod tests;
