//! Which commit the program is built from, for `--version`: as `SIMPLESCALEVM_COMMIT` says, which who builds without Git
//! can set; as Git says; or as a source archive says (`git archive` fills `.commit` in). Else it is not told.
//!
//! Nothing else of the machine goes into the program: the same source gives the same bytes.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Letters of a commit that are shown: enough to name it for good, and few enough to read out.
const SHOWN: usize = 12;

/// What `git archive` writes the commit into, by `.gitattributes`.
const OF_ARCHIVE: &str = ".commit";

fn main() {
    let variable = "SIMPLESCALEVM_COMMIT";
    println!("cargo::rerun-if-env-changed={variable}");
    println!("cargo::rerun-if-changed={OF_ARCHIVE}");
    println!("cargo::rerun-if-changed=build.rs");
    let told = env::var_os(variable).and_then(|commit| commit.into_string().ok());
    let told = told.as_deref().and_then(shown);
    let commit = told.or_else(|| shown(&of_git()?)).or_else(|| shown(&of_archive()?));
    if let Some(commit) = commit {
        println!("cargo::rustc-env=SIMPLESCALEVM_SHOWN_COMMIT={commit}");
    }
}

/// What is shown of a commit; of what is none, nothing.
fn shown(commit: &str) -> Option<String> {
    let commit = commit.trim().get(..SHOWN)?;
    commit.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| commit.to_owned())
}

/// The commit of this very folder: a source archive may be unpacked within somebody else's repository.
fn of_git() -> Option<String> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let top = git(&here, ["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(top.trim()).ok()? != fs::canonicalize(&here).ok()? {
        return None;
    }
    // The log of HEAD grows with each commit, the file itself changes with each branch.
    for path in ["HEAD", "logs/HEAD"] {
        let file = git(&here, ["rev-parse", "--git-path", path])?;
        let file = here.join(file.trim());
        if file.exists() {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
    git(&here, ["rev-parse", "HEAD"])
}

fn git<const N: usize>(folder: &Path, arguments: [impl AsRef<OsStr>; N]) -> Option<String> {
    let ran = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    ran.status.success().then(|| String::from_utf8(ran.stdout).ok()).flatten()
}

fn of_archive() -> Option<String> {
    fs::read_to_string(OF_ARCHIVE).ok()
}
