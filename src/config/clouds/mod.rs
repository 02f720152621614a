//! `clouds.yaml`: the login that every user of `OpenStack` has. With `OS_CLOUD` set, what it holds goes before the `OS_*`
//! variables, and they fill what it leaves open.
//!
//! `search` finds the files, `read` reads what they tell of one cloud (`kinds` and `visit` are how), `lay` lays profile,
//! cloud, secrets and region over each other, `meaning` tells which setting each key is, `environment` which variables lose.

mod environment;
mod kinds;
mod lay;
mod meaning;
pub mod read;
mod search;
#[cfg(test)]
mod tests;
pub mod values;
mod visit;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub use environment::without_losers;

use crate::config::clouds::lay::{Laid, Source, profile_name, regions};
use crate::config::clouds::read::{Fault, Found};
use crate::config::clouds::search::{File, Kind, Search, find};
use crate::config::parse::{ReadFile, SHOWN_CHARACTERS_MAX};
use crate::error::one_line;
use crate::files::denied;
use crate::settings::CloudSource;

/// A setting's value from a file.
#[derive(Clone, PartialEq, Eq)]
pub struct FileValue {
    /// Where it stands: the file and the keys.
    pub label: String,
    /// What it is; never empty.
    pub value: String,
}

/// A cloud of a file: settings by the name of their variable.
#[derive(Clone, Default)]
pub struct FromFile {
    /// Which cloud of which file.
    pub source: CloudSource,
    /// Its values.
    pub values: BTreeMap<&'static str, FileValue>,
    /// What is odd and yet goes.
    pub warnings: Vec<String>,
}

impl FromFile {
    /// In place of a cloud that could not be read: enough of it that no fault of the login is found beside.
    pub fn unknown() -> Self {
        let value = |name| (name, FileValue { label: String::new(), value: "unknown".to_owned() });
        let names = ["OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_ID"].map(value);
        let url = FileValue { label: String::new(), value: "https://unknown".to_owned() };
        let values = names.into_iter().chain([("OS_AUTH_URL", url)]).collect();
        FromFile { values, ..FromFile::default() }
    }
}

/// Reads the cloud that `OS_CLOUD` names; `None` when it names none. An error is one line for each fault.
pub fn load(
    environment: &BTreeMap<String, String>,
    read_file: ReadFile<'_>,
) -> Option<Result<FromFile, String>> {
    let name = environment.get("OS_CLOUD").filter(|name| !name.is_empty())?;
    let shown = format!("OS_CLOUD \"{}\"", one_line(name, SHOWN_CHARACTERS_MAX));
    let loaded = Loader { environment, read_file, name, warnings: Vec::new() }.load();
    // Which setting led there.
    Some(loaded.map_err(|fault| format!("{shown}: {fault}")))
}

struct Loader<'a> {
    environment: &'a BTreeMap<String, String>,
    read_file: ReadFile<'a>,
    name: &'a str,
    warnings: Vec<String>,
}

impl Loader<'_> {
    fn load(mut self) -> Result<FromFile, String> {
        let clouds = self.find(Kind::Clouds)?;
        let secure = self.find(Kind::Secure)?;
        // Before what borrows them.
        let (profile, public);
        let mut sources = Vec::new();
        let mut others = Vec::new();
        for file in [&clouds.file, &secure.file].into_iter().flatten() {
            let found = read_of(file, "clouds", self.name)?;
            others.extend(found.others);
            sources.extend(found.cloud.map(|cloud| Source {
                file: &file.path,
                section: "clouds",
                name: self.name,
                cloud,
            }));
        }
        if sources.is_empty() {
            return Err(no_such_cloud(&clouds, &secure, &others));
        }
        let files: Vec<PathBuf> =
            sources.iter().map(|source: &Source<'_>| source.file.to_owned()).collect();
        let mut source = CloudSource { name: self.name.to_owned(), files };
        if let Some(name) = profile_name(&sources) {
            (profile, public) = (name, self.find(Kind::Public)?);
            let found = Self::profile(&profile, &public)?;
            source.files.push(found.file.to_owned());
            sources.insert(0, found);
        }
        let wanted = self.environment.get("OS_REGION_NAME").map_or("", String::as_str);
        let region = regions(&sources, wanted)?;
        let mut laid = Laid::default();
        for source in &sources {
            laid.lay(source);
        }
        if let Some(region) = &region {
            laid.lay_region(region);
        }
        self.warn_of_readers(&laid);
        let values = meaning::values(&laid, self.environment);
        Ok(FromFile { source, values, warnings: self.warnings })
    }

    fn find(&mut self, kind: Kind) -> Result<Search, String> {
        let search = find(kind, self.environment, self.read_file)?;
        // Of a directory that may not be entered it can't be told whether there is such a file; and without any clouds.yaml
        // that is told with the fault.
        let passed_by = |path: &&PathBuf| match (&search.file, kind) {
            (Some(_), _) => true,
            (None, Kind::Clouds) => false,
            (None, Kind::Secure | Kind::Public) => fs::metadata(path).is_ok(),
        };
        for path in search.denied.iter().filter(passed_by) {
            let (shown, why) = (path.display(), denied(path));
            let instead = match &search.file {
                Some(file) => format!("{} is used", file.path.display()),
                None => "its contents are not used".to_owned(),
            };
            self.warnings.push(format!("{shown}: {why}; {instead}"));
        }
        Ok(search)
    }

    /// The SDK knows some profiles by heart, and would even fetch one from a web page; here only the file counts.
    fn profile<'f>(profile: &'f str, public: &'f Search) -> Result<Source<'f>, String> {
        let shown = one_line(profile, SHOWN_CHARACTERS_MAX);
        let advice = "write its values (auth_url, region_name) into the cloud instead, and take \"profile\" out";
        let Some(file) = &public.file else {
            return Err(format!(
                "its profile \"{shown}\" must be in a clouds-public.yaml, and there is none; {advice}"
            ));
        };
        let found = read_of(file, "public-clouds", profile)?;
        let Some(cloud) = found.cloud else {
            let file = file.path.display();
            return Err(format!("{file} has no profile \"{shown}\"; {advice}"));
        };
        Ok(Source { file: &file.path, section: "public-clouds", name: profile, cloud })
    }

    fn warn_of_readers(&mut self, laid: &Laid) {
        for file in laid.files_with_secrets() {
            if others_may_read(file) {
                let file = file.display();
                self.warnings.push(format!(
                    "{file} holds a secret, and every user of this machine may read it: let only the user this program \
                     runs as read it (chmod 600 and chown; LoadCredential= of a systemd service)"
                ));
            }
        }
    }
}

fn no_such_cloud(clouds: &Search, secure: &Search, others: &[String]) -> String {
    let passed_by: Vec<String> = [clouds, secure]
        .iter()
        .flat_map(|search| &search.denied)
        .map(|path| format!("; {}: {}", path.display(), denied(path)))
        .collect();
    let passed_by = passed_by.concat();
    let Some(file) = clouds.file.as_ref().or(secure.file.as_ref()) else {
        let looked: Vec<String> =
            clouds.looked.iter().map(|path| path.display().to_string()).collect();
        let looked = looked.join(", ");
        return format!(
            "no clouds.yaml in {looked}{passed_by}; OS_CLIENT_CONFIG_FILE can name one elsewhere"
        );
    };
    let have = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
    let have = one_line(&have, SHOWN_CHARACTERS_MAX * 4);
    format!("{} has no such cloud (have: {have}){passed_by}", file.path.display())
}

fn read_of(file: &File, section: &'static str, wanted: &str) -> Result<Found, String> {
    read::read(&file.text, section, wanted).map_err(|Fault { place, text }| {
        let place = place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        format!("{}{place}: {}", file.path.display(), one_line(&text, SHOWN_CHARACTERS_MAX * 4))
    })
}

fn others_may_read(path: &Path) -> bool {
    const READ_BY_OTHERS: u32 = 0o004;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & READ_BY_OTHERS != 0)
}
