//! What a pass has to say: the one place where decisions and failures become log lines.
//!
//! A step is said when it is done, a failure when it happens. What fails pass after pass is said at growing distances
//! ([`repeat`]), and so is a condition that the operator has to act on. A pass that changes nothing says nothing.

pub mod repeat;

use std::collections::BTreeSet;

use log::Level;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::plan::{Loudness, Note, Plan, StepKind};
use repeat::{Repeats, Words, cause};

/// What was said, as far as it matters for what is said next.
#[derive(Debug)]
pub struct News {
    clock: Clock,
    /// With `--once` nothing is a standing condition: each run would repeat it.
    once: bool,
    failures: Repeats,
    conditions: Repeats,
    /// Keys of the notes of the last pass.
    noted: BTreeSet<String>,
    /// Subjects of the steps that were done in this pass.
    done: BTreeSet<String>,
    /// Steps of the last dry run.
    dry: BTreeSet<String>,
}

impl News {
    /// Nothing said yet.
    pub fn new(clock: Clock, once: bool) -> Self {
        News {
            clock,
            once,
            failures: Repeats::new(Words { again: "still failing", over: "recovered" }),
            conditions: Repeats::new(Words { again: "still", over: "over" }),
            noted: BTreeSet::new(),
            done: BTreeSet::new(),
            dry: BTreeSet::new(),
        }
    }

    /// A pass begins.
    pub fn begin_pass(&mut self) {
        self.failures.begin_pass();
        self.conditions.begin_pass();
        self.done.clear();
    }

    /// Something could not be seen.
    pub fn unseen(&mut self, error: &Error) {
        // What was being done stands first, see `Error::context`.
        let what = error.text.split(": ").next().unwrap_or_default();
        let subject = format!("see:{}", cause(what));
        self.failure(Level::Error, &subject, cause(&error.text), error.text.clone());
    }

    /// What people should know of a pass: errors while they last, the others when they begin.
    pub fn notes(&mut self, notes: &[Note]) {
        for note in notes {
            let is_new = !self.noted.contains(&note.key);
            match note.loudness {
                Loudness::Error => self.condition(note),
                Loudness::Warning if is_new => log::warn!("{}", note.text),
                Loudness::Standing if is_new && self.once => log::debug!("{}", note.text),
                Loudness::Standing if is_new => log::info!("{}", note.text),
                Loudness::Warning | Loudness::Standing => {}
            }
        }
        self.noted = notes.iter().map(|note| note.key.clone()).collect();
        for line in self.conditions.end(self.clock.now(), |_, met| !met) {
            log::info!("{line}");
        }
    }

    /// A step was done. `whom` is the id of the server or address it is about; empty for a creation.
    pub fn done(&mut self, kind: StepKind, whom: &str, step: &str) {
        log::info!("{step}");
        self.done.insert(subject(kind, whom));
    }

    /// What a dry run would do. The next one will want the same again: only what is new is said.
    pub fn dry_run(&mut self, plan: &Plan) {
        let steps: BTreeSet<String> = plan.to_string().lines().map(str::to_owned).collect();
        for step in steps.difference(&self.dry) {
            log::info!("dry run, not done: {step}");
        }
        self.dry = steps;
    }

    /// A step failed.
    pub fn failed(&mut self, kind: StepKind, whom: &str, step: &str, error: &Error) {
        if error.kind == ErrorKind::Interrupted {
            // What the end of the program cut short has not failed.
            log::info!("not done: {step}: {error}");
            return;
        }
        // An address may be refused on one replica after the other: each is a cause of its own.
        let cause = match kind {
            StepKind::Move => format!("{step}: {}", cause(&error.text)),
            StepKind::Delete | StepKind::Create => cause(&error.text),
        };
        let text = format!("cannot {step}: {error}");
        self.failure(Level::Error, &subject(kind, whom), cause, text);
    }

    /// A step was left for the next pass.
    pub fn not_done(&mut self, kind: StepKind, whom: &str, step: &str, why: &str) {
        let text = format!("not done: {step}: {why}");
        self.failure(Level::Warn, &subject(kind, whom), cause(why), text);
    }

    /// A pass that saw the pool ends: what is over is said.
    pub fn end_pass(&mut self, plan: &Plan) {
        let done = &self.done;
        let is_over = |subject: &str, met| is_over(plan, done, subject, met);
        for line in self.failures.end(self.clock.now(), is_over) {
            log::info!("{line}");
        }
    }

    fn failure(&mut self, level: Level, subject: &str, cause: String, text: String) {
        if let Some(line) = self.failures.met(subject, cause, text, self.clock.now()) {
            log::log!(level, "{line}");
        }
    }

    fn condition(&mut self, note: &Note) {
        // While the brake lasts its effect changes, and with it the key's end.
        let subject = note.key.trim_end_matches(":true").trim_end_matches(":false");
        let (cause, text) = (note.key.clone(), note.text.clone());
        if let Some(line) = self.conditions.met(subject, cause, text, self.clock.now()) {
            log::error!("{line}");
        }
    }
}

fn subject(kind: StepKind, whom: &str) -> String {
    let kind = match kind {
        StepKind::Move => "move",
        StepKind::Delete => "delete",
        StepKind::Create => "create",
    };
    format!("{kind}:{whom}")
}

/// Whether what failed does no longer. A step that had no turn may still not work: creation is paused after a failure, a
/// pair that the cloud refused is not tried for a while.
fn is_over(plan: &Plan, done: &BTreeSet<String>, subject: &str, met: bool) -> bool {
    if met || done.contains(subject) {
        return done.contains(subject);
    }
    match subject.split_once(':') {
        Some(("delete", id)) => plan.deletions.iter().all(|step| step.server.0 != id),
        Some(("move", id)) => {
            let planned = plan.moves.iter().any(|step| step.address.0 == id);
            !planned && plan.refused.iter().all(|(address, _)| address.0 != id)
        }
        Some(("create", _)) => plan.creation.is_none() && plan.held_back.is_none(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AddressId, Condition, ServerId};
    use crate::plan::{Deletion, DeletionReason, HeldBack};

    #[track_caller]
    fn check(plan: &Plan, done: &[&str], subject: &str, met: bool, expected: bool) {
        let done = done.iter().map(|subject| (*subject).to_owned()).collect();
        assert_eq!(is_over(plan, &done, subject, met), expected, "{subject}, met: {met}");
    }

    #[test]
    fn what_was_done_is_over_and_what_failed_again_is_not() {
        let plan = Plan::default();
        check(&plan, &["delete:a"], "delete:a", false, true);
        check(&plan, &["move:ip"], "move:ip", true, true);
        check(&plan, &[], "delete:a", true, false);
        check(&plan, &[], "see:cannot list the floating IPs", true, false);
        check(&plan, &[], "see:cannot list the floating IPs", false, true);
    }

    #[test]
    fn a_creation_that_is_paused_is_still_failing() {
        let held_back = Some(HeldBack { why: "creation paused".into(), for_at_least: None });
        check(&Plan { held_back, ..Plan::default() }, &[], "create:", false, false);
        check(&Plan::default(), &[], "create:", false, true);
    }

    #[test]
    fn a_deletion_that_had_no_turn_is_still_failing_until_it_is_not_wanted() {
        let deletion = Deletion {
            server: ServerId("a".into()),
            name: "web".into(),
            reason: DeletionReason::Finished,
            why: "finished".into(),
            condition: Condition::Active { task: None },
            words: "active".into(),
            ask: None,
            only_after: Vec::new(),
        };
        let plan = Plan { deletions: vec![deletion], ..Plan::default() };
        check(&plan, &[], "delete:a", false, false);
        check(&plan, &[], "delete:gone", false, true);
    }

    #[test]
    fn an_address_that_was_refused_everywhere_is_still_failing() {
        let refused = vec![(AddressId("ip".into()), ServerId("a".into()))];
        check(&Plan { refused, ..Plan::default() }, &[], "move:ip", false, false);
        check(&Plan::default(), &[], "move:ip", false, true);
    }
}
