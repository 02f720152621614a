//! An application credential that may do no more than `contrib/access-rules.json` allows.

use crate::client::Client;
use crate::cloud::Cloud;
use crate::contract::{ApplicationCredentialKey, TemporaryFile};
use crate::daemon::{Daemon, Settings, run};
use crate::replica::Says;
use crate::scene::{DESCRIPTION, Scene, Vm, lines};

fn restricted(cloud: &Cloud) -> ApplicationCredentialKey {
    let rules = include_str!("../../contrib/access-rules.json");
    cloud.add_application_credential(&serde_json::from_str(rules).unwrap())
}

fn settings(scene: &Scene, key: &ApplicationCredentialKey) -> Settings {
    scene
        .settings()
        .with("OS_AUTH_TYPE", "v3applicationcredential")
        .without("OS_USERNAME")
        .without("OS_PASSWORD")
        .without("OS_PROJECT_NAME")
        .with("OS_APPLICATION_CREDENTIAL_ID", &key.id)
        .with("OS_APPLICATION_CREDENTIAL_SECRET", key.secret.expose())
        .with("OPENSTACK_KEYPAIR", "ops")
        .with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
}

#[test]
fn the_access_rules_we_ship_allow_all_the_program_does() {
    let scene = Scene::open();
    let group = scene.cloud.add_security_group("simplescalevm-access");
    let spread = scene.cloud.add_server_group();
    let fields = serde_json::json!({"security_groups": [{"name": group}], "availability_zone": "nova",
        "os:scheduler_hints": {"group": spread}});
    let file = TemporaryFile::new(fields.to_string().as_bytes());
    let settings = settings(&scene, &restricted(&scene.cloud))
        .with("OPENSTACK_SERVER_FILE", file.0.to_str().unwrap());
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
    let client = Client::of_application_credential(&scene.cloud.member, &restricted(&scene.cloud));
    let status = |line: &str| client.try_ask(line, None).map(|(status, _)| status);
    assert_eq!(status("GET compute /servers/detail"), Some(200), "what the program does");
    for line in [
        "GET compute /os-keypairs",
        "GET compute /os-server-groups",
        "POST compute /os-server-groups",
        "POST compute /os-keypairs",
        "DELETE network /floatingips/0",
        "POST network /security-groups",
        "GET network /security-group-rules",
        "GET network /subnets",
        "DELETE image /images/0",
    ] {
        assert_eq!(status(line), Some(401), "{line}: not among the rules");
    }
}
