//! Nova: where servers may be put: availability zones and server groups (Compute API v2.1). Asked by `--check` alone.

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::provider::openstack::answer::{Told, parse, readable};
use crate::provider::openstack::question::{Question, Service};
use crate::provider::openstack::session::Session;
use crate::provider::openstack::{encode, same_id};

#[derive(Deserialize)]
struct Zones {
    #[serde(rename = "availabilityZoneInfo")]
    zones: Vec<Told<Zone>>,
}

#[derive(Deserialize)]
struct Zone {
    #[serde(rename = "zoneName")]
    name: String,
    #[serde(default, rename = "zoneState")]
    state: Told<ZoneState>,
}

#[derive(Deserialize)]
struct ZoneState {
    available: bool,
}

#[derive(Deserialize)]
struct OneGroup {
    server_group: ServerGroup,
}

/// A server group.
#[derive(Deserialize)]
pub struct ServerGroup {
    /// Its id.
    pub id: String,
    #[serde(default)]
    name: Told<String>,
    #[serde(default)]
    policy: Told<String>,
}

impl ServerGroup {
    /// Its name and its policy (`anti-affinity` …), as far as they are told.
    pub fn words(&self) -> String {
        let told = [self.name.text(), self.policy.text()];
        told.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Whether the zone exists and takes servers. An administrator may have named a host, too: `zone:host`. `setting`: who wants it.
pub fn availability_zone(session: &mut Session, wanted: &str, setting: &str) -> Result<()> {
    let page: Zones = session.read(Service::Compute, "/os-availability-zone")?;
    let name = wanted.split(':').next().unwrap_or(wanted);
    let zones: Vec<Zone> = readable(page.zones).collect();
    let fault = |text: String| Err(Error::new(ErrorKind::Setting, text));
    match zones.iter().find(|zone| zone.name == name) {
        Some(zone) if zone.state.get().is_some_and(|state| !state.available) => {
            fault(format!("{setting} \"{wanted}\": the zone takes no servers now"))
        }
        Some(_) => Ok(()),
        None => {
            let have: Vec<&str> = zones.iter().map(|zone| zone.name.as_str()).collect();
            let have = have.join(", ");
            fault(format!("{setting} \"{wanted}\": no such availability zone (have: {have})"))
        }
    }
}

/// The server group with this id.
pub fn server_group(session: &mut Session, id: &str) -> Result<ServerGroup> {
    let path = format!("/os-server-groups/{}", encode(id));
    let setting = |why: &str| {
        let text = format!("OPENSTACK_SERVER_FILE: the scheduler hint \"group\" {id}: {why}");
        Error::new(ErrorKind::Setting, text)
    };
    match session.ask(&Question::get(Service::Compute, &path)) {
        Ok(response) => {
            let group = parse::<OneGroup>(&response.body, &path)?.server_group;
            if same_id(&group.id, id) {
                return Ok(group);
            }
            let text = format!("{path}: the answer is about another server group");
            Err(Error::new(ErrorKind::Invalid, text))
        }
        Err(error) if error.kind == ErrorKind::Refused(404) => {
            Err(setting("the project has no such server group"))
        }
        Err(error) => Err(error),
    }
}
