//! Between two passes: whether those that hold the pool's addresses still answer. Decides nothing but that a pass begins
//! early.
//!
//! [`Holders`] knows whom to ask when, and with what result; [`Watch`] asks. No question holds up another one, or a
//! pass: a short-lived thread waits for each that is not answered at once.

mod holders;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use holders::{Holder, Holders, Learnt, Question, after_pass};

use crate::clock::{Clock, Moment};
use crate::error::Result;
use crate::handles::Handles;
use crate::http::ReplicaClient;
use crate::model::{Answer, Lost, ServerId, Watched};
use crate::pass::Report;
use crate::probe::Asker;
use crate::progress::Stop;
use crate::settings::{Config, ProbeSettings};
use crate::workers::STACK_BYTES;

/// Only when the whole program stood still does a question last this much longer than its time limit.
const HELD_UP: Duration = Duration::from_secs(1);

/// For this long one thread asks alone. Healthy holders all answer it meanwhile, one after another; those that are left
/// by then wait behind one that is not well.
const ALONE: Duration = Duration::from_millis(20);

/// Asks the holders.
pub struct Watch {
    holders: Holders,
    settings: ProbeSettings,
    client: ReplicaClient,
    /// For questions that are hurried.
    hurried: ReplicaClient,
    clock: Clock,
    handles: Handles,
    queue: Arc<Mutex<VecDeque<Question>>>,
    workers: Vec<JoinHandle<()>>,
    sender: Sender<Ended>,
    ended: Receiver<Ended>,
}

/// A question that ended.
struct Ended {
    question: Question,
    answer: Answer,
    at: Duration,
}

impl Watch {
    /// A watch that asks nobody yet; `None` where nothing is to be watched. An unreadable `REPLICA_API_CACERT` is an error.
    pub fn new(config: &Config, clock: Clock, handles: Handles) -> Result<Option<Self>> {
        let wanted = config.policy.manage_addresses && !config.policy.once;
        let Some(interval) = config.watch.filter(|_| wanted) else { return Ok(None) };
        let settings = config.probe.clone();
        let (usual, hurried) = Holders::connect_limits(interval);
        let (sender, ended) = mpsc::channel();
        Ok(Some(Watch {
            holders: Holders::new(interval, settings.concurrency),
            client: ReplicaClient::impatient(&settings, usual)?,
            hurried: ReplicaClient::impatient(&settings, hurried)?,
            settings,
            clock,
            handles,
            queue: Arc::default(),
            workers: Vec::new(),
            sender,
            ended,
        }))
    }

    /// Forgets whom it asked: another scaler may have moved the addresses.
    pub fn begin_anew(&mut self) {
        self.holders.forget();
    }

    /// A pass ended. When it did not see the pool or its addresses, those that held them are asked on.
    pub fn pass_ended(&mut self, report: &Report, began: Moment) {
        if let (Some(plan), Some(addresses)) = (&report.plan, &report.addresses) {
            let outcome = report.outcome.as_ref();
            let holders = after_pass(plan, outcome, addresses, &report.answered);
            self.holders.pass_ended(holders, began.elapsed, self.clock.now().elapsed);
        }
    }

    /// Takes in the results of the questions, and asks the holders that are due. Gives the holders that begin a pass
    /// now.
    pub fn look(&mut self) -> BTreeMap<ServerId, Lost> {
        self.handles.progress.mark();
        self.hear();
        self.join();
        self.help();
        let now = self.clock.now().elapsed;
        let due = self.holders.due(now);
        self.ask(due);
        self.holders.take_lost(now)
    }

    /// When to look again, on the monotonic clock, unless a question fails before: that is a [`call`](crate::progress::Stop::call).
    pub fn next(&self) -> Option<Duration> {
        let now = self.clock.now().elapsed;
        let left = (!lock(&self.queue).is_empty()).then(|| now + ALONE);
        self.holders.next(now).into_iter().chain(left).min()
    }

    /// What a pass should know, whatever makes it begin.
    pub fn tell(&mut self, lost: BTreeMap<ServerId, Lost>) -> Watched {
        self.hear();
        // The pass may take long, and then nobody looks.
        self.help();
        let pending = self.holders.pending(self.clock.now().elapsed);
        Watched { lost, pending, last_answers: self.holders.last_answers() }
    }

    fn hear(&mut self) {
        while let Ok(Ended { question, answer, at }) = self.ended.try_recv() {
            self.take_up(&question, &answer, at);
        }
    }

    fn take_up(&mut self, question: &Question, answer: &Answer, at: Duration) {
        // The client ends every question in time: one that lasted longer was held up with this whole program.
        let lasted = at.saturating_sub(question.began);
        let was_held_up = lasted > self.settings.timeout + HELD_UP;
        let answer = match answer {
            Answer::None { .. } if was_held_up => &Answer::Unasked,
            answer => answer,
        };
        if *answer != Answer::Unasked {
            let answered = matches!(answer, Answer::Valid { .. });
            self.handles.metrics.watch_question(answered);
        }
        self.holders.ended(question, answer, at);
    }

    /// Joins the threads that have ended.
    fn join(&mut self) {
        for worker in self.workers.extract_if(.., |worker| worker.is_finished()) {
            if worker.join().is_err() {
                log::error!("a bug in this program stopped a question to the holder of an address");
            }
        }
    }

    /// Starts one thread for all of these: a thread costs more than an answer that comes at once.
    fn ask(&mut self, questions: Vec<Question>) {
        if !questions.is_empty() {
            lock(&self.queue).extend(questions);
            self.start(1);
        }
    }

    /// Starts a thread for each question that still waits.
    fn help(&mut self) {
        let left = lock(&self.queue).len();
        self.start(left);
    }

    fn start(&mut self, threads: usize) {
        for _ in 0..threads {
            let work = self.work();
            let builder = thread::Builder::new().name("watch".into()).stack_size(STACK_BYTES);
            match builder.spawn(work) {
                Ok(worker) => self.workers.push(worker),
                Err(error) => {
                    log::debug!("no thread to ask the holders of addresses: {error}");
                    return self.leave();
                }
            }
        }
    }

    /// Nobody is there to ask the rest.
    fn leave(&mut self) {
        let left = std::mem::take(&mut *lock(&self.queue));
        for question in left {
            self.holders.ended(&question, &Answer::Unasked, question.began);
        }
    }

    /// What a thread does.
    fn work(&self) -> impl FnOnce() + Send + 'static {
        let (client, hurried) = (self.client.clone(), self.hurried.clone());
        let (settings, clock, stop) =
            (self.settings.clone(), self.clock, self.handles.stop.clone());
        let (queue, sender) = (Arc::clone(&self.queue), self.sender.clone());
        let questions = self.handles.questions.clone();
        let somebody_waits = self.holders.are_crowded();
        move || {
            loop {
                let Some(question) = lock(&queue).pop_front() else { return };
                let client = if question.hurried { &hurried } else { &client };
                let mut asking = Asking {
                    question,
                    answer: Answer::Unasked,
                    clock,
                    sender: &sender,
                    stop: &stop,
                    somebody_waits,
                };
                let asker = Asker { client, settings: &settings, clock, questions: &questions };
                let Question { id, address, .. } = &asking.question;
                (asking.answer, _) = asker.ask(id, *address);
            }
        }
    }
}

/// A question that is being asked. However that ends, the watch hears of it.
struct Asking<'a> {
    question: Question,
    answer: Answer,
    clock: Clock,
    sender: &'a Sender<Ended>,
    stop: &'a Stop,
    /// Whether another question begins when this one ends.
    somebody_waits: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let (question, answer) = (self.question.clone(), self.answer.clone());
        let is_good = matches!(answer, Answer::Valid { .. });
        // Nobody listens any more when the program ends.
        let _ = self.sender.send(Ended { question, answer, at: self.clock.now().elapsed });
        // A good answer has time until the next interval: to wake the loop for each costs more than to ask.
        if self.somebody_waits || !is_good {
            self.stop.call();
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
