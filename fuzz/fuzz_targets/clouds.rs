//! A clouds file, as whoever wrote it by hand, or with malice, would have it.

#![no_main]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use libfuzzer_sys::{Corpus, fuzz_target};
use simplescalevm::config::clouds::read::read;
use simplescalevm::config::clouds::{load, without_losers};
use simplescalevm_fuzz::assert_one_line;

/// Is in whatever is secret, and so in nothing that is said.
const SECRET: &str = "hunter2";

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = str::from_utf8(input) else { return Corpus::Reject };
    for section in ["clouds", "public-clouds"] {
        if let Err(fault) = read(text, section, "c") {
            assert!(!fault.text.contains(SECRET), "a secret is shown: {}", fault.text);
            assert_one_line(&fault.text);
        }
    }
    let variables =
        [("OS_CLOUD", "c"), ("OS_REGION_NAME", "R2"), ("OS_PASSWORD", "x"), ("HOME", "/h")];
    let environment: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    // Each kind of file has the same text, and one of them what is before the first form feed.
    let (first, rest) = text.split_once('\u{c}').unwrap_or((text, text));
    let read_file = |path: &Path| -> io::Result<String> {
        match path.file_name().and_then(|name| name.to_str()) {
            Some("clouds.yaml") => Ok(first.to_owned()),
            Some("secure.yaml" | "clouds-public.yaml") => Ok(rest.to_owned()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    };
    match load(&environment, &read_file) {
        Some(Ok(file)) => {
            assert!(!file.values.values().any(|value| value.value.is_empty()), "an empty value");
            let (_, lost) = without_losers(&environment, &file);
            lost.iter().chain(&file.warnings).for_each(|warning| assert_one_line(warning));
        }
        Some(Err(fault)) => {
            assert!(fault.starts_with("OS_CLOUD "), "names no setting: {fault}");
            assert_one_line(&fault);
        }
        None => panic!("OS_CLOUD is set"),
    }
    Corpus::Keep
});
