//! The page for people: HTML in one piece, rendered here, with its style and its script in it. Pure: snapshot, past and
//! time in, text out.
//!
//! It is whole without its script, which only fetches the page again and puts in what changed, sorts, copies and knows the
//! reader's time zone. Nothing is loaded from elsewhere, and [`POLICY`] forbids that anything is.

mod attention;
mod chart;
mod escape;
mod events;
mod life;
mod links;
mod overview;
mod past;
mod place;
mod plan;
mod replicas;
mod replicas_in_trouble;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use crate::clock::Moment;
use crate::status::ended_pass::EndedPass;
use crate::status::history::History;
use crate::status::snapshot::Snapshot;
use crate::status::verdict::{Tone, Verdict, verdict};
use crate::status::words::{ZONE, calendar};
use escape::Escaped;
use links::Linked;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The page's `Content-Security-Policy`: this very style and this very script, asking this very server, and nothing else.
/// The hashes are checked by a test, which says what they have to be.
pub const POLICY: &str = concat!(
    "default-src 'none'; ",
    "style-src 'sha256-jWB8s0nt90Xt6g9UduhqCHsx+avwsWvwWPJ8pRSpPec='; ",
    "script-src 'sha256-Vt7t9guG62enBurezvtEoHrFZRvFpF0VJvmp5mGSxHk='; ",
    "connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
);

/// How often the page is fetched again: twice a pass, as far as that is bearable.
const REFRESH_MIN: Duration = Duration::from_secs(1);
const REFRESH_MAX: Duration = Duration::from_secs(15);

/// Everything a part of the page is made from.
#[derive(Clone, Copy)]
struct View<'a> {
    snapshot: &'a Snapshot,
    history: &'a History,
    now: Moment,
    verdict: &'a Verdict,
    filter: &'a str,
    /// The names of the replicas that have a row, by their ids.
    rows: &'a HashMap<&'a str, &'a str>,
}

impl<'a> View<'a> {
    /// The last pass that saw the pool.
    fn sight(&self) -> Option<&'a EndedPass> {
        self.snapshot.last_sight.as_deref()
    }

    /// A sentence that may name replicas.
    fn linked(&self, text: &'a str) -> Linked<'a> {
        Linked { text, rows: self.rows }
    }
}

/// The page at `now`. Replicas that lack a word of `filter` are hidden.
pub fn render(snapshot: &Snapshot, history: &History, now: Moment, filter: &str) -> String {
    let plan = snapshot.last_sight.as_ref().and_then(|pass| pass.report.plan.as_ref());
    let replicas =
        plan.filter(|_| snapshot.settings.full).into_iter().flat_map(|plan| &plan.replicas);
    let rows: HashMap<&str, &str> =
        replicas.map(|replica| (replica.id.as_str(), &*replica.name)).collect();
    let verdict = verdict(snapshot, now.elapsed);
    let view = View { snapshot, history, now, verdict: &verdict, filter, rows: &rows };
    let mut page = String::with_capacity(64 * 1024 + rows.len() * 400);
    // Writing to a string cannot fail.
    let _ = write(&view, &mut page);
    page
}

fn write(view: &View<'_>, page: &mut String) -> std::fmt::Result {
    head(view, page)?;
    // In the order that somebody who was woken up needs: is it well, why not, which ones, whom does it hit, and then
    // the rest.
    overview::write(view, page)?;
    attention::write(view, page)?;
    replicas_in_trouble::write(view, page)?;
    overview::now(view, page)?;
    replicas::addresses(view, page)?;
    past::write(view, page)?;
    plan::write(view, page)?;
    events::write(view, page)?;
    replicas::write(view, page)?;
    foot(view, page)
}

fn head(view: &View<'_>, page: &mut String) -> std::fmt::Result {
    let settings = &view.snapshot.settings;
    let refresh = (settings.interval / 2).clamp(REFRESH_MIN, REFRESH_MAX).as_secs();
    let (word, colour) = match view.verdict.tone {
        Some(Tone::Well) => ("well", "1a7f4b"),
        Some(Tone::Short) => ("short", "b25e00"),
        Some(Tone::Failing) => ("failing", "c62828"),
        None if view.snapshot.leads() => ("not seen yet", "5b6773"),
        None => ("standing by", "5b6773"),
    };
    let mark = settings.mark_value.as_deref().unwrap_or("…");
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <title>{word}: {}={}</title>\n\
         <link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E\
         %3Ccircle cx='4' cy='4' r='4' fill='%23{colour}'/%3E%3C/svg%3E\">\n\
         <noscript><meta http-equiv=\"refresh\" content=\"{refresh}\"></noscript>\n\
         <style>{STYLE}</style>\n</head>\n\
         <body data-refresh=\"{refresh}\" data-version=\"{}\">\n",
        Escaped(&settings.mark_key),
        Escaped(mark),
        env!("CARGO_PKG_VERSION"),
    )?;
    page.push_str(
        "<a class=\"skip\" href=\"#replicas\">To the replicas</a>\n\
         <p id=\"lost\" role=\"alert\" hidden>No answer since <span></span>: what you see is old. \
         Is the program still running?</p>\n",
    );
    Ok(())
}

fn foot(view: &View<'_>, page: &mut String) -> std::fmt::Result {
    let Snapshot { settings, started, .. } = view.snapshot;
    write!(
        page,
        "</main>\n<footer>\n<p>simplescalevm {} on {}, started {} {ZONE}. \
         All times are {ZONE}, by this machine’s clock.</p>\n\
         <nav aria-label=\"For programs\"><a href=\"status\">/status</a> <a href=\"healthz\">/healthz</a> \
         <a href=\"livez\">/livez</a> <a href=\"metrics\">/metrics</a></nav>\n</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        settings.provider,
        calendar(started.wall),
    )
}
