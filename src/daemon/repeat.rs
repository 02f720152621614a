//! One pass after the other: when the next one begins, and what the program waits for meanwhile.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use crate::clock::Moment;
use crate::daemon::{Daemon, ExitStatus};
use crate::lease::turn::Turn;
use crate::model::{Lost, ServerId, Watched};
use crate::outcome::Outcome;
use crate::pass::{Pool, Report};
use crate::progress::Woken;
use crate::status::ended_pass::EndedPass;
use crate::status::latest::Latest;
use crate::status::line;
use crate::unique;
use crate::watch::Watch;

/// How long to wait before telling the service manager again what it had no room for.
const RETELL: Duration = Duration::from_secs(1);

/// How often a standby looks whether there is news for the page, or for the service manager. Its turn wakes it at once.
const STANDBY_LOOK: Duration = Duration::from_secs(1);

/// How soon a pass follows an early one that failed.
const EARLY_AGAIN: Duration = Duration::from_secs(10);

/// Why the wait for the next pass is over.
enum Next {
    /// Its time has come.
    InTime,
    /// These no longer answer.
    Early(BTreeMap<ServerId, Lost>),
    /// Somebody asked for it.
    Wanted,
    /// The program was asked to stop.
    Stopped,
}

impl Daemon {
    /// One pass after the other, while it is this scaler's turn. Also says whether nothing is on its way any more, so
    /// that the lease can be handed over.
    pub(super) fn repeat(
        &self,
        mut pool: Pool,
        mut watch: Option<Watch>,
        latest: &Latest,
        out: &mut dyn Write,
    ) -> (ExitStatus, bool) {
        let mut slot = self.clock.now().elapsed;
        let mut watched = Watched::default();
        let mut term = Turn::default().term();
        let mut on_its_way_until = Duration::ZERO;
        loop {
            let turn = match self.wait_for_turn(latest) {
                Ok(turn) => Some(turn),
                Err(status) => return (status, on_its_way_until <= self.clock.now().elapsed),
            };
            if term != turn {
                // Another one may have acted in between.
                pool.begin_anew(&unique::word());
                if let Some(watch) = &mut watch {
                    watch.begin_anew();
                }
                watched = Watched::default();
                latest.publish(latest.get().anew(self.clock.now()));
                (term, slot) = (turn, self.clock.now().elapsed);
            }
            let began = self.clock.now();
            latest.publish(latest.get().pass_began(began));
            let Some(report) = self.pass(&mut pool, &watched, began, out) else {
                return (ExitStatus::Failed, false);
            };
            // Later on it is the cloud that changed, and may change back.
            let is_first = latest.get().passes == 0;
            let fatal = report.fatal && is_first;
            let part = self.handles.turn.view().map(|view| view.words(true));
            let pool = line::line(&report);
            self.manager.status(&part.into_iter().chain([pool]).collect::<Vec<_>>().join("; "));
            let ended = self.clock.now();
            if report.outcome.as_ref().is_some_and(Outcome::creation_is_unclear) {
                on_its_way_until = ended.elapsed + self.settings.longest_request;
            }
            // The cadence stays what it is when the watch begins a pass.
            if !watched.is_early() {
                slot = next_slot(slot, ended.elapsed, self.interval);
            }
            slot = slot.min(self.sooner(&report, &watched, ended.elapsed).unwrap_or(slot));
            if let Some(watch) = &mut watch {
                watch.pass_ended(&report, began);
            }
            let (elapsed, left) = (slot.max(ended.elapsed), slot.saturating_sub(ended.elapsed));
            let next = Moment { elapsed, wall: ended.wall + left };
            latest.pass_ended(EndedPass { began, ended, report }, next);
            if fatal {
                return (ExitStatus::Settings, true);
            }
            if is_first {
                self.manager.ready();
            }
            let lost = match self.wait_until(slot, watch.as_mut()) {
                Next::InTime => BTreeMap::new(),
                Next::Early(lost) => lost,
                Next::Wanted => {
                    // The cadence starts over, so that no second pass follows a moment later.
                    slot = self.clock.now().elapsed;
                    BTreeMap::new()
                }
                Next::Stopped => {
                    return (ExitStatus::Good, on_its_way_until <= self.clock.now().elapsed);
                }
            };
            watched = watch.as_mut().map(|watch| watch.tell(lost)).unwrap_or_default();
        }
    }

    /// When the next pass may begin early, for what this one had to leave.
    fn sooner(&self, report: &Report, watched: &Watched, ended: Duration) -> Option<Duration> {
        let left_over = report.outcome.as_ref().is_some_and(Outcome::left_over);
        if let Some(at) = self.handles.turn.creations_from().filter(|_| left_over) {
            return Some(at.max(ended));
        }
        // Its holder begins no other early pass.
        let again = watched.is_early() && (!report.is_good() || left_over);
        again.then_some(ended + EARLY_AGAIN)
    }

    /// Waits until it is this scaler's turn, as it always is without a lease; gives which one. An error is how to end.
    fn wait_for_turn(&self, latest: &Latest) -> std::result::Result<u64, ExitStatus> {
        let turn = &self.handles.turn;
        let mut said = None;
        loop {
            latest.happened(turn.take_events());
            if turn.is_dead() {
                return Err(ExitStatus::Failed);
            }
            if let Some(term) = turn.term() {
                return Ok(term);
            }
            self.handles.progress.mark();
            if let Some(view) = turn.view().filter(|view| view.asked) {
                let words = view.words(true);
                if said.is_none() {
                    latest.publish(latest.get().anew(self.clock.now()));
                    self.manager.ready();
                }
                if said.as_ref() != Some(&words) {
                    self.manager.status(&words);
                    said = Some(words);
                }
            }
            match self.handles.stop.wait_for_pass(STANDBY_LOOK) {
                Woken::Stopped => return Err(ExitStatus::Good),
                Woken::PassWanted if turn.term().is_none() => {
                    log::debug!("a pass was asked for, but this scaler is standing by");
                }
                Woken::PassWanted | Woken::Called | Woken::InTime => {}
            }
            self.manager.catch_up();
        }
    }

    /// Waits for the next pass, and asks the holders of addresses meanwhile. The service manager is sent again what it
    /// had no room for: it waits for `READY=1`, perhaps for less than an interval.
    fn wait_until(&self, slot: Duration, mut watch: Option<&mut Watch>) -> Next {
        loop {
            let left = slot.saturating_sub(self.clock.now().elapsed);
            if let Some(watch) = watch.as_deref_mut().filter(|_| !left.is_zero()) {
                let lost = watch.look();
                if !lost.is_empty() && !self.handles.stop.requested() {
                    return Next::Early(lost);
                }
            }
            let time = if self.manager.catch_up() { left } else { left.min(RETELL) };
            let look = watch.as_deref().and_then(Watch::next);
            let look = look.map(|at| at.saturating_sub(self.clock.now().elapsed));
            let time = look.map_or(time, |look| time.min(look));
            match self.handles.stop.wait_for_pass(time) {
                Woken::InTime if time < left => {}
                Woken::Called => {}
                Woken::InTime => return Next::InTime,
                Woken::PassWanted => return Next::Wanted,
                Woken::Stopped => return Next::Stopped,
            }
        }
    }
}

/// When the next pass begins: one interval after the slot of the last one, so that passes do not drift; or at once when
/// that is over. Then the cadence goes on from there: a long pass is followed by one, not by two in a row.
fn next_slot(slot: Duration, now: Duration, interval: Duration) -> Duration {
    slot.saturating_add(interval).max(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When passes begin that last so many seconds, at an interval of 60.
    #[track_caller]
    fn check(lasting: &[u64], expected: &[u64]) {
        let second = Duration::from_secs;
        let (mut slot, mut begun) = (Duration::ZERO, vec![0]);
        for time in lasting {
            slot = next_slot(slot, slot + second(*time), second(60));
            begun.push(slot.as_secs());
        }
        assert_eq!(begun, expected, "passes of {lasting:?} s");
    }

    #[test]
    fn passes_keep_a_fixed_cadence_however_long_they_last() {
        check(&[1, 59, 0, 60], &[0, 60, 120, 180, 240]);
    }

    #[test]
    fn a_pass_that_overruns_is_followed_by_the_next_at_once_never_by_two() {
        check(&[61, 1, 1], &[0, 61, 121, 181]);
        check(&[119, 1, 1], &[0, 119, 179, 239]);
        check(&[1000, 1], &[0, 1000, 1060]);
    }

    #[test]
    fn a_pass_that_begins_late_does_not_shift_the_cadence() {
        let (second, slot) = (Duration::from_secs, Duration::from_secs(60));
        assert_eq!(next_slot(slot, second(75), second(60)), second(120));
    }
}
