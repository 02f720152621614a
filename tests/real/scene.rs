//! A pool on the real cloud: the executable, its servers, and a fake replica on each server's own address.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Instant;

use serde_json::Value;

use crate::cloud::{Cloud, PATIENCE, Pause};
use crate::daemon::{Daemon, Settings};
use crate::replica::{Replica, Says};

/// What the pool's servers are marked with.
const MARK: &str = "e2e";

/// The description of the pool's floating IPs.
pub const DESCRIPTION: &str = "simplescalevm-e2e";

/// How much of a log a failure shows, in lines.
const LOG_LINES: usize = 120;

/// A server of the pool, as Nova lists it.
#[derive(Clone, Debug)]
pub struct Vm {
    pub id: String,
    pub state: String,
    pub task: Option<String>,
    pub address: Option<IpAddr>,
}

impl Vm {
    fn new(record: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let networks = record["addresses"].as_object().into_iter().flatten();
        let addresses = networks.flat_map(|(_, list)| list.as_array().into_iter().flatten());
        let fixed =
            addresses.filter(|one| one["OS-EXT-IPS:type"] == "fixed" && one["version"] == 4);
        Vm {
            id: text(&record["id"]).unwrap(),
            state: text(&record["OS-EXT-STS:vm_state"]).unwrap_or_default(),
            task: text(&record["OS-EXT-STS:task_state"]),
            address: { fixed }.find_map(|one| one["addr"].as_str()?.parse().ok()),
        }
    }

    /// Active, with nothing under way.
    pub fn runs(&self) -> bool {
        self.state == "active" && self.task.is_none()
    }

    pub fn is_going(&self) -> bool {
        self.task.as_deref() == Some("deleting")
    }
}

/// One pool. Dropped, nothing of it is left.
pub struct Scene {
    replicas: RefCell<BTreeMap<String, Replica>>,
    says: RefCell<BTreeMap<String, Option<Says>>>,
    boots_say: RefCell<Option<Says>>,
    rules: RefCell<Rules>,
    /// The replicas' port, each on its own address; held on one that is none of theirs, so that other scenes get others.
    port: TcpListener,
    // Last: servers go when their replicas are gone.
    pub cloud: Cloud,
}

/// What must hold in every single look at the cloud.
#[derive(Default)]
struct Rules {
    /// Never more servers in the pool than so many, beside those that failed or are going.
    most: Option<usize>,
    /// These are never deleted.
    kept: BTreeSet<String>,
}

impl Scene {
    /// An empty pool, whose replicas will have one free resource.
    pub fn open() -> Self {
        Scene::on(Cloud::open())
    }

    /// The same in a test that has to be alone later.
    pub fn open_after_others() -> Self {
        Scene::on(Cloud::open_after_others())
    }

    /// The same, and no other test is at work meanwhile.
    pub fn open_alone() -> Self {
        Scene::on(Cloud::open_alone())
    }

    fn on(cloud: Cloud) -> Self {
        Scene {
            replicas: RefCell::default(),
            says: RefCell::default(),
            boots_say: RefCell::new(Some(Says::free(1))),
            rules: RefCell::default(),
            port: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
            cloud,
        }
    }

    /// What the executable needs: passes close together, and every request in the log.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::none();
        for (name, value) in self.cloud.openrc.variables() {
            settings = settings.with(name, value);
        }
        settings
            .with("OPENSTACK_METADATA_VALUE", MARK)
            .with("OPENSTACK_FLOATING_IP_DESCRIPTION", DESCRIPTION)
            .with("REPLICA_API_PORT", &self.port().to_string())
            .with("REPLICA_API_TIMEOUT", "1")
            .with("REPLICA_API_RETRIES", "0")
            .with("REPLICA_MAX", "30")
            .with("APP_INTERVAL", "4")
            .with("APP_HOST", "127.0.0.1")
            .with("APP_PORT", "0")
            .with("RUST_LOG", "debug")
    }

    /// The replicas' port.
    pub fn port(&self) -> u16 {
        self.port.local_addr().unwrap().port()
    }

    /// From now on the pool may never have more servers than so many, beside those that failed or are going.
    pub fn never_more_than(&self, most: usize) {
        self.rules.borrow_mut().most = Some(most);
    }

    /// From now on these may never go.
    pub fn keep<'a>(&self, vms: impl IntoIterator<Item = &'a Vm>) {
        self.rules.borrow_mut().kept.extend(vms.into_iter().map(|vm| vm.id.clone()));
    }

    /// Replicas of servers that become active from now on say this; `None`: they are silent.
    pub fn boots_say(&self, says: Option<Says>) {
        *self.boots_say.borrow_mut() = says;
    }

    /// From now on this replica says this; `None`: it is silent.
    pub fn replica(&self, vm: &Vm, says: Option<Says>) {
        self.says.borrow_mut().insert(vm.id.clone(), says);
        let old = self.replicas.borrow_mut().remove(&vm.id);
        drop(old);
        self.tend(std::slice::from_ref(vm));
    }

    /// The pool's servers; `None` while Nova does not say. Replicas come and go with them.
    #[track_caller]
    pub fn try_look(&self) -> Option<Vec<Vm>> {
        let mut servers = self.cloud.member.try_servers()?;
        servers.extend(self.left_out_of(&servers)?);
        let ours = servers.iter().filter(|record| record["metadata"]["group"] == MARK);
        let pool: Vec<Vm> = ours.map(Vm::new).collect();
        self.tend(&pool);
        let ids: BTreeSet<&str> = pool.iter().map(|vm| vm.id.as_str()).collect();
        self.replicas.borrow_mut().retain(|id, _| ids.contains(id.as_str()));
        let rules = self.rules.borrow();
        if let Some(most) = rules.most {
            let counts = |vm: &&Vm| !vm.is_going() && vm.state != "error";
            let there = pool.iter().filter(counts).count();
            assert!(there <= most, "a VM too many: {there}, and never more than {most}: {pool:#?}");
        }
        for id in &rules.kept {
            let vm = pool.iter().find(|vm| vm.id == *id);
            assert!(vm.is_some_and(|vm| !vm.is_going()), "{id} was deleted: {pool:#?}");
        }
        Some(pool)
    }

    /// Servers we know that exist and are not in the list: while others are being scheduled, and all of them are more
    /// than a page, Nova's list lacks some. `None` while Nova does not say.
    fn left_out_of(&self, list: &[Value]) -> Option<Vec<Value>> {
        let (replicas, rules) = (self.replicas.borrow(), self.rules.borrow());
        let mut known: BTreeSet<&String> = replicas.keys().chain(&rules.kept).collect();
        known.retain(|id| list.iter().all(|record| record["id"] != **id));
        let mut left_out = Vec::new();
        for id in known {
            match self.cloud.member.try_ask(&format!("GET compute /servers/{id}"), None)? {
                (200, mut answer) => left_out.push(answer["server"].take()),
                (404, _) => {}
                _ => return None,
            }
        }
        Some(left_out)
    }

    /// A replica listens on every server that runs, unless the test said otherwise.
    fn tend(&self, pool: &[Vm]) {
        let (says, boots_say) = (self.says.borrow(), self.boots_say.borrow());
        let mut replicas = self.replicas.borrow_mut();
        for vm in pool.iter().filter(|vm| vm.state == "active") {
            let words = says.get(&vm.id).unwrap_or(&boots_say);
            let (Some(words), Some(address)) = (words, vm.address) else { continue };
            replicas.entry(vm.id.clone()).or_insert_with(|| {
                Replica::start(SocketAddr::new(address, self.port()), words.clone())
            });
        }
        // A server that does not run does not answer.
        for vm in pool.iter().filter(|vm| vm.state != "active" && vm.state != "error") {
            replicas.remove(&vm.id);
        }
    }

    /// Looks at the pool until it is so; gives the pool as it was then.
    #[track_caller]
    pub fn until(&self, daemon: &Daemon, what: &str, is_so: impl Fn(&[Vm]) -> bool) -> Vec<Vm> {
        let began = Instant::now();
        let mut last = Vec::new();
        loop {
            let pause = Pause::begin();
            if let Some(pool) = self.look_or_tell(daemon) {
                if is_so(&pool) {
                    return pool;
                }
                last = pool;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "not in {} s: {what}; {last:#?}\n{}",
                PATIENCE.as_secs(),
                tail(daemon)
            );
            pause.end();
        }
    }

    /// Waits until the pool has so many servers, all running and, as the executable sees them, healthy.
    #[track_caller]
    pub fn until_healthy(&self, daemon: &Daemon, count: usize) -> Vec<Vm> {
        self.until(daemon, &format!("{count} healthy replicas and nothing else"), |pool| {
            pool.len() == count
                && pool.iter().all(Vm::runs)
                && states(daemon) == vec!["healthy"; count]
        })
    }

    /// Waits until so many are healthy, whatever the others are; gives those.
    #[track_caller]
    pub fn until_healthy_among(&self, daemon: &Daemon, count: usize) -> Vec<Vm> {
        let healthy = || states(daemon).iter().filter(|state| *state == "healthy").count();
        let pool = self.until(daemon, &format!("{count} healthy replicas"), |_| healthy() == count);
        pool.into_iter().filter(Vm::runs).collect()
    }

    /// Waits until the executable has logged in once more, and two passes on.
    #[track_caller]
    pub fn until_logged_in_again(&self, daemon: &Daemon, logins: usize) {
        self.until(daemon, "a new login", |_| {
            lines(daemon, &["/auth/tokens: status 201"]) > logins
        });
        self.passes(daemon, 2);
    }

    /// Waits for the end of so many further passes, good or bad.
    #[track_caller]
    pub fn passes(&self, daemon: &Daemon, count: u64) {
        let before = passes(daemon);
        let began = Instant::now();
        while passes(daemon) < before + count {
            let pause = Pause::begin();
            self.look_or_tell(daemon);
            assert!(began.elapsed() < PATIENCE, "no {count} further passes\n{}", tail(daemon));
            pause.end();
        }
    }

    #[track_caller]
    fn look_or_tell(&self, daemon: &Daemon) -> Option<Vec<Vm>> {
        let look = std::panic::AssertUnwindSafe(|| self.try_look());
        std::panic::catch_unwind(look).unwrap_or_else(|failure| {
            eprintln!("{}", tail(daemon));
            std::panic::resume_unwind(failure)
        })
    }
}

/// How many passes have ended.
#[track_caller]
pub fn passes(daemon: &Daemon) -> u64 {
    daemon.get("/").1["passes"].as_u64().unwrap()
}

/// The states of all replicas as the executable sees them, sorted.
#[track_caller]
pub fn states(daemon: &Daemon) -> Vec<String> {
    let page = daemon.get("/").1;
    let replicas = page["replicas"].as_array().into_iter().flatten();
    let mut states: Vec<String> =
        replicas.map(|replica| replica["state"].as_str().unwrap().to_owned()).collect();
    states.sort();
    states
}

/// How many lines of the log have all of `words`.
pub fn lines(daemon: &Daemon, words: &[&str]) -> usize {
    let log = daemon.log();
    log.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

/// How many creations Nova accepted.
pub fn creations(daemon: &Daemon) -> usize {
    lines(daemon, &["POST ", "/servers: status 202"])
}

/// The end of the log, for failures.
pub fn tail(daemon: &Daemon) -> String {
    let log = daemon.log();
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(LOG_LINES);
    format!("-- the end of the log --\n{}\n--", lines[from..].join("\n"))
}
