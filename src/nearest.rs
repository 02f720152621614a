//! What somebody who wrote something else may have meant.

/// The known name that takes the fewest changes of a letter to get to, however many those are.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known.iter().copied().min_by_key(|known| distance(name, known))
}

/// The known name that was probably meant: the first that `name` is the beginning of, else the nearest, when at most a third of
/// the letters is wrong, else the longest that `name` begins with. `None`: a guess would only mislead.
pub fn near<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.is_empty() {
        return None;
    }
    let begun = known.iter().copied().find(|known| known.starts_with(name));
    let alike = || {
        let wrong_max = (name.chars().count() / 3).max(1);
        nearest(name, known).filter(|known| distance(name, known) <= wrong_max)
    };
    let longer = || {
        let begins =
            known.iter().copied().filter(|known| !known.is_empty() && name.starts_with(known));
        begins.max_by_key(|known| known.len())
    };
    begun.or_else(alike).or_else(longer)
}

/// The known name that differs in capital letters alone.
pub fn in_other_case<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known.iter().copied().find(|known| known.to_lowercase() == name.to_lowercase())
}

/// Levenshtein's edit distance, in which two letters that changed places are one slip.
pub fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let (mut above_row, mut row): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=to.len()).collect());
    let mut last = None;
    for (deleted, a) in from.chars().enumerate() {
        let mut left = deleted + 1;
        let mut next = vec![left];
        let mut last_b = None;
        for (at, (b, above)) in to.iter().zip(row.windows(2)).enumerate() {
            let &[diagonal, above] = above else { continue };
            left = (left + 1).min(above + 1).min(diagonal + usize::from(a != *b));
            if last == Some(*b) && last_b == Some(a) {
                let before_both = at.checked_sub(1).and_then(|at| above_row.get(at));
                left = before_both.map_or(left, |before| left.min(before + 1));
            }
            next.push(left);
            last_b = Some(*b);
        }
        above_row = std::mem::replace(&mut row, next);
        last = Some(a);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, near};

    #[test]
    fn a_distance_counts_slips() {
        for (from, to, slips) in [
            ("once", "once", 0),
            ("onec", "once", 1),
            ("chekc", "check", 1),
            ("", "abc", 3),
            ("abc", "ca", 3),
        ] {
            assert_eq!(distance(from, to), slips, "from {from} to {to}");
        }
    }

    #[test]
    fn only_what_is_near_is_taken_for_what_was_meant() {
        let known = ["MAX", "MIN_FREE", "MIN_FREE_FILE", "API_PORT", "API_RETRIES"];
        for (name, meant) in [
            ("MIN", Some("MIN_FREE")),
            ("MIN_FREE_", Some("MIN_FREE_FILE")),
            ("MX", Some("MAX")),
            ("MAX_", Some("MAX")),
            ("AMX", Some("MAX")),
            ("MAXIMUM", Some("MAX")),
            ("MIM_FREE", Some("MIN_FREE")),
            ("API_RETRY", Some("API_RETRIES")),
            ("API", Some("API_PORT")),
            ("FOO", None),
            ("TIMEOUT", None),
            ("", None),
        ] {
            assert_eq!(near(name, &known), meant, "{name:?}");
        }
    }
}
