//! What some clouds hide, and what they write in another way: it stops nothing, and nothing is done for it.

use serde_json::{Value, json};

use crate::daemon::{Settings, once, run};
use crate::expect;
use crate::fake::{Cloud, Fault, Fixed, Response, Says, Times};

/// Three healthy replicas, nothing missing; and a server of somebody else.
fn pool() -> Cloud {
    let cloud = Cloud::start();
    for name in ["a", "b", "c"] {
        cloud.add_replica(name, Says::free(1));
    }
    let id = cloud.state().add_server("other", Fixed::Next);
    cloud.state().server(&id).metadata.clear();
    cloud
}

fn listed(cloud: &Cloud, change: impl Fn(&mut Value) + Send + Sync + 'static) {
    let each = move |body: &mut Value| {
        body["servers"].as_array_mut().into_iter().flatten().for_each(&change);
    };
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::changed(each));
}

const STATES: &[&str] = &["OS-EXT-STS:vm_state", "OS-EXT-STS:task_state", "OS-EXT-STS:power_state"];
const LAUNCHED: &[&str] = &["OS-SRV-USG:launched_at", "OS-SRV-USG:terminated_at"];
const ALL: &[&str] = &[
    "OS-EXT-STS:vm_state",
    "OS-EXT-STS:task_state",
    "OS-EXT-STS:power_state",
    "OS-SRV-USG:launched_at",
    "OS-SRV-USG:terminated_at",
    "OS-EXT-IPS:type",
    "locked",
    "updated",
    "name",
];

#[test]
fn a_pool_whose_servers_hide_what_policies_can_hide_is_at_rest() {
    let cases: [fn() -> Fault; 8] = [
        || Fault::hides(STATES),
        || Fault::hides(&["OS-EXT-STS:vm_state"]),
        || Fault::hides(&["OS-EXT-STS:task_state"]),
        || Fault::hides(LAUNCHED),
        || Fault::hides(&["OS-EXT-IPS:type"]),
        || Fault::hides(&["locked"]),
        || Fault::hides(&["updated", "name", "links"]),
        || Fault::hides(ALL),
    ];
    expect::each(cases, |hidden| {
        let cloud = pool();
        cloud.fault("GET", "/servers/detail", Times::Always, hidden());
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(0);
        expect::no_change(&cloud, &ran);
    });
}

#[test]
fn a_vendors_own_words_for_a_state_park_nobody() {
    for word in
        [json!("cloudified"), json!("ACTIVE"), json!(""), json!(null), json!(1), json!(["active"])]
    {
        let cloud = pool();
        let told = word.clone();
        listed(&cloud, move |server| server["OS-EXT-STS:vm_state"] = told.clone());
        let ran = once(&Settings::of(&cloud));
        assert_eq!(ran.status, Some(0), "{word}\n{ran}");
        expect::no_change(&cloud, &ran);
    }
}

#[test]
fn a_replica_in_error_that_answers_is_not_deleted_where_its_launch_is_hidden() {
    for hidden in [LAUNCHED, ALL] {
        let cloud = pool();
        let id = cloud.add_replica("broken", Says::free(1));
        cloud.state().server(&id).vm_state = "error".into();
        cloud.fault("GET", "/servers/detail", Times::Always, Fault::hides(hidden));
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(0);
        expect::no_change(&cloud, &ran);
    }
}

#[test]
fn hidden_addresses_are_named_and_nothing_is_decided() {
    let cases: [fn(&mut Value); 6] = [
        |server| drop(server.as_object_mut().unwrap().remove("addresses")),
        |server| server["addresses"] = Value::Null,
        |server| server["addresses"] = json!([]),
        |server| server["addresses"] = json!({"Ext-Net": null}),
        |server| server["addresses"] = json!({"Ext-Net": [{"addr": null}]}),
        |server| drop(server.as_object_mut().unwrap().remove("created")),
    ];
    expect::each(cases, |change| {
        let cloud = pool();
        listed(&cloud, change);
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(1).expect_line(&["ERROR", "cannot list the servers", "server 0"]);
        expect::no_change(&cloud, &ran);
    });
}

#[test]
fn a_check_says_what_the_cloud_hides_and_what_that_costs() {
    let cloud = pool();
    cloud.fault("GET", "/servers/detail", Times::Always, Fault::hides(ALL));
    let ran = run(&["--check"], &Settings::of(&cloud));
    ran.expect_status(0);
    for field in [
        "OS-EXT-STS:vm_state",
        "OS-EXT-STS:task_state",
        "OS-SRV-USG:launched_at",
        "OS-EXT-IPS:type",
        "locked",
    ] {
        ran.expect_line(&["warning", "hidden field", field]);
    }
    let cloud = pool();
    let ran = run(&["--check"], &Settings::of(&cloud));
    ran.expect_status(0);
    assert!(!ran.stdout.contains("hidden field"), "{ran}");
}

#[test]
fn what_is_odd_about_a_foreign_server_stops_nothing() {
    let cases: [fn(&mut Value); 9] = [
        |server| server["metadata"] = Value::Null,
        |server| server["metadata"] = json!([]),
        |server| server["metadata"] = json!({"role": 5, "n": null}),
        |server| drop(server.as_object_mut().unwrap().remove("metadata")),
        |server| server["created"] = json!("yesterday"),
        |server| server["created"] = Value::Null,
        |server| server["addresses"] = json!("none"),
        |server| server["OS-SRV-USG:launched_at"] = json!(5),
        |server| (server["name"], server["status"]) = (json!({}), json!(0)),
    ];
    expect::each(cases, |change| {
        let cloud = pool();
        listed(&cloud, move |server| {
            if server["name"] == "other" {
                change(server);
            }
        });
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(0);
        expect::no_change(&cloud, &ran);
    });
}

#[test]
fn times_of_any_spelling_age_no_server() {
    let cases: [fn(&str) -> String; 6] = [
        |time| time.replace('Z', "+00:00"),
        |time| time.replace('Z', ""),
        |time| time.to_lowercase(),
        |time| time.replace('Z', ".000000Z"),
        |time| time.replace('T', " "),
        |time| time.replace('Z', "-00:00"),
    ];
    expect::each(cases, |spelling| {
        let cloud = pool();
        listed(&cloud, move |server| {
            for field in ["created", "updated"] {
                server[field] = spelling(server[field].as_str().unwrap()).into();
            }
        });
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(0);
        expect::no_change(&cloud, &ran);
    });
}

#[test]
fn a_catalog_with_oddities_is_read_for_what_is_used() {
    let cases: [fn(&mut Value); 10] = [
        |all| all[1]["endpoints"][0]["url"] = Value::Null,
        |all| all[1]["endpoints"][0] = json!({}),
        |all| all[1]["endpoints"] = Value::Null,
        |all| all[1] = json!({"name": "nobody's"}),
        |all| all[1] = Value::Null,
        |all| all[3]["type"] = Value::Null,
        |all| without(all, &["region"]),
        |all| without(all, &["region_id"]),
        |all| without(all, &["region", "region_id"]),
        |all| all.as_array_mut().unwrap().push(json!({"type": 5, "endpoints": "none"})),
    ];
    expect::each(cases, |change| {
        let cloud = pool();
        // Where no region is given, the endpoints that lead nowhere cannot be told from the others.
        cloud.state().catalog.regions = vec!["SBG7".into()];
        let in_token = Fault::changed(move |body| {
            if !body["token"].is_null() {
                change(&mut body["token"]["catalog"]);
            }
        });
        cloud.fault("POST", "/auth/tokens", Times::Always, in_token);
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(0);
        expect::no_change(&cloud, &ran);
    });
}

fn without(catalog: &mut Value, keys: &[&str]) {
    for service in catalog.as_array_mut().unwrap() {
        for endpoint in service["endpoints"].as_array_mut().unwrap() {
            endpoint.as_object_mut().unwrap().retain(|key, _| !keys.contains(&key.as_str()));
        }
    }
}

#[test]
fn a_neutron_or_glance_that_the_catalog_lacks_stops_no_deletion() {
    for service in [3, 4] {
        let cloud = pool();
        let done = cloud.add_replica("done", Says::finished());
        let gone = Fault::changed(move |body| body["token"]["catalog"][service] = Value::Null);
        cloud.fault("POST", "/auth/tokens", Times::Always, gone);
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(0);
        expect::deleted(&cloud, &ran, &[&done]);
    }
}

#[test]
fn any_version_document_will_do() {
    let cases = [
        Response::html(200, "<html><body>Welcome to nginx!</body></html>"),
        Response::json(200, &json!({})),
        Response::json(200, &json!(null)),
        Response::json(200, &json!({"version": null})),
        Response::json(200, &json!({"version": {"version": 2.93}})),
        Response::json(200, &json!({"version": {"version": "latest"}})),
        Response::json(200, &json!({"version": "2.93"})),
    ];
    expect::each(cases, |answer| {
        let cloud = pool();
        cloud.fault("GET", "/v2.1", Times::Always, Fault::Answer(answer.clone()));
        let ran = once(&Settings::of(&cloud));
        ran.expect_status(0);
        expect::no_change(&cloud, &ran);
        let requests = cloud.requests();
        let list = requests.iter().find(|one| one.path().ends_with("/servers/detail")).unwrap();
        assert_eq!(list.header("openstack-api-version"), None, "{ran}");
    });
}
