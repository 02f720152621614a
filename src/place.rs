//! Where the pool's VMs are and what they are made of, as people know it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::settings::{Credentials, OpenStackSettings, Project};

/// Where the VMs are, and what they are made of. Before the login, as far as the settings tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The region.
    pub region: Option<String>,
    /// The project's name, or its id where only that is known.
    pub project: Option<String>,
    /// `OPENSTACK_FLAVOR`.
    pub flavor: String,
    /// `OPENSTACK_IMAGE`.
    pub image: String,
    /// `OPENSTACK_NETWORK`.
    pub network: String,
}

impl Place {
    /// As the settings tell it.
    pub fn new(settings: &OpenStackSettings) -> Self {
        let OpenStackSettings { region, default_region, flavor, image, network, .. } = settings;
        let project = match &settings.credentials {
            Credentials::Password { project: Project::Id(id), .. } => Some(id.clone()),
            Credentials::Password { project: Project::Name { name, .. }, .. } => Some(name.clone()),
            // It knows its own.
            Credentials::ApplicationCredential { .. } => None,
        };
        Place {
            region: region.clone().or(default_region.map(str::to_owned)),
            project,
            flavor: flavor.clone(),
            image: image.clone(),
            network: network.clone(),
        }
    }

    /// The same, as the login found it.
    #[must_use]
    pub fn found(&self, found: Found) -> Self {
        let Found { region, project } = found;
        Place { region: Some(region), project: Some(project), ..self.clone() }
    }
}

/// `region SBG7, project demo, flavor d2-8, image Debian 11, network Ext-Net`.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(region) = &self.region {
            write!(formatter, "region {region}, ")?;
        }
        if let Some(project) = &self.project {
            write!(formatter, "project {project}, ")?;
        }
        let Place { flavor, image, network, .. } = self;
        write!(formatter, "flavor {flavor}, image {image}, network {network}")
    }
}

/// What the login found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The region that was chosen of the catalog.
    pub region: String,
    /// The token's project: its name, or its id when it has none.
    pub project: String,
}

/// What the last login found, once there was one. Clones tell the same.
#[derive(Clone, Debug, Default)]
pub struct LastLogin(Arc<Mutex<Option<Found>>>);

impl LastLogin {
    /// There was a login.
    pub fn tell(&self, found: Found) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }

    /// What it found.
    pub fn get(&self) -> Option<Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_a_list_of_what_is_known() {
        let place = Place {
            flavor: "d2-8".into(),
            image: "Debian 11".into(),
            network: "Ext-Net".into(),
            ..Place::default()
        };
        assert_eq!(place.to_string(), "flavor d2-8, image Debian 11, network Ext-Net");
        let found = Found { region: "SBG7".into(), project: "demo".into() };
        let text = "region SBG7, project demo, flavor d2-8, image Debian 11, network Ext-Net";
        assert_eq!(place.found(found).to_string(), text);
    }
}
