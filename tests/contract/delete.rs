//! Deleting servers: once, twice, and those that cannot be.

use simplescalevm::error::ErrorKind;
use simplescalevm::model::{Condition, ServerId};
use simplescalevm::provider::{Provider, ProviderMut};

use super::{Deed, Ground, list, one_in_error, open, running, until};

pub fn a_server_that_is_deleted_twice_is_gone(ground: &dyn Ground) {
    let mut provider = open(ground);
    let id = running(&mut provider, 1)[0].id.clone();
    provider.delete(&id).expect("the first deletion");
    provider.delete(&id).expect("a second one while it is going");
    gone(&mut provider);
    provider.delete(&id).expect("a third one after it is gone");
    assert!(provider.server(&id).unwrap().is_none());
}

pub fn a_server_that_never_was_is_gone(ground: &dyn Ground) {
    let id = ServerId::new("c6f04e5b-33f7-4413-97a3-1383e5950011");
    open(ground).delete(&id).expect("nothing to do");
}

pub fn a_locked_server_is_not_deleted(ground: &dyn Ground) {
    let mut provider = open(ground);
    let id = running(&mut provider, 1)[0].id.clone();
    ground.act_on(&id, Deed::Lock);
    let error = provider.delete(&id).expect_err("it is locked");
    assert_eq!(error.kind, ErrorKind::Refused(409), "{error}");
    assert!(error.text.ends_with(&format!("status 409: Instance {id} is locked")), "{error}");
    let servers = list(&mut provider);
    assert_eq!(servers[0].condition, Condition::Active { task: None });
    ground.act_on(&id, Deed::Unlock);
    provider.delete(&id).expect("it is not locked any more");
    gone(&mut provider);
}

pub fn an_errored_server_is_deleted(ground: &dyn Ground) {
    let (mut provider, id) = one_in_error(ground);
    provider.delete(&id).unwrap();
    gone(&mut provider);
}

/// Waits for the empty list; until then the server is shown as going.
#[track_caller]
fn gone(provider: &mut dyn Provider) {
    until("no server", || {
        let servers = list(provider);
        for server in &servers {
            assert_eq!(server.condition, Condition::Deleting, "{server:?}");
        }
        (servers.is_empty(), servers)
    });
}
