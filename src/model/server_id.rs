//! The id of a server, which large pools are looked up by.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The id of a server (a VM), as Nova gives it. What is known of a replica is kept in many places, and they share it.
#[derive(Clone, Debug)]
pub struct ServerId {
    /// The text's first bytes, which tell most ids apart: texts would have to be fetched from all over the memory, and large
    /// pools are looked up in maps.
    head: u64,
    text: Arc<str>,
}

impl ServerId {
    /// The id that reads so.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let mut head = [0; 8];
        for (place, byte) in head.iter_mut().zip(text.bytes()) {
            *place = byte;
        }
        ServerId { head: u64::from_be_bytes(head), text }
    }

    /// As Nova spells it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Ord for ServerId {
    /// As the texts compare.
    fn cmp(&self, other: &Self) -> Ordering {
        self.head.cmp(&other.head).then_with(|| {
            if Arc::ptr_eq(&self.text, &other.text) {
                Ordering::Equal
            } else {
                self.text.cmp(&other.text)
            }
        })
    }
}

impl PartialOrd for ServerId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ServerId {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ServerId {}

impl Hash for ServerId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Serialize for ServerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_order_of_their_texts() {
        let texts =
            ["", "a", "a\0", "ab", "abcdefgh", "abcdefgh-1", "abcdefgh-2", "abcdefgi", "b", "é"];
        for (one, other) in texts.iter().flat_map(|one| texts.map(|other| (*one, other))) {
            let order = ServerId::new(one).cmp(&ServerId::new(other));
            assert_eq!(order, one.cmp(other), "{one:?} and {other:?}");
        }
    }
}
