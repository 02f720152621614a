//! Bodies that are not plain UTF-8: what is skipped, and what the rest is called.

use ureq::http::HeaderMap;

/// What is sent as `Accept-Encoding`: nothing here can unpack.
pub const ASKED: &str = "identity";

/// The codings that change a body (RFC 9110, section 8.4.1). Others are seen in the wild on plain ones ("utf-8", "none").
const CODINGS: [&str; 7] = ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"];

/// What a body should have been, when its header says that it is compressed.
pub fn compressed(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all("content-encoding").iter().filter_map(|value| value.to_str().ok());
    let coding = values
        .flat_map(|value| value.split(','))
        .map(|coding| coding.trim().to_ascii_lowercase())
        .find(|coding| CODINGS.contains(&coding.as_str()))?;
    Some(format!(
        "the answer is compressed ({coding}), although \"Accept-Encoding: {ASKED}\" was sent"
    ))
}

/// A body without the byte order mark that Windows' editors and .NET put before it.
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// What a body is, when its bytes are no UTF-8 text.
pub fn no_text(body: &[u8]) -> Option<&'static str> {
    match body {
        [0x1f, 0x8b, ..] => Some("it is compressed (gzip)"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("it is compressed (zstd)"),
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("it is UTF-32, not UTF-8"),
        // JSON begins with two ASCII characters, so a zero is half of one.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => {
            Some("it is UTF-16, not UTF-8")
        }
        _ if std::str::from_utf8(body).is_err() => Some("it is not UTF-8"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_told_from_words_that_mean_nothing() {
        for (value, expected) in [
            ("gzip", Some("gzip")),
            ("GZIP", Some("gzip")),
            ("x-gzip", Some("x-gzip")),
            ("identity, br", Some("br")),
            ("deflate", Some("deflate")),
            ("zstd", Some("zstd")),
            ("identity", None),
            ("", None),
            ("utf-8", None),
            ("none", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("content-encoding", value.parse().unwrap());
            let told = compressed(&headers);
            assert_eq!(told.is_some(), expected.is_some(), "{value}");
            if let (Some(told), Some(expected)) = (told, expected) {
                assert!(
                    told.starts_with(&format!("the answer is compressed ({expected})")),
                    "{told}"
                );
            }
        }
        assert_eq!(compressed(&HeaderMap::new()), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_called_by_name() {
        for (body, expected) in [
            (&b"\x1f\x8b\x08\x00abc"[..], Some("it is compressed (gzip)")),
            (b"\x28\xb5\x2f\xfd\x00", Some("it is compressed (zstd)")),
            (b"\xff\xfe{\0}\0", Some("it is UTF-16, not UTF-8")),
            (b"\xfe\xff\0{\0}", Some("it is UTF-16, not UTF-8")),
            (b"{\0}\0", Some("it is UTF-16, not UTF-8")),
            (b"\0{\0}", Some("it is UTF-16, not UTF-8")),
            (b"\xff\xfe\0\0{\0\0\0}\0\0\0", Some("it is UTF-32, not UTF-8")),
            (b"{\"name\": \"caf\xe9\"}", Some("it is not UTF-8")),
            ("{\"name\": \"café\"}".as_bytes(), None),
            (b"", None),
            (b"{", None),
        ] {
            assert_eq!(no_text(body), expected, "{body:?}");
        }
    }

    #[test]
    fn one_mark_is_skipped() {
        assert_eq!(without_mark("\u{feff}{}".as_bytes()), b"{}");
        assert_eq!(without_mark(b"{}"), b"{}");
        assert_eq!(without_mark(b""), b"");
    }
}
