//! Reading what a service answers. What is not needed may be as odd as it likes: it stops nothing.

use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::http;

/// Reads JSON; `what` is where it came from.
pub fn parse<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T> {
    parse_into(PhantomData::<T>, body, what)
}

/// Reads JSON into `seed`; `what` is where it came from.
pub fn parse_into<'a, S: DeserializeSeed<'a>>(
    seed: S,
    body: &'a [u8],
    what: &str,
) -> Result<S::Value> {
    http::json_into(seed, body).map_err(|why| invalid(what, &why))
}

fn invalid(what: &str, why: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("{what}: {why}"))
}

/// Whether an answer was none of the service's: HTML of a portal, JSON of something else.
pub fn is_foreign(error: &Error) -> bool {
    error.kind == ErrorKind::Invalid && error.text.contains("not the expected JSON")
}

/// A field of an answer. An absent one was not told (policies hide fields): that is not the same as `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Told<T> {
    /// The field is absent.
    #[default]
    Not,
    /// It is `null`.
    Null,
    /// It is there, and of the agreed type.
    Is(T),
    /// It is there, and of another type than agreed.
    Odd,
}

impl<T> Told<T> {
    /// What was told, if it can be read.
    pub fn get(&self) -> Option<&T> {
        match self {
            Told::Is(value) => Some(value),
            Told::Not | Told::Null | Told::Odd => None,
        }
    }

    /// The same, to keep.
    pub fn take(self) -> Option<T> {
        match self {
            Told::Is(value) => Some(value),
            Told::Not | Told::Null | Told::Odd => None,
        }
    }

    /// Whether the field is absent.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Told::Not)
    }

    /// Whether there is nothing in it: it is absent or `null`.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Told::Not | Told::Null)
    }
}

impl<T: AsRef<str>> Told<T> {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        self.get().map(AsRef::as_ref)
    }
}

impl<T> Told<Vec<Told<T>>> {
    /// What can be read of a list.
    pub fn readable(self) -> impl Iterator<Item = T> {
        readable(self.take().unwrap_or_default())
    }
}

/// What can be read of a list.
pub fn readable<T>(list: Vec<Told<T>>) -> impl Iterator<Item = T> {
    list.into_iter().filter_map(Told::take)
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Told<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Told::Null);
        }
        Ok(T::deserialize(value).map_or(Told::Odd, Told::Is))
    }
}

/// Something with an id and a name.
#[derive(Clone, Debug, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    #[serde(default)]
    name: Told<String>,
}

impl Named {
    /// Its name; empty when it has none.
    pub fn name(&self) -> &str {
        self.name.text().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    struct Record {
        #[serde(default)]
        name: Told<String>,
    }

    #[test]
    fn absent_null_odd_and_told_are_four_things() {
        for (json, expected) in [
            ("{}", Told::Not),
            (r#"{"name": null}"#, Told::Null),
            (r#"{"name": 5}"#, Told::Odd),
            (r#"{"name": ["a"]}"#, Told::Odd),
            (r#"{"name": "a"}"#, Told::Is("a".to_owned())),
        ] {
            let record: Record = parse(json.as_bytes(), "test").unwrap();
            assert_eq!(record.name, expected, "of {json}");
        }
    }

    #[test]
    fn an_odd_record_is_left_out_of_a_list() {
        let json = br#"[null, 5, [], {"name": "a"}, {"name": {}}]"#;
        let list: Vec<Told<Record>> = parse(json, "test").unwrap();
        let names: Vec<Told<String>> = readable(list).map(|record| record.name).collect();
        assert_eq!(names, [Told::Not, Told::Is("a".to_owned()), Told::Odd]);
    }
}
