//! What to do about failures whose own words do not say it: rustls', a server's that was spoken to in the wrong protocol,
//! Keystone's.

use std::time::{Duration, UNIX_EPOCH};

use ureq::http::HeaderMap;

/// How rustls begins what it has against a certificate.
pub const CERTIFICATE: &str = "invalid peer certificate: ";

/// Nothing in common, or nothing that may be: the server ends the handshake.
const REFUSED_HANDSHAKE: [&str; 7] = [
    "received fatal alert: HandshakeFailure",
    "received fatal alert: ProtocolVersion",
    "received fatal alert: InsufficientSecurity",
    "received fatal alert: CertificateRequired",
    "received fatal alert: BadCertificate",
    "received fatal alert: UnrecognisedName",
    "peer is incompatible: ",
];

/// Whether rustls says that no connection came about: nothing was asked yet. (A server that speaks TLS 1.3 refuses a
/// client without a certificate only afterwards, and reads no question before.)
pub fn refused_handshake(words: &str) -> bool {
    words.starts_with(CERTIFICATE) || REFUSED_HANDSHAKE.iter().any(|alert| words.starts_with(alert))
}

/// rustls' words, with a date instead of seconds since 1970.
pub fn dated(words: &str) -> String {
    let expired = after(words, "but certificate is not valid after ");
    let early = after(words, "but certificate is not valid before ");
    match (expired, early) {
        (Some(end), _) => format!("{CERTIFICATE}it expired at {end}"),
        (None, Some(begin)) => format!("{CERTIFICATE}it is not valid before {begin}"),
        (None, None) => words.to_owned(),
    }
}

fn after(words: &str, lead: &str) -> Option<String> {
    let (_, rest) = words.split_once(lead)?;
    let seconds: u64 = rest.split_ascii_whitespace().next()?.parse().ok()?;
    // httpdate panics beyond the year 9999.
    let time = (seconds < 253_402_300_800).then(|| UNIX_EPOCH + Duration::from_secs(seconds))?;
    Some(httpdate::fmt_http_date(time))
}

/// What to do about a failure, in brackets, or nothing. `why` is what is told of it, `cacert` the setting that names
/// authorities.
pub fn remedy(why: &str, url: &str, cacert: &str) -> String {
    let https = url.starts_with("https://");
    let known = |parts: &[&str]| parts.iter().any(|part| why.contains(part));
    let text = if known(&["CaUsedAsEndEntity"]) {
        // Whether it is trusted or not.
        format!(
            "the certificate is an authority's own (CA:TRUE), which no server may show: give it one with CA:FALSE, \
             signed by that authority, and name the authority in {cacert}"
        )
    } else if known(&["UnsupportedCertVersion"]) {
        "the certificate is of version 1 or 2: make one of version 3, with subjectAltName"
            .to_owned()
    } else if known(&["certificate: UnknownIssuer"]) {
        format!("set {cacert} to the file of the authority that signed it")
    } else if known(&["not valid for any names"]) {
        "make a certificate with a subjectAltName: a name in its subject does not count".to_owned()
    } else if known(&["certificate not valid for name", "certificate: NotValidForName"]) {
        "use a name that is in the certificate, or have this one added to it".to_owned()
    } else if known(&["certificate: it expired", "certificate: Expired"]) {
        "renew it, if this machine's clock is right".to_owned()
    } else if known(&["certificate: it is not valid before", "certificate: NotValidYet"]) {
        "is this machine's clock right?".to_owned()
    } else if known(&["does not allow extended key usage", "InvalidPurpose"]) {
        "make a certificate whose extendedKeyUsage has serverAuth".to_owned()
    } else if known(&[
        "alert: CertificateRequired",
        // Before TLS 1.3: of a client that shows none.
        "alert: BadCertificate",
        // nginx lets the handshake pass.
        "No required SSL certificate was sent",
    ]) {
        "the server wants a client certificate that it knows: set OS_CERT and OS_KEY".to_owned()
    } else if known(&[
        "alert: HandshakeFailure",
        "alert: ProtocolVersion",
        "alert: InsufficientSecurity",
    ]) || known(&["peer is incompatible"])
    {
        "no TLS version or cipher in common: the server has to speak TLS 1.3, or 1.2 with ECDHE and AES-GCM or \
         ChaCha20; or it wants a client certificate (OS_CERT)"
            .to_owned()
    } else if known(&["alert: UnrecognisedName"]) {
        "the server does not know the host name of this URL".to_owned()
    } else if https && known(&["InvalidContentType"]) {
        "does this port speak https? it answers without TLS".to_owned()
    } else if !https && speaks_tls(why) {
        "this port speaks https: write https:// in its address".to_owned()
    } else if !https && known(&["the answer is not HTTP"]) {
        "does this port speak https?".to_owned()
    } else {
        return String::new();
    };
    format!(" ({text})")
}

/// nginx, Apache, Go and Python's servers, each in its own words, to HTTP on a port for TLS.
fn speaks_tls(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    [
        "plain http request was sent to https",
        "plain http to an ssl-enabled",
        "http request to an https server",
    ]
    .iter()
    .any(|words| said.contains(words))
}

/// Where a redirect leads, for it is not followed: the token would be sent along.
pub fn redirected(status: u16, location: Option<&str>) -> String {
    match (status, location.filter(|location| !location.trim().is_empty())) {
        (304, _) => {
            " (\"not modified\", although nobody asked for that: is there a cache in between?)"
                .to_owned()
        }
        (_, Some(location)) => {
            let location = location.split(['?', '#']).next().unwrap_or_default();
            let location = crate::error::one_line(&super::shown(location), 160);
            format!(
                " (it redirects to {location}, which is not followed: put the right address into OS_AUTH_URL or the catalog)"
            )
        }
        // A choice of versions, mostly.
        (300, None) => String::new(),
        (_, None) => " (a redirect that does not say where)".to_owned(),
    }
}

/// How the advice about a second factor begins.
pub const SECOND_FACTOR: &str = "this user needs a second factor";

/// What Keystone means by a 401 that is none of a wrong password ("Multi-Factor Authentication").
pub fn second_factor(headers: &HeaderMap, said: &str) -> String {
    let asked = headers.contains_key("openstack-auth-receipt")
        || said.to_ascii_lowercase().contains("additional authentications steps required");
    if asked {
        format!(
            " ({SECOND_FACTOR}, which no program can give: use an application credential, \
             OS_APPLICATION_CREDENTIAL_ID and OS_APPLICATION_CREDENTIAL_SECRET)"
        )
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(why: &str, url: &str, part: &str) {
        let told = remedy(why, url, "OS_CACERT");
        assert!(
            told.contains(part) && told.is_empty() == part.is_empty(),
            "{why} at {url}: {told}"
        );
    }

    #[test]
    fn what_rustls_says_is_followed_by_what_to_do() {
        let certificate = |why: &str, part: &str| {
            check(&format!("TLS: {CERTIFICATE}{why}"), "https://cloud/v3", part);
        };
        certificate("Other(OtherError(CaUsedAsEndEntity))", "CA:FALSE");
        certificate("Other(OtherError(UnsupportedCertVersion))", "version 3");
        certificate("UnknownIssuer", "set OS_CACERT to the file");
        certificate(
            "certificate not valid for name \"a\"; certificate is only valid for b",
            "use a name",
        );
        certificate(
            "certificate not valid for name \"a\"; certificate is not valid for any names (according to",
            "subjectAltName",
        );
        certificate("NotValidForName", "use a name");
        certificate("it expired at Sun, 06 Nov 1994 08:49:37 GMT", "renew it");
        certificate("it is not valid before Sun, 06 Nov 1994 08:49:37 GMT", "clock");
        certificate("certificate does not allow extended key usage for server", "serverAuth");
        certificate("BadSignature", "");
        let alert = |why: &str, part: &str| {
            check(&format!("TLS: received fatal alert: {why}"), "https://cloud/v3", part);
        };
        alert("HandshakeFailure", "TLS 1.3");
        alert("ProtocolVersion", "TLS 1.3");
        alert("InsufficientSecurity", "TLS 1.3");
        alert("CertificateRequired", "client certificate");
        alert("BadCertificate", "client certificate");
        alert("UnrecognisedName", "host name");
        alert("InternalError", "");
        check("TLS: peer is incompatible: NoCipherSuitesInCommon", "https://cloud", "TLS 1.3");
    }

    #[test]
    fn http_and_tls_on_each_others_ports_are_told() {
        let corrupt = "TLS: received corrupt message of type InvalidContentType";
        check(corrupt, "https://cloud", "does this port speak https?");
        check(
            "the answer is not HTTP, or ends too early",
            "http://cloud",
            "does this port speak https?",
        );
        check("the answer is not HTTP, or ends too early", "https://cloud", "");
        for said in [
            "400 The plain HTTP request was sent to HTTPS port 400 Bad Request nginx",
            "Reason: You're speaking plain HTTP to an SSL-enabled server port.",
            "Client sent an HTTP request to an HTTPS server.",
        ] {
            check(said, "http://cloud", "write https://");
            check(said, "https://cloud", "");
        }
        check("connection refused", "http://cloud", "");
        let nginx = "400 No required SSL certificate was sent 400 Bad Request nginx";
        check(nginx, "https://cloud", "client certificate");
    }

    #[test]
    fn a_date_stands_where_rustls_counts_seconds() {
        let text = "invalid peer certificate: certificate expired: verification time 1700000000 (UNIX), but certificate \
                    is not valid after 1600000000 (100000000 seconds ago)";
        let expired = "invalid peer certificate: it expired at Sun, 13 Sep 2020 12:26:40 GMT";
        assert_eq!(dated(text), expired);
        let text = "invalid peer certificate: certificate not valid yet: verification time 1500000000 (UNIX), but \
                    certificate is not valid before 1600000000 (100000000 seconds in future)";
        assert_eq!(
            dated(text),
            "invalid peer certificate: it is not valid before Sun, 13 Sep 2020 12:26:40 GMT"
        );
        for same in [
            "invalid peer certificate: UnknownIssuer",
            "but certificate is not valid after 99999999999999999999 (x)",
            "but certificate is not valid after 999999999999 (x)",
            "but certificate is not valid after ",
        ] {
            assert_eq!(dated(same), same);
        }
    }

    #[test]
    fn a_redirect_says_where_it_leads_without_what_may_be_secret() {
        let told = redirected(302, Some("https://ann:pw@login.example.org/start?token=s3cret"));
        assert!(told.contains("redirects to https://login.example.org/start,"), "{told}");
        assert!(!told.contains("pw") && !told.contains("s3cret"), "{told}");
        assert!(redirected(301, Some("/v3/")).contains("redirects to /v3/,"));
        assert!(redirected(301, None).contains("does not say where"));
        assert!(redirected(307, None).contains("does not say where"));
        assert!(redirected(302, Some(" ")).contains("does not say where"));
        assert_eq!(redirected(300, None), "");
        assert!(
            redirected(308, Some("https://[fd10::1]:5000/v3"))
                .contains("https://[fd10::1]:5000/v3,")
        );
        assert!(redirected(304, None).contains("not modified"));
    }

    #[test]
    fn a_second_factor_is_told_from_a_wrong_password() {
        let mut headers = HeaderMap::new();
        let wrong = "The request you have made requires authentication.";
        for said in ["", wrong, "Unauthorized", "Additional steps"] {
            assert_eq!(second_factor(&headers, said), "", "{said}");
        }
        let asked = second_factor(&headers, "Additional authentications steps required.");
        assert!(asked.contains("use an application credential"), "{asked}");
        headers.insert("openstack-auth-receipt", "gAAAA".parse().unwrap());
        assert_eq!(second_factor(&headers, ""), asked);
        assert_eq!(second_factor(&headers, wrong), asked);
    }
}
