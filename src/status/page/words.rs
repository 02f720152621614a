//! Times, spans and numbers as people read them.

use std::time::{Duration, SystemTime};

/// RFC 3339 in UTC, to the second; a clock that is set beyond all calendars is no reason to fail.
pub fn rfc3339(time: SystemTime) -> String {
    let year_9999 = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    let time = time.clamp(SystemTime::UNIX_EPOCH, year_9999);
    humantime::format_rfc3339_seconds(time).to_string()
}

/// `14:05:09`, in UTC.
pub fn time_of_day(time: SystemTime) -> String {
    rfc3339(time).get(11..19).unwrap_or_default().to_owned()
}

/// `2026-09-21 14:05:09`, in UTC.
pub fn day_and_time(time: SystemTime) -> String {
    rfc3339(time).get(..19).unwrap_or_default().replace('T', " ")
}

/// [`time_of_day`] as an element, which the page's script can show in local time.
pub fn clock(time: SystemTime) -> String {
    marked(time, &time_of_day(time))
}

/// [`day_and_time`] likewise.
pub fn calendar(time: SystemTime) -> String {
    marked(time, &day_and_time(time))
}

/// A time as an element; `shown` is how it reads in UTC.
pub fn marked(time: SystemTime, shown: &str) -> String {
    format!("<time datetime=\"{}\">{shown}</time>", rfc3339(time))
}

/// What times are in, until the script puts another zone in its place.
pub const ZONE: &str = "<span class=\"zone\">UTC</span>";

/// The two largest units of it: `3 d 4 h`, `2 h 14 min`, `7 min`, `12 s`.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = |large: u64, large_name: &str, small: u64, small_name: &str| {
        let (whole, rest) = (seconds / large, seconds % large / small);
        if rest == 0 {
            format!("{whole} {large_name}")
        } else {
            format!("{whole} {large_name} {rest} {small_name}")
        }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..600 => units(60, "min", 1, "s"),
        600..3600 => format!("{} min", seconds / 60),
        3600..86_400 => units(3600, "h", 60, "min"),
        _ => units(86_400, "d", 3600, "h"),
    }
}

/// `1 replica`, `2 replicas`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `1 pass`, `2 passes`.
pub fn passes(number: usize) -> String {
    if number == 1 { "1 pass".to_owned() } else { format!("{number} passes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_at_most_two_units() {
        let shown: Vec<String> =
            [0, 59, 60, 61, 599, 600, 3599, 3600, 8050, 86_399, 86_400, 90_000, 1_000_000]
                .map(|seconds| span(Duration::from_secs(seconds)))
                .to_vec();
        let expected = [
            "0 s",
            "59 s",
            "1 min",
            "1 min 1 s",
            "9 min 59 s",
            "10 min",
            "59 min",
            "1 h",
            "2 h 14 min",
            "23 h 59 min",
            "1 d",
            "1 d 1 h",
            "11 d 13 h",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn times_are_in_utc_whatever_the_clock_says() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_009);
        assert_eq!(time_of_day(time), "14:13:29");
        assert_eq!(day_and_time(time), "2026-09-21 14:13:29");
        let never = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 50);
        assert_eq!(rfc3339(never), "9999-12-31T23:59:59Z");
    }
}
