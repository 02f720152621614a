//! An application credential that may do what `contrib/access-rules-lease.json` allows besides.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use simplescalevm::handles::Handles;
use simplescalevm::lease::openstack::Images;
use simplescalevm::lease::{Creation, Renewal, State, Store};
use simplescalevm::settings::{ApplicationCredential, Credentials};

use crate::client::Client;
use crate::contract::Ground;
use crate::ground::RealGround;
use crate::lease_contract::holder;

/// What a pool with a lease in `OpenStack` needs: both files in one list.
fn rules(files: &[&str]) -> Value {
    let rules = files.iter().flat_map(|file| serde_json::from_str::<Vec<Value>>(file).unwrap());
    rules.collect::<Vec<_>>().into()
}

const POOL: &str = include_str!("../../contrib/access-rules.json");
const LEASE: &str = include_str!("../../contrib/access-rules-lease.json");

#[expect(clippy::disallowed_methods, reason = "a name that no run before had")]
fn store(ground: &RealGround, rules: &Value) -> (Images, Client) {
    let key = ground.cloud().add_application_credential(rules);
    let client = Client::of_application_credential(&ground.cloud().member, &key);
    let mut settings = ground.settings();
    let which = ApplicationCredential::Id(key.id);
    settings.credentials = Credentials::ApplicationCredential { which, secret: key.secret };
    let (name, limit) = (format!("access {:?}", SystemTime::now()), Duration::from_secs(120));
    (Images::new(&settings, &name, holder("a"), limit, Handles::new()).unwrap(), client)
}

#[test]
fn the_access_rules_we_ship_allow_all_a_lease_does_and_nothing_else() {
    let ground = RealGround::open();
    let (mut a, client) = store(&ground, &rules(&[POOL, LEASE]));
    assert_eq!(a.look(), Ok(None));
    assert_eq!(a.create(1), Ok(Creation::Created));
    assert_eq!(a.renew(1, 1), Ok(Renewal::Renewed));
    assert_eq!(a.read(1).unwrap().map(|record| record.renewed), Some(1));
    assert_eq!(a.release(1), Ok(()));
    assert_eq!(a.look().unwrap().map(|record| record.state), Some(State::Released));
    assert_eq!(a.create(2), Ok(Creation::Created));
    assert_eq!(a.delete(1), Ok(()));
    assert_eq!(a.read(1), Ok(None));
    for line in ["PUT image /images/0/file", "POST image /images/0/members", "GET image /tasks"] {
        let status = client.try_ask(line, None).map(|(status, _)| status);
        assert_eq!(status, Some(401), "{line}: not among the rules");
    }
}

#[test]
fn without_them_the_missing_right_is_named() {
    let ground = RealGround::open();
    let (mut a, _) = store(&ground, &rules(&[POOL]));
    assert_eq!(a.look(), Ok(None), "a standby's look is among the pool's own");
    let error = a.create(1).unwrap_err().text;
    assert!(
        error.contains("may not create images") && error.contains("POST of /v2/images"),
        "{error}"
    );
}
