//! Which fields of a record are read, and that the others take no room.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::provider::openstack::record::ServerRecord;
use crate::provider::openstack::record::shape::{ADDRESSES, TEXT, TEXTS};

/// The fields that are read.
#[derive(Deserialize)]
#[serde(field_identifier)]
enum Field {
    #[serde(rename = "id")]
    Id,
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "status")]
    Status,
    #[serde(rename = "metadata")]
    Metadata,
    #[serde(rename = "addresses")]
    Addresses,
    #[serde(rename = "created")]
    Created,
    #[serde(rename = "updated")]
    Updated,
    #[serde(rename = "locked")]
    Locked,
    #[serde(rename = "OS-SRV-USG:launched_at")]
    LaunchedAt,
    #[serde(rename = "OS-EXT-STS:vm_state")]
    VmState,
    #[serde(rename = "OS-EXT-STS:task_state")]
    TaskState,
    #[serde(other)]
    Other,
}

/// By hand, for two things that serde's own does not do: of two fields with one name the last is taken, as Python does; and
/// what is not read takes no memory, which for the links, flavors and tags of a thousand servers is more than all that is.
impl<'a, 'de: 'a> Deserialize<'de> for ServerRecord<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = ServerRecord<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a server")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ServerRecord<'de>, A::Error> {
        let mut record = ServerRecord::default();
        while let Some(field) = map.next_key()? {
            match field {
                Field::Id => record.id = map.next_value_seed(TEXT)?,
                Field::Name => record.name = map.next_value_seed(TEXT)?,
                Field::Status => record.status = map.next_value_seed(TEXT)?,
                Field::Metadata => record.metadata = map.next_value_seed(TEXTS)?,
                Field::Addresses => record.addresses = map.next_value_seed(ADDRESSES)?,
                Field::Created => record.created = map.next_value_seed(TEXT)?,
                Field::Updated => record.updated = map.next_value_seed(TEXT)?,
                Field::Locked => record.locked = map.next_value()?,
                Field::LaunchedAt => record.launched_at = map.next_value_seed(TEXT)?,
                Field::VmState => record.vm_state = map.next_value_seed(TEXT)?,
                Field::TaskState => record.task_state = map.next_value_seed(TEXT)?,
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(record)
    }
}

/// An item of a list of servers: a record, unless it is something else.
pub struct Item<'a>(pub Option<ServerRecord<'a>>);

impl<'de> Deserialize<'de> for Item<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Item<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item<'de>, A::Error> {
        Fields.visit_map(map).map(|record| Item(Some(record)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Item(None))
    }

    fn visit_unit<E>(self) -> Result<Item<'de>, E> {
        Ok(Item(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Item<'de>, E> {
        Ok(Item(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Item<'de>, E> {
        Ok(Item(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Item<'de>, E> {
        Ok(Item(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Item<'de>, E> {
        Ok(Item(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Item<'de>, E> {
        Ok(Item(None))
    }
}
