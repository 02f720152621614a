//! What several targets assert.

use std::collections::BTreeSet;

use serde_json::Value;

/// Most characters of what people read in one line.
const LINE_CHARACTERS_MAX: usize = 4000;

/// Whatever was said to us, what we say of it is one line: nobody writes lines of his own into the log.
///
/// # Panics
/// When it is not: that is the finding.
#[track_caller]
pub fn assert_one_line(text: &str) {
    assert!(!text.contains(char::is_control), "more than a line: {text:?}");
    let characters = text.chars().count();
    assert!(characters <= LINE_CHARACTERS_MAX, "{characters} characters: {text}");
}

/// The pages of a list: JSON holds no NUL, so one stands between two of them.
pub fn pages(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|byte| *byte == 0)
}

/// How many different ids a list's pages hold, by another reader. `None` where it cannot tell: it is stricter about what
/// nobody needs, such as a broken character in a description.
#[must_use]
pub fn ids(input: &[u8], list: &str) -> Option<usize> {
    let mut ids = BTreeSet::new();
    for page in pages(input) {
        let page: Value = serde_json::from_slice(page).ok()?;
        for record in page.get(list)?.as_array()? {
            ids.insert(record.get("id")?.as_str()?.to_owned());
        }
    }
    Some(ids.len())
}
