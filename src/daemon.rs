//! The loop: pass, publish, wait for the next pass or a signal. And `--once`, which is one pass of it.

use std::any::Any;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::args::Output;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, one_line};
use crate::explain::Explainer;
use crate::handles::Handles;
use crate::pass::{Cloud, Pool, Report};
use crate::plan::Plan;
use crate::probe::Prober;
use crate::progress::Woken;
use crate::provider;
use crate::settings::Config;
use crate::signals;
use crate::status::latest::Latest;
use crate::status::question::Question;
use crate::status::snapshot::{EndedPass, Moment, PoolSettings, Snapshot};
use crate::status::{self, health, line};
use crate::systemd::Manager;
use crate::unique;

/// How long the service manager gets before it is told again what it had no room for.
const RETELL: Duration = Duration::from_secs(1);

/// What the program ends with, as shells and supervisors see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: all done, or asked to end.
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

    /// What an error that keeps the program from starting ends it with.
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
    let explainer = dry_run.map(|output| Explainer::new(output, settings.clone()));
    let daemon = Daemon {
        interval: config.interval,
        settings,
        explainer,
        clock: Clock::start(),
        handles: Handles::new(),
        manager,
    };
    // A run that was to do one pass and did not has failed; the loop ends when it is asked to.
    let when_killed = if once { ExitStatus::Failed } else { ExitStatus::Good };
    let (stop, manager) = (daemon.handles.stop.clone(), daemon.manager.clone());
    if let Err(error) = signals::watch(stop, manager, i32::from(when_killed.code())) {
        log::error!("cannot watch for SIGTERM and SIGINT: {error}");
        return ExitStatus::Failed;
    }
    let started = if once {
        daemon.open(config).map(|pool| daemon.once(pool, out))
    } else {
        // Settings first, the port last: who polls it expects passes behind it.
        let open = daemon.open(config);
        open.and_then(|pool| Ok((pool, daemon.serve(config)?)))
            .map(|(pool, latest)| daemon.repeat(pool, &latest, out))
    };
    started.unwrap_or_else(|error| {
        log::error!("{error}");
        ExitStatus::of(&error)
    })
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
    fn open(&self, config: &Config) -> Result<Pool> {
        let cloud = if self.explainer.is_some() {
            Cloud::ReadOnly(provider::open_read_only(config, &self.handles)?)
        } else {
            Cloud::ReadWrite(provider::open(config, &self.handles)?)
        };
        let handles = self.handles.clone();
        let prober = Box::new(Prober::new(config.probe.clone(), handles.clone())?);
        let instance = unique::word();
        Ok(Pool::new(config.clone(), cloud, prober, &instance, self.clock, handles))
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
        let watched =
            self.manager.watch(move || health::alive(&shown.get(), progress.idle()).is_ok());
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
        let Some(report) = self.pass(&mut pool, began, out) else { return ExitStatus::Failed };
        if report.fatal {
            ExitStatus::Settings
        } else if report.is_good() && !report.plan.as_ref().is_some_and(Plan::is_in_trouble) {
            ExitStatus::Good
        } else {
            ExitStatus::Failed
        }
    }

    fn repeat(&self, mut pool: Pool, latest: &Latest, out: &mut dyn Write) -> ExitStatus {
        let mut slot = self.clock.now().elapsed;
        loop {
            let began = self.clock.now();
            latest.publish(latest.get().pass_began(began));
            let Some(report) = self.pass(&mut pool, began, out) else {
                return ExitStatus::Failed;
            };
            // Later on it is the cloud that changed, and may change back.
            let is_first = latest.get().passes == 0;
            let fatal = report.fatal && is_first;
            self.manager.status(&line::line(&report));
            let ended = self.clock.now();
            slot = next_slot(slot, ended.elapsed, self.interval);
            let wall = ended.wall + slot.saturating_sub(ended.elapsed);
            latest.pass_ended(EndedPass { began, ended, report }, Moment { elapsed: slot, wall });
            if fatal {
                return ExitStatus::Settings;
            }
            if is_first {
                self.manager.ready();
            }
            match self.wait_until(slot) {
                Woken::InTime => {}
                // The cadence begins anew, so that no second pass follows a moment later.
                Woken::PassWanted => slot = self.clock.now().elapsed,
                Woken::Stopped => return ExitStatus::Good,
            }
        }
    }

    /// Waits for the next pass. What the service manager had no room for is told again meanwhile: it waits for `READY=1`,
    /// perhaps for less than an interval.
    fn wait_until(&self, slot: Duration) -> Woken {
        loop {
            let left = slot.saturating_sub(self.clock.now().elapsed);
            let time = if self.manager.catch_up() { left } else { left.min(RETELL) };
            match self.handles.stop.wait_for_pass(time) {
                Woken::InTime if time < left => {}
                woken => return woken,
            }
        }
    }

    /// One pass. `None` when it panicked: nobody knows what it did and did not remember, and a supervisor's restart finds
    /// that out from the cloud, calmly, with the brakes of a start. Going on with half a memory would not.
    fn pass(&self, pool: &mut Pool, began: Moment, out: &mut dyn Write) -> Option<Report> {
        let mut report = match catch_unwind(AssertUnwindSafe(|| pool.pass())) {
            Ok(report) => report,
            Err(panic) => {
                let what = one_line(panic_text(panic.as_ref()), 200);
                log::error!("a bug in this program stopped the pass, so it ends: {what}");
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
        "simplescalevm {} on {}: pool {}={}, at least {} resources free, {} per replica, a pass every {} s{}{}",
        env!("CARGO_PKG_VERSION"),
        settings.provider,
        settings.mark_key,
        settings.mark_value.as_deref().unwrap_or("scaler (or scaled)"),
        policy.minimum,
        policy.capacity,
        config.interval.as_secs(),
        config.cloud().map(|cloud| format!("; {cloud}")).unwrap_or_default(),
        if settings.dry_run { "; a dry run: nothing is changed" } else { "" },
    );
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
