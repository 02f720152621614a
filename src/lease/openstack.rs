//! The lease's record among the cloud's images (Image API v2): one image an epoch, private to the project, that never gets data.
//!
//! Why images: to create one with a given id is atomic, also between users of the project and their application
//! credentials, and an id is never given out twice, not even after its deletion. So a request that takes effect long after
//! its sender gave up can't bring an old epoch back. A deleted image answers a change with 404.
//!
//! Glance remembers a deleted id for as long as its database does. `glance-manage db purge` leaves the table of images
//! alone; `db purge_images_table` forgets those that were deleted 180 days ago or earlier, by default. Then such an
//! epoch can be made again, and that breaks nothing: a record is deleted only while a higher one is there, the highest
//! stays when its holder is gone, and it is the highest that counts. Only if somebody deletes all records by hand do
//! the numbers start over.
//!
//! What the cloud has to keep: a look shows every change that was answered before it was sent. A cloud that reads from copies of
//! its database which lag behind does not.
//!
//! Requests a minute, at the default validity of 30 s: the holder 6 changes and 6 lists, a standby 6 lists; a login an hour each.
//! A takeover costs 5 more at most.

use std::fmt::Write;
use std::time::{Duration, Instant};

use ring::digest::{Context, SHA256};
use serde::Deserialize;
use serde_json::json;

use crate::error::{Error, ErrorKind, Result, one_line};
use crate::handles::Handles;
use crate::http::{Attempts, Method, Response};
use crate::lease::{Creation, Holder, Record, Renewal, State, Store};
use crate::progress::Progress;
use crate::provider::openstack::answer::{Told, parse};
use crate::provider::openstack::question::{Question, Service};
use crate::provider::openstack::session::Session;
use crate::provider::openstack::{client, encode, image, same_id};
use crate::settings::OpenStackSettings;

/// Where images are.
const PATH: &str = "/images";

/// What the records' names begin with.
const NAME_BEGINS: &str = "simplescalevm-lease-";

/// Most characters of an image's name, and of what we write into a property.
const CHARACTERS_MAX: usize = 255;

/// After a look that failed as if Glance had moved, the catalog is read again, but not more often than this: clouds limit
/// logins.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The records of one lease, and who we are.
#[derive(Debug)]
pub struct Images {
    session: Session,
    name: String,
    me: Holder,
    limit: Duration,
    catalog_read: Instant,
}

/// An image as far as it is a record.
#[derive(Debug, Deserialize)]
struct Image {
    id: String,
    #[serde(default)]
    name: Told<String>,
    #[serde(default)]
    owner: Told<String>,
    #[serde(default, rename = "simplescalevm_epoch")]
    epoch: Told<String>,
    #[serde(default, rename = "simplescalevm_holder")]
    holder: Told<String>,
    #[serde(default, rename = "simplescalevm_word")]
    word: Told<String>,
    #[serde(default, rename = "simplescalevm_renewed")]
    renewed: Told<String>,
    #[serde(default, rename = "simplescalevm_state")]
    state: Told<String>,
}

impl Images {
    /// The records of the lease `name` in the project of `settings`. Each call takes `limit` at most, with the login it may
    /// need. An unreadable `OS_CACERT` is an error.
    pub fn new(
        settings: &OpenStackSettings,
        name: &str,
        me: Holder,
        limit: Duration,
        handles: Handles,
    ) -> Result<Self> {
        // What is asked here is no progress of the loop: a stuck one must not keep its lease.
        let handles = Handles { progress: Progress::new(), ..handles };
        let mut session = Session::new(client(settings, handles)?, settings.clone()).of_images();
        // The loop's own session says it all.
        session.be_quiet();
        let name = name.to_owned();
        Ok(Images { session, name, me, limit, catalog_read: Instant::now() })
    }

    fn begin(&mut self) {
        self.session.set_deadline(Instant::now() + self.limit);
    }

    /// The images' name: people find them by it. Without colons, because in a filter a colon ends an operator's name.
    fn image_name(&self) -> String {
        property(&format!("{NAME_BEGINS}{}", self.name.replace(':', "_")))
    }

    fn id(&mut self, epoch: u64) -> Result<String> {
        let project = &self.session.login()?.project.id;
        Ok(id(project, &self.name, epoch))
    }

    /// Every record there is. It checks what the cloud made of the filters, and who made the image: anybody can give an
    /// image any name.
    fn records(&mut self) -> Result<Vec<Record>> {
        let name = self.image_name();
        let query = format!("name={}&visibility=private&limit=100", encode(&name));
        let fits = |image: &Image| image.name.text() == Some(&name);
        let images = image::listed(&mut self.session, &query, fits)
            .map_err(|error| self.explained(error, "list images", "GET of /v2/images"))?;
        let records = images.iter().map(|image| self.record(image));
        let records: Result<Vec<Option<Record>>> =
            records.collect::<Vec<_>>().into_iter().collect();
        Ok(records?.into_iter().flatten().collect())
    }

    /// The record in an image, if it is one of this lease. One that can't be read is an error: it may be the one that counts.
    fn record(&mut self, image: &Image) -> Result<Option<Record>> {
        let project = self.session.login()?.project.id.clone();
        let number = |told: &Told<String>| told.text().and_then(|text| text.parse::<u64>().ok());
        let foreign = image.owner.text().is_some_and(|owner| !same_id(owner, &project));
        let epoch = number(&image.epoch)
            .filter(|epoch| !foreign && same_id(&image.id, &id(&project, &self.name, *epoch)));
        let Some(epoch) = epoch else {
            let text = format!("image {} is named like a lease record but is not one", image.id);
            self.session.say_once(&text);
            return Ok(None);
        };
        let state = match image.state.text() {
            Some("held") => Some(State::Held),
            Some("released") => Some(State::Released),
            _ => None,
        };
        let (Some(state), Some(renewed), Some(word)) =
            (state, number(&image.renewed), image.word.text())
        else {
            let text =
                format!("image {}: somebody has changed its properties: delete it", image.id);
            return Err(Error::new(ErrorKind::Invalid, text));
        };
        let holder = if word == self.me.word {
            // Its name may have been too long to be written whole.
            self.me.clone()
        } else {
            let name = one_line(image.holder.text().unwrap_or_default(), CHARACTERS_MAX);
            Holder { name, word: word.to_owned() }
        };
        Ok(Some(Record { epoch, holder, renewed, state }))
    }

    /// Sends a request that is not repeated; `what` may not be allowed.
    fn change(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&str>,
        what: &str,
    ) -> Result<Response> {
        let body = body.map(str::as_bytes);
        let question =
            Question { service: Service::Image, method, path, body, attempts: Attempts::One };
        let rule = format!("{} of /v2{}", method.as_str(), path_in_rules(path));
        self.session.ask(&question).map_err(|error| self.explained(error, what, &rule))
    }

    fn replace(&mut self, epoch: u64, property: &str, value: &str) -> Result<()> {
        let path = format!("{PATH}/{}", self.id(epoch)?);
        let property = format!("/simplescalevm_{property}");
        let change = json!([{"op": "replace", "path": property, "value": value}]).to_string();
        self.change(Method::Patch, &path, Some(&change), "change images").map(drop)
    }

    /// Names a missing right: the service's own words could be about anything.
    fn explained(&self, error: Error, what: &str, rule: &str) -> Error {
        match error.kind {
            ErrorKind::Refused(403) => error.context(format!("may not {what} in this project")),
            // A new login was let in, and refused here: that is how access rules do it.
            ErrorKind::Refused(401) if self.session.is_logged_in() => error.context(format!(
                "may not {what}; if there is an application credential with access rules, they lack {rule}"
            )),
            ErrorKind::Quota => error.context(format!("no room to {what} in this project")),
            _ => error,
        }
    }

    fn try_look(&mut self) -> Result<Option<Record>> {
        if self.catalog_read.elapsed() >= LOOK_AGAIN_AFTER {
            self.catalog_read = Instant::now();
            self.session.look_again();
        }
        let records = self.records();
        if records.as_ref().is_err_and(Session::may_have_moved) {
            self.session.doubt();
        }
        Ok(records?.into_iter().max_by_key(|record| record.epoch))
    }

    fn try_read(&mut self, epoch: u64) -> Result<Option<Record>> {
        let path = format!("{PATH}/{}", self.id(epoch)?);
        let response = match self.session.ask(&Question::get(Service::Image, &path)) {
            Err(error) if is_gone(&error) => return Ok(None),
            answer => answer
                .map_err(|error| self.explained(error, "read images", "GET of /v2/images/*"))?,
        };
        self.record(&parse(&response.body, &path)?)
    }

    fn try_create(&mut self, epoch: u64) -> Result<Creation> {
        let id = self.id(epoch)?;
        let body = json!({
            "id": id, "name": self.image_name(), "visibility": "private",
            "simplescalevm_epoch": epoch.to_string(),
            "simplescalevm_holder": property(&self.me.name),
            "simplescalevm_word": self.me.word,
            "simplescalevm_renewed": "0",
            "simplescalevm_state": "held",
        });
        let made = self.change(Method::Post, PATH, Some(&body.to_string()), "create images");
        let response = match made {
            Err(error) if error.kind == ErrorKind::Refused(409) => return Ok(Creation::Exists),
            answer => answer?,
        };
        let made: Image = parse(&response.body, PATH)?;
        let is_same = same_id(&made.id, &id);
        if is_same && made.word.text() == Some(self.me.word.as_str()) {
            return Ok(Creation::Created);
        }
        // Then it is no lease, and must not be left behind at each try.
        let path = format!("{PATH}/{}", encode(&made.id));
        let left = self.change(Method::Delete, &path, None, "delete images").err();
        let left = left.map(|error| format!("; it is left behind: {error}")).unwrap_or_default();
        let text = if is_same {
            format!(
                "the cloud does not show an image's own properties (simplescalevm_*), so its images can't keep a lease{left}"
            )
        } else {
            format!(
                "the cloud gave the new image the id {} instead of {id}, so its images can't keep a lease{left}",
                made.id
            )
        };
        Err(Error::new(ErrorKind::Invalid, text))
    }

    fn try_delete(&mut self, epoch: u64) -> Result<()> {
        let mut epochs: Vec<u64> = self.records()?.iter().map(|record| record.epoch).collect();
        epochs.retain(|listed| *listed < epoch);
        // The list may lack it; then it is gone, and that is a success.
        epochs.push(epoch);
        for epoch in epochs {
            let path = format!("{PATH}/{}", self.id(epoch)?);
            match self.change(Method::Delete, &path, None, "delete images") {
                Err(error) if !is_gone(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Store for Images {
    fn look(&mut self) -> Result<Option<Record>> {
        self.begin();
        self.try_look()
    }

    fn read(&mut self, epoch: u64) -> Result<Option<Record>> {
        self.begin();
        self.try_read(epoch)
    }

    fn create(&mut self, epoch: u64) -> Result<Creation> {
        self.begin();
        self.try_create(epoch)
    }

    fn renew(&mut self, epoch: u64, renewed: u64) -> Result<Renewal> {
        self.begin();
        match self.replace(epoch, "renewed", &renewed.to_string()) {
            Ok(()) => Ok(Renewal::Renewed),
            Err(error) if is_gone(&error) => Ok(Renewal::Gone),
            Err(error) => Err(error),
        }
    }

    fn release(&mut self, epoch: u64) -> Result<()> {
        self.begin();
        self.replace(epoch, "state", "released")
    }

    fn delete(&mut self, epoch: u64) -> Result<()> {
        self.begin();
        self.try_delete(epoch)
    }

    fn expires(&self) -> bool {
        false
    }
}

/// Whether Glance says that there is no such image, or no longer.
fn is_gone(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Refused(404 | 410))
}

/// `text` as Glance takes it: no characters of four bytes, for its database may have none.
fn property(text: &str) -> String {
    let kept = |c: char| if c.len_utf8() > 3 { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(kept).take(CHARACTERS_MAX).collect()
}

/// How access rules write the path of an image.
fn path_in_rules(path: &str) -> &str {
    if path == PATH { PATH } else { "/images/*" }
}

/// The id of an epoch's image: a UUID of version 8 (RFC 9562, section 5.8), for Glance takes nothing but UUIDs.
fn id(project: &str, name: &str, epoch: u64) -> String {
    let mut context = Context::new(&SHA256);
    // None of them has a zero in it.
    for part in [project, name, &epoch.to_string()] {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    let digest = context.finish();
    let bytes = digest.as_ref().iter().take(16).enumerate().map(|(place, byte)| match place {
        6 => byte & 0x0f | 0x80,
        8 => byte & 0x3f | 0x80,
        _ => *byte,
    });
    bytes.enumerate().fold(String::with_capacity(36), |mut id, (place, byte)| {
        let hyphen = if matches!(place, 4 | 6 | 8 | 10) { "-" } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(id, "{hyphen}{byte:02x}");
        id
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::is_uuid;

    #[test]
    fn each_epoch_of_each_lease_of_each_project_has_an_id_of_its_own() {
        let ids = [
            id("p", "lease", 1),
            id("p", "lease", 2),
            id("p", "lease1", 1),
            id("q", "lease", 1),
            id("pl", "ease", 1),
        ];
        for (place, one) in ids.iter().enumerate() {
            assert!(is_uuid(one), "{one}");
            assert_eq!(one.chars().nth(14), Some('8'), "{one}: version 8");
            assert!(matches!(one.chars().nth(19), Some('8' | '9' | 'a' | 'b')), "{one}: variant");
            assert!(!ids[..place].contains(one), "twice: {one}");
        }
    }

    #[test]
    fn an_epochs_id_is_the_same_in_every_version_of_this_program() {
        assert_eq!(
            id("0c2859f90b444c899ad9dbe3070db73d", "group=scaler", 1),
            "b60b5133-26ba-82fc-a393-ad6adcf3186a"
        );
    }

    #[test]
    fn what_glance_does_not_take_is_left_out_of_a_property() {
        assert_eq!(property("scaler-é\u{1f600}"), "scaler-é\u{fffd}");
        assert_eq!(property(&"x".repeat(300)).chars().count(), CHARACTERS_MAX);
    }
}
