//! The page of `--check` as a whole, against a provider of a few lines and replicas on loopback.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::{Duration, SystemTime};

use super::{behind_a_wall, run, same_refusal};
use crate::args::Output;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::handles::Handles;
use crate::model::{
    Answer, Condition, ExternalAddress, FixedAddress, Launched, Listing, Server, ServerId,
};
use crate::probe::Prober;
use crate::provider::{CheckLine, Provider, Quota};
use crate::settings::Config;

struct Cloud {
    lines: Vec<(&'static str, std::result::Result<&'static str, &'static str>)>,
    network: Result<String>,
    servers: Result<Vec<Server>>,
    quotas: Vec<Result<Quota>>,
}

/// A cloud in which all is well.
fn cloud(servers: Vec<Server>) -> Cloud {
    Cloud {
        lines: vec![("login", Ok("project demo (p1)")), ("flavor", Ok("d2-8 (f1)"))],
        network: Ok("net".into()),
        servers: Ok(servers),
        quotas: Vec::new(),
    }
}

impl Provider for Cloud {
    fn servers(&mut self) -> Result<Listing> {
        let servers = self.servers.clone()?;
        Ok(Listing { servers, now: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(3600)) })
    }

    fn network_name(&mut self) -> Result<String> {
        self.network.clone()
    }

    fn external_addresses(&mut self) -> Result<Vec<ExternalAddress>> {
        Ok(Vec::new())
    }

    fn server(&mut self, _id: &ServerId) -> Result<Option<Server>> {
        Ok(None)
    }

    fn check(&mut self) -> Vec<CheckLine> {
        let line = |(what, found): &(&str, std::result::Result<&str, &str>)| CheckLine {
            what: (*what).to_owned(),
            found: found.map(str::to_owned).map_err(str::to_owned),
            warning: false,
        };
        self.lines.iter().map(line).collect()
    }

    fn quotas(&mut self) -> Vec<Result<Quota>> {
        self.quotas.clone()
    }
}

fn server(name: &str, mark: Option<&str>, address: Ipv4Addr) -> Server {
    Server {
        id: ServerId::new(format!("id-{name}")),
        name: name.into(),
        mark: mark.map(Into::into),
        batch: None,
        condition: Condition::Active { task: None },
        words: "active".into(),
        locked: false,
        created: SystemTime::UNIX_EPOCH,
        updated: None,
        launched: Launched::At(SystemTime::UNIX_EPOCH),
        trial: false,
        scheduling: false,
        fixed: vec![FixedAddress { network: "net".into(), address: address.into() }],
        floating: Vec::new(),
    }
}

/// Answers every request on this address with this body; gives the port.
fn replica(address: Ipv4Addr, port: u16, body: &'static str) -> u16 {
    let listener = TcpListener::bind((address, port)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        }
    });
    port
}

fn config(settings: &[(&str, &str)]) -> Config {
    let base =
        [("PROVIDER", "simulated"), ("REPLICA_API_RETRIES", "0"), ("REPLICA_API_TIMEOUT", "10")];
    let set = base.iter().chain(settings).map(|(name, value)| ((*name).into(), (*value).into()));
    crate::config::load(&set.collect(), &|_| Err(io::Error::other("no files")), true).unwrap()
}

fn check(mut cloud: Cloud, settings: &[(&str, &str)]) -> (bool, String) {
    let config = config(settings);
    let prober = Prober::new(config.probe.clone(), Clock::start(), Handles::new()).unwrap();
    let mut out = Vec::new();
    let good = run(&config, &mut cloud, &prober, None, Output::Text, &mut out);
    (good, String::from_utf8(out).unwrap())
}

#[test]
fn the_page_shows_cloud_pool_and_every_replica() {
    let (good, bad, shut) =
        (Ipv4Addr::new(127, 91, 0, 1), Ipv4Addr::new(127, 91, 0, 2), Ipv4Addr::new(127, 91, 0, 3));
    let port = replica(good, 0, r#"{"capacity": 2, "termination": false}"#);
    replica(bad, port, r#"{"capacity": 1, "termination": "false"}"#);
    let stopped = Server {
        condition: Condition::Stopped { task: None },
        words: "stopped".into(),
        locked: true,
        ..server("d", Some("scaler"), shut)
    };
    let servers = vec![
        server("a", Some("scaler"), good),
        server("bee", Some("scaler"), bad),
        stopped,
        server("web", Some("front"), shut),
        server("db", None, shut),
    ];
    let (no_fault, page) = check(cloud(servers), &[("REPLICA_API_PORT", &port.to_string())]);
    let expected = "\
Cloud
ok       login            project demo (p1)
ok       flavor           d2-8 (f1)

Pool
ok       mark             3 servers carry group=scaler
ok       others           2 servers without it, never touched (some carry group=front)
warning  answers          2 replicas asked, 1 without a valid answer: the last column says why

name  id      address     is       because
a     id-a    127.91.0.1  healthy  2 free
bee   id-bee  127.91.0.2  silent   \"termination\" is \"false\", not true or false
d     id-d    127.91.0.3  parked   locked; stopped

no faults, 1 warning
";
    assert_eq!(page, expected);
    assert!(no_fault, "a refused answer is no fault");
}

/// What `--check` says of replicas that all answer with this body.
fn check_alike(body: &'static str, hosts: [u8; 2]) -> (bool, String) {
    let [a, b] = hosts.map(|host| Ipv4Addr::new(127, 91, 5, host));
    let port = replica(a, 0, body);
    replica(b, port, body);
    let servers = vec![server("a", Some("scaler"), a), server("b", Some("scaler"), b)];
    check(cloud(servers), &[("REPLICA_API_PORT", &port.to_string())])
}

#[test]
fn answers_that_are_all_refused_for_the_same_mistake_are_a_fault_that_shows_their_keys() {
    let (good, page) = check_alike(r#"{"free": 2, "termination": false}"#, [1, 2]);
    let text = "FAULT    answers          2 replicas asked, every answer refused for the same reason: \"capacity\" is missing \
                (have: free, termination); REPLICA_API_CAPACITY_KEY and REPLICA_API_TERMINATION_KEY say which keys are read\n";
    assert!(!good && page.contains(text), "{page}");
    assert!(page.ends_with("\n1 fault\n"), "{page}");

    let (good, page) = check_alike("<html>Welcome to nginx!</html>", [3, 4]);
    let text =
        "REPLICA_API_PROTOCOL, REPLICA_API_PORT and REPLICA_API_PATH say where the status is\n";
    assert!(!good && page.contains(text) && page.contains("not JSON: <html>Welcome"), "{page}");

    let (good, page) = check_alike(r#"{"capacity": 2, "termination": false}"#, [5, 6]);
    assert!(good && page.contains("2 replicas asked, all valid"), "{page}");
}

#[test]
fn the_same_mistake_with_other_values_is_the_same() {
    let check = |whys: [&str; 2], same: bool| {
        let answers = whys.map(|why| Answer::None { why: why.to_owned() });
        assert_eq!(same_refusal(answers.iter()).is_some(), same, "{whys:?}");
    };
    let number = "not a whole number of 0 or more";
    let capacity = |value: &str| format!("\"capacity\" is {value}, {number}");
    check([&capacity("\"1\""), &capacity("\"2\"")], true);
    check([&capacity("-1"), "\"termination\" is \"no\", not true or false"], false);
    check([&capacity("-1"), "\"capacity\" is missing (have: none)"], false);
    let missing = |keys: &str| format!("\"capacity\" is missing (have: {keys})");
    check([&missing("free"), &missing("free, more")], true);
    check(["not JSON: <html> a", "not JSON: <html> b"], true);
    check(["not JSON: <html>", "not a JSON object"], false);
    check(["status 404", "status 403"], false);
}

#[test]
fn replicas_that_all_boot_or_are_cut_off_are_no_fault() {
    let why = |why: &str| Answer::None { why: why.to_owned() };
    for reason in
        ["connection refused", "cannot connect in time", "status 503", "no answer within 5 s"]
    {
        let answers = [why(reason), why(reason)];
        assert_eq!(same_refusal(answers.iter()), None, "{reason}");
    }
    let answers = [why("\"capacity\" is missing (have: none)"), why("status 404")];
    assert_eq!(same_refusal(answers.iter()), None, "not the same reason");
    for reason in ["status 404", "status 301", "TLS: invalid peer certificate"] {
        assert!(same_refusal([why(reason)].iter()).is_some(), "{reason}");
    }
}

#[test]
fn warnings_of_the_settings_are_counted_beside_faults() {
    let mut config = config(&[]);
    config.warnings = vec!["REPLICA_FOO: no such setting, so it has no effect".into()];
    let prober = Prober::new(config.probe.clone(), Clock::start(), Handles::new()).unwrap();
    let (mut out, mut cloud) = (Vec::new(), cloud(Vec::new()));
    assert!(run(&config, &mut cloud, &prober, None, Output::Text, &mut out));
    let page = String::from_utf8(out).unwrap();
    let begin = "Settings\nwarning  settings         REPLICA_FOO: no such setting, so it has no effect\n\nCloud\n";
    assert!(page.starts_with(begin) && page.ends_with("\nno faults, 1 warning\n"), "{page}");
}

#[test]
fn as_json_it_is_one_object_with_all_that_the_page_shows() {
    let at = Ipv4Addr::new(127, 91, 6, 1);
    let stopped = Server {
        condition: Condition::Stopped { task: None },
        words: "stopped".into(),
        ..server("a", Some("scaler"), at)
    };
    let faulty = Cloud {
        lines: vec![("flavor", Err("OPENSTACK_FLAVOR \"x\": no such flavor"))],
        ..cloud(vec![stopped])
    };
    let (config, mut faulty) = (config(&[]), faulty);
    let prober = Prober::new(config.probe.clone(), Clock::start(), Handles::new()).unwrap();
    let mut out = Vec::new();
    assert!(!run(&config, &mut faulty, &prober, None, Output::Json, &mut out));
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), 1, "one object on one line: {text}");
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!({
        "ok": false, "version": env!("CARGO_PKG_VERSION"), "faults": 1, "warnings": 0,
        "lines": [
            {"section": "cloud", "verdict": "fault", "what": "flavor", "text": "OPENSTACK_FLAVOR \"x\": no such flavor"},
            {"section": "pool", "verdict": "ok", "what": "mark", "text": "1 server carries group=scaler"},
            {"section": "pool", "verdict": "ok", "what": "others", "text": "no other server in the project"},
            {"section": "pool", "verdict": "ok", "what": "answers", "text": "no replica to ask"},
        ],
        "replicas": [{"id": "id-a", "name": "a", "state": "parked", "why": "stopped", "locked": false,
            "address": "127.91.6.1"}],
    });
    assert_eq!(told, expected);
}

#[test]
fn every_fault_is_shown_and_counted() {
    let faulty = Cloud {
        lines: vec![
            ("flavor", Err("OPENSTACK_FLAVOR \"x\": no such flavor")),
            ("image", Ok("Debian (i1)")),
            ("keypair", Err("OPENSTACK_KEYPAIR \"k\": no such key pair")),
        ],
        ..cloud(Vec::new())
    };
    let (good, page) = check(faulty, &[]);
    assert!(!good);
    assert_eq!(
        page,
        "\
Cloud
FAULT    flavor           OPENSTACK_FLAVOR \"x\": no such flavor
ok       image            Debian (i1)
FAULT    keypair          OPENSTACK_KEYPAIR \"k\": no such key pair

Pool
ok       mark             0 servers carry group=scaler
ok       others           no other server in the project
ok       answers          no replica to ask

2 faults
"
    );
}

#[test]
fn one_cause_is_one_fault() {
    let refused = Error::new(ErrorKind::Refused(401), "cannot log in: wrong password");
    let locked_out = Cloud {
        lines: vec![("login", Err("cannot log in: wrong password"))],
        network: Err(refused.clone()),
        servers: Err(refused.context("cannot list the servers")),
        quotas: Vec::new(),
    };
    let (good, page) = check(locked_out, &[]);
    assert!(!good);
    assert!(page.ends_with("\n\n1 fault\n"), "{page}");
    assert_eq!(page.matches("see above").count(), 2, "{page}");
}

#[test]
fn an_ambiguous_mark_is_a_fault_and_pythons_own_a_warning() {
    let at = Ipv4Addr::new(127, 91, 1, 1);
    let stopped = |name, mark| Server {
        condition: Condition::Stopped { task: None },
        ..server(name, Some(mark), at)
    };
    let both = vec![stopped("a", "scaler"), stopped("b", "scaled")];
    let (good, page) = check(cloud(both.clone()), &[]);
    assert!(
        !good && page.contains("FAULT    mark             OPENSTACK_METADATA_VALUE is unset"),
        "{page}"
    );

    let (good, page) = check(cloud(both[1..].to_vec()), &[]);
    assert!(
        good && page.contains("warning  mark             OPENSTACK_METADATA_VALUE is unset"),
        "{page}"
    );
    assert!(page.contains("1 server carries group=scaled"), "{page}");

    let (good, page) = check(cloud(both), &[("OPENSTACK_METADATA_VALUE", "scaler")]);
    assert!(
        good && page.contains("1 server without it, never touched (some carry group=scaled)"),
        "{page}"
    );
}

#[test]
fn what_the_cloud_names_cannot_steer_the_terminal() {
    let evil = server("a\u{1b}[2J\nok", Some("scaler"), Ipv4Addr::new(127, 91, 2, 1));
    let stopped = Server { condition: Condition::Stopped { task: None }, ..evil };
    let (_, page) = check(cloud(vec![stopped]), &[]);
    assert!(!page.contains('\u{1b}') && page.contains("a [2J ok"), "{page}");
}

#[test]
fn a_page_that_cannot_be_written_is_no_success() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no space left"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let config = config(&[]);
    let prober = Prober::new(config.probe.clone(), Clock::start(), Handles::new()).unwrap();
    assert!(!run(&config, &mut cloud(Vec::new()), &prober, None, Output::Text, &mut Full));
}

#[test]
fn behind_many_replicas_the_faults_stand_once_more_before_the_verdict() {
    let at = Ipv4Addr::new(127, 91, 3, 1);
    let stopped = |number: u32| Server {
        condition: Condition::Stopped { task: None },
        // The oldest first is the order of every choice, but not one to find a name in.
        created: SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(number * 37 % 100)),
        ..server(&format!("web-{number:03}"), Some("scaler"), at)
    };
    let faulty = Cloud {
        lines: vec![
            ("flavor", Err("OPENSTACK_FLAVOR \"x\": no such flavor")),
            ("image", Err("OPENSTACK_IMAGE \"y\": no such image")),
        ],
        ..cloud((0..100).map(stopped).collect())
    };
    let (good, page) = check(faulty, &[]);
    assert!(!good);
    let lines: Vec<&str> = page.lines().collect();
    let names: Vec<&str> = lines.iter().filter(|line| line.starts_with("web-")).copied().collect();
    assert_eq!(names.len(), 100, "{page}");
    assert!(names.is_sorted(), "{page}");
    let end = "\n\nFAULT    flavor           OPENSTACK_FLAVOR \"x\": no such flavor\n\
               FAULT    image            OPENSTACK_IMAGE \"y\": no such image\n\n2 faults\n";
    assert!(page.ends_with(end), "{page}");
}

/// The lines on quotas, for a pool of `replicas`.
#[track_caller]
fn check_quotas(replicas: usize, quotas: &[Quota], settings: &[(&str, &str)], expected: &[&str]) {
    let at = Ipv4Addr::new(127, 91, 4, 1);
    let stopped = |number: usize| Server {
        condition: Condition::Stopped { task: None },
        ..server(&format!("web-{number}"), Some("scaler"), at)
    };
    let quotas = quotas.iter().cloned().map(Ok).collect();
    let cloud = Cloud { quotas, ..cloud((0..replicas).map(stopped).collect()) };
    let (_, page) = check(cloud, settings);
    // Faults stand once more at the end.
    let lines: Vec<&str> = page.lines().filter(|line| line.contains("  quota  ")).collect();
    let lines: Vec<String> = lines
        .iter()
        .take(expected.len())
        .map(|line| line.replacen("quota            ", "", 1))
        .collect();
    assert_eq!(lines, expected, "{page}");
}

fn quota(what: &'static str, used: u64, limit: Option<u64>, of_one: u64) -> Quota {
    Quota { what, used, limit, of_one }
}

#[test]
fn a_quota_is_compared_with_the_most_replicas_there_may_be() {
    let instances = quota("instances", 12, Some(20), 1);
    let one = [instances.clone()];
    let text = "warning  instances 12 of 20 used: REPLICA_MAX 60 does not fit: there is room for 8 more replicas";
    check_quotas(0, &one, &[("REPLICA_MAX", "60")], &[text]);
    check_quotas(0, &one, &[("REPLICA_MAX", "8")], &["ok       instances 12 of 20 used"]);
    // The pool's own are among those in use.
    check_quotas(10, &one, &[("REPLICA_MAX", "18")], &["ok       instances 12 of 20 used"]);
    let text = "warning  instances 12 of 20 used: REPLICA_MAX 19 does not fit: there is room for 8 more replicas";
    check_quotas(10, &one, &[("REPLICA_MAX", "19")], &[text]);
    check_quotas(12, &one, &[("REPLICA_MAX", "3")], &["ok       instances 12 of 20 used"]);
    check_quotas(0, &one, &[("REPLICA_MAX", "none")], &["ok       instances 12 of 20 used"]);
}

#[test]
fn cores_and_memory_are_compared_by_the_flavor() {
    let all = [
        quota("instances", 0, None, 1),
        quota("cores", 48, Some(60), 4),
        quota("MiB of RAM", 0, None, 8000),
    ];
    let expected = [
        "warning  cores 48 of 60 used: REPLICA_MAX 4 does not fit: there is room for 3 more replicas",
        "ok       no limit on instances, MiB of RAM",
    ];
    check_quotas(0, &all, &[("REPLICA_MAX", "4")], &expected);
    // More is in use than there may be: that is how a lowered quota looks.
    let over = [quota("cores", 80, Some(60), 4)];
    let text = "warning  cores 80 of 60 used: REPLICA_MAX 4 does not fit: there is room for 0 more replicas";
    check_quotas(3, &over, &[("REPLICA_MAX", "4")], &[text]);
}

#[test]
fn a_minimum_that_does_not_fit_is_a_fault() {
    let settings = [("REPLICA_CAPACITY", "2"), ("REPLICA_MIN_AVAILABLE_RESOURCES", "20")];
    let text = "FAULT    instances 12 of 20 used: a minimum of 20 free resources does not fit: it needs 10 replicas, and \
                there is room for 8 more";
    check_quotas(0, &[quota("instances", 12, Some(20), 1)], &settings, &[text]);
}

#[test]
fn replicas_that_nobody_connects_to_hint_at_the_security_group() {
    let why = |why: &str| Answer::None { why: why.to_owned() };
    let answers = [
        why("cannot connect in time"),
        why("connection refused"),
        Answer::Valid { capacity: 1, termination: false },
        why("cannot connect in time"),
    ];
    let hint =
        "; cannot connect to 2 of them: do their security groups let this machine in on port 8080?";
    assert_eq!(behind_a_wall(answers.iter(), 8080), hint);
    assert_eq!(behind_a_wall(answers[1..3].iter(), 8080), "");
}
