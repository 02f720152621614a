//! The world, who judges what is done to it, and when the program that does it is killed.

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::rc::Rc;

use simplescalevm::progress::Stop;

use crate::judge::Judge;
use crate::reach::Reach;
use crate::world::World;
use crate::world::weather::Request;

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

/// Everything, shared by the cloud's two sides.
pub struct Universe {
    pub world: World,
    pub judge: Judge,
    /// In the next pass.
    pub end: Option<End>,
    pub stop: Stop,
    pub reach: Reach,
    /// Requests of this pass so far, the probing among them.
    pub requests: u8,
    /// What happened, when somebody wants to read it.
    pub story: Option<Vec<String>>,
}

/// Clones are the same.
pub type Shared = Rc<RefCell<Universe>>;

impl Universe {
    /// A request begins, or the probing.
    pub fn begin(&mut self, request: Request) {
        self.world.settle();
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
        self.requests += 1;
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

    /// One more line of the story.
    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(line());
        }
    }
}
