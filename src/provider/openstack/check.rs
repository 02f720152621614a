//! Everything a creation and a pass need, looked up and named, for `--check`.

use crate::error::{Error, ErrorKind, Result};
use crate::http::shown;
use crate::provider::CheckLine;
use crate::provider::openstack::login::{Failed, Login};
use crate::provider::openstack::record::Ours;
use crate::provider::openstack::session::Session;
use crate::provider::openstack::{
    compute, hidden, image, ingredients, network, scheduling, security_groups,
};
use crate::server_file::ServerFile;
use crate::settings::OpenStackSettings;

/// Looks at everything; a fault does not stop the rest, but without a login there is no rest.
pub fn check(session: &mut Session, ours: &Ours, manage_addresses: bool) -> Vec<CheckLine> {
    let settings = session.settings().clone();
    let login = match session.enter() {
        Ok(login) => login.clone(),
        Err(failed) => {
            let mut lines: Vec<CheckLine> = source(&settings).into_iter().collect();
            lines.extend(as_far_as(*failed));
            lines.push(cloud_init(&settings));
            return lines;
        }
    };
    let mut lines: Vec<CheckLine> = source(&settings).into_iter().collect();
    lines.extend(entrance(&login));
    lines.extend(hidden_fields(session, ours));
    let file = ingredients::server_file(&settings);
    let known = file.clone().unwrap_or_default();
    lines.push(line("flavor", flavor(session, &settings, &known)));
    let image = image::image(session, &settings.image);
    lines.push(line("image", image.map(|image| named(image.name(), &image.id))));
    let network = network::network(session, &settings.network);
    let network = network.and_then(|network| {
        ingredients::networks(&settings, &known, &network.id)?;
        Ok(named(network.name(), &network.id))
    });
    lines.push(line("network", network));
    lines.extend(security_groups(session, &settings, &known));
    lines.push(line("keypair", keypair(session, settings.keypair.as_deref())));
    lines.push(cloud_init(&settings));
    lines.extend(options(session, &settings, file));
    if manage_addresses {
        lines.extend(external_addresses(session));
    }
    lines
}

/// Whose login it is, when a file tells.
fn source(settings: &OpenStackSettings) -> Option<CheckLine> {
    let cloud = settings.cloud.as_ref()?;
    Some(line("OS_CLOUD", Ok(cloud.to_string())))
}

/// How far a failed login got.
fn as_far_as(failed: Failed) -> Vec<CheckLine> {
    let mut lines = Vec::new();
    if let Some((project, life)) = &failed.project {
        let minutes = life.as_secs() / 60;
        lines.push(project_line(&project.name, &project.id, minutes));
    }
    if let Some(region) = failed.region {
        lines.push(line("region", Ok(region)));
    }
    lines.push(line(failed.what, Err(failed.error)));
    lines
}

fn project_line(name: &str, id: &str, minutes: u64) -> CheckLine {
    line("login", Ok(format!("project {name} ({id}), a token lives {minutes} min")))
}

fn entrance(login: &Login) -> Vec<CheckLine> {
    let endpoints = &login.endpoints;
    let all = |urls: &Vec<String>| {
        urls.iter().map(|url| shown(url)).collect::<Vec<_>>().join(", or else ")
    };
    let service = |urls: &Result<Vec<String>>| urls.as_ref().map(all).map_err(Clone::clone);
    let version = login.microversion.as_deref().unwrap_or("2.1");
    vec![
        project_line(&login.project.name, &login.project.id, login.life.as_secs() / 60),
        line("region", Ok(endpoints.region.clone())),
        line("compute", Ok(format!("{}, microversion {version}", all(&endpoints.compute)))),
        line("network service", service(&endpoints.network)),
        line("image service", service(&endpoints.image)),
    ]
}

/// A warning for each field that the cloud hides. That the list cannot be had is said where the pool is looked at.
fn hidden_fields(session: &mut Session, ours: &Ours) -> Vec<CheckLine> {
    let Ok(Some(fields)) = compute::hidden(session, ours) else { return Vec::new() };
    let warning = |field: &str| CheckLine {
        what: "hidden field".to_owned(),
        found: Ok(format!("the cloud does not show {field} of a server: {}", hidden::cost(field))),
        warning: true,
    };
    fields.into_iter().map(warning).collect()
}

fn line(what: &str, found: Result<String>) -> CheckLine {
    let found = found.map_err(|error| error.text);
    CheckLine { what: what.to_owned(), found, warning: false }
}

fn named(name: &str, id: &str) -> String {
    format!("{name} ({id})")
}

fn keypair(session: &mut Session, keypair: Option<&str>) -> Result<String> {
    match keypair {
        None => Ok("none (OPENSTACK_KEYPAIR is not set)".to_owned()),
        Some(name) => compute::keypair(session, name).map(|()| name.to_owned()),
    }
}

/// One without a disk gives a server nothing to boot from, so Nova refuses it to all but administrators.
fn flavor(
    session: &mut Session,
    settings: &OpenStackSettings,
    file: &ServerFile,
) -> Result<String> {
    let flavor = compute::flavor(session, &settings.flavor)?;
    let found = named(flavor.name(), &flavor.id);
    // Why it can't be found out is said where the quota is compared.
    let Ok(size) = compute::flavor_size(session, &flavor.id) else { return Ok(found) };
    let boots_elsewhere = settings.options.boot_volume.is_some() || file.has_block_devices();
    if size.disk.get() == Some(&0) && !boots_elsewhere {
        let text = format!(
            "OPENSTACK_FLAVOR \"{}\": the flavor has no disk, so Nova creates no server with it unless there is a boot \
             volume: set OPENSTACK_BOOT_VOLUME_SIZE, or take a flavor with a disk",
            settings.flavor
        );
        return Err(Error::new(ErrorKind::Setting, text));
    }
    Ok(found)
}

fn security_groups(
    session: &mut Session,
    settings: &OpenStackSettings,
    file: &ServerFile,
) -> Vec<CheckLine> {
    let wanted = security_groups::wanted(settings, file);
    if wanted.is_empty() {
        let default = "the project's default group (OPENSTACK_SECURITY_GROUPS is not set)";
        return vec![line("security group", Ok(default.to_owned()))];
    }
    let found = wanted.iter().map(|wanted| {
        let group = security_groups::security_group(session, wanted);
        line("security group", group.map(|group| named(group.name(), &group.id)))
    });
    found.collect()
}

/// What only some pools have; without it there is no line.
fn options(
    session: &mut Session,
    settings: &OpenStackSettings,
    file: Result<ServerFile>,
) -> Vec<CheckLine> {
    let mut lines = Vec::new();
    let known = file.clone().unwrap_or_default();
    let zone = settings.options.availability_zone.as_deref();
    let zone = zone.map(|zone| (zone, "OPENSTACK_AVAILABILITY_ZONE"));
    let in_file = known.text("availability_zone");
    let in_file = in_file.map(|zone| (zone, "OPENSTACK_SERVER_FILE: \"availability_zone\""));
    for (zone, setting) in zone.into_iter().chain(in_file) {
        let found = scheduling::availability_zone(session, zone, setting);
        lines.push(line("zone", found.map(|()| zone.to_owned())));
    }
    if let Some(path) = &settings.options.server_file {
        let fits = file.and_then(|file| {
            ingredients::fits(session, settings, &file)?;
            Ok(format!("{}, fields: {}", path.display(), file.server.len()))
        });
        lines.push(line("server file", fits));
    }
    if let Some(id) = known.server_group() {
        let group = scheduling::server_group(session, id);
        let found = group.map(|group| format!("{} ({})", group.words(), group.id));
        lines.push(line("server group", found));
    }
    if let Some(volume) = &settings.options.boot_volume {
        let fits = ingredients::fits(session, settings, &ServerFile::default());
        let found = fits.map(|()| {
            let of_type = volume.volume_type.as_ref().map(|name| format!(" of type {name}"));
            format!("{} GiB{}", volume.size_gib, of_type.unwrap_or_default())
        });
        lines.push(line("boot volume", found));
    }
    lines
}

fn cloud_init(settings: &OpenStackSettings) -> CheckLine {
    let Some(path) = &settings.cloud_init_file else {
        let none = "none (OPENSTACK_CLOUD_INIT_FILE is not set)".to_owned();
        return line("cloud-init file", Ok(none));
    };
    let read = compute::user_data(path);
    let found = read.map(|data| format!("{}, {} characters in base64", path.display(), data.len()));
    line("cloud-init file", found)
}

fn external_addresses(session: &mut Session) -> Vec<CheckLine> {
    let description = session.settings().floating_ip_description.clone();
    let addresses = match network::external_addresses(session) {
        Ok(addresses) => addresses,
        Err(error) => return vec![line("floating IPs", Err(error))],
    };
    if addresses.is_empty() {
        let text = network::no_address(&description);
        return vec![CheckLine {
            what: "floating IPs".to_owned(),
            found: Err(text),
            warning: false,
        }];
    }
    let lines = addresses.into_iter().map(|address| {
        let holder = address.holder.map_or("unbound".to_owned(), |holder| format!("on {holder}"));
        line("floating IP", Ok(format!("{} ({}), {holder}", address.address, address.id)))
    });
    lines.collect()
}
