use super::*;

use serde_json::{Value, json};

fn read(catalog: Value) -> Vec<Told<CatalogService>> {
    serde_json::from_value(catalog).unwrap()
}

fn service(service_type: &str, endpoints: &[(&str, &str, &str)]) -> Told<CatalogService> {
    let endpoints: Vec<Value> = endpoints
        .iter()
        .map(|(region, interface, url)| {
            json!({"interface": interface, "region_id": region, "url": url})
        })
        .collect();
    serde_json::from_value(json!({"type": service_type, "endpoints": endpoints})).unwrap()
}

fn catalog(regions: &[&str]) -> Vec<Told<CatalogService>> {
    let of = |name: &str, url: &str| {
        let endpoints: Vec<_> = regions.iter().map(|region| (*region, "public", url)).collect();
        service(name, &endpoints)
    };
    vec![
        of("compute", "http://nova/v2.1"),
        of("network", "http://neutron/"),
        of("image", "http://glance"),
    ]
}

#[track_caller]
fn check(catalog: &[Told<CatalogService>], region: Option<&str>, interface: &str, expected: &str) {
    let urls =
        |urls: Result<Vec<String>>| urls.map_or_else(|why| why.text, |urls| urls.join(" or "));
    let text = match choose(catalog, &Choice::of(region, interface)) {
        Ok(chosen) => {
            let (network, image) = (urls(chosen.network), urls(chosen.image));
            format!("{}: {} {network} {image}", chosen.region, chosen.compute.join(" or "))
        }
        Err(error) => error.text,
    };
    assert_eq!(text, expected);
}

#[test]
fn a_region_is_known_by_its_id_or_by_its_name_or_by_both() {
    for fields in [
        r#""region_id": "SBG7", "region": "SBG7""#,
        r#""region_id": "SBG7""#,
        r#""region": "SBG7""#,
        r#""region_id": null, "region": "SBG7""#,
    ] {
        let json = format!(r#"{{"interface": "public", "url": "http://nova", {fields}}}"#);
        let endpoint: CatalogEndpoint = serde_json::from_str(&json).unwrap();
        assert_eq!(endpoint.region(), Some("SBG7"), "of {fields}");
    }
}

#[test]
fn the_wanted_region_is_used() {
    let catalog = catalog(&["GRA11", "SBG7"]);
    let urls = "http://nova/v2.1 http://neutron/v2.0 http://glance/v2";
    check(&catalog, Some("GRA11"), "public", &format!("GRA11: {urls}"));
    check(&catalog, None, "public", &format!("SBG7: {urls}"));
}

#[test]
fn the_only_region_is_used_when_none_is_set() {
    let urls = "http://nova/v2.1 http://neutron/v2.0 http://glance/v2";
    check(&catalog(&["RegionOne"]), None, "public", &format!("RegionOne: {urls}"));
}

#[test]
fn an_unknown_region_lists_those_that_exist() {
    let two = catalog(&["GRA11", "BHS5"]);
    let text = "OS_REGION_NAME \"SBG9\": no such region (have: BHS5, GRA11)";
    check(&two, Some("SBG9"), "public", text);
    let text = "OS_REGION_NAME is unset, and its default SBG7 does not exist (have: BHS5, GRA11)";
    check(&two, None, "public", text);
    let text = "OS_REGION_NAME \"SBG7\": no such region (have: RegionOne)";
    check(&catalog(&["RegionOne"]), Some("SBG7"), "public", text);
    check(&[], None, "public", "the catalog has no compute service for this project");
}

#[test]
fn a_missing_interface_or_service_is_named() {
    let text = "OS_INTERFACE \"internal\": the compute service in region SBG7 has no such endpoint (have: public)";
    check(&catalog(&["SBG7"]), None, "internal", text);
    let only_nova = vec![service("compute", &[("SBG7", "public", "http://nova")])];
    // The pool lives on: it is said when they are asked.
    let text = "SBG7: http://nova/v2.1 the catalog has no network service in region SBG7 the catalog has no image \
                service in region SBG7";
    check(&only_nova, None, "public", text);
}

/// A catalog in which all is well, changed.
fn odd(change: impl FnOnce(&mut Value)) -> Vec<Told<CatalogService>> {
    let endpoint = |url: &str| json!({"interface": "public", "region": "SBG7", "region_id": "SBG7", "url": url});
    let of =
        |name: &str, url: &str| json!({"type": name, "name": name, "endpoints": [endpoint(url)]});
    let mut catalog = json!([
        of("compute", "http://nova/v2.1"),
        of("network", "http://neutron"),
        of("image", "http://glance"),
        of("object-store", "http://swift/v1"),
    ]);
    change(&mut catalog);
    read(catalog)
}

#[test]
fn what_is_odd_and_not_used_stops_nothing() {
    let well = "SBG7: http://nova/v2.1 http://neutron/v2.0 http://glance/v2";
    let changes: [fn(&mut Value); 12] = [
        |_| {},
        |all| all[3]["endpoints"][0]["url"] = Value::Null,
        |all| drop(all[3]["endpoints"][0].as_object_mut().unwrap().remove("url")),
        |all| drop(all[3].as_object_mut().unwrap().remove("type")),
        |all| all[3]["endpoints"] = Value::Null,
        |all| all[3]["endpoints"] = json!([null, 5, "x"]),
        |all| all[3] = Value::Null,
        |all| all[3] = json!([]),
        |all| all[0]["endpoints"][0]["region"] = json!(5),
        |all| all[0]["endpoints"].as_array_mut().unwrap().insert(0, Value::Null),
        |all| all[1]["endpoints"].as_array_mut().unwrap().insert(0, json!({"url": "http://x"})),
        |all| {
            all[2]["endpoints"]
                .as_array_mut()
                .unwrap()
                .push(json!({"interface": "public", "region": "SBG7", "url": null}));
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let catalog = odd(change);
        for region in [None, Some("SBG7")] {
            let chosen = choose(&catalog, &Choice::of(region, "public"));
            assert!(chosen.is_ok(), "{number}: {chosen:?}");
            check(&catalog, region, "public", well);
        }
    }
}

#[test]
fn a_catalog_without_regions_or_interfaces_is_used_as_it_is() {
    for value in [None, Some(Value::Null), Some(json!(""))] {
        for keys in
            [&["region", "region_id"][..], &["interface"], &["region", "region_id", "interface"]]
        {
            let catalog = odd(|all| {
                for service in all.as_array_mut().unwrap() {
                    let endpoint = service["endpoints"][0].as_object_mut().unwrap();
                    for key in keys {
                        match &value {
                            Some(value) => {
                                drop(endpoint.insert((*key).to_owned(), value.clone()));
                            }
                            None => drop(endpoint.remove(*key)),
                        }
                    }
                }
            });
            let urls = "http://nova/v2.1 http://neutron/v2.0 http://glance/v2";
            check(&catalog, Some("SBG7"), "public", &format!("SBG7: {urls}"));
            let region = if keys.contains(&"region") { UNNAMED } else { "SBG7" };
            check(&catalog, None, "public", &format!("{region}: {urls}"));
        }
    }
}

#[test]
fn all_endpoints_that_fit_are_there_to_be_tried() {
    let catalog = odd(|all| {
        let endpoints = all[0]["endpoints"].as_array_mut().unwrap();
        endpoints.insert(
            0,
            json!({"interface": "public", "region": "SBG7", "url": "http://dead/v2.1/"}),
        );
        endpoints
            .push(json!({"interface": "public", "region": "SBG7", "url": "http://nova/v2.1/"}));
        endpoints.push(json!({"interface": "admin", "region": "SBG7", "url": "http://admin/v2.1"}));
    });
    let text = "SBG7: http://dead/v2.1 or http://nova/v2.1 http://neutron/v2.0 http://glance/v2";
    check(&catalog, None, "public", text);
}

#[test]
fn an_endpoint_of_another_version_is_refused_by_name() {
    let with =
        |service: usize, url: &str| odd(|all| all[service]["endpoints"][0]["url"] = json!(url));
    let glance = "the image service in region SBG7 is http://glance/v1: v1 of its API is not supported, only v2; \
                  the cloud's catalog must list that";
    for url in ["http://glance/v1", "http://glance/v1/"] {
        let text = format!(
            "SBG7: http://nova/v2.1 http://neutron/v2.0 {}",
            glance.replace("http://glance/v1", url)
        );
        check(&with(2, url), None, "public", &text);
    }
    let nova = "the compute service in region SBG7 is http://nova/v1.1/abc: v1.1 of its API is not supported, only \
                v2; the cloud's catalog must list that";
    check(&with(0, "http://nova/v1.1/abc"), None, "public", nova);
    let none = "the compute service in region SBG7 has no URL in the catalog";
    check(&with(0, "nova:8774"), None, "public", none);
    check(&with(0, ""), None, "public", none);
    // Beside one that is spoken it does not matter.
    let both = odd(|all| {
        let endpoints = all[2]["endpoints"].as_array_mut().unwrap();
        endpoints
            .insert(0, json!({"interface": "public", "region": "SBG7", "url": "http://glance/v1"}));
    });
    check(&both, None, "public", "SBG7: http://nova/v2.1 http://neutron/v2.0 http://glance/v2");
}

#[test]
fn a_version_is_added_only_where_none_is() {
    for (url, versions, expected) in [
        ("http://nova/v2.1", &["v2.1", "v2"][..], "http://nova/v2.1"),
        ("http://nova/v2.1/0123abc/", &["v2.1", "v2"], "http://nova/v2.1/0123abc"),
        ("http://nova/v2/0123abc", &["v2.1", "v2"], "http://nova/v2/0123abc"),
        ("http://nova", &["v2.1", "v2"], "http://nova/v2.1"),
        ("http://host/compute/", &["v2.1", "v2"], "http://host/compute/v2.1"),
        ("http://v2/network", &["v2.0"], "http://v2/network/v2.0"),
        ("http://host/v1/image/v2", &["v2"], "http://host/v1/image/v2"),
        ("http://neutron:9696/v2.0/", &["v2.0"], "http://neutron:9696/v2.0"),
        ("http://glance:9292", &["v2"], "http://glance:9292/v2"),
        ("http://glance:9292/v2/", &["v2"], "http://glance:9292/v2"),
        ("http://glance:9292/v2.0", &["v2"], "http://glance:9292/v2"),
        ("http://host/image/v2.9/", &["v2"], "http://host/image/v2"),
        ("http://neutron:9696/v2", &["v2.0"], "http://neutron:9696/v2.0"),
        ("http://v2", &["v2.0"], "http://v2/v2.0"),
    ] {
        assert_eq!(with_version(url, versions).as_deref(), Ok(expected), "of {url}");
    }
}

#[test]
fn the_version_document_is_where_the_version_ends() {
    for (url, expected) in [
        ("http://nova/v2.1", "http://nova/v2.1/"),
        ("http://nova/v2.1/0123abc", "http://nova/v2.1/"),
        ("http://v2.example/compute/v2.1/0123abc/", "http://v2.example/compute/v2.1/"),
    ] {
        assert_eq!(version_document(url), expected, "of {url}");
    }
}
