//! Who may be at work on the cloud. Tests run at the same time, each in a project of its own; one that does something to
//! the whole cloud runs alone.

use std::cell::Cell;
use std::fs::File;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use rustix::fs::{FlockOperation, flock};

use crate::cloud::clear_what_is_every_tests;
use crate::openrc;

static TURNS: Mutex<Turns> =
    Mutex::new(Turns { projects: Vec::new(), beside_waiting: 0, is_alone: false });
static SOMETHING_ENDED: Condvar = Condvar::new();

struct Turns {
    /// Empty until the first test.
    projects: Vec<Project>,
    /// Those that may be beside others go first: what the ones that are alone wait for is then waited for once.
    beside_waiting: usize,
    is_alone: bool,
}

struct Project {
    /// What its files' names end with.
    suffix: String,
    is_taken: bool,
    /// Whether the test before has cleared up.
    is_clean: bool,
}

/// A test's turn, in a project that no other one has. It ends when it is dropped.
pub struct Turn {
    project: usize,
    suffix: String,
    is_alone: Cell<bool>,
    found_clean: bool,
    began: Instant,
}

impl Turn {
    /// Waits for a project that is free.
    pub fn beside_others() -> Self {
        let mut turns = turns();
        turns.beside_waiting += 1;
        loop {
            if let Some(project) = turns.free().filter(|_| !turns.is_alone) {
                turns.beside_waiting -= 1;
                SOMETHING_ENDED.notify_all();
                return turns.take(project);
            }
            turns = wait(turns);
        }
    }

    /// The same when no other test waits for it: for one that has to be alone later.
    pub fn after_others() -> Self {
        let mut turns = turns();
        loop {
            let may = !turns.is_alone && turns.beside_waiting == 0;
            if let Some(project) = turns.free().filter(|_| may) {
                return turns.take(project);
            }
            turns = wait(turns);
        }
    }

    /// Waits until no other test has anything on the cloud, nor waits to be beside others.
    pub fn alone() -> Self {
        let mut turns = turns();
        while turns.beside_waiting > 0 || turns.projects.iter().any(|project| project.is_taken) {
            turns = wait(turns);
        }
        let turn = turns.take(0);
        turns.is_alone = true;
        turn.is_alone.set(true);
        turn
    }

    /// The same for one that has a project already. There may be one such test at a time.
    pub fn wait_to_be_alone(&self) {
        let mut turns = turns();
        let taken = |turns: &Turns| turns.projects.iter().filter(|one| one.is_taken).count();
        while turns.beside_waiting > 0 || taken(&turns) > 1 {
            turns = wait(turns);
        }
        turns.is_alone = true;
        self.is_alone.set(true);
    }

    /// From now on others may be at work, too.
    pub fn go_on_beside_others(&self) {
        turns().is_alone = false;
        self.is_alone.set(false);
        SOMETHING_ENDED.notify_all();
    }

    /// Whether no other test is at work.
    pub fn is_alone(&self) -> bool {
        self.is_alone.get()
    }

    /// Whether the test before has cleared up in the project.
    pub fn found_clean(&self) -> bool {
        self.found_clean
    }

    /// The project is as it was.
    pub fn leaves_clean(&self) {
        turns().projects[self.project].is_clean = true;
    }

    /// The name of the project's file of this kind.
    pub fn file(&self, kind: &str) -> String {
        format!("{kind}{}", self.suffix)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // To be seen with `--show-output`.
        eprintln!("at work on the cloud for {} s", self.began.elapsed().as_secs());
        let mut turns = turns();
        turns.projects[self.project].is_taken = false;
        if self.is_alone() {
            turns.is_alone = false;
        }
        SOMETHING_ENDED.notify_all();
    }
}

impl Turns {
    fn free(&self) -> Option<usize> {
        self.projects.iter().position(|project| !project.is_taken)
    }

    fn take(&mut self, number: usize) -> Turn {
        let project = &mut self.projects[number];
        project.is_taken = true;
        let found_clean = std::mem::take(&mut project.is_clean);
        let is_alone = Cell::new(false);
        Turn {
            project: number,
            suffix: project.suffix.clone(),
            is_alone,
            found_clean,
            began: Instant::now(),
        }
    }
}

/// Whose turn it is; the first time for this process, which waits for the end of others that run these tests.
fn turns() -> MutexGuard<'static, Turns> {
    static AGAINST_OTHER_PROCESSES: OnceLock<File> = OnceLock::new();
    AGAINST_OTHER_PROCESSES.get_or_init(|| {
        let lock = File::create(openrc::directory().join("tests.lock"));
        let lock = lock.unwrap_or_else(|error| {
            panic!("no cloud to test against: {error}; bring one up: make openstack-up")
        });
        flock(&lock, FlockOperation::LockExclusive).expect("the other run of these tests ends");
        clear_what_is_every_tests();
        lock
    });
    // A test that failed has cleared up all the same.
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    if turns.projects.is_empty() {
        turns.projects = openrc::projects()
            .map(|suffix| Project { suffix, is_taken: false, is_clean: false })
            .collect();
    }
    turns
}

fn wait(turns: MutexGuard<'static, Turns>) -> MutexGuard<'static, Turns> {
    SOMETHING_ENDED.wait(turns).unwrap_or_else(PoisonError::into_inner)
}
