//! Between two passes: an address leaves a service that dies, long before the next pass, and no other one.
//!
//! Passes are an hour apart, so whatever moves was moved in a pass that began early.

use std::time::Duration;

use crate::metrics::{metric, wait_for_metric};
use crate::replica::Says;
use crate::scene::lines;
use crate::stage::{Stage, stage};

/// So many healthy replicas, and so many addresses, each on one of them.
fn watched(replicas: usize, addresses: usize) -> Stage {
    let stage = stage(replicas, addresses);
    // Far more than the 4 s that a slow one takes, on a machine that is busy with everything else.
    let settings =
        stage.settings.clone().with("APP_INTERVAL", "3600").with("REPLICA_API_TIMEOUT", "12");
    let stage = stage.under(settings);
    stage.scene.keep(&stage.pool);
    stage
}

/// How many passes the watch began.
const EARLY_PASSES: &str = "simplescalevm_early_passes_total";

impl Stage {
    /// Waits until so many questions of the watch more came to this.
    #[track_caller]
    fn wait_for_questions(&self, result: &str, count: f64) {
        let sample = format!("simplescalevm_watch_questions_total{{result=\"{result}\"}}");
        let before = metric::<f64>(&self.daemon, &sample);
        wait_for_metric(&self.daemon, &sample, |now| now >= before + count);
    }

    #[track_caller]
    fn expect_no_early_pass(&self) {
        let early = metric::<f64>(&self.daemon, EARLY_PASSES);
        assert!(early < 1.0, "{early} early passes\n{}", self.daemon.log());
    }

    #[track_caller]
    fn wait_for_the_end_of_an_early_pass(&self) {
        wait_for_metric(&self.daemon, EARLY_PASSES, |count| count >= 1.0);
    }

    /// Panics when any address is not where it was, or was moved and is back.
    #[track_caller]
    fn expect_nothing_moved(&self, when: &str) {
        for (address, vm) in self.addresses.iter().zip(&self.pool) {
            let holder = self.scene.cloud.holder(address);
            assert_eq!(holder.as_ref(), Some(&vm.id), "{when}\n{}", self.daemon.log());
        }
        assert_eq!(self.moves(), 0, "{when}\n{}", self.daemon.log());
    }

    fn moves(&self) -> usize {
        lines(&self.daemon, &["PUT ", "/floatingips/"])
    }
}

#[test]
fn an_address_stays_on_a_service_that_is_soon_back_or_slow_and_leaves_one_that_dies() {
    let stage = watched(3, 1);
    let holder = &stage.pool[0];

    stage.scene.replica(holder, None);
    // Each second one.
    stage.wait_for_questions("failed", 2.0);
    stage.scene.replica(holder, Some(Says::free(1)));
    stage.wait_for_questions("answered", 3.0);
    stage.expect_nothing_moved("it was away for two seconds");

    stage.scene.replica(holder, Some(Says::slowly(Duration::from_secs(4))));
    stage.wait_for_questions("answered", 4.0);
    stage.expect_nothing_moved("it takes four seconds for each answer");
    stage.expect_no_early_pass();

    stage.scene.replica(holder, None);
    stage.expect_moved(&[0]);
    stage.daemon.wait_for_log(&["WARN", &holder.id, "no longer answers", "; a pass begins now"]);
    stage.wait_for_the_end_of_an_early_pass();
    assert_eq!(stage.moves(), 1, "{}", stage.daemon.log());
}

#[test]
fn no_address_moves_when_all_holders_fall_silent_at_once() {
    let stage = watched(4, 3);
    for holder in &stage.pool[..3] {
        stage.scene.replica(holder, None);
    }
    stage.wait_for_the_end_of_an_early_pass();
    stage.daemon.wait_for_log(&["ERROR", "brake: 3 of 4 replicas that should answer are silent"]);
    // Whoever was not lost with the first of them is lost by now, too.
    stage.wait_for_questions("failed", 12.0);
    stage.expect_nothing_moved("most of the pool is silent");
}
