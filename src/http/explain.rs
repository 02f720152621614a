//! What an `OpenStack` service said of an error, as one line.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed};
use serde_json::Value;

use crate::error::one_line;
use crate::http::encoding::{no_text, without_mark};
use crate::http::hide::hide;
use crate::secret::Secret;

/// Longest explanation, in characters.
const EXPLANATION_CHARS_MAX: usize = 240;

/// Most of a body that is looked at, in bytes: no explanation is longer.
const BODY_BYTES_READ: usize = 256 * 1024;

/// The words of an error's body: Keystone's `error.message`, Nova's `<fault>.message`, Neutron's
/// `NeutronError.message`, Glance's and every proxy's HTML without its tags; none of `secrets`. Empty when nothing was said.
pub fn explain(body: &[u8], secrets: &[&Secret]) -> String {
    let body = without_mark(body.get(..BODY_BYTES_READ).unwrap_or(body));
    let text = hide(&String::from_utf8_lossy(body), secrets);
    let words = match serde_json::from_str::<Value>(&text) {
        Ok(json) => hide(&from_json(&json), secrets),
        Err(_) => text,
    };
    one_line(&reason_first(&from_html(&words)), EXPLANATION_CHARS_MAX)
}

/// How Nova begins when a field of a request is wrong; the value and then the reason follow (its API reference, "Faults").
const NOVA_INVALID: &str = "Invalid input for field/attribute ";

/// Nova's reason stands behind a value of any length, where it would be cut off, so the value is left out: whoever sent it
/// knows it, and it may hold a secret.
fn reason_first(said: &str) -> Cow<'_, str> {
    let parts = said.strip_prefix(NOVA_INVALID).and_then(|rest| rest.split_once(". Value: "));
    let Some((field, rest)) = parts else { return Cow::Borrowed(said) };
    let reason = end_of_value(rest).and_then(|end| rest.get(end..));
    let reason =
        reason.map(|reason| reason.trim_start_matches(". ")).filter(|reason| !reason.is_empty());
    let Some(reason) = reason else { return Cow::Borrowed(said) };
    // It may begin with the value once more.
    Cow::Owned(match end_of_object(reason).and_then(|end| reason.get(end..)) {
        Some(behind) => format!("{NOVA_INVALID}{field}: the value{behind}"),
        None => format!("{NOVA_INVALID}{field}: {reason}"),
    })
}

/// Where a value ends that Python wrote: an object at its bracket, a text before the next sentence.
fn end_of_value(text: &str) -> Option<usize> {
    end_of_object(text).or_else(|| text.find(". "))
}

/// Where the object or list ends that `text` begins with; brackets within quotes are part of a text.
fn end_of_object(text: &str) -> Option<usize> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let (mut open, mut quote, mut escaped) = (0_usize, None, false);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(mark), _) if character == mark => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '{' | '[') => open += 1,
            (None, '}' | ']') => open = open.saturating_sub(1),
            _ => {}
        }
        if open == 0 && quote.is_none() {
            return Some(at + character.len_utf8());
        }
    }
    None
}

/// The JSON of a body, or why it cannot be read. Nothing of the body is shown, for it may hold secrets: Nova's answer to
/// a creation has the server's password, a portal's page may recite the request.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    json_into(PhantomData::<T>, body)
}

/// The same, read into `seed`.
pub fn json_into<'a, S: DeserializeSeed<'a>>(seed: S, body: &'a [u8]) -> Result<S::Value, String> {
    let mut json = serde_json::Deserializer::from_slice(without_mark(body));
    let read = seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    read.map_err(|error| unreadable(body, &error))
}

fn unreadable(body: &[u8], error: &serde_json::Error) -> String {
    let why = without_values(&error.to_string());
    let looks_like = match (no_text(body), body.trim_ascii_start().first()) {
        (Some(encoding), _) => format!(" ({encoding})"),
        (None, None) => " (it is empty)".to_owned(),
        (None, Some(b'<')) => " (it is HTML or XML: did a proxy answer?)".to_owned(),
        (None, Some(_)) => String::new(),
    };
    format!("not the expected JSON{looks_like}: {why}")
}

/// An error of `serde_json` without the text it may quote: `invalid type: string "…", expected …`.
fn without_values(error: &str) -> String {
    let (begin, end) = (error.find('"'), error.rfind('"'));
    match (begin, end) {
        (Some(begin), Some(end)) if begin < end => {
            let (before, after) = (error.get(..begin), error.get(end + 1..));
            format!("{}…{}", before.unwrap_or_default(), after.unwrap_or_default())
        }
        _ => error.to_owned(),
    }
}

fn from_json(json: &Value) -> String {
    let Some(fields) = json.as_object() else { return json.to_string() };
    if let Some(message) = fields.get("message").and_then(Value::as_str) {
        return message.to_owned();
    }
    let faults = fields.values().filter_map(|fault| match fault {
        Value::String(text) => Some(text.as_str()),
        fault => fault.get("message").and_then(Value::as_str),
    });
    faults.collect::<Vec<_>>().join("; ")
}

fn from_html(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut in_tag = false;
    for character in text.chars() {
        match character {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                words.push(' ');
            }
            _ if !in_tag => words.push(character),
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        assert_eq!(explain(body.as_bytes(), &[]), expected, "body: {body}");
    }

    #[test]
    fn each_service_is_understood_in_its_own_dialect() {
        check(
            r#"{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}"#,
            "The request you have made requires authentication.",
        );
        check(
            r#"{"forbidden": {"code": 403, "message": "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"}}"#,
            "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances",
        );
        check(
            r#"{"NeutronError": {"type": "FloatingIPPortAlreadyAssociated", "message": "Cannot associate", "detail": ""}}"#,
            "Cannot associate",
        );
        check(r#"{"NeutronError": "in plain words"}"#, "in plain words");
        check("\u{feff}{\"message\": \"behind a mark\"}", "behind a mark");
        check(
            "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>No image found with ID nope<br /><br />\n</body></html>",
            "404 Not Found No image found with ID nope",
        );
    }

    #[test]
    fn a_field_that_nova_refuses_is_told_with_its_reason_however_long_the_value_is() {
        let long = format!("{{'a': 'x. y}} {}', \"b\": [1, {{'c': 'it\\'s'}}]}}", "z".repeat(500));
        for (said, expected) in [
            (
                format!(
                    "Invalid input for field/attribute server. Value: {long}. Additional properties are not allowed \
                     ('nmae' was unexpected)"
                ),
                "Invalid input for field/attribute server: Additional properties are not allowed ('nmae' was unexpected)",
            ),
            (
                format!(
                    "Invalid input for field/attribute networks. Value: {long}. {long} is not of type 'array'"
                ),
                "Invalid input for field/attribute networks: the value is not of type 'array'",
            ),
            (
                "Invalid input for field/attribute name. Value: ab. 'ab' is too short".to_owned(),
                "Invalid input for field/attribute name: 'ab' is too short",
            ),
            (
                "Invalid input for field/attribute name. Value: {'cut".to_owned(),
                "Invalid input for field/attribute name. Value: {'cut",
            ),
        ] {
            let body =
                serde_json::json!({"badRequest": {"code": 400, "message": said}}).to_string();
            let told = explain(body.as_bytes(), &[]);
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn whatever_else_is_said_stays_one_line_of_bounded_length() {
        check("", "");
        check("{}", "");
        check("Service\nUnavailable\r\n", "Service Unavailable");
        check("a < b", "a");
        let long = explain("x".repeat(1000).as_bytes(), &[]);
        assert_eq!(long.chars().count(), EXPLANATION_CHARS_MAX, "not cut: {long}");
    }

    #[test]
    fn no_part_of_a_secret_is_left_where_the_explanation_is_cut() {
        let secret = Secret::new("<s>ecret".repeat(8));
        let said = format!("{}{}", "x".repeat(EXPLANATION_CHARS_MAX - 10), secret.expose());
        let json = serde_json::json!({ "message": said }).to_string();
        for body in [said, json] {
            let explained = explain(body.as_bytes(), &[&secret]);
            assert!(
                !explained.contains("ecret ") && explained.ends_with("(secret)"),
                "{explained}"
            );
        }
    }

    #[test]
    fn what_should_be_json_and_is_not_is_described_but_not_shown() {
        let why = |body: &str| json::<Vec<u64>>(body.as_bytes()).unwrap_err();
        let page = why(" <html><p>s3cret</p>");
        assert!(
            page.starts_with("not the expected JSON (it is HTML or XML: did a proxy answer?)"),
            "{page}"
        );
        assert!(why("").starts_with("not the expected JSON (it is empty)"), "{}", why(""));
        let password = why(r#"[{"adminPass": "s3cret"}]"#);
        assert!(password.starts_with("not the expected JSON: invalid type: map"), "{password}");
        for why in [page, password] {
            assert!(!why.contains("s3cret"), "{why}");
        }
    }

    #[test]
    fn a_mark_before_json_is_skipped_and_an_encoding_is_called_by_name() {
        assert_eq!(json::<Vec<u64>>("\u{feff}[1]".as_bytes()), Ok(vec![1]));
        for (body, part) in [
            (&b"\xff\xfe[\0]\0"[..], "it is UTF-16"),
            (b"\xfe\xff\0[\0]", "it is UTF-16"),
            (b"[\0]\0", "it is UTF-16"),
            (b"\x1f\x8b\x08\0", "it is compressed (gzip)"),
            (b"[\"\xe9\"]", "it is not UTF-8"),
            (b"\xef\xbb\xbf<html>", "expected value"),
        ] {
            let why = json::<Vec<u64>>(body).unwrap_err();
            assert!(why.starts_with("not the expected JSON") && why.contains(part), "{why}");
        }
    }

    #[test]
    fn what_is_wrong_with_json_is_told_without_its_values() {
        let error = serde_json::from_str::<Vec<u64>>(r#"["a\"b, \"c"]"#).unwrap_err().to_string();
        assert!(error.contains("a\\\"b"), "{error}");
        let told = without_values(&error);
        assert_eq!(told, "invalid type: string …, expected u64 at line 1 column 12");
        assert_eq!(without_values("missing field `id`"), "missing field `id`");
    }
}
