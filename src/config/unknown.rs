//! Variables that look like settings and are none: misspelt ones, and those of the Python image's self-scaling.

use std::collections::BTreeMap;

use crate::config::parse::boolean;
use crate::config::reader::{Reader, SHOWN_CHARACTERS_MAX};
use crate::config::table::{self, SELF_SCALING, Setting, Unset};
use crate::error::one_line;
use crate::nearest::nearest;

/// What our own variables begin with. `OS_` is not among them: the environment of an `OpenStack` client is full of
/// variables that are meant for others.
const PREFIXES: [&str; 4] = ["APP_", "EXTERNAL_", "OPENSTACK_", "REPLICA_"];

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
            "{files} {verb} no effect: OS_CLOUD, which names a cloud of it, is not set"
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

/// One line for each variable that begins like a setting and is none, with the nearest that is.
pub fn warnings(environment: &BTreeMap<String, String>) -> Vec<String> {
    let known: Vec<&str> = table::all().flat_map(Setting::names).collect();
    let set = environment.iter().filter(|(_, value)| !value.is_empty());
    set.map(|(name, _)| name)
        .filter(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
        .filter(|name| !known.contains(&name.as_str()) && !is_self_scaling(name))
        .map(|name| {
            let shown = one_line(name, SHOWN_CHARACTERS_MAX);
            match nearest(&shown, &known) {
                Some(known) => {
                    format!("{shown}: no such setting, so it has no effect; did you mean {known}?")
                }
                None => format!("{shown}: no such setting, so it has no effect"),
            }
        })
        .collect()
}

/// Self-scaling is refused when it is asked for, and its other variables have no effect.
pub fn self_scaling(reader: &mut Reader<'_>) -> Option<String> {
    if reader.value(&ENABLE_AUTOSCALING, boolean) {
        reader.fault(
            &ENABLE_AUTOSCALING,
            "ENABLE_AUTOSCALING: scaling the scaler itself is not supported; unset it, and run this program under \
             systemd, Kubernetes or the like to keep it alive",
        );
        return None;
    }
    let set = reader.names_set(|name| name != ENABLE_AUTOSCALING.name && is_self_scaling(name));
    (!set.is_empty()).then(|| {
        let set = one_line(&set.join(", "), SHOWN_CHARACTERS_MAX * 4);
        format!("{set}: no effect, for scaling the scaler itself is not supported")
    })
}

fn is_self_scaling(name: &str) -> bool {
    SELF_SCALING.iter().any(|known| match known.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *known,
    })
}
