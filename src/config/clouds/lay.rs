//! What goes before what: the profile is laid first, over it the cloud, over that its secrets, at last its region.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::config::clouds::values::{Cloud, Texts, Values};
use crate::config::parse::SHOWN_CHARACTERS_MAX;
use crate::error::one_line;
use crate::nearest::in_other_case;

/// What one file tells of the cloud, or of its profile.
pub struct Source<'a> {
    /// The file.
    pub file: &'a Path,
    /// `clouds` or `public-clouds`.
    pub section: &'static str,
    /// The cloud's or the profile's name.
    pub name: &'a str,
    /// What it tells.
    pub cloud: Cloud,
}

/// A text of a file.
#[derive(Clone)]
pub struct Text<'a> {
    /// The file.
    pub file: &'a Path,
    /// The file and the keys, for people.
    pub label: String,
    /// The text itself.
    pub value: &'a str,
}

/// All texts laid over each other.
#[derive(Default)]
pub struct Laid<'a> {
    /// What stands in `auth`.
    auth: BTreeMap<&'static str, Text<'a>>,
    /// What stands beside it.
    other: BTreeMap<&'static str, Text<'a>>,
    /// The region that was chosen.
    pub region: Option<Text<'a>>,
}

/// A region of a cloud and the file that tells of it.
pub struct ChosenRegion<'a> {
    source: &'a Source<'a>,
    name: &'a str,
    values: Option<&'a Values>,
}

impl<'a> Laid<'a> {
    /// Lays what a file tells over what is there.
    pub fn lay(&mut self, source: &'a Source<'a>) {
        let place = format!("{}.{}", source.section, source.name);
        self.lay_values(source.file, &place, &source.cloud.values);
    }

    /// Lays what holds in a region over all.
    pub fn lay_region(&mut self, region: &ChosenRegion<'a>) {
        let &ChosenRegion { source, name, values } = region;
        let place = format!("{}.{}.regions.{name}.values", source.section, source.name);
        if let Some(values) = values {
            self.lay_values(source.file, &place, values);
        }
        let key = if source.cloud.regions.is_some() { "regions" } else { "region_name" };
        let label = label(source.file, &format!("{}.{}", source.section, source.name), key);
        self.region = Some(Text { file: source.file, label, value: name });
    }

    fn lay_values(&mut self, file: &'a Path, place: &str, values: &'a Values) {
        let auth = values.auth.iter().flatten();
        let lay = |into: &mut BTreeMap<_, _>, place: &str, key: &'static str, text: &'a str| {
            into.insert(key, Text { file, label: label(file, place, key), value: text });
        };
        for (key, text) in auth {
            lay(&mut self.auth, &format!("{place}.auth"), key, text);
        }
        for (key, text) in &values.other {
            lay(&mut self.other, place, key, text);
        }
    }

    /// The text of a key beside `auth`.
    pub fn other(&self, key: &str) -> Option<&Text<'a>> {
        self.other.get(key).filter(|text| !text.value.is_empty())
    }

    /// The text of a key of `auth`, which of old may stand beside it.
    pub fn auth(&self, key: &str) -> Option<&Text<'a>> {
        let inside = self.auth.get(key).filter(|text| !text.value.is_empty());
        inside.or_else(|| self.other(key))
    }

    /// The files that a secret comes from.
    pub fn files_with_secrets(&self) -> BTreeSet<&'a Path> {
        let secrets = ["password", "application_credential_secret"];
        secrets.iter().filter_map(|key| self.auth(key)).map(|text| text.file).collect()
    }
}

fn label(file: &Path, place: &str, key: &str) -> String {
    let place = one_line(place, SHOWN_CHARACTERS_MAX * 2);
    format!("{}: {place}.{key}", file.display())
}

/// The name of the cloud's profile; `cloud` is the key of old.
pub fn profile_name(sources: &[Source<'_>]) -> Option<String> {
    let of = |texts: &Texts| texts.get("profile").or_else(|| texts.get("cloud")).cloned();
    let named = sources.iter().rev().find_map(|source| of(&source.cloud.values.other));
    named.filter(|name| !name.is_empty())
}

/// The region of the cloud: its `region_name`, else `wanted` (`OS_REGION_NAME`) when the cloud has several, else the first
/// that it lists. `None` when it tells nothing of regions.
pub fn regions<'a>(
    sources: &'a [Source<'a>],
    wanted: &'a str,
) -> Result<Option<ChosenRegion<'a>>, String> {
    let listed = sources.iter().rev().find_map(|source| {
        let regions = source.cloud.regions.as_ref()?;
        (!regions.is_empty()).then_some((source, regions))
    });
    let told = sources.iter().rev().find_map(|source| {
        let names = source.cloud.values.other.get("region_name")?;
        (!names.is_empty()).then_some((source, names))
    });
    // Of old, a list with commas.
    let told_names: Vec<&str> =
        told.iter().flat_map(|(_, names)| names.split(',')).map(str::trim).collect();
    let have: Vec<&str> = match listed {
        Some((_, regions)) => regions.iter().map(|region| region.name.as_str()).collect(),
        None => told_names.clone(),
    };
    let Some(first) = have.first() else { return Ok(None) };
    let (setting, name) = match told_names.as_slice() {
        [only] => ("region_name", *only),
        _ if have.len() > 1 && !wanted.is_empty() => ("OS_REGION_NAME", wanted),
        _ => ("regions", *first),
    };
    // A profile may not know all regions there are.
    let of_profile = listed.is_some_and(|(source, _)| source.section == "public-clouds");
    let unlisted_is_right = of_profile && setting == "region_name";
    if !unlisted_is_right && !have.contains(&name) {
        let meant = in_other_case(name, &have);
        let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
        let meant = one_line(&meant, SHOWN_CHARACTERS_MAX);
        let name = one_line(name, SHOWN_CHARACTERS_MAX);
        let have = one_line(&have.join(", "), SHOWN_CHARACTERS_MAX * 4);
        return Err(format!(
            "{setting} \"{name}\" is not one of the cloud's regions{meant} (have: {have})"
        ));
    }
    let found = listed.and_then(|(source, regions)| {
        Some((source, regions.iter().find(|region| region.name == name)?))
    });
    Ok(match (found, told) {
        (Some((source, region)), _) => {
            Some(ChosenRegion { source, name, values: Some(&region.values) })
        }
        (None, Some((source, _))) => Some(ChosenRegion { source, name, values: None }),
        (None, None) => None,
    })
}
