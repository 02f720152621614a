//! Pools so large that their records would take longer to make than the executable takes to read them: the pages of their
//! list are made once, of a record of the real Nova.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Value, json};

use crate::fake::http::{Request, Response};

/// A server as the real Nova lists it.
const RECORDED: &str = include_str!("../../../fixtures/openstack/servers-active.json");

/// Most servers of one page, unless an operator changes it (`max_limit`).
const PAGE: usize = 1000;

/// The address of the first replica; the others follow. Ranges end before it.
const FIRST: u32 = u32::from_be_bytes([127, 200, 0, 1]);

/// How long all of them have been active.
const AGE: Duration = Duration::from_secs(3600);

/// The pages of one list, by the marker each begins after; the first begins after none.
pub struct Pages(BTreeMap<String, Vec<u8>>);

impl Pages {
    /// The list of so many servers of the pool, by a Nova that listens on `nova`; it is `now`.
    pub fn new(count: usize, nova: SocketAddr, now: SystemTime) -> Self {
        let recorded: Value = serde_json::from_str(RECORDED).expect("the fixture is JSON");
        let recorded = &recorded["servers"][0];
        let servers: Vec<Value> =
            (0..count).map(|number| record(recorded, number, now - AGE)).collect();
        let mut pages = BTreeMap::new();
        let mut marker = String::new();
        // As the real one: a full page names a next one, also when nothing is left for it.
        for number in 0..=count / PAGE {
            let here = &servers[number * PAGE..count.min((number + 1) * PAGE)];
            let mut page = json!({ "servers": here });
            let last = id((number + 1) * PAGE - 1);
            if here.len() == PAGE {
                let href = format!("http://{nova}/v2.1/servers/detail?marker={last}");
                page["servers_links"] = json!([{"rel": "next", "href": href}]);
            }
            pages.insert(marker, as_python_writes(&page));
            marker = last;
        }
        Pages(pages)
    }

    /// The page that `request` asks for, when it asks for one.
    pub fn answer(&self, request: &Request) -> Option<Response> {
        if request.method != "GET" || !request.path().ends_with("/servers/detail") {
            return None;
        }
        let page = self.0.get(&request.query_value("marker").unwrap_or_default())?;
        Some(Response::new(200, "application/json", page.clone()))
    }
}

/// Where the replica with this number, from 0 on, is.
pub fn address(number: usize) -> IpAddr {
    let number = u32::try_from(number).expect("fewer than there are addresses");
    IpAddr::V4(Ipv4Addr::from_bits(FIRST + number))
}

fn id(number: usize) -> String {
    format!("{number:08x}-8ea1-4ee4-b0c3-13b96e756422")
}

/// The recorded server, but with an id, a name, an address and a time of its own.
fn record(recorded: &Value, number: usize, created: SystemTime) -> Value {
    let old = recorded["id"].as_str().expect("the fixture has an id");
    let text = recorded.to_string().replace(old, &id(number));
    let mut record: Value = serde_json::from_str(&text).expect("it was JSON before");
    let seconds = humantime::format_rfc3339_seconds(created).to_string();
    record["name"] = format!("server-b1-{number}").into();
    record["metadata"]["group"] = "scaler".into();
    record["addresses"]["Ext-Net"][0]["addr"] = json!(address(number));
    record["created"] = seconds.as_str().into();
    record["updated"] = seconds.as_str().into();
    record["OS-SRV-USG:launched_at"] = seconds.replace('Z', ".000000").into();
    record
}

/// With a blank behind each comma and colon: Nova's answers have them, and they are read, too.
fn as_python_writes(json: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Blanks);
    json.serialize(&mut serializer).expect("a value is JSON");
    bytes
}

struct Blanks;

impl Formatter for Blanks {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }
}
