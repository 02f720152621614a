//! When many go silent, or are lost, at once: what nobody should believe at first.

use std::collections::{BTreeMap, BTreeSet};

use simplescalevm::model::{Answer, Condition, Server, ServerId};

use super::witness::PASS_COUNTS_AFTER;
use crate::stage::INTERVAL;

/// Three intervals, as short as they can be, in seconds.
const HOLDS: u64 = 3 * PASS_COUNTS_AFTER;

/// Until the pass after three intervals, as long as they can be, in seconds.
const MAY_HOLD: u64 = 5 * INTERVAL;

/// Fewer than this many are never "many", except that all of one or two are.
const MANY: usize = 3;

/// The two brakes, as far as there is no doubt that they are on.
#[derive(Default)]
pub struct Brakes {
    /// Those that should answer and of which most do not, and since when.
    silence: Option<(BTreeSet<ServerId>, u64)>,
    /// Until when a brake may protect these.
    possible: BTreeMap<ServerId, u64>,
    /// Since when nobody knows whether there is one, and until when it may protect anybody.
    doubtful_since: Option<u64>,
    doubtful_until: u64,
    /// Those that turned to error or vanished, of how many, and since when.
    loss: Option<(BTreeSet<ServerId>, usize, u64)>,
}

impl Brakes {
    /// A list was read.
    pub fn listed(
        &mut self,
        now: u64,
        before: &[Server],
        servers: &[Server],
        deleted: &BTreeMap<ServerId, u64>,
    ) {
        let listed: BTreeMap<&ServerId, &Server> =
            servers.iter().map(|server| (&server.id, server)).collect();
        let is_lost = |id: &ServerId| {
            listed.get(id).is_none_or(|server| server.condition == Condition::Error)
        };
        if let Some((lost, of, _)) = &mut self.loss {
            lost.retain(is_lost);
            if !most(lost.len(), *of) {
                self.loss = None;
            }
        }
        let known: Vec<&Server> = before
            .iter()
            .filter(|server| {
                !matches!(server.condition, Condition::Deleting | Condition::SoftDeleted)
            })
            .collect();
        let ran = |server: &&&Server| {
            server.launched.at().is_some()
                && server.condition != Condition::Error
                && !deleted.contains_key(&server.id)
        };
        let vanished = known.iter().filter(ran).filter(|one| !listed.contains_key(&one.id));
        let vanished: BTreeSet<ServerId> = vanished.map(|one| one.id.clone()).collect();
        let turned = known
            .iter()
            .filter(ran)
            .filter(|one| listed.get(&one.id).is_some_and(|one| one.condition == Condition::Error));
        let turned: BTreeSet<ServerId> = turned.map(|one| one.id.clone()).collect();
        for lost in [vanished, turned] {
            if most(lost.len(), known.len()) {
                self.loss = Some((lost, known.len(), now));
            }
        }
    }

    /// A second list, or a look-up, shows one that the list lacked: it has not vanished.
    pub fn is_there(&mut self, server: &Server) {
        let Some((lost, of, _)) = &mut self.loss else { return };
        if server.condition != Condition::Error {
            lost.remove(&server.id);
        }
        if !most(lost.len(), *of) {
            self.loss = None;
        }
    }

    /// Nothing is beyond doubt.
    pub fn forget_silence(&mut self, now: u64) {
        let since = self.silence.take().map(|(_, since)| since);
        self.doubtful_since = [self.doubtful_since, since, Some(now)].into_iter().flatten().min();
        self.doubtful_until = now + MAY_HOLD;
    }

    /// The replicas were asked: `reference` should have answered, and so perhaps should those that are `back` in the list.
    pub fn answered(
        &mut self,
        now: u64,
        reference: &BTreeSet<ServerId>,
        back: &BTreeSet<ServerId>,
        answers: &BTreeMap<ServerId, Answer>,
    ) {
        let most_are_silent = |reference: &BTreeSet<ServerId>| {
            let asked = reference.iter().filter_map(|id| answers.get(id));
            let silent = asked.clone().filter(|answer| matches!(answer, Answer::None { .. }));
            let (silent, known) = (silent.count(), asked.count());
            if known < MANY { silent > 0 && silent == known } else { most(silent, known) }
        };
        let wider = reference.union(back).cloned().collect();
        // With those that came to answer since, or to the list, too: whoever is judged by all is beyond doubt.
        if let Some((known, _)) = &self.silence {
            let all = |more: &BTreeSet<ServerId>| known.union(more).cloned().collect();
            if [known.clone(), all(reference), all(&wider)].iter().any(|one| !most_are_silent(one))
            {
                self.silence = None;
            }
        }
        // It may have begun when nobody could know.
        let since = self.doubtful_since.take().unwrap_or(now);
        if !most_are_silent(reference) || !most_are_silent(&wider) {
            return;
        }
        // Passes that lie far apart do not end it sooner.
        self.possible.retain(|_, until| now <= *until);
        let all = self.possible.keys().chain(reference).cloned().collect::<Vec<_>>();
        self.possible = all.into_iter().map(|id| (id, now + MAY_HOLD)).collect();
        // One that is over does not start again for the same ones.
        self.silence = match self.silence.take() {
            Some((known, began)) if reference.is_subset(&known) => Some((known, began)),
            Some((known, began)) if now - began < HOLDS => {
                Some((known.union(reference).cloned().collect(), since))
            }
            Some(_) | None => Some((reference.clone(), since)),
        };
    }

    /// Whether this one is silent with most others, and that for less than three intervals.
    pub fn excuse(&self, now: u64, id: &ServerId) -> bool {
        let on = self.silence.as_ref().filter(|(_, since)| now - since < HOLDS);
        on.is_some_and(|(reference, _)| reference.contains(id))
    }

    /// The same as far as it is possible: by passes, the brake may last longer, or have begun anew.
    pub fn may_excuse(&self, now: u64, id: &ServerId) -> bool {
        now <= self.doubtful_until || self.possible.get(id).is_some_and(|until| now <= *until)
    }

    /// Whether one that fell silent at `since` may have done so while there was a brake: then it tells nothing of those that
    /// die.
    pub fn may_have_begun(&self, now: u64, since: u64) -> bool {
        let possible = self.possible.values().any(|until| now <= *until);
        (possible || now <= self.doubtful_until) && now - since <= MAY_HOLD
    }

    /// Whether many are silent, and that for less than three intervals.
    pub fn silence_holds(&self, now: u64) -> bool {
        self.silence.as_ref().is_some_and(|(_, since)| now - since < HOLDS)
    }

    /// Whether many were lost less than three intervals ago, and are still.
    pub fn loss_holds(&self, now: u64) -> bool {
        self.loss.as_ref().is_some_and(|(.., since)| now - since < HOLDS)
    }
}

fn most(part: usize, whole: usize) -> bool {
    part >= MANY && part * 2 > whole
}
