//! How maps are read, whatever kind they are of: keys once, merge keys (`<<`), and where one is when something is wrong.
//! One visitor reads them all: of the parser's code there is one copy for each visitor.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::config::clouds::kinds::{Holds, Kind};

/// Most maps that are read: a cloud has a handful, but an alias can make many of one.
const MAPS_MAX: usize = 1000;

/// Most maps in each other: more than any file needs, and few for the stack.
const DEPTH_MAX: usize = 32;

/// What may be wrong with what is just read.
#[derive(Clone, Copy, Debug)]
pub enum Wrong {
    /// No map.
    NoMap,
    /// No text.
    NoText,
    /// A key that is no text.
    NoKey,
    /// No list.
    NoList,
    /// No region.
    NoRegion,
    /// Nothing that can be merged.
    NoMerge,
    /// A key that is there twice.
    Twice,
    /// More than any real file has.
    TooMuch,
}

impl Wrong {
    fn words(self) -> &'static str {
        match self {
            Wrong::NoMap => "must be a map: keys with values, indented below it",
            Wrong::NoText => "must be a string",
            Wrong::NoKey => "a key must be a string",
            Wrong::NoList => "must be a list",
            Wrong::NoRegion => {
                "must be a region's name, or a map with a name and perhaps values (a number goes in quotes)"
            }
            Wrong::NoMerge => "must be a map, or a list of maps",
            Wrong::Twice => "is there twice; which one counts?",
            Wrong::TooMuch => "is too much: nested too deeply, or blown up by aliases",
        }
    }
}

/// What is carried along while reading.
#[derive(Debug)]
pub struct Notes<'a> {
    /// The map of all clouds or profiles: `clouds` or `public-clouds`.
    pub section: &'static str,
    /// Whose values are read.
    pub wanted: &'a str,
    /// The keys down to what is just read. After an error it stays where that was.
    path: RefCell<Vec<String>>,
    expected: Cell<Wrong>,
    maps: Cell<usize>,
}

impl<'a> Notes<'a> {
    /// Nothing was read yet.
    pub fn new(section: &'static str, wanted: &'a str) -> Self {
        Notes {
            section,
            wanted,
            path: RefCell::default(),
            expected: Cell::new(Wrong::NoMap),
            maps: Cell::new(0),
        }
    }

    /// What an error that comes from now on is about.
    fn expect(&self, wrong: Wrong) {
        self.expected.set(wrong);
    }

    /// What the error that came was about.
    pub fn wrong(&self) -> Wrong {
        self.expected.get()
    }

    /// The same in words, with the key.
    pub fn about(&self, wrong: Wrong) -> String {
        let mut path = self.path.borrow().clone();
        // Merges in merges say no more than one.
        path.dedup();
        let path = path.join(".");
        let colon = if path.is_empty() { "" } else { ": " };
        format!("{path}{colon}{}", wrong.words())
    }

    fn within<T, E>(&self, key: &str, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.path.borrow_mut().push(key.to_owned());
        let result = read()?;
        self.path.borrow_mut().pop();
        Ok(result)
    }

    /// An error that is about this.
    fn error<E: Error>(&self, wrong: Wrong) -> E {
        self.expected.set(wrong);
        E::custom("told by the notes")
    }
}

/// What stands at a key that is read.
pub enum Node {
    /// A text, as it was written.
    Text(String),
    /// A map.
    Map(Map),
    /// A list of maps, one for each region.
    Regions(Vec<Map>),
}

/// A map, as far as it is read.
#[derive(Default)]
pub struct Map {
    /// The keys that are read, as they are called, each once and with what it holds.
    known: Vec<(String, Node)>,
    /// The other keys, in the map of all clouds: its clouds that are not wanted.
    pub others: Vec<String>,
}

impl Map {
    fn has_text(&self, key: &str) -> bool {
        self.known.iter().any(|(known, node)| match node {
            Node::Text(text) => known == key && !text.is_empty(),
            _ => false,
        })
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        let place = self.known.iter().position(|(known, _)| known == key)?;
        Some(self.known.swap_remove(place).1)
    }

    /// Takes a text out.
    pub fn take_text(&mut self, key: &str) -> Option<String> {
        match self.take(key) {
            Some(Node::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Takes a map out.
    pub fn take_map(&mut self, key: &str) -> Option<Map> {
        match self.take(key) {
            Some(Node::Map(map)) => Some(map),
            _ => None,
        }
    }

    /// Takes the list of regions out.
    pub fn take_regions(&mut self) -> Option<Vec<Map>> {
        match self.take("regions") {
            Some(Node::Regions(regions)) => Some(regions),
            _ => None,
        }
    }

    /// Takes from another one what this one lacks, as a merge key (`<<`) does: whole values.
    fn fill(&mut self, other: Map) {
        for (key, node) in other.known {
            if !self.known.iter().any(|(known, _)| *known == key) {
                self.known.push((key, node));
            }
        }
        self.others.extend(other.others);
    }
}

/// Reads the whole file.
pub fn file<'de, D: Deserializer<'de>>(
    deserializer: D,
    notes: &Notes<'_>,
) -> Result<Map, D::Error> {
    let file = Reader { notes, what: What::At(Holds::Map(Kind::File)) };
    Ok(map_of(file.deserialize(deserializer)?))
}

/// What is read next.
#[derive(Clone, Copy)]
enum What {
    /// What a key holds.
    At(Holds),
    /// A region: its name alone, or a map.
    Region,
    /// What a merge key brings to a map of this kind: a map, or several of which the first goes before the next.
    Merge(Kind),
}

/// Reads it. A `null` is an empty map where one is wanted, and elsewhere nothing.
struct Reader<'n> {
    notes: &'n Notes<'n>,
    what: What,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Option<Node>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let (wrong, typed) = match self.what {
            What::At(Holds::Map(_)) => (Wrong::NoMap, true),
            // Typed, so that no number is made of it.
            What::At(Holds::Text) => (Wrong::NoText, true),
            What::At(Holds::Regions) => (Wrong::NoList, true),
            What::Region => (Wrong::NoRegion, false),
            What::Merge(_) => (Wrong::NoMerge, false),
        };
        self.notes.expect(wrong);
        if typed {
            deserializer.deserialize_option(self)
        } else {
            deserializer.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Option<Node>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("what the notes tell")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        match self.what {
            What::At(Holds::Map(_)) => Ok(Some(Node::Map(Map::default()))),
            What::At(Holds::Text | Holds::Regions) => Ok(None),
            What::Region | What::Merge(_) => Err(self.notes.error(self.notes.wrong())),
        }
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.what {
            What::At(Holds::Text) => deserializer.deserialize_str(self),
            What::At(Holds::Regions) => deserializer.deserialize_seq(self),
            _ => deserializer.deserialize_map(self),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let text = Node::Text(text.to_owned());
        match self.what {
            What::At(Holds::Text) => Ok(Some(text)),
            What::Region => {
                let known = vec![("name".to_owned(), text)];
                Ok(Some(Node::Map(Map { known, others: Vec::new() })))
            }
            _ => Err(self.notes.error(self.notes.wrong())),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let kind = match self.what {
            What::At(Holds::Map(kind)) | What::Merge(kind) => kind,
            What::Region => Kind::Region,
            What::At(_) => return Err(self.notes.error(self.notes.wrong())),
        };
        let map = read_map(kind, map, self.notes)?;
        if matches!(self.what, What::Region) && !map.has_text("name") {
            return Err(self.notes.error(Wrong::NoRegion));
        }
        Ok(Some(Node::Map(map)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let notes = self.notes;
        match self.what {
            What::At(Holds::Regions) => {
                let mut regions = Vec::new();
                while let Some(region) =
                    list.next_element_seed(Reader { notes, what: What::Region })?
                {
                    regions.push(map_of(region));
                }
                Ok(Some(Node::Regions(regions)))
            }
            What::Merge(kind) => {
                let mut all = Map::default();
                let what = What::At(Holds::Map(kind));
                while let Some(one) = list.next_element_seed(Reader { notes, what })? {
                    all.fill(map_of(one));
                }
                Ok(Some(Node::Map(all)))
            }
            _ => Err(notes.error(notes.wrong())),
        }
    }
}

fn map_of(read: Option<Node>) -> Map {
    match read {
        Some(Node::Map(map)) => map,
        _ => Map::default(),
    }
}

fn read_map<'de, A: MapAccess<'de>>(
    kind: Kind,
    mut map: A,
    notes: &Notes<'_>,
) -> Result<Map, A::Error> {
    let maps = notes.maps.get() + 1;
    notes.maps.set(maps);
    if maps > MAPS_MAX || notes.path.borrow().len() > DEPTH_MAX {
        return Err(notes.error(Wrong::TooMuch));
    }
    let (mut read, mut below, mut seen) = (Map::default(), Map::default(), BTreeSet::new());
    while let Some(key) = map.next_key_seed(Key { notes, kind, seen: &mut seen })? {
        match key {
            Named::Known(key, holds) => {
                let value = Reader { notes, what: What::At(holds) };
                let value = notes.within(&key, || map.next_value_seed(value))?;
                if let Some(value) = value {
                    read.known.push((key, value));
                }
            }
            Named::Merge => {
                let merge = Reader { notes, what: What::Merge(kind) };
                below.fill(map_of(notes.within("<<", || map.next_value_seed(merge))?));
            }
            Named::Other(key) => {
                map.next_value::<IgnoredAny>()?;
                if matches!(kind, Kind::Clouds) {
                    read.others.push(key);
                }
            }
        }
    }
    read.fill(below);
    Ok(read)
}

enum Named {
    Known(String, Holds),
    Merge,
    Other(String),
}

/// Reads a key of a map of this kind. One that is read may be there once.
struct Key<'n, 's> {
    notes: &'n Notes<'n>,
    kind: Kind,
    seen: &'s mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = Named;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Named, D::Error> {
        self.notes.expect(Wrong::NoKey);
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = Named;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Named, E> {
        if key == "<<" {
            return Ok(Named::Merge);
        }
        let Some((known, holds)) = self.kind.known(key, self.notes.section, self.notes.wanted)
        else {
            return Ok(Named::Other(key.to_owned()));
        };
        if !self.seen.insert(known.clone()) {
            self.notes.path.borrow_mut().push(known);
            return Err(self.notes.error(Wrong::Twice));
        }
        Ok(Named::Known(known, holds))
    }
}
