//! An application credential that may do no more than `contrib/access-rules.json` allows.

use serde_json::{Value, json};

use crate::client::Client;
use crate::cloud::Cloud;
use crate::daemon::{Daemon, Settings, run};
use crate::replica::Says;
use crate::scene::{DESCRIPTION, Scene, Vm, lines};

/// An application credential of the member. Dropped, it is gone, and its rules with it.
struct Restricted<'a> {
    cloud: &'a Cloud,
    id: String,
    secret: String,
}

impl<'a> Restricted<'a> {
    fn new(cloud: &'a Cloud) -> Self {
        let rules: Value =
            serde_json::from_str(include_str!("../../contrib/access-rules.json")).unwrap();
        let wanted = json!({"application_credential": {"name": "simplescalevm-restricted", "access_rules": rules}});
        let line =
            format!("POST identity /users/{}/application_credentials", cloud.member.user_id());
        let made = cloud.member.ask(&line, Some(&wanted));
        let text = |key: &str| made["application_credential"][key].as_str().unwrap().to_owned();
        Restricted { cloud, id: text("id"), secret: text("secret") }
    }

    fn settings(&self, scene: &Scene) -> Settings {
        scene
            .settings()
            .with("OS_AUTH_TYPE", "v3applicationcredential")
            .without("OS_USERNAME")
            .without("OS_PASSWORD")
            .without("OS_PROJECT_NAME")
            .with("OS_APPLICATION_CREDENTIAL_ID", &self.id)
            .with("OS_APPLICATION_CREDENTIAL_SECRET", &self.secret)
            .with("OPENSTACK_KEYPAIR", "ops")
            .with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
    }
}

impl Drop for Restricted<'_> {
    fn drop(&mut self) {
        let member = &self.cloud.member;
        let user = format!("identity /users/{}", member.user_id());
        member.try_ask(&format!("DELETE {user}/application_credentials/{}", self.id), None);
        let (_, rules) =
            member.try_ask(&format!("GET {user}/access_rules"), None).unwrap_or_default();
        for rule in rules["access_rules"].as_array().into_iter().flatten() {
            let id = rule["id"].as_str().unwrap_or_default();
            member.try_ask(&format!("DELETE {user}/access_rules/{id}"), None);
        }
    }
}

#[test]
fn the_access_rules_we_ship_allow_all_the_program_does() {
    let scene = Scene::open();
    let credential = Restricted::new(&scene.cloud);
    let settings = credential.settings(&scene);
    let address = scene.cloud.add_address(DESCRIPTION);
    run(&["--check"], &settings).expect_status(0);

    let daemon = Daemon::start(&settings);
    let holder = || scene.cloud.holder(&address);
    scene.until_healthy(&daemon, 3);
    scene.until(&daemon, "the address on a replica", |_| holder().is_some());
    let first = holder().unwrap();
    let pool = scene.until_healthy(&daemon, 3);
    let finished = pool.iter().find(|vm| vm.id == first).expect("a replica holds the address");
    scene.replica(finished, Some(Says::finished()));
    let gone = |pool: &[Vm]| pool.iter().all(|vm| vm.id != first);
    scene.until(&daemon, "the finished replica is gone, and its address moved", |pool| {
        gone(pool) && holder().is_some_and(|now| now != first)
    });
    scene.until_healthy(&daemon, 3);
    assert_eq!(
        lines(&daemon, &[": status 401"]) + lines(&daemon, &[": status 403"]),
        0,
        "{}",
        daemon.log()
    );
}

#[test]
fn the_access_rules_we_ship_allow_nothing_else() {
    let scene = Scene::open();
    let credential = Restricted::new(&scene.cloud);
    let client =
        Client::of_application_credential(&scene.cloud.member, &credential.id, &credential.secret);
    let status = |line: &str| client.try_ask(line, None).map(|(status, _)| status);
    assert_eq!(status("GET compute /servers/detail"), Some(200), "what the program does");
    for line in [
        "GET compute /os-keypairs",
        "GET compute /os-server-groups",
        "POST compute /os-keypairs",
        "DELETE network /floatingips/0",
        "GET network /security-groups",
        "GET network /subnets",
        "DELETE image /images/0",
    ] {
        assert_eq!(status(line), Some(401), "{line}: not among the rules");
    }
}
