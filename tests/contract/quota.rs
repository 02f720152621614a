//! The project's limit on servers.

use simplescalevm::error::ErrorKind;
use simplescalevm::provider::ProviderMut;

use super::{Ground, creation, list, open, running};

pub fn as_many_as_fit_are_made(ground: &dyn Ground) {
    ground.set_quota(Some(2));
    let mut provider = open(ground);
    provider.create(&creation(5)).expect("those that fit");
    let mut names: Vec<String> =
        list(&mut provider).into_iter().map(|server| server.name.to_string()).collect();
    names.sort();
    assert_eq!(names, ["web-1", "web-2"]);
}

pub fn where_none_fits_it_is_a_quota(ground: &dyn Ground) {
    ground.set_quota(Some(1));
    let mut provider = open(ground);
    running(&mut provider, 1);
    let error = provider.create(&creation(3)).expect_err("none fits");
    assert_eq!(error.kind, ErrorKind::Quota, "{error}");
    let said = "status 403: Quota exceeded for instances: Requested 1-3, but already used 1 of 1 instances";
    assert!(error.text.ends_with(said), "{error}");
    assert_eq!(list(&mut provider).len(), 1);
}

pub fn a_raised_quota_lets_more_in(ground: &dyn Ground) {
    ground.set_quota(Some(0));
    let mut provider = open(ground);
    let error = provider.create(&creation(1)).expect_err("none fits");
    assert_eq!(error.kind, ErrorKind::Quota, "{error}");
    ground.set_quota(None);
    provider.create(&creation(1)).expect("it fits now");
}
