//! The loop: pass, publish, wait for the next pass or a signal. And `--once`, which is one pass of it.

use std::any::Any;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result, one_line};
use crate::pass::{Cloud, Pool, Report};
use crate::probe::Prober;
use crate::progress::{Progress, Stop};
use crate::provider;
use crate::settings::Config;
use crate::signals;
use crate::status;
use crate::status::snapshot::{Clock, EndedPass, Latest, PoolSettings, Snapshot};
use crate::unique;

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

/// Runs the pool until a signal, or for one pass (`--once`). A dry run prints its plans on `out`.
pub fn run(config: &Config, dry_run: bool, out: &mut dyn Write) -> ExitStatus {
    let once = config.policy.once;
    greet(config, dry_run);
    let daemon = Daemon {
        interval: config.interval,
        dry_run,
        clock: Clock::start(),
        progress: Progress::new(),
        stop: Stop::new(),
    };
    // A run that was to do one pass and did not has failed; the loop ends when it is asked to.
    let when_killed = if once { ExitStatus::Failed } else { ExitStatus::Good };
    if let Err(error) = signals::watch(daemon.stop.clone(), i32::from(when_killed.code())) {
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
    dry_run: bool,
    clock: Clock,
    progress: Progress,
    stop: Stop,
}

impl Daemon {
    fn open(&self, config: &Config) -> Result<Pool> {
        let (progress, stop) = (&self.progress, &self.stop);
        let cloud = if self.dry_run {
            Cloud::ReadOnly(provider::open_read_only(config, progress, stop)?)
        } else {
            Cloud::ReadWrite(provider::open(config, progress, stop)?)
        };
        let prober = Prober::new(config.probe.clone(), progress.clone(), stop.clone())?;
        let instance = unique::word();
        Ok(Pool::new(config.clone(), cloud, prober, &instance, progress.clone(), stop.clone()))
    }

    fn serve(&self, config: &Config) -> Result<Arc<Latest>> {
        let settings = PoolSettings::new(config, self.dry_run);
        let latest = Arc::new(Latest::new(Snapshot::new(self.clock.now(), settings)));
        let (shown, clock, progress) = (Arc::clone(&latest), self.clock, self.progress.clone());
        let responder = move |path: &str| status::answer(path, &shown, &clock, &progress);
        let address = status::start(&config.status, Arc::new(responder))?;
        log::info!("status on http://{address}/");
        Ok(latest)
    }

    fn once(&self, mut pool: Pool, out: &mut dyn Write) -> ExitStatus {
        let Some(report) = self.pass(&mut pool, out) else { return ExitStatus::Failed };
        if report.fatal {
            ExitStatus::Settings
        } else if report.is_good() {
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
            let Some(report) = self.pass(&mut pool, out) else { return ExitStatus::Failed };
            // Later on it is the cloud that changed, and may change back.
            let fatal = report.fatal && latest.get().passes == 0;
            let pass = EndedPass { began, ended: self.clock.now(), report };
            latest.publish(latest.get().pass_ended(pass));
            if fatal {
                return ExitStatus::Settings;
            }
            slot = next_slot(slot, self.clock.now().elapsed, self.interval);
            if self.stop.wait(slot.saturating_sub(self.clock.now().elapsed)) {
                return ExitStatus::Good;
            }
        }
    }

    /// One pass. `None` when it panicked: nobody knows what it did and did not remember, and a supervisor's restart finds
    /// that out from the cloud, calmly, with the brakes of a start. Going on with half a memory would not.
    fn pass(&self, pool: &mut Pool, out: &mut dyn Write) -> Option<Report> {
        let mut report = match catch_unwind(AssertUnwindSafe(|| pool.pass())) {
            Ok(report) => report,
            Err(panic) => {
                let what = one_line(panic_text(panic.as_ref()), 200);
                log::error!("a bug in this program stopped the pass, so it ends: {what}");
                return None;
            }
        };
        if self.dry_run
            && let Err(error) = print_plan(&report, out)
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

fn greet(config: &Config, dry_run: bool) {
    let policy = &config.policy;
    let settings = PoolSettings::new(config, dry_run);
    // cron mails whatever a pass says, so one that found nothing to do says nothing.
    let level = if policy.once { log::Level::Debug } else { log::Level::Info };
    log::log!(
        level,
        "simplescalevm {} on {}: pool {}={}, at least {} resources free, {} per replica, a pass every {} s{}",
        env!("CARGO_PKG_VERSION"),
        settings.provider,
        settings.mark_key,
        settings.mark_value.as_deref().unwrap_or("scaler (or scaled)"),
        policy.minimum,
        policy.capacity,
        config.interval.as_secs(),
        if dry_run { "; a dry run: nothing is changed" } else { "" },
    );
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
}

fn print_plan(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(plan) = &report.plan else { return Ok(()) };
    let nothing = plan.is_empty().then(|| "nothing to do".to_owned());
    let held_back = plan.held_back.as_ref();
    let held_back = held_back.map(|one| format!("fewer replicas than are missing: {}", one.why));
    let more = nothing.into_iter().chain(held_back).chain(plan.brakes.iter().cloned());
    let text: String = more.fold(plan.to_string(), |text, line| text + &line + "\n");
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it has read enough (`| head`).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
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

    #[test]
    fn a_dry_run_prints_its_plan_and_what_holds_it_back() {
        let mut printed = Vec::new();
        let mut plan = crate::plan::Plan::default();
        print_plan(&Report { plan: Some(plan.clone()), ..Report::default() }, &mut printed)
            .unwrap();
        plan.creation =
            Some(crate::plan::Batch { count: 2, mark: "abc-1".into(), why: "0 of 2 free".into() });
        let why = "at most 2 at once".to_owned();
        plan.held_back = Some(crate::plan::HeldBack { why, for_at_least: None });
        print_plan(&Report { plan: Some(plan), ..Report::default() }, &mut printed).unwrap();
        assert_eq!(
            String::from_utf8(printed).unwrap(),
            "nothing to do\n\
             create 2 replicas: 0 of 2 free\n\
             fewer replicas than are missing: at most 2 at once\n"
        );
    }
}
