//! Reading a field straight into what is kept of it, without a copy of the text on the way: a list has some ten thousand
//! texts, most of which nobody keeps.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::provider::openstack::answer::Told;
use crate::provider::openstack::record::AddressRecord;

/// A text of the answer.
pub type Text<'a> = Cow<'a, str>;

/// The fields of an object, by name. Of two with one name the last counts.
pub type Fields<'a, T> = Vec<(Text<'a>, T)>;

/// What a field is agreed to be. All else is [`Told::Odd`].
pub trait Shape<'de>: Copy {
    /// What is kept of it.
    type Kept;

    /// It is a text.
    fn text(self, _: Text<'de>) -> Told<Self::Kept> {
        Told::Odd
    }

    /// It is a list.
    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<Told<Self::Kept>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Told::Odd)
    }

    /// It is an object.
    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<Told<Self::Kept>, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Told::Odd)
    }
}

/// Reads what has a shape.
#[derive(Clone, Copy)]
pub struct Reader<S>(S);

/// Reads a text.
pub const TEXT: Reader<AText> = Reader(AText);

/// Reads metadata.
pub const TEXTS: Reader<AnObject<AText>> = Reader(AnObject(AText));

/// Reads addresses by network.
pub const ADDRESSES: Reader<AnObject<AList<AnAddress>>> = Reader(AnObject(AList(AnAddress)));

/// A text.
#[derive(Clone, Copy)]
pub struct AText;

/// A list of such.
#[derive(Clone, Copy)]
pub struct AList<S>(S);

/// Such under any name.
#[derive(Clone, Copy)]
pub struct AnObject<S>(S);

/// One address of a server.
#[derive(Clone, Copy)]
pub struct AnAddress;

impl<'de> Shape<'de> for AText {
    type Kept = Text<'de>;

    fn text(self, text: Text<'de>) -> Told<Text<'de>> {
        Told::Is(text)
    }
}

impl<'de, S: Shape<'de>> Shape<'de> for AList<S> {
    type Kept = Vec<Told<S::Kept>>;

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<Told<Self::Kept>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Reader(self.0))? {
            list.push(item);
        }
        Ok(Told::Is(list))
    }
}

impl<'de, S: Shape<'de>> Shape<'de> for AnObject<S> {
    type Kept = Fields<'de, Told<S::Kept>>;

    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<Told<Self::Kept>, A::Error> {
        let mut object = Vec::new();
        while let Some(Told::Is(name)) = fields.next_key_seed(TEXT)? {
            object.push((name, fields.next_value_seed(Reader(self.0))?));
        }
        Ok(Told::Is(object))
    }
}

impl<'de> Shape<'de> for AnAddress {
    type Kept = AddressRecord<'de>;

    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<Told<Self::Kept>, A::Error> {
        let mut record = AddressRecord::default();
        while let Some(Told::Is(name)) = fields.next_key_seed(TEXT)? {
            match &*name {
                "addr" => record.addr = address(fields.next_value_seed(TEXT)?),
                "OS-EXT-IPS:type" => record.kind = fields.next_value_seed(TEXT)?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Told::Is(record))
    }
}

fn address(text: Told<Text<'_>>) -> Told<IpAddr> {
    match text {
        Told::Is(text) => text.parse().map_or(Told::Odd, Told::Is),
        Told::Not => Told::Not,
        Told::Null => Told::Null,
        Told::Odd => Told::Odd,
    }
}

impl<'de, S: Shape<'de>> DeserializeSeed<'de> for Reader<S> {
    type Value = Told<S::Kept>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Shape<'de>> Visitor<'de> for Reader<S> {
    type Value = Told<S::Kept>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(self.0.text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Told::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Told::Odd)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Told::Odd)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Told::Odd)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Told::Odd)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        self.0.list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        self.0.object(fields)
    }
}
