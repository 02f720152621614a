//! Replicas that a sentence names become links to their rows.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

use crate::status::page::escape::Escaped;

/// A sentence in which `NAME (ID)` is a link to the row of that replica, if it has one. Its id is there.
#[derive(Clone, Copy, Debug)]
pub struct Linked<'a> {
    /// The sentence, not yet made harmless.
    pub text: &'a str,
    /// The names of the replicas that have a row, by their ids.
    pub rows: &'a HashMap<&'a str, &'a str>,
}

impl Display for Linked<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self.text;
        let mut from = 0;
        while let Some(open) = rest.get(from..).and_then(|text| text.find('(')).map(|at| from + at)
        {
            from = open + 1;
            let named = rest.get(from..).and_then(|text| text.split_once(')'));
            let Some((id, after)) = named else { break };
            let Some(name) = self.rows.get(id) else { continue };
            let before = rest.get(..open).and_then(|text| text.strip_suffix(' '));
            let Some(before) = before.and_then(|text| text.strip_suffix(name)) else { continue };
            write!(
                formatter,
                "{}<a href=\"#r-{}\"><bdi>{}</bdi></a>",
                Escaped(before),
                Escaped(id),
                Escaped(name)
            )?;
            (rest, from) = (after, 0);
        }
        write!(formatter, "{}", Escaped(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        let rows = HashMap::from([("id-1", "web-1"), ("id-(", "web (2)"), ("\"><b>", "<i>")]);
        assert_eq!(Linked { text, rows: &rows }.to_string(), shown);
    }

    #[test]
    fn a_replica_with_a_row_leads_there() {
        check(
            "move to web-1 (id-1): free (of web-3 (id-3))",
            "move to <a href=\"#r-id-1\"><bdi>web-1</bdi></a>: free (of web-3 (id-3))",
        );
        check("web (2) (id-()", "<a href=\"#r-id-(\"><bdi>web (2)</bdi></a>");
    }

    #[test]
    fn other_brackets_are_text() {
        check("a (b (id-1", "a (b (id-1");
        check("web-9 (id-1) & ()(", "web-9 (id-1) &amp; ()(");
        check("(<i>)", "(&lt;i&gt;)");
    }

    #[test]
    fn what_is_from_outside_is_no_markup() {
        check("x <i> (\"><b>)", "x <a href=\"#r-&quot;&gt;&lt;b&gt;\"><bdi>&lt;i&gt;</bdi></a>");
    }
}
