//! What the loop shares with the threads beside it: "I am alive", and "please end".

use std::sync::{Arc, Condvar, Mutex, PoisonError};
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

/// The wish to end. Once made it stays.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// No wish yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the program to end: every [`Stop::wait`] returns at once.
    pub fn request(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether the program was asked to end.
    pub fn requested(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps for `time`, or until the program is asked to end; `true` when it was.
    pub fn wait(&self, time: Duration) -> bool {
        let guard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (guard, _) = self
            .0
            .1
            .wait_timeout_while(guard, time, |requested| !*requested)
            .unwrap_or_else(PoisonError::into_inner);
        *guard
    }
}
