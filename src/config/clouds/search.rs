//! Where clouds files are looked for: as `OpenStack`'s own SDK does (its manual, "Configuration").

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::parse::ReadFile;
use crate::files::cannot_be_read;

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `clouds.yaml`: the clouds.
    Clouds,
    /// `secure.yaml`: laid over it; what it holds is nobody else's business.
    Secure,
    /// `clouds-public.yaml`: profiles of clouds, to be shared.
    Public,
}

impl Kind {
    fn stem(self) -> &'static str {
        match self {
            Kind::Clouds => "clouds",
            Kind::Secure => "secure",
            Kind::Public => "clouds-public",
        }
    }

    /// The variable that names a file of this kind.
    fn variable(self) -> Option<&'static str> {
        match self {
            Kind::Clouds => Some("OS_CLIENT_CONFIG_FILE"),
            Kind::Secure => Some("OS_CLIENT_SECURE_FILE"),
            Kind::Public => None,
        }
    }
}

/// A file that was found.
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
}

/// What a search came to.
#[derive(Default)]
pub struct Search {
    /// The first file that can be read.
    pub file: Option<File>,
    /// Those before it that we may not read. The SDK passes them by, too: of a home that is not ours it can't even be told
    /// whether there is a file.
    pub denied: Vec<PathBuf>,
    /// Where it was looked for.
    pub looked: Vec<PathBuf>,
}

/// The first file of this kind. One that a variable names must be there.
pub fn find(
    kind: Kind,
    environment: &BTreeMap<String, String>,
    read_file: ReadFile<'_>,
) -> Result<Search, String> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    if let Some((variable, path)) = kind.variable().and_then(|name| Some((name, set(name)?))) {
        let path = PathBuf::from(path);
        let text = read_file(&path).map_err(|error| {
            format!("{variable} \"{}\": {}", path.display(), cannot_be_read(&path, &error))
        })?;
        let file = Some(File { path, text });
        return Ok(Search { file, ..Search::default() });
    }
    let mut search = Search { looked: directories(environment), ..Search::default() };
    for directory in &search.looked {
        for ending in ["yaml", "yml", "json"] {
            let path = directory.join(format!("{}.{ending}", kind.stem()));
            match read_file(&path) {
                Ok(text) => {
                    search.file = Some(File { path, text });
                    return Ok(search);
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    search.denied.push(path);
                }
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    return Err(format!("{}: is not UTF-8", path.display()));
                }
                Err(error) if error.kind() == ErrorKind::IsADirectory => {
                    return Err(format!("{}: {}", path.display(), cannot_be_read(&path, &error)));
                }
                Err(_) => {}
            }
        }
    }
    Ok(search)
}

fn directories(environment: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let absolute =
        |name: &str| environment.get(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let own = absolute("XDG_CONFIG_HOME");
    let home = absolute("HOME").map(|home| home.join(".config"));
    let mut all = vec![PathBuf::from(".")];
    for config in [own, home, Some(PathBuf::from("/etc"))].into_iter().flatten() {
        let directory = config.join("openstack");
        if !all.contains(&directory) {
            all.push(directory);
        }
    }
    all
}

/// `~` at the beginning of a path, as in a shell.
pub fn expand(path: &str, environment: &BTreeMap<String, String>) -> String {
    let home = environment.get("HOME").filter(|home| !home.is_empty());
    match (path.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            Path::new(home).display().to_string() + rest
        }
        _ => path.to_owned(),
    }
}
