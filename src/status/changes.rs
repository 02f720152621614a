//! What changed from one pass to the next, in words. Pure.
//!
//! In summary detail no text that could hold an id, a name or an address is ever made, so none can be remembered.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::model::{AddressId, ExternalAddress, Replica, ServerId, State};
use crate::pass::{Pause, Report};
use crate::plan::{Loudness, Note, Plan};
use crate::status::history::{Event, Tone};
use crate::status::json::steps::{Step, steps};
use crate::status::page::words::time_of_day;
use crate::status::snapshot::{EndedPass, Snapshot, holder};

/// More replicas than this that changed alike are told as one event.
const ALIKE_MAX: usize = 4;

/// What changed by `pass`, which came after `before`.
pub fn of(before: &Snapshot, pass: &EndedPass) -> Vec<Event> {
    let mut news = News { at: pass.ended.wall, full: before.settings.full, events: Vec::new() };
    let last = before.last.as_deref().map(|pass| &pass.report);
    let sight = before.last_sight.as_deref().map(|pass| &pass.report);
    news.replicas(sight.and_then(|report| report.plan.as_ref()), pass.report.plan.as_ref());
    news.addresses(sight, &pass.report);
    news.steps(last, &pass.report);
    news.notes(sight, &pass.report);
    news.pause(last.and_then(|report| report.pause.as_ref()), pass);
    news.failures(last, &pass.report);
    news.events
}

/// Whether a note only repeats what the list of replicas says of one of them.
pub fn is_of_one_replica(note: &Note) -> bool {
    let state = note.key.split(':').next().unwrap_or_default();
    State::ALL.iter().any(|one| one.as_str() == state)
}

/// Whether a note only repeats the back-off.
pub fn is_the_pause(note: &Note, pause: Option<&Pause>) -> bool {
    pause.is_some_and(|pause| note.key.starts_with("held-back") && note.text.ends_with(&pause.why))
}

struct News {
    at: SystemTime,
    full: bool,
    events: Vec<Event>,
}

impl News {
    fn say(&mut self, tone: Tone, text: String) {
        self.events.push(Event { at: self.at, tone, text });
    }

    fn replicas(&mut self, before: Option<&Plan>, now: Option<&Plan>) {
        let Some(now) = now else { return };
        let Some(before) = before else {
            let text =
                format!("the pool is seen for the first time: {}", replicas(now.replicas.len()));
            return self.say(Tone::Plain, text);
        };
        let known: BTreeMap<&ServerId, &Replica> = by_id(before);
        let listed = by_id(now);
        let mut alike: BTreeMap<(Option<State>, Option<State>), Vec<&Replica>> = BTreeMap::new();
        for replica in &now.replicas {
            let was = known.get(&replica.id).map(|one| one.state);
            if was != Some(replica.state) {
                alike.entry((was, Some(replica.state))).or_default().push(replica);
            }
        }
        for replica in before.replicas.iter().filter(|one| !listed.contains_key(&one.id)) {
            alike.entry((Some(replica.state), None)).or_default().push(replica);
        }
        for ((was, is), changed) in alike {
            let tone = is.map_or(Tone::Plain, tone);
            let how = match (was, is) {
                (Some(was), Some(is)) => format!("{was} → {is}"),
                (None, Some(is)) => format!("new, {is}"),
                (was, None) => format!("gone, {} before", was.map_or("unknown", State::as_str)),
            };
            if !self.full || changed.len() > ALIKE_MAX {
                self.say(tone, format!("{}: {how}", replicas(changed.len())));
                continue;
            }
            for Replica { name, id, why, .. } in changed {
                let why =
                    if is.is_none() || why.is_empty() { String::new() } else { format!(": {why}") };
                self.say(tone, format!("{name} ({id}): {how}{why}"));
            }
        }
    }

    /// Changes of holders that this program did not make.
    fn addresses(&mut self, before: Option<&Report>, now: &Report) {
        let Some(known) = before.and_then(|report| Some((report, report.addresses.as_ref()?)))
        else {
            return;
        };
        let Some(addresses) = &now.addresses else { return };
        let was: BTreeMap<&AddressId, &ExternalAddress> =
            known.1.iter().map(|address| (&address.id, address)).collect();
        let mut others = 0_usize;
        let mut tell = |news: &mut News, text: String| {
            others += 1;
            if news.full {
                news.say(Tone::Warning, text);
            }
        };
        for address in addresses {
            let Some(before) = was.get(&address.id) else {
                tell(self, format!("external address {} is new", address.address));
                continue;
            };
            let (old, new) = (holder(before, known.0), address.holder.as_ref());
            if old != new {
                let name = |id: Option<&ServerId>, report| name(id, report);
                tell(
                    self,
                    format!(
                        "external address {} went from {} to {}, not by this program",
                        address.address,
                        name(old, known.0),
                        name(new, now)
                    ),
                );
            }
        }
        for address in known.1.iter().filter(|one| addresses.iter().all(|now| now.id != one.id)) {
            tell(self, format!("external address {} is gone", address.address));
        }
        if others > 0 && !self.full {
            let text = format!("external addresses changed, not by this program: {others}");
            self.say(Tone::Warning, text);
        }
    }

    fn steps(&mut self, before: Option<&Report>, now: &Report) {
        // A dry run plans the same again and again.
        if now.outcome.is_none() {
            return;
        }
        let told = before.map(steps).unwrap_or_default();
        for step in steps(now) {
            let same = |one: &Step<'_>| {
                one.outcome == step.outcome
                    && without_digits(&one.text) == without_digits(&step.text)
            };
            if step.outcome != "done" && told.iter().any(same) {
                continue;
            }
            let tone = match step.outcome {
                "done" => Tone::Plain,
                "failed" => Tone::Bad,
                _ => Tone::Warning,
            };
            let text = if self.full {
                let why = step.error.or(step.why).map(|why| format!(": {why}")).unwrap_or_default();
                format!("{}: {}{why}", step.outcome, step.text)
            } else {
                format!("{}: {}", step.outcome, step.kind.as_str())
            };
            self.say(tone, text);
        }
    }

    fn notes(&mut self, before: Option<&Report>, now: &Report) {
        let (Some(plan), pause) = (&now.plan, now.pause.as_ref()) else { return };
        let none = Vec::new();
        let known =
            before.and_then(|report| report.plan.as_ref()).map_or(&none, |plan| &plan.notes);
        let is_told = |note: &&Note| !is_of_one_replica(note) && !is_the_pause(note, pause);
        let new = |note: &&Note| known.iter().all(|one| one.key != note.key);
        for note in plan.notes.iter().filter(is_told).filter(new) {
            let (tone, word) = match note.loudness {
                Loudness::Error => (Tone::Bad, "an error began"),
                Loudness::Warning => (Tone::Warning, "a warning began"),
                Loudness::Standing => (Tone::Plain, "a standing condition began"),
            };
            self.say(tone, if self.full { note.text.clone() } else { word.to_owned() });
        }
        let pause = before.and_then(|report| report.pause.as_ref());
        let over = |note: &&Note| {
            !is_of_one_replica(note)
                && !is_the_pause(note, pause)
                && plan.notes.iter().all(|one| one.key != note.key)
        };
        for note in known.iter().filter(over) {
            let text = if self.full {
                format!("over: {}", note.text)
            } else {
                "a condition is over".into()
            };
            self.say(Tone::Good, text);
        }
    }

    fn pause(&mut self, before: Option<&Pause>, pass: &EndedPass) {
        match (before, &pass.report.pause) {
            (before, Some(pause)) if before.is_none_or(|before| before.step < pause.step) => {
                let until = time_of_day(pass.ended.wall + pause.left);
                let why = if self.full { format!(": {}", pause.why) } else { String::new() };
                self.say(Tone::Warning, format!("creation paused until {until} UTC{why}"));
            }
            (Some(_), None) => self.say(Tone::Good, "creation is no longer paused".into()),
            _ => {}
        }
    }

    fn failures(&mut self, before: Option<&Report>, now: &Report) {
        let text = |report: &Report| without_digits(&report.failures.join("; "));
        let failed = before.is_some_and(|report| !report.is_good());
        if now.is_good() {
            if failed {
                self.say(Tone::Good, "passes end well again".into());
            }
        } else if !failed || before.is_some_and(|before| text(before) != text(now)) {
            let why = if self.full { now.failures.join("; ") } else { "the log says why".into() };
            self.say(Tone::Bad, format!("pass failed: {why}"));
        }
    }
}

fn by_id(plan: &Plan) -> BTreeMap<&ServerId, &Replica> {
    plan.replicas.iter().map(|replica| (&replica.id, replica)).collect()
}

fn name(id: Option<&ServerId>, report: &Report) -> String {
    let Some(id) = id else { return "nobody".into() };
    let mut replicas = report.plan.iter().flat_map(|plan| &plan.replicas);
    let found = replicas.find(|replica| replica.id == *id);
    found.map_or_else(|| format!("server {id}"), |replica| format!("{} ({id})", replica.name))
}

fn tone(state: State) -> Tone {
    match state {
        State::Healthy => Tone::Good,
        State::Failed | State::Unreachable => Tone::Bad,
        State::Silent => Tone::Warning,
        _ => Tone::Plain,
    }
}

fn replicas(count: usize) -> String {
    if count == 1 { "1 replica".to_owned() } else { format!("{count} replicas") }
}

/// What stays the same while only numbers in it change.
fn without_digits(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::fixture::{self, at};

    /// The events of the last of these passes.
    #[track_caller]
    fn check(full: bool, passes: Vec<Report>, expected: &[&str]) {
        let mut snapshot = fixture::before_the_first_pass();
        snapshot.settings.full = full;
        let mut told = Vec::new();
        for report in passes {
            let pass = EndedPass { began: at(1), ended: at(2), report };
            told = of(&snapshot, &pass);
            snapshot = snapshot.pass_ended(pass);
        }
        let told: Vec<String> =
            told.iter().map(|event| format!("{}: {}", event.tone.as_str(), event.text)).collect();
        assert_eq!(told, expected);
    }

    fn with(change: impl FnOnce(&mut Plan)) -> Report {
        let mut report = fixture::good_pass();
        let plan = report.plan.as_mut().unwrap();
        plan.held_back = None;
        plan.brakes.clear();
        plan.notes.clear();
        change(plan);
        report
    }

    #[test]
    fn a_first_pass_tells_how_many_there_are() {
        let news = "info: the pool is seen for the first time: 2 replicas";
        check(true, vec![with(|_| {})], &[news]);
    }

    #[test]
    fn a_quiet_pass_is_no_event() {
        check(true, vec![with(|_| {}), with(|_| {})], &[]);
    }

    #[test]
    fn replicas_that_come_change_and_go_are_told_with_the_reason() {
        let changed = with(|plan| {
            plan.replicas[0].state = State::Silent;
            plan.replicas[0].why = "connection refused".into();
            let mut new = plan.replicas.remove(1);
            new.id = ServerId("id-9".into());
            new.name = "web-9".into();
            new.state = State::Creating;
            new.why = "building".into();
            plan.replicas.push(new);
        });
        let expected = [
            "info: web-9 (id-9): new, creating: building",
            "warning: web-0 (id-0): healthy → silent: connection refused",
            "info: web-1 (id-1): gone, finished before",
        ];
        check(true, vec![with(|_| {}), changed], &expected);
    }

    #[test]
    fn many_that_change_alike_are_one_event() {
        let many = |state| {
            with(|plan| {
                let one = plan.replicas[0].clone();
                plan.replicas = (0..40)
                    .map(|n| Replica { id: ServerId(format!("id-{n}")), state, ..one.clone() })
                    .collect();
            })
        };
        let passes = vec![many(State::Starting), many(State::Healthy)];
        check(true, passes, &["good: 40 replicas: starting → healthy"]);
    }

    #[test]
    fn steps_pauses_notes_and_failures_are_told_once() {
        let note = |plan: &mut Plan| {
            let text = "creation stopped: 9 replicas never answered".into();
            plan.notes.push(Note { loudness: Loudness::Error, key: "boot-limit".into(), text });
        };
        let failed = || {
            let plan = with(note).plan;
            Report { plan, addresses: None, ..fixture::failed_pass() }
        };
        let told = [
            "info: done: move 203.0.113.1 to web-0 (id-0): free",
            "error: failed: delete web-1 (id-1): finished: status 500 of 192.0.2.9",
            "warning: not tried: create 1 replica: 3 of 6 free: the program is ending",
            "error: creation stopped: 9 replicas never answered",
            "warning: creation paused until 14:14:22 UTC: web-9 failed: no valid host",
            "error: pass failed: cannot delete web-1 (id-1): status 500",
        ];
        check(true, vec![with(|_| {}), failed()], &told);
        check(true, vec![with(|_| {}), failed(), failed()], &told[..1]);
        let over = [
            "good: over: creation stopped: 9 replicas never answered",
            "good: creation is no longer paused",
            "good: passes end well again",
        ];
        check(true, vec![failed(), with(|_| {})], &over);
    }

    #[test]
    fn an_address_that_somebody_else_moved_is_told() {
        let mut moved = fixture::failed_pass();
        moved.outcome = None;
        moved.addresses.as_mut().unwrap().remove(2);
        let first = fixture::failed_pass();
        let expected = [
            "warning: external address 203.0.113.1 went from web-0 (id-0) to web-1 (id-1), not by this program",
            "warning: external address 203.0.113.3 is gone",
        ];
        check(true, vec![first, moved], &expected);
    }

    #[test]
    fn in_a_summary_no_event_names_anything() {
        let mut changed = fixture::failed_pass();
        changed.plan.as_mut().unwrap().replicas[0].state = State::Silent;
        let mut first = fixture::failed_pass();
        first.failures.clear();
        first.outcome = Some(crate::outcome::Outcome::default());
        first.pause = None;
        first.plan.as_mut().unwrap().notes.clear();
        first.addresses.as_mut().unwrap()[1].holder = None;
        let expected = [
            "warning: 1 replica: healthy → silent",
            "warning: external addresses changed, not by this program: 1",
            "info: done: move",
            "error: failed: delete",
            "warning: not tried: create",
            "warning: creation paused until 14:14:22 UTC",
            "error: pass failed: the log says why",
        ];
        check(false, vec![first, changed], &expected);
    }
}
