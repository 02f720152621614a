//! The cloud and its replicas, in a process of their own.

use serde_json::{Value, json};

use crate::daemon::Settings;
use crate::fake::{Cloud, Recorded, Says, Service};
use crate::helper::{Helper, serve};

/// What the process is started with.
pub const ROLE: &str = "world";

/// The process, as the bench sees it.
pub struct World {
    helper: Helper,
    told: Value,
}

/// What happened in it so far, or between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Requests to the cloud.
    pub requests: u64,
    /// Connections to the cloud.
    pub to_cloud: u64,
    /// Connections to replicas.
    pub to_replicas: u64,
}

impl World {
    /// A pool of so many replicas, so many of them black holes.
    pub fn with_pool(count: usize, holes: usize) -> Self {
        World::start(&[count, holes])
    }

    /// A project without servers; those that are made run at once.
    pub fn empty() -> Self {
        World::start(&[])
    }

    fn start(numbers: &[usize]) -> Self {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let mut helper = Helper::start(ROLE, &numbers);
        let told = serde_json::from_str(&helper.line()).expect("JSON");
        World { helper, told }
    }

    /// What a scaler needs to know of it; everything else is left to its default, but for where it listens.
    pub fn settings(&self) -> Settings {
        let told = self.told["settings"].as_object().expect("an object");
        let with = |settings: Settings, (name, value): (&String, &Value)| {
            settings.with(name, value.as_str().expect("text"))
        };
        let settings = told.iter().fold(Settings::none(), with);
        settings.with("APP_HOST", "127.0.0.1").with("APP_PORT", "0").with("REPLICA_MAX", "none")
    }

    /// Where the list of servers is.
    pub fn list(&self) -> &str {
        self.told["list"].as_str().expect("text")
    }

    /// The replicas' port.
    pub fn port(&self) -> &str {
        self.told["settings"]["REPLICA_API_PORT"].as_str().expect("text")
    }

    /// What happened so far.
    pub fn counts(&mut self) -> Counts {
        let counts: Value = serde_json::from_str(&self.helper.ask("counts")).expect("JSON");
        let count = |name: &str| counts[name].as_u64().expect("a number");
        Counts {
            requests: count("requests"),
            to_cloud: count("toCloud"),
            to_replicas: count("toReplicas"),
        }
    }

    /// Every request to the cloud so far, each in one line of JSON.
    pub fn journal(&mut self) -> String {
        self.helper.ask("journal")
    }
}

impl Counts {
    /// What happened since `before`.
    pub fn since(self, before: Counts) -> Counts {
        Counts {
            requests: self.requests - before.requests,
            to_cloud: self.to_cloud - before.to_cloud,
            to_replicas: self.to_replicas - before.to_replicas,
        }
    }
}

/// The process itself: tells what it takes to find it, and counts when it is asked.
pub fn run(arguments: impl Iterator<Item = String>) {
    let numbers: Vec<usize> = arguments.map(|text| text.parse().expect("a number")).collect();
    let cloud = Cloud::start();
    match numbers[..] {
        [count, holes] => cloud.list_crowd(count, holes),
        _ => cloud.boots_say(Says::free(1)),
    }
    println!("{}", found_at(&cloud));
    serve(|line| match line {
        "counts" => {
            let (to_cloud, to_replicas) = cloud.connections();
            let requests = cloud.requests().len();
            json!({"requests": requests, "toCloud": to_cloud, "toReplicas": to_replicas})
                .to_string()
        }
        "journal" => {
            let requests = cloud.requests();
            requests.iter().map(|request| entry(&cloud, request)).collect::<Value>().to_string()
        }
        line => panic!("what is {line}?"),
    });
}

fn found_at(cloud: &Cloud) -> Value {
    let (auth_url, port) = (cloud.url(Service::Identity), cloud.replica_port().to_string());
    let list = format!("{}/v2.1/servers/detail", cloud.url(Service::Compute));
    let identity = &cloud.state().identity;
    let settings = json!({
        "OS_AUTH_URL": format!("{auth_url}/v3"),
        "OS_USERNAME": identity.user.name,
        "OS_PASSWORD": identity.password,
        "OS_PROJECT_NAME": identity.project.name,
        "REPLICA_API_PORT": port,
    });
    json!({"settings": settings, "list": list})
}

fn entry(cloud: &Cloud, request: &Recorded) -> Value {
    let body = String::from_utf8_lossy(&request.body);
    let authority = cloud.url(request.service);
    json!({"method": request.method, "authority": authority, "target": request.target, "body": body})
}
