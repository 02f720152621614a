//! What a creation needs beside its own settings: names resolved to ids, and files read, both afresh each time.

use std::path::Path;

use serde_json::{Value, json};

use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::provider::openstack::session::Session;
use crate::provider::openstack::{compute, image, microversion, network, same_id, security_groups};
use crate::server_file::{BYTES_MAX, ServerFile};
use crate::settings::{BootVolume, OpenStackSettings};

/// The microversion from which a block device may name its volume's type.
const VOLUME_TYPE_SINCE: u32 = 67;

/// Everything `POST /servers` says of the new servers but their names and marks.
pub struct Ingredients {
    /// The flavor's id.
    pub flavor: String,
    /// The image's id.
    pub image: String,
    /// The networks, as `networks` lists them: one of them is the pool's.
    pub networks: Value,
    /// The name of the pool's network.
    pub network_name: String,
    /// The key pair's name.
    pub keypair: Option<String>,
    /// The cloud-init file in base64.
    pub user_data: Option<String>,
    /// Ids of the security groups; empty: the project's default group.
    pub security_groups: Vec<String>,
    /// The availability zone's name.
    pub availability_zone: Option<String>,
    /// The volume to boot from.
    pub boot_volume: Option<BootVolume>,
    /// Further fields, and the scheduler hints.
    pub file: ServerFile,
}

/// Looks everything up and reads every file.
pub fn gather(session: &mut Session) -> Result<Ingredients> {
    let settings = session.settings().clone();
    let user_data = settings.cloud_init_file.as_deref().map(compute::user_data).transpose()?;
    let file = server_file(&settings)?;
    fits(session, &settings, &file)?;
    let flavor = compute::flavor(session, &settings.flavor)?.id;
    let image = image::image(session, &settings.image)?.id;
    let network = network::network(session, &settings.network)?;
    let mut security_groups = Vec::new();
    for wanted in security_groups::wanted(&settings, &file) {
        security_groups.push(security_groups::security_group(session, &wanted)?.id);
    }
    Ok(Ingredients {
        flavor,
        image,
        networks: networks(&settings, &file, &network.id)?,
        network_name: network.name().to_owned(),
        keypair: settings.keypair,
        user_data,
        security_groups,
        availability_zone: settings.options.availability_zone,
        boot_volume: settings.options.boot_volume,
        file,
    })
}

/// `OPENSTACK_SERVER_FILE` as it is now; without one there is nothing in it.
pub fn server_file(settings: &OpenStackSettings) -> Result<ServerFile> {
    let Some(path) = &settings.options.server_file else { return Ok(ServerFile::default()) };
    let read = files::read(path, BYTES_MAX).and_then(|bytes| {
        let text = str::from_utf8(&bytes).map_err(|_| "is not UTF-8".to_owned())?;
        ServerFile::read(text, settings)
    });
    read.map_err(|why| of_file(path, &why))
}

fn of_file(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Setting, format!("OPENSTACK_SERVER_FILE {}: {why}", path.display()))
}

/// Whether this cloud can make such servers at all: what Nova would answer with a failure of its own, or with servers
/// in error, is reported before it is asked.
pub fn fits(session: &mut Session, settings: &OpenStackSettings, file: &ServerFile) -> Result<()> {
    let login = session.login()?;
    let minor = microversion::minor(login.microversion.as_deref());
    if let Some(path) = &settings.options.server_file
        && let Some(misfit) = file.misfit(minor)
    {
        return Err(of_file(path, &misfit));
    }
    let Some(volume) = &settings.options.boot_volume else { return Ok(()) };
    let setting = |text: String| Err(Error::new(ErrorKind::Setting, text));
    if !login.endpoints.has_volumes {
        return setting(
            "OPENSTACK_BOOT_VOLUME_SIZE: this cloud has no volumes (no block-storage service in its catalog); unset it, and \
             take a flavor with a disk"
                .to_owned(),
        );
    }
    if volume.volume_type.is_some() && minor < VOLUME_TYPE_SINCE {
        return setting(format!(
            "OPENSTACK_BOOT_VOLUME_TYPE needs microversion 2.{VOLUME_TYPE_SINCE} or later, and this program uses \
             2.{minor} with this cloud"
        ));
    }
    Ok(())
}

/// Those of the file, if it has some: then the pool's has to be among them, for that is where replicas are asked.
pub fn networks(settings: &OpenStackSettings, file: &ServerFile, pool: &str) -> Result<Value> {
    let Some(ids) = file.networks() else { return Ok(json!([{ "uuid": pool }])) };
    if ids.iter().any(|id| same_id(id, pool)) {
        return Ok(file.server.get("networks").cloned().unwrap_or_default());
    }
    let path = settings.options.server_file.as_deref().unwrap_or(Path::new(""));
    let why = format!(
        "\"networks\" lacks OPENSTACK_NETWORK \"{}\", on which replicas are asked: add {{\"uuid\": \"{pool}\"}}",
        settings.network
    );
    Err(of_file(path, &why))
}
