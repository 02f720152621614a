//! The keeper: a thread that takes part in the protocol as long as the loop makes progress, and tells whose turn it is.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::candidate::{Answer, Candidate, Request, Role, Rules};
use super::turn::{Told, Turn};
use super::{Holder, Record, State, Store, words};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::events::{Event, Tone};
use crate::metrics::Metrics;
use crate::progress::Stop;

/// How long the end of the program waits for the lease to be handed over: less than what a signal leaves it.
const HAND_OVER_MAX: Duration = Duration::from_secs(1);

/// How soon to look again at a loop that is stuck.
const STUCK_LOOK: Duration = Duration::from_secs(1);

/// Whether the loop makes progress; if not, why.
pub type Alive = dyn Fn() -> std::result::Result<(), String> + Send;

/// The handle of the thread.
#[derive(Debug)]
pub struct Keeper(Orders);

/// What the thread is told, and whether it has done it.
#[derive(Clone, Debug, Default)]
struct Orders(Arc<(Mutex<Ending>, Condvar)>);

#[derive(Debug, Default)]
struct Ending {
    /// `Some(true)`: hand the lease over.
    wanted: Option<bool>,
    reached: bool,
}

impl Orders {
    fn lock(&self) -> MutexGuard<'_, Ending> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps for `time`, or until the end is wanted: then gives whether to hand over.
    fn wait(&self, time: Duration) -> Option<bool> {
        let condition = |ending: &mut Ending| ending.wanted.is_none();
        let waited = self.0.1.wait_timeout_while(self.lock(), time, condition);
        waited.unwrap_or_else(PoisonError::into_inner).0.wanted
    }
}

/// What the thread needs.
pub struct Keeping {
    /// Where the record is.
    pub store: Box<dyn Store>,
    /// What all scalers of the pool have in common.
    pub rules: Rules,
    /// Who we are.
    pub me: Holder,
    /// Whom it tells.
    pub turn: Turn,
    /// The program's clock.
    pub clock: Clock,
    /// How the loop is woken.
    pub stop: Stop,
    /// Where it is counted.
    pub metrics: Metrics,
    /// Whether the loop makes progress.
    pub alive: Box<Alive>,
}

impl Keeper {
    /// Starts it.
    pub fn start(keeping: Keeping) -> Result<Self> {
        let orders = Orders::default();
        let thread_orders = orders.clone();
        let (turn, stop) = (keeping.turn.clone(), keeping.stop.clone());
        let body = move || {
            let mut thread = Thread::new(keeping, thread_orders.clone());
            if catch_unwind(AssertUnwindSafe(|| thread.run())).is_err() {
                // The panic itself is in the log.
                log::error!("the thread that keeps the lease has died, so the program exits");
                turn.died();
                stop.request_pass();
            }
            thread_orders.lock().reached = true;
            thread_orders.0.1.notify_all();
        };
        thread::Builder::new().name("lease".into()).spawn(body).map_err(|error| {
            let text = format!("cannot start the thread that keeps the lease: {error}");
            Error::new(ErrorKind::Unavailable, text)
        })?;
        Ok(Keeper(orders))
    }

    /// Ends it: nothing is renewed from here on. With `hand_over` the successor need not wait; that gets a second, and
    /// `false` says that it was too little: another request about the lease is under way.
    pub fn end(&self, hand_over: bool) -> bool {
        let mut ending = self.0.lock();
        ending.wanted = Some(hand_over);
        self.0.0.1.notify_all();
        if !hand_over {
            return true;
        }
        let condition = |ending: &mut Ending| !ending.reached;
        let waited = self.0.0.1.wait_timeout_while(ending, HAND_OVER_MAX, condition);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

struct Thread {
    keeping: Keeping,
    candidate: Candidate,
    orders: Orders,
    role: Role,
    /// The last record of another scaler, as it was last seen.
    other: Option<Record>,
    /// The highest epoch seen, whoever's it is.
    epoch: Option<u64>,
    /// What fails at present: how often in a row, and why.
    failing: BTreeMap<&'static str, (u32, String)>,
    stuck: bool,
}

impl Thread {
    fn new(keeping: Keeping, orders: Orders) -> Self {
        let now = keeping.clock.now().elapsed;
        let candidate = Candidate::new(keeping.rules, keeping.me.clone(), now);
        let role = candidate.role();
        Thread {
            keeping,
            candidate,
            orders,
            role,
            other: None,
            epoch: None,
            failing: BTreeMap::new(),
            stuck: false,
        }
    }

    fn run(&mut self) {
        loop {
            let (due, request) = self.candidate.next();
            let left = due.saturating_sub(self.keeping.clock.now().elapsed);
            if self.ends_within(left) {
                return;
            }
            if self.loop_is_stuck() {
                if self.ends_within(STUCK_LOOK) {
                    return;
                }
                continue;
            }
            // Before the request, not after: what the time between costs is ours.
            let sent = self.keeping.clock.now();
            let answered = ask(self.keeping.store.as_mut(), request);
            let ended = self.keeping.clock.now().elapsed;
            let answer = answered.as_ref().map_or(Answer::Failed, Clone::clone);
            self.candidate.told(request, sent, ended, answer);
            self.report(request, &answered);
        }
    }

    /// Sleeps for `time`; `true` when the end was wanted meanwhile, and all is done for it.
    fn ends_within(&mut self, time: Duration) -> bool {
        let wanted = self.orders.wait(time);
        if wanted == Some(true) {
            self.hand_over();
        }
        wanted.is_some()
    }

    /// A scaler that cannot make passes must not keep others from making them.
    fn loop_is_stuck(&mut self) -> bool {
        let why = (self.keeping.alive)().err();
        let was = std::mem::replace(&mut self.stuck, why.is_some());
        if let (Some(why), false) = (why, was) {
            let text = format!("not renewing the lease, so that another scaler can act: {why}");
            self.say((Tone::Bad, "loop stuck", text));
        }
        self.stuck
    }

    fn hand_over(&mut self) {
        let Some(request) = self.candidate.hand_over(self.keeping.clock.now().elapsed) else {
            return;
        };
        match ask(self.keeping.store.as_mut(), request) {
            Ok(_) => log::info!("handed the lease over"),
            Err(error) => log::warn!(
                "cannot hand the lease over, so another scaler waits until it runs out: {error}"
            ),
        }
    }

    fn report(&mut self, request: Request, answered: &Result<Answer>) {
        self.remember(request, answered);
        let role = self.candidate.role();
        let before = std::mem::replace(&mut self.role, role.clone());
        let leads = |role: &Role| matches!(role, Role::Leader(_));
        let began = leads(&role) && !leads(&before);
        let ended = leads(&before) && !leads(&role);
        let now = self.keeping.clock.now();
        let acts = |role: &Role| matches!(role, Role::Leader(tenure) if tenure.may_act(now));
        // What was left meanwhile need not wait for the next pass.
        let goes_on = leads(&before) && !acts(&before) && acts(&role);
        let held = match &role {
            Role::Leader(_) => acts(&role),
            Role::Standby(Some(seen)) => {
                answered.is_ok()
                    && self.keeping.rules.store_expires
                    && seen.record.state == State::Held
            }
            _ => false,
        };
        self.failed_or_not(request, answered.as_ref().err().map(|error| error.text.clone()));
        let failure = self.failing.values().next().map(|(_, why)| why.clone());
        let told = Told { role: role.clone(), began, answered: answered.is_ok(), failure, held };
        self.keeping.turn.tell(told);
        if let Some(said) =
            words::change(&before, &role, self.other.as_ref(), self.keeping.rules.validity)
        {
            self.say(said);
        }
        if began || ended || goes_on {
            self.keeping.stop.request_pass();
        }
    }

    /// Who was seen to hold the lease, and whether that is somebody else than before.
    fn remember(&mut self, request: Request, answered: &Result<Answer>) {
        let epoch = match (request, answered) {
            (Request::Look, Ok(Answer::Record(Some(record)))) => {
                let epoch = record.epoch;
                if record.holder != self.keeping.me {
                    self.other = Some(record.clone());
                }
                epoch
            }
            _ => return,
        };
        let before = self.epoch.replace(epoch);
        if before.is_some_and(|before| before != epoch) {
            self.keeping.metrics.lease_changed();
            // Somebody could take it.
            self.failing.remove(words::tried(Request::Create(epoch)));
        }
    }

    /// What fails is said when it begins to, and when the same thing works again: a lease that can be read may be one that
    /// cannot be taken.
    fn failed_or_not(&mut self, request: Request, failure: Option<String>) {
        let what = words::tried(request);
        let Some(why) = failure else {
            if let Some((failures, _)) = self.failing.remove(what) {
                let requests = if failures == 1 { "request" } else { "requests" };
                let text =
                    format!("the lease can be kept again, after {failures} failed {requests}");
                self.say((Tone::Good, "lease recovered", text));
            }
            return;
        };
        self.keeping.metrics.lease_failed();
        let text = format!("cannot {what} the lease: {why}");
        let (failures, last) = self.failing.entry(what).or_default();
        *failures = failures.saturating_add(1);
        *last = why;
        if *failures == 1 {
            self.say((Tone::Warning, "lease failing", text));
        } else {
            log::debug!("{text}");
        }
    }

    fn say(&self, (tone, subject, text): words::Said) {
        let level = match tone {
            Tone::Plain | Tone::Good => log::Level::Info,
            Tone::Warning => log::Level::Warn,
            Tone::Bad => log::Level::Error,
        };
        log::log!(level, "{text}");
        let at = self.keeping.clock.now().wall;
        self.keeping.turn.happened(Event { at, tone, subject: subject.to_owned(), text });
    }
}

fn ask(store: &mut dyn Store, request: Request) -> Result<Answer> {
    Ok(match request {
        Request::Look => Answer::Record(store.look()?),
        Request::Read(epoch) => Answer::Record(store.read(epoch)?),
        Request::Create(epoch) => Answer::Creation(store.create(epoch)?),
        Request::Renew { epoch, renewed } => Answer::Renewal(store.renew(epoch, renewed)?),
        Request::Release(epoch) => {
            store.release(epoch)?;
            Answer::Done
        }
        Request::Delete(epoch) => {
            store.delete(epoch)?;
            Answer::Done
        }
    })
}

#[cfg(test)]
mod tests;
