//! What is read of a cloud, a profile or a region: which keys, and their values.

use std::collections::BTreeMap;

/// The keys of `auth` that are read.
pub const AUTH_KEYS: [&str; 17] = [
    "application_credential_id",
    "application_credential_name",
    "application_credential_secret",
    "auth_url",
    "domain_id",
    "domain_name",
    "password",
    "project_domain_id",
    "project_domain_name",
    "project_id",
    "project_name",
    "tenant_id",
    "tenant_name",
    "user_domain_id",
    "user_domain_name",
    "user_id",
    "username",
];

/// The keys of a cloud that are read, beside `auth`, `regions` and, of old, those of `auth`.
pub const CLOUD_KEYS: [&str; 16] = [
    "auth_plugin",
    "auth_type",
    "cacert",
    "cert",
    "cloud",
    "compute_endpoint_override",
    "endpoint_type",
    "identity_api_version",
    "image_endpoint_override",
    "insecure",
    "interface",
    "key",
    "network_endpoint_override",
    "profile",
    "region_name",
    "verify",
];

/// Texts by key; a `null` is a text that is not there.
pub type Texts = BTreeMap<&'static str, String>;

/// What a cloud, a profile or a region holds.
#[derive(Default, PartialEq, Eq)]
pub struct Values {
    /// What stands in `auth`; `None` without that key.
    pub auth: Option<Texts>,
    /// What stands beside it.
    pub other: Texts,
}

/// A cloud or a profile.
#[derive(Default, PartialEq, Eq)]
pub struct Cloud {
    /// Its values.
    pub values: Values,
    /// Its regions, if it lists them.
    pub regions: Option<Vec<Region>>,
}

/// A region of a cloud.
#[derive(Default, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// What holds in it.
    pub values: Values,
}
