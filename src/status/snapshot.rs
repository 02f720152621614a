//! The results of the last passes: everything shown except the past. Each is made of the one before.

use std::sync::Arc;

use crate::clock::Moment;
use crate::lease::turn::{Part, View};
use crate::questions::AllAsked;
use crate::status::ended_pass::EndedPass;
use crate::status::lives::Lives;
use crate::status::pool_settings::PoolSettings;
use crate::status::trouble::Trouble;

/// Everything the status server shows, except the past.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When the program started.
    pub started: Moment,
    /// The pool's settings.
    pub settings: PoolSettings,
    /// The lease as it is now; `None` without one. Filled in when somebody asks.
    pub lease: Option<View>,
    /// When passes began to be made: the start, or when this scaler took over.
    pub began: Moment,
    /// Passes that ended.
    pub passes: u64,
    /// When the pass that is under way began; `None` between passes.
    pub running: Option<Moment>,
    /// When the next pass begins; `None` before the first one has ended.
    pub next: Option<Moment>,
    /// The last pass that ended.
    pub last: Option<Arc<EndedPass>>,
    /// When the last good pass ended.
    pub last_good: Option<Moment>,
    /// The last pass that saw the pool: when the cloud is down its picture is still worth showing.
    pub last_sight: Option<Arc<EndedPass>>,
    /// The last pass that had something to do.
    pub last_busy: Option<Arc<EndedPass>>,
    /// What is wrong, and since when.
    pub trouble: Trouble,
    /// Since when each replica has been what it is.
    pub lives: Arc<Lives>,
    /// The last result of asking each replica. Filled in when somebody asks.
    pub questions: Arc<AllAsked>,
}

impl Snapshot {
    /// Before the first pass.
    pub fn new(started: Moment, settings: PoolSettings) -> Self {
        Snapshot {
            started,
            settings,
            lease: None,
            began: started,
            passes: 0,
            running: None,
            next: None,
            last: None,
            last_good: None,
            last_sight: None,
            last_busy: None,
            trouble: Trouble::default(),
            lives: Arc::default(),
            questions: Arc::default(),
        }
    }

    /// The same with nothing seen yet: it has become another scaler's turn, or this one's.
    #[must_use]
    pub fn anew(&self, now: Moment) -> Self {
        let fresh = Snapshot::new(self.started, self.settings.clone());
        Snapshot { began: now, passes: self.passes, ..fresh }
    }

    /// The same, with the lease as it is now.
    #[must_use]
    pub fn with_lease(&self, lease: Option<View>) -> Self {
        Snapshot { lease, ..self.clone() }
    }

    /// The same, with the last result of asking each replica.
    #[must_use]
    pub fn with_questions(&self, questions: AllAsked) -> Self {
        Snapshot { questions: Arc::new(questions), ..self.clone() }
    }

    /// Whether this scaler acts, and no other one.
    pub fn acts(&self) -> bool {
        self.lease.as_ref().map_or(!self.settings.dry_run, |lease| lease.part == Part::Acts)
    }

    /// Whether passes are made.
    pub fn leads(&self) -> bool {
        self.lease.as_ref().is_none_or(View::leads)
    }

    /// The same, with a pass that has just begun.
    #[must_use]
    pub fn pass_began(&self, began: Moment) -> Self {
        Snapshot { running: Some(began), ..self.clone() }
    }

    /// The same, with a pass that has just ended.
    #[must_use]
    pub fn pass_ended(&self, pass: EndedPass) -> Self {
        let mut next = self.clone();
        if pass.report.mark.is_some() {
            next.settings.mark_value.clone_from(&pass.report.mark);
        }
        if let Some(minimum) = pass.report.minimum {
            next.settings.minimum = minimum;
        }
        next.trouble = self.trouble.after(&pass);
        next.lives = Arc::new(self.lives.after(&pass));
        if let (Some(place), Some(scope)) = (&mut next.settings.place, &pass.report.scope) {
            place.settle(scope);
        }
        let pass = Arc::new(pass);
        if pass.report.plan.is_some() {
            next.last_sight = Some(Arc::clone(&pass));
        }
        if pass.report.is_good() {
            next.last_good = Some(pass.ended);
        }
        if pass.report.plan.as_ref().is_some_and(|plan| !plan.is_empty()) {
            next.last_busy = Some(Arc::clone(&pass));
        }
        next.last = Some(pass);
        next.passes += 1;
        next.running = None;
        next
    }
}
