//! What `--check` shows, on the terminal or as JSON for scripts, and what it came to.

use std::io::Write;
use std::net::IpAddr;

use serde::Serialize;

use crate::args::Output;
use crate::error::one_line;
use crate::model::{Replica, ServerId, State};

/// Longest text of a foreign name or reason: what comes from the cloud or a replica may hold anything.
const SHOWN_CHARACTERS_MAX: usize = 300;

/// Longest text of our own: of settings, which may list several.
const OWN_CHARACTERS_MAX: usize = 4000;

/// Wide enough for the longest word that [`crate::provider::Provider::check`] gives: `cloud-init file`.
const WHAT_WIDTH: usize = 15;

/// The page, written as it grows: a slow cloud shows where it is slow. As JSON it is one object, written at the end.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    output: Output,
    section: &'static str,
    faults: Vec<(String, String)>,
    warnings: usize,
    /// Whether a table stands between the faults and the end.
    has_table: bool,
    broken: bool,
    /// For scripts alone.
    told: Told,
}

/// The whole of `--output json`. Scripts go by it: names stay, and what is added comes beside them.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    ok: bool,
    version: &'static str,
    /// How many causes: what a login that failed keeps from being had is no other fault.
    faults: usize,
    warnings: usize,
    lines: Vec<ToldLine>,
    replicas: Vec<ToldReplica>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToldLine {
    /// The heading in small letters: `settings`, `cloud`, `several scalers` or `pool`.
    section: String,
    /// `ok`, `warning` or `fault`.
    verdict: &'static str,
    what: String,
    text: String,
}

/// As in the status page's JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToldReplica {
    id: ServerId,
    name: String,
    state: State,
    why: String,
    locked: bool,
    address: Option<IpAddr>,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(output: Output, out: &'a mut dyn Write) -> Self {
        Page {
            out,
            output,
            section: "",
            faults: Vec::new(),
            warnings: 0,
            has_table: false,
            broken: false,
            told: Told::default(),
        }
    }

    /// What the next lines are about.
    pub fn heading(&mut self, section: &'static str) {
        if !self.section.is_empty() {
            self.line("");
        }
        self.section = section;
        self.line(section);
    }

    /// Something that is as it should be.
    pub fn found(&mut self, what: &str, text: &str) {
        self.entry("ok", what, &one_line(text, SHOWN_CHARACTERS_MAX));
    }

    /// Something that is wrong. One cause is one fault: when the login fails, so does all that needs it.
    pub fn fault(&mut self, what: &str, text: &str) {
        let text = one_line(text, OWN_CHARACTERS_MAX);
        if self.faults.iter().any(|(_, known)| text.contains(known)) {
            return self.entry("FAULT", what, "not available, see above");
        }
        self.entry("FAULT", what, &text);
        self.faults.push((what.to_owned(), text));
    }

    /// Something to look at.
    pub fn warn(&mut self, what: &str, text: &str) {
        self.warnings += 1;
        self.entry("warning", what, &one_line(text, OWN_CHARACTERS_MAX));
    }

    /// One line a replica, by their names: name, id, where, what it is, why.
    pub fn table(&mut self, replicas: &[Replica]) {
        if replicas.is_empty() {
            return;
        }
        self.has_table = true;
        let mut replicas: Vec<&Replica> = replicas.iter().collect();
        replicas.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        self.told.replicas = replicas.iter().map(|replica| ToldReplica::of(replica)).collect();
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
        if self.output == Output::Json {
            return self.end_json();
        }
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

    /// The object, on one line.
    fn end_json(mut self) -> bool {
        let (faults, warnings) = (self.faults.len(), self.warnings);
        let version = env!("CARGO_PKG_VERSION");
        let told = Told { ok: faults == 0, version, faults, warnings, ..self.told };
        let written = serde_json::to_writer(&mut *self.out, &told).map_err(std::io::Error::from);
        let written = written.and_then(|()| writeln!(self.out)).and_then(|()| self.out.flush());
        self.broken |= written.is_err();
        faults == 0 && !self.broken
    }

    fn entry(&mut self, verdict: &'static str, what: &str, text: &str) {
        if self.output == Output::Json {
            let verdict = if verdict == "FAULT" { "fault" } else { verdict };
            let section = self.section.to_lowercase();
            let (what, text) = (what.to_owned(), text.to_owned());
            self.told.lines.push(ToldLine { section, verdict, what, text });
        }
        self.line(&format!("{verdict:7}  {what:WHAT_WIDTH$}  {text}"));
    }

    fn line(&mut self, text: &str) {
        if self.output == Output::Json {
            return;
        }
        self.broken |= writeln!(self.out, "{}", text.trim_end()).is_err();
    }
}

impl ToldReplica {
    fn of(replica: &Replica) -> Self {
        ToldReplica {
            id: replica.id.clone(),
            name: replica.name.to_string(),
            state: replica.state,
            why: one_line(&replica.why, SHOWN_CHARACTERS_MAX),
            locked: replica.locked,
            address: replica.address,
        }
    }
}

fn cells(replica: &Replica) -> [String; 5] {
    let locked = if replica.locked { "locked; " } else { "" };
    [
        one_line(&replica.name, 60),
        one_line(replica.id.as_str(), 60),
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
