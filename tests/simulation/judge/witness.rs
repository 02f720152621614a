//! What one process could see so far, kept apart from what it made of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use simplescalevm::error::{Error, ErrorKind};
use simplescalevm::model::{
    AddressId, Answer, Condition, ExternalAddress, Server, ServerId, Watched,
};
use simplescalevm::settings::Policy;

use super::brakes::Brakes;
use crate::clock;
use crate::stage::INTERVAL;
use crate::world::MARK;

/// What counts passes counts those that begin at least so many seconds after the last one that counted.
pub const PASS_COUNTS_AFTER: u64 = 54;

/// Passes for which a batch with an unclear outcome counts.
const UNCLEAR_PASSES: u64 = 2;

/// Passes for which a refused pair is not tried again.
const REFUSED_PASSES: u64 = 10;

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
    /// The list it was decided by, and when.
    pub list: u64,
    pub at: u64,
    pub reply: Reply,
    /// Whether the last list shows any of it.
    pub is_listed: bool,
    /// Servers of it in the last list, as long as one of them was being scheduled.
    pub scheduling: Option<u64>,
    /// A look-up found nothing.
    pub gone: bool,
    /// In this pass a look-up found what the list does not show.
    pub exists: bool,
}

/// One process's sight of the world.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Witness {
    pub began: u64,
    /// Lists so far that a pass went by.
    pub lists: u64,
    /// Whether this pass has its list, since when, and whether the cloud told its time with it.
    pub has_list: bool,
    pub listed_at: u64,
    pub clock_told: bool,
    /// Whether any server of the project was being scheduled.
    pub scheduling: bool,
    /// The pool in this pass's list, and where in it each is.
    pub servers: Vec<Server>,
    places: HashMap<ServerId, usize>,
    pub addresses: Option<Vec<ExternalAddress>>,
    /// What this pass looked up and found to be gone.
    pub gone_now: BTreeSet<ServerId>,
    /// Answers of this pass.
    pub answers: BTreeMap<ServerId, Answer>,
    /// Whether the watch began this pass; whom it had lost then, and who did not answer the one question of the pass.
    pub in_haste: bool,
    pub lost: BTreeSet<ServerId>,
    pub unconfirmed: BTreeSet<ServerId>,
    /// Those that were asked once more, just before their deletion.
    pub asked_again: BTreeSet<ServerId>,
    /// The same of the pass before, and whom that pass had in its list. Passes that the watch begins only add answers.
    pub answers_before: BTreeMap<ServerId, Answer>,
    pub servers_before: Vec<Server>,
    /// The last answers that were heard at all.
    pub last: BTreeMap<ServerId, Answer>,
    /// Free resources by the last valid one.
    pub last_valid: BTreeMap<ServerId, u64>,
    /// Whoever answered this process, or may have answered an earlier one.
    pub proven: BTreeSet<ServerId>,
    /// When this process first heard one that is not known to have answered before, and since when the healthy are.
    pub first_answer: BTreeMap<ServerId, u64>,
    pub healthy_since: BTreeMap<ServerId, u64>,
    /// When the newest replica was made that was healthy for as long as the boot grace.
    pub newest_to_last: Option<std::time::SystemTime>,
    pub silent_since: BTreeMap<ServerId, u64>,
    /// The same of those that the watch lost first.
    pub silent_since_haste: BTreeMap<ServerId, u64>,
    pub deleting_since: BTreeMap<ServerId, u64>,
    pub delete_sent: BTreeMap<ServerId, u64>,
    /// Those whose last deletion failed, in an earlier pass.
    pub not_deleted: BTreeMap<ServerId, u64>,
    /// Those of which a look-up failed: what was to be done about them was not done.
    pub not_looked_up: BTreeSet<ServerId>,
    /// Since when it is stopped, or in error and silent.
    pub stopped_since: BTreeMap<ServerId, u64>,
    pub in_error_since: BTreeMap<ServerId, u64>,
    pub brakes: Brakes,
    /// When the last pass began that counts.
    counted_at: Option<u64>,
    /// Those of the pool that a look-up of this pass found, and no list.
    pub found: BTreeMap<ServerId, Server>,
    pub batches: Vec<Batch>,
    /// Addresses and servers of the binds of this pass, and whether they went well.
    pub binds: Vec<(AddressId, ServerId, bool)>,
    /// And when the pass began that refused them.
    pub refused: Vec<(AddressId, ServerId, u64)>,
    /// Replicas that this pass deleted for their silence, and trials that only a next trial lets it delete.
    pub silent_deleted: u64,
    pub trials_deleted: Vec<ServerId>,
    pub deleted_now: BTreeSet<ServerId>,
    /// What this pass made, as the cloud named it.
    pub made_now: Option<ServerId>,
}

impl Witness {
    pub fn pass_begins(&mut self) {
        if self.has_list {
            self.servers_before = std::mem::take(&mut self.servers);
            let answers = std::mem::take(&mut self.answers);
            if self.in_haste || !self.counted() {
                self.add_to_those_before(answers);
            } else {
                self.answers_before = answers;
            }
        }
        self.began = clock::now();
        self.in_haste = false;
        self.lost.clear();
        self.unconfirmed.clear();
        self.has_list = false;
        self.servers.clear();
        self.places.clear();
        self.addresses = None;
        self.answers.clear();
        self.binds.clear();
        self.silent_deleted = 0;
        self.trials_deleted.clear();
        self.deleted_now.clear();
        self.made_now = None;
        self.gone_now.clear();
        self.found.clear();
        self.asked_again.clear();
    }

    /// Whether the pass that is over lies an interval after the last one that did.
    fn counted(&mut self) -> bool {
        let counts = self.counted_at.is_none_or(|at| self.began >= at + PASS_COUNTS_AFTER);
        if counts {
            let next = self.counted_at.map_or(0, |at| at + INTERVAL);
            self.counted_at = Some(self.began.max(next));
        }
        counts
    }

    /// What a pass heard that asked not everybody, and nobody twice.
    fn add_to_those_before(&mut self, answers: BTreeMap<ServerId, Answer>) {
        for (id, answer) in answers {
            match answer {
                Answer::Valid { .. } => drop(self.answers_before.insert(id, answer)),
                Answer::None { .. } => drop(self.answers_before.entry(id).or_insert(answer)),
                Answer::Unasked => {}
            }
        }
    }

    pub fn listed(&mut self, policy: &Policy, servers: &[Server], clock_told: bool) {
        let of_the_pool = |server: &&Server| server.mark.as_deref() == Some(MARK);
        self.scheduling |= servers.iter().any(|server| server.scheduling);
        if self.has_list {
            // The list read once more: what only one of them shows is there.
            for server in servers.iter().filter(of_the_pool) {
                if self.server(&server.id).is_none() {
                    self.places.insert(server.id.clone(), self.servers.len());
                    self.servers.push(server.clone());
                    self.brakes.is_there(server);
                    self.note_state(server);
                }
            }
            self.note_batches();
            return;
        }
        self.scheduling = servers.iter().any(|server| server.scheduling);
        self.lists += 1;
        self.has_list = true;
        self.listed_at = clock::now();
        self.clock_told = clock_told;
        self.servers = servers.iter().filter(of_the_pool).cloned().collect();
        let places = self.servers.iter().enumerate();
        self.places = places.map(|(place, server)| (server.id.clone(), place)).collect();
        let now = clock::date(clock::now());
        for server in &self.servers {
            let id = &server.id;
            let age = server.launched.at().and_then(|launched| now.duration_since(launched).ok());
            if self.lists == 1 && age.is_some_and(|age| age >= policy.boot_grace) {
                self.proven.insert(id.clone());
            }
        }
        for server in servers.iter().filter(of_the_pool) {
            self.note_state(server);
        }
        let known_whole = |batch: &Batch| batch.is_listed && batch.scheduling.is_none();
        self.batches.retain(|batch| !batch.gone && !known_whole(batch));
        for batch in &mut self.batches {
            batch.exists = false;
        }
        self.note_batches();
        self.brakes.listed(self.began, &self.servers_before, &self.servers, &self.delete_sent);
    }

    fn note_batches(&mut self) {
        for batch in &mut self.batches {
            let of_it = |server: &&Server| server.batch.as_deref() == Some(&batch.mark);
            let members: Vec<&Server> = self.servers.iter().filter(of_it).collect();
            let count = u64::try_from(members.len()).unwrap_or(u64::MAX);
            batch.is_listed = !members.is_empty();
            batch.scheduling = members.iter().any(|server| server.scheduling).then_some(count);
        }
    }

    fn note_state(&mut self, server: &Server) {
        let id = &server.id;
        note(&mut self.deleting_since, id, server.condition == Condition::Deleting, self.began);
        let stopped = server.condition == Condition::Stopped { task: None };
        note(&mut self.stopped_since, id, stopped, self.began);
        if server.condition != Condition::Error {
            self.in_error_since.remove(id);
        }
    }

    pub fn answered(&mut self, policy: &Policy, id: &ServerId, answer: &Answer) {
        let valid = matches!(answer, Answer::Valid { .. });
        let Some(server) = self.server(id) else { return };
        let (created, in_error) = (server.created, server.condition == Condition::Error);
        if valid && self.proven.insert(id.clone()) {
            self.first_answer.insert(id.clone(), self.began);
        }
        let healthy = matches!(answer, Answer::Valid { termination: false, .. });
        note(&mut self.healthy_since, id, healthy, self.began);
        let lasted = self.healthy_since.get(id).map_or(0, |since| self.began - since);
        // Who is finished has lasted as long as it had to.
        let finished = matches!(answer, Answer::Valid { termination: true, .. });
        if finished || lasted >= policy.boot_grace.as_secs() {
            self.newest_to_last = self.newest_to_last.max(Some(created));
        }
        let silent = matches!(answer, Answer::None { .. });
        if *answer != Answer::Unasked {
            note(&mut self.silent_since, id, silent, self.began);
            note(&mut self.in_error_since, id, silent && in_error, self.began);
        }
        if valid {
            self.last_valid.insert(id.clone(), free(answer));
        }
        if self.answers.insert(id.clone(), answer.clone()).is_some() {
            self.asked_again.insert(id.clone());
        }
        self.last.insert(id.clone(), answer.clone());
    }

    /// A pass that the watch began has asked whom it asks: the lost are silent, and the others what they were.
    pub fn asked_in_haste(&mut self, policy: &Policy, watched: &Watched) {
        self.in_haste = true;
        let runs = |server: &&Server| {
            matches!(server.condition, Condition::Active { .. } | Condition::Error)
                && !server.fixed.is_empty()
        };
        let running: Vec<Server> = self.servers.iter().filter(runs).cloned().collect();
        let is_lost = |server: &Server| {
            let lost = watched.lost.get(&server.id);
            lost.is_some_and(|lost| server.fixed.iter().any(|one| one.address == lost.address))
        };
        let crowded = self.answers.values().any(|answer| *answer == Answer::Unasked);
        // For the brake one question too few answers is silence.
        let mut answers = BTreeMap::new();
        for server in running {
            let id = &server.id;
            let none = || Answer::None { why: "no answer to the watch".into() };
            if is_lost(&server) {
                self.lost.insert(id.clone());
                if !self.silent_since.contains_key(id) {
                    self.silent_since_haste.insert(id.clone(), self.began);
                }
                self.answered(policy, id, &none());
            }
            let last = self.last.get(id).cloned().unwrap_or(Answer::Unasked);
            answers.insert(id.clone(), if self.unconfirmed.contains(id) { none() } else { last });
            self.answers.entry(id.clone()).or_insert(Answer::Unasked);
        }
        if crowded || answers.values().any(|answer| *answer == Answer::Unasked) {
            self.brakes.forget_silence(self.began);
        } else if self.all_are_plain() {
            let reference = self.those_that_should_answer(policy);
            let back = self.those_that_came_back();
            self.brakes.answered(self.began, &reference, &back, &answers);
        } else {
            self.brakes.forget_silence(self.began);
        }
    }

    /// Who is in error, busy or set aside may have a reason of its own to be silent.
    fn all_are_plain(&self) -> bool {
        self.servers.iter().all(|server| match server.condition {
            Condition::Building | Condition::Deleting => true,
            Condition::Active { task: None } => !server.fixed.is_empty(),
            _ => false,
        })
    }

    /// All that are to be asked were asked.
    pub fn all_answered(&mut self, policy: &Policy) {
        // Who was not asked may be silent or not.
        let mut answers = self.answers.values().chain(self.answers_before.values());
        if answers.any(|answer| *answer == Answer::Unasked) || !self.all_are_plain() {
            self.brakes.forget_silence(self.began);
            return;
        }
        let reference = self.those_that_should_answer(policy);
        let back = self.those_that_came_back();
        self.brakes.answered(self.began, &reference, &back, &self.answers);
    }

    /// Those that the last list lacked, and that had answered when they were last asked.
    fn those_that_came_back(&self) -> BTreeSet<ServerId> {
        let ids = self.last_valid.keys().filter(|id| {
            let silent_since = self.silent_since.get(*id);
            self.server(id).is_some()
                && self.servers_before.iter().all(|server| server.id != **id)
                && silent_since.is_none_or(|since| *since == self.began)
        });
        ids.cloned().collect()
    }

    fn those_that_should_answer(&self, policy: &Policy) -> BTreeSet<ServerId> {
        if self.lists == 1 {
            let asked = |server: &&Server| self.answers.contains_key(&server.id);
            let old = |server: &&Server| {
                let launched = server.launched.at().unwrap_or(server.created);
                let age = clock::date(self.listed_at).duration_since(launched);
                age.is_ok_and(|age| age >= policy.boot_grace)
            };
            let running = self.servers.iter().filter(asked).filter(old);
            running.map(|server| server.id.clone()).collect()
        } else {
            let answered = |answer: &Answer| matches!(answer, Answer::Valid { .. });
            let before = self.answers_before.iter().filter(|(_, answer)| answered(answer));
            before.map(|(id, _)| id.clone()).collect()
        }
    }

    pub fn looked_up(&mut self, id: &ServerId, found: Option<&Server>) {
        let is_going = |server: &Server| {
            matches!(server.condition, Condition::Deleting | Condition::SoftDeleted)
        };
        match found {
            Some(server) => {
                self.brakes.is_there(server);
                if self.server(id).is_none() && server.mark.as_deref() == Some(MARK) {
                    self.note_state(server);
                    self.found.insert(id.clone(), server.clone());
                }
            }
            None => drop(self.gone_now.insert(id.clone())),
        }
        let exists = found.is_some_and(|server| !is_going(server));
        let found = self.batches.iter_mut().find(|batch| batch.reply == Reply::First(id.clone()));
        if let Some(batch) = found.filter(|batch| !batch.is_listed) {
            batch.gone |= !exists;
            // In the pass that made it the list could not show it yet.
            batch.exists = exists && self.made_now.as_ref() != Some(id);
        }
    }

    pub fn created(&mut self, result: &Result<ServerId, Error>) {
        let reply = match result {
            Ok(first) => {
                self.made_now = Some(first.clone());
                Reply::First(first.clone())
            }
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
        if self.server(id).is_none() && self.made_now.is_some() {
            self.unmade(id, result.is_ok());
            return;
        }
        if result.is_ok() {
            self.delete_sent.insert(id.clone(), self.began);
            self.not_deleted.remove(id);
        } else {
            self.not_deleted.insert(id.clone(), self.began);
        }
    }

    /// What has lost its marks is deleted again as soon as it is made: nothing of that batch will be listed. What is left
    /// of it is followed.
    fn unmade(&mut self, id: &ServerId, gone: bool) {
        let Some(batch) = self.batches.last_mut() else { return };
        // The first that is left stands for the others.
        if !gone && batch.gone {
            batch.reply = Reply::First(id.clone());
            batch.gone = false;
        } else if gone && batch.reply == Reply::First(id.clone()) {
            batch.gone = true;
        }
    }

    pub fn bound(&mut self, address: &AddressId, server: &ServerId, good: bool, refused: bool) {
        self.binds.push((address.clone(), server.clone(), good));
        if refused {
            self.refused.push((address.clone(), server.clone(), self.began));
        }
    }

    /// Whether the cloud refused this so lately that it must not be tried.
    pub fn was_refused(&self, address: &AddressId, server: &ServerId) -> bool {
        let mut pairs = self.refused.iter().filter(|(a, s, _)| a == address && s == server);
        let lately = |at: u64| self.began - at < REFUSED_PASSES * PASS_COUNTS_AFTER;
        pairs.any(|(.., at)| lately(*at))
    }

    /// Batches that the list does not show and whose first server is known: that one.
    pub fn to_look_up(&self) -> impl Iterator<Item = &ServerId> {
        self.batches.iter().filter(|batch| !batch.is_listed).filter_map(|batch| {
            match &batch.reply {
                Reply::First(id) => Some(id),
                Reply::Unclear => None,
            }
        })
    }

    /// Who holds an address.
    pub fn holders(&self) -> impl Iterator<Item = &ServerId> {
        self.addresses.iter().flatten().filter_map(|one| one.holder.as_ref())
    }

    /// Whether a batch may still come, as far as the process knows.
    pub fn follows(&self, batch: &Batch) -> bool {
        let lately = self.lists <= batch.list + UNCLEAR_PASSES
            || self.began - batch.at < UNCLEAR_PASSES * PASS_COUNTS_AFTER;
        !batch.is_listed
            && !batch.gone
            && match batch.reply {
                Reply::First(_) => true,
                Reply::Unclear => lately,
            }
    }

    /// How many servers of a batch may come that the list does not show.
    pub fn coming(&self, batch: &Batch) -> u64 {
        match batch.scheduling {
            Some(listed) => batch.asked.saturating_sub(listed),
            None if self.follows(batch) => batch.asked,
            None => 0,
        }
    }

    pub fn is_healthy(&self, id: &ServerId) -> bool {
        matches!(self.answers.get(id), Some(Answer::Valid { termination: false, .. }))
    }

    /// Whether any other replica answers.
    pub fn another_answers(&self, id: &ServerId) -> bool {
        let answers = |answer: &Answer| matches!(answer, Answer::Valid { .. });
        self.answers.iter().any(|(one, answer)| one != id && answers(answer))
    }

    /// The newest replica that is healthy in this pass.
    pub fn newest_healthy(&self) -> Option<&Server> {
        let healthy = self.servers.iter().filter(|server| self.is_healthy(&server.id));
        healthy.max_by_key(|server| server.created)
    }

    pub fn server(&self, id: &ServerId) -> Option<&Server> {
        self.places.get(id).and_then(|place| self.servers.get(*place))
    }

    /// Free resources of those that answered in this pass.
    pub fn free(&self) -> u64 {
        self.answers.values().map(free).fold(0, u64::saturating_add)
    }
}

/// Free resources by an answer.
pub fn free(answer: &Answer) -> u64 {
    match answer {
        Answer::Valid { capacity, termination: false } => *capacity,
        _ => 0,
    }
}

fn note(since: &mut BTreeMap<ServerId, u64>, id: &ServerId, is_so: bool, now: u64) {
    if is_so {
        since.entry(id.clone()).or_insert(now);
    } else {
        since.remove(id);
    }
}
