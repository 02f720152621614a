//! Keystone's service catalog (Identity API v3, "Authentication and token management"): where each service is.
//!
//! Only the entries that are used are read; the others may be as odd as they like.

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::http::shown;
use crate::nearest::in_other_case;
use crate::provider::openstack::answer::Told;
use crate::settings::EndpointOverrides;

/// What a region is called that has no name.
const UNNAMED: &str = "(unnamed)";

/// One service of the catalog.
#[derive(Clone, Debug, Deserialize)]
pub struct CatalogService {
    /// `compute`, `network`, `image` …
    #[serde(default, rename = "type")]
    service_type: Told<String>,
    /// Where it is, by region and interface.
    #[serde(default)]
    endpoints: Told<Vec<Told<CatalogEndpoint>>>,
}

/// One endpoint of a service.
#[derive(Clone, Debug, Deserialize)]
struct CatalogEndpoint {
    /// `public`, `internal` or `admin`.
    #[serde(default)]
    interface: Told<String>,
    /// Its region's id.
    #[serde(default)]
    region_id: Told<String>,
    /// The same under its old name; some clouds show only one of the two.
    #[serde(default)]
    region: Told<String>,
    /// Its URL, with or without a version.
    #[serde(default)]
    url: Told<String>,
}

impl CatalogEndpoint {
    fn region(&self) -> Option<&str> {
        let known = |region: &&str| !region.is_empty();
        self.region_id.text().filter(known).or_else(|| self.region.text().filter(known))
    }

    fn interface(&self) -> Option<&str> {
        self.interface.text().filter(|interface| !interface.is_empty())
    }

    fn url(&self) -> Option<&str> {
        let url = self.url.text()?.trim();
        ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)).then_some(url)
    }
}

/// Where the services are that a pool needs, each with the version of its API that is used. Of several URLs the first
/// that can be reached is used.
///
/// A pool lives without Neutron's and Glance's for a while: what is wrong with them is said when they are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The region they were chosen by.
    pub region: String,
    /// Nova, ending in `/v2.1` or `/v2.1/<project>`.
    pub compute: Vec<String>,
    /// Neutron, ending in `/v2.0`.
    pub network: Result<Vec<String>>,
    /// Glance, ending in `/v2`.
    pub image: Result<Vec<String>>,
    /// Cinder, ending in `/v3` or `/v3/<project>`; needed for boot volumes only.
    pub volume: Result<Vec<String>>,
    /// Whether Cinder is in the catalog at all, wherever it is.
    pub has_volumes: bool,
}

/// Cinder's service types: the official one first, then those it had before (Service Types Authority).
const VOLUME_TYPES: [&str; 4] = ["block-storage", "block-store", "volumev3", "volume"];

/// What endpoints are chosen by.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// `OS_REGION_NAME`, if set.
    pub region: Option<&'a str>,
    /// The region that is taken when none is set and it exists.
    pub default_region: Option<&'a str>,
    /// `public`, `internal` or `admin`.
    pub interface: &'a str,
    /// Where services are, whatever the catalog says.
    pub overrides: &'a EndpointOverrides,
    /// The id of the project, for overrides that name it.
    pub project: &'a str,
}

impl<'a> Choice<'a> {
    /// By region and interface alone, with the documented default.
    pub fn of(region: Option<&'a str>, interface: &'a str) -> Self {
        const NONE: &EndpointOverrides =
            &EndpointOverrides { compute: None, network: None, image: None };
        Choice { region, default_region: Some("SBG7"), interface, overrides: NONE, project: "" }
    }
}

/// Chooses the endpoints by region and interface; one that is overridden needs no entry in the catalog.
pub fn choose(catalog: &[Told<CatalogService>], wanted: &Choice<'_>) -> Result<Endpoints> {
    let overrides = wanted.overrides;
    let region = match choose_region(catalog, wanted) {
        Err(_) if overrides.compute.is_some() => wanted.region.unwrap_or(UNNAMED).to_owned(),
        region => region?,
    };
    let find = |service: &str, given: &Option<String>, versions: &[&str]| match given {
        Some(url) => overridden(service, url, wanted.project, versions),
        None => find(catalog, service, &region, wanted.interface, versions),
    };
    let has = |service: &&&str| endpoints(catalog, service).next().is_some();
    let volume = VOLUME_TYPES.iter().find(has);
    Ok(Endpoints {
        volume: find(volume.copied().unwrap_or("block-storage"), &None, &["v3"]),
        has_volumes: volume.is_some(),
        compute: find("compute", &overrides.compute, &["v2.1", "v2"])?,
        network: find("network", &overrides.network, &["v2.0"]),
        image: find("image", &overrides.image, &["v2"]),
        region,
    })
}

/// The URL of a service that `OS_<SERVICE>_ENDPOINT_OVERRIDE` gives; the project in it is written as keystoneauth has it.
fn overridden(service: &str, url: &str, project: &str, versions: &[&str]) -> Result<Vec<String>> {
    let url = ["%(project_id)s", "%(tenant_id)s", "$(project_id)s", "$(tenant_id)s"]
        .iter()
        .fold(url.to_owned(), |url, pattern| url.replace(pattern, project));
    let with_version = with_version(&url, versions).map_err(|version| {
        let (service, spoken) = (service.to_uppercase(), versions.last().copied().unwrap_or_default());
        missing(format!(
            "OS_{service}_ENDPOINT_OVERRIDE \"{}\": {version} of its API is not supported, only {spoken}",
            shown(&url)
        ))
    })?;
    Ok(vec![with_version])
}

/// What can be read of a service's endpoints.
fn endpoints<'a>(
    catalog: &'a [Told<CatalogService>],
    service: &'a str,
) -> impl Iterator<Item = &'a CatalogEndpoint> {
    let services = catalog.iter().filter_map(Told::get);
    let services = services.filter(move |entry| entry.service_type.text() == Some(service));
    services.filter_map(|entry| entry.endpoints.get()).flatten().filter_map(Told::get)
}

/// Every region that has a compute service; others hold nothing for a pool.
fn regions(catalog: &[Told<CatalogService>]) -> Vec<&str> {
    let mut regions: Vec<&str> =
        endpoints(catalog, "compute").filter_map(CatalogEndpoint::region).collect();
    regions.sort_unstable();
    regions.dedup();
    regions
}

fn choose_region(catalog: &[Told<CatalogService>], wanted: &Choice<'_>) -> Result<String> {
    let &Choice { region, default_region, .. } = wanted;
    let regions = regions(catalog);
    let have = regions.join(", ");
    if let Some(wanted) = region.or(default_region).filter(|wanted| regions.contains(wanted)) {
        return Ok(wanted.to_owned());
    }
    match (region, regions.as_slice()) {
        (_, []) if endpoints(catalog, "compute").next().is_none() => {
            Err(missing("the catalog has no compute service for this project".to_owned()))
        }
        // A cloud without regions: there is nothing to choose from.
        (_, []) => Ok(region.unwrap_or(UNNAMED).to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => Err(missing(match default_region {
            Some(default) => format!(
                "OS_REGION_NAME is unset, and its default {default} does not exist (have: {have})"
            ),
            None => format!("OS_REGION_NAME is unset, and there are several (have: {have})"),
        })),
        (Some(wanted), regions) => {
            // Names of regions differ in a digit, so a near one is no guess.
            let meant = in_other_case(wanted, regions);
            let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            Err(missing(format!(
                "OS_REGION_NAME \"{wanted}\": no such region{meant} (have: {have})"
            )))
        }
    }
}

/// The URLs of `service`, in the catalog's order. Where no endpoint of a service tells its region, or its interface, there is
/// nothing to choose by, and all of them fit.
fn find(
    catalog: &[Told<CatalogService>],
    service: &str,
    region: &str,
    interface: &str,
    versions: &[&str],
) -> Result<Vec<String>> {
    let all: Vec<&CatalogEndpoint> = endpoints(catalog, service).collect();
    let tells = all.iter().any(|endpoint| endpoint.region().is_some());
    let here: Vec<&CatalogEndpoint> =
        all.into_iter().filter(|one| !tells || one.region() == Some(region)).collect();
    if here.is_empty() {
        return Err(missing(format!("the catalog has no {service} service in region {region}")));
    }
    let have: Vec<&str> = here.iter().filter_map(|endpoint| endpoint.interface()).collect();
    let fits = |one: &CatalogEndpoint| have.is_empty() || one.interface() == Some(interface);
    if !here.iter().any(|one| fits(one)) {
        let have = have.join(", ");
        return Err(missing(format!(
            "OS_INTERFACE \"{interface}\": the {service} service in region {region} has no such endpoint (have: {have})"
        )));
    }
    let mut urls: Vec<String> = Vec::new();
    let mut foreign = None;
    for url in here.into_iter().filter(|one| fits(one)).filter_map(CatalogEndpoint::url) {
        match with_version(url, versions) {
            Ok(url) if urls.contains(&url) => {}
            Ok(url) => urls.push(url),
            Err(version) => foreign = Some((url, version)),
        }
    }
    match (urls.as_slice(), foreign) {
        ([], Some((url, version))) => {
            let spoken = versions.last().copied().unwrap_or_default();
            Err(missing(format!(
                "the {service} service in region {region} is {}: {version} of its API is not supported, only {spoken}; \
                 the cloud's catalog must list that",
                shown(url)
            )))
        }
        ([], None) => Err(missing(format!(
            "the {service} service in region {region} has no URL in the catalog"
        ))),
        _ => Ok(urls),
    }
}

/// Nothing was asked of the service that is missing, so nothing was done.
fn missing(text: String) -> Error {
    Error::new(ErrorKind::Unavailable, text)
}

/// `url` without a slash at its end, and with the first of `versions` when it has none of them; the version it has, when that
/// is another one.
fn with_version<'a>(url: &'a str, versions: &[&str]) -> std::result::Result<String, &'a str> {
    let url = url.trim_end_matches('/');
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    if segments.iter().any(|segment| versions.contains(segment)) {
        return Ok(url.to_owned());
    }
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    let spoken = |version: &&&str| versions.iter().any(|known| major(known) == major(version));
    let version = segments.iter().find(|segment| is_version(segment));
    if let Some(foreign) = version.filter(|version| !spoken(version)) {
        return Err(foreign);
    }
    // Glance's `/v2.0`, Neutron's `/v2`: another spelling of the version that is used, not a path before it.
    let (path, last) = url.rsplit_once('/').unwrap_or((url, ""));
    let url = if !segments.is_empty() && is_version(last) { path } else { url };
    Ok(format!("{url}/{}", versions.first().copied().unwrap_or_default()))
}

/// `v2`, `v2.1`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Where the version document of a versioned URL is: `…/v2.1/<project>` → `…/v2.1/`.
pub fn version_document(url: &str) -> String {
    let mut kept = Vec::new();
    for segment in url.trim_end_matches('/').split('/') {
        kept.push(segment);
        // The host is the third segment of `https://host/…`, and may look like anything.
        if kept.len() > 3 && is_version(segment) {
            break;
        }
    }
    kept.join("/") + "/"
}

#[cfg(test)]
mod tests;
