//! What the loop shares with the threads beside it: "I am alive", "please stop", and "please look now".

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When the loop last got something done. The status server's `/livez` reads it, and so does the watchdog.
#[derive(Clone, Debug)]
pub struct Progress(Arc<Mutex<Instant>>);

impl Progress {
    /// Progress that was made just now.
    pub fn new() -> Self {
        Progress(Arc::new(Mutex::new(Instant::now())))
    }

    /// Something got done: a pass began, a request ended, a replica was asked.
    pub fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long nothing got done.
    pub fn idle(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

/// What people ask of the running program: to end, which stays asked for, or to begin a pass now. And how threads beside
/// the loop call it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(Mutex<Wishes>, Condvar)>);

#[derive(Debug, Default)]
struct Wishes {
    end: bool,
    pass: bool,
    look: bool,
}

/// Why the wait for the next pass is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The time was up.
    InTime,
    /// There is something to look at.
    Called,
    /// Somebody asked for a pass now.
    PassWanted,
    /// The program was asked to stop.
    Stopped,
}

impl Stop {
    /// No wish yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the program to end: every wait returns at once.
    pub fn request(&self) {
        self.lock().end = true;
        self.0.1.notify_all();
    }

    /// Asks for a pass now. One that is under way may have looked before the asker's reason was there to be seen, so
    /// another follows it; several wishes make one pass.
    pub fn request_pass(&self) {
        self.lock().pass = true;
        self.0.1.notify_all();
    }

    /// Ends the wait for the next pass, because there is something to look at.
    pub fn call(&self) {
        self.lock().look = true;
        self.0.1.notify_all();
    }

    /// Whether the program was asked to stop.
    pub fn requested(&self) -> bool {
        self.lock().end
    }

    /// Sleeps for `time`, or until the program is asked to stop; `true` when it was.
    pub fn wait(&self, time: Duration) -> bool {
        let guard = self.lock();
        let (guard, _) = self
            .0
            .1
            .wait_timeout_while(guard, time, |wishes| !wishes.end)
            .unwrap_or_else(PoisonError::into_inner);
        guard.end
    }

    /// Sleeps for `time`, or until there is something to look at, a pass is wanted at once, or none any more.
    pub fn wait_for_pass(&self, time: Duration) -> Woken {
        let guard = self.lock();
        let (mut guard, _) = self
            .0
            .1
            .wait_timeout_while(guard, time, |wishes| !wishes.end && !wishes.pass && !wishes.look)
            .unwrap_or_else(PoisonError::into_inner);
        if guard.end {
            Woken::Stopped
        } else if std::mem::take(&mut guard.pass) {
            Woken::PassWanted
        } else if std::mem::take(&mut guard.look) {
            Woken::Called
        } else {
            Woken::InTime
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wishes> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AN_HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_wish_for_a_pass_is_granted_once_however_often_it_was_made() {
        let stop = Stop::new();
        stop.request_pass();
        stop.request_pass();
        assert_eq!(stop.wait_for_pass(AN_HOUR), Woken::PassWanted);
        assert_eq!(stop.wait_for_pass(Duration::ZERO), Woken::InTime);
    }

    #[test]
    fn a_call_ends_one_wait_and_is_behind_a_wish_for_a_pass() {
        let stop = Stop::new();
        stop.call();
        stop.request_pass();
        stop.call();
        assert_eq!(stop.wait_for_pass(AN_HOUR), Woken::PassWanted);
        assert_eq!(stop.wait_for_pass(AN_HOUR), Woken::Called);
        assert_eq!(stop.wait_for_pass(Duration::ZERO), Woken::InTime);
    }

    #[test]
    fn a_wish_for_a_pass_shortens_no_other_wait() {
        let stop = Stop::new();
        stop.request_pass();
        assert!(!stop.wait(Duration::from_millis(1)), "it was taken for the wish to end");
        assert_eq!(stop.wait_for_pass(AN_HOUR), Woken::PassWanted, "it was lost");
    }

    #[test]
    fn the_wish_to_end_stays_and_goes_first() {
        let stop = Stop::new();
        stop.request_pass();
        stop.request();
        assert_eq!(stop.wait_for_pass(AN_HOUR), Woken::Stopped);
        assert_eq!(stop.wait_for_pass(AN_HOUR), Woken::Stopped);
        assert!(stop.wait(AN_HOUR));
    }
}
