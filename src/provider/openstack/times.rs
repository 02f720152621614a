//! Times as the services write them: ISO 8601 in some spelling, in UTC unless they say otherwise.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

/// Characters of a date: what looks like a zone within it is none.
const DATE_CHARACTERS: usize = "2026-11-24".len();

/// The time, with or without a zone, in capitals or not.
pub fn parse(text: &str) -> Option<SystemTime> {
    let text = as_we_know_it(text.trim());
    let (time, east) = zone(&text)?;
    let local = humantime::parse_rfc3339_weak(time).ok()?;
    match east {
        East::By(offset) => local.checked_sub(offset),
        East::Behind(offset) => local.checked_add(offset),
    }
}

/// In capitals, and with a point. Nova's own are so already.
fn as_we_know_it(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_lowercase() || byte == b',') {
        text.to_ascii_uppercase().replace(',', ".").into()
    } else {
        text.into()
    }
}

/// How far a zone's clocks are ahead of UTC, or behind it.
enum East {
    By(Duration),
    Behind(Duration),
}

/// Splits `2026-11-24T19:00:00+01:00` into time and zone; no zone is UTC.
fn zone(text: &str) -> Option<(&str, East)> {
    let utc = East::By(Duration::ZERO);
    if let Some(time) = text.strip_suffix('Z').or_else(|| text.strip_suffix("UTC")) {
        return Some((time.trim_end(), utc));
    }
    let clock = text.get(DATE_CHARACTERS..)?;
    let Some(at) = clock.rfind(['+', '-']) else { return Some((text, utc)) };
    let (time, zone) = text.split_at_checked(DATE_CHARACTERS + at)?;
    let digits: String = zone.chars().skip(1).filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at_checked(2)?;
    let hours: u64 = hours.parse().ok()?;
    let minutes: u64 = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
    let offset = Duration::from_secs((hours * 60 + minutes) * 60);
    let ahead = zone.starts_with('+');
    Some((time.trim_end(), if ahead { East::By(offset) } else { East::Behind(offset) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_time_is_the_same_moment() {
        let moment = humantime::parse_rfc3339("2026-11-24T19:00:30Z").unwrap();
        for text in [
            "2026-11-24T19:00:30Z",
            "2026-11-24T19:00:30",
            "2026-11-24 19:00:30",
            "2026-11-24t19:00:30z",
            "2026-11-24T19:00:30.000000",
            "2026-11-24T19:00:30.000000Z",
            "2026-11-24T19:00:30,000Z",
            "2026-11-24T19:00:30+00:00",
            "2026-11-24T19:00:30-00:00",
            "2026-11-24T20:00:30+01:00",
            "2026-11-24T20:00:30.000000+0100",
            "2026-11-24T13:30:30-05:30",
            "2026-11-25T00:45:30 +05:45",
            "2026-11-24T20:00:30+01",
            "2026-11-24 19:00:30 UTC",
            " 2026-11-24T19:00:30Z ",
        ] {
            assert_eq!(parse(text), Some(moment), "of {text:?}");
        }
        assert_eq!(
            parse("1970-01-01T00:00:01"),
            Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1))
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "Z",
            "never",
            "2026",
            "2026-11-24",
            "2026-13-24T19:00:30Z",
            "2026-11-24T19:00:30+1",
            "2026-11-24T19:00:30+01:0x",
            "2026-11-24T19:00:30+é1",
            "é026-11-24T19:00:30",
            "null",
            "2026-11-24T19:00:30CET",
        ] {
            assert_eq!(parse(text), None, "of {text:?}");
        }
    }
}
