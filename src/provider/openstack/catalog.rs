//! Keystone's service catalog (Identity API v3, "Authentication and token management"): where each service is.

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};

/// The documented default of `OS_REGION_NAME`.
const DEFAULT_REGION: &str = "SBG7";

/// One service of the catalog.
#[derive(Clone, Debug, Deserialize)]
pub struct CatalogService {
    /// `compute`, `network`, `image` …
    #[serde(rename = "type")]
    pub service_type: String,
    /// Where it is, by region and interface.
    #[serde(default)]
    pub endpoints: Vec<CatalogEndpoint>,
}

/// One endpoint of a service.
#[derive(Clone, Debug, Deserialize)]
pub struct CatalogEndpoint {
    /// `public`, `internal` or `admin`.
    pub interface: String,
    /// Its region's id.
    #[serde(default)]
    pub region_id: Option<String>,
    /// The same by its name of old; some clouds show only one of the two.
    #[serde(default)]
    pub region: Option<String>,
    /// Its URL, with or without a version.
    pub url: String,
}

impl CatalogEndpoint {
    fn region(&self) -> Option<&str> {
        self.region_id.as_deref().or(self.region.as_deref())
    }
}

/// Where the services are that a pool needs, each with the version of the API that is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The region they were chosen by.
    pub region: String,
    /// Nova, ending in `/v2.1` or `/v2.1/<project>`.
    pub compute: String,
    /// Neutron, ending in `/v2.0`.
    pub network: String,
    /// Glance, ending in `/v2`.
    pub image: String,
}

/// Chooses the endpoints by region and interface. `region` is `OS_REGION_NAME`, if set.
pub fn choose(
    catalog: &[CatalogService],
    region: Option<&str>,
    interface: &str,
) -> Result<Endpoints> {
    let region = choose_region(catalog, region)?;
    let find = |service: &str| find(catalog, service, &region, interface);
    let (compute, network, image) = (find("compute")?, find("network")?, find("image")?);
    Ok(Endpoints {
        compute: with_version(compute, &["v2.1", "v2"]),
        network: with_version(network, &["v2.0"]),
        image: with_version(image, &["v2"]),
        region,
    })
}

/// Every region that has a compute service; others hold nothing for a pool.
fn regions(catalog: &[CatalogService]) -> Vec<&str> {
    let compute = catalog.iter().filter(|service| service.service_type == "compute");
    let endpoints = compute.flat_map(|service| &service.endpoints);
    let mut regions: Vec<&str> = endpoints.filter_map(CatalogEndpoint::region).collect();
    regions.sort_unstable();
    regions.dedup();
    regions
}

fn choose_region(catalog: &[CatalogService], region: Option<&str>) -> Result<String> {
    let regions = regions(catalog);
    let have = regions.join(", ");
    let wanted = region.unwrap_or(DEFAULT_REGION);
    if regions.contains(&wanted) {
        return Ok(wanted.to_owned());
    }
    match (region, regions.as_slice()) {
        (_, []) => Err(missing("the catalog has no compute service for this project".to_owned())),
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => Err(missing(format!(
            "OS_REGION_NAME is unset, and its default {DEFAULT_REGION} does not exist (have: {have})"
        ))),
        (Some(wanted), _) => {
            Err(missing(format!("OS_REGION_NAME \"{wanted}\": no such region (have: {have})")))
        }
    }
}

fn find<'a>(
    catalog: &'a [CatalogService],
    service: &str,
    region: &str,
    interface: &str,
) -> Result<&'a str> {
    let services = catalog.iter().filter(|entry| entry.service_type == service);
    let here: Vec<&CatalogEndpoint> = services
        .flat_map(|entry| &entry.endpoints)
        .filter(|endpoint| endpoint.region() == Some(region))
        .collect();
    if let Some(endpoint) = here.iter().find(|endpoint| endpoint.interface == interface) {
        return Ok(&endpoint.url);
    }
    let have = here.iter().map(|endpoint| endpoint.interface.as_str()).collect::<Vec<_>>();
    Err(missing(if have.is_empty() {
        format!("the catalog has no {service} service in region {region}")
    } else {
        let have = have.join(", ");
        format!(
            "OS_INTERFACE \"{interface}\": the {service} service in region {region} has none (have: {have})"
        )
    }))
}

/// Nothing was asked of the service that is missing, so nothing was done.
fn missing(text: String) -> Error {
    Error::new(ErrorKind::Unavailable, text)
}

/// `url` without a slash at its end, and with the first of `versions` when it has none of them.
fn with_version(url: &str, versions: &[&str]) -> String {
    let url = url.trim_end_matches('/');
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let mut segments = path.split('/').skip(1);
    let has_version = segments.any(|segment| versions.contains(&segment));
    match versions.first() {
        Some(version) if !has_version => format!("{url}/{version}"),
        _ => url.to_owned(),
    }
}

/// Where the version document of a versioned URL is: `…/v2.1/<project>` → `…/v2.1/`.
pub fn version_document(url: &str) -> String {
    let is_version = |segment: &str| {
        segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
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
mod tests {
    use super::*;

    fn service(service_type: &str, endpoints: &[(&str, &str, &str)]) -> CatalogService {
        let endpoints = endpoints.iter().map(|(region, interface, url)| CatalogEndpoint {
            interface: (*interface).to_owned(),
            region_id: Some((*region).to_owned()),
            region: None,
            url: (*url).to_owned(),
        });
        CatalogService { service_type: service_type.to_owned(), endpoints: endpoints.collect() }
    }

    fn catalog(regions: &[&str]) -> Vec<CatalogService> {
        let of = |name: &str, url: &str| {
            let endpoints: Vec<_> = regions.iter().map(|region| (*region, "public", url)).collect();
            service(name, &endpoints)
        };
        vec![
            of("compute", "http://nova/v2.1"),
            of("network", "http://neutron/"),
            of("image", "http://glance"),
        ]
    }

    #[track_caller]
    fn check(catalog: &[CatalogService], region: Option<&str>, interface: &str, expected: &str) {
        let chosen = choose(catalog, region, interface);
        let text = match chosen {
            Ok(chosen) => {
                format!("{}: {} {} {}", chosen.region, chosen.compute, chosen.network, chosen.image)
            }
            Err(error) => error.text,
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn a_region_is_known_by_its_id_or_by_its_name_or_by_both() {
        for fields in [
            r#""region_id": "SBG7", "region": "SBG7""#,
            r#""region_id": "SBG7""#,
            r#""region": "SBG7""#,
            r#""region_id": null, "region": "SBG7""#,
        ] {
            let json = format!(r#"{{"interface": "public", "url": "http://nova", {fields}}}"#);
            let endpoint: CatalogEndpoint = serde_json::from_str(&json).unwrap();
            assert_eq!(endpoint.region(), Some("SBG7"), "of {fields}");
        }
    }

    #[test]
    fn the_wanted_region_is_used() {
        let catalog = catalog(&["GRA11", "SBG7"]);
        let urls = "http://nova/v2.1 http://neutron/v2.0 http://glance/v2";
        check(&catalog, Some("GRA11"), "public", &format!("GRA11: {urls}"));
        check(&catalog, None, "public", &format!("SBG7: {urls}"));
    }

    #[test]
    fn the_only_region_is_used_when_none_is_set() {
        let urls = "http://nova/v2.1 http://neutron/v2.0 http://glance/v2";
        check(&catalog(&["RegionOne"]), None, "public", &format!("RegionOne: {urls}"));
    }

    #[test]
    fn an_unknown_region_lists_those_that_exist() {
        let two = catalog(&["GRA11", "BHS5"]);
        let text = "OS_REGION_NAME \"SBG9\": no such region (have: BHS5, GRA11)";
        check(&two, Some("SBG9"), "public", text);
        let text =
            "OS_REGION_NAME is unset, and its default SBG7 does not exist (have: BHS5, GRA11)";
        check(&two, None, "public", text);
        let text = "OS_REGION_NAME \"SBG7\": no such region (have: RegionOne)";
        check(&catalog(&["RegionOne"]), Some("SBG7"), "public", text);
        check(&[], None, "public", "the catalog has no compute service for this project");
    }

    #[test]
    fn a_missing_interface_or_service_is_named() {
        let text =
            "OS_INTERFACE \"internal\": the compute service in region SBG7 has none (have: public)";
        check(&catalog(&["SBG7"]), None, "internal", text);
        let only_nova = vec![service("compute", &[("SBG7", "public", "http://nova")])];
        let text = "the catalog has no network service in region SBG7";
        check(&only_nova, None, "public", text);
    }

    #[test]
    fn a_version_is_added_only_where_none_is() {
        for (url, versions, expected) in [
            ("http://nova/v2.1", &["v2.1", "v2"][..], "http://nova/v2.1"),
            ("http://nova/v2.1/0123abc/", &["v2.1", "v2"], "http://nova/v2.1/0123abc"),
            ("http://nova/v2/0123abc", &["v2.1", "v2"], "http://nova/v2/0123abc"),
            ("http://nova", &["v2.1", "v2"], "http://nova/v2.1"),
            ("http://host/compute/", &["v2.1", "v2"], "http://host/compute/v2.1"),
            ("http://v2/network", &["v2.0"], "http://v2/network/v2.0"),
            ("http://neutron:9696/v2.0/", &["v2.0"], "http://neutron:9696/v2.0"),
            ("http://glance:9292", &["v2"], "http://glance:9292/v2"),
            ("http://glance:9292/v2/", &["v2"], "http://glance:9292/v2"),
        ] {
            assert_eq!(with_version(url, versions), expected, "of {url}");
        }
    }

    #[test]
    fn the_version_document_is_where_the_version_ends() {
        for (url, expected) in [
            ("http://nova/v2.1", "http://nova/v2.1/"),
            ("http://nova/v2.1/0123abc", "http://nova/v2.1/"),
            ("http://v2.example/compute/v2.1/0123abc/", "http://v2.example/compute/v2.1/"),
        ] {
            assert_eq!(version_document(url), expected, "of {url}");
        }
    }
}
