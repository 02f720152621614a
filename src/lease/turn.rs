//! Whose turn it is: the keeper tells it, the loop asks before each step that changes something, and people are shown it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::State as RecordState;
use super::candidate::Role;
use super::tenure::Tenure;
use crate::clock::{Clock, Moment};
use crate::events::Event;
use crate::settings::LeaseSettings;

/// Why a step is left: the time that the last renewal bought is over, or nearly.
const LAPSED: &str = "the lease was not renewed in time, so another scaler may act by now";

/// Why a step is left: the plan was made in another turn than this one, or there is none.
const LOST: &str = "the lease was lost in the middle of the pass";

/// Why a creation is left after a takeover.
const WAITS: &str = "the scaler that acted before may still be creating, so creations wait until its longest request has ended";

/// Events that nobody fetched are forgotten beyond so many.
const EVENTS_MAX: usize = 100;

/// The turn of this scaler. Clones are the same one. By default there is no lease, and it always is its turn.
#[derive(Clone, Debug, Default)]
pub struct Turn(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    lease: String,
    me: String,
    validity: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    role: Role,
    /// Since when the part is what it is.
    since: Moment,
    /// How many times it has become this scaler's turn.
    term: u64,
    /// The one in which the pass under way began.
    pass_term: u64,
    /// Whether the store was asked anything, whatever the result.
    asked: bool,
    answered: Duration,
    /// When somebody was last known to hold the lease.
    held: Duration,
    failure: Option<String>,
    dead: bool,
    events: Vec<Event>,
}

/// What people are shown of the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// `APP_LEASE_NAME`.
    pub lease: String,
    /// `APP_NAME`.
    pub me: String,
    /// How long a renewal is good for.
    pub validity: Duration,
    /// What this scaler does.
    pub part: Part,
    /// Since when.
    pub since: Moment,
    /// Whether the store was asked anything, whatever the result.
    pub asked: bool,
    /// When it last answered, since the program started.
    pub answered: Duration,
    /// When somebody was last known to hold the lease, since the program started.
    pub held: Duration,
    /// What is wrong with the store, as long as something is.
    pub failure: Option<String>,
}

/// What a scaler does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// It acts.
    Acts,
    /// It is its turn, but the lease was not renewed in time: it changes nothing.
    Lapsed,
    /// It is about to act.
    Taking,
    /// It stands by; the one that acts, as far as that is known.
    StandsBy(Option<String>),
    /// Its keeper is dead; so it does nothing.
    Dead,
}

impl View {
    /// Whether passes are made.
    pub fn leads(&self) -> bool {
        matches!(self.part, Part::Acts | Part::Lapsed)
    }

    /// What this scaler does, in words; without anybody's name unless it is to be `full`.
    pub fn words(&self, full: bool) -> String {
        match &self.part {
            Part::Acts => "acts".to_owned(),
            Part::Lapsed => "changes nothing: the lease was not renewed in time".to_owned(),
            Part::Taking => "about to act".to_owned(),
            Part::StandsBy(Some(holder)) if full => format!("standing by: {holder} acts"),
            Part::StandsBy(Some(_)) => "standing by: another scaler acts".to_owned(),
            Part::StandsBy(None) => "standing by: nobody is known to act".to_owned(),
            Part::Dead => "standing by: the lease is no longer kept".to_owned(),
        }
    }
}

/// What the keeper has to tell after a request.
#[derive(Debug)]
pub struct Told {
    /// What the scaler is by now.
    pub role: Role,
    /// Whether it has become its turn with this request.
    pub began: bool,
    /// Whether the store answered just now.
    pub answered: bool,
    /// Why what fails at present does.
    pub failure: Option<String>,
    /// Whether somebody is known to hold the lease now, though its record stays the same.
    pub held: bool,
}

impl Turn {
    /// One that is settled by a lease: not before the keeper says so.
    pub fn by_lease(settings: &LeaseSettings, clock: Clock) -> Self {
        let now = clock.now();
        let state = State {
            role: Role::Standby(None),
            since: now,
            term: 0,
            pass_term: 0,
            asked: false,
            answered: now.elapsed,
            held: now.elapsed,
            failure: None,
            dead: false,
            events: Vec::new(),
        };
        Turn(Some(Arc::new(Shared {
            clock,
            lease: settings.name.clone(),
            me: settings.holder.clone(),
            validity: settings.validity,
            state: Mutex::new(state),
        })))
    }

    /// Which turn of this scaler it is, or `None` when it is not its turn. A lease that was not renewed in time ends no turn,
    /// but [`Turn::may_act`].
    pub fn term(&self) -> Option<u64> {
        let Some(shared) = &self.0 else { return Some(0) };
        let state = shared.lock();
        (!state.dead && matches!(state.role, Role::Leader(_))).then_some(state.term)
    }

    /// A pass begins: what it plans may be done in this turn only.
    pub fn begin_pass(&self) {
        if let Some(shared) = &self.0 {
            let mut state = shared.lock();
            state.pass_term = state.term;
        }
    }

    /// Whether a step of the pass under way that changes something may begin now; if not, why.
    pub fn may_act(&self) -> std::result::Result<(), String> {
        self.may(|tenure, now| tenure.may_act(now).then_some(()).ok_or(LAPSED))
    }

    /// Whether a creation of the pass under way may begin now; if not, why.
    pub fn may_create(&self) -> std::result::Result<(), String> {
        self.may(|tenure, now| {
            tenure.may_act(now).then_some(()).ok_or(LAPSED)?;
            tenure.may_create(now).then_some(()).ok_or(WAITS)
        })
    }

    fn may(
        &self,
        allows: impl Fn(&Tenure, Moment) -> std::result::Result<(), &'static str>,
    ) -> std::result::Result<(), String> {
        let Some(shared) = &self.0 else { return Ok(()) };
        let state = shared.lock();
        // Read after the lock was had: the wait for it counts.
        let now = shared.clock.now();
        match &state.role {
            Role::Leader(tenure) if !state.dead && state.term == state.pass_term => {
                allows(tenure, now).map_err(str::to_owned)
            }
            _ => Err(LOST.to_owned()),
        }
    }

    /// Until when creations wait after a takeover, since the program started; `None` when they don't.
    pub fn creations_from(&self) -> Option<Duration> {
        let shared = self.0.as_deref()?;
        match &shared.lock().role {
            Role::Leader(tenure) if tenure.creations_from > shared.clock.now().elapsed => {
                Some(tenure.creations_from)
            }
            _ => None,
        }
    }

    /// What people are shown; `None` without a lease.
    pub fn view(&self) -> Option<View> {
        let shared = self.0.as_deref()?;
        let state = shared.lock();
        let part = match &state.role {
            _ if state.dead => Part::Dead,
            Role::Leader(tenure) if tenure.may_act(shared.clock.now()) => Part::Acts,
            Role::Leader(_) => Part::Lapsed,
            Role::Taking => Part::Taking,
            Role::Standby(seen) => {
                let held = seen.as_ref().filter(|seen| seen.record.state == RecordState::Held);
                Part::StandsBy(held.map(|seen| seen.record.holder.name.clone()))
            }
        };
        Some(View {
            lease: shared.lease.clone(),
            me: shared.me.clone(),
            validity: shared.validity,
            part,
            since: state.since,
            asked: state.asked,
            answered: state.answered,
            held: state.held,
            failure: state.failure.clone(),
        })
    }

    /// What happened since this was last asked.
    pub fn take_events(&self) -> Vec<Event> {
        self.0
            .as_deref()
            .map(|shared| std::mem::take(&mut shared.lock().events))
            .unwrap_or_default()
    }

    /// The result of a request.
    pub fn tell(&self, told: Told) {
        let Some(shared) = &self.0 else { return };
        let now = shared.clock.now();
        let mut state = shared.lock();
        if who(&state.role) != who(&told.role) {
            state.since = now;
        }
        state.term += u64::from(told.began);
        state.asked = true;
        match &told.role {
            Role::Standby(Some(seen)) if !told.held => state.held = state.held.max(seen.since),
            _ if told.held => state.held = now.elapsed,
            _ => {}
        }
        state.role = told.role;
        state.failure = told.failure;
        if told.answered {
            state.answered = now.elapsed;
        }
    }

    /// Something for the page.
    pub fn happened(&self, event: Event) {
        let Some(shared) = &self.0 else { return };
        let mut state = shared.lock();
        if state.events.len() < EVENTS_MAX {
            state.events.push(event);
        }
    }

    /// The keeper died: it never is this scaler's turn again.
    pub fn died(&self) {
        if let Some(shared) = &self.0 {
            shared.lock().dead = true;
        }
    }

    /// Whether it did.
    pub fn is_dead(&self) -> bool {
        self.0.as_deref().is_some_and(|shared| shared.lock().dead)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What tells one part from another: which kind, and in standing by whose record.
fn who(role: &Role) -> (u8, Option<u64>) {
    match role {
        Role::Standby(seen) => (0, seen.as_ref().map(|seen| seen.record.epoch)),
        Role::Taking => (1, None),
        Role::Leader(_) => (2, None),
    }
}
