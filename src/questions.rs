//! The result of the last question to each replica, whoever asked it: for people only; nothing is decided by it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::model::{Answer, ServerId};
use crate::plan::Plan;

/// One question that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// When it ended.
    pub at: Moment,
    /// How long it took.
    pub lasted: Duration,
    /// Whether the answer was a valid one.
    pub answered: bool,
    /// The result: the HTTP status of a valid answer, else why it was not one.
    pub result: Cow<'static, str>,
}

/// What is known of asking one replica.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The last question.
    pub last: Option<Question>,
    /// When it last gave a valid answer.
    pub answered: Option<Moment>,
}

/// All replicas that were asked.
pub type AllAsked = BTreeMap<ServerId, Asked>;

/// The last question to each replica. Clones remember together.
#[derive(Clone, Debug, Default)]
pub struct Questions(Arc<Mutex<AllAsked>>);

impl Questions {
    /// A question ended at `at`, with the HTTP `status`, if there was one.
    pub fn ended(
        &self,
        id: &ServerId,
        at: Moment,
        lasted: Duration,
        answer: &Answer,
        status: Option<u16>,
    ) {
        let (answered, result) = match answer {
            Answer::Unasked => return,
            Answer::Valid { .. } => (true, of_valid(status)),
            Answer::None { why } => (false, why.clone().into()),
        };
        let mut all = self.lock();
        let asked = all.entry(id.clone()).or_default();
        asked.last = Some(Question { at, lasted, answered, result });
        if answered {
            asked.answered = Some(at);
        }
    }

    /// Forgets those that are no longer in the pool.
    pub fn keep(&self, plan: &Plan) {
        let mut old = self.lock();
        let kept = plan.replicas.iter().filter_map(|replica| old.remove_entry(&replica.id));
        let kept: AllAsked = kept.collect();
        *old = kept;
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// As it is now.
    pub fn all(&self) -> AllAsked {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, AllAsked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nearly all say the same, so nearly all of it takes no room.
fn of_valid(status: Option<u16>) -> Cow<'static, str> {
    match status {
        Some(200) => "200".into(),
        Some(other) => other.to_string().into(),
        None => "answered".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::fixture::{self, at};

    #[test]
    fn the_last_valid_answer_outlives_later_questions_without_one() {
        let (questions, id) = (Questions::default(), ServerId::new("id-0"));
        let valid = Answer::Valid { capacity: 3, termination: false };
        let short = Duration::from_millis(12);
        questions.ended(&id, at(1), short, &valid, Some(200));
        questions.ended(&id, at(2), short, &Answer::None { why: "status 503".into() }, Some(503));
        questions.ended(&id, at(3), short, &Answer::Unasked, None);
        let last =
            Question { at: at(2), lasted: short, answered: false, result: "status 503".into() };
        let asked = Asked { last: Some(last), answered: Some(at(1)) };
        assert_eq!(questions.all(), BTreeMap::from([(id, asked)]));
    }

    #[test]
    fn those_that_are_gone_are_forgotten() {
        let questions = Questions::default();
        let valid = Answer::Valid { capacity: 3, termination: false };
        for id in ["id-0", "gone"] {
            questions.ended(&ServerId::new(id), at(1), Duration::ZERO, &valid, Some(200));
        }
        questions.keep(&fixture::good_pass().plan.unwrap());
        let kept: Vec<ServerId> = questions.all().into_keys().collect();
        assert_eq!(kept, [ServerId::new("id-0")]);
    }
}
