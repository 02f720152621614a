//! Everything a creation and a pass need, looked up and named, for `--check`.

use crate::error::Result;
use crate::http::shown;
use crate::provider::CheckLine;
use crate::provider::openstack::session::Session;
use crate::provider::openstack::{compute, image, network};
use crate::settings::OpenStackSettings;

/// Looks at everything; a fault does not stop the rest, but without a login there is no rest.
pub fn check(session: &mut Session, manage_addresses: bool) -> Vec<CheckLine> {
    let mut lines = Vec::new();
    let settings = session.settings().clone();
    let login = match session.login() {
        Ok(login) => login.clone(),
        Err(error) => {
            lines.push(line("login", Err(error)));
            lines.push(cloud_init(&settings));
            return lines;
        }
    };
    let minutes = login.life.as_secs() / 60;
    let project = format!("project {} ({})", login.project.name, login.project.id);
    lines.push(line("login", Ok(format!("{project}, a token lives {minutes} min"))));
    let endpoints = &login.endpoints;
    lines.push(line("region", Ok(endpoints.region.clone())));
    let version = login.microversion.as_deref().unwrap_or("2.1");
    lines.push(line(
        "compute",
        Ok(format!("{}, microversion {version}", shown(&endpoints.compute))),
    ));
    lines.push(line("network service", Ok(shown(&endpoints.network))));
    lines.push(line("image service", Ok(shown(&endpoints.image))));

    let flavor = compute::flavor(session, &settings.flavor);
    lines.push(line("flavor", flavor.map(|flavor| named(&flavor.name, &flavor.id))));
    let image = image::image(session, &settings.image);
    lines.push(line(
        "image",
        image.map(|image| named(image.name.as_deref().unwrap_or(""), &image.id)),
    ));
    let network = network::network(session, &settings.network);
    lines.push(line("network", network.map(|network| named(&network.name, &network.id))));
    lines.push(line("keypair", keypair(session, settings.keypair.as_deref())));
    lines.push(cloud_init(&settings));
    if manage_addresses {
        lines.extend(external_addresses(session));
    }
    lines
}

fn line(what: &str, found: Result<String>) -> CheckLine {
    CheckLine { what: what.to_owned(), found: found.map_err(|error| error.text) }
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
        let text = format!(
            "no floating IP of the project has the description \"{description}\" (OPENSTACK_FLOATING_IP_DESCRIPTION)"
        );
        return vec![CheckLine { what: "floating IPs".to_owned(), found: Err(text) }];
    }
    let lines = addresses.into_iter().map(|address| {
        let holder = address.holder.map_or("unbound".to_owned(), |holder| format!("on {holder}"));
        line("floating IP", Ok(format!("{} ({}), {holder}", address.address, address.id)))
    });
    lines.collect()
}
