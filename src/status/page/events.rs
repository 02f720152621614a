//! What changed lately and why, newest first.

use std::fmt::{Result, Write};

use crate::events::Event;
use crate::status::history::EVENTS_MAX;
use crate::status::page::View;
use crate::status::words::{ZONE, calendar, day_and_time, marked, time_of_day};

/// This many are shown at once; the older ones are behind a click.
const SHOWN_AT_ONCE: usize = 12;

/// Adds them.
pub fn write(view: &View<'_>, page: &mut String) -> Result {
    page.push_str(
        "<section aria-labelledby=\"events-heading\">\n<h2 id=\"events-heading\">Recent events</h2>\n\
         <div id=\"events\" data-part>",
    );
    let events = &view.history.events;
    if events.is_empty() {
        page.push_str("<p class=\"quiet\">None yet.</p>");
    } else {
        list(events.iter().rev().take(SHOWN_AT_ONCE), view, page)?;
    }
    if events.len() > SHOWN_AT_ONCE {
        write!(
            page,
            "<details id=\"older\"><summary>{} older</summary>",
            events.len() - SHOWN_AT_ONCE
        )?;
        list(events.iter().rev().skip(SHOWN_AT_ONCE), view, page)?;
        page.push_str("</details>");
    }
    let since = calendar(view.history.since);
    if view.history.events_forgotten {
        write!(page, "<p class=\"quiet\">The last {EVENTS_MAX}; older ones are in the log.")?;
    } else {
        write!(
            page,
            "<p class=\"quiet\">Since the start at {since} {ZONE}; anything earlier is in the log."
        )?;
    }
    page.push_str("</p></div>\n</section>\n</div>\n");
    Ok(())
}

fn list<'a>(events: impl Iterator<Item = &'a Event>, view: &View<'_>, page: &mut String) -> Result {
    page.push_str("<ul class=\"events\">");
    let today = day_and_time(view.now.wall);
    for event in events {
        let when = day_and_time(event.at);
        let is_today = when.get(..10) == today.get(..10);
        let shown = if is_today { time_of_day(event.at) } else { when };
        let word = event.tone.as_str();
        let text = if view.snapshot.settings.full { &event.text } else { &event.subject };
        write!(
            page,
            "<li class=\"{word}\">{} <b>{word}</b> <span>{}</span></li>",
            marked(event.at, &shown),
            view.linked(text)
        )?;
    }
    page.push_str("</ul>");
    Ok(())
}
