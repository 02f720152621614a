//! What a client asks for: which path, with which query, and whether it is a person with a browser. Pure.

use percent_encoding::percent_decode_str;

/// One `GET` or `HEAD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The path, beginning with `/`.
    pub path: &'a str,
    /// What stands behind the `?`; empty without one.
    pub query: &'a str,
    /// The `Accept` field; empty without one.
    pub accept: &'a str,
}

impl<'a> Question<'a> {
    /// `target` as it stands in the request line.
    pub fn new(target: &'a str, accept: &'a str) -> Self {
        let target = target.split('#').next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Question { path, query, accept }
    }

    /// Whether HTML is preferred to JSON, as browsers do. On equal terms JSON wins: scripts say `*/*`, or nothing.
    pub fn prefers_html(&self) -> bool {
        let html = quality(self.accept, "text", "html");
        html > quality(self.accept, "application", "json")
    }

    /// The value of a parameter of the query, decoded as forms encode it; empty when it is not there.
    pub fn parameter(&self, name: &str) -> String {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.find(|(key, _)| *key == name).map_or("", |(_, value)| value);
        let spaced = value.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    }
}

/// How much a media type is wanted, in thousandths (RFC 9110, section 12.5.1): the most specific range that matches it
/// counts.
fn quality(accept: &str, kind: &str, subtype: &str) -> u16 {
    let mut best = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let Some((a, b)) = parts.next().and_then(|media| media.split_once('/')) else { continue };
        let precision = match (a, b) {
            ("*", "*") => 1,
            (a, "*") if a.eq_ignore_ascii_case(kind) => 2,
            (a, b) if a.eq_ignore_ascii_case(kind) && b.eq_ignore_ascii_case(subtype) => 3,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        if precision > best.0 {
            best = (precision, weight.map_or(1000, thousandths));
        }
    }
    best.1
}

/// `0.8` is 800; what is no such number is 0.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse::<u16>()) {
        ("0", Ok(fraction)) => fraction,
        ("1", Ok(_)) => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, html: bool) {
        assert_eq!(Question::new("/", accept).prefers_html(), html, "Accept: {accept}");
    }

    #[test]
    fn browsers_prefer_html() {
        let firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        check(firefox, true);
        check("text/html,application/xhtml+xml,image/avif,image/webp,image/apng,*/*;q=0.8", true);
        check("text/html", true);
        check("TEXT/HTML; Q=0.5", true);
        check("text/*", true);
        check("application/json;q=0.9, text/html", true);
    }

    #[test]
    fn everything_else_gets_json() {
        check("", false);
        check("*/*", false);
        check("application/json", false);
        check("application/json, text/html", false);
        check("application/json, text/html;q=0.9, */*;q=0.8", false);
        check("text/html;q=0, */*", false);
        check("text/html;q=nonsense", false);
        check("text/plain, nonsense, */*;q=0.1", false);
    }

    #[test]
    fn a_query_is_no_part_of_the_path() {
        let question = Question::new("/status?filter=web+1%3C%C3%A4&b=&filter=2#part", "");
        assert_eq!(question.path, "/status");
        assert_eq!(question.parameter("filter"), "web 1<\u{e4}");
        assert_eq!(question.parameter("b"), "");
        assert_eq!(question.parameter("c"), "");
    }
}
