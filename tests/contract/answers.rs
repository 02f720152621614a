//! The answers that the provider reads, against those recorded from a real cloud in `tests/fixtures/openstack`.

use serde_json::{Value, json};
use simplescalevm::model::Condition;
use simplescalevm::provider::{Provider, ProviderMut};

use super::member::{self, Member};
use super::shape::check;
use super::{
    Deed, Ground, creation, ipv4, list, one_in_error, open, running, until, until_running,
};

pub fn of_keystone(ground: &dyn Ground) {
    let (settings, record) = (ground.settings(), ground.records());
    check("token", &Member::new(&settings).login, record);
    let mut wrong = member::password(&settings);
    wrong["auth"]["identity"]["password"]["user"]["password"] = "wrong".into();
    let (status, _, answer) = member::log_in(&settings, &wrong);
    refused(ground, "token-401", 401, (status, answer));
}

pub fn of_nova_about_servers(ground: &dyn Ground) {
    let record = ground.records();
    let member = Member::new(&ground.settings());
    check("servers-none", &member.get("compute", "/servers/detail"), record);
    let mut provider = open(ground);
    provider.create(&creation(1)).unwrap();
    check("servers-building", &member.get("compute", "/servers/detail"), record);
    let server = until("a running server", || {
        let server = list(&mut provider).remove(0);
        (server.condition == Condition::Active { task: None }, server)
    });
    check("servers-active", &member.get("compute", "/servers/detail"), record);
    check("server-active", &member.get("compute", &format!("/servers/{}", server.id)), record);
    ground.act_on(&server.id, Deed::Lock);
    let locked = member.ask("compute", "DELETE", &format!("/servers/{}", server.id), None);
    refused(ground, "server-409", 409, locked);
    ground.act_on(&server.id, Deed::Unlock);
    let nobody = "/servers/c6f04e5b-33f7-4413-97a3-1383e5950011";
    refused(ground, "server-404", 404, member.ask("compute", "GET", nobody, None));
    let marker = "/servers/detail?marker=c6f04e5b-33f7-4413-97a3-1383e5950011";
    refused(ground, "servers-400", 400, member.ask("compute", "GET", marker, None));
}

pub fn of_nova_about_a_server_in_error(ground: &dyn Ground) {
    let record = ground.records();
    let (_, id) = one_in_error(ground);
    let member = Member::new(&ground.settings());
    check("servers-error", &member.get("compute", "/servers/detail"), record);
    check("server-error", &member.get("compute", &format!("/servers/{id}")), record);
}

pub fn of_nova_about_a_creation(ground: &dyn Ground) {
    let member = Member::new(&ground.settings());
    let id = |service: &str, path: &str, list: &str, name: &str| {
        let body = member.get(service, path);
        let found = body[list].as_array().unwrap().iter().find(|one| one["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {body}"))["id"].clone()
    };
    let wanted = json!({"server": {
        "name": "web", "min_count": 1, "max_count": 2, "metadata": {"group": "contract"},
        "flavorRef": id("compute", "/flavors", "flavors", "d2-8"),
        "imageRef": id("image", "/images", "images", "Debian 11"),
        "networks": [{"uuid": id("network", "/networks", "networks", "Ext-Net")}]}});
    let create = |body: &Value| member.ask("compute", "POST", "/servers", Some(body));
    ground.set_quota(Some(2));
    let (status, answer) = create(&wanted);
    assert_eq!(status, 202, "{answer}");
    check("server-created", &answer, ground.records());
    until_running(&mut open(ground), 2);
    refused(ground, "servers-quota-403", 403, create(&wanted));
    let mut wrong = wanted.clone();
    wrong["server"]["key_name"] = "lost".into();
    refused(ground, "servers-keypair-400", 400, create(&wrong));
}

pub fn of_nova_about_the_rest(ground: &dyn Ground) {
    let record = ground.records();
    let member = Member::new(&ground.settings());
    check("compute-version", &member.get("compute", "/"), record);
    check("flavors", &member.get("compute", "/flavors"), record);
    check("keypair", &member.get("compute", "/os-keypairs/ops"), record);
    refused(ground, "keypair-404", 404, member.ask("compute", "GET", "/os-keypairs/lost", None));
}

pub fn of_nova_about_options(ground: &dyn Ground) {
    let record = ground.records();
    let member = Member::new(&ground.settings());
    check("limits", &member.get("compute", "/limits"), record);
    check("zones", &member.get("compute", "/os-availability-zone"), record);
    let flavors = member.get("compute", "/flavors");
    let flavors = flavors["flavors"].as_array().unwrap();
    let flavor = flavors.iter().find(|flavor| flavor["name"] == "d2-8").unwrap();
    let path = format!("/flavors/{}", flavor["id"].as_str().unwrap());
    check("flavor", &member.get("compute", &path), record);
    let group = ground.add_server_group();
    check("server-group", &member.get("compute", &format!("/os-server-groups/{group}")), record);
    let nobody = "/os-server-groups/c6f04e5b-33f7-4413-97a3-1383e5950011";
    refused(ground, "server-group-404", 404, member.ask("compute", "GET", nobody, None));
}

pub fn of_neutron_about_security_groups(ground: &dyn Ground) {
    let record = ground.records();
    let member = Member::new(&ground.settings());
    let fields = "fields=id&fields=name&fields=project_id";
    let path = format!("/security-groups?name=default&{fields}");
    let groups = member.get("network", &path);
    check("security-groups-fields", &groups, record);
    let id = groups["security_groups"][0]["id"].as_str().unwrap();
    let path = format!("/security-groups/{id}?{fields}");
    check("security-group-fields", &member.get("network", &path), record);
    let none = member.get("network", &format!("/security-groups?name=lost&{fields}"));
    check("security-groups-none", &none, record);
    let nobody = "/security-groups/c6f04e5b-33f7-4413-97a3-1383e5950011";
    refused(ground, "security-group-404", 404, member.ask("network", "GET", nobody, None));
}

pub fn of_neutron(ground: &dyn Ground) {
    let record = ground.records();
    let settings = ground.settings();
    let member = Member::new(&settings);
    let get = |path: &str| member.get("network", path);
    let networks = get("/networks?name=Ext-Net&fields=id&fields=name");
    check("networks-fields", &networks, record);
    let network = networks["networks"][0]["id"].as_str().unwrap();
    check("network-fields", &get(&format!("/networks/{network}?fields=id&fields=name")), record);
    check("networks-none", &get("/networks?name=Int-Net"), record);

    let mut provider = open(ground);
    let server = running(&mut provider, 1).remove(0);
    let ports =
        get(&format!("/ports?device_id={}&fields=id&fields=device_id&fields=fixed_ips", server.id));
    check("ports-fields", &ports, record);
    let (one, two) = (ground.add_address(), ground.add_address());
    let description = settings.floating_ip_description;
    let all = get(&format!("/floatingips?description={description}"));
    check("floatingips-unbound", &all, record);
    let body = json!({"floatingip": {"port_id": ports["ports"][0]["id"],
        "fixed_ip_address": ipv4(&server).address}});
    let bind = |address: &str| {
        member.ask("network", "PUT", &format!("/floatingips/{address}"), Some(&body))
    };
    let (status, answer) = bind(&one.0);
    assert_eq!(status, 200, "{answer}");
    check("floatingip-bound", &answer, record);
    refused(ground, "floatingip-409", 409, bind(&two.0));
    let nowhere = "c6f04e5b-33f7-4413-97a3-1383e5950011";
    refused(ground, "floatingip-404", 404, bind(nowhere));
    let bound = provider.external_addresses().unwrap();
    assert_eq!(bound.len(), 2);
    let all = get(&format!("/floatingips?description={description}"));
    check("floatingips-one-bound", &all, record);
}

pub fn of_glance(ground: &dyn Ground) {
    let record = ground.records();
    let member = Member::new(&ground.settings());
    let path = "/images?name=Debian%2011&status=active&sort=created_at:desc";
    let images = member.get("image", path);
    check("images", &images, record);
    let id = images["images"][0]["id"].as_str().unwrap();
    check("image", &member.get("image", &format!("/images/{id}")), record);
    check("images-none", &member.get("image", "/images?name=Debian%2099"), record);
}

/// A refusal with this status and the recorded shape.
#[track_caller]
fn refused(ground: &dyn Ground, name: &str, expected: u16, (status, body): (u16, Value)) {
    assert_eq!(status, expected, "{name}: {body}");
    check(name, &body, ground.records());
}
