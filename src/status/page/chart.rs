//! Steps over time as SVG paths. Knows numbers only.
//!
//! Many passes are drawn into few columns: each column shows the worst its passes saw. One whose passes did not see
//! the pool is a gap.

use std::fmt::Write;
use std::time::Duration;

use crate::status::history::{PassRecord, PoolRecord};

/// Columns of a chart, and the width of its view box.
pub const COLUMNS: usize = 240;

/// The height of its view box.
pub const HEIGHT: u64 = 100;

/// What one column shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The fewest free resources, with what was wanted then, and the replicas of the last pass.
    pub pool: Option<PoolRecord>,
    /// Whether a pass failed.
    pub failed: bool,
}

/// Divides the time from the first pass to the last one into columns.
pub fn columns<'a>(passes: impl Iterator<Item = &'a PassRecord> + Clone) -> Vec<Column> {
    let begun = || passes.clone().map(|pass| pass.began.elapsed);
    let (Some(first), Some(last)) = (begun().next(), begun().last()) else { return Vec::new() };
    let number = passes.clone().count().min(COLUMNS);
    let mut columns: Vec<Option<Column>> = vec![None; number];
    for pass in passes {
        let time = pass.began.elapsed.saturating_sub(first);
        let at = share(time, last.saturating_sub(first), number);
        let Some(column) = columns.get_mut(at) else { continue };
        let column = column.get_or_insert_default();
        column.failed |= !pass.good;
        let Some(pool) = pass.pool else { continue };
        let before = column.pool.get_or_insert(pool);
        let worst = if before.free < pool.free { *before } else { pool };
        *before = PoolRecord { by_state: pool.by_state, ..worst };
    }
    // Passes do not begin to the millisecond: what was seen last holds until the next one.
    let mut known = None;
    let carried = columns.into_iter().map(|column| {
        let column = column.unwrap_or(Column { pool: known, failed: false });
        known = column.pool;
        column
    });
    carried.collect()
}

/// What the pointer reads out, for the page's script: the number of columns, the names, and the values of each column
/// that differs from the one before it. A name that begins with `?` is shown without its number, and one that begins
/// with `+` not at all when that is 0.
pub fn readout(series: &[(&str, &[Option<u64>])]) -> String {
    let columns = series.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let names: Vec<&str> = series.iter().map(|(name, _)| *name).collect();
    let mut text = format!("{columns}|{}|", names.join(","));
    let mut before = String::new();
    for column in 0..columns {
        let mut values = String::new();
        for (_, of_one) in series {
            // Writing to a string cannot fail.
            let _ = match of_one.get(column).copied().flatten() {
                Some(value) => write!(values, ",{value}"),
                None => write!(values, ","),
            };
        }
        if values != before {
            let separator = if before.is_empty() { "" } else { ";" };
            let _ = write!(text, "{separator}{column}{values}");
            before = values;
        }
    }
    text
}

/// The own numbers of each key of a [`stack`], named for [`readout`].
pub fn unstacked<K>(
    stack: &[(K, Vec<Option<u64>>)],
    name: impl Fn(&K) -> String,
) -> Vec<(String, Vec<Option<u64>>)> {
    let mut below: Vec<Option<u64>> = Vec::new();
    let mut each = Vec::new();
    for (key, sums) in stack {
        let own = sums.iter().enumerate().map(|(column, sum)| {
            let below = below.get(column).copied().flatten().unwrap_or(0);
            sum.map(|sum| sum.saturating_sub(below))
        });
        each.push((format!("+{}", name(key)), own.collect()));
        below.clone_from(sums);
    }
    each
}

/// In which of `number` equal parts of `whole` a time falls.
fn share(time: Duration, whole: Duration, number: usize) -> usize {
    let last = number.saturating_sub(1);
    if whole.is_zero() {
        return last;
    }
    let part = time.as_millis() * u128::try_from(last).unwrap_or(0) / whole.as_millis().max(1);
    usize::try_from(part).map_or(last, |part| part.min(last))
}

/// The line along the tops of these values, with `highest` at the top of the chart.
pub fn line(values: &[Option<u64>], highest: u64) -> String {
    path(values, highest, false)
}

/// The area below that line.
pub fn area(values: &[Option<u64>], highest: u64) -> String {
    path(values, highest, true)
}

fn path(values: &[Option<u64>], highest: u64, closed: bool) -> String {
    let mut path = String::new();
    let mut drawn: Option<(u64, usize)> = None;
    let width = |column: usize| column * COLUMNS / values.len().max(1);
    // Writing to a string cannot fail.
    for (column, value) in values.iter().enumerate() {
        let x = width(column);
        match (value, drawn) {
            (Some(value), Some((before, _))) if *value == before => {}
            (Some(value), Some(_)) => {
                let _ = write!(path, "H{x}V{}", y(*value, highest));
                drawn = drawn.map(|(_, from)| (*value, from));
            }
            (Some(value), None) => {
                let top = y(*value, highest);
                let _ = if closed {
                    write!(path, "M{x} {HEIGHT}V{top}")
                } else {
                    write!(path, "M{x} {top}")
                };
                drawn = Some((*value, x));
            }
            (None, Some(_)) => {
                path += &end(x, closed);
                drawn = None;
            }
            (None, None) => {}
        }
    }
    if drawn.is_some() {
        path += &end(COLUMNS, closed);
    }
    path
}

fn end(x: usize, closed: bool) -> String {
    if closed { format!("H{x}V{HEIGHT}Z") } else { format!("H{x}") }
}

/// In tenths, which is finer than any screen.
fn y(value: u64, highest: u64) -> String {
    let tenths = value.saturating_mul(HEIGHT * 10) / highest.max(1);
    let from_top = (HEIGHT * 10).saturating_sub(tenths);
    match (from_top / 10, from_top % 10) {
        (whole, 0) => whole.to_string(),
        (whole, tenth) => format!("{whole}.{tenth}"),
    }
}

/// The ticks below the chart, one for each column in which a pass failed.
pub fn ticks(columns: &[Column]) -> String {
    let width = |column: usize| column * COLUMNS / columns.len().max(1);
    let mut path = String::new();
    for (column, _) in columns.iter().enumerate().filter(|(_, column)| column.failed) {
        let (from, to) = (width(column), width(column + 1));
        let _ = write!(path, "M{from} 94H{}V{HEIGHT}H{from}Z", to.max(from + 1));
    }
    path
}

/// The keys that occur, each with the sum of itself and all keys before it, in each column; `amounts` are in their order.
pub fn stack<K: Copy, const N: usize>(
    columns: &[Column],
    keys: [K; N],
    amounts: impl Fn(&PoolRecord) -> [u64; N],
) -> Vec<(K, Vec<Option<u64>>)> {
    let amounts: Vec<Option<[u64; N]>> =
        columns.iter().map(|column| column.pool.as_ref().map(&amounts)).collect();
    let mut sums: Vec<Option<u64>> = amounts.iter().map(|all| all.map(|_| 0)).collect();
    let mut stack = Vec::new();
    for (index, key) in keys.into_iter().enumerate() {
        let amount = |all: &Option<[u64; N]>| {
            all.and_then(|all| all.get(index).copied()).unwrap_or_default()
        };
        if amounts.iter().all(|all| amount(all) == 0) {
            continue;
        }
        for (sum, all) in sums.iter_mut().zip(&amounts) {
            *sum = sum.map(|sum| sum.saturating_add(amount(all)));
        }
        stack.push((key, sums.clone()));
    }
    stack
}

/// A round number at or above `highest`, for the top of the chart.
pub fn top(highest: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [1, 2, 4, 5, 6, 8] {
            let top = unit.saturating_mul(step);
            if top >= highest {
                return top;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;
    use crate::status::fixture::at;

    fn pass(second: u64, free: Option<u64>) -> PassRecord {
        let mut by_state = [0; State::ALL.len()];
        by_state[0] = u32::try_from(second % 7).unwrap();
        by_state[3] = 2;
        PassRecord {
            began: at(second),
            lasted: Duration::from_secs(1),
            good: free.is_some(),
            pool: free.map(|free| PoolRecord {
                free,
                free_by_kind: [free, 0, 0, 0, 0],
                wanted: 6,
                by_state,
            }),
        }
    }

    #[test]
    fn few_passes_get_a_column_each() {
        let passes = [pass(0, Some(1)), pass(60, None), pass(120, Some(3))];
        let columns = columns(passes.iter());
        let free: Vec<_> = columns.iter().map(|column| column.pool.map(|pool| pool.free)).collect();
        assert_eq!(free, [Some(1), None, Some(3)]);
        assert_eq!(columns.iter().filter(|column| column.failed).count(), 1);
    }

    #[test]
    fn of_many_passes_the_worst_is_shown() {
        let passes: Vec<_> =
            (0..1440).map(|n| pass(n * 60, Some(if n == 700 { 1 } else { 9 }))).collect();
        let columns = columns(passes.iter());
        assert_eq!(columns.len(), COLUMNS);
        let low = columns.iter().filter(|column| column.pool.is_some_and(|pool| pool.free == 1));
        assert_eq!(low.count(), 1, "one bad minute of a day is seen");
    }

    #[test]
    fn what_was_seen_last_holds_until_the_next_pass() {
        let passes = [pass(0, Some(4)), pass(60, None), pass(120, Some(5)), pass(6000, Some(7))];
        let columns = columns(passes.iter());
        let free: Vec<_> = columns.iter().map(|column| column.pool.map(|pool| pool.free)).collect();
        assert_eq!(free, [Some(4), Some(4), Some(4), Some(7)]);
        assert!(columns[0].failed && !columns[1].failed);
    }

    #[test]
    fn steps_are_drawn_as_far_as_they_last() {
        let values = [Some(2), Some(2), None, Some(1), Some(4)];
        assert_eq!(line(&values, 4), "M0 50H96M144 75H192V0H240");
        assert_eq!(area(&values, 4), "M0 100V50H96V100ZM144 100V75H192V0H240V100Z");
        assert_eq!(line(&[Some(1)], 3), "M0 66.7H240");
        assert_eq!(line(&[], 3), "");
    }

    #[test]
    fn the_states_that_occur_are_stacked() {
        let columns = columns([pass(3, Some(1)), pass(11, None), pass(19, Some(1))].iter());
        let expected = vec![
            (State::Healthy, vec![Some(3), None, Some(5)]),
            (State::Silent, vec![Some(5), None, Some(7)]),
        ];
        let by_state = |pool: &PoolRecord| pool.by_state.map(u64::from);
        assert_eq!(stack(&columns, State::ALL, by_state), expected);
    }

    #[test]
    fn the_pointer_reads_out_what_changes() {
        let (free, wanted) = ([Some(3), Some(3), None, Some(4)], [Some(6), Some(6), None, Some(6)]);
        let read = readout(&[("free", &free), ("wanted", &wanted)]);
        assert_eq!(read, "4|free,wanted|0,3,6;2,,;3,4,6");
        assert_eq!(readout(&[]), "0||");
    }

    #[test]
    fn the_pointer_reads_out_each_part_alone() {
        let stack = [
            (State::Healthy, vec![Some(3), None, Some(5)]),
            (State::Silent, vec![Some(5), None, Some(7)]),
        ];
        let expected = vec![
            ("+healthy".to_owned(), vec![Some(3), None, Some(5)]),
            ("+silent".to_owned(), vec![Some(2), None, Some(2)]),
        ];
        assert_eq!(unstacked(&stack, State::to_string), expected);
    }

    #[test]
    fn the_top_is_a_round_number() {
        let tops = [0, 1, 3, 6, 7, 11, 41, 1000, 1001].map(top);
        assert_eq!(tops, [1, 1, 4, 6, 8, 20, 50, 1000, 2000]);
    }
}
