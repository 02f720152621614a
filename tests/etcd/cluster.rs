//! Three members, of which one dies and one hangs.

use std::time::{Duration, Instant};

use simplescalevm::error::ErrorKind;
use simplescalevm::lease::etcd::Etcd;
use simplescalevm::lease::{Creation, Renewal, Store};

use crate::engine::{Cluster, PATIENCE};
use crate::lease_contract::holder;
use crate::on_etcd::{LEASE, LIMIT, LONG, store};

/// The epoch, its holder's name and its counter.
fn seen(store: &mut dyn Store) -> Option<(u64, String, u64)> {
    let record = store.look().expect("a look");
    record.map(|record| (record.epoch, record.holder.name, record.renewed))
}

/// Renews until that goes well: a new leader may have to be found first.
fn renew(store: &mut dyn Store, from: u64) -> u64 {
    let began = Instant::now();
    for renewed in from.. {
        match store.renew(1, renewed) {
            Ok(renewal) => {
                assert_eq!(renewal, Renewal::Renewed);
                return renewed;
            }
            Err(error) => assert!(began.elapsed() < PATIENCE, "never again: {error}"),
        }
    }
    unreachable!("numbers end later")
}

#[test]
fn two_of_three_are_enough_and_one_is_not() {
    let mut cluster = Cluster::start(3);
    let settings = cluster.settings();
    let mut a = store(&settings, "a", LONG);
    let mut others = settings.clone();
    others.endpoints.rotate_left(1);
    let mut b = store(&others, "b", LONG);
    assert_eq!(a.create(1), Ok(Creation::Created));

    cluster.members[0].kill();
    let renewed = renew(&mut a, 1);
    assert_eq!(seen(&mut b), Some((1, "a".into(), renewed)));

    cluster.members[1].pause();
    let limit = Duration::from_secs(2);
    let mut hasty = Etcd::new(&settings, LEASE, holder("c"), LONG, limit).unwrap();
    let began = Instant::now();
    let error = hasty.look().expect_err("one of three decides nothing");
    assert!(began.elapsed() < LIMIT, "it took {:?}: {error}", began.elapsed());
    assert_eq!(error.kind, ErrorKind::Unclear, "{error}");
    assert!(error.text.contains("connection refused"), "each endpoint has its reason: {error}");

    cluster.members[1].resume();
    let renewed = renew(&mut a, renewed + 1);
    assert_eq!(seen(&mut b), Some((1, "a".into(), renewed)));
}

#[test]
fn what_a_hanging_member_was_sent_takes_no_second_effect() {
    let cluster = Cluster::start(3);
    let settings = cluster.settings();
    let mut a = store(&settings, "a", LONG);
    assert_eq!(seen(&mut a), None);
    for (place, member) in cluster.members.iter().enumerate() {
        // It asks the one first that answered last; this one is new.
        let mut endpoints = settings.endpoints.clone();
        endpoints.rotate_left(place);
        let mut b = store(
            &simplescalevm::settings::EtcdSettings { endpoints, ..settings.clone() },
            "b",
            LONG,
        );
        let before = seen(&mut b).map_or(0, |(epoch, ..)| epoch);
        let epoch = before + 1;
        member.pause();
        let began = Instant::now();
        while b.create(epoch).is_err() {
            assert!(began.elapsed() < PATIENCE, "two of three are enough");
            if seen(&mut b).is_some_and(|(now, ..)| now == epoch) {
                break;
            }
        }
        let renewal = b.renew(epoch, 1);
        member.resume();
        if renewal == Ok(Renewal::Renewed) {
            b.release(epoch).unwrap();
        }
        let began = Instant::now();
        loop {
            match a.look() {
                Ok(record) => {
                    let record = record.expect("a record");
                    assert_eq!((record.epoch, record.holder), (epoch, holder("b")));
                    break;
                }
                Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
            }
        }
        if renewal != Ok(Renewal::Renewed) {
            return;
        }
    }
    assert_eq!(a.create(4), Ok(Creation::Created), "after three that were handed over");
    assert_eq!(seen(&mut a), Some((4, "a".into(), 0)));
}
