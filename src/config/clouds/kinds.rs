//! The kinds of maps in a clouds file, which of their keys are read, and what these hold.

use crate::config::clouds::values::{AUTH_KEYS, CLOUD_KEYS};

/// A kind of map.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The whole file.
    File,
    /// All clouds, or all profiles.
    Clouds,
    /// A cloud, or a profile.
    Cloud,
    /// A region of a cloud.
    Region,
    /// What holds in a region.
    Values,
    /// How to log in.
    Auth,
}

/// What a key that is read holds.
#[derive(Clone, Copy, Debug)]
pub enum Holds {
    /// A text.
    Text,
    /// A map of this kind.
    Map(Kind),
    /// The list of regions.
    Regions,
}

impl Kind {
    /// What a key is called here and what it holds, if it is one that is read. Of the file only the map `section` is, and
    /// in it the cloud that is `wanted`.
    pub fn known(self, key: &str, section: &str, wanted: &str) -> Option<(String, Holds)> {
        // Of old, keys were written with hyphens, too.
        let plain = key.replace('-', "_");
        let one_of = |keys: &[&str]| keys.contains(&plain.as_str());
        let (name, holds) = match self {
            Kind::File if key == section => (key, Holds::Map(Kind::Clouds)),
            Kind::Clouds if key == wanted => (key, Holds::Map(Kind::Cloud)),
            Kind::Cloud if key == "regions" => (key, Holds::Regions),
            Kind::Cloud | Kind::Values if plain == "auth" => (key, Holds::Map(Kind::Auth)),
            Kind::Cloud | Kind::Values if one_of(&CLOUD_KEYS) || one_of(&AUTH_KEYS) => {
                (plain.as_str(), Holds::Text)
            }
            Kind::Region if key == "name" => (key, Holds::Text),
            Kind::Region if key == "values" => (key, Holds::Map(Kind::Values)),
            Kind::Auth if one_of(&AUTH_KEYS) => (plain.as_str(), Holds::Text),
            _ => return None,
        };
        Some((name.to_owned(), holds))
    }
}
