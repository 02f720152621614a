//! What campaigns found, of all of this run together.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::fault::Kind;

/// What came of a fault.
pub struct Row {
    pub kind: Kind,
    /// From the fault to a scaler that says it acts; from its end where all were hit.
    pub time: Option<Duration>,
    /// How long that may take, where it is bounded; without the time that the cloud took to answer.
    pub bound: Option<Duration>,
}

#[derive(Default)]
struct Table {
    rows: Vec<Row>,
    /// The times from one scaler's last change to the next one's first, where nothing was handed over.
    gaps: Vec<Duration>,
    changes: usize,
    changed_by: usize,
}

static TABLE: Mutex<Option<Table>> = Mutex::new(None);

/// Adds what a campaign found, and shows all that is there by now.
pub fn add(rows: Vec<Row>, gaps: Vec<Duration>, changes: usize, changed_by: usize) {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    let table = table.get_or_insert_default();
    table.rows.extend(rows);
    table.gaps.extend(gaps);
    table.changes += changes;
    table.changed_by += changed_by;
    table.show();
}

impl Table {
    fn show(&self) {
        let mut kinds: BTreeMap<Kind, Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            kinds.entry(row.kind).or_default().push(row);
        }
        println!("{} faults; seconds until a scaler acted", self.rows.len());
        println!("fault          count    min median    max over bound");
        for (kind, rows) in kinds {
            let times = rows.iter().filter_map(|row| row.time).collect();
            let over = rows.iter().filter(|row| row.bound.is_some() && row.time > row.bound);
            let (name, over) = (format!("{kind:?}"), over.count());
            println!("{name:14} {:>5} {} {over:>10}", rows.len(), spread(times));
        }
        let (changes, by) = (self.changes, self.changed_by);
        println!(
            "{changes} changes by {by} processes; seconds between the changes of two, nothing handed over:"
        );
        println!("{:14} {:>5} {}\n", "", self.gaps.len(), spread(self.gaps.clone()));
    }
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let (Some(least), Some(most)) = (times.first(), times.last()) else {
        return format!("{:>6} {:>6} {:>6}", "-", "-", "-");
    };
    let seconds = |time: &Duration| format!("{:>6.1}", time.as_secs_f64());
    [least, &times[times.len() / 2], most].map(seconds).join(" ")
}
