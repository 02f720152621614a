//! The loop: pass, publish, wait for the next pass or a signal. And `--once`, which is one pass of it.

use std::any::Any;
use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::args::Output;
use crate::clock::{Clock, Moment};
use crate::error::{Error, ErrorKind, Result, one_line};
use crate::explain::Explainer;
use crate::handles::Handles;
use crate::lease::candidate::Rules;
use crate::lease::keeper::{Keeper, Keeping};
use crate::lease::turn::Turn;
use crate::lease::{Holder, Store, open};
use crate::model::{Lost, ServerId, Watched};
use crate::outcome::Outcome;
use crate::pass::{Cloud, Pool, Report};
use crate::plan::Plan;
use crate::probe::Prober;
use crate::progress::Woken;
use crate::provider;
use crate::settings::{Config, LeaseKind, LeaseSettings};
use crate::signals;
use crate::status::ended_pass::EndedPass;
use crate::status::latest::Latest;
use crate::status::pool_settings::PoolSettings;
use crate::status::question::Question;
use crate::status::snapshot::Snapshot;
use crate::status::{self, health, line};
use crate::systemd::Manager;
use crate::unique;
use crate::watch::Watch;

/// How long to wait before telling the service manager again what it had no room for.
const RETELL: Duration = Duration::from_secs(1);

/// How often a standby looks whether there is news for the page, or for the service manager. Its turn wakes it at once.
const STANDBY_LOOK: Duration = Duration::from_secs(1);

/// How soon a pass follows an early one that failed.
const EARLY_AGAIN: Duration = Duration::from_secs(10);

/// What the program ends with, as shells and supervisors see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: all done, or asked to stop.
    Good,
    /// 1: the pass, or an act of it, failed; or the program could not start.
    Failed,
    /// 2: a setting or an argument is wrong; trying again without changing it is useless.
    Settings,
}

impl ExitStatus {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            ExitStatus::Good => 0,
            ExitStatus::Failed => 1,
            ExitStatus::Settings => 2,
        }
    }

    /// The exit status for an error that keeps the program from starting.
    pub fn of(error: &Error) -> Self {
        match error.kind {
            ErrorKind::Setting => ExitStatus::Settings,
            _ => ExitStatus::Failed,
        }
    }
}

/// Runs the pool until a signal, or for one pass (`--once`). A dry run explains itself on `out`; the service manager hears
/// how the loop goes.
pub fn run(
    config: &Config,
    dry_run: Option<Output>,
    manager: Manager,
    out: &mut dyn Write,
) -> ExitStatus {
    let once = config.policy.once;
    let settings = PoolSettings::new(config, dry_run.is_some());
    greet(config, &settings);
    let clock = Clock::start();
    // Who changes nothing waits for nobody, and keeps nobody waiting.
    let lease = config.lease.as_ref().filter(|_| dry_run.is_none());
    let turn = lease.filter(|_| !once).map(|lease| Turn::by_lease(lease, clock));
    let handles = Handles { turn: turn.unwrap_or_default(), ..Handles::new() };
    let explainer =
        dry_run.map(|output| Explainer::new(output, settings.clone(), handles.questions.clone()));
    let daemon = Daemon { interval: config.interval, settings, explainer, clock, handles, manager };
    // A run that should have made one pass and did not has failed; the loop ends when asked to.
    let when_killed = if once { ExitStatus::Failed } else { ExitStatus::Good };
    let (stop, manager) = (daemon.handles.stop.clone(), daemon.manager.clone());
    if let Err(error) = signals::watch(stop, manager, i32::from(when_killed.code())) {
        log::error!("cannot watch for SIGTERM and SIGINT: {error}");
        return ExitStatus::Failed;
    }
    let started = if once {
        daemon.run_once(config, lease, out)
    } else {
        daemon.run_loop(config, lease, out)
    };
    started.unwrap_or_else(|error| {
        log::error!("{error}");
        ExitStatus::of(&error)
    })
}

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

struct Daemon {
    interval: Duration,
    settings: PoolSettings,
    /// Only in a dry run.
    explainer: Option<Explainer>,
    clock: Clock,
    handles: Handles,
    manager: Manager,
}

impl Daemon {
    fn run_once(
        &self,
        config: &Config,
        lease: Option<&LeaseSettings>,
        out: &mut dyn Write,
    ) -> Result<ExitStatus> {
        if let Some(lease) = lease {
            let name = &lease.name;
            let (_, mut store) = open::join(config, lease, &self.handles)?;
            let seen = store.look();
            let seen =
                seen.map_err(|error| error.context(format!("cannot read the lease {name}")))?;
            if let Some(holder) = open::held_by(seen) {
                log::debug!(
                    "{holder} holds the lease {name}, so it acts and this pass is left to it"
                );
                return Ok(ExitStatus::Good);
            }
        }
        Ok(self.once(self.open(config)?, out))
    }

    fn run_loop(
        &self,
        config: &Config,
        lease: Option<&LeaseSettings>,
        out: &mut dyn Write,
    ) -> Result<ExitStatus> {
        let pool = self.open(config)?;
        let watch = self.watch(config)?;
        // Settings first, the port last: who polls it expects passes behind it.
        let store = lease.map(|lease| open::join(config, lease, &self.handles)).transpose()?;
        let latest = self.serve(config)?;
        let keeper = match (lease, store) {
            (Some(lease), Some((me, store))) => Some(self.keep(lease, me, store)?),
            _ => None,
        };
        let (status, hand_over) = self.repeat(pool, watch, &latest, out);
        if let Some(keeper) = keeper {
            let leads = self.handles.turn.view().is_some_and(|view| view.leads());
            let in_time = keeper.end(hand_over);
            let why = match (hand_over, in_time) {
                (false, _) => "a creation may still take effect",
                (true, false) => "a request about it is still under way",
                (true, true) => return Ok(status),
            };
            if leads {
                log::info!("not handing over the lease, which will run out by itself: {why}");
            }
        }
        Ok(status)
    }

    /// Starts to take part in who acts.
    fn keep(&self, lease: &LeaseSettings, me: Holder, store: Box<dyn Store>) -> Result<Keeper> {
        let rules = Rules {
            validity: lease.validity,
            longest_request: self.settings.longest_request,
            store_expires: store.expires(),
        };
        let (settings, progress) = (self.settings.clone(), self.handles.progress.clone());
        Keeper::start(Keeping {
            store,
            rules,
            me,
            turn: self.handles.turn.clone(),
            clock: self.clock,
            stop: self.handles.stop.clone(),
            metrics: self.handles.metrics.clone(),
            alive: Box::new(move || health::alive(&settings, progress.idle())),
        })
    }

    fn open(&self, config: &Config) -> Result<Pool> {
        let cloud = if self.explainer.is_some() {
            Cloud::ReadOnly(provider::open_read_only(config, &self.handles)?)
        } else {
            Cloud::ReadWrite(provider::open(config, &self.handles)?)
        };
        let handles = self.handles.clone();
        let prober = Box::new(Prober::new(config.probe.clone(), self.clock, handles.clone())?);
        let instance = unique::word();
        Ok(Pool::new(config.clone(), cloud, prober, &instance, self.clock, handles))
    }

    fn watch(&self, config: &Config) -> Result<Option<Watch>> {
        Watch::new(config, self.clock, self.handles.clone())
    }

    fn serve(&self, config: &Config) -> Result<Arc<Latest>> {
        let snapshot = Snapshot::new(self.clock.now(), self.settings.clone());
        let latest = Arc::new(Latest::new(snapshot));
        let (shown, clock, handles) = (Arc::clone(&latest), self.clock, self.handles.clone());
        let responder =
            move |question: &Question<'_>| status::answer(question, &shown, &clock, &handles);
        let address = status::start(&config.status, Arc::new(responder))?;
        log::info!("status on http://{address}/");
        let (shown, progress) = (Arc::clone(&latest), self.handles.progress.clone());
        let watched = self
            .manager
            .watch(move || health::alive(&shown.get().settings, progress.idle()).is_ok());
        watched.map_err(|error| {
            Error::new(
                ErrorKind::Unavailable,
                format!("cannot start the watchdog's thread: {error}"),
            )
        })?;
        Ok(latest)
    }

    fn once(&self, mut pool: Pool, out: &mut dyn Write) -> ExitStatus {
        let began = self.clock.now();
        let watched = Watched::default();
        let Some(report) = self.pass(&mut pool, &watched, began, out) else {
            return ExitStatus::Failed;
        };
        if report.fatal {
            ExitStatus::Settings
        } else if report.is_good() && !report.plan.as_ref().is_some_and(Plan::is_in_trouble) {
            ExitStatus::Good
        } else {
            ExitStatus::Failed
        }
    }

    /// One pass after the other, while it is this scaler's turn. Also says whether nothing is on its way any more, so
    /// that the lease can be handed over.
    fn repeat(
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

    /// One pass. `None` when it panicked: nobody knows what it did and did not remember, and a supervisor's restart finds
    /// that out from the cloud, calmly, with the brakes of a start. Going on with half a memory would not.
    fn pass(
        &self,
        pool: &mut Pool,
        watched: &Watched,
        began: Moment,
        out: &mut dyn Write,
    ) -> Option<Report> {
        let mut report = match catch_unwind(AssertUnwindSafe(|| pool.pass(watched))) {
            Ok(report) => report,
            Err(panic) => {
                let what = one_line(panic_text(panic.as_ref()), 200);
                log::error!("a bug in this program stopped the pass, so it exits: {what}");
                return None;
            }
        };
        if let Some(explainer) = &self.explainer
            && let Err(error) = explainer.print(&report, began, self.clock.now(), out)
        {
            log::error!("cannot print the plan: {error}");
            report.failures.push(format!("cannot print the plan: {error}"));
        }
        Some(report)
    }
}

/// When the next pass begins: one interval after the slot of the last one, so that passes do not drift; or at once when
/// that is over. Then the cadence goes on from there: a long pass is followed by one, not by two in a row.
fn next_slot(slot: Duration, now: Duration, interval: Duration) -> Duration {
    slot.saturating_add(interval).max(now)
}

fn greet(config: &Config, settings: &PoolSettings) {
    let policy = &config.policy;
    // cron mails whatever a pass says, so one that found nothing to do says nothing.
    let level = if policy.once { log::Level::Debug } else { log::Level::Info };
    log::log!(
        level,
        "simplescalevm {} on {}{}: pool {}={}, at least {} resources free, {} per replica, a pass every {} s{}{}{}",
        env!("CARGO_PKG_VERSION"),
        settings.provider,
        settings.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default(),
        settings.mark_key,
        settings.mark_value.as_deref().unwrap_or("scaler (or scaled)"),
        policy.minimum,
        policy.capacity,
        config.interval.as_secs(),
        match config.watch.filter(|_| policy.manage_addresses && !policy.once) {
            Some(watch) => format!(", address holders asked every {} s", watch.as_secs()),
            None => String::new(),
        },
        config.cloud().map(|cloud| format!("; {cloud}")).unwrap_or_default(),
        if settings.dry_run { "; a dry run: nothing is changed" } else { "" },
    );
    if let Some(lease) = config.lease.as_ref().filter(|_| !settings.dry_run) {
        let place = match lease.kind {
            LeaseKind::OpenStack => "the cloud's image service",
            LeaseKind::Etcd(_) => "etcd",
        };
        let (me, name, seconds) = (&lease.holder, &lease.name, lease.validity.as_secs());
        log::log!(
            level,
            "one of several scalers: {me}; the lease {name} of {seconds} s in {place} decides which one acts"
        );
    }
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given")
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
