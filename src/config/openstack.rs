//! The settings of an `OpenStack` cloud: where it is, who we are, what the VMs are made of.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::parse::{self, boolean, choice, file, seconds, text, texts, whole};
use crate::config::proxies::proxies;
use crate::config::reader::{Reader, quoted};
use crate::config::table::{
    OPENSTACK_API_TIMEOUT, OPENSTACK_AVAILABILITY_ZONE, OPENSTACK_BOOT_VOLUME_SIZE,
    OPENSTACK_BOOT_VOLUME_TYPE, OPENSTACK_CLOUD_INIT_FILE, OPENSTACK_FLAVOR,
    OPENSTACK_FLOATING_IP_DESCRIPTION, OPENSTACK_IMAGE, OPENSTACK_KEYPAIR, OPENSTACK_METADATA_KEY,
    OPENSTACK_NETWORK, OPENSTACK_SECURITY_GROUPS, OPENSTACK_SERVER_FILE,
    OS_APPLICATION_CREDENTIAL_ID, OS_APPLICATION_CREDENTIAL_NAME, OS_APPLICATION_CREDENTIAL_SECRET,
    OS_APPLICATION_CREDENTIAL_SECRET_FILE, OS_AUTH_TYPE, OS_AUTH_URL, OS_CACERT, OS_CERT,
    OS_CLIENT_CONFIG_FILE, OS_CLIENT_SECURE_FILE, OS_CLOUD, OS_COMPUTE_ENDPOINT_OVERRIDE,
    OS_IDENTITY_API_VERSION, OS_IMAGE_ENDPOINT_OVERRIDE, OS_INSECURE, OS_INTERFACE, OS_KEY,
    OS_NETWORK_ENDPOINT_OVERRIDE, OS_PASSWORD, OS_PASSWORD_FILE, OS_PROJECT_DOMAIN_ID,
    OS_PROJECT_DOMAIN_NAME, OS_PROJECT_ID, OS_PROJECT_NAME, OS_REGION_NAME, OS_USER_DOMAIN_ID,
    OS_USER_DOMAIN_NAME, OS_USER_ID, OS_USERNAME, Setting,
};
use crate::files::{cannot_be_read, no_file, too_large, too_large_for_nova};
use crate::server_file::{BYTES_MAX, ServerFile};
use crate::settings::{
    ApplicationCredential, BootVolume, ClientCertificate, CloudSource, Credentials, Domain,
    EndpointOverrides, OpenStackSettings, Project, ServerOptions, User,
};

/// Reads the cloud's part.
pub fn settings(reader: &mut Reader<'_>) -> OpenStackSettings {
    let versions = [("3", ()), ("v3", ()), ("3.0", ())];
    reader.value(&OS_IDENTITY_API_VERSION, |value| {
        choice(versions)(value).map_err(|_| "must be 3: no other version is supported".to_owned())
    });
    reader.optional(&OS_CLOUD, text);
    reader.optional(&OS_CLIENT_CONFIG_FILE, file);
    reader.optional(&OS_CLIENT_SECURE_FILE, file);
    let region = reader.value(&OS_REGION_NAME, text);
    let settings = OpenStackSettings {
        auth_url: auth_url(reader),
        credentials: credentials(reader),
        cloud: reader.file().map(|file| file.source.clone()),
        region: reader.given(&OS_REGION_NAME).map(|_| region),
        // The default is for one cloud, and a file may be about any.
        default_region: if reader.file().is_some() { None } else { OS_REGION_NAME.default() },
        endpoint_overrides: EndpointOverrides {
            compute: endpoint(reader, &OS_COMPUTE_ENDPOINT_OVERRIDE),
            network: endpoint(reader, &OS_NETWORK_ENDPOINT_OVERRIDE),
            image: endpoint(reader, &OS_IMAGE_ENDPOINT_OVERRIDE),
        },
        interface: reader.value(&OS_INTERFACE, interface),
        flavor: reader.value(&OPENSTACK_FLAVOR, text),
        image: reader.value(&OPENSTACK_IMAGE, text),
        network: reader.value(&OPENSTACK_NETWORK, text),
        metadata_key: reader.value(&OPENSTACK_METADATA_KEY, |key| Ok(key.to_owned())),
        floating_ip_description: reader.value(&OPENSTACK_FLOATING_IP_DESCRIPTION, text),
        keypair: reader.optional(&OPENSTACK_KEYPAIR, text),
        cloud_init_file: cloud_init_file(reader),
        options: options(reader),
        timeout: reader.value(&OPENSTACK_API_TIMEOUT, seconds(1..=super::REQUEST_SECONDS_MAX)),
        cacert: reader.certificates(&OS_CACERT),
        insecure: reader.value(&OS_INSECURE, boolean),
        client_certificate: client_certificate(reader),
        proxies: proxies(reader),
    };
    server_file(reader, &settings);
    settings
}

/// Volumes of Cinder are counted in a signed number of 32 bits.
const VOLUME_GIB_MAX: u64 = i32::MAX as u64;

fn options(reader: &mut Reader<'_>) -> ServerOptions {
    let size = reader.optional(&OPENSTACK_BOOT_VOLUME_SIZE, whole(1..=VOLUME_GIB_MAX));
    let volume_type = reader.optional(&OPENSTACK_BOOT_VOLUME_TYPE, text);
    if volume_type.is_some() && reader.given(&OPENSTACK_BOOT_VOLUME_SIZE).is_none() {
        reader.fault(
            &OPENSTACK_BOOT_VOLUME_TYPE,
            "OPENSTACK_BOOT_VOLUME_TYPE: needs OPENSTACK_BOOT_VOLUME_SIZE: without it there is no boot volume",
        );
    }
    ServerOptions {
        security_groups: reader.value(&OPENSTACK_SECURITY_GROUPS, texts),
        availability_zone: reader.optional(&OPENSTACK_AVAILABILITY_ZONE, text),
        boot_volume: size.map(|size_gib| BootVolume { size_gib, volume_type }),
        server_file: reader.optional(&OPENSTACK_SERVER_FILE, file),
    }
}

/// Whoever starts the program is there to mend the file; later on a wrong one only fails the creation.
fn server_file(reader: &mut Reader<'_>, settings: &OpenStackSettings) {
    let Some(path) = &settings.options.server_file else { return };
    let read = read_again_and_again(reader, path).and_then(|text| {
        if text.len() as u64 > BYTES_MAX {
            return Err(too_large(BYTES_MAX));
        }
        ServerFile::read(&text, settings)
    });
    if let Err(why) = read {
        let path = path.display();
        reader.fault(&OPENSTACK_SERVER_FILE, format!("OPENSTACK_SERVER_FILE \"{path}\": {why}"));
    }
}

/// A directory or a pipe is a slip. Else the pool needs the file for creations only, so a daemon that starts anew without
/// it goes on with the rest.
fn cloud_init_file(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let path = reader.optional(&OPENSTACK_CLOUD_INIT_FILE, file)?;
    let told = quoted(reader.given(&OPENSTACK_CLOUD_INIT_FILE)?);
    if let Some(fault) = no_file(&path) {
        reader.fault(&OPENSTACK_CLOUD_INIT_FILE, format!("{told}: {fault}"));
        return None;
    }
    if let Some(why) = of_no_use(reader, &path) {
        reader.warn(format!("{told}: {why}"));
    }
    Some(path)
}

/// Why no VM can be created with the user data as it is now.
fn of_no_use(reader: &Reader<'_>, path: &Path) -> Option<String> {
    let bytes = match reader.read_file(path) {
        Ok(text) => text.len() as u64,
        // User data may be compressed.
        Err(error) if error.kind() == ErrorKind::InvalidData => fs::metadata(path).ok()?.len(),
        Err(error) => {
            let why = cannot_be_read(path, &error);
            return Some(format!("{why}; no VM is created until it can be"));
        }
    };
    let why = too_large_for_nova(bytes)?;
    Some(format!("{why}; no VM is created until it is smaller"))
}

fn read_again_and_again(reader: &Reader<'_>, path: &Path) -> parse::Parsed<String> {
    match no_file(path) {
        Some(fault) => Err(fault.to_owned()),
        None => reader.read_file(path).map_err(|error| cannot_be_read(path, &error)),
    }
}

/// What holds for the whole run and makes the login less safe.
pub fn standing_warnings(settings: &OpenStackSettings) -> Vec<String> {
    let mut warnings = Vec::new();
    let of = settings.cloud.as_ref().map(|cloud| format!(" ({cloud})")).unwrap_or_default();
    if settings.insecure {
        warnings.push(format!(
            "OS_INSECURE is on{of}: any host can pretend to be the cloud and take the password; OS_CACERT names your own \
             authority"
        ));
    }
    let host = settings.auth_url.strip_prefix("http://");
    if host.is_some_and(|host| !parse::on_this_machine(host)) {
        warnings.push(format!(
            "OS_AUTH_URL \"{}\"{of} is not https: the password goes over the network unencrypted",
            settings.auth_url
        ));
    }
    warnings
}

fn auth_url(reader: &mut Reader<'_>) -> String {
    if reader.file().is_some() && reader.given(&OS_AUTH_URL).is_none() {
        // The default is for one cloud, and a file may be about any.
        reader.missing(&OS_AUTH_URL, "OS_AUTH_URL: must be set");
        return String::new();
    }
    if holds_a_login(reader, &OS_AUTH_URL) {
        return String::new();
    }
    reader.value(&OS_AUTH_URL, parse::auth_url)
}

fn endpoint(reader: &mut Reader<'_>, setting: &'static Setting) -> Option<String> {
    if holds_a_login(reader, setting) {
        return None;
    }
    reader.optional(setting, parse::url)
}

/// Whatever stands before an @ may be a password, so the value is not shown.
fn holds_a_login(reader: &mut Reader<'_>, setting: &'static Setting) -> bool {
    let Some(given) = reader.given(setting).filter(|given| given.value.contains('@')) else {
        return false;
    };
    let text = format!(
        "{}: must not contain a user or a password (its value is not shown here); use OS_USERNAME and OS_PASSWORD",
        given.variable
    );
    reader.fault(setting, text);
    true
}

fn client_certificate(reader: &mut Reader<'_>) -> Option<ClientCertificate> {
    let key = reader.private_key(&OS_KEY);
    let cert = reader.certificates(&OS_CERT);
    if cert.is_none() && key.is_some() && reader.all_sound(&[&OS_CERT]) {
        reader.missing(&OS_CERT, "OS_CERT: must be set, because OS_KEY is");
    }
    Some(ClientCertificate { cert: cert?, key })
}

fn interface(value: &str) -> parse::Parsed<String> {
    let short = value.trim().to_ascii_lowercase();
    let short = short.strip_suffix("url").unwrap_or(&short);
    choice([("public", "public"), ("internal", "internal"), ("admin", "admin")])(short)
        .map(str::to_owned)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AuthType {
    Password,
    ApplicationCredential,
}

fn credentials(reader: &mut Reader<'_>) -> Credentials {
    match auth_type(reader) {
        AuthType::Password => Credentials::Password {
            user: user(reader),
            password: reader.secret(&OS_PASSWORD, &OS_PASSWORD_FILE),
            project: project(reader),
        },
        AuthType::ApplicationCredential => Credentials::ApplicationCredential {
            which: application_credential(reader),
            secret: reader
                .secret(&OS_APPLICATION_CREDENTIAL_SECRET, &OS_APPLICATION_CREDENTIAL_SECRET_FILE),
        },
    }
}

/// `OS_AUTH_TYPE` in keystoneauth's spellings; unset, an application credential is used as soon as there is one.
fn auth_type(reader: &mut Reader<'_>) -> AuthType {
    let file = reader.file().filter(|file| file.values.contains_key(OS_AUTH_TYPE.name));
    let named = reader.optional(&OS_AUTH_TYPE, |value| {
        let bare = value.trim().to_ascii_lowercase().replace(['_', '-'], "");
        match bare.strip_prefix("v3").unwrap_or(&bare) {
            "password" => Ok(AuthType::Password),
            "applicationcredential" => Ok(AuthType::ApplicationCredential),
            _ => Err(no_such_login(file.map(|file| &file.source))),
        }
    });
    let mut set = |setting| reader.given(setting).is_some();
    let any = set(&OS_APPLICATION_CREDENTIAL_ID)
        || set(&OS_APPLICATION_CREDENTIAL_NAME)
        || set(&OS_APPLICATION_CREDENTIAL_SECRET)
        || set(&OS_APPLICATION_CREDENTIAL_SECRET_FILE);
    named.unwrap_or(if any { AuthType::ApplicationCredential } else { AuthType::Password })
}

/// What to do where the way to log in is none of ours. What a file says of it goes before the variables.
fn no_such_login(file: Option<&CloudSource>) -> String {
    let then = match file {
        Some(source) => format!(
            "put auth_type: v3applicationcredential and, under auth, application_credential_id and \
             application_credential_secret into {source}"
        ),
        None => "set OS_APPLICATION_CREDENTIAL_ID and OS_APPLICATION_CREDENTIAL_SECRET".to_owned(),
    };
    format!(
        "must be password or v3applicationcredential: no other login is supported, not even a federated one; log in once \
         with OpenStack's own client, create an application credential (openstack application credential create NAME), \
         and {then}"
    )
}

fn application_credential(reader: &mut Reader<'_>) -> ApplicationCredential {
    if reader.given(&OS_APPLICATION_CREDENTIAL_ID).is_some() {
        return ApplicationCredential::Id(reader.value(&OS_APPLICATION_CREDENTIAL_ID, text));
    }
    if reader.given(&OS_APPLICATION_CREDENTIAL_NAME).is_none() {
        reader.missing(
            &OS_APPLICATION_CREDENTIAL_ID,
            "OS_APPLICATION_CREDENTIAL_ID: must be set, or OS_APPLICATION_CREDENTIAL_NAME and OS_USERNAME",
        );
        return ApplicationCredential::Id(String::new());
    }
    let name = reader.value(&OS_APPLICATION_CREDENTIAL_NAME, text);
    if let Some(id) = reader.optional(&OS_USER_ID, text) {
        return ApplicationCredential::Name { name, user: User::Id(id) };
    }
    if reader.given(&OS_USERNAME).is_none() {
        reader.missing(
            &OS_USERNAME,
            "OS_USERNAME: must be set, because OS_APPLICATION_CREDENTIAL_NAME is known only together with its user; or \
             set OS_APPLICATION_CREDENTIAL_ID",
        );
    }
    let user = User::Name { name: reader.value(&OS_USERNAME, text), domain: user_domain(reader) };
    ApplicationCredential::Name { name, user }
}

fn project(reader: &mut Reader<'_>) -> Project {
    if let Some(id) = reader.optional(&OS_PROJECT_ID, text) {
        return Project::Id(id);
    }
    let name = reader.optional(&OS_PROJECT_NAME, text);
    if name.is_none() && reader.all_sound(&[&OS_PROJECT_ID, &OS_PROJECT_NAME]) {
        reader.missing(&OS_PROJECT_ID, "OS_PROJECT_ID: must be set, or OS_PROJECT_NAME");
    }
    let domain = match reader.given(&OS_PROJECT_DOMAIN_NAME) {
        Some(_) if reader.given(&OS_PROJECT_DOMAIN_ID).is_none() => {
            Domain::Name(reader.value(&OS_PROJECT_DOMAIN_NAME, text))
        }
        _ => Domain::Id(reader.value(&OS_PROJECT_DOMAIN_ID, text)),
    };
    Project::Name { name: name.unwrap_or_default(), domain }
}

fn user_domain(reader: &mut Reader<'_>) -> Domain {
    match reader.optional(&OS_USER_DOMAIN_ID, text) {
        Some(id) => Domain::Id(id),
        None => Domain::Name(reader.value(&OS_USER_DOMAIN_NAME, text)),
    }
}

/// By id when there is one, as in keystoneauth: an id belongs to no domain.
fn user(reader: &mut Reader<'_>) -> User {
    match reader.optional(&OS_USER_ID, text) {
        Some(id) => User::Id(id),
        None => User::Name { name: username(reader), domain: user_domain(reader) },
    }
}

fn username(reader: &mut Reader<'_>) -> String {
    if reader.given(&OS_USERNAME).is_none() {
        let or = if reader.file().is_none() {
            " (or OS_CLOUD, for the login of a clouds.yaml)"
        } else {
            ""
        };
        reader.missing(&OS_USERNAME, &format!("OS_USERNAME: must be set{or}"));
    }
    reader.value(&OS_USERNAME, text)
}
