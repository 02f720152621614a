//! Doing many things at once, in no more threads than have something to wait for.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

/// Enough for TLS and JSON; the default of 2 MiB is address space a small VM may not grant 128 times.
pub const STACK_BYTES: usize = 512 * 1024;

/// Workers at the start. A pool that answers at once needs no more: others would only take the processors from these, and
/// memory. With half as many the processors would have nothing to do now and then.
const FIRST: usize = 16;

/// How often to check whether more are needed.
const LOOK: Duration = Duration::from_millis(10);

/// How many things a worker gets done between two looks, unless it waits most of the time.
const LIVELY: usize = 4;

/// Does `work` for each of `items`, `most` of them at a time at most, and gives the result of each, with its place, in
/// no order. With `most` 1, and where the system has no thread to give, all is done in this one, in order.
///
/// It begins with a few workers. While these wait rather than work, each look finds twice as many.
pub fn each<T: Sync, R: Send>(
    items: &[T],
    most: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<(usize, R)> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let run = || {
        let mut results = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { return results };
            results.push((place, work(item)));
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    let mut most = most.min(items.len());
    if most <= 1 {
        return run();
    }
    let looking = thread::current();
    thread::scope(|scope| {
        let mut workers = Vec::new();
        let mut wanted = FIRST.min(most);
        let (mut looked, mut done_before) = (Instant::now(), 0);
        loop {
            while workers.len() < wanted {
                let (run, looking) = (&run, looking.clone());
                let worker = move || {
                    let results = run();
                    looking.unpark();
                    results
                };
                let builder = Builder::new().name("worker".into()).stack_size(STACK_BYTES);
                let Ok(worker) = builder.spawn_scoped(scope, worker) else {
                    most = workers.len();
                    break;
                };
                workers.push(worker);
            }
            if workers.len() >= most || next.load(Ordering::Relaxed) >= items.len() {
                break;
            }
            // Whoever finds nothing left to do ends the look early.
            thread::park_timeout(LOOK.saturating_sub(looked.elapsed()));
            if looked.elapsed() >= LOOK {
                let done_now = done.load(Ordering::Relaxed);
                if done_now - done_before < workers.len() * LIVELY {
                    wanted = most.min(workers.len() * 2);
                }
                (looked, done_before) = (Instant::now(), done_now);
            }
        }
        let mut results = if workers.is_empty() { run() } else { Vec::new() };
        for worker in workers {
            results.append(&mut worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    fn places(results: &[(usize, usize)]) -> Vec<usize> {
        let mut places: Vec<usize> = results.iter().map(|(place, _)| *place).collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn each_thing_is_done_once_however_many_there_are() {
        for count in [0, 1, 2, 3, 5, 127, 128, 129, 2000] {
            let items: Vec<usize> = (0..count).collect();
            for most in [1, 2, 128] {
                let results = each(&items, most, |item| item * 2);
                assert_eq!(places(&results), items, "{count} things, {most} at a time");
                assert!(results.iter().all(|(place, result)| *result == place * 2));
            }
        }
    }

    #[test]
    fn one_at_a_time_is_in_order_and_in_this_thread() {
        let items: Vec<usize> = (0..50).collect();
        let results = each(&items, 1, |_| thread::current().id());
        let here = thread::current().id();
        assert!(results.iter().all(|(_, id)| *id == here), "another thread did it");
        assert!(results.iter().map(|(place, _)| *place).eq(0..50), "not in order: {results:?}");
    }

    #[test]
    fn as_many_wait_at_the_same_time_as_may() {
        for most in [2, 5, 64, 128] {
            let items: Vec<usize> = (0..most).collect();
            // It lets nobody go before all have come.
            let barrier = Barrier::new(most);
            let results = each(&items, most, |_| usize::from(barrier.wait().is_leader()));
            assert_eq!(results.len(), most, "of {most}");
        }
    }

    #[test]
    fn never_do_more_wait_at_the_same_time_than_may() {
        let items: Vec<usize> = (0..100).collect();
        let (barrier, waiting, most) = (Barrier::new(10), AtomicUsize::new(0), AtomicUsize::new(0));
        each(&items, 10, |_| {
            let now = waiting.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            barrier.wait();
            waiting.fetch_sub(1, Ordering::SeqCst);
        });
        assert_eq!(most.into_inner(), 10);
    }

    #[test]
    #[should_panic(expected = "out of luck")]
    fn a_panic_is_the_callers() {
        each(&[1, 2, 3], 3, |item| assert!(*item != 2, "out of luck"));
    }
}
