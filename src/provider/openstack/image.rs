//! Glance: the image, by name or id (Image API v2, "List images", "Show image").

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::provider::openstack::session::{Question, Service, Session, parse};
use crate::provider::openstack::{encode, is_uuid};

/// How many images an error names at most.
const NAMED_MAX: usize = 10;

/// An image that can be used.
#[derive(Clone, Debug, Deserialize)]
pub struct Image {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// `active` when it can be used.
    pub status: String,
    /// When it was made; RFC 3339 in UTC, so that the texts sort by time.
    #[serde(default)]
    pub created_at: String,
}

#[derive(Deserialize)]
struct Page {
    images: Vec<Image>,
}

/// The image `wanted`, by id or name: the newest active one of several with the name.
pub fn image(session: &mut Session, wanted: &str) -> Result<Image> {
    if is_uuid(wanted)
        && let Some(image) = by_id(session, wanted)?
    {
        return Ok(image);
    }
    // Newest first, so the first page is enough.
    let path = format!("/images?name={}&status=active&sort=created_at:desc", encode(wanted));
    let page: Page = session.read(Service::Image, &path)?;
    let count = page.images.len();
    let newest = page
        .images
        .into_iter()
        .filter(|image| image.status == "active")
        .max_by(|a, b| a.created_at.cmp(&b.created_at));
    let Some(newest) = newest else { return Err(no_such(session, wanted)?) };
    if count > 1 {
        log::info!(
            "OPENSTACK_IMAGE \"{wanted}\": {count} active images have this name; the newest is used: {} of {}",
            newest.id,
            newest.created_at
        );
    }
    Ok(newest)
}

fn by_id(session: &mut Session, id: &str) -> Result<Option<Image>> {
    let path = format!("/images/{}", encode(id));
    let response = match session.ask(&Question::get(Service::Image, &path)) {
        Ok(response) => response,
        Err(error) if error.kind == ErrorKind::Refused(404) => return Ok(None),
        Err(error) => return Err(error),
    };
    let image: Image = parse(&response.body, &path)?;
    if image.status == "active" {
        return Ok(Some(image));
    }
    let text = format!("OPENSTACK_IMAGE {id}: the image is {}, not active", image.status);
    Err(Error::new(ErrorKind::Setting, text))
}

fn no_such(session: &mut Session, wanted: &str) -> Result<Error> {
    let region = session.login()?.endpoints.region.clone();
    let page: Page = session.read(Service::Image, "/images?status=active&sort=name:asc")?;
    let names: Vec<&str> = page.images.iter().filter_map(|image| image.name.as_deref()).collect();
    let more = if names.len() > NAMED_MAX { " …" } else { "" };
    let have = names.into_iter().take(NAMED_MAX).collect::<Vec<_>>().join(", ");
    let text = format!(
        "OPENSTACK_IMAGE \"{wanted}\": no such active image in region {region} (have: {have}{more})"
    );
    Ok(Error::new(ErrorKind::Setting, text))
}
