//! The head of a request: what is let through, and what is refused and why. Pure.

/// A request as it is handed on: nothing else of what the client sent goes any further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD` or whatever else, in letters.
    method: String,
    /// The path and the query, beginning with `/`.
    target: String,
    /// `HTTP/1.0` or `HTTP/1.1`.
    version: &'static str,
    /// What the client would like to read; `None` when it did not say, or at such length that it is not worth reading.
    accept: Option<String>,
}

impl Request {
    /// A head of our own making, for one request without a body; others follow it on the same connection.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Request { method, target, version, accept } = self;
        let mut head =
            format!("{method} {target} {version}\r\nHost: status\r\nConnection: keep-alive\r\n");
        if let Some(accept) = accept {
            head = head + "Accept: " + accept + "\r\n";
        }
        (head + "\r\n").into_bytes()
    }
}

/// Why a request goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Why, in words.
    pub why: &'static str,
}

/// The longest `Accept` that is handed on; browsers send some 130.
const ACCEPT_BYTES_MAX: usize = 512;

/// The longest method that is worth an answer of its own.
const METHOD_CHARACTERS_MAX: usize = 20;

/// Where the head ends, looking from `from` on: behind the first empty line.
pub fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let from = from.saturating_sub(3);
    let rest = bytes.get(from..)?;
    let crlf = rest.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
    let lf = rest.windows(2).position(|two| two == b"\n\n").map(|at| at + 2);
    Some(from + crlf.into_iter().chain(lf).min()?)
}

/// Reads a whole head, with the empty line; `more` tells whether the client has sent more than that.
///
/// Whatever two readers could understand differently is refused (RFC 9112, section 11.2), and so is a body. Requests of
/// other methods are let through without theirs: they are told what is allowed, and the connection is closed.
pub fn parse(head: &[u8], more: bool) -> Result<Request, Refusal> {
    const MALFORMED: Refusal = Refusal { status: 400, why: "malformed request" };
    let text = head.strip_suffix(b"\r\n\r\n").ok_or(MALFORMED)?;
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        let (line, tail) = rest.split_at(at);
        lines.push(line);
        rest = tail.get(2..).unwrap_or_default();
    }
    lines.push(rest);
    if lines.iter().any(|line| line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')) {
        return Err(MALFORMED);
    }
    let (first, fields) = lines.split_first().ok_or(MALFORMED)?;
    let mut request = request_line(first).ok_or(MALFORMED)??;
    let mut body = more;
    let mut accept = Vec::new();
    for field in fields {
        let (name, value) = field_line(field).ok_or(MALFORMED)?;
        if name.eq_ignore_ascii_case("accept") && !value.is_empty() {
            accept.push(value);
        }
        body |= name.eq_ignore_ascii_case("transfer-encoding");
        body |= name.eq_ignore_ascii_case("content-length") && value != b"0";
    }
    if body && matches!(request.method.as_str(), "GET" | "HEAD") {
        return Err(Refusal { status: 400, why: "one request without a body, please" });
    }
    request.accept = accepted(&accept);
    Ok(request)
}

/// Several `Accept` fields are one list (RFC 9110, section 5.3). One that is no plain text or too long counts as none.
fn accepted(values: &[&[u8]]) -> Option<String> {
    let list = values.join(&b", "[..]);
    let plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    if list.is_empty() || list.len() > ACCEPT_BYTES_MAX || !list.iter().all(plain) {
        return None;
    }
    String::from_utf8(list).ok()
}

fn request_line(line: &[u8]) -> Option<Result<Request, Refusal>> {
    let line = str::from_utf8(line).ok()?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let plain = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
    let is_method = method.len() <= METHOD_CHARACTERS_MAX
        && method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    if words.next().is_some() || !plain(method) || !is_method || !plain(target) {
        return None;
    }
    let version = match version {
        "HTTP/1.0" => "HTTP/1.0",
        "HTTP/1.1" => "HTTP/1.1",
        other if other.starts_with("HTTP/") => {
            return Some(Err(Refusal { status: 505, why: "HTTP/1.1 only" }));
        }
        _ => return None,
    };
    Some(Ok(Request { method: method.to_owned(), target: path(target), version, accept: None }))
}

/// The path of a target in origin form, or in absolute form as a proxy would send it.
fn path(target: &str) -> String {
    if target.starts_with('/') {
        return target.to_owned();
    }
    if let Some((_, rest)) = target.split_once("://") {
        return rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned();
    }
    // `OPTIONS *` and `CONNECT host:port` name no path; they are not allowed on any.
    "*".to_owned()
}

fn field_line(line: &[u8]) -> Option<(&str, &[u8])> {
    let at = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(at);
    let name = str::from_utf8(name).ok()?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return None;
    }
    Some((name, value.get(1..).unwrap_or_default().trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn passes(head: &str, handed_on: &str) {
        let request = parse(head.as_bytes(), false).unwrap_or_else(|refusal| {
            panic!("{head:?} is refused: {refusal:?}");
        });
        let bytes = String::from_utf8(request.to_bytes()).unwrap();
        let end = "\r\nHost: status\r\nConnection: keep-alive\r\n\r\n";
        assert_eq!(bytes, format!("{handed_on}{end}"), "of {head:?}");
    }

    #[track_caller]
    fn refused(head: &str, more: bool, status: u16) {
        match parse(head.as_bytes(), more) {
            Ok(request) => panic!("{head:?} is let through as {request:?}"),
            Err(refusal) => assert_eq!(refusal.status, status, "{head:?}: {}", refusal.why),
        }
    }

    #[test]
    fn what_the_client_would_like_to_read_goes_further_when_it_is_short_and_plain() {
        let accepts = |field: &str| {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n");
            parse(head.as_bytes(), false).map(|request| request.accept)
        };
        let html = Some("text/html".to_owned());
        assert_eq!(accepts("aCCept:  text/html \r\n"), Ok(html));
        let both = Some("text/html, */*;q=0.8".to_owned());
        assert_eq!(accepts("Accept: text/html\r\nAccept: */*;q=0.8\r\n"), Ok(both));
        assert_eq!(accepts("Accept: */*;q=0.8\r\nAccept:\r\n"), Ok(Some("*/*;q=0.8".to_owned())));
        assert_eq!(accepts(&format!("Accept: {}\r\n", "a".repeat(513))), Ok(None));
        assert_eq!(accepts("Accept: text/h\u{e4}ml\r\n"), Ok(None));
        assert_eq!(accepts("Accept: text/html\tand more\r\n"), Ok(None));
        assert_eq!(accepts("Accept:\r\n"), Ok(None));
        let request = parse(b"GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n", false).unwrap();
        let handed_on = String::from_utf8(request.to_bytes()).unwrap();
        assert!(handed_on.ends_with("\r\nAccept: text/html\r\n\r\n"), "{handed_on:?}");
    }

    #[test]
    fn nothing_else_of_the_request_goes_further() {
        passes("GET / HTTP/1.1\r\nHost: a\r\nX-Any: \u{e4}\r\n\r\n", "GET / HTTP/1.1");
        passes("HEAD /livez?a=b HTTP/1.0\r\n\r\n", "HEAD /livez?a=b HTTP/1.0");
        passes("GET http://host:8000/livez HTTP/1.1\r\n\r\n", "GET /livez HTTP/1.1");
        passes("GET http://host HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "GET / HTTP/1.1");
    }

    #[test]
    fn other_methods_are_let_through_without_their_body_to_be_told_what_is_allowed() {
        passes("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "POST / HTTP/1.1");
        passes("OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1");
        passes("CONNECT a:1 HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n", "CONNECT * HTTP/1.1");
    }

    #[test]
    fn a_body_is_refused_however_it_is_announced() {
        refused("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", false, 400);
        refused("GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", false, 400);
        refused("GET / HTTP/1.1\r\ntransfer-ENCODING:xchunked\r\n\r\n", false, 400);
        refused("GET / HTTP/1.1\r\n\r\n", true, 400);
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        refused("GET / HTTP/1.1\r\nA: b\r\n folded: c\r\n\r\n", false, 400);
        refused("GET / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n", false, 400);
        refused("GET / HTTP/1.1\r\nA: b\nContent-Length: 5\r\n\r\n", false, 400);
        refused("GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", false, 400);
        refused("GET / HTTP/1.1\r\nno colon\r\n\r\n", false, 400);
        refused("GET / HTTP/1.1\r\n: no name\r\n\r\n", false, 400);
        refused("GET / HTTP/1.1\n\n", false, 400);
        refused("GET  / HTTP/1.1\r\n\r\n", false, 400);
        refused("GET /\0 HTTP/1.1\r\n\r\n", false, 400);
        refused("GET /\u{e4} HTTP/1.1\r\n\r\n", false, 400);
        refused("GET /\r\n\r\n", false, 400);
        refused("\r\n\r\n", false, 400);
        refused("\x16\x03\x01\r\n\r\n", false, 400);
        refused("GET / HTTP/2.0\r\n\r\n", false, 505);
    }

    #[test]
    fn the_end_of_a_head_is_found_across_reads() {
        let bytes = b"GET / HTTP/1.1\r\n\r\nmore";
        assert_eq!(end(bytes.get(..16).unwrap(), 0), None);
        assert_eq!(end(bytes, 16), Some(18), "the end began in the bytes before");
        assert_eq!(end(b"GET / HTTP/1.0\n\n", 0), Some(16));
    }
}
