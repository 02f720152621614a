//! The settings of the lease: of several scalers of one pool, one acts.

use std::path::Path;

use crate::config::parse::{self, choice, has_host, seconds, text_of};
use crate::config::proxies::proxies;
use crate::config::reader::{NOT_SHOWN, Reader};
use crate::config::table::{
    APP_LEASE, APP_LEASE_NAME, APP_LEASE_SECONDS, APP_NAME, ETCDCTL_CACERT, ETCDCTL_CERT,
    ETCDCTL_ENDPOINTS, ETCDCTL_KEY, ETCDCTL_PASSWORD, ETCDCTL_PASSWORD_FILE, ETCDCTL_USER,
    OPENSTACK_METADATA_VALUE, Setting,
};
use crate::settings::{
    ClientCertificate, Config, EtcdLogin, EtcdSettings, LeaseKind, LeaseSettings, ProviderSettings,
};

/// Less leaves a third of it too short for a request to a cloud; more than an hour is no takeover.
const SECONDS: std::ops::RangeInclusive<u64> = 6..=3600;

/// An image's name has 255, and something stands before it.
const NAME_CHARACTERS_MAX: usize = 200;

/// Linux's own; `HOSTNAME` is set by shells and container engines, but not by service managers.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    None,
    OpenStack,
    Etcd,
}

/// Reads them; `config` is what was read before.
pub fn settings(reader: &mut Reader<'_>, config: &Config) -> Option<LeaseSettings> {
    let words = [("none", Word::None), ("openstack", Word::OpenStack), ("etcd", Word::Etcd)];
    let word = reader.optional(&APP_LEASE, choice(words));
    let validity = reader.value(&APP_LEASE_SECONDS, seconds(SECONDS));
    let given_name = reader.optional(&APP_LEASE_NAME, text_of(NAME_CHARACTERS_MAX));
    let given_holder = reader.optional(&APP_NAME, text_of(NAME_CHARACTERS_MAX));
    let kind = match word? {
        Word::None => return None,
        Word::OpenStack => {
            if matches!(config.provider, ProviderSettings::Simulated)
                && reader.all_sound(&[&crate::config::table::PROVIDER])
            {
                let text =
                    "APP_LEASE \"openstack\": the simulated cloud has no images; use etcd, or none";
                reader.fault(&APP_LEASE, text);
            }
            LeaseKind::OpenStack
        }
        Word::Etcd => LeaseKind::Etcd(Box::new(etcd(reader))),
    };
    let name = match given_name {
        Some(name) => name,
        None => mark(reader, config),
    };
    let holder = given_holder.unwrap_or_else(|| host_name(reader));
    Some(LeaseSettings { kind, validity, name, holder })
}

/// What holds for the whole run and was most likely not meant that way.
pub fn standing_warnings(reader: &mut Reader<'_>, lease: Option<&LeaseSettings>) -> Vec<String> {
    let Some(lease) = lease else {
        let without_effect: Vec<&str> = [&APP_LEASE_SECONDS, &APP_LEASE_NAME]
            .into_iter()
            .filter(|setting| reader.given(setting).is_some())
            .map(|setting| setting.name)
            .collect();
        let text = "no effect without APP_LEASE: this scaler acts, whether or not others do";
        let named = without_effect.join(" and ");
        return if named.is_empty() { vec![] } else { vec![format!("{named}: {text}")] };
    };
    let LeaseKind::Etcd(etcd) = &lease.kind else { return Vec::new() };
    let mut in_clear = etcd.endpoints.iter().filter(|endpoint| {
        endpoint.strip_prefix("http://").is_some_and(|host| !parse::on_this_machine(host))
    });
    match in_clear.next() {
        Some(endpoint) if etcd.login.is_some() => vec![format!(
            "ETCDCTL_ENDPOINTS: {endpoint} is not https: the password goes over the network unencrypted"
        )],
        _ => Vec::new(),
    }
}

/// The default of the lease's name. Two scalers that hold different ones both act, so nothing is guessed here: the mark's
/// own default is settled by a look at the cloud, and who sets it later on one machine first must not get a second lease.
fn mark(reader: &mut Reader<'_>, config: &Config) -> String {
    if !reader.all_sound(&[&APP_LEASE_NAME, &OPENSTACK_METADATA_VALUE]) {
        return String::new();
    }
    let Some(value) = &config.mark.value else {
        let text = "OPENSTACK_METADATA_VALUE: must be set with APP_LEASE, because the lease is named after the pool's \
                    mark; or set APP_LEASE_NAME";
        reader.fault(&OPENSTACK_METADATA_VALUE, text);
        return String::new();
    };
    let name = format!("{}={value}", config.mark.key);
    if name.chars().count() > NAME_CHARACTERS_MAX {
        let text = format!(
            "APP_LEASE_NAME: must be set, because the pool's mark is too long to name the lease (more than \
             {NAME_CHARACTERS_MAX} characters)"
        );
        reader.fault(&APP_LEASE_NAME, text);
    }
    name
}

fn host_name(reader: &Reader<'_>) -> String {
    let read = reader.read_file(Path::new(HOST_NAME)).unwrap_or_default();
    let names = [read.trim(), reader.variable("HOSTNAME").unwrap_or_default().trim()];
    let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or("unnamed");
    name.chars().filter(|c| !c.is_control()).take(NAME_CHARACTERS_MAX).collect()
}

fn etcd(reader: &mut Reader<'_>) -> EtcdSettings {
    let has_certificates =
        [&ETCDCTL_CACERT, &ETCDCTL_CERT].into_iter().any(|setting| reader.given(setting).is_some());
    let scheme = if has_certificates { "https" } else { "http" };
    let endpoints = reader.optional(&ETCDCTL_ENDPOINTS, |value| endpoints(value, scheme));
    if endpoints.is_none() && reader.all_sound(&[&ETCDCTL_ENDPOINTS]) {
        // etcdctl's own default is this machine: on two machines that would be two leases.
        reader.fault(&ETCDCTL_ENDPOINTS, "ETCDCTL_ENDPOINTS: must be set with APP_LEASE=etcd");
    }
    EtcdSettings {
        endpoints: endpoints.unwrap_or_default(),
        cacert: reader.certificates(&ETCDCTL_CACERT),
        certificate: certificate(reader),
        login: login(reader),
        proxies: proxies(reader),
    }
}

fn endpoints(value: &str, scheme: &str) -> parse::Parsed<Vec<String>> {
    text_of(4096)(value)?;
    let endpoint = |part: &str| {
        let part = part.trim().trim_end_matches('/');
        let url = if part.contains("://") { part.to_owned() } else { format!("{scheme}://{part}") };
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        rest.is_some_and(has_host).then_some(url)
    };
    value.split(',').map(endpoint).collect::<Option<Vec<_>>>().ok_or_else(|| {
        "must be addresses like https://etcd-1.example.org:2379, separated by commas".to_owned()
    })
}

fn certificate(reader: &mut Reader<'_>) -> Option<ClientCertificate> {
    let together = [&ETCDCTL_CERT, &ETCDCTL_KEY];
    let given = together.map(|setting| reader.given(setting).is_some());
    let lacks: Option<(&'static Setting, &'static Setting)> = match given {
        [true, false] => Some((&ETCDCTL_CERT, &ETCDCTL_KEY)),
        [false, true] => Some((&ETCDCTL_KEY, &ETCDCTL_CERT)),
        _ => None,
    };
    let (certificate, key) = (reader.certificates(&ETCDCTL_CERT), reader.private_key(&ETCDCTL_KEY));
    if let Some((is, lacks)) = lacks
        && reader.all_sound(&[is])
    {
        reader.fault(lacks, format!("{}: must be set with {}", lacks.name, is.name));
    }
    Some(ClientCertificate { cert: certificate?, key: Some(key?) })
}

fn login(reader: &mut Reader<'_>) -> Option<EtcdLogin> {
    let password = [&ETCDCTL_PASSWORD, &ETCDCTL_PASSWORD_FILE]
        .into_iter()
        .find(|setting| reader.given(setting).is_some());
    let Some(given) = reader.given(&ETCDCTL_USER) else {
        if let Some(setting) = password {
            reader.fault(setting, format!("{}: needs ETCDCTL_USER, too", setting.name));
        }
        return None;
    };
    let Some((user, secret)) = given.value.split_once(':') else {
        let user = reader.optional(&ETCDCTL_USER, text_of(NAME_CHARACTERS_MAX))?;
        return Some(EtcdLogin {
            user,
            password: reader.secret(&ETCDCTL_PASSWORD, &ETCDCTL_PASSWORD_FILE),
        });
    };
    if let Some(setting) = password {
        let text =
            format!("ETCDCTL_USER and {}: both hold a password; set one of them", setting.name);
        reader.fault(&ETCDCTL_USER, text);
    }
    match text_of(NAME_CHARACTERS_MAX)(user) {
        Ok(user) if !user.is_empty() && !secret.is_empty() => {
            reader.holds(&ETCDCTL_USER, Some(&format!("{user}:{NOT_SHOWN}")));
            Some(EtcdLogin { user, password: reader.as_given("ETCDCTL_USER", secret) })
        }
        _ => {
            let text = "ETCDCTL_USER: must be NAME, or NAME:PASSWORD (its value is not shown here)";
            reader.fault(&ETCDCTL_USER, text);
            None
        }
    }
}
