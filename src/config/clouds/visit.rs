//! How maps are read, whatever kind they are of: keys once, merge keys (`<<`), and where one is when something is wrong.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

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
    pub fn expect(&self, wrong: Wrong) {
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

    fn within<T, E>(
        &self,
        key: &str,
        expected: Wrong,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.path.borrow_mut().push(key.to_owned());
        self.expected.set(expected);
        let result = read()?;
        self.path.borrow_mut().pop();
        Ok(result)
    }

    /// An error that is about this.
    pub fn error<E: Error>(&self, wrong: Wrong) -> E {
        self.expected.set(wrong);
        E::custom("told by the notes")
    }
}

/// A kind of map.
pub trait Section: Default {
    /// What a key is called here, if it is one that is read.
    fn known(key: &str, notes: &Notes<'_>) -> Option<String>;

    /// Reads the value of a known key.
    fn take<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        notes: &Notes<'_>,
    ) -> Result<(), A::Error>;

    /// Notes a key that is not read.
    fn pass_by(&mut self, _key: String) {}

    /// Takes from another one what this one lacks, as a merge key (`<<`) does: whole values.
    fn fill(&mut self, other: Self);
}

/// Reads a map of this kind; a `null` is an empty one.
pub struct Of<'n, S> {
    notes: &'n Notes<'n>,
    kind: PhantomData<S>,
}

impl<'n, S> Of<'n, S> {
    /// To be read with these notes.
    pub fn new(notes: &'n Notes<'n>) -> Self {
        Of { notes, kind: PhantomData }
    }
}

impl<'de, S: Section> DeserializeSeed<'de> for Of<'_, S> {
    type Value = S;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S, D::Error> {
        self.notes.expect(Wrong::NoMap);
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: Section> Visitor<'de> for Of<'_, S> {
    type Value = S;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_none<E: Error>(self) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<S, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<S, A::Error> {
        let notes = self.notes;
        let maps = notes.maps.get() + 1;
        notes.maps.set(maps);
        if maps > MAPS_MAX || notes.path.borrow().len() > DEPTH_MAX {
            return Err(notes.error(Wrong::TooMuch));
        }
        let (mut section, mut below, mut seen) = (S::default(), S::default(), BTreeSet::new());
        while let Some(key) =
            map.next_key_seed(Key::<S> { notes, seen: &mut seen, kind: PhantomData })?
        {
            match key {
                Named::Known(key) => {
                    notes.within(&key, Wrong::NoMap, || section.take(&key, &mut map, notes))?;
                }
                Named::Merge => {
                    let merge = Merge::<S> { notes, kind: PhantomData };
                    let merged =
                        notes.within("<<", Wrong::NoMerge, || map.next_value_seed(merge))?;
                    below.fill(merged);
                }
                Named::Other(key) => {
                    map.next_value::<IgnoredAny>()?;
                    section.pass_by(key);
                }
            }
        }
        section.fill(below);
        Ok(section)
    }
}

enum Named {
    Known(String),
    Merge,
    Other(String),
}

/// Reads a key of a map of this kind. One that is read may be there once.
struct Key<'n, 's, S> {
    notes: &'n Notes<'n>,
    seen: &'s mut BTreeSet<String>,
    kind: PhantomData<S>,
}

impl<'de, S: Section> DeserializeSeed<'de> for Key<'_, '_, S> {
    type Value = Named;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Named, D::Error> {
        self.notes.expect(Wrong::NoKey);
        deserializer.deserialize_str(self)
    }
}

impl<S: Section> Visitor<'_> for Key<'_, '_, S> {
    type Value = Named;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Named, E> {
        if key == "<<" {
            return Ok(Named::Merge);
        }
        let Some(known) = S::known(key, self.notes) else {
            return Ok(Named::Other(key.to_owned()));
        };
        if !self.seen.insert(known.clone()) {
            self.notes.path.borrow_mut().push(known);
            return Err(self.notes.error(Wrong::Twice));
        }
        Ok(Named::Known(known))
    }
}

/// Reads what a merge key brings: a map, or several of which the first goes before the next.
struct Merge<'n, S> {
    notes: &'n Notes<'n>,
    kind: PhantomData<S>,
}

impl<'de, S: Section> DeserializeSeed<'de> for Merge<'_, S> {
    type Value = S;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Section> Visitor<'de> for Merge<'_, S> {
    type Value = S;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map or a list of maps")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<S, A::Error> {
        Of::new(self.notes).visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<S, A::Error> {
        let mut all = S::default();
        while let Some(one) = list.next_element_seed(Of::<S>::new(self.notes))? {
            all.fill(one);
        }
        Ok(all)
    }
}
