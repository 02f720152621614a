//! Proxies: who is asked through which, and what is said when one does not do.

use std::io::Write;
use std::net::TcpListener;
use std::thread;

use crate::daemon::{Settings, once};
use crate::expect;
use crate::fake::{Cloud, Proxy, Says, Serves, Service};

/// Nobody listens there.
const DEAD: &str = "http://127.0.0.1:1";

#[test]
fn an_http_cloud_is_asked_by_whole_urls_and_replicas_are_not_asked_through_it() {
    let cloud = Cloud::start();
    cloud.add_replica("one", Says::free(1));
    let proxy = Proxy::start(Serves::Login("Basic YW5uOnBAc3M6OiU=".into()));
    let ran = once(&Settings::of(&cloud).with("http_proxy", &proxy.url_with("ann:p%40ss::%25")));
    ran.expect_status(0);
    expect::created(&cloud, &ran, 2);
    let heads = proxy.heads();
    assert_eq!(heads.len(), cloud.requests().len(), "{heads:#?}");
    let services = [Service::Identity, Service::Compute, Service::Network, Service::Image];
    let urls = services.map(|service| cloud.url(service));
    for head in &heads {
        let target = head.split(' ').nth(1).unwrap();
        assert!(urls.iter().any(|url| target.starts_with(url)), "{target}");
        let host = target.split('/').nth(2).unwrap();
        assert!(head.to_lowercase().contains(&format!("\r\nhost: {host}\r\n")), "{head}");
    }
}

#[test]
fn the_scheme_of_the_target_chooses_the_proxy() {
    for (variable, answers) in [
        ("http_proxy", false),
        ("HTTP_PROXY", false),
        ("all_proxy", false),
        ("ALL_PROXY", false),
        ("https_proxy", true),
        ("HTTPS_PROXY", true),
    ] {
        let cloud = Cloud::start();
        let ran = once(&Settings::of(&cloud).with(variable, DEAD));
        if answers {
            ran.expect_status(0);
            continue;
        }
        let expected = format!("cannot reach the proxy {DEAD} ({variable}): connection refused");
        ran.expect_status(1).expect_line(&["cannot log in", &expected]);
    }
}

#[test]
fn no_proxy_is_understood() {
    for list in [
        "localhost, 127.0.0.1",
        "127.0.0.0/8",
        "10.0.0.0/8 ,127.0.0.0/8",
        "*",
        "[::1]:80 127.0.0.1/32",
    ] {
        let cloud = Cloud::start();
        let settings = Settings::of(&cloud).with("http_proxy", DEAD).with("no_proxy", list);
        once(&settings).expect_status(0);
    }
    let cloud = Cloud::start();
    let settings =
        Settings::of(&cloud).with("http_proxy", DEAD).with("NO_PROXY", "10.0.0.0/8,localhost");
    once(&settings).expect_status(1).expect_line(&["cannot reach the proxy"]);
}

#[test]
fn a_proxy_of_another_kind_is_not_passed_by() {
    let cloud = Cloud::start();
    for value in ["socks5://127.0.0.1:1080", "https://127.0.0.1:3129", "nonsense://", "http://:80"]
    {
        let ran = once(&Settings::of(&cloud).with("http_proxy", value));
        ran.expect_status(2).expect_line(&["http_proxy", value, "must be http://HOST:PORT"]);
    }
    assert!(cloud.requests().is_empty(), "it was passed by");
}

#[test]
fn a_name_that_only_the_proxy_knows_is_its_to_look_up() {
    let cloud = Cloud::start();
    let proxy = Proxy::start(Serves::Everybody);
    let port = cloud.url(Service::Identity).rsplit(':').next().unwrap().to_owned();
    let auth_url = format!("http://keystone.invalid:{port}/v3");
    let settings =
        Settings::of(&cloud).with("OS_AUTH_URL", &auth_url).with("http_proxy", &proxy.url());
    once(&settings).expect_status(0);
    assert!(proxy.heads()[0].starts_with(&format!("POST {auth_url}/auth/tokens HTTP/1.1\r\n")));
}

#[test]
fn what_a_proxy_refuses_is_told_as_its_own() {
    for (scheme, serves, login, words) in [
        ("http", Serves::Nobody(407), "", &["status 407", "it asks for a user and a password"][..]),
        (
            "http",
            Serves::Login("Basic eDp5".into()),
            "ann:s3cret",
            &["status 407", "does not accept this user"],
        ),
        ("http", Serves::Nobody(502), "", &["status 502: the proxy says no (through the proxy "]),
        ("http", Serves::Nobody(500), "", &["status 500: the proxy says no (through the proxy "]),
        ("https", Serves::Nobody(401), "ann:s3cret", &["does not accept this user"]),
        ("https", Serves::Nobody(407), "", &["answers with status 407: it asks for a user"]),
        ("https", Serves::Login("Basic eDp5".into()), "ann:s3cret", &["does not accept this user"]),
        ("https", Serves::Nobody(403), "", &["it does not let us connect to 127.0.0.1:"]),
        ("https", Serves::Nobody(502), "", &["it cannot reach 127.0.0.1:"]),
        ("https", Serves::Nobody(500), "", &["it does not connect us to 127.0.0.1:"]),
    ] {
        let cloud = Cloud::start();
        let proxy = Proxy::start(serves);
        let url = cloud.url(Service::Identity).replace("http://", &format!("{scheme}://"));
        let address = proxy.url();
        let settings = Settings::of(&cloud)
            .with("OS_AUTH_URL", &url)
            .with("OPENSTACK_API_TIMEOUT", "5")
            .with(&format!("{scheme}_proxy"), &proxy.url_with(login));
        let ran = once(&settings);
        ran.expect_status(1).expect_line(words);
        ran.expect_line(&[&format!("the proxy {address} ({scheme}_proxy)")]);
        assert!(!ran.output().contains("s3cret"), "{ran}");
        // Its port may have been another test's proxy's, whose program has not given up yet.
        let authority = url.split('/').nth(2).unwrap();
        let heads = proxy.heads();
        let asked = heads.iter().filter(|head| head.contains(authority)).count();
        let is_final = words[0].contains("407") || words[0].contains("accept");
        assert_eq!(asked == 1, is_final, "{words:?}: {heads:#?}\n{ran}");
    }
}

#[test]
fn a_proxy_that_speaks_no_http_is_named() {
    let cloud = Cloud::start();
    let hangs_up = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = hangs_up.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in hangs_up.incoming().map_while(Result::ok) {
            let _ = stream.write_all(b"220 mail.example.org ESMTP\r\n");
        }
    });
    let url = cloud.url(Service::Identity).replace("http://", "https://");
    let settings = Settings::of(&cloud)
        .with("OS_AUTH_URL", &url)
        .with("OPENSTACK_API_TIMEOUT", "2")
        .with("https_proxy", &format!("http://{address}"));
    let expected =
        format!("the proxy http://{address} (https_proxy) does not connect us to 127.0.0.1:");
    once(&settings).expect_status(1).expect_line(&[&expected]);
}
