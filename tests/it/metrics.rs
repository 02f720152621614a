//! What `/metrics` says.

use std::fmt::Display;
use std::str::FromStr;

use crate::daemon::{Daemon, send};

/// The value of a sample of `/metrics`, which is given as the page spells it.
#[track_caller]
pub fn metric<T: FromStr<Err: Display>>(daemon: &Daemon, sample: &str) -> T {
    let page = metrics(daemon);
    let value = page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("no {sample} in\n{page}"));
    value.parse().unwrap_or_else(|error| panic!("{sample} {value}: {error}"))
}

/// The whole page.
#[track_caller]
pub fn metrics(daemon: &Daemon) -> String {
    let url = format!("{}/metrics", daemon.status_url());
    let (status, headers, body) = send("GET", &url, &[], None).expect("an answer");
    assert_eq!(status, 200, "{}", daemon.log());
    let content_type = headers.iter().find(|(name, _)| name == "content-type");
    assert_eq!(
        content_type.map(|(_, value)| value.as_str()),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    String::from_utf8(body).unwrap()
}

/// Waits until the sample is good.
#[track_caller]
pub fn wait_for_metric(daemon: &Daemon, sample: &str, is_so: impl Fn(f64) -> bool) {
    daemon.wait_until(&format!("good {sample}"), || is_so(metric(daemon, sample)));
}
