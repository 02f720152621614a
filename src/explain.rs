//! What `--dry-run` prints: what was seen, the sum, and what would be done. For people as a table, for scripts as the
//! status page's JSON.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use crate::args::Output;
use crate::clock::Moment;
use crate::decide::arithmetic::Arithmetic;
use crate::error::one_line;
use crate::model::Replica;
use crate::pass::Report;
use crate::plan::{Loudness, Plan};
use crate::questions::Questions;
use crate::status::ended_pass::EndedPass;
use crate::status::json;
use crate::status::pool_settings::PoolSettings;
use crate::status::snapshot::Snapshot;

/// Longest text in a cell of the table: what a cloud calls a server may be long.
const CELL_CHARS_MAX: usize = 120;

/// Explains passes.
#[derive(Clone, Debug)]
pub struct Explainer {
    output: Output,
    settings: PoolSettings,
    questions: Questions,
}

impl Explainer {
    /// For a pool with these settings. What is printed goes to whoever started the program, so nothing is hidden.
    pub fn new(output: Output, settings: PoolSettings, questions: Questions) -> Self {
        Explainer { output, settings: PoolSettings { full: true, ..settings }, questions }
    }

    /// Prints what one pass saw and would do.
    pub fn print(
        &self,
        report: &Report,
        began: Moment,
        ended: Moment,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let text = match self.output {
            Output::Text => text(report, self.settings.capacity),
            Output::Json => {
                let pass = EndedPass { began, ended, report: report.clone() };
                let snapshot = Snapshot::new(began, self.settings.clone()).pass_ended(pass);
                let snapshot = snapshot.with_questions(self.questions.all());
                json::page(&snapshot, report.events.iter().rev(), ended) + "\n"
            }
        };
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            // Whoever read it has read enough (`| head`).
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

fn text(report: &Report, capacity: u64) -> String {
    let Some(plan) = &report.plan else {
        // The log says why.
        return "the pool could not be read, so nothing would be done\n".to_owned();
    };
    let mut text = table(&plan.replicas);
    for address in report.addresses.iter().flatten() {
        let holder = address.holder.as_ref().map_or("no holder".to_owned(), |id| {
            let replica = plan.replicas.iter().find(|replica| replica.id == *id);
            replica.map_or(format!("{id}, not in the pool"), name)
        });
        // Writing to a String cannot fail.
        let _ = writeln!(text, "external address {}: {holder}", address.address);
    }
    let sum = Arithmetic::of(&plan.replicas, plan.unaccounted, plan.wanted, capacity);
    let _ = writeln!(text, "{sum}");
    text + &decision(plan)
}

/// The plan, and what holds it back.
fn decision(plan: &Plan) -> String {
    let mut text = plan.to_string();
    if plan.is_empty() {
        text.push_str("nothing to do\n");
    }
    if let Some(held_back) = &plan.held_back {
        let _ = writeln!(text, "creating fewer replicas than are missing: {}", held_back.why);
    }
    let said = |line: &str| plan.brakes.iter().any(|brake| brake == line);
    for brake in &plan.brakes {
        let _ = writeln!(text, "{brake}");
    }
    for note in plan.notes.iter().filter(|note| !said(&note.text)) {
        let loudness = match note.loudness {
            Loudness::Error => "error",
            Loudness::Warning => "warning",
            Loudness::Standing => "note",
        };
        // What holds creation back has a note, too, for the log.
        if !note.key.starts_with("held-back") {
            let _ = writeln!(text, "{loudness}: {}", note.text);
        }
    }
    text
}

fn table(replicas: &[Replica]) -> String {
    if replicas.is_empty() {
        return "no replicas\n".to_owned();
    }
    let head = ["replica", "state", "capacity", "age", "why"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(replicas.iter().map(row)).collect();
    let width = |of: &dyn Fn(&[String; 5]) -> &String| {
        rows.iter().map(|row| of(row).chars().count()).max().unwrap_or_default()
    };
    let names = width(&|[name, ..]| name);
    let states = width(&|[_, state, ..]| state);
    let ages = width(&|[_, _, _, age, _]| age);
    let mut text = String::new();
    for [name, state, capacity, age, why] in &rows {
        let line = format!("{name:names$}  {state:states$}  {capacity:>8}  {age:>ages$}  {why}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(replica: &Replica) -> [String; 5] {
    let locked = if replica.locked { ", locked" } else { "" };
    [
        name(replica),
        format!("{}{locked}", replica.state),
        replica.free.to_string(),
        age(replica.age),
        one_line(&replica.why, CELL_CHARS_MAX),
    ]
}

fn name(replica: &Replica) -> String {
    format!("{} ({})", one_line(&replica.name, CELL_CHARS_MAX), replica.id)
}

/// In the largest unit that leaves two digits or so.
fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Batch, HeldBack};
    use crate::status::fixture;

    #[track_caller]
    fn check(report: &Report, expected: &str) {
        let printed = text(report, 3);
        assert!(printed == expected, "printed:\n{printed}\nexpected:\n{expected}");
    }

    #[test]
    fn a_dry_run_shows_what_was_seen_the_sum_and_what_would_be_done() {
        check(
            &fixture::dry_run(),
            "replica       state             capacity     age  why\n\
             web-0 (id-0)  healthy                  3  60 min  3 free\n\
             web-1 (id-1)  finished, locked         0  60 min  says it may be destroyed\n\
             free 3 = 3 answered; wanted 6; short 3 → 1 replica of 3\n\
             create 1 replica: 3 of 6 free\n\
             creating fewer replicas than are missing: at most 1 at once\n\
             brake: 3 of 4 are silent\n\
             warning: web-2 (id-2) is silent: 192.0.2.2 refused\n",
        );
    }

    #[test]
    fn a_pool_with_nothing_to_do_says_so() {
        let report = Report { plan: Some(Plan::default()), ..Report::default() };
        check(&report, "no replicas\nfree 0; wanted 0; short 0\nnothing to do\n");
    }

    #[test]
    fn what_holds_creation_back_is_said_once() {
        let why = "at most 2 at once".to_owned();
        let plan = Plan {
            wanted: 9,
            creation: Some(Batch {
                count: 2,
                mark: "abc-1".into(),
                trial: false,
                why: "the sum".into(),
            }),
            held_back: Some(HeldBack { why, for_at_least: None }),
            ..Plan::default()
        };
        check(
            &Report { plan: Some(plan), ..Report::default() },
            "no replicas\n\
             free 0; wanted 9; short 9 → 3 replicas of 3\n\
             create 2 replicas: the sum\n\
             creating fewer replicas than are missing: at most 2 at once\n",
        );
    }

    #[test]
    fn a_pool_that_could_not_be_seen_is_not_an_empty_one() {
        check(&Report::default(), "the pool could not be read, so nothing would be done\n");
    }

    #[test]
    fn json_shows_everything_even_when_the_status_page_is_a_summary() {
        let mut settings = fixture::before_the_first_pass().settings;
        settings.full = false;
        let explainer = Explainer::new(Output::Json, settings, Questions::default());
        let mut printed = Vec::new();
        let report = fixture::dry_run();
        explainer.print(&report, fixture::at(1), fixture::at(2), &mut printed).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        assert_eq!(printed.lines().count(), 1, "one line a pass: {printed}");
        let page: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(page["replicas"][0]["name"], "web-0", "{page}");
        assert_eq!(page["plan"][0]["outcome"], "dry run", "{page}");
    }

    #[test]
    fn ages_have_two_digits_or_so() {
        let ages = [0, 119, 120, 7_199, 7_200, 172_799, 172_800];
        let told = ages.map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(told, ["0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d"]);
    }
}
