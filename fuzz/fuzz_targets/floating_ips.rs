//! Neutron's list of floating IPs, page by page.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use simplescalevm::provider::openstack::floating_ips::{FloatingIpList, PATH, Place, Wanted};
use simplescalevm_fuzz::{assert_one_line, ids, pages};

fuzz_target!(|input: &[u8]| {
    let wanted = Wanted { description: "server".to_owned(), project: "p".to_owned() };
    let mut list = FloatingIpList::of(wanted);
    let mut path = PATH.to_owned();
    for page in pages(input) {
        match list.add(&path, page) {
            Ok(Some(next)) => {
                assert!(next.starts_with("/floatingips?"), "another path: {next}");
                assert_ne!(next, path, "round in circles");
                path = next;
            }
            Ok(None) => {}
            Err(error) => return assert_one_line(&error.text),
        }
    }
    let found = list.into_floating_ips();
    let different: BTreeSet<_> = found.iter().map(|one| &one.id).collect();
    assert_eq!(different.len(), found.len(), "doubles");
    let others = ids(input, "floatingips");
    assert!(others.is_none_or(|others| others >= found.len()), "more than there are: {others:?}");
    let nobody = |place: &Place| matches!(place, Place::Device { id, .. } if id.is_empty());
    assert!(!found.iter().any(|one| nobody(&one.place)), "a device without an id");
});
