//! Keepers that share a store, in real time: what they make of each other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::*;
use crate::lease::memory::{Shared, me};
use crate::lease::turn::Part;
use crate::lease::{Creation, Renewal};
use crate::progress::Woken;
use crate::settings::{LeaseKind, LeaseSettings};

/// One scaler's side: its keeper, and what its loop sees.
struct Scaler {
    keeper: Keeper,
    turn: Turn,
    stop: Stop,
    metrics: Metrics,
    clock: Clock,
    alive: Arc<AtomicBool>,
}

impl Scaler {
    fn start(shared: &Shared, name: &str, validity_milliseconds: u64) -> Self {
        Self::with_store(shared.of(name), name, validity_milliseconds)
    }

    fn with_store(store: Box<dyn Store>, name: &str, validity_milliseconds: u64) -> Self {
        let validity = Duration::from_millis(validity_milliseconds);
        let settings = LeaseSettings {
            kind: LeaseKind::OpenStack,
            validity,
            name: "group=scaler".into(),
            holder: name.into(),
        };
        let (clock, stop, metrics) = (Clock::start(), Stop::new(), Metrics::new());
        let turn = Turn::by_lease(&settings, clock);
        let alive = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&alive);
        let keeper = Keeper::start(Keeping {
            store,
            rules: Rules {
                validity,
                longest_request: Duration::from_secs(3600),
                store_expires: false,
            },
            me: me(name),
            turn: turn.clone(),
            clock,
            stop: stop.clone(),
            metrics: metrics.clone(),
            alive: Box::new(move || {
                if asked.load(Ordering::SeqCst) { Ok(()) } else { Err("no progress".to_owned()) }
            }),
        });
        Scaler { keeper: keeper.unwrap(), turn, stop, metrics, clock, alive }
    }

    fn part(&self) -> Part {
        self.turn.view().unwrap().part
    }

    #[track_caller]
    fn wait_for(&self, part: &Part) {
        until(&format!("{part:?}"), || self.part() == *part, || format!("{:?}", self.turn));
    }

    /// Waits for something that is said, and gives all that was said before, and it.
    #[track_caller]
    fn wait_for_event(&self, part_of_text: &str) -> Vec<String> {
        let mut texts = Vec::new();
        until(
            part_of_text,
            || {
                texts.extend(self.turn.take_events().into_iter().map(|event| event.text));
                texts.iter().any(|text: &String| text.contains(part_of_text))
            },
            || format!("{:?}", self.turn),
        );
        texts
    }
}

#[track_caller]
fn until(what: &str, mut condition: impl FnMut() -> bool, state: impl Fn() -> String) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}; {}", state());
        thread::sleep(Duration::from_millis(5));
    }
}

fn stands_by(holder: &str) -> Part {
    Part::StandsBy(Some(holder.to_owned()))
}

#[test]
fn the_first_acts_the_second_stands_by_and_is_handed_the_lease() {
    let shared = Shared::default();
    let first = Scaler::start(&shared, "a", 3000);
    first.wait_for(&Part::Acts);
    first.wait_for_event("acting: nobody held the lease");
    assert_eq!(first.stop.wait_for_pass(Duration::ZERO), Woken::PassWanted, "the loop sleeps on");
    first.turn.begin_pass();
    assert_eq!((first.turn.may_act(), first.turn.may_create()), (Ok(()), Ok(())));

    let second = Scaler::start(&shared, "b", 3000);
    second.wait_for(&stands_by("a"));
    second.wait_for_event("standing by: a acts");
    second.turn.begin_pass();
    assert!(second.turn.may_act().is_err(), "a standby acts");
    assert_eq!(second.turn.term(), None);

    first.keeper.end(true);
    second.wait_for(&Part::Acts);
    second.wait_for_event("taken over from a: it handed the lease over");
    second.turn.begin_pass();
    assert_eq!(second.turn.may_create(), Ok(()), "what is handed over needs no wait");
    assert_eq!(second.metrics.counters().lease_changes, 1);
}

#[test]
fn who_is_cut_off_lapses_and_the_other_takes_over_but_creates_nothing_yet() {
    let shared = Shared::default();
    let first = Scaler::start(&shared, "a", 1000);
    first.wait_for(&Part::Acts);
    first.turn.begin_pass();
    let second = Scaler::start(&shared, "b", 1000);
    second.wait_for(&stands_by("a"));
    shared.cut_off("a");
    first.wait_for(&Part::Lapsed);
    let why = first.turn.may_act().unwrap_err();
    assert!(why.contains("not renewed in time"), "{why}");
    second.wait_for(&Part::Acts);
    second.wait_for_event("taken over from a: it did not renew the lease for 1 s");
    second.turn.begin_pass();
    assert_eq!(second.turn.may_act(), Ok(()));
    let why = second.turn.may_create().unwrap_err();
    assert!(why.contains("creations wait"), "{why}");

    let texts = first.wait_for_event("cannot ");
    assert!(texts.last().unwrap().contains("the lease: GET /records: connection refused"));
    assert!(first.metrics.counters().lease_failures > 0);
    shared.reconnect();
    first.wait_for(&stands_by("b"));
    let texts = first.wait_for_event("standing by: ");
    let failing = texts.iter().filter(|text| text.contains("cannot ")).count();
    assert_eq!(failing, 0, "said again and again: {texts:?}");
    assert!(first.turn.may_act().is_err());
}

#[test]
fn what_was_planned_in_an_earlier_turn_is_not_done_in_a_later_one() {
    let shared = Shared::default();
    let first = Scaler::start(&shared, "a", 1000);
    first.wait_for(&Part::Acts);
    first.turn.begin_pass();
    let term = first.turn.term();
    shared.cut_off("a");
    let second = Scaler::start(&shared, "b", 1000);
    second.wait_for(&Part::Acts);
    shared.reconnect();
    first.wait_for(&stands_by("b"));
    second.keeper.end(true);
    first.wait_for(&Part::Acts);
    assert_ne!(first.turn.term(), term);
    let why = first.turn.may_act().unwrap_err();
    assert!(why.contains("in the middle of the pass"), "{why}");
    first.turn.begin_pass();
    assert_eq!(first.turn.may_act(), Ok(()));
}

#[test]
fn a_loop_that_is_stuck_lets_another_scaler_act() {
    let shared = Shared::default();
    let first = Scaler::start(&shared, "a", 1000);
    first.wait_for(&Part::Acts);
    first.alive.store(false, Ordering::SeqCst);
    let second = Scaler::start(&shared, "b", 1000);
    second.wait_for(&Part::Acts);
    let texts = first.wait_for_event("another scaler can act: no progress");
    assert!(first.clock.now().elapsed > Duration::from_secs(1), "{texts:?}");
    first.alive.store(true, Ordering::SeqCst);
    first.wait_for(&stands_by("b"));
}

#[test]
fn a_lapse_that_is_over_wakes_the_loop_for_what_it_left() {
    let shared = Shared::default();
    let first = Scaler::start(&shared, "a", 1000);
    first.wait_for(&Part::Acts);
    assert_eq!(first.stop.wait_for_pass(Duration::ZERO), Woken::PassWanted);
    shared.cut_off("a");
    first.wait_for(&Part::Lapsed);
    shared.reconnect();
    assert_eq!(first.stop.wait_for_pass(Duration::from_secs(60)), Woken::PassWanted);
    assert_eq!(first.part(), Part::Acts);
}

/// One that may be looked at, as far as `look` lets it, and not written.
struct ReadOnly {
    look: fn() -> Result<Option<Record>>,
}

impl Store for ReadOnly {
    fn look(&mut self) -> Result<Option<Record>> {
        (self.look)()
    }
    fn read(&mut self, _: u64) -> Result<Option<Record>> {
        Ok(None)
    }
    fn create(&mut self, _: u64) -> Result<Creation> {
        Err(Error::new(ErrorKind::Refused(403), "POST /records: status 403"))
    }
    fn renew(&mut self, _: u64, _: u64) -> Result<Renewal> {
        Ok(Renewal::Gone)
    }
    fn release(&mut self, _: u64) -> Result<()> {
        Ok(())
    }
    fn delete(&mut self, _: u64) -> Result<()> {
        Ok(())
    }
    fn expires(&self) -> bool {
        false
    }
}

#[test]
fn a_lease_that_can_be_read_and_not_taken_is_said_once_with_the_reason() {
    let scaler = Scaler::with_store(Box::new(ReadOnly { look: || Ok(None) }), "a", 300);
    let failures = || scaler.metrics.counters().lease_failures;
    until("some tries", || failures() >= 4, || format!("{:?}", scaler.turn));
    let texts: Vec<String> =
        scaler.turn.take_events().into_iter().map(|event| event.text).collect();
    assert_eq!(texts, ["cannot take the lease: POST /records: status 403"]);
    let failure = scaler.turn.view().unwrap().failure;
    assert_eq!(failure.as_deref(), Some("POST /records: status 403"), "{:?}", scaler.turn);
}

#[test]
fn a_keeper_that_died_never_has_its_turn_and_wakes_the_loop() {
    let scaler =
        Scaler::with_store(Box::new(ReadOnly { look: || panic!("a bug, for a test") }), "a", 1000);
    scaler.wait_for(&Part::Dead);
    assert!(scaler.turn.is_dead() && scaler.turn.term().is_none());
    assert_eq!(scaler.stop.wait_for_pass(Duration::from_secs(60)), Woken::PassWanted);
    // Its end is waited for no longer than it lasts.
    scaler.keeper.end(true);
}
