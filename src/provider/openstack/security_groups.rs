//! Neutron: security groups, by name or id (Networking API v2.0, "Security groups").

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::provider::openstack::answer::{Told, parse};
use crate::provider::openstack::paging::{self, Links};
use crate::provider::openstack::question::{Question, Service};
use crate::provider::openstack::session::Session;
use crate::provider::openstack::{encode, is_uuid, of_one_name, same_id};
use crate::server_file::ServerFile;
use crate::settings::OpenStackSettings;

/// Where the list is, and what is needed of a record.
const PATH: &str = "/security-groups";
const FIELDS: &str = "fields=id&fields=name&fields=project_id";

/// How many groups an error names at most.
const NAMED_MAX: usize = 10;

/// A security group that is wanted, and by which setting.
pub struct Wanted {
    /// Its name or id.
    pub group: String,
    setting: &'static str,
}

/// A security group.
#[derive(Clone, Debug, Deserialize)]
pub struct SecurityGroup {
    /// Its id.
    pub id: String,
    #[serde(default)]
    name: Told<String>,
    #[serde(default)]
    project_id: Told<String>,
}

impl SecurityGroup {
    /// Its name; empty when it has none.
    pub fn name(&self) -> &str {
        self.name.text().unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Page {
    security_groups: Vec<Told<SecurityGroup>>,
    #[serde(default)]
    security_groups_links: Links,
}

#[derive(Deserialize)]
struct One {
    security_group: SecurityGroup,
}

/// The groups of the new servers: those of the setting, or of the file.
pub fn wanted(settings: &OpenStackSettings, file: &ServerFile) -> Vec<Wanted> {
    let of = |setting: &'static str| move |group: String| Wanted { group, setting };
    let set = settings.options.security_groups.iter().cloned().map(of("OPENSTACK_SECURITY_GROUPS"));
    let in_file = "OPENSTACK_SERVER_FILE: \"security_groups\"";
    set.chain(file.security_groups().into_iter().map(of(in_file))).collect()
}

/// The group. Nova takes a name, too, but of two groups with one name it takes neither.
pub fn security_group(session: &mut Session, wanted: &Wanted) -> Result<SecurityGroup> {
    let Wanted { group: name, setting } = wanted;
    if is_uuid(name)
        && let Some(group) = by_id(session, name)?
    {
        return Ok(group);
    }
    let own = session.login()?.project.id.clone();
    let mut found = groups(session, format!("{PATH}?name={}&{FIELDS}", encode(name)))?;
    found.retain(|group| group.name() == name);
    // An administrator sees every project's, and each has one that is called default.
    if found.len() > 1 {
        found.retain(|group| group.project_id.text() == Some(&own));
    }
    match found.as_slice() {
        [group] => Ok(group.clone()),
        [] => Err(no_such(session, wanted)?),
        several => {
            let ids: Vec<&str> = several.iter().map(|group| group.id.as_str()).collect();
            Err(of_one_name(&format!("{setting} \"{name}\""), "security groups", &ids))
        }
    }
}

/// All groups of the list at `path` that can be read; a filter in it may have been left out.
fn groups(session: &mut Session, path: String) -> Result<Vec<SecurityGroup>> {
    let parts = |page: Page| (page.security_groups, page.security_groups_links);
    paging::all(session, Service::Network, path, parts)
}

fn by_id(session: &mut Session, id: &str) -> Result<Option<SecurityGroup>> {
    let path = format!("{PATH}/{}?{FIELDS}", encode(id));
    match session.ask(&Question::get(Service::Network, &path)) {
        Ok(response) => {
            let group = parse::<One>(&response.body, &path)?.security_group;
            if same_id(&group.id, id) {
                return Ok(Some(group));
            }
            let text = format!("{path}: the answer is about another security group");
            Err(Error::new(ErrorKind::Invalid, text))
        }
        Err(error) if error.kind == ErrorKind::Refused(404) => Ok(None),
        Err(error) => Err(error),
    }
}

fn no_such(session: &mut Session, wanted: &Wanted) -> Result<Error> {
    let project = session.login()?.project.clone();
    let mut all = groups(session, format!("{PATH}?project_id={}&{FIELDS}", encode(&project.id)))?;
    all.retain(|group| group.project_id.text().is_none_or(|id| id == project.id));
    let mut names: Vec<&str> = all.iter().map(SecurityGroup::name).collect();
    names.sort_unstable();
    let more = if names.len() > NAMED_MAX { " …" } else { "" };
    let have = names.into_iter().take(NAMED_MAX).collect::<Vec<_>>().join(", ");
    let Wanted { group, setting } = wanted;
    let text = format!(
        "{setting} \"{group}\": no such security group in project {} (have: {have}{more})",
        project.name
    );
    Ok(Error::new(ErrorKind::Setting, text))
}
