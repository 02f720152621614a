//! What scalers sent, and what must hold of it: no two act at one time.

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::wire::Service;

/// The requests of all scalers, in the order in which they were sent.
#[derive(Default)]
pub struct Log(Mutex<Vec<Entry>>);

/// One request.
#[derive(Clone)]
pub struct Entry {
    /// Which process of the campaign sent it: one that is started again is another one.
    pub process: usize,
    pub service: Service,
    pub method: String,
    pub path: String,
    /// It says that the lease is handed over.
    releases: bool,
    /// The epoch that it makes; of a look, the highest that it shows.
    epoch: Option<u64>,
    pub sent: Instant,
    /// When, and with which status; `None` while it is not, or when the answer was lost.
    pub answered: Option<(Instant, u16)>,
}

impl Entry {
    pub fn new(process: usize, service: Service, line: &str, body: &str) -> Self {
        let mut words = line.split(' ').map(str::to_owned);
        Entry {
            process,
            service,
            method: words.next().unwrap_or_default(),
            path: words.next().unwrap_or_default(),
            releases: service == Service::Image && body.contains("released"),
            epoch: highest_epoch(body),
            sent: Instant::now(),
            answered: None,
        }
    }

    /// It changes the pool.
    pub fn is_change(&self) -> bool {
        matches!(self.service, Service::Compute | Service::Network) && self.method != "GET"
    }

    fn takes(&self) -> bool {
        self.service == Service::Image && self.method == "POST"
    }

    fn renews(&self) -> bool {
        self.service == Service::Image && self.method == "PATCH" && !self.releases
    }

    fn looks(&self) -> bool {
        self.service == Service::Image && self.method == "GET"
    }

    fn lists(&self) -> bool {
        self.looks() && !self.path.contains("/images/")
    }

    /// It was answered well while its sender still waited.
    pub fn is_answered_within(&self, limit: Duration) -> bool {
        self.good().is_some_and(|at| at - self.sent < limit)
    }

    fn good(&self) -> Option<Instant> {
        self.answered.filter(|(_, status)| (200..300).contains(status)).map(|(at, _)| at)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { process, service, method, path, sent, answered, .. } = self;
        write!(
            formatter,
            "process {process}: {method} {service:?} {path}, {:.1?} ago",
            sent.elapsed()
        )?;
        match answered {
            Some((at, status)) => write!(formatter, ": status {status} after {:.1?}", *at - *sent),
            None => write!(formatter, ": not answered"),
        }
    }
}

/// How far the time at which a request is noted may be from that at which it was sent.
const NOTED: Duration = Duration::from_millis(500);

impl Log {
    /// Notes a request; gives its number.
    pub fn sent(&self, entry: Entry) -> usize {
        let mut entries = self.0.lock().unwrap();
        entries.push(entry);
        entries.len() - 1
    }

    /// Notes its answer.
    pub fn answered(&self, number: usize, at: Instant, status: u16, answer: &str) {
        let entry = &mut self.0.lock().unwrap()[number];
        entry.answered = Some((at, status));
        if entry.looks() {
            entry.epoch = highest_epoch(answer);
        }
    }

    /// Whether the process has seen the lease since then.
    pub fn saw(&self, process: usize, since: Instant) -> bool {
        let entries = self.0.lock().unwrap();
        let mut own = entries.iter().rev().filter(|entry| entry.process == process);
        own.any(|entry| entry.looks() && entry.sent >= since && entry.good().is_some())
    }

    /// Whether the process has changed anything.
    pub fn changed(&self, process: usize) -> bool {
        self.0.lock().unwrap().iter().any(|entry| entry.process == process && entry.is_change())
    }

    /// All of them so far.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = self.0.lock().unwrap().clone();
        entries.sort_by_key(|entry| entry.sent);
        entries
    }
}

/// The time from one scaler's last change to the next one's first, where nothing was handed over between.
pub type Gap = Duration;

/// Each change was sent while a renewal of its sender was in force, and none while one of another scaler's was. Gives the
/// gaps, or what is wrong.
pub fn one_acts(entries: &[Entry], validity: Duration) -> Result<Vec<Gap>, String> {
    let changes: Vec<&Entry> = entries.iter().filter(|entry| entry.is_change()).collect();
    for change in &changes {
        let bought = last_renewal(entries, change.process, change.sent);
        if bought.is_none_or(|bought| change.sent > bought + validity + NOTED) {
            let ago = bought.map(|bought| change.sent - bought);
            return Err(format!(
                "a change without a lease (last renewed {ago:?} before): {change}"
            ));
        }
    }
    let mut gaps = Vec::new();
    for pair in changes.windows(2) {
        let [before, after] = pair else { continue };
        if before.process == after.process || was_released(entries, before, after) {
            continue;
        }
        let gap = after.sent - before.sent;
        let bought = last_renewal(entries, before.process, after.sent);
        if bought.is_some_and(|bought| after.sent + NOTED < bought + validity) {
            return Err(format!(
                "two acted at one time, {gap:?} after each other: {before}\n{after}"
            ));
        }
        gaps.push(gap);
    }
    Ok(gaps)
}

/// When the last renewal was sent that the process may rely on: it was answered, and a look after it found nobody else's
/// record. Not when somebody else's was made: its answer may be noted after a look that shows it.
fn last_renewal(entries: &[Entry], process: usize, until: Instant) -> Option<Instant> {
    let before = entries.iter().rev().filter(|entry| entry.sent < until);
    let mut own = before.filter(|entry| entry.process == process && entry.good().is_some());
    own.find(|entry| entry.takes() || (entry.renews() && is_in_force(entries, entry)))
        .map(|entry| entry.sent)
}

fn is_in_force(entries: &[Entry], renewal: &Entry) -> bool {
    let Some(renewed) = renewal.good() else { return false };
    let mut own = entries.iter().filter(|entry| entry.process == renewal.process);
    let look =
        own.clone().find(|entry| entry.lists() && entry.sent >= renewed && entry.good().is_some());
    let taken =
        own.rfind(|entry| entry.takes() && entry.sent < renewal.sent && entry.good().is_some());
    look.zip(taken).is_some_and(|(look, taken)| look.epoch == taken.epoch)
}

/// As records tell it.
fn highest_epoch(text: &str) -> Option<u64> {
    let told = text.split("\"simplescalevm_epoch\"").skip(1);
    let digits = |rest: &str| -> Option<u64> {
        let value = rest.split('"').nth(1)?;
        value.parse().ok()
    };
    told.filter_map(digits).max()
}

fn was_released(entries: &[Entry], before: &Entry, after: &Entry) -> bool {
    let between = |at: Instant| before.sent <= at && at <= after.sent;
    entries
        .iter()
        .any(|entry| entry.releases && entry.process == before.process && between(entry.sent))
}

/// How long the cloud let the process wait in this time for those `most` requests that took longest.
pub fn waited(
    entries: &[Entry],
    process: usize,
    most: usize,
    from: Instant,
    to: Instant,
) -> Duration {
    let own = entries.iter().filter(|entry| entry.process == process);
    let times = own.filter_map(|entry| {
        let (at, _) = entry.answered?;
        Some(at.min(to).saturating_duration_since(entry.sent.max(from)))
    });
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times.iter().rev().take(most).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALIDITY: Duration = Duration::from_secs(10);

    /// `0: PATCH image` at so many seconds, answered at once.
    fn log(lines: &[(u64, usize, Service, &str)]) -> Vec<Entry> {
        let began = Instant::now();
        let entry = |(second, process, service, line): &(u64, usize, Service, &str)| {
            let at = began + Duration::from_secs(*second);
            let body = if line.ends_with("released") { "released" } else { "" };
            Entry {
                sent: at,
                answered: Some((at, 200)),
                // Each process has one epoch, and sees no other.
                epoch: u64::try_from(*process).ok(),
                ..Entry::new(*process, *service, line, body)
            }
        };
        lines.iter().map(entry).collect()
    }

    use Service::{Compute, Image};

    #[test]
    fn one_after_the_other_is_as_it_should_be() {
        let entries = log(&[
            (0, 1, Image, "POST /images"),
            (3, 1, Image, "PATCH /images/1"),
            (3, 1, Image, "GET /images"),
            (12, 1, Compute, "DELETE /servers/1"),
            (14, 2, Image, "POST /images"),
            (15, 2, Compute, "DELETE /servers/2"),
        ]);
        assert_eq!(one_acts(&entries, VALIDITY), Ok(vec![Duration::from_secs(3)]));
    }

    #[test]
    fn a_renewal_whose_look_shows_another_epoch_is_none() {
        let mut entries = log(&[
            (0, 1, Image, "POST /images"),
            (3, 1, Compute, "DELETE /servers/1"),
            (20, 1, Image, "PATCH /images/1"),
            (20, 1, Image, "GET /images"),
            (20, 2, Image, "POST /images"),
            (21, 2, Compute, "DELETE /servers/2"),
        ]);
        let found = one_acts(&entries, VALIDITY).unwrap_err();
        assert!(found.contains("two acted at one time"), "{found}");
        entries[3].epoch = Some(2);
        assert_eq!(one_acts(&entries, VALIDITY), Ok(vec![Duration::from_secs(18)]));
    }

    #[test]
    fn epochs_are_read_of_requests_and_answers() {
        assert_eq!(highest_epoch(r#"{"simplescalevm_epoch":"7"}"#), Some(7));
        let list = r#"[{"simplescalevm_epoch": "9", "a": "b"}, {"simplescalevm_epoch": "10"}]"#;
        assert_eq!(highest_epoch(list), Some(10));
        assert_eq!(highest_epoch("{}"), None);
    }

    #[test]
    fn a_change_after_the_lease_ran_out_is_found() {
        let entries = log(&[
            (0, 1, Image, "POST /images"),
            (3, 1, Image, "PATCH /images/1"),
            (12, 1, Compute, "DELETE /servers/1"),
        ]);
        assert!(one_acts(&entries, VALIDITY).unwrap_err().contains("without a lease"));
    }

    #[test]
    fn two_that_act_at_one_time_are_found_unless_one_handed_over() {
        let mut lines = vec![
            (0, 1, Image, "POST /images"),
            (5, 1, Compute, "DELETE /servers/1"),
            (6, 2, Image, "POST /images"),
            (7, 2, Compute, "POST /servers"),
        ];
        let found = one_acts(&log(&lines), VALIDITY).unwrap_err();
        assert!(found.contains("two acted at one time"), "{found}");
        lines.insert(2, (5, 1, Image, "PATCH /images/1 released"));
        assert_eq!(one_acts(&log(&lines), VALIDITY), Ok(vec![]));
    }
}
