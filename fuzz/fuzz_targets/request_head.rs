//! The head of a request to the status port: any stranger's bytes, in any pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simplescalevm::status::gate::head::{Request, end, parse};
use simplescalevm::status::question::Question;

/// As many bytes as ever come to be read.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// What is added to a head of our own making: a host, the connection's life, the separators of one `Accept`.
const ADDED_BYTES_MAX: usize = 64;

fuzz_target!(|input: &[u8]| {
    let input = input.get(..HEAD_BYTES_MAX).unwrap_or(input);
    let whole = end(input, 0);
    for pieces in [1, 2, 3, 7] {
        assert_eq!(end_of_pieces(input, input.len() / pieces + 1), whole, "in {pieces} pieces");
    }
    let Some(end) = whole else { return };
    let (head, rest) = input.split_at(end);
    match parse(head, !rest.is_empty()) {
        Ok(request) => is_plain(head, !rest.is_empty(), &request),
        Err(refusal) => assert!(matches!(refusal.status, 400 | 505), "{refusal:?}"),
    }
});

/// As the gate reads: what has come so far is looked at after each piece.
fn end_of_pieces(input: &[u8], piece: usize) -> Option<usize> {
    let mut read = 0;
    while read < input.len() {
        let before = read;
        read = (read + piece).min(input.len());
        if let Some(end) = end(&input[..read], before) {
            return Some(end);
        }
    }
    None
}

/// What goes further is short, plain, and the same to everybody who reads it.
fn is_plain(head: &[u8], more: bool, request: &Request) {
    let bytes = request.to_bytes();
    assert!(
        bytes.len() <= head.len() + ADDED_BYTES_MAX,
        "{} bytes became {}",
        head.len(),
        bytes.len()
    );
    let text = str::from_utf8(&bytes).expect("plain text");
    let lines = text.strip_suffix("\r\n\r\n").expect("an empty line at the end");
    let lines: Vec<&str> = lines.split("\r\n").collect();
    assert!(
        text.is_ascii() && !lines.iter().any(|line| line.contains(|c: char| c.is_control())),
        "{text:?}"
    );
    assert_eq!(&lines[1..3], ["Host: status", "Connection: keep-alive"], "{text:?}");
    assert!(
        lines.len() <= 4 && lines.get(3).is_none_or(|line| line.starts_with("Accept: ")),
        "{text:?}"
    );
    assert_eq!(parse(&bytes, false).as_ref(), Ok(request), "it is not let through again: {text:?}");
    let mut words = lines[0].split(' ');
    let (method, target) = (words.next().expect("a method"), words.next().expect("a target"));
    assert!(target.starts_with('/') || target == "*", "{text:?}");
    let accept = lines.get(3).map_or("", |line| &line[8..]);
    if matches!(method, "GET" | "HEAD") {
        assert!(!more, "there is more than a head");
        another_reader_agrees(head, method);
    }
    let question = Question::new(target, accept);
    let _ = question.prefers_html();
    assert!(question.parameter("filter").len() <= 3 * target.len(), "{target}");
}

/// Nothing that another reader would take for a body, or for another request.
fn another_reader_agrees(head: &[u8], method: &str) {
    let mut fields = vec![httparse::EMPTY_HEADER; head.len() / 3];
    let mut other = httparse::Request::new(&mut fields);
    // It knows no version but ours and refuses some that we let through: only what both let through is compared.
    let Ok(status) = other.parse(head) else { return };
    assert_eq!(status, httparse::Status::Complete(head.len()), "its end is elsewhere");
    assert_eq!(other.method, Some(method));
    for field in other.headers.iter() {
        assert!(!field.name.eq_ignore_ascii_case("transfer-encoding"), "a body: {field:?}");
        let length = field.name.eq_ignore_ascii_case("content-length");
        assert!(!length || field.value == b"0", "a body: {field:?}");
    }
}
