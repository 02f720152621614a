//! The replicas over real HTTP.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::fixture::{Trial, config};
use crate::error::ErrorKind;
use crate::probe;
use crate::provider::simulated::replicas::Replicas;
use crate::provider::simulated::world::World;
use crate::provider::simulated::{FIRST_VMS, REPLICAS, open_read_only, rules, start, wall_clock};
use crate::provider::{Creation, Provider, ProviderMut};
use crate::settings::{Config, ProbeSettings};

fn ask(trial: &Trial, number: u8, request: &str) -> std::io::Result<(String, String)> {
    let [a, b, c] = trial.network;
    let address = Ipv4Addr::new(a, b, c, number);
    let mut stream = TcpStream::connect((address, trial.config.probe.port))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    Ok((head.lines().next().unwrap_or_default().to_owned(), body.to_owned()))
}

fn one_vm(config: Config) -> Trial {
    let mut trial = Trial::new(config);
    let metadata = vec![("group".to_owned(), "scaler".to_owned())];
    trial.simulated.create(&Creation { name: "server-a".into(), count: 1, metadata }).unwrap();
    trial.pass_time(5);
    trial
}

#[test]
fn a_replica_answers_once_its_service_is_up_and_until_it_is_deleted() {
    let mut trial = one_vm(config());
    assert!(ask(&trial, 1, "GET / HTTP/1.1\r\n\r\n").is_err(), "it boots");
    trial.pass_time(3);
    let (status, body) = ask(&trial, 1, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(matches!(probe::read(&trial.config.probe, body.as_bytes()), Ok((0..=4, false))));
    trial.simulated.delete(&crate::model::ServerId::new("vm-1")).unwrap();
    assert!(ask(&trial, 1, "GET / HTTP/1.1\r\n\r\n").is_err(), "it is gone");
}

#[test]
fn path_and_keys_are_the_configured_ones() {
    let mut settings = config();
    settings.probe.path = "/status?as=json".into();
    settings.probe.capacity_key = "/data/slots/0".into();
    settings.probe.termination_key = "/data/do~1ne".into();
    let mut trial = one_vm(settings);
    trial.pass_time(3);
    let (_, body) = ask(&trial, 1, "GET /status?as=json HTTP/1.1\r\n\r\n").unwrap();
    assert!(probe::read(&trial.config.probe, body.as_bytes()).is_ok(), "{body}");
    let (status, _) = ask(&trial, 1, "GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(status, "HTTP/1.1 404 Not Found");
    let (status, _) = ask(&trial, 1, "POST /status?as=json HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(status, "HTTP/1.1 405 Method Not Allowed");
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut Config), words: &str) {
    let mut settings = config();
    settings.probe.port = 0;
    change(&mut settings);
    let world = World::new(rules(&settings, REPLICAS), wall_clock());
    let clock = Box::new(|| std::time::Duration::ZERO);
    let error = start(&settings, world, [127, 77, 1], clock).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Setting);
    assert!(error.text.contains(words), "{error}");
}

#[test]
fn settings_that_no_simulated_replica_can_follow_are_refused() {
    check_refused(|settings| settings.probe.https = true, "REPLICA_API_PROTOCOL is https");
    let same_key = |settings: &mut Config| settings.probe.termination_key = "capacity".into();
    check_refused(same_key, "exclude each other");
    let ipv6 = |settings: &mut Config| settings.policy.ip_version = crate::model::IpVersion::V6;
    check_refused(ipv6, "OPENSTACK_IP_VERSION is 6");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.77.2.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let settings = ProbeSettings { port, ..config().probe };
    let error = Replicas::new(&settings, [127, 77, 2]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Setting);
    assert!(error.text.contains(&format!("127.77.2.1:{port}")), "{error}");
    assert!(error.text.contains("set REPLICA_API_PORT"), "{error}");
}

#[test]
fn nobody_answers_once_the_provider_is_gone() {
    let mut trial = one_vm(config());
    trial.pass_time(3);
    let (network, port) = (trial.network, trial.config.probe.port);
    let [a, b, c] = network;
    drop(trial);
    let refuses = || TcpStream::connect((Ipv4Addr::new(a, b, c, 1), port)).is_err();
    super::fixture::wait_until("the sockets are closed", refuses);
}

#[test]
fn a_check_names_the_network_and_the_addresses() {
    let mut trial = Trial::new(config());
    let lines = trial.simulated.check();
    let found = |what: &str| {
        let lines = lines.iter().filter(|line| line.what == what);
        lines.map(|line| line.found.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(found("login"), ["simulated: nothing to log in to"]);
    let addresses =
        ["192.0.2.11 (address-1), unbound", "192.0.2.12 (address-2), unbound"].map(String::from);
    assert_eq!(found("floating IP"), addresses);
}

#[test]
fn a_world_to_look_at_has_a_pool_that_answers() {
    let mut settings = config();
    settings.probe.port = TcpListener::bind("127.77.0.1:0").unwrap().local_addr().unwrap().port();
    let mut view = open_read_only(&settings).unwrap();
    let servers = view.servers().unwrap().servers;
    assert_eq!(servers.len(), usize::try_from(FIRST_VMS).unwrap());
    for server in servers {
        assert_eq!(server.mark.as_deref(), Some("scaler"));
        let connected = TcpStream::connect((server.fixed[0].address, settings.probe.port));
        assert!(connected.is_ok(), "{} answers at once: {connected:?}", server.name);
    }
}
