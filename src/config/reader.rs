//! Takes values out of the environment and collects what is wrong with them, so that all faults are reported at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::config::clouds::FromFile;
use crate::config::parse::{
    Parsed, ReadFile, SHOWN_CHARACTERS_MAX, WRAPPED_BY, Wrapping, file as file_path,
};
use crate::config::table::{Setting, Unset, all};
use crate::error::one_line;
use crate::files::cannot_be_read;
use crate::secret::Secret;
use crate::settings::{InForce, Origin};

/// Most characters of a value that people are shown among the settings in force.
const IN_FORCE_CHARACTERS_MAX: usize = 200;

/// What people are shown in place of a secret that is set.
pub const NOT_SHOWN: &str = "(not shown)";

/// The environment, and what was found wrong with it so far.
pub struct Reader<'a> {
    environment: &'a BTreeMap<String, String>,
    /// Goes before the environment.
    file: Option<&'a FromFile>,
    read_file: ReadFile<'a>,
    faults: Vec<String>,
    warnings: Vec<String>,
    faulty: BTreeSet<&'static str>,
    /// What was read so far, by the setting's name; no secret among it.
    in_force: BTreeMap<&'static str, InForce>,
}

/// A value that is set, and the variable that holds it.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The variable: the setting's own name, or another name of it. Or the place in a file.
    pub variable: &'a str,
    /// What it is set to; never empty.
    pub value: &'a str,
}

impl<'a> Reader<'a> {
    /// A reader that has found nothing wrong yet.
    pub fn new(environment: &'a BTreeMap<String, String>, read_file: ReadFile<'a>) -> Self {
        Reader {
            environment,
            file: None,
            read_file,
            faults: Vec::new(),
            warnings: Vec::new(),
            faulty: BTreeSet::new(),
            in_force: BTreeMap::new(),
        }
    }

    /// The same beside the cloud of a file, which goes first.
    pub fn beside(mut self, file: Option<&'a FromFile>) -> Self {
        self.file = file;
        self
    }

    /// The cloud of a file, if there is one.
    pub fn file(&self) -> Option<&'a FromFile> {
        self.file
    }

    /// What is odd but works; taken out.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// What is wrong; empty when nothing is.
    pub fn into_faults(self) -> Vec<String> {
        self.faults
    }

    /// Whether nothing is known to be wrong with any of these: only then they can be compared.
    pub fn all_sound(&self, settings: &[&Setting]) -> bool {
        settings.iter().all(|setting| !self.faulty.contains(setting.name))
    }

    /// Notes a fault: `text` names the variables, and never a secret.
    pub fn fault(&mut self, setting: &'static Setting, text: impl Into<String>) {
        self.faulty.insert(setting.name);
        self.faults.push(text.into());
    }

    /// Notes that a required setting is missing.
    pub fn missing(&mut self, setting: &'static Setting, text: &str) {
        let text = match self.file {
            Some(file) => format!("{text}; {} does not give it", file.source),
            None => text.to_owned(),
        };
        self.fault(setting, text);
    }

    /// Notes a fault of a variable that is no setting of ours.
    pub fn fault_of(&mut self, text: String) {
        if !self.faults.contains(&text) {
            self.faults.push(text);
        }
    }

    /// Notes what is odd but works.
    pub fn warn(&mut self, text: String) {
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// The value of a variable; empty means unset.
    pub fn variable(&self, name: &str) -> Option<&'a str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variables that are set and that `wanted` picks, by name.
    pub fn names_set(&self, wanted: impl Fn(&str) -> bool) -> Vec<&'a str> {
        let set = self.environment.iter().filter(|(_, value)| !value.is_empty());
        set.map(|(name, _)| name.as_str()).filter(|name| wanted(name)).collect()
    }

    /// What a setting is set to, under whichever of its names. Two names with different values are a fault.
    pub fn given(&mut self, setting: &'static Setting) -> Option<Given<'a>> {
        if let Some(told) = self.file.and_then(|file| file.values.get(setting.name)) {
            return Some(Given { variable: &told.label, value: &told.value });
        }
        let mut set = setting
            .names()
            .filter_map(|variable| Some(Given { variable, value: self.variable(variable)? }));
        let first = set.next()?;
        let other = set.find(|other| other.value != first.value);
        if let Some(other) = other
            && self.all_sound(&[setting])
        {
            let (a, b) = (quoted(first), quoted(other));
            self.fault(
                setting,
                format!(
                    "{a} and {b}: two names of one setting with different values; set only {}",
                    setting.name
                ),
            );
        }
        Some(first)
    }

    /// The value of a setting, or its default; `None` when there is neither, or when it is wrong.
    pub fn optional<T>(
        &mut self,
        setting: &'static Setting,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        let given = self.given_or_default(setting)?;
        match parse(given.value) {
            Ok(value) => Some(value),
            Err(allowed) => {
                self.not_allowed(setting, given, &allowed);
                None
            }
        }
    }

    fn given_or_default(&mut self, setting: &'static Setting) -> Option<Given<'a>> {
        let given = self.given(setting);
        self.holds(setting, given.map(|given| given.value));
        given.or_else(|| Some(Given { variable: setting.name, value: setting.default()? }))
    }

    fn not_allowed(&mut self, setting: &'static Setting, given: Given<'_>, allowed: &str) {
        // For a number or a word in quotes, everything wrong with it is said.
        let quotes = match Wrapping::of(given.value) {
            Some(Wrapping::Quotes) if !allowed.contains("quotes") => {
                format!(", and must not {} {WRAPPED_BY}", Wrapping::Quotes.verb())
            }
            _ => String::new(),
        };
        self.fault(setting, format!("{}: {allowed}{quotes}", quoted(given)));
    }

    /// The value of a setting that has a default. What it gives for a wrong value does not matter: with a fault there
    /// is no configuration.
    pub fn value<T: Default>(
        &mut self,
        setting: &'static Setting,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> T {
        self.optional(setting, parse).unwrap_or_default()
    }

    /// Notes what a setting is set to, for people; `None`: it is not set. Secrets are not noted, so whoever reads one notes
    /// [`NOT_SHOWN`] in its place.
    pub fn holds(&mut self, setting: &'static Setting, given: Option<&str>) {
        let in_file = self.file.is_some_and(|file| file.values.contains_key(setting.name));
        let (value, origin) = match (given, setting.unset) {
            (Some(value), _) if in_file => (value, Origin::CloudsFile),
            (Some(value), _) => (value, Origin::Set),
            (None, Unset::Default(value) | Unset::Means(value)) => (value, Origin::Default),
        };
        let value = one_line(&without_login(value), IN_FORCE_CHARACTERS_MAX);
        self.in_force.insert(setting.name, InForce { name: setting.name, value, origin });
    }

    /// Notes what a default works out to.
    pub fn comes_to(&mut self, setting: &'static Setting, value: String) {
        if let Some(one) = self.in_force.get_mut(setting.name)
            && one.origin == Origin::Default
        {
            one.value = value;
        }
    }

    /// What was noted of the settings that were read, in the order of the table.
    pub fn in_force(&mut self) -> Vec<InForce> {
        all().filter_map(|setting| self.in_force.remove(setting.name)).collect()
    }

    /// A file's text.
    pub fn read_file(&self, path: &Path) -> io::Result<String> {
        (self.read_file)(path)
    }

    /// The path of a PEM file that can be read and holds a certificate.
    pub fn certificates(&mut self, setting: &'static Setting) -> Option<PathBuf> {
        self.pem(setting, "CERTIFICATE-----", "certificate")
    }

    /// The path of a PEM file that can be read and holds a private key.
    pub fn private_key(&mut self, setting: &'static Setting) -> Option<PathBuf> {
        self.pem(setting, "PRIVATE KEY-----", "private key")
    }

    fn pem(&mut self, setting: &'static Setting, mark: &str, what: &str) -> Option<PathBuf> {
        let path = self.optional(setting, file_path)?;
        let given = self.given(setting)?;
        match (self.read_file)(&path) {
            Ok(text) if !(text.contains("-----BEGIN ") && text.contains(mark)) => {
                self.fault(setting, format!("{}: holds no {what} in PEM form", quoted(given)));
            }
            Ok(_) => {}
            // Bundles carry comments in old encodings; the TLS library reads bytes and does not mind.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(error) => {
                self.fault(
                    setting,
                    format!("{}: {}", quoted(given), cannot_be_read(&path, &error)),
                );
            }
        }
        Some(path)
    }

    /// A secret may have quotes and blanks of its own, so they are left in, with a warning: most logins fail because of
    /// them.
    pub fn as_given(&mut self, variable: &str, secret: &str) -> Secret {
        if let Some(wrapping) = Wrapping::of(secret) {
            let verb = wrapping.verb();
            let text = format!(
                "{variable}: the secret happens to {verb}, and is sent that way {WRAPPED_BY}"
            );
            self.warnings.push(text);
        }
        Secret::new(secret)
    }

    /// A secret, from its own variable or from the file that another one names. Neither is a fault.
    pub fn secret(&mut self, plain: &'static Setting, file: &'static Setting) -> Secret {
        let path = match (self.given(plain), self.given(file)) {
            (Some(given), None) => {
                self.holds(plain, Some(NOT_SHOWN));
                return self.as_given(given.variable, given.value);
            }
            (None, Some(given)) => given,
            (Some(_), Some(_)) => {
                self.fault(
                    plain,
                    format!("{} and {}: both are set; set one of them", plain.name, file.name),
                );
                return Secret::new("");
            }
            (None, None) => {
                self.missing(plain, &format!("{}: must be set, or {}", plain.name, file.name));
                return Secret::new("");
            }
        };
        let Some(name) = self.optional(file, file_path) else { return Secret::new("") };
        match (self.read_file)(&name) {
            Ok(text) => {
                let secret = text.strip_suffix('\n').unwrap_or(&text);
                let secret = secret.strip_suffix('\r').unwrap_or(secret);
                if secret.is_empty() {
                    self.fault(file, format!("{}: the file is empty", quoted(path)));
                }
                self.as_given(path.variable, secret)
            }
            Err(error) => {
                self.fault(file, format!("{}: {}", quoted(path), cannot_be_read(&name, &error)));
                Secret::new("")
            }
        }
    }
}

/// What could be a secret in an address is left out: a login before its host, and the values of its query.
fn without_login(value: &str) -> Cow<'_, str> {
    if !value.starts_with('/') && !value.contains("://") {
        return Cow::Borrowed(value);
    }
    let harmless = |address: &str| {
        let (address, query) = match address.split_once('?') {
            Some((address, _)) => (address, "?…"),
            None => (address, ""),
        };
        let (scheme, rest) = address.split_once("://").unwrap_or_default();
        let end = rest.find('/').unwrap_or(rest.len());
        match rest.get(..end).and_then(|host| host.rfind('@')) {
            Some(at) => format!("{scheme}://{}{query}", rest.get(at + 1..).unwrap_or_default()),
            None => format!("{address}{query}"),
        }
    };
    Cow::Owned(value.split(',').map(harmless).collect::<Vec<_>>().join(","))
}

/// `VARIABLE "value"`, on one line: quotes, blanks and line ends in it are shown for what they are.
pub fn quoted(given: Given<'_>) -> String {
    let mut shown: String = given.value.chars().take(SHOWN_CHARACTERS_MAX).collect();
    if shown.len() < given.value.len() {
        shown.pop();
        shown.push('…');
    }
    format!("{} {shown:?}", given.variable)
}
