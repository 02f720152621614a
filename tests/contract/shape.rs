//! The shape of an answer: which keys it has, what kind of value each of them holds, and the words of states and errors.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// Objects whose keys are names, not fields.
const MAPS: [&str; 3] = ["addresses", "extra_specs", "metadata"];

/// Strings that are one of a few, or a sentence for the operator.
const WORDS: [&str; 6] =
    ["status", "OS-EXT-STS:vm_state", "OS-EXT-IPS:type", "type", "title", "message"];

/// Values that no file of a repository should hold.
const SECRETS: [&str; 3] = ["adminPass", "public_key", "fingerprint"];

/// Panics unless `answer` has the shape of the one that was recorded under `name`. With `record` it is recorded instead.
#[track_caller]
pub fn check(name: &str, answer: &Value, record: bool) {
    let path = path(name);
    if record {
        let mut answer = answer.clone();
        cut_secrets(&mut answer);
        let text = serde_json::to_string_pretty(&answer).unwrap() + "\n";
        fs::write(&path, text).unwrap();
        return;
    }
    let recorded = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; the real cloud records it: make record", path.display())
    });
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    let (wanted, found) = (shape(&recorded), shape(answer));
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
        a.difference(b).cloned().collect::<Vec<_>>().join("\n  ")
    };
    assert!(
        wanted == found,
        "{name}: another shape than recorded in {}\nnot found:\n  {}\nnot recorded:\n  {}",
        path.display(),
        only(&wanted, &found),
        only(&found, &wanted)
    );
}

fn path(name: &str) -> PathBuf {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/openstack");
    PathBuf::from(directory).join(format!("{name}.json"))
}

fn cut_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if SECRETS.contains(&key.as_str()) {
                    *value = "(cut)".into();
                } else {
                    cut_secrets(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(cut_secrets),
        _ => {}
    }
}

/// One line for each value: `servers[].id: string`, `servers[].status: string ACTIVE`.
fn shape(value: &Value) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    describe(value, "", false, &mut lines);
    lines
}

fn describe(value: &Value, path: &str, map: bool, lines: &mut BTreeSet<String>) {
    let key = path.rsplit('.').next().unwrap_or_default();
    let words = value.as_str().filter(|_| WORDS.contains(&key)).map(without_numbers);
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                describe(item, &format!("{path}[]"), false, lines);
            }
            "array"
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if map { "*" } else { key };
                describe(value, &format!("{path}.{name}"), MAPS.contains(&key.as_str()), lines);
            }
            "object"
        }
    };
    let words = words.map(|words| format!(" {words}")).unwrap_or_default();
    lines.insert(format!("{path}: {kind}{words}"));
}

/// Ids, addresses and counts are another's each time.
fn without_numbers(text: &str) -> String {
    let has_digit = |word: &&str| word.contains(|one: char| one.is_ascii_digit());
    text.split_whitespace().filter(|word| !has_digit(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::shape;

    #[test]
    fn names_and_numbers_of_things_are_no_part_of_a_shape() {
        let one = json!({"servers": [{"id": "a", "metadata": {"group": "x"}}]});
        let two = json!({"servers": [{"id": "b", "metadata": {"pool": "y"}},
            {"id": "c", "metadata": {"k": "z"}}]});
        assert_eq!(shape(&one), shape(&two));
    }

    #[test]
    fn keys_and_kinds_are() {
        assert_ne!(shape(&json!({"a": null})), shape(&json!({"a": "b"})));
        assert_ne!(shape(&json!({"a": 1})), shape(&json!({"a": 1, "b": 2})));
    }

    #[test]
    fn words_of_states_and_errors_are_but_not_their_numbers() {
        assert_ne!(shape(&json!({"status": "BUILD"})), shape(&json!({"status": "ACTIVE"})));
        let message = |id: &str| shape(&json!({"message": format!("Instance {id} is locked")}));
        assert_eq!(message("c6f04e5b"), message("33f77413"));
    }
}
