//! Which setting each key of a cloud is.

use std::collections::BTreeMap;

use crate::config::clouds::FileValue;
use crate::config::clouds::lay::{Laid, Text};
use crate::config::clouds::search::expand;
use crate::config::parse::boolean;

/// Keys of `auth`, and their settings; of several keys for one setting the first goes before the next.
const AUTH: [(&str, &str); 17] = [
    ("auth_url", "OS_AUTH_URL"),
    ("username", "OS_USERNAME"),
    ("user_id", "OS_USER_ID"),
    ("password", "OS_PASSWORD"),
    ("project_id", "OS_PROJECT_ID"),
    ("tenant_id", "OS_PROJECT_ID"),
    ("project_name", "OS_PROJECT_NAME"),
    ("tenant_name", "OS_PROJECT_NAME"),
    ("project_domain_id", "OS_PROJECT_DOMAIN_ID"),
    ("project_domain_name", "OS_PROJECT_DOMAIN_NAME"),
    ("user_domain_id", "OS_USER_DOMAIN_ID"),
    ("user_domain_name", "OS_USER_DOMAIN_NAME"),
    ("application_credential_id", "OS_APPLICATION_CREDENTIAL_ID"),
    ("application_credential_name", "OS_APPLICATION_CREDENTIAL_NAME"),
    ("application_credential_secret", "OS_APPLICATION_CREDENTIAL_SECRET"),
    // For whichever of the two has none of its own.
    ("domain_id", ""),
    ("domain_name", ""),
];

/// Keys beside `auth`.
const OTHER: [(&str, &str); 11] = [
    ("auth_type", "OS_AUTH_TYPE"),
    ("auth_plugin", "OS_AUTH_TYPE"),
    // Written where both are, by whoever knew the other's meaning.
    ("endpoint_type", "OS_INTERFACE"),
    ("interface", "OS_INTERFACE"),
    ("identity_api_version", "OS_IDENTITY_API_VERSION"),
    ("cacert", "OS_CACERT"),
    ("cert", "OS_CERT"),
    ("key", "OS_KEY"),
    ("compute_endpoint_override", "OS_COMPUTE_ENDPOINT_OVERRIDE"),
    ("network_endpoint_override", "OS_NETWORK_ENDPOINT_OVERRIDE"),
    ("image_endpoint_override", "OS_IMAGE_ENDPOINT_OVERRIDE"),
];

/// Settings that are paths, and may begin with `~`.
const PATHS: [&str; 3] = ["OS_CACERT", "OS_CERT", "OS_KEY"];

/// Settings in which `{region_name}` stands for the region: profiles are written so.
const PATTERNS: [&str; 4] = [
    "OS_AUTH_URL",
    "OS_COMPUTE_ENDPOINT_OVERRIDE",
    "OS_NETWORK_ENDPOINT_OVERRIDE",
    "OS_IMAGE_ENDPOINT_OVERRIDE",
];

/// The settings that a cloud holds, by the name of their variable.
pub fn values(
    laid: &Laid<'_>,
    environment: &BTreeMap<String, String>,
) -> BTreeMap<&'static str, FileValue> {
    let mut values = BTreeMap::new();
    let mut add = |setting: &'static str, text: Option<&Text<'_>>| {
        if let Some(text) = text {
            let value = FileValue { label: text.label.clone(), value: text.value.to_owned() };
            values.entry(setting).or_insert(value);
        }
    };
    for (key, setting) in AUTH.into_iter().filter(|(_, setting)| !setting.is_empty()) {
        add(setting, laid.auth(key));
    }
    for (key, setting) in OTHER {
        add(setting, laid.other(key));
    }
    add("OS_REGION_NAME", laid.region.as_ref());
    let has = |values: &BTreeMap<_, _>, names: [&str; 2]| {
        names.iter().any(|name| values.contains_key(name))
    };
    for [id, name] in [
        ["OS_USER_DOMAIN_ID", "OS_USER_DOMAIN_NAME"],
        ["OS_PROJECT_DOMAIN_ID", "OS_PROJECT_DOMAIN_NAME"],
    ] {
        if !has(&values, [id, name]) {
            for (key, setting) in [("domain_id", id), ("domain_name", name)] {
                if let Some(text) = laid.auth(key) {
                    let value =
                        FileValue { label: text.label.clone(), value: text.value.to_owned() };
                    values.insert(setting, value);
                }
            }
        }
    }
    if let Some(value) = insecure(laid) {
        values.insert("OS_INSECURE", value);
    }
    let region =
        values.get("OS_REGION_NAME").map(|region| region.value.clone()).unwrap_or_default();
    for (setting, FileValue { value, .. }) in &mut values {
        if PATHS.contains(setting) {
            *value = expand(value, environment);
        }
        if PATTERNS.contains(setting) && !region.is_empty() {
            *value = value.replace("{region_name}", &region);
        }
    }
    values
}

/// `insecure`, or `verify` turned round. Where both are there, the one that asks for less counts, as in the SDK.
fn insecure(laid: &Laid<'_>) -> Option<FileValue> {
    let value = |text: &Text<'_>, value: String| FileValue { label: text.label.clone(), value };
    let verify = laid.other("verify").map(|text| match boolean(text.value) {
        Ok(verify) => value(text, (!verify).to_string()),
        // Told to be no boolean when it is read as one.
        Err(_) => value(text, text.value.to_owned()),
    });
    let insecure = laid.other("insecure").map(|text| value(text, text.value.to_owned()));
    let says_no = |one: &FileValue| boolean(&one.value) == Ok(false);
    insecure.into_iter().chain(verify).reduce(|a, b| if says_no(&a) { b } else { a })
}
