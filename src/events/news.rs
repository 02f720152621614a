//! Hears what a pass finds, does and fails to do, logs it, and remembers it for the page.
//!
//! A step is said when it is done, a failure when it happens. What fails pass after pass is said at growing distances,
//! and so is a condition that the operator has to act on. A pass that changes nothing says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use log::Level;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, one_line};
use crate::events::over::is_over;
use crate::events::repeat::{Repeats, Words, cause};
use crate::events::sight::Sight;
use crate::events::{Event, Tone};
use crate::model::{ExternalAddress, Lost, ServerId, State};
use crate::outcome::Outcome;
use crate::plan::{Loudness, Note, Plan, StepKind};

/// Longest text of an event that is remembered; the log has it whole.
const TEXT_CHARS_MAX: usize = 1000;

const FAILURE: Words = Words { again: Some("still failing"), over: Some("recovered") };
const ERROR: Words = Words { again: Some("still"), over: Some("over") };
const NOTE: Words = Words { again: None, over: Some("over") };
/// What was left over is said again when it is done.
const LEFT_OVER: Words = Words { again: Some("still"), over: None };
const ONCE: Words = Words { again: None, over: None };

/// What was found and said, as far as it matters for what is said next.
#[derive(Debug)]
pub struct News {
    clock: Clock,
    /// With `--once` nothing is a standing condition: each run would repeat it.
    once: bool,
    /// Of this pass.
    events: Vec<Event>,
    /// By the event's subject, `:`, and what tells it apart from others of its kind.
    lasting: Repeats,
    /// As failures of the steps that were done in this pass would be called.
    done: BTreeSet<String>,
    /// Steps that were left for the next pass, by kind and why.
    left: BTreeMap<(StepKind, String), Vec<String>>,
    sight: Option<Sight>,
}

/// Whether a note only repeats what the list of replicas says of one of them. No error does.
pub fn is_of_one_replica(note: &Note) -> bool {
    let state = subject(&note.key);
    note.loudness != Loudness::Error && State::ALL.iter().any(|one| one.as_str() == state)
}

impl News {
    /// Nothing heard yet.
    pub fn new(clock: Clock, once: bool) -> Self {
        News {
            clock,
            once,
            events: Vec::new(),
            lasting: Repeats::default(),
            done: BTreeSet::new(),
            left: BTreeMap::new(),
            sight: None,
        }
    }

    /// A pass begins.
    pub fn begin_pass(&mut self) {
        self.lasting.begin_pass();
    }

    /// The holder of an address no longer answers, so the pass begins early.
    pub fn lost(&mut self, id: &ServerId, lost: &Lost) {
        let Lost { name, why, times, within, .. } = lost;
        // A single question says itself how long it took.
        let how_often = match times {
            1 => String::new(),
            _ => format!(", {times} times in {} s", within.as_secs()),
        };
        let text = format!("{name} ({id}) no longer answers: {why}{how_often}; a pass begins now");
        let subject = "the holder of an external address no longer answers";
        self.say(Level::Warn, Tone::Warning, subject, &text);
    }

    /// Something could not be seen.
    pub fn unseen(&mut self, error: &Error) {
        // What was being done stands first, see `Error::context`.
        let what = error.text.split(": ").next().unwrap_or_default();
        let key = format!("look failed:{}", cause(what));
        self.lasts(FAILURE, Level::Error, &key, cause(&error.text), error.text.clone());
    }

    /// The pool was seen and judged: what has changed since the last time, and what people should know of it.
    pub fn seen(&mut self, plan: &Plan, addresses: Option<&[ExternalAddress]>) {
        let (sight, changes) = Sight::of(&plan.replicas, addresses, self.sight.take());
        self.sight = Some(sight);
        for (tone, subject, text) in changes {
            self.say(Level::Debug, tone, subject, &text);
        }
        for note in &plan.notes {
            self.note(note);
        }
    }

    /// Errors are said while they last, the others when they begin.
    fn note(&mut self, note: &Note) {
        let (level, words, subject) = match note.loudness {
            Loudness::Error => (Level::Error, ERROR, "an error"),
            Loudness::Warning => (Level::Warn, NOTE, "a warning"),
            Loudness::Standing if self.once => (Level::Debug, NOTE, "a standing condition"),
            Loudness::Standing => (Level::Info, NOTE, "a standing condition"),
        };
        let text = note.text.clone();
        if is_of_one_replica(note) {
            // The page has it among the changes of the pool.
            if let Some(line) = self.met(ONCE, &note.key, String::new(), text) {
                log::log!(level, "{line}");
            }
            return;
        }
        // While the brake lasts its effect changes, and with it the key's end.
        let key = note.key.trim_end_matches(":true").trim_end_matches(":false");
        self.lasts(words, level, &format!("{subject}:{key}"), note.key.clone(), text);
    }

    /// Another number of free resources is wanted from now on.
    pub fn wanted(&mut self, now: u64, before: u64) {
        let text = format!(
            "REPLICA_MIN_AVAILABLE_RESOURCES_FILE: free resources wanted from now on: {now} (before: {before})"
        );
        self.say(Level::Info, Tone::Plain, "minimum", &text);
    }

    /// A step was done. `whom` is the id of the server or address it is about; empty for a creation.
    pub fn done(&mut self, kind: StepKind, whom: &str, step: &str) {
        self.say(Level::Info, Tone::Plain, format!("{} done", kind.as_str()), step);
        self.done.insert(failure(kind, whom));
    }

    /// A step failed.
    pub fn failed(&mut self, kind: StepKind, whom: &str, step: &str, error: &Error) {
        if error.kind == ErrorKind::Interrupted {
            // What the end of the program cut short has not failed.
            let subject = format!("{} cut short", kind.as_str());
            let text = format!("not done: {step}: {error}");
            return self.say(Level::Info, Tone::Plain, subject, &text);
        }
        // An address may be refused on one replica after the other: each is a cause of its own.
        let cause = match kind {
            StepKind::Move => format!("{step}: {}", cause(&error.text)),
            StepKind::Delete | StepKind::Create => cause(&error.text),
        };
        let text = format!("cannot {step}: {error}");
        self.lasts(FAILURE, Level::Error, &failure(kind, whom), cause, text);
    }

    /// A step was given up: the world had changed since the plan was made. Said once, also when the next plan has it again.
    pub fn dropped(&mut self, kind: StepKind, whom: &str, step: &str, why: &str) {
        let key = format!("{} given up:{whom}:{}", kind.as_str(), cause(why));
        let text = format!("given up: {step}: {why}");
        self.lasts(ONCE, Level::Info, &key, String::new(), text);
    }

    /// A step was left for the next pass; see [`News::acted`].
    pub fn not_done(&mut self, kind: StepKind, step: &str, why: &str) {
        self.left.entry((kind, why.to_owned())).or_default().push(step.to_owned());
    }

    /// All steps had their turn. What was left over is one line however much it is: it waits, it has not failed.
    pub fn acted(&mut self) {
        for ((kind, why), steps) in mem::take(&mut self.left) {
            let what = match (&steps[..], kind) {
                ([step], _) => step.clone(),
                (_, StepKind::Move) => format!("{} moves", steps.len()),
                (_, StepKind::Delete) => format!("{} deletions", steps.len()),
                (_, StepKind::Create) => format!("{} creations", steps.len()),
            };
            let text = format!("not done in this pass: {what}: {why}");
            self.lasts(
                LEFT_OVER,
                Level::Warn,
                &format!("{} left", kind.as_str()),
                cause(&why),
                text,
            );
        }
    }

    /// What a dry run would do. The next one will want the same again: only what is new is said.
    pub fn dry_run(&mut self, plan: &Plan) {
        for step in plan.to_string().lines() {
            let (key, text) = (format!("dry run:{step}"), format!("dry run, not done: {step}"));
            self.lasts(ONCE, Level::Info, &key, String::new(), text);
        }
    }

    /// A pass that saw the pool ends: what is over is said.
    pub fn end_pass(&mut self, plan: &Plan, outcome: Option<&Outcome>) {
        let done = mem::take(&mut self.done);
        let is_over = |key: &str, met| is_over(plan, &done, key, met);
        for (key, line) in self.lasting.end(self.clock.now(), is_over) {
            let level = match subject(&key) {
                "a warning" | "a standing condition" => Level::Debug,
                _ => Level::Info,
            };
            self.say(level, Tone::Good, format!("over: {}", subject(&key)), &line);
        }
        if let (Some(sight), Some(outcome)) = (&mut self.sight, outcome) {
            sight.moved(&outcome.moved);
        }
    }

    /// Hands over what was remembered of the pass, oldest first.
    pub fn take(&mut self) -> Vec<Event> {
        mem::take(&mut self.events)
    }

    fn lasts(&mut self, words: Words, level: Level, key: &str, cause: String, text: String) {
        let tone = match level {
            Level::Error => Tone::Bad,
            Level::Warn => Tone::Warning,
            _ => Tone::Plain,
        };
        if let Some(line) = self.met(words, key, cause, text) {
            self.say(level, tone, subject(key), &line);
        }
    }

    fn met(&mut self, words: Words, key: &str, cause: String, text: String) -> Option<String> {
        self.lasting.met(key, words, cause, text, self.clock.now())
    }

    /// The one place where what happens becomes a line of the log and an event of the page.
    fn say(&mut self, level: Level, tone: Tone, subject: impl Into<String>, text: &str) {
        log::log!(level, "{text}");
        let (at, text) = (self.clock.now().wall, one_line(text, TEXT_CHARS_MAX));
        self.events.push(Event { at, tone, subject: subject.into(), text });
    }
}

fn failure(kind: StepKind, whom: &str) -> String {
    format!("{} failed:{whom}", kind.as_str())
}

fn subject(key: &str) -> &str {
    key.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::fixture::deletion;

    /// What a pass has to say that finds this and does so.
    fn pass(news: &mut News, plan: &Plan, work: impl FnOnce(&mut News)) -> Vec<Event> {
        news.begin_pass();
        news.seen(plan, None);
        work(news);
        news.acted();
        news.end_pass(plan, None);
        news.take()
    }

    /// The pool was seen before.
    fn news() -> News {
        let mut news = News::new(Clock::start(), false);
        pass(&mut news, &Plan::default(), |_| {});
        news
    }

    /// How long it lasts is the matter of `repeat`.
    #[track_caller]
    fn check(events: &[Event], expected: &[&str]) {
        let line = |event: &Event| {
            let text = event.text.split(" (2 passes").next().unwrap_or_default();
            let (begin, end) = text.split_once(", since ").unwrap_or((text, ""));
            let end = end.split_once("UTC").map_or("", |(_, end)| end);
            format!("{}, {}: {begin}{end}", event.tone.as_str(), event.subject)
        };
        assert_eq!(events.iter().map(line).collect::<Vec<_>>(), expected);
    }

    fn noting(loudness: Loudness, key: &str, text: &str) -> Plan {
        let note = Note { loudness, key: key.into(), text: text.into() };
        Plan { notes: vec![note], ..Plan::default() }
    }

    const WHY: &str = "the deletions' share of APP_INTERVAL is used up; the next pass carries on";

    #[test]
    fn what_waits_for_a_slow_cloud_is_a_line_a_pass_at_most_and_no_failure() {
        let mut news = news();
        // One is done, the rest waits.
        let mut slow = |rest: usize| {
            pass(&mut news, &Plan::default(), |news| {
                news.done(StepKind::Delete, "a", "delete web-a (a): finished");
                (0..rest).for_each(|_| news.not_done(StepKind::Delete, "delete …", WHY));
            })
        };
        let done = "info, delete done: delete web-a (a): finished";
        let left = format!("warning, delete left: not done in this pass: 14 deletions: {WHY}");
        check(&slow(14), &[done, &left]);
        let left = left.replace(": not", ": still: not").replace("14", "13");
        check(&slow(13), &[done, &left]);
        check(&slow(12), &[done]);
        check(&slow(0), &[done]);
    }

    #[test]
    fn one_step_that_waits_is_named() {
        let wait = |news: &mut News| news.not_done(StepKind::Create, "create 2 replicas", WHY);
        let text = format!("warning, create left: not done in this pass: create 2 replicas: {WHY}");
        check(&pass(&mut news(), &Plan::default(), wait), &[&text]);
    }

    #[test]
    fn a_step_that_was_given_up_is_said_once_and_has_not_failed() {
        let mut news = news();
        let drop = |news: &mut News| news.dropped(StepKind::Delete, "a", "delete a", "it is back");
        let text = "info, delete given up: given up: delete a: it is back";
        check(&pass(&mut news, &Plan::default(), drop), &[text]);
        check(&pass(&mut news, &Plan::default(), drop), &[]);
        check(&pass(&mut news, &Plan::default(), |_| {}), &[]);
        check(&pass(&mut news, &Plan::default(), drop), &[text]);
    }

    #[test]
    fn a_failure_lasts_until_its_step_is_done_or_not_wanted() {
        let mut news = news();
        let plan = Plan { deletions: vec![deletion("a")], ..Plan::default() };
        let error = Error::new(ErrorKind::Unclear, "status 500");
        let fail = |news: &mut News| news.failed(StepKind::Delete, "a", "delete a", &error);
        let text = "cannot delete a: status 500";
        check(&pass(&mut news, &plan, fail), &[&format!("error, delete failed: {text}")]);
        let still = format!("error, delete failed: still failing: {text}");
        check(&pass(&mut news, &plan, fail), &[&still]);
        check(&pass(&mut news, &plan, |_| {}), &[]);
        let over = format!("good, over: delete failed: recovered after 2 passes: {text}");
        check(&pass(&mut news, &Plan::default(), |_| {}), &[&over]);
    }

    #[test]
    fn an_error_is_said_while_it_lasts_a_warning_when_it_begins_and_the_end_of_both() {
        let text = "brake: 3 of 4 are silent";
        for (loudness, tone, subject, again) in [
            (Loudness::Error, "error", "an error", Some("still")),
            (Loudness::Warning, "warning", "a warning", None),
            (Loudness::Standing, "info", "a standing condition", None),
        ] {
            let mut news = news();
            let plan = noting(loudness, "brake-silence:true", text);
            check(&pass(&mut news, &plan, |_| {}), &[&format!("{tone}, {subject}: {text}")]);
            let again = again.map(|again| format!("{tone}, {subject}: {again}: {text}"));
            let again: Vec<&str> = again.iter().map(String::as_str).collect();
            check(&pass(&mut news, &plan, |_| {}), &again);
            // A pass that does not see the pool ends none of them.
            news.begin_pass();
            news.unseen(&Error::new(ErrorKind::Unclear, "cannot list the servers: status 500"));
            check(&news.take(), &["error, look failed: cannot list the servers: status 500"]);
            let over = format!("good, over: {subject}: over after 2 passes: {text}");
            let seen = pass(&mut news, &Plan::default(), |_| {});
            check(&seen[..1], &[&over]);
            assert_eq!(seen[1].subject, "over: look failed");
        }
    }

    #[test]
    fn what_the_list_of_replicas_says_is_no_event_of_its_own() {
        let plan = noting(Loudness::Warning, "silent:a", "web-a (a) is silent: refused");
        check(&pass(&mut news(), &plan, |_| {}), &[]);
    }
}
