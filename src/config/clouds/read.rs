//! The text of a clouds file, as far as it tells of one cloud or profile.
//!
//! Only what is wanted is read: what else stands in the file may be as odd as it likes, as long as it is YAML. Values stay
//! the text that was written, whatever YAML makes of `0123`, `no` and `1e5`. The parser's own words are never shown,
//! for they quote values; and nothing here that holds secrets can be printed.

use serde::de::IgnoredAny;

use crate::config::clouds::values::{AUTH_KEYS, CLOUD_KEYS, Cloud, Region, Texts, Values};
use crate::config::clouds::visit::{self, Map, Notes, Wrong};

/// Largest file: the largest real ones have some kilobytes.
pub const BYTES_MAX: usize = 64 * 1024;

/// Most brackets: the parser's time grows with the square of those that are open.
const BRACKETS_MAX: usize = 4096;

/// What a file tells.
#[derive(Default, PartialEq, Eq)]
pub struct Found {
    /// The cloud or profile that is wanted, if it is there.
    pub cloud: Option<Cloud>,
    /// The names of the others.
    pub others: Vec<String>,
}

/// What is wrong with a file, and where; never a value of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line and column, from 1.
    pub place: Option<(usize, usize)>,
    /// What it is, with the key it is about.
    pub text: String,
}

/// Reads what `text` tells of `wanted` in its map `section`, which is `clouds` or `public-clouds`.
pub fn read(text: &str, section: &'static str, wanted: &str) -> Result<Found, Fault> {
    if text.len() > BYTES_MAX {
        return Err(plain(format!("more than {} KiB", BYTES_MAX / 1024)));
    }
    if text.matches(['[', '{']).count() > BRACKETS_MAX {
        return Err(plain(format!("more than {BRACKETS_MAX} brackets")));
    }
    // All of it, so that what is wrong further on is not taken for a wrong type.
    if let Err(error) = yaml_serde::from_str::<IgnoredAny>(text) {
        let place = error.location().map(|at| (at.line(), at.column()));
        let text = match place {
            Some(_) => {
                "is not YAML from here on (a tab, a quote or a bracket, or the indentation?)"
            }
            None => "holds more than one YAML document: take out what follows the line ---",
        };
        return Err(Fault { place, text: text.to_owned() });
    }
    let notes = Notes::new(section, wanted);
    match visit::file(yaml_serde::Deserializer::from_str(text), &notes) {
        Ok(mut file) => {
            let mut clouds = file.take_map(section).unwrap_or_default();
            let cloud = clouds.take_map(wanted).map(Cloud::from);
            Ok(Found { cloud, others: clouds.others })
        }
        Err(error) => {
            let place = error.location().map(|at| (at.line(), at.column()));
            // Without a place it is a limit of the parser's own.
            let wrong = place.map_or(Wrong::TooMuch, |_| notes.wrong());
            Err(Fault { place, text: notes.about(wrong) })
        }
    }
}

fn plain(text: String) -> Fault {
    Fault { place: None, text }
}

impl From<Map> for Cloud {
    fn from(mut map: Map) -> Self {
        let regions = map.take_regions();
        let regions = regions.map(|regions| regions.into_iter().map(Region::from).collect());
        Cloud { values: map.into(), regions }
    }
}

impl From<Map> for Region {
    fn from(mut map: Map) -> Self {
        let values = map.take_map("values").map(Values::from);
        Region {
            name: map.take_text("name").unwrap_or_default(),
            values: values.unwrap_or_default(),
        }
    }
}

impl From<Map> for Values {
    fn from(mut map: Map) -> Self {
        let auth = map.take_map("auth").map(|mut auth| texts(&mut auth, &[&AUTH_KEYS]));
        Values { auth, other: texts(&mut map, &[&CLOUD_KEYS, &AUTH_KEYS]) }
    }
}

fn texts(map: &mut Map, keys: &[&[&'static str]]) -> Texts {
    let keys = keys.iter().copied().flatten().copied();
    keys.filter_map(|key| Some((key, map.take_text(key)?))).collect()
}
