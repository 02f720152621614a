//! The loop: pass, publish, wait for the next pass or a signal. And `--once`, which is one pass of it.

mod greeting;
mod repeat;

use std::any::Any;
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
use crate::model::Watched;
use crate::pass::{Cloud, Pool, Report};
use crate::plan::Plan;
use crate::probe::Prober;
use crate::provider;
use crate::settings::{Config, LeaseSettings};
use crate::signals;
use crate::status::latest::Latest;
use crate::status::pool_settings::PoolSettings;
use crate::status::question::Question;
use crate::status::snapshot::Snapshot;
use crate::status::{self, health};
use crate::systemd::Manager;
use crate::unique;
use crate::watch::Watch;

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
    greeting::greet(config, &settings);
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

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given")
}
