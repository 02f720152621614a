//! What a refusal is: a quota, a limit of the pace, a fault; and when to ask again.

use std::time::Duration;

use ureq::http::HeaderMap;

use crate::error::ErrorKind;
use crate::http::quota::{is_quota, is_rate_limit};
use crate::http::request::{date, text};

/// What kind of error an answer with this status is, by what the service `said`.
pub fn status_kind(status: u16, said: &str, retry_after: Option<Duration>) -> ErrorKind {
    match status {
        429 => ErrorKind::RateLimited { retry_after },
        // Nova says 403 for its own quotas and for Neutron's ports alike, before 2014 it was 413; Neutron says 409.
        400 | 402 | 403 | 409 | 413 | 422 if is_quota(said) => ErrorKind::Quota,
        403 | 413 if is_rate_limit(said) => ErrorKind::RateLimited { retry_after },
        413 if retry_after.is_some() => ErrorKind::RateLimited { retry_after },
        300..=499 => ErrorKind::Refused(status),
        _ => ErrorKind::Unclear,
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3); a date counts from the service's own clock.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, "retry-after")?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(date(headers)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_services_own_clock() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert("retry-after", "17".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(17)));
        headers.insert("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        headers.insert("date", "Sun, 06 Nov 1994 08:49:27 GMT".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(10)));
        headers.insert("retry-after", "soon".parse().unwrap());
        assert_eq!(retry_after(&headers), None, "nonsense is no pause");
    }

    #[test]
    fn a_quota_is_told_from_a_missing_right() {
        let quota = "Quota exceeded for instances: Requested 1, but already used 4 of 4 instances";
        assert_eq!(status_kind(403, quota, None), ErrorKind::Quota);
        assert_eq!(status_kind(403, "Maximum number of ports exceeded", None), ErrorKind::Quota);
        let limit = "Project 0c28 is over a limit for [servers]";
        assert_eq!(status_kind(403, limit, None), ErrorKind::Quota);
        assert_eq!(status_kind(413, limit, None), ErrorKind::Quota);
        let neutron = "Quota exceeded for resources: ['port'].";
        assert_eq!(status_kind(409, neutron, None), ErrorKind::Quota);
        let pace = "Rate limit exceeded";
        assert_eq!(status_kind(403, pace, None), ErrorKind::RateLimited { retry_after: None });
        let policy = "Policy doesn't allow os_compute_api:servers:create to be performed.";
        assert_eq!(status_kind(403, policy, None), ErrorKind::Refused(403));
        assert_eq!(status_kind(500, quota, None), ErrorKind::Unclear);
    }
}
