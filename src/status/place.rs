//! Where the pool is and what its VMs are made of: what tells one page, or one log, from another.

use std::fmt;

use serde::Serialize;

use crate::model::Scope;
use crate::settings::{Credentials, OpenStackSettings, Project, ProviderSettings};

/// As the settings have it, and, as soon as there is a login, as the cloud tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The region; `None` before the login, when the settings leave it to the catalog.
    pub region: Option<String>,
    /// The project's name; `None` before the login, when the settings do not give it.
    pub project: Option<String>,
    /// The project's id, likewise.
    pub project_id: Option<String>,
    /// `OPENSTACK_FLAVOR`.
    pub flavor: String,
    /// `OPENSTACK_IMAGE`.
    pub image: String,
    /// `OPENSTACK_NETWORK`.
    pub network: String,
}

impl Place {
    /// Of these settings; a simulated cloud is nowhere.
    pub fn new(provider: &ProviderSettings) -> Option<Self> {
        let ProviderSettings::OpenStack(settings) = provider else { return None };
        let OpenStackSettings { flavor, image, network, .. } = settings.as_ref();
        let (project, project_id) = match &settings.credentials {
            Credentials::Password { project: Project::Id(id), .. } => (None, Some(id.clone())),
            Credentials::Password { project: Project::Name { name, .. }, .. } => {
                (Some(name.clone()), None)
            }
            Credentials::ApplicationCredential { .. } => (None, None),
        };
        let default_region = settings.default_region.map(str::to_owned);
        Some(Place {
            region: settings.region.clone().or(default_region),
            project,
            project_id,
            flavor: flavor.clone(),
            image: image.clone(),
            network: network.clone(),
        })
    }

    /// The cloud has told what the login was for.
    pub fn settle(&mut self, scope: &Scope) {
        let Scope { region, project_id, project_name } = scope;
        for (ours, told) in [
            (&mut self.region, region),
            (&mut self.project, project_name),
            (&mut self.project_id, project_id),
        ] {
            if !told.is_empty() {
                *ours = Some(told.clone());
            }
        }
    }

    /// What is known of it: a word for each part, and the part.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let project = self.project.as_deref().or(self.project_id.as_deref());
        [
            ("region", self.region.as_deref()),
            ("project", project),
            ("flavor", Some(self.flavor.as_str())),
            ("image", Some(self.image.as_str())),
            ("network", Some(self.network.as_str())),
        ]
        .into_iter()
        .filter_map(|(what, part)| Some((what, part?)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> =
            self.parts().map(|(what, part)| format!("{what} {part}")).collect();
        formatter.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::fixture;

    #[test]
    fn what_the_cloud_tells_goes_before_what_the_settings_say() {
        let mut place = fixture::place();
        assert_eq!(
            place.to_string(),
            "region SBG7, project p1, flavor d2-8, image Debian 12, network Ext-Net"
        );
        place.settle(&fixture::scope());
        assert_eq!(
            place.to_string(),
            "region GRA9, project Recorders, flavor d2-8, image Debian 12, network Ext-Net"
        );
        assert_eq!(place.project_id.as_deref(), Some("p1"), "the id stays");
    }

    #[test]
    fn what_the_cloud_leaves_out_stays_as_it_was() {
        let mut place = fixture::place();
        let [region, project_id, project_name] = [const { String::new() }; 3];
        place.settle(&Scope { region, project_id, project_name });
        assert_eq!(place, fixture::place());
    }
}
