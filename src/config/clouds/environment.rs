//! Which `OS_*` variables still count beside a cloud of a file.

use std::collections::BTreeMap;

use crate::config::clouds::FromFile;
use crate::config::table::{
    OS_APPLICATION_CREDENTIAL_ID, OS_APPLICATION_CREDENTIAL_NAME, OS_APPLICATION_CREDENTIAL_SECRET,
    OS_APPLICATION_CREDENTIAL_SECRET_FILE, OS_AUTH_TYPE, OS_AUTH_URL, OS_CACERT, OS_CERT,
    OS_COMPUTE_ENDPOINT_OVERRIDE, OS_IDENTITY_API_VERSION, OS_IMAGE_ENDPOINT_OVERRIDE, OS_INSECURE,
    OS_INTERFACE, OS_KEY, OS_NETWORK_ENDPOINT_OVERRIDE, OS_PASSWORD, OS_PASSWORD_FILE,
    OS_PROJECT_DOMAIN_ID, OS_PROJECT_DOMAIN_NAME, OS_PROJECT_ID, OS_PROJECT_NAME, OS_REGION_NAME,
    OS_USER_DOMAIN_ID, OS_USER_DOMAIN_NAME, OS_USER_ID, OS_USERNAME, Setting,
};

/// Settings that answer one question together: where the file tells one of them, the variables of all lose.
const QUESTIONS: [&[&Setting]; 18] = [
    &[&OS_AUTH_URL],
    &[&OS_AUTH_TYPE],
    &[&OS_USERNAME, &OS_USER_ID],
    &[&OS_PASSWORD, &OS_PASSWORD_FILE],
    &[&OS_USER_DOMAIN_ID, &OS_USER_DOMAIN_NAME],
    &[&OS_PROJECT_ID, &OS_PROJECT_NAME],
    &[&OS_PROJECT_DOMAIN_ID, &OS_PROJECT_DOMAIN_NAME],
    &[&OS_APPLICATION_CREDENTIAL_ID, &OS_APPLICATION_CREDENTIAL_NAME],
    &[&OS_APPLICATION_CREDENTIAL_SECRET, &OS_APPLICATION_CREDENTIAL_SECRET_FILE],
    &[&OS_REGION_NAME],
    &[&OS_INTERFACE],
    &[&OS_IDENTITY_API_VERSION],
    &[&OS_CACERT],
    &[&OS_INSECURE],
    &[&OS_CERT, &OS_KEY],
    &[&OS_COMPUTE_ENDPOINT_OVERRIDE],
    &[&OS_NETWORK_ENDPOINT_OVERRIDE],
    &[&OS_IMAGE_ENDPOINT_OVERRIDE],
];

/// What only a password needs.
const BY_PASSWORD: [&Setting; 6] = [
    &OS_PASSWORD,
    &OS_PASSWORD_FILE,
    &OS_PROJECT_ID,
    &OS_PROJECT_NAME,
    &OS_PROJECT_DOMAIN_ID,
    &OS_PROJECT_DOMAIN_NAME,
];

/// What only an application credential needs.
const BY_APPLICATION_CREDENTIAL: [&Setting; 4] = [
    &OS_APPLICATION_CREDENTIAL_ID,
    &OS_APPLICATION_CREDENTIAL_NAME,
    &OS_APPLICATION_CREDENTIAL_SECRET,
    &OS_APPLICATION_CREDENTIAL_SECRET_FILE,
];

/// As `auth_type` spells it; the settings judge what else it may be.
fn is_application_credential(auth_type: &str) -> bool {
    auth_type.to_ascii_lowercase().replace(['_', '-'], "").ends_with("applicationcredential")
}

/// The environment without the variables that lose against the file, and a line that names those that say something else.
pub fn without_losers(
    environment: &BTreeMap<String, String>,
    file: &FromFile,
) -> (BTreeMap<String, String>, Option<String>) {
    let told = |setting: &&Setting| file.values.contains_key(setting.name);
    let mut losers: Vec<&Setting> = QUESTIONS
        .into_iter()
        .filter(|settings| settings.iter().any(told))
        .flatten()
        .copied()
        .collect();
    // The file's way to log in is the way: its auth_type says it, else what else it holds.
    let auth_type = file.values.get(OS_AUTH_TYPE.name);
    let by_credential = auth_type.map(|told| is_application_credential(&told.value));
    if by_credential.unwrap_or_else(|| BY_APPLICATION_CREDENTIAL.iter().any(told)) {
        losers.extend(BY_PASSWORD);
        losers.push(&OS_AUTH_TYPE);
    } else if auth_type.is_some()
        || told(&&OS_USERNAME)
        || told(&&OS_USER_ID)
        || told(&&OS_PASSWORD)
    {
        losers.extend(BY_APPLICATION_CREDENTIAL);
        losers.push(&OS_AUTH_TYPE);
    }
    // Who names an authority wants it to be asked.
    if told(&&OS_CACERT) {
        losers.push(&OS_INSECURE);
    }
    let loser = |name: &str| losers.iter().find(|one| one.names().any(|own| own == name));
    let mut kept = BTreeMap::new();
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in environment {
        let Some(setting) = loser(name) else {
            kept.insert(name.clone(), value.clone());
            continue;
        };
        let says_so = file.values.get(setting.name).is_some_and(|told| told.value == *value);
        if !value.is_empty() && !says_so {
            names.push(name);
        }
    }
    let (has, it) = if names.len() == 1 { ("has", "it") } else { ("have", "them") };
    let warning = (!names.is_empty()).then(|| {
        format!(
            "{} {has} no effect, because {} says otherwise; unset {it}",
            names.join(", "),
            file.source
        )
    });
    (kept, warning)
}
