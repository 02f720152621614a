//! What happens to the pool meanwhile: replicas finish and are replaced, fall silent and come back, addresses move, and the
//! cloud fails now and then.

use std::fmt;

use crate::fake::{Cloud, Fault, Manner, Says, Times};

/// Every so many passes a replica finishes.
const FINISHES_EVERY: u64 = 10;

/// Every so many passes one falls silent …
const FALLS_SILENT_EVERY: u64 = 40;

/// … for so many: longer than the brake of a silence holds its address.
const SILENT_FOR: u64 = 8;

/// Every so many passes a token is revoked.
const REVOKED_EVERY: u64 = 150;

/// Every so many passes a request goes wrong; it is sent again a second later.
const FAILS_EVERY: u64 = 500;

/// How often each of it has happened so far.
#[derive(Default)]
pub struct Churn {
    finished: u64,
    silences: u64,
    revocations: u64,
    faults: u64,
    silent: Option<String>,
}

impl fmt::Display for Churn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Churn { finished, silences, revocations, faults, .. } = self;
        write!(
            formatter,
            "{finished} finished, {silences} fell silent, {revocations} revocations, {faults} faults"
        )
    }
}

impl Churn {
    /// What happens before the pass after so many.
    pub fn go_on(&mut self, cloud: &Cloud, passes: u64) {
        if passes % FALLS_SILENT_EVERY == SILENT_FOR
            && let Some(id) = self.silent.take()
        {
            cloud.replica(&id, Says::free(1));
        }
        if passes % FINISHES_EVERY == 5
            && let Some(id) = self.running(cloud).first()
        {
            cloud.replica(id, Says::finished());
            self.finished += 1;
        }
        if passes.is_multiple_of(FALLS_SILENT_EVERY)
            && let Some(id) = self.running(cloud).get(1)
        {
            cloud.silence(id);
            self.silent = Some(id.clone());
            self.silences += 1;
        }
        if passes.is_multiple_of(REVOKED_EVERY) {
            cloud.state().identity.tokens.iter_mut().for_each(|token| token.revoked = true);
            self.revocations += 1;
        }
        if passes.is_multiple_of(FAILS_EVERY) {
            let list = "/servers/detail";
            let (method, path, fault) = match self.faults % 4 {
                0 => ("GET", list, Fault::html(503)),
                1 => ("GET", "/floatingips", Fault::Undone(Manner::Reset)),
                2 => ("DELETE", "/servers/*", Fault::Undone(Manner::Closed)),
                _ => ("GET", list, Fault::Sent(Manner::CutShort)),
            };
            cloud.fault(method, path, Times::Next(1), fault);
            self.faults += 1;
        }
    }

    /// Whether enough happened for the long life to prove something.
    pub fn is_rich(&self) -> bool {
        self.finished > 1000 && self.silences > 100 && self.revocations > 50 && self.faults > 20
    }

    /// The replicas that can still finish or fall silent, oldest first.
    fn running(&self, cloud: &Cloud) -> Vec<String> {
        let state = cloud.state();
        let running = state
            .servers
            .iter()
            .filter(|server| server.vm_state == "active" && server.task_state.is_none());
        let ids = running.map(|server| server.id.clone());
        ids.filter(|id| self.silent.as_ref() != Some(id)).collect()
    }
}
