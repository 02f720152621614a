//! The world, who judges what is done to it, and when the program that does it is killed.

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::rc::Rc;

use simplescalevm::model::Watched;
use simplescalevm::progress::Stop;

use crate::clock;
use crate::judge::Judge;
use crate::reach::Reach;
use crate::world::weather::Request;
use crate::world::{MARK, World};

/// What the program is killed with: it runs no code of its own any more.
pub struct Killed;

/// When the running program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Requests of the pass before that.
    pub requests: u8,
    /// How.
    pub how: HowItEnds,
}

/// How the running program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HowItEnds {
    /// It is killed before the request gets anywhere.
    KilledBefore,
    /// It is killed when the work is done, but before it hears of it.
    KilledAfter,
    /// It is asked to end, and the request goes on to its end.
    Asked,
}

/// What an operator does while a pass goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meanwhile {
    /// Requests of the pass before that.
    pub requests: u8,
    /// What.
    pub deed: Deed,
}

/// What an operator does to the whole pool at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The silent answer again.
    Repairs,
    /// All are locked.
    Locks,
}

/// Everything, shared by the cloud's two sides.
pub struct Universe {
    pub world: World,
    pub judge: Judge,
    /// In the next pass.
    pub end: Option<End>,
    /// In the next pass.
    pub meanwhile: Option<Meanwhile>,
    pub stop: Stop,
    /// What the watch told this pass.
    pub watched: Watched,
    pub reach: Reach,
    /// Requests of this pass so far, the probing among them.
    pub requests: u8,
    /// Lists that this process has had.
    pub lists: u64,
    /// What happened, when somebody wants to read it.
    pub story: Option<Vec<String>>,
}

/// Clones are the same.
pub type Shared = Rc<RefCell<Universe>>;

impl Universe {
    /// A request begins, or the probing.
    pub fn begin(&mut self, request: Request) {
        self.world.settle();
        self.meanwhile(request);
        self.judge.request(request);
        match self.end {
            Some(End { requests, how: HowItEnds::KilledBefore }) if requests == self.requests => {
                self.happens(&format!("killed before {request:?}"));
                resume_unwind(Box::new(Killed));
            }
            Some(End { requests, how: HowItEnds::Asked }) if requests == self.requests => {
                self.happens(&format!("asked to end in {request:?}"));
                self.stop.request();
            }
            _ => {}
        }
        self.requests = self.requests.saturating_add(1);
    }

    /// Between a look and the deletion that follows it nobody can know better: before any other request.
    fn meanwhile(&mut self, request: Request) {
        // The last question before a deletion is the look-up.
        let may = match self.meanwhile.map(|one| one.deed) {
            Some(Deed::Repairs) => !matches!(request, Request::LookUp | Request::Delete),
            Some(Deed::Locks) | None => request != Request::Delete,
        };
        let due = |one: &mut Meanwhile| may && one.requests <= self.requests;
        let Some(Meanwhile { deed, .. }) = self.meanwhile.take_if(due) else { return };
        self.happens(&format!("meanwhile: {deed:?}"));
        for vm in self.world.vms.iter_mut().filter(|vm| vm.mark.as_deref() == Some(MARK)) {
            match deed {
                Deed::Repairs => vm.repair(),
                Deed::Locks => vm.locked = true,
            }
        }
    }

    /// Its work is done.
    pub fn end(&mut self, request: Request) {
        let killed_at = self.end.filter(|end| end.how == HowItEnds::KilledAfter);
        if killed_at.is_some_and(|end| end.requests + 1 == self.requests) {
            self.happens(&format!("killed after {request:?}"));
            resume_unwind(Box::new(Killed));
        }
    }

    fn happens(&mut self, what: &str) {
        self.reach.met(what);
        self.tell(|| format!("    {what}"));
    }

    /// The result of a pass. Passes in a row with the same result are told once.
    pub fn tell_pass(&mut self, what: impl FnOnce() -> String) {
        let Some(story) = &mut self.story else { return };
        let (what, now) = (what(), clock::now());
        let is_same = story.len() >= 2 && story.ends_with(std::slice::from_ref(&what));
        match story.iter_mut().nth_back(1).filter(|_| is_same) {
            Some(head) if head.starts_with("  pass") => {
                let (first, _) = head.split_once(" to ").unwrap_or((head, ""));
                *head = format!("{first} to {now}");
            }
            _ => story.extend([format!("  pass at second {now}"), what]),
        }
    }

    /// One more line of the story.
    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(line());
        }
    }
}
