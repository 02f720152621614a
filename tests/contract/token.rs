//! Tokens that end before their time, or at it.

use std::time::Duration;

use simplescalevm::model::Condition;
use simplescalevm::provider::{Provider, ProviderMut};

use super::member::Member;
use super::{Ground, creation, list, open};

pub fn a_revoked_token_is_answered_by_a_new_login(ground: &dyn Ground) {
    let mut provider = open(ground);
    list(&mut provider);
    let member = Member::new(&ground.settings());
    ground.revoke_tokens();
    let (status, body) = member.ask("compute", "GET", "/servers/detail", None);
    assert_eq!(status, 401, "{body}");
    assert_eq!(member.ask("network", "GET", "/networks", None).0, 401);
    assert_eq!(member.ask("image", "GET", "/images", None).0, 401);
    // A creation is never repeated, but for a 401, which has made nothing.
    provider.create(&creation(1)).expect("a creation right after the token was revoked");
    assert_eq!(list(&mut provider).len(), 1, "one creation, one server");
    ground.revoke_tokens();
    provider.external_addresses().expect("a list of floating IPs");
    assert!(list(&mut provider).iter().all(|server| server.condition != Condition::Other));
}

pub fn an_expired_token_is_no_failure(ground: &dyn Ground) {
    let life = Duration::from_secs(15);
    ground.set_token_life(life);
    let (mut provider, member) = (open(ground), Member::new(&ground.settings()));
    list(&mut provider);
    ground.outlive(life);
    assert_eq!(member.ask("compute", "GET", "/servers/detail", None).0, 401, "it has expired");
    list(&mut provider);
}
