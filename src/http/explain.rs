//! What an `OpenStack` service said of an error, as one line.

use serde_json::Value;

use crate::error::one_line;

/// Longest explanation, in characters.
const EXPLANATION_CHARS_MAX: usize = 240;

/// The words of an error's body: Keystone's `error.message`, Nova's `<fault>.message`, Neutron's
/// `NeutronError.message`, Glance's and every proxy's HTML without its tags. Empty when nothing was said.
pub fn explain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words = match serde_json::from_str::<Value>(&text) {
        Ok(json) => from_json(&json),
        Err(_) => from_html(&text),
    };
    one_line(&from_html(&words), EXPLANATION_CHARS_MAX)
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
        assert_eq!(explain(body.as_bytes()), expected, "body: {body}");
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
        check(
            "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>No image found with ID nope<br /><br />\n</body></html>",
            "404 Not Found No image found with ID nope",
        );
    }

    #[test]
    fn whatever_else_is_said_stays_one_line_of_bounded_length() {
        check("", "");
        check("{}", "");
        check("Service\nUnavailable\r\n", "Service Unavailable");
        check("a < b", "a");
        let long = explain("x".repeat(1000).as_bytes());
        assert_eq!(long.chars().count(), EXPLANATION_CHARS_MAX, "not cut: {long}");
    }
}
