//! From one value's text to its type. The error says what is allowed; the caller names the variable and the value.

use std::io;
use std::net::Ipv6Addr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most characters of a value, or of an unknown name, that are shown.
pub const SHOWN_CHARACTERS_MAX: usize = 80;

/// How files are read; an argument, so that tests need none.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// A value, or what is allowed instead.
pub type Parsed<T> = std::result::Result<T, String>;

/// true/false, yes/no, on/off, 1/0, in any case.
pub fn boolean(value: &str) -> Parsed<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("must be true or false (or yes/no, on/off, 1/0)".to_owned()),
    }
}

/// A whole number within `range`.
pub fn whole<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Parsed<T>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    move |value| {
        let number = value.trim().parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            format!("must be a whole number from {} to {}", range.start(), range.end())
        })
    }
}

/// A whole number within `range`, or the word none.
pub fn count_or_none(range: RangeInclusive<u64>) -> impl Fn(&str) -> Parsed<Option<u64>> {
    let number = whole(range);
    move |value| match value.trim() {
        none if none.eq_ignore_ascii_case("none") => Ok(None),
        value => number(value).map(Some).map_err(|allowed| format!("{allowed}, or none")),
    }
}

/// A whole number of seconds within `range`.
pub fn seconds(range: RangeInclusive<u64>) -> impl Fn(&str) -> Parsed<Duration> {
    move |value| {
        let number = value.trim().parse().ok().filter(|number| range.contains(number));
        number.map(Duration::from_secs).ok_or_else(|| {
            format!("must be a whole number of seconds from {} to {}", range.start(), range.end())
        })
    }
}

/// One of some words, in any case.
pub fn choice<T: Copy, const N: usize>(words: [(&str, T); N]) -> impl Fn(&str) -> Parsed<T> {
    move |value| {
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(value.trim()));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            format!(
                "must be {}",
                words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" or ")
            )
        })
    }
}

/// Quotes as shells and word processors have them.
const QUOTES: [(char, char); 6] = [
    ('"', '"'),
    ('\'', '\''),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{ab}', '\u{bb}'),
];

/// As invisible as a blank: zero-width characters from web pages, the byte order mark of Windows editors.
const INVISIBLE: [char; 5] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// What surrounds a value and was hardly meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// A pair of quotes.
    Quotes,
    /// A blank at an end; a carriage return is one.
    Blank,
}

impl Wrapping {
    /// A shell takes quotes and blanks away; docker's `--env-file` does not.
    pub fn of(value: &str) -> Option<Self> {
        let within = |(open, close): &(char, char)| {
            value.strip_prefix(*open).is_some_and(|rest| rest.ends_with(*close))
        };
        let blank = |c: char| c.is_whitespace() || INVISIBLE.contains(&c);
        if value.starts_with(blank) || value.ends_with(blank) {
            Some(Wrapping::Blank)
        } else if QUOTES.iter().any(within) {
            Some(Wrapping::Quotes)
        } else {
            None
        }
    }

    /// What the value should not do.
    pub fn verb(self) -> &'static str {
        match self {
            Wrapping::Quotes => "be in quotes",
            Wrapping::Blank => "begin or end with a blank or a line break",
        }
    }
}

/// Where most quotes and blanks come from.
pub const WRAPPED_BY: &str = "(docker's --env-file keeps them as part of the value)";

/// A text without quotes around it and blanks at its ends: nobody means them, and a mark that has them is another pool's.
fn as_meant(value: &str) -> Parsed<()> {
    match Wrapping::of(value) {
        Some(wrapping) => Err(format!("must not {} {WRAPPED_BY}", wrapping.verb())),
        None => Ok(()),
    }
}

/// Text as the cloud's databases take it: 255 characters, on one line.
pub fn text(value: &str) -> Parsed<String> {
    text_of(255)(value)
}

/// Text of at most `characters`, on one line.
pub fn text_of(characters: usize) -> impl Fn(&str) -> Parsed<String> {
    move |value| {
        as_meant(value)?;
        if value.contains(char::is_control) {
            return Err("must not contain a line break or another control character".to_owned());
        }
        if value.chars().count() > characters {
            return Err(format!("must have at most {characters} characters"));
        }
        Ok(value.to_owned())
    }
}

/// Texts with commas between them; blanks around each are taken off.
pub fn texts(value: &str) -> Parsed<Vec<String>> {
    as_meant(value)?;
    let all = value.split(',').map(str::trim).collect::<Vec<_>>();
    if all.iter().any(|one| one.is_empty()) {
        return Err("must not contain an empty name: put one comma between two names".to_owned());
    }
    all.into_iter().map(text).collect()
}

/// A metadata key as Nova takes it (Compute API, "Create Server": `^[a-zA-Z0-9-_:. ]{1,255}$`).
pub fn metadata_key(value: &str) -> Parsed<String> {
    as_meant(value)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_:. ".contains(c);
    if value.len() > 255 || !value.chars().all(fits) {
        return Err(
            "must have at most 255 characters, and only letters, digits, \"-_:.\" and spaces"
                .to_owned(),
        );
    }
    if value == crate::model::BATCH_KEY {
        return Err("is the key of the batch marks; choose another one".to_owned());
    }
    Ok(value.to_owned())
}

/// An address or a host name to listen on; brackets around an IPv6 address are taken off.
pub fn host(value: &str) -> Parsed<String> {
    as_meant(value)?;
    if let Some((host, port)) = host_and_port(value) {
        return Err(format!(
            "must not contain a port: set APP_HOST to {host} and APP_PORT to {port}"
        ));
    }
    let inside = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
    let value = inside.unwrap_or(value);
    let fits = |c: char| c.is_ascii_alphanumeric() || ".:-_%".contains(c);
    if value.is_empty() || !value.chars().all(fits) {
        return Err("must be an address or a host name, without port".to_owned());
    }
    let address = value.split('%').next().unwrap_or_default();
    if value.contains(':') && address.parse::<Ipv6Addr>().is_err() {
        return Err("must be an address or a host name, without port: this is not an IPv6 address, and the port goes \
                    into APP_PORT"
            .to_owned());
    }
    Ok(value.to_owned())
}

/// The two of `host:port` or `[IPv6]:port`. An IPv6 address has colons of its own, so without brackets nobody can tell.
fn host_and_port(value: &str) -> Option<(&str, u16)> {
    let (host, port) = value.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let one_colon = !host.is_empty() && !host.contains(':');
    let host = bare.or(one_colon.then_some(host))?;
    Some((host, port.parse().ok()?))
}

/// Linux's `PATH_MAX`.
const PATH_CHARACTERS_MAX: usize = 4096;

/// The path of a file.
pub fn file(value: &str) -> Parsed<PathBuf> {
    text_of(PATH_CHARACTERS_MAX)(value).map(PathBuf::from)
}

/// The question to a replica has to fit into its buffer ([`crate::http`]).
const URL_PATH_BYTES_MAX: usize = 2048;

/// The path of a URL, perhaps with a query; a leading `/` is added where it is missing.
pub fn url_path(value: &str) -> Parsed<String> {
    as_meant(value)?;
    if value.contains("://") {
        return Err("must be a path only: host and port come from the replica".to_owned());
    }
    if !value.chars().all(|c| c.is_ascii_graphic() && !"#\"<>\\^`{|}".contains(c)) {
        return Err(
            "must be the path of a URL (with other characters written as %20 and so on)".to_owned()
        );
    }
    if value.len() > URL_PATH_BYTES_MAX {
        return Err(format!("must have at most {URL_PATH_BYTES_MAX} characters"));
    }
    Ok(if value.starts_with('/') { value.to_owned() } else { format!("/{value}") })
}

/// Keystone's address: http or https, a host, perhaps a port and a path.
pub fn auth_url(value: &str) -> Parsed<String> {
    as_meant(value)?;
    let Some(path) = path_of_url(value) else {
        return Err("must be an address like https://keystone.example.org/v3".to_owned());
    };
    if path.trim_end_matches('/').rsplit('/').next() == Some("v2.0") {
        return Err(
            "is the address of Identity API 2; only version 3 is supported, so end it in /v3"
                .to_owned(),
        );
    }
    Ok(value.to_owned())
}

/// Whether what follows the scheme of a URL is on this machine.
pub fn on_this_machine(host: &str) -> bool {
    ["127.", "localhost", "[::1]"].iter().any(|loopback| host.starts_with(loopback))
}

/// A service's address: http or https, a host, perhaps a port and a path.
pub fn url(value: &str) -> Parsed<String> {
    as_meant(value)?;
    match path_of_url(value) {
        Some(_) => Ok(value.to_owned()),
        None => Err("must be an address like https://nova.example.org/v2.1".to_owned()),
    }
}

/// The path of a URL that has nothing but scheme, host, perhaps a port, and path.
fn path_of_url(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let fits = |c: char| c.is_ascii_graphic() && !"?#\\".contains(c);
    (has_host(authority) && path.chars().all(fits)).then_some(path)
}

/// `host`, `host:port`, `[IPv6]` or `[IPv6]:port`.
pub fn has_host(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, after)) => (host, Some(after.strip_prefix(':').unwrap_or("none"))),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let bracketed = authority.starts_with('[');
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c) || (bracketed && c == ':');
    !host.is_empty()
        && host.chars().all(fits)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}
