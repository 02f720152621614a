//! Files that settings name: what stands in their place, and why one cannot be read, in words that say what to do.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Docker makes a directory where the file to mount is missing, and that is where nearly all of them come from.
const DIRECTORY: &str = "is a directory (docker makes one where the file to mount is missing)";

/// A pipe gives what it holds once, and would keep a pass waiting for whoever writes to it.
const PIPE: &str = "is a pipe or a socket, and has to be a file: it is read more than once";

/// Nova's own limit of `user_data`, in base64 characters.
const USER_DATA_CHARS_MAX: u64 = 65_535;

/// What is at `path`, if it is not a file that can be read more than once; `None` when it may be one, or when there is
/// nothing.
pub fn no_file(path: &Path) -> Option<&'static str> {
    let kind = fs::metadata(path).ok()?.file_type();
    if kind.is_dir() {
        Some(DIRECTORY)
    } else {
        (kind.is_fifo() || kind.is_socket()).then_some(PIPE)
    }
}

/// The file at `path`; a fault when it is none, or larger than `bytes_max`.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    if let Some(fault) = no_file(path) {
        return Err(fault.to_owned());
    }
    let unreadable = |error: io::Error| cannot_be_read(path, &error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max {
        return Err(too_large(bytes_max));
    }
    Ok(bytes)
}

/// What is said of user data of so many bytes, if Nova would not take it.
pub fn too_large_for_nova(bytes: u64) -> Option<String> {
    let characters = bytes.div_ceil(3).saturating_mul(4);
    (characters > USER_DATA_CHARS_MAX).then(|| {
        format!(
            "too large: {characters} characters in base64, and Nova takes {USER_DATA_CHARS_MAX}"
        )
    })
}

/// What is said of a file of more than so many bytes.
pub fn too_large(bytes_max: u64) -> String {
    format!("is larger than {} KiB", bytes_max / 1024)
}

/// More than any file that settings name: bundles of authorities have some hundred KiB.
const TEXT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The text at `path`, which may be a pipe (`<(pass show cloud)`).
pub fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(TEXT_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > TEXT_BYTES_MAX {
        return Err(io::Error::other(format!("it is larger than {} MiB", TEXT_BYTES_MAX >> 20)));
    }
    Ok(text)
}

/// `cannot be read: …`: why, and what to do where that is known.
pub fn cannot_be_read(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::IsADirectory => DIRECTORY.to_owned(),
        ErrorKind::PermissionDenied => format!("cannot be read: {}", denied(path)),
        _ => format!("cannot be read: {error}"),
    }
}

/// Why this user may not read `path`: who that is, and who owns what stands in the way.
pub fn denied(path: &Path) -> String {
    let me = user().map(|uid| format!("this program runs as uid {uid}, and "));
    let me = me.unwrap_or_default();
    match in_the_way(path) {
        Some((there, found)) if there == path => {
            let whose = whose(&found);
            format!(
                "permission denied: {me}the file {whose}; let that user read it (chown or chmod)"
            )
        }
        Some((there, found)) => {
            let (there, whose) = (there.display(), whose(&found));
            format!(
                "permission denied: {me}the directory {there} {whose}; let that user enter it (chown or chmod)"
            )
        }
        None => "permission denied".to_owned(),
    }
}

/// The file, or the last directory before it that can be looked at: the next one hides behind it.
fn in_the_way(path: &Path) -> Option<(&Path, Metadata)> {
    path.ancestors().find_map(|there| Some((there, fs::metadata(there).ok()?)))
}

fn whose(found: &Metadata) -> String {
    const PERMISSIONS: u32 = 0o7777;
    let mode = found.mode() & PERMISSIONS;
    format!("belongs to uid {}, gid {}, mode {mode:04o}", found.uid(), found.gid())
}

/// The user that this process counts as when it opens a file; std does not tell.
fn user() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    // Real, effective, saved, and for files.
    ids.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_may_not_be_read_is_told_with_its_owner_its_mode_and_who_we_are() {
        let error = io::Error::from(ErrorKind::PermissionDenied);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let found = fs::metadata(&path).unwrap();
        let told = cannot_be_read(&path, &error);
        let whose = format!(
            "the file belongs to uid {}, gid {}, mode {:04o}; let that user read it",
            found.uid(),
            found.gid(),
            found.mode() & 0o7777
        );
        let me = format!("this program runs as uid {}, and ", user().unwrap());
        assert!(told.starts_with("cannot be read: permission denied: "), "{told}");
        assert!(told.contains(&me) && told.contains(&whose), "{told}");

        let behind = path.with_file_name("nothing here").join("secret");
        let told = cannot_be_read(&behind, &error);
        assert!(
            told.contains(&format!("the directory {} belongs", env!("CARGO_MANIFEST_DIR"))),
            "{told}"
        );
    }

    #[test]
    fn what_is_no_file_is_called_by_name() {
        let told = read(Path::new("/proc"), 10).unwrap_err();
        assert_eq!(told, DIRECTORY);
        let told = cannot_be_read(Path::new("/proc"), &io::Error::from(ErrorKind::IsADirectory));
        assert_eq!(told, DIRECTORY);
        let told = read(Path::new("/dev/zero"), 2048).unwrap_err();
        assert_eq!(told, "is larger than 2 KiB");
        assert_eq!(read(Path::new("/dev/null"), 10), Ok(Vec::new()), "an empty file, to many");
        let told = read(Path::new("/nonexistent/file"), 10).unwrap_err();
        assert!(told.starts_with("cannot be read: No such file"), "{told}");
    }
}
