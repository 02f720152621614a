//! What lasts is said once, then at growing distances, then its end is said once. Pure: the clock is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use crate::clock::Moment;

/// However long something lasts, it is said again after this time.
const DISTANCE_MAX: Duration = Duration::from_secs(60 * 60);

/// Different causes of one failure that are each said at once; with more of them their texts are hardly causes.
const CAUSES_MAX: usize = 8;

/// A time of day does for what began less than this long ago.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How lasting things are reported, if they are.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Before the text of what goes on: `still failing`.
    pub again: Option<&'static str>,
    /// When it no longer does: `recovered`.
    pub over: Option<&'static str>,
}

/// What lasts. A *subject* is what it is about (the deletion of one server, say); while it lasts its cause may change.
#[derive(Debug, Default)]
pub struct Repeats {
    pass: u64,
    lasting: BTreeMap<String, Lasting>,
}

#[derive(Debug)]
struct Lasting {
    words: Words,
    since: Moment,
    causes: BTreeSet<String>,
    /// In its latest words.
    text: String,
    /// Passes in which it was met.
    passes: u64,
    /// The last of them.
    last_pass: u64,
    said_at: Duration,
    said_after: u64,
}

impl Repeats {
    /// A pass begins.
    pub fn begin_pass(&mut self) {
        self.pass += 1;
    }

    /// It was met in this pass. Gives the line to say, if it is time for one. `cause` tells what is worth a line of its
    /// own from what is the same with other numbers: see [`cause`].
    pub fn met(
        &mut self,
        subject: &str,
        words: Words,
        cause: String,
        text: String,
        now: Moment,
    ) -> Option<String> {
        let lasting = self.lasting.entry(subject.to_owned()).or_insert_with(|| Lasting {
            words,
            since: now,
            causes: BTreeSet::new(),
            text: String::new(),
            passes: 0,
            last_pass: u64::MAX,
            said_at: now.elapsed,
            said_after: 1,
        });
        if lasting.last_pass != self.pass {
            lasting.last_pass = self.pass;
            lasting.passes += 1;
        }
        lasting.text = text;
        let is_new = lasting.causes.len() < CAUSES_MAX && lasting.causes.insert(cause);
        if lasting.passes == 1 {
            return is_new.then(|| lasting.text.clone());
        }
        let again = lasting.words.again?;
        let quiet = now.elapsed.saturating_sub(lasting.said_at);
        let is_due = lasting.passes >= lasting.said_after.saturating_mul(2)
            || (lasting.passes > lasting.said_after && quiet >= DISTANCE_MAX);
        if !is_new && !is_due {
            return None;
        }
        lasting.said_at = now.elapsed;
        lasting.said_after = lasting.passes;
        let how_long = lasting.how_long(now);
        Some(format!("{again}: {} ({how_long})", lasting.text))
    }

    /// Ends whatever `is_over`, which is told the subject and whether it was met in this pass. Gives the subjects, and the
    /// lines to say: none for what began and ended in this very pass.
    pub fn end(
        &mut self,
        now: Moment,
        is_over: impl Fn(&str, bool) -> bool,
    ) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        self.lasting.retain(|subject, lasting| {
            let met = lasting.last_pass == self.pass;
            if !is_over(subject, met) {
                return true;
            }
            if let Some(over) = lasting.words.over.filter(|_| lasting.passes > 1 || !met) {
                let line = format!("{over} after {}: {}", lasting.how_long(now), lasting.text);
                lines.push((subject.clone(), line));
            }
            false
        });
        lines
    }
}

impl Lasting {
    fn how_long(&self, now: Moment) -> String {
        let passes = if self.passes == 1 { "pass" } else { "passes" };
        let lasts = now.elapsed.saturating_sub(self.since.elapsed);
        format!("{} {passes}, since {}", self.passes, minute(self.since.wall, lasts))
    }
}

/// `02:10 UTC`; with the date for what began a day ago or earlier.
fn minute(wall: SystemTime, lasts: Duration) -> String {
    let wall = wall.max(SystemTime::UNIX_EPOCH);
    // 2026-11-03T02:10:59Z
    let text = humantime::format_rfc3339_seconds(wall).to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    let time = time.get(..5).unwrap_or(time);
    if lasts < DAY { format!("{time} UTC") } else { format!("{date} {time} UTC") }
}

/// What stays the same of a failure's text when it happens again: numbers, ids, request ids and batch marks do not.
pub fn cause(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut cause = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, tail) = rest.split_at(end);
        cause.push_str(if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word });
        rest = tail;
    }
    cause
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words = Words { again: Some("still failing"), over: Some("recovered") };

    /// Passes a minute apart, from 02:10 on.
    struct Night {
        repeats: Repeats,
        minutes: u64,
    }

    impl Night {
        fn begin() -> Self {
            Night { repeats: Repeats::default(), minutes: 0 }
        }

        fn now(&self) -> Moment {
            let elapsed = Duration::from_secs(60 * self.minutes);
            let two_ten = humantime::parse_rfc3339("2026-11-03T02:10:00Z").unwrap();
            Moment { elapsed, wall: two_ten + elapsed }
        }

        /// One pass with these failures; what is said of them and of those that are over.
        fn pass(&mut self, failures: &[(&str, &str)]) -> Vec<String> {
            let now = self.now();
            self.repeats.begin_pass();
            let mut lines: Vec<String> = failures
                .iter()
                .filter_map(|(subject, text)| {
                    self.repeats.met(subject, WORDS, cause(text), (*text).to_owned(), now)
                })
                .collect();
            lines.extend(self.repeats.end(now, |_, met| !met).into_iter().map(|(_, line)| line));
            self.minutes += 1;
            lines
        }
    }

    #[test]
    fn what_lasts_is_said_at_growing_distances_and_then_hourly() {
        let mut night = Night::begin();
        let mut said = Vec::new();
        for pass in 1..=250_u64 {
            let lines = night.pass(&[("list", &format!("no answer ({pass})"))]);
            if !lines.is_empty() {
                said.push(pass);
            }
        }
        assert_eq!(said, [1, 2, 4, 8, 16, 32, 64, 124, 184, 244]);
    }

    #[test]
    fn each_line_tells_how_often_and_since_when() {
        let mut night = Night::begin();
        assert_eq!(night.pass(&[("list", "no answer (1)")]), ["no answer (1)"]);
        assert_eq!(
            night.pass(&[("list", "no answer (2)")]),
            ["still failing: no answer (2) (2 passes, since 02:10 UTC)"]
        );
        assert_eq!(night.pass(&[("list", "no answer (3)")]), [""; 0]);
        assert_eq!(night.pass(&[]), ["recovered after 3 passes, since 02:10 UTC: no answer (3)"]);
        assert_eq!(night.pass(&[("list", "no answer (5)")]), ["no answer (5)"], "it begins anew");
    }

    #[test]
    fn what_began_a_day_ago_is_told_with_its_date() {
        let mut night = Night::begin();
        night.pass(&[("list", "no answer")]);
        night.minutes = 24 * 60;
        assert_eq!(
            night.pass(&[("list", "no answer")]),
            ["still failing: no answer (2 passes, since 2026-11-03 02:10 UTC)"]
        );
    }

    #[test]
    fn another_cause_is_said_at_once_but_two_in_turn_are_not_said_each_pass() {
        let mut night = Night::begin();
        night.pass(&[("list", "refused")]);
        night.pass(&[("list", "refused")]);
        assert_eq!(
            night.pass(&[("list", "timeout")]),
            ["still failing: timeout (3 passes, since 02:10 UTC)"]
        );
        assert_eq!(night.pass(&[("list", "refused")]), [""; 0]);
        assert_eq!(night.pass(&[("list", "timeout")]), [""; 0]);
    }

    #[test]
    fn two_subjects_do_not_hide_each_other() {
        let mut night = Night::begin();
        let both = [
            ("delete:a", "cannot delete a: status 500"),
            ("delete:b", "cannot delete b: status 500"),
        ];
        assert_eq!(night.pass(&both).len(), 2);
        assert_eq!(
            night.pass(&both[..1]),
            [
                "still failing: cannot delete a: status 500 (2 passes, since 02:10 UTC)",
                "recovered after 1 pass, since 02:10 UTC: cannot delete b: status 500",
            ]
        );
    }

    #[test]
    fn two_causes_in_one_pass_are_one_pass() {
        let mut night = Night::begin();
        let refused = [("move:ip", "a refused"), ("move:ip", "b refused")];
        assert_eq!(night.pass(&refused), ["a refused", "b refused"]);
        assert_eq!(night.pass(&refused), ["still failing: a refused (2 passes, since 02:10 UTC)"]);
    }

    #[test]
    fn what_begins_and_ends_within_a_pass_did_not_last() {
        let mut night = Night::begin();
        night.repeats.begin_pass();
        let now = night.now();
        night.repeats.met("move:ip", WORDS, "refused".into(), "refused".into(), now);
        assert_eq!(night.repeats.end(now, |_, _| true), []);
    }

    #[test]
    fn numbers_ids_and_marks_make_no_other_cause() {
        let texts = [
            "POST https://nova:8774/v2.1/servers: status 500: failed (req-3fa1c9d2) in batch abc1de-4, 17 s",
            "POST https://nova:8774/v2.1/servers: status 503: failed (req-77b0e4aa) in batch abc1de-5, 9 s",
        ];
        assert_eq!(cause(texts[0]), cause(texts[1]));
        assert_eq!(cause("cannot connect in time"), "cannot connect in time");
        assert_ne!(cause("connection refused"), cause("connection reset"));
    }
}
