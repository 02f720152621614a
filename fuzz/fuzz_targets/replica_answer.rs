//! What a replica says of itself: any stranger's bytes.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use simplescalevm::probe::read;
use simplescalevm::settings::ProbeSettings;
use simplescalevm_fuzz::assert_one_line;

fuzz_target!(|body: &[u8]| {
    let json = serde_json::from_slice::<Value>(body).ok();
    for (capacity_key, termination_key) in
        [("capacity", "termination"), ("/capacity", "/termination"), ("/a/0", "/a/1")]
    {
        let find = |key: &str| {
            let json = json.as_ref().filter(|json| json.is_object())?;
            if key.starts_with('/') { json.pointer(key) } else { json.get(key) }
        };
        let (capacity, termination) = (find(capacity_key), find(termination_key));
        match read(&settings(capacity_key, termination_key), body) {
            Ok(answer) => is_what_was_said(answer, capacity, termination),
            Err(why) => {
                assert_one_line(&why);
                let plain = capacity.is_some_and(Value::is_u64)
                    && termination.is_some_and(Value::is_boolean);
                assert!(!plain, "a plain answer is refused: {why}");
            }
        }
    }
});

/// `serde_json` is asked again: an answer that was taken says just that.
fn is_what_was_said(
    (capacity, termination): (u64, bool),
    capacity_said: Option<&Value>,
    termination_said: Option<&Value>,
) {
    let said = capacity_said.expect("there is a capacity");
    #[expect(
        clippy::cast_precision_loss,
        reason = "a whole number that was no u64 is at most 2^53"
    )]
    let same =
        said.as_u64().map_or(said.as_f64() == Some(capacity as f64), |said| said == capacity);
    assert!(same, "capacity {said} is read as {capacity}");
    let said = termination_said.expect("there is a termination");
    let number = if termination { 1.0 } else { 0.0 };
    let same = said.as_bool().map_or(said.as_f64() == Some(number), |said| said == termination);
    assert!(same, "termination {said} is read as {termination}");
}

fn settings(capacity_key: &str, termination_key: &str) -> ProbeSettings {
    ProbeSettings {
        https: false,
        port: 8080,
        path: "/".to_owned(),
        capacity_key: capacity_key.to_owned(),
        termination_key: termination_key.to_owned(),
        timeout: Duration::from_secs(1),
        retries: 0,
        concurrency: 1,
        cacert: None,
        insecure: false,
    }
}
