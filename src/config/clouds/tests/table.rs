//! The table of files, beside what `OpenStack`'s own SDK makes of each (`tests/fixtures/clouds/record.py` found that out).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Files, environment};
use crate::config::clouds::{load, without_losers};

/// What both have when nothing tells otherwise.
const DEFAULTS: [(&str, &str); 3] =
    [("OS_INTERFACE", "public"), ("OS_AUTH_TYPE", "password"), ("OS_INSECURE", "false")];

/// What a secret in the cases is.
const SECRETS: [&str; 4] = ["hunter2", "from-secure", "s3cret", "pw2"];

#[derive(Deserialize)]
struct Case {
    name: String,
    files: BTreeMap<String, Text>,
    environment: BTreeMap<String, String>,
    sdk: Value,
    /// What comes of it here, where that is something else.
    ours: Option<Value>,
    /// Why it is something else.
    why: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    /// Pieces, each with how often it stands there.
    Pieces(Vec<(String, usize)>),
}

impl Text {
    fn text(&self) -> String {
        match self {
            Text::Whole(text) => text.clone(),
            Text::Pieces(pieces) => {
                pieces.iter().map(|(text, times)| text.repeat(*times)).collect()
            }
        }
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../../../tests/fixtures/clouds/table.json")).unwrap()
}

/// The login that a case comes to, as `record.py` writes it.
fn ours(case: &Case) -> Value {
    let files = Files::of(case.files.iter().map(|(path, text)| (path.as_str(), text.text())));
    let variables: Vec<(&str, &str)> =
        case.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let environment = environment(&variables);
    let loaded = match load(&environment, &|path| files.read(path)) {
        None => return json!({"error": "no cloud"}),
        Some(Err(fault)) => return json!({"error": fault}),
        Some(Ok(loaded)) => loaded,
    };
    let (kept, _) = without_losers(&environment, &loaded);
    let login = |name: &str| name.starts_with("OS_") && !name.contains("CLI") && name != "OS_CLOUD";
    let from_environment = kept.into_iter().filter(|(name, _)| login(name));
    let from_file = loaded.values.into_iter().map(|(name, told)| match name {
        "OS_INSECURE" => (name.to_owned(), told.value.to_lowercase()),
        _ => (name.to_owned(), told.value),
    });
    let all: BTreeMap<String, String> = from_environment
        .chain(from_file)
        .filter(|(name, value)| !DEFAULTS.contains(&(name.as_str(), value.as_str())))
        .collect();
    json!(all)
}

#[test]
fn a_clouds_file_is_what_openstacks_own_sdk_makes_of_it_or_the_table_says_why_not() {
    let (mut wrong, cases) = (Vec::new(), cases());
    assert!(cases.len() >= 40, "{}", cases.len());
    for case in cases {
        let ours = ours(&case);
        let both_refuse = ours.get("error").is_some() && case.sdk.get("error").is_some();
        let expected = case.ours.as_ref().unwrap_or(&case.sdk);
        let explained = both_refuse || case.ours.is_none() || case.why.is_some();
        if ours != *expected || !explained {
            wrong.push(json!({"name": case.name, "ours": ours, "sdk": case.sdk}));
        }
    }
    assert!(wrong.is_empty(), "{}", serde_json::to_string_pretty(&wrong).unwrap());
}

#[test]
fn no_fault_of_a_clouds_file_shows_a_secret_or_takes_two_lines() {
    for case in cases() {
        let ours = ours(&case);
        if let Some(error) = ours.get("error").and_then(Value::as_str) {
            let shown = SECRETS.iter().find(|secret| error.contains(*secret));
            assert_eq!(shown, None, "{}: {error}", case.name);
            assert_eq!(error.lines().count(), 1, "{}: {error}", case.name);
        }
    }
}
