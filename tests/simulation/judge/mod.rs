//! What must hold in every history, judged request by request by what the program could see, apart from its own code.

mod addresses;
mod brakes;
mod deletion;
mod growth;
mod witness;

use std::net::IpAddr;
use std::time::SystemTime;

use simplescalevm::error::{Error, ErrorKind};
use simplescalevm::model::{AddressId, Answer, ExternalAddress, Server, ServerId, Watched};
use simplescalevm::provider::Creation;
use simplescalevm::settings::Policy;

use crate::clock;
use crate::world::World;
use crate::world::weather::Request;
use witness::Witness;

/// Most replicas that are looked up because a list lacks them.
const LACKING_MAX: usize = 20;

/// A rule, by its number in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// No VM that works is deleted.
    WorkingStays = 1,
    /// The pool does not grow without end.
    Bounded = 2,
    /// Nothing outside the pool is touched, and addresses sit one by one on healthy replicas.
    OwnAndOneEach = 3,
    /// Once faults end the pool gets where it should be, and stays there.
    Settles = 4,
    /// A pass asks the cloud this often and no more.
    FewRequests = 5,
    /// The program does not panic.
    NoPanic = 6,
}

/// Who watches one history.
pub struct Judge {
    pub policy: Policy,
    pub witness: Witness,
    /// What was broken, in words.
    pub broken: Vec<String>,
    /// VMs of the pool that the program could not know of when it created others.
    excused: Vec<ServerId>,
    /// The silent replica that gave way to a trial, and when it was made, until a newer one is healthy.
    gave_way: Option<(ServerId, SystemTime)>,
    /// Every batch mark so far, by every process.
    marks: Vec<String>,
    requests: Vec<Request>,
}

impl Judge {
    /// Nobody was seen doing anything.
    pub fn new(policy: Policy) -> Self {
        Judge {
            policy,
            witness: Witness::default(),
            broken: Vec::new(),
            excused: Vec::new(),
            gave_way: None,
            marks: Vec::new(),
            requests: Vec::new(),
        }
    }

    pub fn breaks(&mut self, rule: Rule, what: impl AsRef<str>) {
        let (number, what) = (rule as u8, what.as_ref());
        self.broken.push(format!("rule {number} ({rule:?}), second {}: {what}", clock::now()));
    }

    /// Another process takes over: it has seen nothing yet.
    pub fn process_begins(&mut self) {
        self.witness = Witness::default();
        // A restart at the very moment forgets what gave way, unless a trial is there to tell.
        self.gave_way = None;
    }

    pub fn pass_begins(&mut self) {
        self.witness.pass_begins();
        self.requests.clear();
    }

    /// A pass is over that nobody cut short.
    pub fn pass_ends(&mut self) {
        deletion::at_the_end(self);
    }

    pub fn listed(&mut self, servers: &[Server], clock_told: bool) {
        self.witness.listed(&self.policy, servers, clock_told);
    }

    pub fn answered(&mut self, id: &ServerId, answer: &Answer) {
        self.witness.answered(&self.policy, id, answer);
    }

    /// All that are to be asked at once were asked.
    pub fn all_answered(&mut self) {
        if self.requests.iter().filter(|one| **one == Request::Probe).count() == 1 {
            self.witness.all_answered(&self.policy);
        }
    }

    /// A pass that the watch began asked this one, and heard nothing.
    pub fn did_not_answer_once(&mut self, id: &ServerId) {
        self.witness.unconfirmed.insert(id.clone());
    }

    /// A pass that the watch began has asked whom it asks.
    pub fn asked_in_haste(&mut self, watched: &Watched) {
        self.witness.asked_in_haste(&self.policy, watched);
    }

    pub fn addresses_listed(&mut self, addresses: &[ExternalAddress]) {
        self.witness.addresses = Some(addresses.to_vec());
    }

    /// Somebody has to need it: what a short list lacks, and what was just made, are too many to be told apart.
    pub fn looks_up(&mut self, id: &ServerId) {
        let witness = &self.witness;
        let is_needed = witness.server(id).is_some()
            || witness.to_look_up().any(|first| first == id)
            || witness.holders().any(|holder| holder == id)
            || witness.scheduling
            || witness.made_now.is_some();
        if !is_needed {
            self.breaks(Rule::FewRequests, format!("{id} is looked up, and nobody needs to know"));
        }
    }

    pub fn looked_up(&mut self, id: &ServerId, found: Option<&Server>) {
        self.witness.looked_up(id, found);
    }

    /// What came of a creation.
    pub fn created(&mut self, result: &Result<ServerId, Error>) {
        self.witness.created(result);
    }

    pub fn deleted(&mut self, id: &ServerId, result: &Result<(), Error>) {
        self.witness.deleted(id, result);
    }

    pub fn bound(&mut self, address: &AddressId, server: &ServerId, result: &Result<(), Error>) {
        let refused = matches!(
            result.as_ref().map_err(|error| error.kind),
            Err(ErrorKind::Refused(400 | 404 | 409))
        );
        self.witness.bound(address, server, result.is_ok(), refused);
    }

    /// One request more; the bound of a whole pass is checked here, so that an endless loop is found out.
    pub fn request(&mut self, request: Request) {
        self.requests.push(request);
        let count = self.requests.iter().filter(|one| **one == request).count();
        let most = match request {
            Request::Network | Request::Addresses | Request::Create => 1,
            // Once more while the cloud looks for hosts: a list may be short then. And once for the rest of a batch of which
            // the first has no mark.
            Request::List => {
                let again = self.witness.scheduling && self.witness.has_list;
                1 + usize::from(again) + self.made().min(1)
            }
            // Whoever is to go for its silence is asked once more.
            Request::Probe => 1 + self.witness.servers.len(),
            Request::LookUp => self.look_ups(),
            Request::Bind => 3 * self.witness.addresses.as_ref().map_or(0, Vec::len),
            Request::Delete => self.witness.servers.len() + self.witness.found.len() + self.made(),
        };
        if count > most {
            self.breaks(
                Rule::FewRequests,
                format!(
                    "{count} requests of the kind {request:?} in one pass, and {most} are the most"
                ),
            );
            assert!(count < most + 100, "a pass without end");
        }
    }

    pub fn creates(&mut self, world: &World, creation: &Creation) {
        growth::check(self, world, creation);
    }

    pub fn deletes(&mut self, world: &World, id: &ServerId) {
        deletion::check(self, world, id);
    }

    pub fn binds(&mut self, world: &World, address: &AddressId, server: &ServerId, fixed: IpAddr) {
        addresses::check(self, world, address, server, fixed);
    }

    /// One for each batch that is not listed, each deletion, each holder of an address that is not listed, and each replica
    /// that a list lacks while the cloud looks for hosts; and one for what was just made.
    fn look_ups(&self) -> usize {
        let lacking = if self.witness.scheduling { LACKING_MAX } else { 0 };
        let holders = self.witness.holders();
        let unlisted = holders.filter(|holder| self.witness.server(holder).is_none()).count();
        self.witness.to_look_up().count()
            + self.witness.servers.len()
            + unlisted
            + lacking
            + self.made()
    }

    /// How much was made in this pass.
    fn made(&self) -> usize {
        let made = self.witness.made_now.is_some();
        let last = self.witness.batches.last().filter(|_| made);
        last.map_or(0, |batch| usize::try_from(batch.asked).unwrap_or(usize::MAX))
    }

    /// Whether the pool may stay as short as it is; an error says what should be done.
    pub fn may_stay_short(&self, world: &World, names_a_limit: bool) -> Result<(), String> {
        growth::may_stay_short(self, world, names_a_limit)
    }
}
