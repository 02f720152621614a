//! Times, spans and numbers as people read them.

use std::time::{Duration, SystemTime};

use crate::decide::arithmetic::KINDS;

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

/// A time close to `now` to the second, one of this day or the next night to the minute, any other with its day; in UTC.
pub fn near(time: SystemTime, now: SystemTime) -> String {
    const SECONDS_COUNT: Duration = Duration::from_secs(120);
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let away = now.duration_since(time).unwrap_or_else(|error| error.duration());
    let text = day_and_time(time);
    let shown = if away < SECONDS_COUNT {
        text.get(11..)
    } else if away < DAY {
        text.get(11..16)
    } else {
        text.get(..16)
    };
    shown.unwrap_or_default().to_owned()
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

/// What lasts from milliseconds to minutes: `12 ms`, `2.5 s`, `1 min 5 s`.
pub fn milliseconds(lasted: Duration) -> String {
    if lasted < Duration::from_secs(1) {
        format!("{} ms", lasted.as_millis())
    } else if lasted < Duration::from_secs(10) {
        format!("{:.1} s", lasted.as_secs_f64())
    } else {
        span(lasted)
    }
}

/// `1 replica`, `2 replicas`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The kinds of free resources as people call them, in the order of [`KINDS`](crate::decide::arithmetic::KINDS), each with
/// the class that colours it.
pub const FREE: [(&str, &str); KINDS.len()] = [
    ("healthy", "answered"),
    ("starting", "booting"),
    ("creating", "being built"),
    ("silent", "last known"),
    ("deleting", "asked for"),
];

/// `3 free = 0 answered + 3 booting`: what answered is shown even when it is nothing.
pub fn sum(free: u64, by_kind: [u64; KINDS.len()]) -> String {
    let parts = by_kind.iter().zip(FREE).enumerate();
    let parts = parts.filter(|(index, (amount, _))| *index == 0 || **amount > 0);
    let parts: Vec<String> =
        parts.map(|(_, (amount, (_, word)))| format!("{amount} {word}")).collect();
    format!("{free} free = {}", parts.join(" + "))
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
    fn what_answered_is_told_from_what_is_on_its_way() {
        assert_eq!(sum(3, [0, 3, 0, 0, 0]), "3 free = 0 answered + 3 booting");
        let all = "15 free = 1 answered + 2 booting + 3 being built + 4 last known + 5 asked for";
        assert_eq!(sum(15, [1, 2, 3, 4, 5]), all);
        assert_eq!(sum(0, [0; 5]), "0 free = 0 answered");
    }

    #[test]
    fn the_nearer_a_time_the_more_exact_it_is() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_009);
        let ago = |seconds| near(now - Duration::from_secs(seconds), now);
        assert_eq!((ago(119), ago(120)), ("14:11:30".to_owned(), "14:11".to_owned()));
        assert_eq!(ago(86_400), "2026-09-20 14:13");
        assert_eq!(near(now + Duration::from_secs(400), now), "14:20");
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
