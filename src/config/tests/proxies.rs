//! The proxies of the environment: which one is taken for whom, and what is wrong with one.

use super::{cloud, faults, good};

/// The variable that gives the proxy for a URL.
fn chosen(settings: &[(&str, &str)], scheme: &str, host: &str, port: u16) -> Option<&'static str> {
    let proxies = cloud(good(settings)).proxies;
    proxies.of(scheme, host, port).map(|proxy| proxy.variable)
}

#[test]
fn the_targets_scheme_chooses_and_small_letters_go_first() {
    let proxy = "http://proxy:3128";
    for (set, http, https) in [
        (&[][..], None, None),
        (&["http_proxy"], Some("http_proxy"), None),
        (&["https_proxy"], None, Some("https_proxy")),
        (&["HTTP_PROXY"], Some("HTTP_PROXY"), None),
        (&["HTTPS_PROXY"], None, Some("HTTPS_PROXY")),
        (&["all_proxy"], Some("all_proxy"), Some("all_proxy")),
        (&["ALL_PROXY"], Some("ALL_PROXY"), Some("ALL_PROXY")),
        (&["ALL_PROXY", "all_proxy"], Some("all_proxy"), Some("all_proxy")),
        (&["HTTPS_PROXY", "all_proxy"], Some("all_proxy"), Some("HTTPS_PROXY")),
        (&["HTTPS_PROXY", "https_proxy"], None, Some("https_proxy")),
        (&["http_proxy", "https_proxy", "ALL_PROXY"], Some("http_proxy"), Some("https_proxy")),
    ] {
        let settings: Vec<_> = set.iter().map(|name| (*name, proxy)).collect();
        assert_eq!(chosen(&settings, "http", "cloud", 80), http, "{set:?}");
        assert_eq!(chosen(&settings, "https", "cloud", 443), https, "{set:?}");
    }
    let empty = [("https_proxy", ""), ("HTTPS_PROXY", ""), ("ALL_PROXY", proxy)];
    assert_eq!(chosen(&empty, "https", "cloud", 443), Some("ALL_PROXY"), "empty is unset");
}

#[test]
fn a_proxy_is_a_host_and_a_port_and_perhaps_a_login() {
    let basic = |login: &str| {
        use base64::Engine;
        Some(base64::prelude::BASE64_STANDARD.encode(login))
    };
    for (value, host, port, login) in [
        ("http://proxy:3128", "proxy", 3128, None),
        ("http://proxy:3128/", "proxy", 3128, None),
        ("HTTP://proxy", "proxy", 80, None),
        ("proxy:3128", "proxy", 3128, None),
        ("10.0.0.1", "10.0.0.1", 80, None),
        ("http://[fd10::1]:3128", "[fd10::1]", 3128, None),
        ("http://[fd10::1]", "[fd10::1]", 80, None),
        ("http://ann:pw@proxy:3128", "proxy", 3128, basic("ann:pw")),
        ("ann:pw@proxy:3128", "proxy", 3128, basic("ann:pw")),
        ("http://ann@proxy:3128", "proxy", 3128, basic("ann:")),
        ("http://a%6en:p%40s%3As%25+@proxy:3128", "proxy", 3128, basic("ann:p@s:s%+")),
        ("http://ann:p@ss@proxy:3128", "proxy", 3128, basic("ann:p@ss")),
    ] {
        let proxy = cloud(good(&[("https_proxy", value)])).proxies.https.unwrap();
        let given = proxy.login.as_ref().map(|login| login.basic.expose().to_owned());
        assert_eq!((proxy.host.as_str(), proxy.port, given), (host, port, login), "{value}");
        let shown = format!("{proxy:?} {proxy}");
        assert!(
            !shown.contains("pw")
                && shown.ends_with(&format!("http://{host}:{port} (https_proxy)")),
            "{shown}"
        );
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_a_fault_and_not_passed_by() {
    let kind = "must be http://HOST:PORT: no other kind of proxy is supported";
    let form = "must be http://HOST:PORT";
    for (value, shown, why) in [
        ("socks5://proxy:1080", "socks5://proxy:1080", kind),
        ("socks5h://ann:s3cret@proxy:1080", "socks5h://…@proxy:1080", kind),
        ("socks4a://proxy", "socks4a://proxy", kind),
        ("https://proxy:3129", "https://proxy:3129", kind),
        ("ftp://proxy", "ftp://proxy", kind),
        ("http://", "http://", form),
        ("http://:3128", "http://:3128", form),
        ("http://proxy:port", "http://proxy:port", form),
        ("http://proxy:99999", "http://proxy:99999", form),
        ("http://ann:s3/cret@proxy:port", "http://…@proxy:port", form),
        ("http://proxy:3128/path", "http://proxy:3128/path", form),
        ("http:/proxy:3128", "http:/proxy:3128", form),
        ("http://ann:s3cret%40proxy:3128", "http://…", form),
        ("ann:s3://cret@proxy:port", "…@proxy:port", kind),
        ("pro xy", "pro xy", form),
    ] {
        for variable in ["http_proxy", "HTTPS_PROXY", "all_proxy"] {
            let faults = faults(&[(variable, value)]);
            assert_eq!(faults, [format!("{variable} {shown:?}: {why}")], "{value}");
        }
    }
    let login = "http://ann%ff:s3cret@proxy";
    let told = faults(&[("https_proxy", login)]).join("\n");
    assert!(told.contains("UTF-8") && !told.contains("s3cret"), "{told}");
    let quoted = faults(&[("https_proxy", "\"http://ann:s3cret@proxy\"")]).join("\n");
    assert!(quoted.contains("quotes") && !quoted.contains("s3cret"), "{quoted}");
}

#[test]
fn a_proxy_that_nobody_is_asked_through_is_not_judged() {
    let both = ("http_proxy", "http://proxy:1");
    let other = ("https_proxy", "http://proxy:2");
    assert_eq!(faults(&[both, other, ("all_proxy", "socks5://proxy")]), [""; 0]);
    assert_eq!(faults(&[("all_proxy", "socks5://proxy"), ("no_proxy", "*")]), [""; 0]);
    assert_eq!(faults(&[("PROVIDER", "simulated"), ("all_proxy", "nonsense://")]), [""; 0]);
}

#[track_caller]
fn direct(no_proxy: &str, host: &str, port: u16, expected: bool) {
    let settings = [("all_proxy", "http://proxy:3128"), ("no_proxy", no_proxy)];
    let is_direct = chosen(&settings, "https", host, port).is_none();
    assert_eq!(is_direct, expected, "no_proxy={no_proxy:?}, {host}:{port}");
}

#[test]
fn no_proxy_means_hosts_domains_networks_and_ports() {
    for list in [
        "localhost, 127.0.0.1",
        "127.0.0.1 localhost",
        " localhost,,127.0.0.1 ,",
        "\tlocalhost\n127.0.0.1",
    ] {
        direct(list, "127.0.0.1", 443, true);
        direct(list, "localhost", 443, true);
        direct(list, "127.0.0.2", 443, false);
    }
    for domain in ["example.org", ".example.org", "*.example.org", "EXAMPLE.org", "example.org."] {
        direct(domain, "example.org", 443, true);
        direct(domain, "keystone.example.org", 443, true);
        direct(domain, "a.b.Example.ORG", 443, true);
        direct(domain, "keystone.example.org.", 443, true);
        direct(domain, "notexample.org", 443, false);
        direct(domain, "example.org.evil.test", 443, false);
    }
    direct("10.0.0.0/8", "10.255.0.1", 443, true);
    direct("10.0.0.0/8", "11.0.0.1", 443, false);
    direct("10.0.0.0/8", "10.example.org", 443, false);
    direct("10.1.2.3/8", "10.255.0.1", 443, true);
    direct("0.0.0.0/0", "192.0.2.1", 443, true);
    direct("0.0.0.0/0", "[fd10::1]", 443, false);
    direct("192.0.2.4/30", "192.0.2.7", 443, true);
    direct("192.0.2.4/30", "192.0.2.8", 443, false);
    direct("192.0.2.4/32", "192.0.2.5", 443, false);
    direct("10.0.0.0/8", "[::ffff:10.1.1.1]", 443, true);
    direct("fd10::/16", "[fd10:1::1]", 443, true);
    direct("fd10::/16", "[fd11::1]", 443, false);
    direct("fd10::1", "[fd10::1]", 443, true);
    direct("[fd10::1]", "[fd10:0:0::1]", 443, true);
    direct("[fd10::1]:443", "[fd10::1]", 443, true);
    direct("[fd10::1]:443", "[fd10::1]", 5000, false);
    direct("cloud:5000", "cloud", 5000, true);
    direct("cloud:5000", "cloud", 443, false);
    direct("192.0.2.1:5000,cloud", "192.0.2.1", 443, false);
    direct("192.0.2.1:5000,cloud", "192.0.2.1", 5000, true);
    direct(".cloud:443", "nova.cloud", 443, true);
    direct("*", "anybody", 1, true);
    direct("nobody, *", "anybody", 1, true);
    direct("", "anybody", 1, false);
}

#[test]
fn no_proxy_too_is_read_in_small_letters_first() {
    let all = ("all_proxy", "http://proxy:3128");
    let capitals = ("NO_PROXY", "a");
    assert_eq!(chosen(&[all, capitals], "https", "a", 443), None);
    assert_eq!(chosen(&[all, capitals, ("no_proxy", "b")], "https", "b", 443), None);
    assert_eq!(chosen(&[all, capitals, ("no_proxy", "b")], "https", "a", 443), Some("all_proxy"));
}

#[test]
fn an_exception_that_is_none_is_warned_of_where_there_is_a_proxy() {
    for entry in [
        "10.0.0.0/33",
        "10.0.0.0/",
        "fd10::/129",
        "10.0.0/8",
        "a/b",
        "<local>",
        "10.*",
        "cloud:port",
        "http://cloud",
        "[fd10::1",
    ] {
        let max = ("REPLICA_MAX", "9");
        let settings = [max, ("http_proxy", "http://proxy:3128"), ("no_proxy", entry)];
        let warnings = good(&settings).warnings;
        let expected =
            format!("no_proxy: {entry:?} is not a host, domain or network, so it has no effect");
        assert_eq!(warnings, [expected]);
        assert_eq!(good(&[max, ("no_proxy", entry)]).warnings, [""; 0], "no proxy");
    }
}
