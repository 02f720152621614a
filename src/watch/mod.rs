//! Between two passes: whether those that hold the pool's addresses still answer. Decides nothing but that a pass begins
//! early.
//!
//! [`Holders`] knows whom to ask when, and what came of it; [`Watch`] asks. No question holds up another one, or a pass:
//! each has a short-lived thread of its own.

mod holders;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use holders::{Holder, Holders, Learnt, Question};

use crate::clock::{Clock, Moment};
use crate::error::Result;
use crate::handles::Handles;
use crate::http::ReplicaClient;
use crate::model::{Answer, Lost, ServerId, Watched};
use crate::pass::Report;
use crate::probe::{self, WORKER_STACK_BYTES};
use crate::settings::{Config, ProbeSettings};

/// Asks the holders.
pub struct Watch {
    holders: Holders,
    settings: ProbeSettings,
    client: ReplicaClient,
    /// For questions that are hurried.
    hurried: ReplicaClient,
    clock: Clock,
    handles: Handles,
    workers: Vec<(Question, JoinHandle<()>)>,
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
            workers: Vec::new(),
            sender,
            ended,
        }))
    }

    /// A pass ended. When it did not see the pool or its addresses, those that held them are asked on.
    pub fn pass_ended(&mut self, report: &Report, began: Moment) {
        if let (Some(plan), Some(addresses)) = (&report.plan, &report.addresses) {
            let outcome = report.outcome.as_ref();
            let holders = holders::after_pass(plan, outcome, addresses, &report.answered);
            self.holders.pass_ended(holders, began.elapsed, self.clock.now().elapsed);
        }
    }

    /// Takes up what the questions came to, and asks who is due. Gives the holders that begin a pass now.
    pub fn look(&mut self) -> BTreeMap<ServerId, Lost> {
        self.handles.progress.mark();
        while let Ok(Ended { question, answer, at }) = self.ended.try_recv() {
            self.take_up(&question, &answer, at);
        }
        self.join();
        let now = self.clock.now().elapsed;
        for question in self.holders.due(now) {
            self.ask(question);
        }
        self.holders.take_lost(now)
    }

    /// When to look again, on the monotonic clock, unless a question ends before: that is a [`call`](crate::progress::Stop::call).
    pub fn next(&self) -> Option<Duration> {
        self.holders.next()
    }

    /// What a pass should know, whatever makes it begin.
    pub fn tell(&self, lost: BTreeMap<ServerId, Lost>) -> Watched {
        let pending = self.holders.pending(self.clock.now().elapsed);
        Watched { lost, pending, last_answers: self.holders.last_answers() }
    }

    fn take_up(&mut self, question: &Question, answer: &Answer, at: Duration) {
        if *answer != Answer::Unasked {
            let answered = matches!(answer, Answer::Valid { .. });
            self.handles.metrics.watch_question(answered);
        }
        self.holders.ended(question, answer, at);
    }

    /// Joins the threads that have ended; one that panicked has asked nothing.
    fn join(&mut self) {
        let ended: Vec<_> =
            self.workers.extract_if(.., |(_, worker)| worker.is_finished()).collect();
        for (question, worker) in ended {
            if worker.join().is_err() {
                log::error!("a bug in this program stopped a question to {}", question.id);
                self.holders.ended(&question, &Answer::Unasked, self.clock.now().elapsed);
            }
        }
    }

    fn ask(&mut self, question: Question) {
        let client = if question.hurried { &self.hurried } else { &self.client };
        let (client, settings) = (client.clone(), self.settings.clone());
        let (clock, stop) = (self.clock, self.handles.stop.clone());
        let (sender, asked) = (self.sender.clone(), question.clone());
        let work = move || {
            let (answer, _) = probe::ask(&client, &settings, asked.address);
            let at = clock.now().elapsed;
            // Nobody listens any more when the program ends.
            let _ = sender.send(Ended { question: asked, answer, at });
            stop.call();
        };
        let builder = thread::Builder::new().name("watch".into()).stack_size(WORKER_STACK_BYTES);
        match builder.spawn(work) {
            Ok(worker) => self.workers.push((question, worker)),
            Err(error) => {
                log::debug!("{} was not asked: no thread: {error}", question.address);
                self.holders.ended(&question, &Answer::Unasked, question.began);
            }
        }
    }
}
