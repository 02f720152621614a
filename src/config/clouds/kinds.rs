//! The kinds of maps in a clouds file, and which of their keys are read.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::config::clouds::values::{AUTH_KEYS, CLOUD_KEYS, Cloud, Region, Texts, Values};
use crate::config::clouds::visit::{Notes, Of, Section, Wrong};

/// The whole file.
#[derive(Default)]
pub struct Document {
    /// Its clouds.
    pub clouds: Clouds,
}

impl Section for Document {
    fn known(key: &str, notes: &Notes<'_>) -> Option<String> {
        (key == notes.section).then(|| key.to_owned())
    }

    fn take<'de, A: MapAccess<'de>>(
        &mut self,
        _key: &str,
        map: &mut A,
        notes: &Notes<'_>,
    ) -> Result<(), A::Error> {
        self.clouds = map.next_value_seed(Of::new(notes))?;
        Ok(())
    }

    fn fill(&mut self, other: Self) {
        if self.clouds.wanted.is_none() && self.clouds.others.is_empty() {
            self.clouds = other.clouds;
        }
    }
}

/// The map of all clouds.
#[derive(Default)]
pub struct Clouds {
    /// The one that is wanted.
    pub wanted: Option<Cloud>,
    /// The names of the others.
    pub others: Vec<String>,
}

impl Section for Clouds {
    fn known(key: &str, notes: &Notes<'_>) -> Option<String> {
        (key == notes.wanted).then(|| key.to_owned())
    }

    fn take<'de, A: MapAccess<'de>>(
        &mut self,
        _key: &str,
        map: &mut A,
        notes: &Notes<'_>,
    ) -> Result<(), A::Error> {
        self.wanted = Some(map.next_value_seed(Of::new(notes))?);
        Ok(())
    }

    fn pass_by(&mut self, key: String) {
        self.others.push(key);
    }

    fn fill(&mut self, other: Self) {
        self.wanted = self.wanted.take().or(other.wanted);
        self.others.extend(other.others);
    }
}

impl Section for Cloud {
    fn known(key: &str, notes: &Notes<'_>) -> Option<String> {
        if key == "regions" { Some(key.to_owned()) } else { Values::known(key, notes) }
    }

    fn take<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        notes: &Notes<'_>,
    ) -> Result<(), A::Error> {
        if key == "regions" {
            notes.expect(Wrong::NoList);
            self.regions = map.next_value_seed(Regions { notes })?;
            return Ok(());
        }
        self.values.take(key, map, notes)
    }

    fn fill(&mut self, other: Self) {
        self.values.fill(other.values);
        self.regions = self.regions.take().or(other.regions);
    }
}

impl Section for Values {
    fn known(key: &str, _: &Notes<'_>) -> Option<String> {
        let key = key.replace('-', "_");
        let known = key == "auth" || text_key(&key, &[&CLOUD_KEYS, &AUTH_KEYS]).is_some();
        known.then_some(key)
    }

    fn take<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        notes: &Notes<'_>,
    ) -> Result<(), A::Error> {
        if key == "auth" {
            let Auth(texts) = map.next_value_seed(Of::new(notes))?;
            self.auth = Some(texts);
            return Ok(());
        }
        take_text(&mut self.other, text_key(key, &[&CLOUD_KEYS, &AUTH_KEYS]), map, notes)
    }

    fn fill(&mut self, other: Self) {
        self.auth = self.auth.take().or(other.auth);
        fill(&mut self.other, other.other);
    }
}

/// The map `auth`.
#[derive(Default)]
struct Auth(Texts);

impl Section for Auth {
    fn known(key: &str, _: &Notes<'_>) -> Option<String> {
        let key = key.replace('-', "_");
        text_key(&key, &[&AUTH_KEYS]).is_some().then_some(key)
    }

    fn take<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        notes: &Notes<'_>,
    ) -> Result<(), A::Error> {
        take_text(&mut self.0, text_key(key, &[&AUTH_KEYS]), map, notes)
    }

    fn fill(&mut self, other: Self) {
        fill(&mut self.0, other.0);
    }
}

impl Section for Region {
    fn known(key: &str, _: &Notes<'_>) -> Option<String> {
        ["name", "values"].contains(&key).then(|| key.to_owned())
    }

    fn take<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        notes: &Notes<'_>,
    ) -> Result<(), A::Error> {
        if key == "values" {
            self.values = map.next_value_seed(Of::new(notes))?;
        } else {
            notes.expect(Wrong::NoText);
            self.name = map.next_value::<Option<String>>()?.unwrap_or_default();
        }
        Ok(())
    }

    fn fill(&mut self, other: Self) {
        if self.name.is_empty() {
            self.name = other.name;
        }
        if self.values == Values::default() {
            self.values = other.values;
        }
    }
}

fn text_key(key: &str, lists: &[&[&'static str]]) -> Option<&'static str> {
    lists.iter().copied().flatten().copied().find(|known| *known == key)
}

fn take_text<'de, A: MapAccess<'de>>(
    texts: &mut Texts,
    key: Option<&'static str>,
    map: &mut A,
    notes: &Notes<'_>,
) -> Result<(), A::Error> {
    notes.expect(Wrong::NoText);
    // Typed, so that no number is made of it.
    let text = map.next_value::<Option<String>>()?;
    if let (Some(key), Some(text)) = (key, text) {
        texts.insert(key, text);
    }
    Ok(())
}

fn fill(texts: &mut Texts, other: Texts) {
    for (key, text) in other {
        texts.entry(key).or_insert(text);
    }
}

/// Reads the list `regions`.
struct Regions<'n> {
    notes: &'n Notes<'n>,
}

impl<'de> DeserializeSeed<'de> for Regions<'_> {
    type Value = Option<Vec<Region>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Regions<'_> {
    type Value = Option<Vec<Region>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut regions = Vec::new();
        while let Some(region) = list.next_element_seed(OneRegion { notes: self.notes })? {
            regions.push(region);
        }
        Ok(Some(regions))
    }
}

/// Reads a region: its name alone, or a map.
struct OneRegion<'n> {
    notes: &'n Notes<'n>,
}

impl<'de> DeserializeSeed<'de> for OneRegion<'_> {
    type Value = Region;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Region, D::Error> {
        self.notes.expect(Wrong::NoRegion);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneRegion<'_> {
    type Value = Region;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a region")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Region, E> {
        Ok(Region { name: name.to_owned(), values: Values::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Region, A::Error> {
        let region = Of::<Region>::new(self.notes).visit_map(map)?;
        if region.name.is_empty() {
            return Err(self.notes.error(Wrong::NoRegion));
        }
        Ok(region)
    }
}
