//! `REPLICA_MIN_AVAILABLE_RESOURCES_FILE`: the number of free resources that cron or a person wants now.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::config::COUNT_MAX;
use crate::files::cannot_be_read;
use crate::plan::{Loudness, Note};
use crate::settings::{Config, Policy};

/// More than the longest number with blanks around it.
const BYTES_MAX: u64 = 64;

/// Puts the number of the file in force before the first pass, if it holds one. The passes report what is wrong with
/// it.
pub fn start_with(config: &mut Config) {
    if let Some(Ok(number)) = config.minimum_file.as_deref().map(read) {
        config.policy.minimum = number;
    }
}

/// The number in the file at `path`, or why there is none.
pub fn read(path: &Path) -> Result<u64, String> {
    let unreadable = |error: std::io::Error| cannot_be_read(path, &error);
    // Opening a pipe would wait for whoever writes to it.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    number(&bytes)
}

fn number(bytes: &[u8]) -> Result<u64, String> {
    let wrong = || format!("holds no whole number from 0 to {COUNT_MAX}");
    let text = str::from_utf8(bytes).map_err(|_| wrong())?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    let is_whole =
        bytes.len() as u64 <= BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_whole && *number <= COUNT_MAX);
    number.ok_or_else(wrong)
}

/// The file, as the passes follow it.
#[derive(Clone, Debug)]
pub struct MinimumFile {
    path: PathBuf,
}

impl MinimumFile {
    /// The file at `path`, which no pass has read yet.
    pub fn new(path: PathBuf) -> Self {
        MinimumFile { path }
    }

    /// Puts the file's number in force; without one the last good one stays. Gives what people should know of it.
    pub fn follow(&self, policy: &mut Policy) -> Vec<Note> {
        match read(&self.path) {
            Ok(number) => {
                policy.minimum = number;
                self.beyond_max(policy).into_iter().collect()
            }
            Err(why) => vec![self.useless(&why, policy.minimum)],
        }
    }

    fn useless(&self, why: &str, in_force: u64) -> Note {
        let path = self.path.display();
        Note {
            loudness: Loudness::Warning,
            // Each way to be useless is said once.
            key: format!("minimum-file:{why}"),
            text: format!(
                "REPLICA_MIN_AVAILABLE_RESOURCES_FILE {path} {why}: {in_force} stays in force until it holds a number again"
            ),
        }
    }

    /// What to say when `REPLICA_MAX` does not allow what the file asks for.
    pub fn beyond_max(&self, policy: &Policy) -> Option<Note> {
        let needed = policy.minimum.div_ceil(policy.capacity);
        let max = policy.max.filter(|max| *max < needed)?;
        Some(Note {
            loudness: Loudness::Warning,
            key: "minimum-file-beyond-max".to_owned(),
            text: format!(
                "REPLICA_MIN_AVAILABLE_RESOURCES_FILE {} wants {} free resources, which takes {needed} replicas, and \
                 REPLICA_MAX is {max}: no more than that are created; raise REPLICA_MAX, or correct the file",
                self.path.display(),
                policy.minimum
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_and_nothing_else() {
        let max = COUNT_MAX.to_string();
        for (text, expected) in
            [("30\n", 30), (" 7 \r\n", 7), ("0", 0), ("\u{feff}12", 12), (&max, COUNT_MAX)]
        {
            assert_eq!(number(text.as_bytes()), Ok(expected), "{text:?}");
        }
        for text in ["", "\n", "thirty", "30 40", "3.5", "-3", "+3", "1000001", "0x10", "30\0"] {
            assert!(number(text.as_bytes()).is_err(), "{text:?}");
        }
        let padded = format!("{}5", " ".repeat(64));
        assert!(number(padded.as_bytes()).is_err(), "what is cut off may be a digit");
    }

    fn policy(max: Option<u64>) -> Policy {
        let set = [("PROVIDER", "simulated"), ("REPLICA_CAPACITY", "2")];
        let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let no_files = |_: &Path| Err(std::io::Error::other("no files"));
        let policy = crate::config::load(&set.collect(), &no_files, true).unwrap().policy;
        Policy { max, ..policy }
    }

    #[test]
    fn without_a_number_the_last_one_stays_in_force_and_is_told() {
        let mut policy = policy(Some(100));
        let notes = MinimumFile::new("/nonexistent/minimum".into()).follow(&mut policy);
        assert_eq!(policy.minimum, 3);
        let [note] = &notes[..] else { panic!("{notes:?}") };
        assert_eq!(note.loudness, Loudness::Warning);
        let text = "REPLICA_MIN_AVAILABLE_RESOURCES_FILE /nonexistent/minimum cannot be read: ";
        assert!(note.text.starts_with(text), "{note:?}");
        assert!(
            note.text.ends_with(": 3 stays in force until it holds a number again"),
            "{note:?}"
        );
    }

    #[test]
    fn a_number_that_needs_more_than_replica_max_is_told() {
        let file = MinimumFile::new("/run/minimum".into());
        let beyond = |minimum, max| file.beyond_max(&Policy { minimum, ..policy(max) });
        assert_eq!((beyond(200, Some(100)), beyond(3000, None)), (None, None));
        let text = "REPLICA_MIN_AVAILABLE_RESOURCES_FILE /run/minimum wants 201 free resources, which takes 101 \
                    replicas, and REPLICA_MAX is 100: no more than that are created; raise REPLICA_MAX, or correct the \
                    file";
        assert_eq!(beyond(201, Some(100)).map(|note| note.text).as_deref(), Some(text));
    }

    #[test]
    fn a_directory_and_a_file_that_is_not_there_are_told() {
        assert_eq!(read(Path::new("/")), Err("is not a regular file".to_owned()));
        assert!(
            read(Path::new("/nonexistent/minimum")).unwrap_err().starts_with("cannot be read: ")
        );
    }
}
