//! Every request the program makes × everything that can go wrong with it: one table, and one test that runs all its
//! cells.
//!
//! In each cell a daemon meets the fault for one pass. Then all is well again, and the pool has to come out as if nothing
//! had been: no VM too many, no healthy one deleted, every address where it belongs, and no secret in any output.

mod cell;
mod columns;
mod pool;
mod rows;

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::expect;
use cell::Cell;

/// Cells at work at once: nearly all of their time they wait.
const AT_ONCE: usize = 32;

/// What the executable may take while it is sent 50 MB, again and again: a list is asked for in smaller pages then.
const PEAK_KIB_MAX: u64 = 44 * 1024;

#[test]
fn every_request_survives_every_fault() {
    let began = Instant::now();
    let cells = Cell::all();
    let count = cells.len();
    let peak_kib = AtomicU64::new(0);
    expect::each_of(&cells, AT_ONCE, Cell::name, |cell| {
        let peak = cell.run();
        if cell.is_big() {
            assert!(peak < PEAK_KIB_MAX, "{peak} KiB of memory while it was sent 50 MB");
            peak_kib.fetch_max(peak, Ordering::SeqCst);
        }
    });
    let (seconds, peak) = (began.elapsed().as_secs(), peak_kib.into_inner() / 1024);
    let told = format!(
        "fault table: {count} cells passed in {seconds} s; at most {peak} MiB of memory while 50 MB were sent\n"
    );
    // Not by a macro: what a passing test prints is not shown.
    io::stderr().write_all(told.as_bytes()).unwrap();
}
