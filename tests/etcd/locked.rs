//! TLS with client certificates, users with passwords and rights.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use simplescalevm::lease::{Creation, Renewal, State, Store};
use simplescalevm::secret::Secret;
use simplescalevm::settings::{EtcdLogin, EtcdSettings};

use crate::engine::Cluster;
use crate::on_etcd::{LEASE, LONG, store};

fn user(settings: &EtcdSettings, name: &str, password: &str) -> EtcdSettings {
    let login = EtcdLogin { user: name.into(), password: Secret::new(password) };
    EtcdSettings { login: Some(login), ..settings.clone() }
}

/// Users `root`, `scaler` (who may use the lease's keys) and `guest` (who may nothing), each with its name as password.
fn with_users(cluster: &Cluster) {
    let ask = |path: &str, body: Value| {
        cluster.ask(&format!("/v3/auth/{path}"), &body.to_string(), None).expect(path);
    };
    for name in ["root", "scaler", "guest"] {
        ask("user/add", json!({"name": name, "password": name}));
        ask("role/add", json!({"name": name}));
        ask("user/grant", json!({"user": name, "role": name}));
    }
    let prefix = format!("simplescalevm/{LEASE}/");
    let end = prefix.trim_end_matches('/').to_owned() + "0";
    let permission = json!({"permType": "READWRITE", "key": STANDARD.encode(prefix),
        "range_end": STANDARD.encode(end)});
    ask("role/grant", json!({"name": "scaler", "perm": permission}));
    ask("enable", json!({}));
}

#[test]
fn who_shows_a_certificate_and_a_password_gets_in() {
    let cluster = Cluster::start_locked();
    with_users(&cluster);
    let settings = cluster.settings();
    let mut a = store(&user(&settings, "scaler", "scaler"), "a", LONG);
    assert_eq!(a.look(), Ok(None));
    assert_eq!(a.create(1), Ok(Creation::Created));
    assert_eq!(a.renew(1, 1), Ok(Renewal::Renewed));

    // What changes users makes older tokens worthless.
    let body = json!({"name": "root", "password": "root"}).to_string();
    let token = cluster.ask("/v3/auth/authenticate", &body, None).unwrap()["token"].clone();
    let token = Secret::new(token.as_str().unwrap());
    let body = json!({"name": "another", "password": "another"}).to_string();
    cluster.ask("/v3/auth/user/add", &body, Some(&token)).unwrap();
    assert_eq!(a.renew(1, 2), Ok(Renewal::Renewed), "after a new login");
    assert_eq!(a.release(1), Ok(()));
    assert_eq!(a.look().unwrap().map(|record| record.state), Some(State::Released));
}

#[test]
fn who_is_not_let_in_is_told_what_is_missing() {
    let cluster = Cluster::start_locked();
    let settings = cluster.settings();
    let anonymous = EtcdSettings { certificate: None, ..settings.clone() };
    let untrusting = EtcdSettings { cacert: None, ..settings.clone() };
    with_users(&cluster);
    let certificate = cluster.certificates.as_ref().map(|all| all.named.clone());
    let named = EtcdSettings { certificate, ..settings.clone() };
    for (settings, part) in [
        (user(&named, "scaler", "scaler"), "ETCDCTL_CERT must not have one"),
        (anonymous, "certificate"),
        (untrusting, "set ETCDCTL_CACERT"),
        (settings.clone(), "set ETCDCTL_USER and ETCDCTL_PASSWORD"),
        (user(&settings, "scaler", "wrong-pw"), "cannot log in to etcd as ETCDCTL_USER \"scaler\""),
        (user(&settings, "guest", "guest"), "grant-permission ROLE readwrite --prefix=true"),
    ] {
        let error = store(&settings, "a", LONG).look().expect_err(part).text;
        assert!(error.contains(part), "not {part}: {error}");
        assert!(!error.contains("wrong-pw"), "{error}");
    }
}
