//! The results, as Markdown, and the goals.

use crate::MINIMUM;
use crate::fleet::Figures;

/// VM-hours may be so many percent of the oracle's.
const PERCENT_MAX: u64 = 105;

/// One trace with one boot time.
pub struct Row {
    pub trace: &'static str,
    /// Seconds.
    pub boot: u64,
    pub program: Figures,
    pub python: Figures,
    pub oracle: Figures,
    pub reserve: Reserve,
}

/// What this program achieves with another `REPLICA_MIN_AVAILABLE_RESOURCES`.
pub struct Reserve {
    pub minimum: u64,
    pub figures: Figures,
}

impl Row {
    /// In which ways it is worse than it may be: `a launch, 300 s to boot: 61 minutes below the minimum, and Python's 60`.
    pub fn misses_goals(&self) -> Vec<String> {
        let Row { trace, boot, program, python, oracle, .. } = self;
        let mut missed = Vec::new();
        if 100 * program.vm_seconds > PERCENT_MAX * oracle.vm_seconds {
            let (own, best) = (hours(program), hours(oracle));
            missed.push(format!("{own} VM-hours, and the oracle's {best}"));
        }
        if program.below > python.below {
            let (own, other) = (minutes(program), minutes(python));
            missed.push(format!("{own} minutes below the minimum, and Python's {other}"));
        }
        missed.iter().map(|what| format!("{trace}, {boot} s to boot: {what}")).collect()
    }

    fn cells(&self) -> String {
        let Row { trace, boot, program, python, oracle, .. } = self;
        let all = [oracle, program, python];
        let (best, minutes) = (hours(oracle), all.map(minutes).join(" | "));
        let hours = [program, python].map(|one| format!("{} ({})", hours(one), share(one, oracle)));
        let (hours, waited) = (hours.join(" | "), waited(&all));
        format!("| {trace} | {boot} s | {best} | {hours} | {minutes} | {waited} |\n")
    }

    fn reserve_cells(&self) -> String {
        let Row { trace, boot, python, oracle, reserve: Reserve { minimum, figures }, .. } = self;
        let both = [figures, python];
        let shares = both.map(|one| share(one, oracle)).join(" | ");
        let (minutes, waited) = (both.map(minutes).join(" | "), waited(&both));
        format!("| {trace} | {boot} s | {minimum} | {shares} | {minutes} | {waited} |\n")
    }
}

/// Both tables.
pub fn of(rows: &[Row], days: u64) -> String {
    let cells: String = rows.iter().map(Row::cells).collect();
    let reserve: String = rows.iter().map(Row::reserve_cells).collect();
    format!(
        "\
{days} × 24 h, a minimum of {MINIMUM}:

| load | boot | VM-hours: oracle | this program | Python | minutes below: oracle | this program | Python | sessions that waited: oracle | this program | Python |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{cells}
The smallest minimum with which this program has {MINIMUM} free at least as much of the time as Python with {MINIMUM}:

| load | boot | minimum | VM-hours / oracle: this program | Python | minutes below {MINIMUM}: this program | Python | sessions that waited: this program | Python |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
{reserve}"
    )
}

fn hours(figures: &Figures) -> String {
    rounded(figures.vm_seconds, 3600).to_string()
}

fn minutes(figures: &Figures) -> String {
    rounded(figures.below, 60).to_string()
}

fn waited(all: &[&Figures]) -> String {
    all.iter().map(|one| one.waited.to_string()).collect::<Vec<_>>().join(" | ")
}

/// VM-hours by VM-hours: `0.98`.
fn share(one: &Figures, other: &Figures) -> String {
    let percent = rounded(100 * one.vm_seconds, other.vm_seconds);
    format!("{}.{:02}", percent / 100, percent % 100)
}

fn rounded(number: u64, by: u64) -> u64 {
    (number + by / 2) / by
}
