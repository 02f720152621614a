//! Asking replicas for their status over HTTP, all at once, and reading what they say.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;

use crate::clock::Clock;
use crate::error::{Result, one_line};
use crate::handles::Handles;
use crate::http::{NoAnswer, ReplicaClient, no_text, without_mark};
use crate::metrics::ProbeFailure;
use crate::model::{Answer, ServerId};
use crate::questions::Questions;
use crate::settings::ProbeSettings;
use crate::workers;

/// Between two questions to the same silent replica within a pass.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(1);

/// How long a host may take to accept a connection when there is no time to wait for one that is gone.
const CONNECT_ONCE: Duration = Duration::from_millis(500);

/// One replica to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The replica.
    pub id: ServerId,
    /// Where.
    pub address: IpAddr,
    /// Whether it is asked again when it is silent; one that is still booting is not.
    pub again: bool,
}

/// Who asks replicas.
pub trait Ask {
    /// Asks every target once, and the silent ones again as long as `time_left` says so.
    fn ask_all(
        &self,
        targets: &[Target],
        time_left: &dyn Fn() -> bool,
    ) -> BTreeMap<ServerId, Answer>;

    /// Asks every target once, and waits for no host that is gone: for who is in a hurry.
    fn ask_once(&self, targets: &[Target]) -> BTreeMap<ServerId, Answer> {
        self.ask_all(targets, &|| false)
    }
}

/// Asks replicas over HTTP.
pub struct Prober {
    client: ReplicaClient,
    hurried: ReplicaClient,
    settings: ProbeSettings,
    clock: Clock,
    handles: Handles,
}

impl Ask for Prober {
    fn ask_all(
        &self,
        targets: &[Target],
        time_left: &dyn Fn() -> bool,
    ) -> BTreeMap<ServerId, Answer> {
        let mut answers = self.ask_round(&self.client, targets);
        for _ in 0..self.settings.retries {
            // Those that were not asked come first, before the silent take up again what was wanting for them.
            let unasked = |target: &&Target| answers.get(&target.id) == Some(&Answer::Unasked);
            let silent = |target: &&Target| {
                target.again && matches!(answers.get(&target.id), Some(Answer::None { .. }))
            };
            let unasked = targets.iter().filter(unasked);
            let silent: Vec<Target> =
                unasked.chain(targets.iter().filter(silent)).cloned().collect();
            if silent.is_empty() || !time_left() || self.handles.stop.wait(BETWEEN_ROUNDS) {
                break;
            }
            for (id, answer) in self.ask_round(&self.client, &silent) {
                if answer != Answer::Unasked {
                    answers.insert(id, answer);
                }
            }
        }
        answers
    }

    fn ask_once(&self, targets: &[Target]) -> BTreeMap<ServerId, Answer> {
        self.ask_round(&self.hurried, targets)
    }
}

impl Prober {
    /// A prober; an unreadable `REPLICA_API_CACERT` is an error.
    pub fn new(settings: ProbeSettings, clock: Clock, handles: Handles) -> Result<Self> {
        let client = ReplicaClient::new(&settings)?;
        let hurried = ReplicaClient::impatient(&settings, CONNECT_ONCE)?;
        Ok(Prober { client, hurried, settings, clock, handles })
    }

    fn ask_round(&self, client: &ReplicaClient, targets: &[Target]) -> BTreeMap<ServerId, Answer> {
        let ask = |target: &Target| {
            if self.handles.stop.requested() { Answer::Unasked } else { self.ask(client, target) }
        };
        // A system out of threads makes the pass slower, not blind: then the loop's own thread asks.
        let answers = workers::each(targets, self.settings.concurrency, ask);
        let of_target = |(place, answer): (usize, Answer)| {
            targets.get(place).map(|target| (target.id.clone(), answer))
        };
        answers.into_iter().filter_map(of_target).collect()
    }

    fn ask(&self, client: &ReplicaClient, target: &Target) -> Answer {
        let asker = Asker {
            client,
            settings: &self.settings,
            clock: self.clock,
            questions: &self.handles.questions,
        };
        let (answer, failure) = asker.ask(&target.id, target.address);
        if answer != Answer::Unasked {
            self.handles.progress.mark();
        }
        if let Some(reason) = failure {
            self.handles.metrics.probe_failure(reason);
        }
        answer
    }
}

/// What it takes to ask one replica, and to remember what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Who asks.
    pub client: &'a ReplicaClient,
    /// Where and what.
    pub settings: &'a ProbeSettings,
    /// Tells how long it took.
    pub clock: Clock,
    /// What people are shown.
    pub questions: &'a Questions,
}

impl Asker<'_> {
    /// One question to a replica; what came of it, and of what kind a failure is.
    pub fn ask(&self, id: &ServerId, address: IpAddr) -> (Answer, Option<ProbeFailure>) {
        let began = self.clock.now();
        let Asked { answer, failure, status } = ask(self.client, self.settings, address);
        let ended = self.clock.now();
        let lasted = ended.elapsed.saturating_sub(began.elapsed);
        self.questions.ended(id, ended, lasted, &answer, status);
        (answer, failure)
    }
}

struct Asked {
    answer: Answer,
    failure: Option<ProbeFailure>,
    /// The HTTP status, when one came.
    status: Option<u16>,
}

fn ask(client: &ReplicaClient, settings: &ProbeSettings, address: IpAddr) -> Asked {
    let url = url(settings, address);
    let got = client.get(&url);
    let status = got.as_ref().ok().map(|(status, _)| *status);
    let result = match got {
        Ok((200..=299, body)) => read(settings, &body).map_err(|why| (ProbeFailure::Invalid, why)),
        Ok((status, _)) => Err((ProbeFailure::Status, format!("status {status}"))),
        Err(NoAnswer::Asked(reason, why)) => Err((reason, why)),
        Err(NoAnswer::Unasked(why)) => {
            log::debug!("{url} was not asked: {why}");
            return Asked { answer: Answer::Unasked, failure: None, status };
        }
    };
    match result {
        Ok((capacity, termination)) => {
            Asked { answer: Answer::Valid { capacity, termination }, failure: None, status }
        }
        Err((reason, why)) => {
            log::debug!("{url}: {why}");
            Asked { answer: Answer::None { why }, failure: Some(reason), status }
        }
    }
}

/// Where a replica's status is asked for; IPv6 in brackets.
pub fn url(settings: &ProbeSettings, address: IpAddr) -> String {
    let scheme = if settings.https { "https" } else { "http" };
    let host = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    format!("{scheme}://{host}:{}{}", settings.port, settings.path)
}

/// Free resources and "may be destroyed", or why the answer is none.
pub fn read(settings: &ProbeSettings, body: &[u8]) -> std::result::Result<(u64, bool), String> {
    let json: Value =
        serde_json::from_slice(without_mark(body)).map_err(|_| match no_text(body) {
            Some(encoding) => format!("not JSON: {encoding}"),
            None => format!("not JSON: {}", one_line(&String::from_utf8_lossy(body), 40)),
        })?;
    if !json.is_object() {
        return Err("not a JSON object".to_owned());
    }
    let (key, value) = (&settings.capacity_key, find(&json, &settings.capacity_key)?);
    let capacity = whole(value)
        .ok_or_else(|| format!("\"{key}\" is {}, not a whole number of 0 or more", shown(value)))?;
    let (key, value) = (&settings.termination_key, find(&json, &settings.termination_key)?);
    let termination = match (value.as_bool(), whole(value)) {
        (Some(boolean), _) => boolean,
        (None, Some(0)) => false,
        (None, Some(1)) => true,
        _ => return Err(format!("\"{key}\" is {}, not true or false", shown(value))),
    };
    Ok((capacity, termination))
}

fn find<'a>(json: &'a Value, key: &str) -> std::result::Result<&'a Value, String> {
    let value = if key.starts_with('/') { json.pointer(key) } else { json.get(key) };
    value.ok_or_else(|| format!("\"{key}\" is missing (have: {})", keys(json)))
}

/// Most characters of the keys that an answer does have.
const KEYS_CHARACTERS_MAX: usize = 100;

/// The keys of an answer, so that the right one can be seen.
fn keys(json: &Value) -> String {
    let keys: Vec<&str> =
        json.as_object().into_iter().flat_map(|map| map.keys()).map(String::as_str).collect();
    if keys.is_empty() {
        "none".to_owned()
    } else {
        one_line(&keys.join(", "), KEYS_CHARACTERS_MAX)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded and whole, see the condition"
)]
fn whole(value: &Value) -> Option<u64> {
    /// 2^53: beyond it a float no longer tells whole numbers apart.
    const FLOAT_MAX: f64 = 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        ((0.0..=FLOAT_MAX).contains(&float) && float.fract() == 0.0).then_some(float as u64)
    })
}

fn shown(value: &Value) -> String {
    one_line(&value.to_string(), 40)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings() -> ProbeSettings {
        ProbeSettings {
            https: false,
            port: 8080,
            path: "/".into(),
            capacity_key: "capacity".into(),
            termination_key: "termination".into(),
            timeout: Duration::from_secs(1),
            retries: 0,
            concurrency: 8,
            cacert: None,
            insecure: false,
        }
    }

    #[track_caller]
    fn check(body: &str, expected: std::result::Result<(u64, bool), &str>) {
        let read = read(&settings(), body.as_bytes());
        assert_eq!(read, expected.map_err(str::to_owned), "answer: {body}");
    }

    #[test]
    fn whole_numbers_and_booleans_are_an_answer() {
        check(r#"{"capacity": 3, "termination": false}"#, Ok((3, false)));
        check(r#"{"capacity": 3.0, "termination": true, "more": [1]}"#, Ok((3, true)));
        check(r#"{"capacity": 0, "termination": 0}"#, Ok((0, false)));
        check(r#"{"capacity": 0, "termination": 1}"#, Ok((0, true)));
    }

    #[test]
    fn anything_else_is_no_answer_and_says_why() {
        let number = "not a whole number of 0 or more";
        check(
            r#"{"capacity": -1, "termination": false}"#,
            Err(&format!("\"capacity\" is -1, {number}")),
        );
        check(
            r#"{"capacity": 1.5, "termination": false}"#,
            Err(&format!("\"capacity\" is 1.5, {number}")),
        );
        check(
            r#"{"capacity": "3", "termination": false}"#,
            Err(&format!("\"capacity\" is \"3\", {number}")),
        );
        check(
            r#"{"capacity": null, "termination": false}"#,
            Err(&format!("\"capacity\" is null, {number}")),
        );
        check(
            r#"{"capacity": 1e300, "termination": false}"#,
            Err(&format!("\"capacity\" is 1e+300, {number}")),
        );
        check(r#"{"termination": false}"#, Err("\"capacity\" is missing (have: termination)"));
        check(r#"{"capacity": 1}"#, Err("\"termination\" is missing (have: capacity)"));
        check("{}", Err("\"capacity\" is missing (have: none)"));
        check(
            r#"{"capacity": 1, "termination": "false"}"#,
            Err("\"termination\" is \"false\", not true or false"),
        );
        check(
            r#"{"capacity": 1, "termination": 2}"#,
            Err("\"termination\" is 2, not true or false"),
        );
        check("[]", Err("not a JSON object"));
        check("<html> <b>hello</b>\n</html>", Err("not JSON: <html> <b>hello</b> </html>"));
        check("", Err("not JSON: "));
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_other_encodings_are_called_by_name() {
        let plain = r#"{"capacity": 3, "termination": false}"#;
        let utf16 =
            |bytes: fn(u16) -> [u8; 2]| plain.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        let little = utf16(u16::to_le_bytes);
        let big = utf16(u16::to_be_bytes);
        let no = |why: &str| Err(format!("not JSON: {why}"));
        for (body, expected) in [
            (format!("\u{feff}{plain}").into_bytes(), Ok((3, false))),
            (format!(" \r\n{plain}\r\n").into_bytes(), Ok((3, false))),
            ([b"\xff\xfe", &little[..]].concat(), no("it is UTF-16, not UTF-8")),
            ([b"\xfe\xff", &big[..]].concat(), no("it is UTF-16, not UTF-8")),
            (little, no("it is UTF-16, not UTF-8")),
            (big, no("it is UTF-16, not UTF-8")),
            (b"\x1f\x8b\x08\0".to_vec(), no("it is compressed (gzip)")),
            (
                plain.replace('c', "\u{e9}").chars().map(|c| c as u8).collect(),
                no("it is not UTF-8"),
            ),
            ("\u{feff}".into(), no("\u{feff}")),
        ] {
            assert_eq!(read(&settings(), &body), expected, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn a_good_answer_with_a_small_change_is_read_right_or_named(
            capacity in 0_u64..1000,
            termination in any::<bool>(),
            before in prop::sample::select(vec![&b""[..], b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", b" \r\n", b"\0", b"\xe9", b"<"]),
            after in prop::sample::select(vec![&b""[..], b"\n", b"\0", b"\xef\xbb\xbf", b"\x1a", b"}"]),
            utf16 in any::<bool>(),
        ) {
            let text = format!("{{\"capacity\": {capacity}, \"termination\": {termination}}}");
            let bytes = if utf16 { text.encode_utf16().flat_map(u16::to_le_bytes).collect() } else { text.into_bytes() };
            let body = [before, &bytes, after].concat();
            match read(&settings(), &body) {
                Ok(answer) => prop_assert_eq!(answer, (capacity, termination)),
                Err(why) => prop_assert!(why.starts_with("not JSON: ") && why.len() > 12, "{}", why),
            }
        }
    }

    #[test]
    fn a_key_that_begins_with_a_slash_is_a_json_pointer() {
        let pointers = ProbeSettings {
            capacity_key: "/data/slots/0".into(),
            termination_key: "/data/done".into(),
            ..settings()
        };
        let body = br#"{"data": {"slots": [7], "done": false}}"#;
        assert_eq!(read(&pointers, body), Ok((7, false)));
    }

    #[test]
    fn ipv6_goes_in_brackets() {
        let settings = ProbeSettings { https: true, path: "/status".into(), ..settings() };
        assert_eq!(url(&settings, "fd10::1".parse().unwrap()), "https://[fd10::1]:8080/status");
    }
}
