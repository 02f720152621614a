//! The world: scalers, the store they share, what is on its way, and the time.

use std::time::{Duration, SystemTime};

use simplescalevm::clock::Moment;
use simplescalevm::lease::candidate::{Answer, Candidate, Request, Role, Rules};

use crate::store::{Store, holder};

/// One state of everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Ticks since the beginning.
    pub now: u64,
    /// All scalers.
    pub scalers: Vec<Scaler>,
    /// What they share.
    pub store: Store,
    /// What nobody waits for any more: each may still take effect once, at any time.
    pub late: Vec<Late>,
    /// By process, when it last might have sent a creation, as long as that may take effect.
    creations: Vec<(String, u64)>,
    /// What may still go wrong.
    pub faults: u8,
    /// How many processes there were.
    processes: u8,
}

/// A machine with one scaler.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scaler {
    word: String,
    /// What the program runs.
    pub candidate: Candidate,
    /// Seconds that its clocks count in a tick.
    rate: u64,
    /// Ticks that its monotonic clock missed.
    behind: u64,
    /// What keeps it from doing anything.
    pub stop: Option<Stop>,
    /// The request that it waits for: others are answered at once.
    pub asked: Option<Asked>,
    /// Whether it may change something now.
    pub acts: bool,
    /// Whether it may create something now.
    pub creates: bool,
}

/// Why a scaler does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    /// It gets no processor.
    Paused,
    /// The machine sleeps, and with it the monotonic clock.
    Suspended,
}

/// A request that takes longer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    request: Request,
    sent: Moment,
    /// `None`: it has not taken effect.
    pub answer: Option<Answer>,
}

/// A request whose sender gave up, or is gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Late {
    word: String,
    number: (u64, u64),
    kind: u8,
}

impl Late {
    fn new(word: &str, request: Request) -> Option<Self> {
        let (kind, number) = match request {
            Request::Look | Request::Read(_) => return None,
            Request::Create(epoch) => (0, (epoch, 0)),
            Request::Renew { epoch, renewed } => (1, (epoch, renewed)),
            Request::Release(epoch) => (2, (epoch, 0)),
            Request::Delete(epoch) => (3, (epoch, 0)),
        };
        Some(Late { word: word.into(), number, kind })
    }

    fn request(&self) -> Request {
        let (epoch, renewed) = self.number;
        match self.kind {
            0 => Request::Create(epoch),
            1 => Request::Renew { epoch, renewed },
            2 => Request::Release(epoch),
            _ => Request::Delete(epoch),
        }
    }
}

impl Scaler {
    /// Now, by its own clocks.
    pub fn moment(&self, now: u64) -> Moment {
        let elapsed = Duration::from_secs((now - self.behind) * self.rate);
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(now * self.rate);
        Moment { elapsed, wall }
    }

    /// Whether it has something to do, if nothing keeps it from that.
    pub fn is_due(&self, now: u64) -> bool {
        self.asked.is_none() && self.candidate.next().0 <= self.moment(now).elapsed
    }

    fn judge(&mut self, now: u64) {
        let (role, moment) = (self.candidate.role(), self.moment(now));
        self.acts = matches!(&role, Role::Leader(tenure) if tenure.may_act(moment));
        self.creates = matches!(&role, Role::Leader(tenure) if tenure.may_create(moment));
    }

    fn told(&mut self, now: u64, request: Request, sent: Moment, answer: Answer) {
        let ended = self.moment(now).elapsed;
        self.candidate.told(request, sent, ended, answer);
    }
}

impl World {
    /// All scalers start, with clocks of these speeds.
    pub fn new(rules: Rules, rates: &[u64], store: Store, faults: u8) -> Self {
        let scalers = rates.iter().map(|&rate| Scaler {
            word: String::new(),
            candidate: Candidate::new(rules, holder(""), Duration::ZERO),
            rate,
            behind: 0,
            stop: None,
            asked: None,
            acts: false,
            creates: false,
        });
        let mut world = World {
            now: 0,
            scalers: scalers.collect(),
            store,
            late: Vec::new(),
            creations: Vec::new(),
            faults,
            processes: 0,
        };
        for index in 0..rates.len() {
            world.start(index, rules);
        }
        world
    }

    /// A new process begins on a machine; the one before it is gone.
    pub fn start(&mut self, index: usize, rules: Rules) {
        self.abandon(index);
        let word = char::from(b'a' + self.processes).to_string();
        self.processes += 1;
        let (scaler, now) = (&mut self.scalers[index], self.now);
        let began = scaler.moment(now).elapsed;
        scaler.candidate = Candidate::new(rules, holder(&word), began);
        scaler.word = word;
    }

    /// A request is sent, takes effect and is answered, all at once.
    pub fn turn(&mut self, index: usize) {
        self.send(index);
        self.arrive(index);
        self.answer(index);
    }

    /// What is due is sent, nothing else.
    pub fn send(&mut self, index: usize) {
        let scaler = &mut self.scalers[index];
        let (_, request) = scaler.candidate.next();
        scaler.stop = None;
        scaler.asked = Some(Asked { request, sent: scaler.moment(self.now), answer: None });
    }

    /// What was sent takes effect.
    pub fn arrive(&mut self, index: usize) {
        let scaler = &mut self.scalers[index];
        if let Some(asked) = &mut scaler.asked {
            asked.answer = Some(self.store.ask(&scaler.word, asked.request, self.now));
        }
    }

    /// The answer is there.
    pub fn answer(&mut self, index: usize) {
        let scaler = &mut self.scalers[index];
        if let Some(Asked { request, sent, answer: Some(answer) }) = scaler.asked.take() {
            scaler.told(self.now, request, sent, answer);
        }
    }

    /// A scaler waits no longer; what it asked for may still happen.
    pub fn give_up(&mut self, index: usize) {
        if let Some((request, sent)) = self.abandon(index) {
            self.scalers[index].told(self.now, request, sent, Answer::Failed);
        }
    }

    /// Forgets what can have no effect any more.
    pub fn tidy(&mut self) {
        self.late.retain(|late| self.store.minds(late.request()));
    }

    fn abandon(&mut self, index: usize) -> Option<(Request, Moment)> {
        let scaler = &mut self.scalers[index];
        let Asked { request, sent, answer } = scaler.asked.take()?;
        if answer.is_none() {
            let late = Late::new(&scaler.word, request);
            self.late.extend(late);
            self.late.sort();
        }
        Some((request, sent))
    }

    /// What was given up takes effect.
    pub fn take_effect(&mut self, index: usize) {
        let late = self.late.remove(index);
        self.store.ask(&late.word, late.request(), self.now);
    }

    /// An orderly end, and a new start: the loop has ended, and with it its creations.
    pub fn end(&mut self, index: usize, release: Request, rules: Rules) {
        let word = self.scalers[index].word.clone();
        self.creations.retain(|(by, _)| *by != word);
        self.late.extend(Late::new(&word, release));
        self.late.sort();
        self.start(index, rules);
    }

    /// Time goes on.
    pub fn tick(&mut self) {
        self.now += 1;
        for scaler in &mut self.scalers {
            if scaler.stop == Some(Stop::Suspended) {
                scaler.behind += 1;
            }
        }
    }

    /// Who may act now, and create: a creation may take effect within so many ticks.
    pub fn judge(&mut self, longest: u64) {
        let now = self.now;
        self.creations.retain(|(_, sent)| sent + longest > now);
        for scaler in &mut self.scalers {
            scaler.judge(now);
            if !scaler.creates {
                continue;
            }
            match self.creations.iter_mut().find(|(by, _)| *by == scaler.word) {
                Some((_, sent)) => *sent = now,
                None => self.creations.push((scaler.word.clone(), now)),
            }
        }
        self.creations.sort();
    }

    /// Whether one may create while what another one created may still take effect.
    pub fn creations_mix(&self) -> bool {
        self.scalers
            .iter()
            .filter(|scaler| scaler.creates)
            .any(|scaler| self.creations.iter().any(|(by, _)| *by != scaler.word))
    }

    /// How many may act.
    pub fn acting(&self) -> usize {
        self.scalers.iter().filter(|scaler| scaler.acts).count()
    }
}
