//! The replicas and the sessions on them, second by second, and what they come to.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::trace::Session;
use crate::{CAPACITY, MINIMUM};

/// How long a VM takes, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Boot {
    /// The cloud has it in `BUILD`.
    pub build: u64,
    /// From then to its first answer.
    pub start: u64,
}

impl Boot {
    pub fn of(whole: u64) -> Self {
        Boot { build: whole / 3, start: whole - whole / 3 }
    }

    pub fn whole(self) -> u64 {
        self.build + self.start
    }
}

/// Who makes and deletes replicas.
pub trait Scaler {
    /// This second is over: what is to be done?
    fn act(&mut self, fleet: &mut Fleet);
}

/// What a scaler's time came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub vm_seconds: u64,
    /// Seconds below the minimum.
    pub below: u64,
    /// VMs that were made.
    pub made: u64,
    /// Sessions that had to wait.
    pub waited: u64,
}

/// All replicas that ever were, each by its number: the oldest first.
pub struct Fleet {
    pub now: u64,
    pub boot: Boot,
    vms: Vec<Vm>,
    alive: Vec<usize>,
    /// So many answer or did.
    ready: usize,
    /// The oldest that has room, or the next that will have.
    filling: usize,
    /// Free resources of those that answer.
    free: u64,
    /// When sessions end, and on which replica.
    ends: BinaryHeap<Reverse<(u64, usize)>>,
    /// Sessions that found no room.
    waiting: VecDeque<Session>,
    figures: Figures,
}

struct Vm {
    created: u64,
    /// Sessions that it has begun, and those that go on.
    begun: u64,
    running: u64,
}

/// So many seconds of a scaler.
pub fn play(scaler: &mut dyn Scaler, sessions: &[Session], boot: Boot, seconds: u64) -> Figures {
    let mut fleet = Fleet::new(boot);
    let mut sessions = sessions.iter().peekable();
    for now in 0..seconds {
        fleet.now = now;
        fleet.settle();
        while let Some(session) = sessions.next_if(|session| session.begins == now) {
            fleet.waiting.push_back(*session);
        }
        fleet.begin_sessions();
        fleet.measure();
        scaler.act(&mut fleet);
    }
    fleet.figures
}

impl Fleet {
    fn new(boot: Boot) -> Self {
        Fleet {
            now: 0,
            boot,
            vms: Vec::new(),
            alive: Vec::new(),
            ready: 0,
            filling: 0,
            free: 0,
            ends: BinaryHeap::new(),
            waiting: VecDeque::new(),
            figures: Figures::default(),
        }
    }

    /// Those that are not deleted.
    pub fn alive(&self) -> impl Iterator<Item = usize> {
        self.alive.iter().copied()
    }

    /// One more; its number.
    pub fn create(&mut self) -> usize {
        let number = self.vms.len();
        self.vms.push(Vm { created: self.now, begun: 0, running: 0 });
        self.alive.push(number);
        self.figures.made += 1;
        number
    }

    pub fn delete(&mut self, number: usize) {
        assert!(self.is_finished(number), "replica {number} is deleted and not finished");
        self.alive.retain(|one| *one != number);
    }

    pub fn delete_finished(&mut self) {
        let finished: Vec<usize> =
            self.alive().filter(|number| self.is_finished(*number)).collect();
        for number in finished {
            self.delete(number);
        }
    }

    /// Whether the cloud has it in `BUILD`.
    pub fn is_building(&self, number: usize) -> bool {
        self.now < self.vms[number].created + self.boot.build
    }

    pub fn answers(&self, number: usize) -> bool {
        number < self.ready
    }

    /// What it says is free, once it answers.
    pub fn room(&self, number: usize) -> u64 {
        CAPACITY - self.vms[number].begun
    }

    /// Whether it says `termination: true`.
    pub fn is_finished(&self, number: usize) -> bool {
        let vm = &self.vms[number];
        vm.begun == CAPACITY && vm.running == 0
    }

    /// Boots and sessions end.
    fn settle(&mut self) {
        while self.vms.get(self.ready).is_some_and(|vm| vm.created + self.boot.whole() <= self.now)
        {
            self.ready += 1;
            self.free += CAPACITY;
        }
        while let Some(Reverse((at, number))) = self.ends.peek().copied()
            && at <= self.now
        {
            self.ends.pop();
            self.vms[number].running -= 1;
        }
    }

    fn begin_sessions(&mut self) {
        while self.free > 0
            && let Some(session) = self.waiting.pop_front()
        {
            self.free -= 1;
            let vm = &mut self.vms[self.filling];
            vm.begun += 1;
            vm.running += 1;
            self.ends.push(Reverse((self.now + session.lasts, self.filling)));
            self.filling += usize::from(vm.begun == CAPACITY);
        }
        let now = self.now;
        let waits = self.waiting.iter().rev().take_while(|session| session.begins == now);
        self.figures.waited += count(waits.count());
    }

    fn measure(&mut self) {
        self.figures.vm_seconds += count(self.alive.len());
        self.figures.below += u64::from(self.free < MINIMUM);
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).expect("they fit")
}
