//! Leases that run out by themselves.

use std::thread;
use std::time::{Duration, Instant};

use simplescalevm::lease::{Creation, Renewal, State, Store};

use crate::engine::{Cluster, PATIENCE};
use crate::lease_contract::holder;
use crate::on_etcd::store;

/// The least that etcd grants.
const SHORT: Duration = Duration::from_secs(2);

#[test]
fn what_is_renewed_stays_and_what_is_not_runs_out() {
    let cluster = Cluster::start(1);
    let settings = cluster.settings();
    let (mut a, mut b) = (store(&settings, "a", SHORT), store(&settings, "b", SHORT));
    assert_eq!(a.create(1), Ok(Creation::Created));
    let (began, mut renewed) = (Instant::now(), 0);
    let mut last = Instant::now();
    while began.elapsed() < SHORT * 3 {
        renewed += 1;
        let sent = Instant::now();
        match a.renew(1, renewed) {
            Ok(Renewal::Renewed) => last = sent,
            // A machine as busy as this may miss it; what was promised holds all the same.
            gone => {
                assert!(
                    last.elapsed() >= SHORT,
                    "{gone:?} within {:?} of a renewal",
                    last.elapsed()
                );
                return;
            }
        }
        thread::sleep(SHORT / 8);
    }
    let state = |b: &mut dyn Store| b.look().unwrap().map(|record| (record.epoch, record.state));
    while state(&mut b) == Some((1, State::Held)) {
        assert!(last.elapsed() < PATIENCE, "it never runs out");
        thread::sleep(Duration::from_millis(50));
    }
    assert!(last.elapsed() >= SHORT, "gone {:?} after it was last renewed", last.elapsed());
    assert_eq!(state(&mut b), Some((1, State::Expired)));
    assert_eq!(a.renew(1, renewed + 1), Ok(Renewal::Gone));
    assert_eq!(b.create(2), Ok(Creation::Created));
    assert_eq!(a.look().unwrap().map(|record| record.holder), Some(holder("b")));
}
