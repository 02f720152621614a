//! Answers made from good ones by small changes: each works or names what is wrong, nothing is taken for the pool's that was
//! not compared, and nothing stops for what is not needed.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::model::Launched;
use crate::provider::openstack::catalog::{Choice, choose};
use crate::provider::openstack::floating_ips::{self, FloatingIpList, Wanted};
use crate::provider::openstack::identity::Token;
use crate::provider::openstack::microversion;
use crate::provider::openstack::record::Ours;
use crate::provider::openstack::servers::{PATH, ServerList};

/// One small change of a JSON document.
#[derive(Clone, Copy, Debug)]
enum Change {
    Drop,
    Null,
    /// Something of another type, or of the same and another value.
    Wrong(usize),
    /// A field, or an item, that nobody agreed on.
    Extra(usize),
}

fn odd(number: usize) -> Value {
    let odd = [
        json!(5),
        json!("x"),
        json!([]),
        json!({}),
        json!(true),
        json!(["x"]),
        json!(-0.5),
        json!(""),
    ];
    odd[number % odd.len()].clone()
}

/// Pointers to everything within `value`.
fn within(value: &Value, here: &str, found: &mut Vec<String>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(n, item)| (n.to_string(), item)).collect()
        }
        _ => return,
    };
    for (key, value) in parts {
        let pointer = format!("{here}/{key}");
        within(value, &pointer, found);
        found.push(pointer);
    }
}

/// Changes one place of `document`; tells which.
fn change(document: &mut Value, place: usize, change: Change) -> String {
    let mut places = Vec::new();
    within(document, "", &mut places);
    if places.is_empty() {
        return String::new();
    }
    let place = places[place % places.len()].clone();
    let (parent, key) = place.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    match (change, parent) {
        (Change::Drop, Value::Object(fields)) => drop(fields.remove(&key.replace("~1", "/"))),
        (Change::Drop, Value::Array(items)) => drop(items.remove(key.parse().unwrap())),
        (Change::Extra(number), Value::Object(fields)) => {
            drop(fields.insert("extra".into(), odd(number)));
        }
        (Change::Extra(number), Value::Array(items)) => items.push(odd(number)),
        (Change::Null, _) => *document.pointer_mut(&place).unwrap() = Value::Null,
        (Change::Wrong(number), _) => *document.pointer_mut(&place).unwrap() = odd(number),
        (_, parent) => panic!("nothing is within {parent}"),
    }
    place
}

fn changes() -> impl Strategy<Value = Vec<(usize, Change)>> {
    let one = prop_oneof![
        Just(Change::Drop),
        Just(Change::Null),
        (0_usize..8).prop_map(Change::Wrong),
        (0_usize..8).prop_map(Change::Extra),
    ];
    prop::collection::vec(
        (any::<prop::sample::Index>().prop_map(|place| place.index(10_000)), one),
        1..=3,
    )
}

fn all(document: &mut Value, changed: &[(usize, Change)]) -> Vec<String> {
    changed.iter().map(|(place, one)| change(document, *place, *one)).collect()
}

fn servers() -> Value {
    let server = |id: &str, metadata: Value, vm_state: &str, launched: Value, locked: bool| {
        json!({"id": id, "name": id, "status": vm_state.to_uppercase(), "metadata": metadata, "locked": locked,
            "created": "2026-11-24T19:00:00Z", "updated": "2026-11-24T19:00:00Z", "OS-SRV-USG:launched_at": launched,
            "OS-EXT-STS:vm_state": vm_state, "OS-EXT-STS:task_state": null, "image": {"id": "i"}, "links": [],
            "addresses": {"Ext-Net": [{"addr": "10.0.0.4", "version": 4, "OS-EXT-IPS:type": "fixed"}]}})
    };
    let launched = json!("2026-11-24T19:00:30.000000");
    json!({"servers": [
        server("ours", json!({"group": "scaler"}), "active", launched.clone(), true),
        server("broken", json!({"group": "scaler"}), "error", launched.clone(), false),
        server("other", json!({}), "active", launched.clone(), false),
        server("front", json!({"group": "front", "role": "web"}), "error", Value::Null, false),
    ], "servers_links": []})
}

/// Whether a list cannot do without what is at `place`.
fn decides(place: &str) -> bool {
    let Some(rest) = place.strip_prefix("/servers/") else { return true };
    let (number, field) = rest.split_once('/').unwrap_or((rest, ""));
    let ours = ["0", "1"].contains(&number);
    match field {
        "" | "id" | "metadata/group" => true,
        // The whole of it may be odd: then it has no mark.
        "metadata" => false,
        "created" => ours,
        field => ours && field.starts_with("addresses"),
    }
}

fn is_one_line(text: &str) -> bool {
    !text.contains(char::is_control) && text.chars().count() <= 4000
}

/// The same cases each time: a failure here is one for everybody.
fn config() -> ProptestConfig {
    let rng_seed = proptest::test_runner::RngSeed::Fixed(13);
    ProptestConfig { cases: 1500, failure_persistence: None, rng_seed, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_odd_list_of_servers_is_read_or_named(changed in changes()) {
        let mut document = servers();
        let places = all(&mut document, &changed);
        let ours = Ours { key: "group".into(), values: Some(vec!["scaler".into()]) };
        let mut list = ServerList::of(ours);
        match list.add(PATH, document.to_string().as_bytes()) {
            Err(error) => {
                prop_assert!(is_one_line(&error.text) && error.text.starts_with("/servers/detail: "), "{}", error);
                prop_assert!(places.iter().any(|place| decides(place)), "{} for {:?}", error, places);
            }
            Ok(_) => {
                for server in list.into_servers() {
                    let is_ours = server.mark.as_deref() == Some("scaler");
                    prop_assert!(!is_ours || ["ours", "broken", "x"].contains(&server.id.as_str()), "{:?}", server);
                    let touched = |field: &str| places.iter().any(|place| place.ends_with(field));
                    prop_assert!(
                        !is_ours || server.launched != Launched::Never || touched("launched_at"),
                        "never launched: {:?} after {:?}", server, places
                    );
                    prop_assert!(server.id.as_str() != "ours" || server.locked || touched("locked"), "{:?}", server);
                    prop_assert!(
                        !is_ours || server.fixed.len() == 1 || places.iter().any(|place| place.contains("addresses")),
                        "{:?}", server
                    );
                }
            }
        }
    }

    #[test]
    fn an_odd_list_of_floating_ips_is_read_or_named(changed in changes()) {
        let one = |id: &str, description: &str, project: &str, port: Value| json!({
            "id": id, "floating_ip_address": "203.0.113.1", "description": description, "project_id": project,
            "tenant_id": project, "port_id": port, "port_details": {"device_id": "vm"}, "port_forwardings": [],
            "status": "ACTIVE"});
        let mut document = json!({"floatingips": [
            one("ours", "server", "p", json!("port")),
            one("vpn", "office-vpn", "p", Value::Null),
            one("theirs", "server", "q", Value::Null),
        ], "floatingips_links": []});
        let places = all(&mut document, &changed);
        let mut list = FloatingIpList::of(Wanted { description: "server".into(), project: "p".into() });
        match list.add(floating_ips::PATH, document.to_string().as_bytes()) {
            Err(error) => {
                prop_assert!(is_one_line(&error.text) && error.text.starts_with("/floatingips: "), "{}", error);
                let foreign = |place: &String| place.starts_with("/floatingips/1/") || place.starts_with("/floatingips/2/");
                prop_assert!(!places.iter().all(foreign), "{} for {:?}", error, places);
            }
            Ok(_) => for one in list.into_floating_ips() {
                prop_assert!(["ours", "x"].contains(&one.id.0.as_str()), "{:?}", one);
                let free = one.place == floating_ips::Place::Nowhere;
                let touched = places.iter().any(|place| place.contains("port_") || place.contains("device_id"));
                prop_assert!(!free || touched, "{:?} after {:?}", one, places);
            },
        }
    }

    #[test]
    fn an_odd_token_gives_the_right_endpoints_or_names_what_is_wrong(changed in changes()) {
        let endpoint = |region: &str, interface: &str, url: &str| {
            json!({"interface": interface, "region": region, "region_id": region, "url": url})
        };
        let service = |kind: &str| json!({"type": kind, "name": kind, "endpoints": [
            endpoint("GRA9", "public", "http://wrong-region"),
            endpoint("SBG7", "admin", "http://wrong-interface"),
            endpoint("SBG7", "public", &format!("http://{kind}")),
        ]});
        let mut document = json!({"token": {
            "issued_at": "2026-11-24T19:00:00Z", "expires_at": "2026-11-24T20:00:00+00:00",
            "project": {"id": "p", "name": "demo", "domain": {"id": "default"}},
            "catalog": [service("compute"), service("network"), service("image"), service("object-store")],
            "roles": [], "user": {"id": "u"}}});
        let places = all(&mut document, &changed);
        let token = match Token::read("t", document.to_string().as_bytes()) {
            Ok(token) => token,
            Err(why) => {
                prop_assert!(is_one_line(&why), "{}", why);
                let needed = |place: &String| place == "/token" || place.starts_with("/token/project");
                prop_assert!(places.iter().any(needed), "{} for {:?}", why, places);
                return Ok(());
            }
        };
        match choose(&token.catalog, &Choice::of(Some("SBG7"), "public")) {
            Err(error) => {
                prop_assert!(is_one_line(&error.text), "{}", error);
                let other = |place: &String| place.starts_with("/token/catalog/") && !place.starts_with("/token/catalog/0");
                let unused = |place: &String| other(place) || !place.starts_with("/token/catalog");
                // Dropped items move what stands behind them.
                let dropped = changed.iter().any(|(_, change)| matches!(change, Change::Drop));
                prop_assert!(dropped || !places.iter().all(unused), "{} for {:?}", error, places);
            }
            Ok(chosen) => {
                let lists = [Some(&chosen.compute), chosen.network.as_ref().ok(), chosen.image.as_ref().ok()];
                let urls: BTreeSet<&String> = lists.into_iter().flatten().flatten().collect();
                // Several changes can make a catalog of which nothing tells that it is another one.
                let wrong = urls.iter().any(|url| url.contains("wrong"));
                prop_assert!(!wrong || changed.len() > 1, "{:?} after {:?}", urls, places);
            }
        }
    }

    #[test]
    fn whatever_a_version_document_says_a_version_is_spoken(changed in changes()) {
        let mut document = json!({"version": {"id": "v2.1", "status": "CURRENT", "version": "2.93",
            "min_version": "2.1", "links": [{"rel": "self", "href": "http://nova/v2.1/"}], "media-types": []}});
        all(&mut document, &changed);
        let spoken = microversion::read(document.to_string().as_bytes(), "http://nova/v2.1/");
        prop_assert!([None, Some("2.69")].contains(&spoken.version.as_deref()), "{:?}", spoken);
        prop_assert!(spoken.doubt.is_none_or(|doubt| is_one_line(&doubt)));
    }
}
