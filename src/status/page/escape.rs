//! Text from outside, made harmless. Whatever a cloud, a replica or an operator named goes through here, and only here.

use std::fmt::{self, Display, Formatter, Write};

/// Shown as text, in elements as well as in quoted attributes.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<T>(pub T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(Filter(formatter), "{}", self.0)
    }
}

struct Filter<'a, 'b>(&'a mut Formatter<'b>);

impl Write for Filter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(|c| replacement(c).is_some()) {
            let (plain, tail) = rest.split_at(at);
            self.0.write_str(plain)?;
            let mut characters = tail.chars();
            self.0.write_str(characters.next().and_then(replacement).unwrap_or_default())?;
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

fn replacement(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        // Direction marks turn around whatever follows them, and nobody sees why.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some("\u{fffd}")
        }
        c if c.is_control() => Some("\u{fffd}"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(Escaped(text).to_string(), shown);
    }

    #[test]
    fn markup_is_text() {
        check("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;");
        check("a & b &amp; c", "a &amp; b &amp;amp; c");
    }

    #[test]
    fn no_text_ends_an_attribute() {
        check("\" onload=\"x", "&quot; onload=&quot;x");
        check("' onload='x", "&#39; onload=&#39;x");
    }

    #[test]
    fn characters_that_nobody_sees_are_seen() {
        check("a\0b\u{202e}c\nd", "a\u{fffd}b\u{fffd}c\u{fffd}d");
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        check("", "");
        check("web-1 (größer) 日本 🐘 `;=", "web-1 (größer) 日本 🐘 `;=");
    }
}
