//! Names that no other process has, from the standard library alone.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process;
use std::time::Instant;

/// Length of [`word`].
const WORD_LENGTH: usize = 6;

/// Six characters of `0-9a-z`, as good as never the same in two processes: the name of this one in batch marks.
pub fn word() -> String {
    const DIGITS: [char; 36] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h',
        'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    ];
    let mut rest = number();
    let mut word = String::with_capacity(WORD_LENGTH);
    while word.len() < WORD_LENGTH {
        word.extend(DIGITS.iter().cycle().nth(usize::try_from(rest % 36).unwrap_or_default()));
        rest /= 36;
    }
    word
}

/// A number that cannot be guessed from outside: std keys its hasher with the system's randomness.
pub fn number() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(process::id());
    hasher.write(format!("{:?}", Instant::now()).as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_short_fit_a_server_name_and_differ() {
        let words: std::collections::BTreeSet<String> = (0..100).map(|_| word()).collect();
        assert_eq!(words.len(), 100, "{words:?}");
        for word in words {
            let fits = word.chars().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase());
            assert!(fits && word.len() == 6, "{word}");
        }
    }
}
