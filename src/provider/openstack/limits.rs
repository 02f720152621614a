//! What a project may hold: Nova's limits (Compute API, "Show Rate And Absolute Limits"), and Cinder's (Block Storage API v3,
//! "Show absolute limits for project") where VMs boot from volumes. Asked by `--check` alone.

use serde::Deserialize;

use crate::error::Result;
use crate::provider::Quota;
use crate::provider::openstack::answer::Told;
use crate::provider::openstack::compute::{self, FlavorSize};
use crate::provider::openstack::encode;
use crate::provider::openstack::question::Service;
use crate::provider::openstack::session::Session;
use crate::settings::BootVolume;

#[derive(Deserialize)]
struct Answer<T> {
    limits: Limits<T>,
}

#[derive(Deserialize)]
struct Limits<T> {
    absolute: T,
}

/// Numbers below 0 stand for no limit.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OfNova {
    max_total_instances: Told<i64>,
    total_instances_used: Told<i64>,
    max_total_cores: Told<i64>,
    total_cores_used: Told<i64>,
    #[serde(rename = "maxTotalRAMSize")]
    max_total_ram_size: Told<i64>,
    #[serde(rename = "totalRAMUsed")]
    total_ram_used: Told<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OfCinder {
    max_total_volumes: Told<i64>,
    total_volumes_used: Told<i64>,
    max_total_volume_gigabytes: Told<i64>,
    total_gigabytes_used: Told<i64>,
}

/// Every limit that is reported for what the pool's VMs take; an error for each service that reports none.
pub fn quotas(session: &mut Session) -> Vec<Result<Quota>> {
    let mut quotas = all(of_nova(session));
    if let Some(volume) = session.settings().options.boot_volume.clone() {
        quotas.extend(all(of_cinder(session, &volume)));
    }
    quotas
}

fn all(quotas: Result<Vec<Quota>>) -> Vec<Result<Quota>> {
    match quotas {
        Ok(quotas) => quotas.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}

fn of_nova(session: &mut Session) -> Result<Vec<Quota>> {
    let wanted = session.settings().flavor.clone();
    let flavor = compute::flavor(session, &wanted)?.id;
    let size = compute::flavor_size(session, &flavor)?;
    let answer: Answer<OfNova> = session.read(Service::Compute, "/limits")?;
    Ok(in_servers(&answer.limits.absolute, &size))
}

fn of_cinder(session: &mut Session, volume: &BootVolume) -> Result<Vec<Quota>> {
    let path = cinder_path(session)?;
    let answer: Answer<OfCinder> = session.read(Service::Volume, &path)?;
    Ok(in_volumes(&answer.limits.absolute, volume))
}

/// Cinder wants the project in the path, and some catalogs leave it out.
fn cinder_path(session: &mut Session) -> Result<String> {
    let login = session.login()?;
    let urls = login.endpoints.volume.as_ref().map_err(Clone::clone)?;
    Ok(if urls.iter().any(|url| url.ends_with("/v3")) {
        format!("/{}/limits", encode(&login.project.id))
    } else {
        "/limits".to_owned()
    })
}

fn in_servers(limits: &OfNova, size: &FlavorSize) -> Vec<Quota> {
    let quotas = [
        quota("instances", &limits.total_instances_used, &limits.max_total_instances, Some(1)),
        quota(
            "cores",
            &limits.total_cores_used,
            &limits.max_total_cores,
            size.vcpus.get().copied(),
        ),
        quota(
            "MiB of RAM",
            &limits.total_ram_used,
            &limits.max_total_ram_size,
            size.ram.get().copied(),
        ),
    ];
    quotas.into_iter().flatten().collect()
}

fn in_volumes(limits: &OfCinder, volume: &BootVolume) -> Vec<Quota> {
    let quotas = [
        quota("volumes", &limits.total_volumes_used, &limits.max_total_volumes, Some(1)),
        quota(
            "GiB of volumes",
            &limits.total_gigabytes_used,
            &limits.max_total_volume_gigabytes,
            Some(volume.size_gib),
        ),
    ];
    quotas.into_iter().flatten().collect()
}

/// `None` where one of the numbers is not given.
fn quota(
    what: &'static str,
    used: &Told<i64>,
    limit: &Told<i64>,
    of_one: Option<u64>,
) -> Option<Quota> {
    let used = u64::try_from(*used.get()?).unwrap_or(0);
    let limit = u64::try_from(*limit.get()?).ok();
    Some(Quota { what, used, limit, of_one: of_one? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::openstack::answer::parse;

    fn size() -> FlavorSize {
        parse(br#"{"id": "f", "vcpus": 4, "ram": 8000, "disk": 50}"#, "test").unwrap()
    }

    #[test]
    fn limits_are_read_and_minus_one_is_none() {
        let body = br#"{"limits": {"rate": [], "absolute": {"maxTotalInstances": 20, "totalInstancesUsed": 12,
            "maxTotalCores": -1, "totalCoresUsed": 48, "maxTotalRAMSize": 51200, "totalRAMUsed": null}}}"#;
        let answer: Answer<OfNova> = parse(body, "test").unwrap();
        let instances = Quota { what: "instances", used: 12, limit: Some(20), of_one: 1 };
        let cores = Quota { what: "cores", used: 48, limit: None, of_one: 4 };
        let quotas = in_servers(&answer.limits.absolute, &size());
        assert_eq!(quotas, [instances, cores], "what is not told is left out");
    }

    #[test]
    fn a_boot_volume_takes_one_volume_and_its_size() {
        let body =
            br#"{"limits": {"rate": [], "absolute": {"maxTotalVolumes": 10, "totalVolumesUsed": 2,
            "maxTotalVolumeGigabytes": 1000, "totalGigabytesUsed": 100}}}"#;
        let answer: Answer<OfCinder> = parse(body, "test").unwrap();
        let volume = BootVolume { size_gib: 40, volume_type: None };
        let expected = [
            Quota { what: "volumes", used: 2, limit: Some(10), of_one: 1 },
            Quota { what: "GiB of volumes", used: 100, limit: Some(1000), of_one: 40 },
        ];
        assert_eq!(in_volumes(&answer.limits.absolute, &volume), expected);
    }
}
