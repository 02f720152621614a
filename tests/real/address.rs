//! External addresses move away from what is dead, and from nothing else.

use serde_json::json;

use crate::stage::stage;

#[test]
fn an_address_leaves_a_dead_service() {
    let stage = stage(3, 1);
    stage.scene.keep(&stage.pool);
    stage.scene.replica(&stage.pool[0], None);
    stage.expect_moved(&[0]);
}

#[test]
fn an_address_leaves_a_deleted_vm() {
    let stage = stage(3, 2);
    stage.scene.keep(&stage.pool[1..]);
    stage.scene.cloud.member.ask(&format!("DELETE compute /servers/{}", stage.pool[0].id), None);
    stage.expect_moved(&[0]);
    stage.scene.until_healthy(&stage.daemon, 3);
}

#[test]
fn an_address_leaves_an_errored_vm() {
    let stage = stage(3, 1);
    stage.scene.keep(&stage.pool[1..]);
    stage.scene.replica(&stage.pool[0], None);
    stage.scene.cloud.act(&stage.pool[0].id, &json!({"os-resetState": {"state": "error"}}));
    stage.expect_moved(&[0]);
    stage.scene.until_healthy(&stage.daemon, 3);
}

#[test]
fn of_two_dead_holders_one_gets_the_only_spare_and_the_other_waits() {
    // Five of six answer no more than one: no brake is on.
    let stage = stage(5, 4);
    stage.scene.boots_say(None);
    let [one, two] = [&stage.pool[0], &stage.pool[1]];
    stage.scene.keep(&stage.pool);
    stage.scene.replica(one, None);
    stage.scene.replica(two, None);
    stage.expect_moved(&[0, 1]);
    // The replacements do not answer yet, so the second address has to stay where it is.
    stage.scene.passes(&stage.daemon, 3);
    let free = &stage.pool[4];
    let holders = [0, 1].map(|at| stage.scene.cloud.holder(&stage.addresses[at]));
    let moved = holders.iter().flatten().filter(|holder| **holder == free.id).count();
    assert_eq!(moved, 1, "one spare, one move: {holders:?}");
    let waiting = if holders[0].as_ref() == Some(&free.id) { two } else { one };
    assert!(holders.contains(&Some(waiting.id.clone())), "the other stays: {holders:?}");
}
