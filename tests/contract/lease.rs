//! What a store of the lease promises, one case a function: run word for word the same against the fake cloud, a real one
//! and etcd.

use std::sync::Barrier;
use std::thread;

use simplescalevm::error::Result;
use simplescalevm::lease::{Creation, Holder, Record, Renewal, State, Store};

/// Scalers that want one epoch at the same time, and how often.
const RACERS: usize = 6;
const ROUNDS: usize = 20;

/// A lease that nobody has held yet.
pub trait LeaseGround {
    /// A client of its own of one of the pool's scalers; those of different names come as different users where there are.
    fn store(&self, name: &str) -> Box<dyn Store>;

    /// Waits until what nobody renewed has run out, where the store sees to that itself.
    fn outlive(&self) {}
}

/// Every case as a test of its own, each on a new ground.
macro_rules! lease_tests {
    ($ground:path) => {
        lease_tests! { @cases $ground;
            a_lease_nobody_has_held_has_no_record, what_one_makes_all_see,
            a_number_is_given_out_once, a_renewal_shows, who_made_nothing_renews_nothing,
            what_is_handed_over_shows_and_is_followed, who_was_followed_can_renew_no_more,
            a_number_stays_taken_when_its_record_is_gone, what_is_gone_is_deleted_again_without_a_word,
            what_nobody_renews_runs_out_where_the_store_sees_to_that, of_six_that_want_an_epoch_one_gets_it
        }
    };
    (@cases $ground:path; $($case:ident),+) => {
        mod lease { $(
            #[test]
            fn $case() {
                crate::lease_contract::$case(&$ground());
            }
        )+ }
    };
}

/// The holder of this name.
pub fn holder(name: &str) -> Holder {
    Holder { name: name.into(), word: format!("word of {name}") }
}

#[expect(clippy::unnecessary_wraps, reason = "just as a store answers")]
fn held(epoch: u64, name: &str, renewed: u64) -> Result<Option<Record>> {
    Ok(Some(Record { epoch, holder: holder(name), renewed, state: State::Held }))
}

#[track_caller]
fn make(store: &mut dyn Store, epoch: u64) {
    assert_eq!(store.create(epoch), Ok(Creation::Created), "epoch {epoch}");
}

pub fn a_lease_nobody_has_held_has_no_record(ground: &dyn LeaseGround) {
    let mut store = ground.store("a");
    assert_eq!(store.look(), Ok(None));
    assert_eq!(store.read(1), Ok(None));
    assert_eq!(store.look(), Ok(None), "to look makes nothing");
}

pub fn what_one_makes_all_see(ground: &dyn LeaseGround) {
    let (mut a, mut b) = (ground.store("a"), ground.store("b"));
    assert_eq!(a.look(), Ok(None));
    make(&mut *a, 1);
    for store in [&mut a, &mut b, &mut ground.store("c")] {
        assert_eq!(store.look(), held(1, "a", 0));
        assert_eq!(store.read(1), held(1, "a", 0));
        assert_eq!(store.read(2), Ok(None));
    }
}

pub fn a_number_is_given_out_once(ground: &dyn LeaseGround) {
    let (mut a, mut b) = (ground.store("a"), ground.store("b"));
    assert_eq!((a.look(), b.look()), (Ok(None), Ok(None)));
    make(&mut *a, 1);
    assert_eq!(b.create(1), Ok(Creation::Exists));
    assert_eq!(a.create(1), Ok(Creation::Exists), "not even to its own holder");
    assert_eq!(b.look(), held(1, "a", 0), "who was refused has changed nothing");
    assert_eq!(a.renew(1, 1), Ok(Renewal::Renewed));
}

pub fn a_renewal_shows(ground: &dyn LeaseGround) {
    let (mut a, mut b) = (ground.store("a"), ground.store("b"));
    make(&mut *a, 1);
    for renewed in [1, 2, 7, u64::from(u32::MAX) * 16] {
        assert_eq!(a.renew(1, renewed), Ok(Renewal::Renewed));
        assert_eq!(b.look(), held(1, "a", renewed));
        assert_eq!(b.read(1), held(1, "a", renewed));
    }
}

pub fn who_made_nothing_renews_nothing(ground: &dyn LeaseGround) {
    let (mut a, mut b) = (ground.store("a"), ground.store("b"));
    assert_eq!(a.renew(1, 1), Ok(Renewal::Gone), "there is nothing at all");
    make(&mut *a, 1);
    assert_eq!(b.look(), held(1, "a", 0));
    assert_eq!(b.renew(2, 1), Ok(Renewal::Gone));
    assert_eq!(a.look(), held(1, "a", 0));
}

pub fn what_is_handed_over_shows_and_is_followed(ground: &dyn LeaseGround) {
    let (mut a, mut b) = (ground.store("a"), ground.store("b"));
    make(&mut *a, 1);
    assert_eq!(a.renew(1, 3), Ok(Renewal::Renewed));
    assert_eq!(a.release(1), Ok(()));
    let seen = b.look().unwrap().expect("what was handed over stays to be seen");
    let (epoch, state) = (seen.epoch, seen.state);
    assert_eq!((epoch, state, &seen.holder), (1, State::Released, &holder("a")));
    assert_eq!(a.look(), Ok(Some(seen.clone())));
    make(&mut *b, 2);
    assert_eq!(b.renew(2, 1), Ok(Renewal::Renewed));
    assert_eq!(b.delete(1), Ok(()));
    assert_eq!(a.look(), held(2, "b", 1));
    // And back again.
    assert_eq!(b.release(2), Ok(()));
    assert_eq!(a.look().unwrap().map(|record| record.state), Some(State::Released));
    make(&mut *a, 3);
    assert_eq!(b.look(), held(3, "a", 0));
}

pub fn who_was_followed_can_renew_no_more(ground: &dyn LeaseGround) {
    let (mut a, mut b) = (ground.store("a"), ground.store("b"));
    make(&mut *a, 1);
    ground.outlive();
    b.look().unwrap().expect("a record that was left behind");
    make(&mut *b, 2);
    // Until its record is deleted it may write, where the store does not see to that; it is not the one that counts.
    let _ = a.renew(1, 1);
    assert_eq!(a.look(), held(2, "b", 0), "the highest counts");
    assert_eq!(b.delete(1), Ok(()));
    assert_eq!(a.renew(1, 2), Ok(Renewal::Gone));
    assert_eq!(a.read(1), Ok(None));
    // Nor hand over what is not its own any more.
    let _ = a.release(1);
    assert_eq!(a.look(), held(2, "b", 0));
    assert_eq!(b.renew(2, 1), Ok(Renewal::Renewed));
}

pub fn a_number_stays_taken_when_its_record_is_gone(ground: &dyn LeaseGround) {
    let (mut a, mut b) = (ground.store("a"), ground.store("b"));
    make(&mut *a, 1);
    a.release(1).unwrap();
    b.look().unwrap();
    make(&mut *b, 2);
    b.delete(1).unwrap();
    for epoch in [1, 2] {
        assert_eq!(a.create(epoch), Ok(Creation::Exists), "epoch {epoch} was there");
        a.look().unwrap();
        assert_eq!(a.create(epoch), Ok(Creation::Exists), "epoch {epoch}, after a look");
    }
    assert_eq!(a.look(), held(2, "b", 0));
}

pub fn what_is_gone_is_deleted_again_without_a_word(ground: &dyn LeaseGround) {
    let (mut a, mut b) = (ground.store("a"), ground.store("b"));
    for epoch in 1..=3 {
        a.look().unwrap();
        make(&mut *a, epoch);
        a.release(epoch).unwrap();
    }
    b.look().unwrap();
    make(&mut *b, 4);
    // One deletion may have failed, so the next takes the older ones along.
    assert_eq!(b.delete(3), Ok(()));
    for epoch in 1..=3 {
        assert_eq!(b.read(epoch), Ok(None), "epoch {epoch}");
    }
    assert_eq!((b.delete(3), b.delete(1)), (Ok(()), Ok(())));
    assert_eq!(b.look(), held(4, "b", 0));
}

pub fn what_nobody_renews_runs_out_where_the_store_sees_to_that(ground: &dyn LeaseGround) {
    let (mut a, mut b) = (ground.store("a"), ground.store("b"));
    make(&mut *a, 1);
    ground.outlive();
    let record = b.look().unwrap().expect("it stays to be seen");
    assert_eq!((record.epoch, &record.holder), (1, &holder("a")));
    let expected = if b.expires() { State::Expired } else { State::Held };
    assert_eq!(record.state, expected);
    let renewed = a.renew(1, 1);
    assert_eq!(renewed, Ok(if b.expires() { Renewal::Gone } else { Renewal::Renewed }));
}

pub fn of_six_that_want_an_epoch_one_gets_it(ground: &dyn LeaseGround) {
    let (begin, end) = (Barrier::new(RACERS), Barrier::new(RACERS));
    let race = |mut store: Box<dyn Store>| {
        let mut won = Vec::new();
        for epoch in (1..).take(ROUNDS) {
            store.look().expect("a look");
            begin.wait();
            if store.create(epoch).expect("an answer") == Creation::Created {
                won.push(epoch);
                store.renew(epoch, 1).expect("a renewal");
            }
            end.wait();
            if won.last() == Some(&epoch) {
                store.release(epoch).expect("a release");
            }
            begin.wait();
        }
        won
    };
    let names = ["a", "b", "c"].into_iter().cycle().take(RACERS);
    let stores: Vec<_> = names.map(|name| ground.store(name)).collect();
    let mut won: Vec<u64> = thread::scope(|scope| {
        let racers: Vec<_> = stores.into_iter().map(|store| scope.spawn(|| race(store))).collect();
        racers.into_iter().flat_map(|racer| racer.join().unwrap()).collect()
    });
    won.sort_unstable();
    let every: Vec<u64> = (1..).take(ROUNDS).collect();
    assert_eq!(won, every, "each epoch has one winner");
}
