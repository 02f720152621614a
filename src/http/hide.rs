//! Taking secrets out of what a service said: it, or a proxy before it, may repeat what it was sent.

use crate::secret::Secret;

/// Shorter words than this are no secrets worth taking out of a text, and would tear it to pieces.
const SECRET_CHARS_MIN: usize = 4;

/// What stands in a secret's place …
const PLACEHOLDER: &str = "(secret)";

/// … and where a secret is a part of that: no secret is short enough to be a part of this one.
const SHORT_PLACEHOLDER: &str = "(…)";

/// `text` without any of `secrets`, plain or as JSON and HTML spell them. To be called before anything is cut off: half a
/// secret would not be recognised.
pub fn hide(text: &str, secrets: &[&Secret]) -> String {
    let secrets = secrets.iter().map(|secret| secret.expose());
    let secrets: Vec<&str> = secrets.filter(|secret| secret.len() >= SECRET_CHARS_MIN).collect();
    let in_placeholder = secrets.iter().any(|secret| PLACEHOLDER.contains(secret));
    let placeholder = if in_placeholder { SHORT_PLACEHOLDER } else { PLACEHOLDER };
    let mut text = text.to_owned();
    for spelling in secrets.into_iter().flat_map(spellings) {
        if text.contains(&spelling) {
            text = text.replace(&spelling, placeholder);
        }
    }
    text
}

/// JSON within JSON is escaped twice; that is found first, because the plain one may be a part of it.
fn spellings(secret: &str) -> [String; 5] {
    let once = in_json(secret);
    [in_json(&once), in_html(&once), once, in_html(secret), secret.to_owned()]
}

fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inside = quoted.strip_prefix('"').and_then(|quoted| quoted.strip_suffix('"'));
    inside.unwrap_or(text).to_owned()
}

fn in_html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let secret = "\"a\\b<c>&d\"";
        let json = serde_json::json!({ "said": secret }).to_string();
        let twice = serde_json::json!({ "said": json }).to_string();
        let html = "<p>&quot;a\\b&lt;c&gt;&amp;d&quot;</p>";
        for (text, expected) in [
            (secret, "(secret)"),
            (json.as_str(), r#"{"said":"(secret)"}"#),
            (twice.as_str(), r#"{"said":"{\"said\":\"(secret)\"}"}"#),
            (html, "<p>(secret)</p>"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(hide(text, &[&Secret::new(secret)]), expected, "in {text}");
        }
    }

    #[test]
    fn a_secret_that_is_a_part_of_what_stands_in_its_place_is_taken_out_too() {
        for (secret, expected) in [("secret", "no (…) here"), ("cret", "no se(…) here")] {
            let secret = Secret::new(secret);
            let once = hide("no secret here", &[&Secret::new("a token"), &secret]);
            assert_eq!(once, expected);
            assert_eq!(hide(&once, &[&secret]), expected, "hidden again");
        }
    }

    #[test]
    fn a_word_too_short_for_a_secret_is_left() {
        assert_eq!(hide("page at a gate", &[&Secret::new("at")]), "page at a gate");
    }
}
