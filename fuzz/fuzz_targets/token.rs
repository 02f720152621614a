//! Keystone's token, and the endpoints chosen from its catalog.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use simplescalevm::provider::openstack::catalog::{Choice, choose, version_document};
use simplescalevm::provider::openstack::identity::Token;
use simplescalevm_fuzz::assert_one_line;

/// From the year 1970, where our times begin, to the end of 9999, where theirs do.
const LIFE_MAX: Duration = Duration::from_secs(8_030 * 366 * 24 * 3600);

const SECRET: &str = "the-token-itself";

fuzz_target!(|body: &[u8]| {
    let token = match Token::read(SECRET, body) {
        Ok(token) => token,
        Err(why) => return assert_one_line(&why),
    };
    assert!(token.life <= LIFE_MAX, "a token that lives for {:?}", token.life);
    assert_eq!(token.value.expose(), SECRET);
    assert!(!format!("{token:?}").contains(SECRET), "the token is shown");
    for region in [None, Some("SBG7"), Some("")] {
        for interface in ["public", "internal"] {
            let chosen = match choose(&token.catalog, &Choice::of(region, interface)) {
                Ok(chosen) => chosen,
                Err(error) => {
                    assert_one_line(&error.text);
                    continue;
                }
            };
            if let Some(region) = region {
                assert_eq!(chosen.region, region, "another region than the one asked for");
            }
            let none = Vec::new();
            for (endpoints, version) in [
                (&chosen.compute, "/v2"),
                (chosen.network.as_ref().unwrap_or(&none), "/v2"),
                (chosen.image.as_ref().unwrap_or(&none), "/v2"),
            ] {
                for endpoint in endpoints {
                    assert!(endpoint.contains(version), "no {version} in {endpoint}");
                    assert!(!endpoint.ends_with('/'), "two slashes before a path: {endpoint}");
                }
            }
            assert!(!chosen.compute.is_empty(), "no Nova, and no error");
            for compute in &chosen.compute {
                let document = version_document(compute);
                assert!(document.ends_with('/'), "{document} of {compute}");
                assert_eq!(version_document(&document), document, "of {compute}");
            }
        }
    }
});
