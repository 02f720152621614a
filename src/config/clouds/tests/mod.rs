//! Clouds files as they are: what they come to, and what is said of those that come to nothing.

mod labels;
mod table;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Files that are there, and nothing else is. Paths that are not absolute are in the working directory.
pub struct Files(BTreeMap<PathBuf, String>);

impl Files {
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let at = |path: &str| Path::new(".").join(path);
        Files(files.into_iter().map(|(path, text)| (at(path), text)).collect())
    }

    pub fn read(&self, path: &Path) -> io::Result<String> {
        let found = self.0.get(&Path::new(".").join(path)).cloned();
        found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

pub fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let home = [("HOME", "/home/ann")];
    let all = home.iter().chain(variables);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
