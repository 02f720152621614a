//! Glance: the image, by name or id (Image API v2, "List images", "Show image").

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::provider::openstack::answer::{Told, parse, readable};
use crate::provider::openstack::paging::PAGES_MAX;
use crate::provider::openstack::question::{Question, Service};
use crate::provider::openstack::session::Session;
use crate::provider::openstack::{encode, is_uuid, same_id, times};

/// Where the list is.
const PATH: &str = "/images";

/// How many images an error names at most.
const NAMED_MAX: usize = 10;

/// An image as Glance describes it.
#[derive(Clone, Debug, Deserialize)]
pub struct Image {
    /// Its id.
    pub id: String,
    #[serde(default)]
    name: Told<String>,
    /// `active` when it can be used.
    #[serde(default)]
    status: Told<String>,
    #[serde(default)]
    visibility: Told<String>,
    #[serde(default)]
    created_at: Told<String>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    images: Vec<Told<T>>,
    #[serde(default)]
    next: Told<String>,
}

impl Image {
    /// Its name; empty when it has none.
    pub fn name(&self) -> &str {
        self.name.text().unwrap_or_default()
    }

    fn is_active(&self) -> bool {
        self.status.text() == Some("active")
    }
}

/// The image `wanted`, by id or name: the newest active one of several with the name.
pub fn image(session: &mut Session, wanted: &str) -> Result<Image> {
    if is_uuid(wanted)
        && let Some(image) = by_id(session, wanted)?
    {
        return Ok(image);
    }
    let found = named(session, wanted, "sort=created_at:desc")?;
    let count = found.len();
    // One whose time cannot be read is the oldest: of those that can, the newest is known.
    let made = |image: &Image| image.created_at.text().and_then(times::parse);
    let newest = found.into_iter().max_by_key(made);
    let Some(newest) = newest else { return Err(no_such(session, wanted)?) };
    if count > 1 {
        log::info!(
            "OPENSTACK_IMAGE \"{wanted}\": {count} active images have this name; the newest is used: {} of {}",
            newest.id,
            newest.created_at.text().unwrap_or("unknown age")
        );
    }
    Ok(newest)
}

/// All active images with just this name: what Glance made of the filters is looked at, page by page.
fn named(session: &mut Session, name: &str, more: &str) -> Result<Vec<Image>> {
    let query = format!("name={}&status=active&{more}", encode(name));
    let fits = |image: &Image| image.is_active() && image.name.text() == Some(name);
    listed(session, &query, fits)
}

/// The images of a list, with all its pages, that can be read and fit. `query` begins behind the question mark.
pub fn listed<T: DeserializeOwned>(
    session: &mut Session,
    query: &str,
    fits: impl Fn(&T) -> bool,
) -> Result<Vec<T>> {
    let (mut found, mut next) = (Vec::new(), Some(format!("{PATH}?{query}")));
    for _ in 0..PAGES_MAX {
        let Some(path) = next else { return Ok(found) };
        let page: Page<T> = session.read(Service::Image, &path)?;
        found.extend(readable(page.images).filter(&fits));
        next = match &page.next {
            Told::Not | Told::Null => None,
            Told::Is(link) => {
                let next =
                    format!("{PATH}?{}", link.split_once('?').map_or("", |(_, query)| query));
                if next == path { None } else { Some(next) }
            }
            Told::Odd => {
                let text = format!("{PATH}: the link to the next page cannot be read");
                return Err(Error::new(ErrorKind::Invalid, text));
            }
        };
    }
    Err(Error::new(ErrorKind::Invalid, format!("{PATH}: more than {PAGES_MAX} pages")))
}

fn by_id(session: &mut Session, id: &str) -> Result<Option<Image>> {
    let path = format!("{PATH}/{}", encode(id));
    let response = match session.ask(&Question::get(Service::Image, &path)) {
        Ok(response) => response,
        Err(error) if error.kind == ErrorKind::Refused(404) => return Ok(None),
        Err(error) => return Err(error),
    };
    let image: Image = parse(&response.body, &path)?;
    if !same_id(&image.id, id) {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("{path}: the answer is about another image"),
        ));
    }
    if image.is_active() {
        return Ok(Some(image));
    }
    let status = image.status.text().unwrap_or("in an unknown state");
    let text = format!("OPENSTACK_IMAGE {id}: the image is {status}, not active");
    Err(Error::new(ErrorKind::Setting, text))
}

fn no_such(session: &mut Session, wanted: &str) -> Result<Error> {
    let setting = |text: String| Error::new(ErrorKind::Setting, text);
    if let Some(id) = community(session, wanted) {
        return Ok(setting(format!(
            "OPENSTACK_IMAGE \"{wanted}\": only a community image has this name, and anybody can give an image any \
             name; if it is the one you mean, give its id: {id}"
        )));
    }
    let region = session.login()?.endpoints.region.clone();
    let page: Page<Image> = session.read(Service::Image, "/images?status=active&sort=name:asc")?;
    let names: Vec<String> = readable(page.images)
        .filter(Image::is_active)
        .filter_map(|image| image.name.take())
        .collect();
    let more = if names.len() > NAMED_MAX { " …" } else { "" };
    let have = names.into_iter().take(NAMED_MAX).collect::<Vec<_>>().join(", ");
    Ok(setting(format!(
        "OPENSTACK_IMAGE \"{wanted}\": no such active image in region {region} (have: {have}{more})"
    )))
}

/// The id of a community image with this name: Glance lists them only when it is asked for them.
fn community(session: &mut Session, name: &str) -> Option<String> {
    match named(session, name, "visibility=community") {
        Ok(found) => {
            let community = |image: &Image| image.visibility.text() == Some("community");
            found.into_iter().find(community).map(|image| image.id)
        }
        // An old Glance does not know them.
        Err(error) => {
            log::debug!("cannot look for community images: {error}");
            None
        }
    }
}
