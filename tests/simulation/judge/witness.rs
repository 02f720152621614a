//! What one process could see so far, kept apart from what it made of it.

use std::collections::{BTreeMap, BTreeSet};

use simplescalevm::error::{Error, ErrorKind};
use simplescalevm::model::{AddressId, Answer, Condition, ExternalAddress, Server, ServerId};
use simplescalevm::settings::Policy;

use crate::clock;
use crate::world::MARK;

/// Lists after which a batch with an unclear outcome counts no more.
const UNCLEAR_LISTS: u64 = 2;

/// Lists for which a refused pair is not tried again.
const REFUSED_LISTS: u64 = 10;

/// What the process heard of a creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing yet, or nothing that tells whether it was done.
    Unclear,
    /// The first server's id.
    First(ServerId),
}

/// A creation of this process.
pub struct Batch {
    pub mark: String,
    pub asked: u64,
    pub list: u64,
    pub reply: Reply,
    pub was_listed: bool,
    /// A look-up found nothing.
    pub gone: bool,
    /// In this pass a look-up found what the list does not show.
    pub exists: bool,
}

/// One process's sight of the world.
#[derive(Default)]
pub struct Witness {
    pub began: u64,
    /// Lists so far.
    pub lists: u64,
    /// Whether the cloud was seen looking for a host.
    pub scheduling: bool,
    /// The pool in this pass's list.
    pub servers: Vec<Server>,
    pub addresses: Option<Vec<ExternalAddress>>,
    /// Answers of this pass.
    pub answers: BTreeMap<ServerId, Answer>,
    /// The last answers that were heard at all.
    pub last: BTreeMap<ServerId, Answer>,
    /// Whoever answered this process, or may have answered an earlier one.
    pub proven: BTreeSet<ServerId>,
    pub silent_since: BTreeMap<ServerId, u64>,
    pub deleting_since: BTreeMap<ServerId, u64>,
    pub delete_sent: BTreeMap<ServerId, u64>,
    /// Lists in a row in which it was stopped, or in error and silent.
    pub stopped: BTreeMap<ServerId, u64>,
    pub in_error: BTreeMap<ServerId, u64>,
    pub batches: Vec<Batch>,
    /// Addresses and servers of the binds of this pass, and whether they went well.
    pub binds: Vec<(AddressId, ServerId, bool)>,
    pub refused: Vec<(AddressId, ServerId, u64)>,
    /// Replicas that this pass deleted for their silence.
    pub silent_deleted: u64,
    pub deleted_now: BTreeSet<ServerId>,
}

impl Witness {
    pub fn pass_begins(&mut self) {
        self.began = clock::now();
        self.servers.clear();
        self.addresses = None;
        self.answers.clear();
        self.binds.clear();
        self.silent_deleted = 0;
        self.deleted_now.clear();
    }

    pub fn listed(&mut self, policy: &Policy, servers: &[Server]) {
        self.lists += 1;
        self.scheduling = servers.iter().any(|server| server.scheduling);
        let of_the_pool = |server: &&Server| server.mark.as_deref() == Some(MARK);
        self.servers = servers.iter().filter(of_the_pool).cloned().collect();
        let now = clock::date(clock::now());
        for server in &self.servers {
            let id = &server.id;
            let age = server.launched.at().and_then(|launched| now.duration_since(launched).ok());
            if self.lists == 1 && !policy.once && age.is_some_and(|age| age >= policy.boot_grace) {
                self.proven.insert(id.clone());
            }
            note(&mut self.deleting_since, id, server.condition == Condition::Deleting, self.began);
            let stopped = server.condition == Condition::Stopped { task: None };
            count(&mut self.stopped, id, stopped);
            let in_error = server.condition == Condition::Error && server.launched.at().is_some();
            count(&mut self.in_error, id, in_error);
        }
        for batch in &mut self.batches {
            batch.exists = false;
            let shown = |server: &Server| server.batch.as_ref() == Some(&batch.mark);
            batch.was_listed |= self.servers.iter().any(shown);
        }
    }

    pub fn answered(&mut self, id: &ServerId, answer: &Answer) {
        let valid = matches!(answer, Answer::Valid { .. });
        if valid {
            self.proven.insert(id.clone());
            self.in_error.remove(id);
        }
        note(&mut self.silent_since, id, !valid, self.began);
        self.answers.insert(id.clone(), answer.clone());
        self.last.insert(id.clone(), answer.clone());
    }

    pub fn looked_up(&mut self, id: &ServerId, exists: bool) {
        let found = self.batches.iter_mut().find(|batch| batch.reply == Reply::First(id.clone()));
        // Of one that was listed, a look-up before its deletion tells nothing new.
        if let Some(batch) = found.filter(|batch| !batch.was_listed) {
            batch.gone |= !exists;
            batch.exists = exists;
        }
    }

    pub fn created(&mut self, result: &Result<ServerId, Error>) {
        let reply = match result {
            Ok(first) => Reply::First(first.clone()),
            Err(error) if error.kind == ErrorKind::Unclear => Reply::Unclear,
            Err(_) => {
                self.batches.pop();
                return;
            }
        };
        if let Some(batch) = self.batches.last_mut() {
            batch.reply = reply;
        }
    }

    pub fn deleted(&mut self, id: &ServerId, result: &Result<(), Error>) {
        if result.is_ok() {
            self.delete_sent.insert(id.clone(), self.began);
        }
    }

    pub fn bound(&mut self, address: &AddressId, server: &ServerId, good: bool, refused: bool) {
        self.binds.push((address.clone(), server.clone(), good));
        if refused {
            self.refused.push((address.clone(), server.clone(), self.lists + REFUSED_LISTS));
        }
    }

    /// Batches that the list does not show and whose first server is known.
    pub fn to_look_up(&self) -> usize {
        let unlisted = self.batches.iter().filter(|batch| !batch.was_listed);
        unlisted.filter(|batch| matches!(batch.reply, Reply::First(_))).count()
    }

    /// Whether a batch may still come, as far as the process knows.
    pub fn follows(&self, batch: &Batch) -> bool {
        !batch.was_listed
            && !batch.gone
            && match batch.reply {
                Reply::First(_) => true,
                Reply::Unclear => self.lists <= batch.list + UNCLEAR_LISTS,
            }
    }

    pub fn is_healthy(&self, id: &ServerId) -> bool {
        matches!(self.answers.get(id), Some(Answer::Valid { termination: false, .. }))
    }

    pub fn server(&self, id: &ServerId) -> Option<&Server> {
        self.servers.iter().find(|server| server.id == *id)
    }
}

fn note(since: &mut BTreeMap<ServerId, u64>, id: &ServerId, is_so: bool, now: u64) {
    if is_so {
        since.entry(id.clone()).or_insert(now);
    } else {
        since.remove(id);
    }
}

fn count(lists: &mut BTreeMap<ServerId, u64>, id: &ServerId, is_so: bool) {
    if is_so {
        *lists.entry(id.clone()).or_default() += 1;
    } else {
        lists.remove(id);
    }
}
