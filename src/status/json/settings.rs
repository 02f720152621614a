//! The settings: what the pool goes by, and, in full detail, every setting that is in force.

use serde::{Serialize, Serializer};

use crate::settings::InForce;
use crate::status::pool_settings::PoolSettings;

/// The object `settings`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings<'a> {
    #[serde(flatten)]
    pool: &'a PoolSettings,
    /// By the variable; its values may be names and addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_force: Option<ByName>,
}

impl<'a> Settings<'a> {
    /// In the detail that the settings ask for.
    pub fn new(pool: &'a PoolSettings) -> Self {
        Settings { pool, in_force: pool.full.then(|| ByName(pool.in_force().collect())) }
    }
}

struct ByName(Vec<InForce>);

#[derive(Serialize)]
struct Entry<'a> {
    value: &'a str,
    /// `default`, `set` or `clouds.yaml`.
    from: &'static str,
}

impl Serialize for ByName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|InForce { name, value, origin }| {
            (*name, Entry { value: value.as_str(), from: origin.as_str() })
        }))
    }
}
