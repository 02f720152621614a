//! Texts that many servers of a list have in common.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Such texts, each of which is kept once: marks, batches, states and networks are a handful in a pool of any size.
#[derive(Clone, Debug, Default)]
pub struct Texts(BTreeSet<Arc<str>>);

impl Texts {
    /// The text, as all those have it that ask for it here.
    pub fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }
}
