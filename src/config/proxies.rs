//! The proxies of the environment, as curl takes them: `http_proxy` or `https_proxy` by the scheme of whom is asked, else
//! `all_proxy`; small letters go before capitals.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;

use crate::config::parse::SHOWN_CHARACTERS_MAX;
use crate::config::parse::{self, Parsed};
use crate::config::reader::Reader;
use crate::error::one_line;
use crate::proxies::{Direct, Login, Proxies, Proxy, Who};
use crate::secret::Secret;

/// curl reads no `HTTP_PROXY`, which in a CGI script is a request's header; this is no CGI script, and Python's clients
/// of `OpenStack` read it.
const HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const NONE: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Of a URL without one, as in Python's clients of `OpenStack`; curl's would be 1080, where hardly any HTTP proxy listens.
const PORT: u16 = 80;

/// Reads them. A proxy that cannot be used is a fault: to ask without it may be what it is there to prevent. What
/// `no_proxy` has for other programs' understanding is a warning.
pub fn proxies(reader: &mut Reader<'_>) -> Proxies {
    let (direct, odd) = match set(reader, NONE) {
        Some((variable, list)) => no_proxy(variable, &list),
        None => (Vec::new(), Vec::new()),
    };
    let everybody = Direct { who: Who::Everybody, port: None };
    if direct.contains(&everybody) {
        return Proxies::default();
    }
    let proxies = Proxies { http: chosen(reader, HTTP), https: chosen(reader, HTTPS), direct };
    if proxies.http.is_some() || proxies.https.is_some() {
        for warning in odd {
            reader.warn(warning);
        }
    }
    proxies
}

fn set<const N: usize>(
    reader: &Reader<'_>,
    names: [&'static str; N],
) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, reader.variable(name)?.to_owned())))
}

fn chosen<const N: usize>(reader: &mut Reader<'_>, names: [&'static str; N]) -> Option<Proxy> {
    let (variable, value) = set(reader, names)?;
    match proxy(variable, &value) {
        Ok(proxy) => Some(proxy),
        Err(why) => {
            reader.fault_of(format!("{variable} {:?}: {why}", without_login(&value)));
            None
        }
    }
}

/// A value without what may be a password, fit for a log.
fn without_login(value: &str) -> String {
    let is_scheme = |(scheme, _): &(&str, &str)| !scheme.contains([':', '@']);
    let (scheme, rest) = match value.split_once("://").filter(is_scheme) {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), value),
    };
    let shown = match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}…@{host}"),
        // An @ that was written %40.
        None if rest.contains('%') => format!("{scheme}…"),
        None => value.to_owned(),
    };
    shown.chars().take(SHOWN_CHARACTERS_MAX).collect()
}

fn proxy(variable: &'static str, value: &str) -> Parsed<Proxy> {
    let value = parse::text_of(SHOWN_CHARACTERS_MAX * 10)(value)?;
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", &value));
    if !scheme.eq_ignore_ascii_case("http") {
        return Err("must be http://HOST:PORT: no other kind of proxy is supported".to_owned());
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (login, authority) = match rest.rsplit_once('@') {
        Some((login, authority)) => (Some(login), authority),
        None => (None, rest),
    };
    if !parse::has_host(authority) {
        return Err("must be http://HOST:PORT".to_owned());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(PORT)),
        _ => (authority, PORT),
    };
    let login = login.map(decoded).transpose()?;
    Ok(Proxy { variable, host: host.to_owned(), port, login })
}

/// `user:password` without its `%XX`.
fn decoded(login: &str) -> Parsed<Login> {
    let decode = |part: &str| percent_decode_str(part).decode_utf8().map(String::from);
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    match (decode(user), decode(password)) {
        (Ok(user), Ok(password)) if !user.contains(':') => {
            let basic = BASE64_STANDARD.encode(format!("{user}:{password}"));
            Ok(Login { password: Secret::new(password), basic: Secret::new(basic) })
        }
        _ => Err("must have a user and a password that are UTF-8 when each %XX is decoded, and no colon in the user"
            .to_owned()),
    }
}

/// The entries of a list, and a line for each that says nothing.
fn no_proxy(variable: &str, list: &str) -> (Vec<Direct>, Vec<String>) {
    let (mut direct, mut odd) = (Vec::new(), Vec::new());
    for entry in
        list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty())
    {
        match exception(entry) {
            Some(exception) => direct.push(exception),
            None => odd.push(format!(
                "{variable}: {:?} is not a host, domain or network, so it has no effect",
                one_line(entry, SHOWN_CHARACTERS_MAX)
            )),
        }
    }
    (direct, odd)
}

/// `*`, `host`, `.domain`, `*.domain`, `address`, `network/bits`, each perhaps with `:port`.
fn exception(entry: &str) -> Option<Direct> {
    let whole = |who| Some(Direct { who, port: None });
    if entry == "*" {
        return whole(Who::Everybody);
    }
    if let Some((address, bits)) = entry.split_once('/') {
        let address: IpAddr = address.parse().ok()?;
        let bits: u8 = bits.parse().ok()?;
        return if bits <= width(address) { whole(Who::Network(address, bits)) } else { None };
    }
    let one = |address: IpAddr| Who::Network(address.to_canonical(), width(address.to_canonical()));
    if let Ok(address) = entry.parse::<IpAddr>() {
        return whole(one(address));
    }
    let (host, port) = match entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, after)) => (host, Some(after.strip_prefix(':')?)),
        None => match entry.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (entry, None),
        },
    };
    let port = port.map(str::parse).transpose().ok()?;
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(Direct { who: one(address), port });
    }
    let domain = host.strip_prefix("*.").or_else(|| host.strip_prefix('.')).unwrap_or(host);
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let is_name = !domain.is_empty() && domain.chars().all(fits);
    is_name.then_some(Direct { who: Who::Domain(domain), port })
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}
