//! Variables that look like settings but are not: misspelt ones, and those of the Python image's self-scaling.

use std::collections::BTreeMap;

use crate::config::parse::SHOWN_CHARACTERS_MAX;
use crate::config::parse::boolean;
use crate::config::reader::Reader;
use crate::config::table::{self, SELF_SCALING, Setting, Unset};
use crate::error::one_line;
use crate::nearest::{distance, near};

/// What our own variables begin with.
const FAMILIES: [&str; 4] = ["APP_", "EXTERNAL_", "OPENSTACK_", "REPLICA_"];

/// What the login's variables begin with. The environment of an `OpenStack` client is full of others that are meant for
/// somebody else, so it warns only of those that are close to one of ours.
const LOGIN: &str = "OS_";

/// What this program's own variables begin with. Nothing of the cloud or of a replica is meant for them: `REPLICA_PORT` is
/// not `APP_PORT`.
const OF_THIS_PROGRAM: &str = "APP_";

/// Letters of a name for each slip in it, where its family is no help: fewer would take other programs' names for ours.
const LETTERS_PER_SLIP: usize = 6;

/// Fewest letters behind a family that are taken for the beginning of another family's setting.
const BEGINNING_LETTERS_MIN: usize = 3;

/// Variables of others that are close to one of ours and right as they are. `OS_NAME` is the system that a pipeline runs on.
const OF_OTHERS: [&str; 3] = ["OS_AUTH_TOKEN", "OS_ENDPOINT", "OS_NAME"];

/// What such variables end in.
const ENDS_OF_OTHER_CLIENTS: [&str; 2] = ["_API_VERSION", "_ENDPOINT_OVERRIDE"];

/// A line for each variable of an `OpenStack` client that has no effect here, although whoever set it meant one.
pub fn without_effect(environment: &BTreeMap<String, String>) -> Vec<String> {
    let set = |name: &&str| environment.get(*name).is_some_and(|value| !value.is_empty());
    let mut warnings = Vec::new();
    if set(&"OS_IDENTITY_ENDPOINT_OVERRIDE") {
        warnings.push(
            "OS_IDENTITY_ENDPOINT_OVERRIDE has no effect: Keystone is asked for the login only, and that goes to OS_AUTH_URL"
                .to_owned(),
        );
    }
    let files: Vec<&str> =
        ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"].into_iter().filter(set).collect();
    if !files.is_empty() && !set(&"OS_CLOUD") {
        let verb = if files.len() == 1 { "has" } else { "have" };
        let files = files.join(" and ");
        warnings.push(format!(
            "{files} {verb} no effect: OS_CLOUD, which names the cloud to use, is not set"
        ));
    }
    warnings
}

/// Python 3.0's switch for scaling itself.
static ENABLE_AUTOSCALING: Setting = Setting {
    name: "ENABLE_AUTOSCALING",
    aliases: &[],
    unset: Unset::Default("false"),
    meaning: "the scaler's own VMs are scaled, too",
};

/// One line for each variable that looks like a setting but is not, with the one that was probably meant.
pub fn warnings(environment: &BTreeMap<String, String>) -> Vec<String> {
    let known: Vec<&str> = table::all().flat_map(Setting::names).collect();
    let set = environment.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name);
    let unknown = set.filter(|name| !known.contains(&name.as_str()) && !is_self_scaling(name));
    unknown
        .filter_map(|name| {
            let meant = meant(name, &known);
            let is_guessed = meant.is_some() && !is_of_others(name);
            let ours = FAMILIES.iter().any(|family| name.starts_with(family)) || is_guessed;
            let shown = one_line(name, SHOWN_CHARACTERS_MAX);
            let hint = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            ours.then(|| format!("{shown}: no such setting, so it has no effect{hint}"))
        })
        .collect()
}

/// The setting that was probably meant. What follows the family is compared, because that is where names differ; one
/// that matches another family exactly was meant for it.
fn meant<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let Some(family) = families().find(|family| name.starts_with(family)) else {
        return alike_as_a_whole(name, known);
    };
    let rest = name.strip_prefix(family)?;
    let of_family = || known.iter().copied().filter(|known| known.starts_with(family));
    let rests: Vec<&str> = known.iter().filter_map(|known| known.strip_prefix(family)).collect();
    let near = || {
        let near = near(rest, &rests)?;
        of_family().find(|known| known.strip_prefix(family) == Some(near))
    };
    let same = in_other_family(known, |own| own == rest).or_else(near);
    // The environment of an OpenStack client is full of names that are parts of ours.
    if family == LOGIN {
        return same;
    }
    let fuller = || of_family().filter(|known| holds_words(known, name)).min_by_key(|k| k.len());
    let begun = || {
        let is_enough = rest.len() >= BEGINNING_LETTERS_MIN;
        in_other_family(known, |own| is_enough && own.starts_with(rest))
    };
    same.or_else(fuller).or_else(begun)
}

fn families() -> impl Iterator<Item = &'static str> {
    FAMILIES.into_iter().chain([LOGIN])
}

/// The first setting of the cloud, the login or the replicas with such an end behind its family.
fn in_other_family<'a>(known: &[&'a str], fits: impl Fn(&str) -> bool) -> Option<&'a str> {
    let mut others = families().filter(|family| *family != OF_THIS_PROGRAM);
    others.find_map(|family| {
        let ends = |known: &&str| known.strip_prefix(family).is_some_and(&fits);
        known.iter().copied().find(ends)
    })
}

/// Whether all words of `name` are among those of `known`, in the same order.
fn holds_words(known: &str, name: &str) -> bool {
    let mut of_known = known.split('_');
    name.split('_').all(|word| of_known.any(|own| own == word))
}

/// The setting whose name is a slip away, of those that begin with the same letter: `CI_PROJECT_ID` is not `OS_PROJECT_ID`.
fn alike_as_a_whole<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let slips_max = name.len() / LETTERS_PER_SLIP;
    let same_start = known.iter().copied().filter(|known| known.get(..1) == name.get(..1));
    let slips = same_start.map(|known| (distance(name, known), known));
    let (slips, known) = slips.min_by_key(|(slips, _)| *slips)?;
    (slips <= slips_max).then_some(known)
}

fn is_of_others(name: &str) -> bool {
    OF_OTHERS.contains(&name) || ENDS_OF_OTHER_CLIENTS.iter().any(|end| name.ends_with(end))
}

/// Self-scaling is refused when it is asked for, and its other variables have no effect.
pub fn self_scaling(reader: &mut Reader<'_>) -> Option<String> {
    if reader.value(&ENABLE_AUTOSCALING, boolean) {
        reader.fault(
            &ENABLE_AUTOSCALING,
            "ENABLE_AUTOSCALING: scaling the scaler itself is not supported; unset it, and run this program under \
             systemd, Kubernetes or similar to keep it alive",
        );
        return None;
    }
    let set = reader.names_set(|name| name != ENABLE_AUTOSCALING.name && is_self_scaling(name));
    (!set.is_empty()).then(|| {
        let set = one_line(&set.join(", "), SHOWN_CHARACTERS_MAX * 4);
        format!("{set}: no effect, because scaling the scaler itself is not supported")
    })
}

fn is_self_scaling(name: &str) -> bool {
    SELF_SCALING.iter().any(|known| match known.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *known,
    })
}
