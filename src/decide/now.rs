//! What time it is in the cloud. One controller's clock may be wrong, and a time that is too late makes every build look
//! stuck: so an earlier time is believed at once, a later one only when list after list says so.

use std::time::{Duration, SystemTime};

use crate::memory::{ClockMemory, ClockStep, Intervals};
use crate::plan::{Loudness, Note};

/// A later time is believed once so many lists in a row told one; those of early passes do not count.
const LISTS: u32 = 10;

/// A step that is worth a warning.
const STEP: Duration = Duration::from_secs(60);

/// What a step in time means for the pool.
const JUDGED_BY_AGE: &str = "REPLICA_LAUNCH_TIMEOUT and REPLICA_BOOT_GRACE go by it";

/// What time it is, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time to judge ages by.
    pub now: SystemTime,
    /// What to remember of it; `None`: the cloud has never told its time.
    pub memory: Option<ClockMemory>,
    /// What people should know.
    pub note: Option<Note>,
}

/// The time of a list that told `told`, in a pass that began at `elapsed` on our own monotonic clock and at `wall` by this
/// machine's.
pub fn now(
    told: Option<SystemTime>,
    elapsed: Duration,
    wall: SystemTime,
    interval: Duration,
    memory: Option<&ClockMemory>,
) -> Now {
    match (told, memory) {
        (None, None) => silent(wall, None),
        (None, Some(memory)) => silent(expected(memory, elapsed), Some(memory)),
        (Some(told), None) => {
            let memory = ClockMemory { now: told, at: elapsed, later: None, step: None };
            Now { now: told, memory: Some(memory), note: None }
        }
        (Some(told), Some(memory)) => compare(told, elapsed, interval, memory),
    }
}

fn expected(memory: &ClockMemory, elapsed: Duration) -> SystemTime {
    later(memory.now, elapsed.saturating_sub(memory.at))
}

/// A time beyond the end of all times is no time.
fn later(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_add(by).unwrap_or(time)
}

fn silent(now: SystemTime, memory: Option<&ClockMemory>) -> Now {
    let since = match memory {
        Some(_) => "from the last time it gave",
        None => "by this machine's clock",
    };
    let text = format!(
        "the cloud's server list does not tell the time (no Date header): ages are counted {since}, and nothing is \
         deleted for its age"
    );
    let note = Note { loudness: Loudness::Warning, key: "clock:silent".into(), text };
    Now { now, memory: memory.cloned(), note: Some(note) }
}

fn compare(told: SystemTime, elapsed: Duration, interval: Duration, memory: &ClockMemory) -> Now {
    let expected = expected(memory, elapsed);
    let (now, run, step) = match told.duration_since(expected) {
        Ok(Duration::ZERO) => (told, None, None),
        Err(back) => (told, None, went_back(back.duration())),
        Ok(ahead) => {
            // Of ten that disagree, the smallest is believed.
            let (lists, least) = match memory.later {
                None => (Intervals::first(elapsed), ahead),
                Some((lists, least)) => (lists.with(elapsed, interval), least.min(ahead)),
            };
            if lists.count >= LISTS {
                (later(expected, least), None, followed(least))
            } else {
                (expected, Some((lists, least)), is_ahead(ahead))
            }
        }
    };
    let step = lasting(step, memory.step.as_ref());
    let note = step.as_ref().map(|step| Note {
        loudness: Loudness::Warning,
        key: step.key.to_owned(),
        text: step.text.clone(),
    });
    Now { now, memory: Some(ClockMemory { now, at: elapsed, later: run, step }), note }
}

/// With several controllers the wrong one answers now and then: that is one step, and said once, until there was none in
/// so many lists.
fn lasting(step: Option<(&'static str, String)>, before: Option<&ClockStep>) -> Option<ClockStep> {
    match (step, before) {
        (Some((key, _)), Some(before)) if before.key == key => {
            Some(ClockStep { lists: 0, ..before.clone() })
        }
        (Some((key, text)), _) => Some(ClockStep { key, text, lists: 0 }),
        (None, Some(before)) if before.lists < LISTS => {
            Some(ClockStep { lists: before.lists + 1, ..before.clone() })
        }
        (None, _) => None,
    }
}

fn is_ahead(ahead: Duration) -> Option<(&'static str, String)> {
    let seconds = ahead.as_secs();
    let text = format!(
        "the cloud's clock jumped ahead by {seconds} s; one controller's clock may be wrong, so time runs on from the \
         last reading until {LISTS} lists in a row say otherwise ({JUDGED_BY_AGE})"
    );
    (ahead > STEP).then_some(("clock:step", text))
}

fn went_back(back: Duration) -> Option<(&'static str, String)> {
    let seconds = back.as_secs();
    let text = format!(
        "the cloud's clock went back by {seconds} s; one controller's clock may be wrong, and the earlier time is the \
         safer one, so it counts until {LISTS} lists in a row show a later one ({JUDGED_BY_AGE})"
    );
    (back > STEP).then_some(("clock:step", text))
}

fn followed(by: Duration) -> Option<(&'static str, String)> {
    let seconds = by.as_secs();
    let text = format!(
        "the cloud's clock is {seconds} s ahead of where it was, as {LISTS} lists in a row confirm: it counts from now \
         on, and every replica is that much older ({JUDGED_BY_AGE})"
    );
    (by > STEP).then_some(("clock:followed", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    /// Lists a minute apart: how far each was off the truth, in seconds, and how far off the time was that was gone by.
    #[track_caller]
    fn check(told: &[i64], expected: &[i64]) {
        let mut memory = None;
        let mut found = Vec::new();
        for (minute, off) in told.iter().enumerate() {
            let truth = 100_000 + 60 * minute as u64;
            let told = at(truth.saturating_add_signed(*off));
            let elapsed = Duration::from_secs(60 * minute as u64);
            let now = now(Some(told), elapsed, at(0), MINUTE, memory.as_ref());
            found.push(match now.now.duration_since(at(truth)) {
                Ok(ahead) => i64::try_from(ahead.as_secs()).unwrap(),
                Err(behind) => -i64::try_from(behind.duration().as_secs()).unwrap(),
            });
            memory = now.memory;
        }
        assert_eq!(found, expected, "lists that were off by {told:?}");
    }

    #[test]
    fn a_clock_that_is_right_is_followed() {
        check(&[0, 0, 0], &[0, 0, 0]);
    }

    #[test]
    fn one_that_is_an_hour_ahead_is_not_however_often_it_answers_among_others() {
        check(&[0, 3600, 0, 0, 3600, 3600, 0], &[0; 7]);
    }

    #[test]
    fn ten_lists_in_a_row_are_believed() {
        let told = [0, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90];
        check(&told, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 90, 90]);
        let told = [0, 90, 90, 90, 90, 90, 90, 90, 90, 90, 0, 90];
        check(&told, &[0; 12]);
    }

    #[test]
    fn lists_of_early_passes_make_a_later_time_no_truer() {
        let mut memory = None;
        for second in 0..60_u64 {
            let told = at(if second == 0 { 0 } else { 3600 + second });
            let now = now(Some(told), Duration::from_secs(second), at(0), MINUTE, memory.as_ref());
            assert_eq!(now.now, at(second));
            memory = now.memory;
        }
    }

    #[test]
    fn of_ten_that_differ_the_least_is_believed() {
        let told = [0, 3600, 3600, 5, 3600, 3600, 3600, 3600, 3600, 3600, 3600];
        check(&told, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
    }

    #[test]
    fn an_earlier_time_is_believed_at_once_and_not_for_ever() {
        let told = [0, -300, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        check(&told, &[0, -300, -300, -300, -300, -300, -300, -300, -300, -300, -300, 0, 0]);
        check(&[3600, 0, 3600], &[3600, 0, 0]);
    }

    /// What is said in lists a minute apart that are so far off; `None`: a list that does not tell the time.
    fn said(told: &[Option<i64>]) -> Vec<(usize, String)> {
        let (mut memory, mut key, mut said) = (None, None, Vec::new());
        for (minute, off) in told.iter().enumerate() {
            let truth = 100_000 + 60 * minute as u64;
            let told = off.map(|off| at(truth.saturating_add_signed(off)));
            let elapsed = Duration::from_secs(60 * minute as u64);
            let now = now(told, elapsed, at(0), MINUTE, memory.as_ref());
            let new = now.note.as_ref().map(|note| note.key.clone());
            if let Some(note) = now.note.filter(|note| Some(&note.key) != key.as_ref()) {
                said.push((minute, note.text));
            }
            (memory, key) = (now.memory, new);
        }
        said
    }

    #[track_caller]
    fn check_said(told: &[i64], expected: &[(usize, &str)]) {
        let told: Vec<Option<i64>> = told.iter().copied().map(Some).collect();
        let said = said(&told);
        let brief: Vec<(usize, &str)> = said
            .iter()
            .map(|(minute, text)| (*minute, text.split([';', ',']).next().unwrap()))
            .collect();
        assert_eq!(brief, expected);
    }

    #[test]
    fn a_step_of_more_than_a_minute_is_said_once() {
        check_said(&[0, 60, 0, -60], &[]);
        let mut told = vec![0, 3600, 0, 0, 3600, 0, 3700];
        check_said(&told, &[(1, "the cloud's clock jumped ahead by 3600 s")]);
        told.extend([0; 11]);
        told.push(120);
        let again = (18, "the cloud's clock jumped ahead by 120 s");
        check_said(&told, &[(1, "the cloud's clock jumped ahead by 3600 s"), again]);
        check_said(&[0, -300, 0, -300], &[(1, "the cloud's clock went back by 300 s")]);
        let followed = (10, "the cloud's clock is 90 s ahead of where it was");
        check_said(
            &[0, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90],
            &[(1, "the cloud's clock jumped ahead by 90 s"), followed],
        );
    }

    #[test]
    fn without_a_date_the_time_goes_on_from_the_last_one() {
        let (told, elapsed) = (at(500), Duration::from_secs(10));
        let first = now(Some(told), elapsed, at(0), MINUTE, None);
        let next = now(None, Duration::from_secs(70), at(0), MINUTE, first.memory.as_ref());
        assert_eq!((next.now, &next.memory), (at(560), &first.memory));
        let said = said(&[Some(0), None, None, Some(0)]);
        assert_eq!(said.len(), 1);
        assert_eq!(
            said[0].1,
            "the cloud's server list does not tell the time (no Date header): ages are counted from the last time it \
             gave, and nothing is deleted for its age"
        );
    }

    #[test]
    fn a_cloud_that_never_told_the_time_is_judged_by_this_machines() {
        let now = now(None, Duration::ZERO, at(7), MINUTE, None);
        assert_eq!((now.now, now.memory), (at(7), None));
        assert!(now.note.unwrap().text.contains("by this machine's clock"));
    }

    #[test]
    fn the_end_of_all_times_is_no_panic() {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(i64::MAX as u64);
        let first = now(Some(end), Duration::ZERO, at(0), MINUTE, None);
        let next = now(Some(end), MINUTE, at(0), MINUTE, first.memory.as_ref());
        assert_eq!(next.now, end);
    }
}
