//! What `--check` shows on the terminal, and what it came to.

use std::io::Write;

use crate::error::one_line;
use crate::model::Replica;

/// Longest text of a foreign name or reason: what comes from the cloud or a replica may hold anything.
const SHOWN_CHARACTERS_MAX: usize = 300;

/// Wide enough for the longest word that [`crate::provider::Provider::check`] gives: `cloud-init file`.
const WHAT_WIDTH: usize = 15;

/// The page, written as it grows: a slow cloud shows where it is slow.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    faults: Vec<(String, String)>,
    warnings: usize,
    /// Whether a table stands between the faults and the end.
    has_table: bool,
    broken: bool,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Page { out, faults: Vec::new(), warnings: 0, has_table: false, broken: false }
    }

    /// What the next lines are about.
    pub fn heading(&mut self, text: &str) {
        self.line(text);
    }

    /// Something that is as it should be.
    pub fn found(&mut self, what: &str, text: &str) {
        self.entry("ok", what, &one_line(text, SHOWN_CHARACTERS_MAX));
    }

    /// Something that is wrong. One cause is one fault: when the login fails, so does all that needs it.
    pub fn fault(&mut self, what: &str, text: &str) {
        let text = one_line(text, SHOWN_CHARACTERS_MAX);
        if self.faults.iter().any(|(_, known)| text.contains(known)) {
            return self.entry("FAULT", what, "not to be had, see above");
        }
        self.entry("FAULT", what, &text);
        self.faults.push((what.to_owned(), text));
    }

    /// Something to look at.
    pub fn warn(&mut self, what: &str, text: &str) {
        self.warnings += 1;
        self.entry("warning", what, &one_line(text, SHOWN_CHARACTERS_MAX));
    }

    /// One line a replica, by their names: name, id, where, what it is, why.
    pub fn table(&mut self, replicas: &[Replica]) {
        if replicas.is_empty() {
            return;
        }
        self.has_table = true;
        let mut replicas: Vec<&Replica> = replicas.iter().collect();
        replicas.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let head = ["name", "id", "address", "is", "because"].map(str::to_owned);
        let rows: Vec<[String; 5]> =
            std::iter::once(head).chain(replicas.into_iter().map(cells)).collect();
        let mut widths = [0; 5];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        self.line("");
        for row in &rows {
            let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            self.line(&padded.collect::<Vec<_>>().join("  "));
        }
    }

    /// The last line, with the faults once more where a table of any length stands between. `true` when there was no fault,
    /// and all of the page could be written.
    pub fn end(mut self) -> bool {
        let (faults, warnings) = (self.faults.len(), self.warnings);
        if self.has_table && faults > 0 {
            self.line("");
            for (what, text) in std::mem::take(&mut self.faults) {
                self.entry("FAULT", &what, &text);
            }
        }
        let faults_said =
            if faults == 0 { "no faults".to_owned() } else { counted(faults, "fault") };
        self.line("");
        self.line(&match warnings {
            0 => faults_said,
            _ => format!("{faults_said}, {}", counted(warnings, "warning")),
        });
        self.broken |= self.out.flush().is_err();
        faults == 0 && !self.broken
    }

    fn entry(&mut self, verdict: &str, what: &str, text: &str) {
        self.line(&format!("{verdict:7}  {what:WHAT_WIDTH$}  {text}"));
    }

    fn line(&mut self, text: &str) {
        self.broken |= writeln!(self.out, "{}", text.trim_end()).is_err();
    }
}

fn cells(replica: &Replica) -> [String; 5] {
    let locked = if replica.locked { "locked; " } else { "" };
    [
        one_line(&replica.name, 60),
        one_line(&replica.id.0, 60),
        replica.address.map_or("-".to_owned(), |address| address.to_string()),
        replica.state.to_string(),
        format!("{locked}{}", one_line(&replica.why, SHOWN_CHARACTERS_MAX)),
    ]
}

/// `1 fault`, `2 faults`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
