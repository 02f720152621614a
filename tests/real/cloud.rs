//! The real cloud: whose project may be used, what is done to it behind the program's back, and how it is left.

use std::cell::Cell;
use std::fs;
use std::io::ErrorKind;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simplescalevm::secret::Secret;

use crate::client::Client;
use crate::contract::ApplicationCredentialKey;
use crate::openrc::{self, Openrc};
use crate::turn::Turn;

/// What the name of a project begins with whose servers may be deleted.
const PROJECT_PREFIX: &str = "simplescalevm-test";

/// What the descriptions of floating IPs and the names of application credentials begin with that tests make.
const PREFIX: &str = "simplescalevm-";

/// More than anything should take, on a machine that is busy with everything else.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// The cloud, for one test. Its project is empty at first, and is left as it was: also when the test fails.
pub struct Cloud {
    pub member: Client,
    pub admin: Client,
    pub openrc: Openrc,
    /// What was changed beside servers and addresses, and has to be changed back.
    changed: Changed,
    turn: Turn,
}

#[derive(Default)]
struct Changed {
    quota: Cell<bool>,
    room: Cell<bool>,
    knobs: Cell<bool>,
    credentials: Cell<bool>,
    groups: Cell<bool>,
}

impl Cloud {
    /// A project of its own. What a killed run, or a test that failed in clearing up, may have left there is cleared away.
    pub fn open() -> Self {
        Cloud::of(Turn::beside_others())
    }

    /// The same for a test that has to be alone later.
    pub fn open_after_others() -> Self {
        Cloud::of(Turn::after_others())
    }

    /// The same for a test that does something to the whole cloud: no other test is at work meanwhile.
    pub fn open_alone() -> Self {
        Cloud::of(Turn::alone())
    }

    fn of(turn: Turn) -> Self {
        let openrc = Openrc::read(&turn.file("openrc"));
        let member = log_in_where_servers_may_be_deleted(&openrc);
        let admin = Client::new(&Openrc::read("openrc-admin"));
        let cloud = Cloud { member, admin, openrc, changed: Changed::default(), turn };
        if !cloud.turn.found_clean() {
            cloud.changed.quota.set(true);
            cloud.changed.room.set(cloud.is_alone());
            cloud.changed.knobs.set(true);
            cloud.changed.credentials.set(true);
            cloud.changed.groups.set(true);
            cloud.clear();
        }
        cloud
    }

    /// The openrc file of the project's member of that kind: `openrc`, `openrc-application-credential`.
    pub fn other_openrc(&self, kind: &str) -> Openrc {
        Openrc::read(&self.turn.file(kind))
    }

    /// Waits until no other test is at work.
    pub fn wait_to_be_alone(&self) {
        self.turn.wait_to_be_alone();
    }

    /// From now on others may be at work, too.
    pub fn go_on_beside_others(&self) {
        self.turn.go_on_beside_others();
    }

    /// Whether no other test is at work.
    pub fn is_alone(&self) -> bool {
        self.turn.is_alone()
    }

    /// As many servers as one likes with `None`.
    pub fn set_quota(&self, instances: Option<u64>) {
        self.changed.quota.set(true);
        let line = format!("compute /os-quota-sets/{}", self.member.project().0);
        match instances {
            Some(instances) => {
                let body = json!({"quota_set": {"instances": instances, "force": true}});
                self.admin.ask(&format!("PUT {line}"), Some(&body));
            }
            None => drop(self.admin.ask(&format!("DELETE {line}"), None)),
        }
    }

    /// Most servers of the only host, whosever they are.
    pub fn set_room(&self, servers: Option<u64>) {
        assert!(self.is_alone(), "the host is every test's");
        self.changed.room.set(true);
        set_room(&self.admin, servers);
    }

    /// Every token of the member is worth nothing from now on; those given out later are good.
    pub fn revoke_tokens(&self) {
        const SERVICES: [&str; 3] = ["compute /servers", "network /networks", "image /images"];
        let witness = Client::new(&self.openrc);
        let ask = |service: &str| witness.try_ask_once(&format!("GET {service}"), None);
        // Each service remembers a token it has seen as good for some seconds. The witness's is seen last, so when it
        // is refused, so are all the others.
        for service in SERVICES {
            assert_eq!(ask(service).map(|(status, _)| status), Some(200), "a new token: {service}");
        }
        let password = self.openrc.get("OS_PASSWORD");
        let body = json!({"user": {"password": password}});
        self.admin.ask(&format!("PATCH identity /users/{}", witness.user_id()), Some(&body));
        let began = Instant::now();
        for service in SERVICES {
            wait_until("a revoked token is refused", || {
                ask(service).is_some_and(|(status, _)| status == 401)
            });
        }
        // Keystone counts in seconds: a token of the same second would be revoked with the others.
        thread::sleep(Duration::from_millis(2100).saturating_sub(began.elapsed()));
    }

    /// An action of Nova on a server, as the administrator.
    pub fn act(&self, server: &str, action: &Value) {
        self.admin.ask(&format!("POST compute /servers/{server}/action"), Some(action));
    }

    /// The server's record, as the administrator sees it.
    pub fn server(&self, id: &str) -> Value {
        self.admin.ask(&format!("GET compute /servers/{id}"), None)["server"].clone()
    }

    /// Waits until the server is in this state with nothing under way.
    #[track_caller]
    pub fn wait_for_state(&self, id: &str, vm_state: &str) {
        wait_until(&format!("server {id} is {vm_state}"), || {
            let server = self.server(id);
            server["OS-EXT-STS:vm_state"] == vm_state && server["OS-EXT-STS:task_state"].is_null()
        });
    }

    /// A new floating IP; gives its id. The description begins with `simplescalevm-`.
    pub fn add_address(&self, description: &str) -> String {
        assert!(description.starts_with(PREFIX), "would be left behind: {description}");
        let body = self.member.ask("GET network /networks?name=public", None);
        let network = &body["networks"][0]["id"];
        let wanted = json!({"floatingip": {
            "floating_network_id": network, "description": description}});
        let made = self.member.ask("POST network /floatingips", Some(&wanted));
        made["floatingip"]["id"].as_str().unwrap().to_owned()
    }

    /// A new security group of the project; gives its id. The name begins with `simplescalevm-`.
    pub fn add_security_group(&self, name: &str) -> String {
        assert!(name.starts_with(PREFIX), "would be left behind: {name}");
        self.changed.groups.set(true);
        let wanted = json!({"security_group": {"name": name}});
        let made = self.member.ask("POST network /security-groups", Some(&wanted));
        made["security_group"]["id"].as_str().unwrap().to_owned()
    }

    /// A new server group of the project; gives its id.
    pub fn add_server_group(&self) -> String {
        self.changed.groups.set(true);
        let name = format!("{PREFIX}spread");
        let wanted = json!({"server_group": {"name": name, "policy": "soft-anti-affinity"}});
        let made = self.member.ask("POST compute /os-server-groups", Some(&wanted));
        made["server_group"]["id"].as_str().unwrap().to_owned()
    }

    /// Those of tests.
    fn delete_groups(&self) {
        for (line, list) in [
            ("network /security-groups", "security_groups"),
            ("compute /os-server-groups", "server_groups"),
        ] {
            let groups = self.member.ask(&format!("GET {line}"), None);
            for group in groups[list].as_array().unwrap() {
                if group["name"].as_str().unwrap_or_default().starts_with(PREFIX) {
                    // A port may outlive its server by some seconds, and a group in use stays.
                    let delete = format!("DELETE {line}/{}", group["id"].as_str().unwrap());
                    wait_until(&delete, || {
                        let answer = self.member.try_ask(&delete, None);
                        answer.is_some_and(|(status, _)| matches!(status, 204 | 404))
                    });
                }
            }
        }
    }

    /// A new application credential of the member that may do what `rules` allow.
    pub fn add_application_credential(&self, rules: &Value) -> ApplicationCredentialKey {
        self.changed.credentials.set(true);
        let name = format!("{PREFIX}restricted");
        let wanted = json!({"application_credential": {"name": name, "access_rules": rules}});
        let line = format!("POST {}/application_credentials", self.user());
        let made = self.member.ask(&line, Some(&wanted));
        let text = |key: &str| made["application_credential"][key].as_str().unwrap().to_owned();
        ApplicationCredentialKey { id: text("id"), name, secret: Secret::new(text("secret")) }
    }

    /// Another user of the project with the same role and the same password; gives the name. It stays.
    pub fn add_user(&self) -> String {
        let (project, name) = self.member.project();
        let user = format!("{name}-second");
        let password = self.openrc.get("OS_PASSWORD");
        let wanted = json!({"user": {"name": user, "domain_id": "default", "password": password}});
        // There since an earlier run, most likely.
        self.admin.try_ask("POST identity /users", Some(&wanted));
        let found = |line: String, key: &str| {
            let id = self.admin.ask(&line, None)[key][0]["id"].clone();
            id.as_str().unwrap_or_else(|| panic!("{line}: none")).to_owned()
        };
        let id = found(format!("GET identity /users?name={user}"), "users");
        let role = found("GET identity /roles?name=member".to_owned(), "roles");
        let line = format!("PUT identity /projects/{project}/users/{id}/roles/{role}");
        self.admin.ask(&line, None);
        user
    }

    /// The project's images that keep a lease.
    fn delete_leases(&self) {
        let line = "GET image /images?visibility=private&limit=1000";
        let Some((200, list)) = self.member.try_ask(line, None) else { return };
        for image in list["images"].as_array().into_iter().flatten() {
            if image["name"].as_str().is_some_and(|name| name.starts_with("simplescalevm-lease-")) {
                let id = image["id"].as_str().unwrap();
                self.member.try_ask(&format!("DELETE image /images/{id}"), None);
            }
        }
    }

    /// Where Keystone has what is the member's own.
    fn user(&self) -> String {
        format!("identity /users/{}", self.member.user_id())
    }

    /// The server whose port the floating IP is bound to; `None` while Neutron does not say, too.
    pub fn holder(&self, floating_ip: &str) -> Option<String> {
        let (_, body) =
            self.member.try_ask(&format!("GET network /floatingips/{floating_ip}"), None)?;
        let device = body["floatingip"]["port_details"]["device_id"].as_str()?;
        Some(device.to_owned()).filter(|device| !device.is_empty())
    }

    /// From now on the fake hypervisor does this to the project's servers; see `tests/openstack/README.md`.
    pub fn set_knob(&self, name: &str, text: &str) {
        self.changed.knobs.set(true);
        fs::create_dir_all(self.knobs()).unwrap();
        fs::write(self.knobs().join(name), text).unwrap();
    }

    /// Undoes [`Cloud::set_knob`].
    pub fn unset_knob(&self, name: &str) {
        unset_knob(&self.knobs(), name);
    }

    /// Where the project's own knobs are.
    fn knobs(&self) -> PathBuf {
        openrc::directory().join("knobs").join(self.member.project().0)
    }

    /// Everything as it was: no server, no lease, no address and no application credential of a test, no limit, no knob.
    fn clear(&self) {
        if self.changed.knobs.get() {
            unset_knobs(&self.knobs());
        }
        if self.changed.quota.get() {
            self.set_quota(None);
        }
        if self.changed.room.get() {
            self.set_room(None);
        }
        self.delete_leases();
        wait_until("the project is empty", || {
            let Some(servers) = self.member.try_servers() else { return false };
            let going = |server: &&Value| server["OS-EXT-STS:task_state"] != "deleting";
            for server in servers.iter().filter(going) {
                // As the administrator, who may delete locked ones, too.
                let id = server["id"].as_str().unwrap();
                self.admin.try_ask(&format!("DELETE compute /servers/{id}"), None);
            }
            servers.is_empty()
        });
        let addresses = self.member.ask("GET network /floatingips", None);
        for address in addresses["floatingips"].as_array().unwrap() {
            let line = format!("network /floatingips/{}", address["id"].as_str().unwrap());
            if address["description"].as_str().unwrap_or_default().starts_with(PREFIX) {
                self.member.ask(&format!("DELETE {line}"), None);
            } else if !address["port_id"].is_null() {
                let body = json!({"floatingip": {"port_id": null}});
                self.member.ask(&format!("PUT {line}"), Some(&body));
            }
        }
        if self.changed.credentials.get() {
            self.delete_application_credentials();
        }
        if self.changed.groups.get() {
            self.delete_groups();
        }
    }

    /// Those of tests, and the access rules that no other one uses: Keystone keeps them when the credential is gone.
    fn delete_application_credentials(&self) {
        let user = self.user();
        let list = |what: &str| {
            let mut body = self.member.ask(&format!("GET {user}/{what}"), None);
            serde_json::from_value::<Vec<Value>>(body[what].take()).unwrap()
        };
        let line = |what: &str, record: &Value| {
            format!("DELETE {user}/{what}/{}", record["id"].as_str().unwrap())
        };
        for credential in list("application_credentials") {
            if credential["name"].as_str().unwrap_or_default().starts_with(PREFIX) {
                self.member.ask(&line("application_credentials", &credential), None);
            }
        }
        for rule in list("access_rules") {
            // Refused for one that is in use.
            self.member.try_ask(&line("access_rules", &rule), None);
        }
    }
}

/// What a killed run may have left that belongs to no project: a full host, and knobs for all servers.
pub fn clear_what_is_every_tests() {
    unset_knobs(&openrc::directory().join("knobs"));
    set_room(&Client::new(&Openrc::read("openrc-admin")), None);
}

fn set_room(admin: &Client, servers: Option<u64>) {
    let aggregates = admin.ask("GET compute /os-aggregates", None);
    let aggregates = aggregates["aggregates"].as_array().unwrap();
    let hosts = aggregates.iter().find(|aggregate| aggregate["name"] == "hosts");
    let id = &hosts.expect("the cloud has an aggregate named hosts")["id"];
    let room = servers.map(|servers| servers.to_string());
    let body = json!({"set_metadata": {"metadata": {"max_instances_per_host": room}}});
    admin.ask(&format!("POST compute /os-aggregates/{id}/action"), Some(&body));
}

fn unset_knobs(directory: &Path) {
    for knob in ["build_delay", "build_fail", "delete_delay", "delete_fail"] {
        unset_knob(directory, knob);
    }
}

fn unset_knob(directory: &Path, name: &str) {
    match fs::remove_file(directory.join(name)) {
        Err(error) if error.kind() != ErrorKind::NotFound => panic!("knob {name}: {error}"),
        _ => {}
    }
}

impl Drop for Cloud {
    /// What is left behind all the same, the next test clears away.
    fn drop(&mut self) {
        undo(|| {
            self.clear();
            self.turn.leaves_clean();
        });
    }
}

/// For destructors. In a test that has failed, a second panic would end the whole run at once, with all that is still
/// to be undone; and the first failure is the one to tell.
pub fn undo(deed: impl FnOnce()) {
    if let Err(failure) = panic::catch_unwind(AssertUnwindSafe(deed))
        && !thread::panicking()
    {
        panic::resume_unwind(failure);
    }
}

/// Panics unless the project is one whose servers may be deleted.
fn log_in_where_servers_may_be_deleted(openrc: &Openrc) -> Client {
    refuse_other_projects(openrc.get("OS_PROJECT_NAME"));
    let member = Client::new(openrc);
    // What the token says counts: not the file.
    refuse_other_projects(&member.project().1);
    member
}

fn refuse_other_projects(name: &str) {
    assert!(
        name.starts_with(PROJECT_PREFIX),
        "project {name}: these tests delete every server of their project, so its name has to begin with {PROJECT_PREFIX}"
    );
}

/// Waits until it is so.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    loop {
        let pause = Pause::begin();
        if is_so() {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "not in {} s: {what}", PATIENCE.as_secs());
        pause.end();
    }
}

/// The time between two looks at the cloud. A look costs the cloud processor time (a list of servers makes Nova ask Neutron
/// twice), other tests look, too, and it should have most of its time for its own work: the longer the look, the longer the
/// pause.
pub struct Pause(Instant);

impl Pause {
    /// Before the look.
    pub fn begin() -> Self {
        Pause(Instant::now())
    }

    /// After it; returns when the next one may be.
    pub fn end(self) {
        thread::sleep(
            (self.0.elapsed() * 6).clamp(Duration::from_millis(600), Duration::from_secs(10)),
        );
    }
}

#[test]
#[should_panic(expected = "project admin: these tests delete every server of their project")]
fn another_project_is_refused() {
    log_in_where_servers_may_be_deleted(&Openrc::read("openrc-admin"));
}
