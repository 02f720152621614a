//! The top of the page: which pool, is it well, how much is free, and when is the next pass.

use std::fmt::{Result, Write};
use std::time::Duration;

use crate::decide::arithmetic::split;
use crate::model::State;
use crate::plan::Plan;
use crate::status::ended_pass::EndedPass;
use crate::status::history::PoolRecord;
use crate::status::page::View;
use crate::status::page::escape::Escaped;
use crate::status::page::place;
use crate::status::pool_settings::PoolSettings;
use crate::status::trouble::healthy_addresses;
use crate::status::verdict::{Piece, Reason, Tone, Verdict};
use crate::status::words::{self, ZONE, calendar, count, marked, milliseconds, near, span, sum};

/// Adds it.
pub fn write(view: &View<'_>, page: &mut String) -> Result {
    let PoolSettings { mark_key, mark_value, dry_run, provider, .. } = &view.snapshot.settings;
    write!(
        page,
        "<header>\n<h1><span class=\"quiet\">pool</span> <bdi>{}={}</bdi></h1>\n<div id=\"tags\" data-part>",
        Escaped(mark_key),
        Escaped(mark_value.as_deref().unwrap_or("(not known yet)"))
    )?;
    if *provider == "simulated" {
        page.push_str("<span class=\"tag\">simulated: no real cloud</span>");
    }
    if *dry_run {
        page.push_str("<span class=\"tag\">dry run: nothing is changed</span>");
    }
    if let Some(lease) = &view.snapshot.lease {
        let words = lease.words(view.snapshot.settings.full);
        write!(
            page,
            "<span class=\"tag\">{}, since {} {ZONE}</span>",
            Escaped(words),
            calendar(lease.since.wall)
        )?;
    }
    page.push_str(
        "</div>\n<div class=\"switches\">\
         <label id=\"local\" hidden><input type=\"checkbox\"> local time</label>\
         <label id=\"live\" hidden><input type=\"checkbox\" checked> auto-refresh</label></div>\n",
    );
    place::write(view, page)?;
    page.push_str("</header>\n<main>\n<div id=\"health\" role=\"status\" data-part>");
    health(view, page)?;
    page.push_str("</div>\n");
    Ok(())
}

/// Adds the figures, and what else there is on the page.
pub fn now(view: &View<'_>, page: &mut String) -> Result {
    jumps(view, page);
    page.push_str("<section aria-labelledby=\"now-heading\">\n<h2 id=\"now-heading\">Now</h2>\n<div id=\"now\" class=\"cards\" data-part>");
    if let Some(pass) = view.sight() {
        seen(view, pass, page)?;
    } else {
        card("Pool", "–", page)?;
        let why = if view.snapshot.leads() {
            "It has not been seen yet."
        } else {
            "Only the scaler that acts looks at it."
        };
        write!(page, "<p>{why}</p></div>")?;
    }
    clock(view, page)?;
    page.push_str("</div>\n</section>\n");
    Ok(())
}

fn health(view: &View<'_>, page: &mut String) -> Result {
    let Verdict { tone, reasons } = view.verdict;
    let (class, word) = match tone {
        Some(Tone::Well) => ("good", "Well"),
        Some(Tone::Short) => ("warning", "Short"),
        Some(Tone::Failing) => ("error", "Failing"),
        None if view.snapshot.leads() => ("info", "Not seen yet"),
        None => ("info", "Standing by"),
    };
    write!(page, "<p class=\"health {class}\"><strong>{word}</strong> ")?;
    match tone {
        Some(Tone::Well) => page.push_str("Enough is free, and passes end well and on time."),
        None if view.snapshot.leads() => page.push_str("No pass has ended yet."),
        None => page.push_str("Another scaler acts, and this one would take over."),
        Some(Tone::Short | Tone::Failing) => {
            for (number, reason) in reasons.iter().enumerate() {
                page.push_str(if number > 0 { "; " } else { "" });
                pieces(reason, view, page)?;
            }
        }
    }
    page.push_str("</p>");
    Ok(())
}

/// A reason in words; its times are marked as such.
pub fn pieces(reason: &Reason, view: &View<'_>, page: &mut String) -> Result {
    for piece in &reason.pieces {
        match piece {
            Piece::Text(text) => write!(page, "{}", Escaped(text))?,
            Piece::Time(time) => {
                page.push_str(&marked(*time, &near(*time, view.now.wall)));
            }
        }
    }
    Ok(())
}

fn seen(view: &View<'_>, pass: &EndedPass, page: &mut String) -> Result {
    if let Some(plan) = &pass.report.plan {
        resources(view, plan, page)?;
        replicas(view, plan, page)?;
    }
    addresses(pass, page)
}

fn addresses(pass: &EndedPass, page: &mut String) -> Result {
    let Some((healthy, all)) = healthy_addresses(&pass.report) else { return Ok(()) };
    let figure = format!("{healthy} <small>of {all} on a healthy replica</small>");
    card("External addresses", &figure, page)?;
    let outside = pass.report.addresses.as_ref().map_or(0, Vec::len).saturating_sub(all);
    if healthy < all {
        write!(page, "<p><b class=\"warning\">{} not served</b></p>", all - healthy)?;
    }
    if outside > 0 {
        write!(page, "<p>{outside} on a server outside the pool</p>")?;
    }
    page.push_str("</div>");
    Ok(())
}

fn jumps(view: &View<'_>, page: &mut String) {
    page.push_str("<nav class=\"jump\" aria-label=\"On this page\">");
    if view.snapshot.settings.address_management {
        page.push_str("<a href=\"#addresses-heading\">External addresses</a>");
    }
    page.push_str(
        "<a href=\"#past-heading\">The last hours</a><a href=\"#plan-heading\">Last plan</a>\
         <a href=\"#events-heading\">Recent events</a><a href=\"#replicas-heading\">Replicas</a></nav>\n",
    );
}

/// Opens a card; `figure` is markup.
fn card(title: &str, figure: &str, page: &mut String) -> Result {
    write!(page, "<div class=\"card\"><h3>{title}</h3><p class=\"figure\">{figure}</p>")
}

fn resources(view: &View<'_>, plan: &Plan, page: &mut String) -> Result {
    let Plan { free, wanted, .. } = *plan;
    card("Free resources", &format!("{free} <small>of {wanted} wanted</small>"), page)?;
    let whole = free.max(wanted).max(1);
    let (class, words) = if free < wanted {
        ("short", format!("{} short", wanted - free))
    } else {
        ("", "enough".to_owned())
    };
    let share = |part: u64| part.saturating_mul(100) / whole;
    let by_kind = split(plan);
    let [answered, ..] = by_kind;
    write!(
        page,
        "<svg class=\"bar {class}\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"rail\" width=\"100\" height=\"6\"/><rect class=\"coming\" width=\"{}\" height=\"6\"/>\
         <rect class=\"fill\" width=\"{}\" height=\"6\"/>\
         <rect class=\"goal\" x=\"{}\" width=\"1\" height=\"6\"/></svg><p>{}</p><p>{words}; {} per replica</p></div>",
        share(free),
        share(answered),
        share(wanted).min(99),
        sum(free, by_kind),
        view.snapshot.settings.capacity,
    )
}

fn replicas(view: &View<'_>, plan: &Plan, page: &mut String) -> Result {
    let most = match view.snapshot.settings.max {
        Some(max) => format!("of at most {max}"),
        None => "no REPLICA_MAX".to_owned(),
    };
    card("Replicas", &format!("{} <small>{most}</small>", plan.replicas.len()), page)?;
    page.push_str("<ul class=\"states\">");
    let pool = PoolRecord::new(plan);
    for (state, number) in State::ALL.iter().zip(pool.by_state).filter(|(_, number)| *number > 0) {
        if view.snapshot.settings.full {
            write!(
                page,
                "<li class=\"{state}\"><a href=\"?filter={state}#replicas\" data-filter=\"{state}\">{number} {state}</a></li>"
            )?;
        } else {
            write!(page, "<li class=\"{state}\">{number} {state}</li>")?;
        }
    }
    if plan.unaccounted > 0 {
        write!(page, "<li>{} asked for, not listed yet</li>", plan.unaccounted)?;
    }
    page.push_str("</ul></div>");
    Ok(())
}

fn clock(view: &View<'_>, page: &mut String) -> Result {
    let snapshot = view.snapshot;
    let now = view.now.elapsed;
    let figure = match &snapshot.last {
        Some(last) => {
            let ago = span(now.saturating_sub(last.ended.elapsed));
            format!("{ago} <small>since the last</small>")
        }
        None => "– <small>none has ended yet</small>".to_owned(),
    };
    card("Passes", &figure, page)?;
    page.push_str("<dl>");
    if let Some(last) = &snapshot.last {
        let lasted = last.ended.elapsed.saturating_sub(last.began.elapsed);
        let word = if last.report.is_good() { "good" } else { "failed" };
        write!(
            page,
            "<dt>last</dt><dd>{}, {word}, took {}</dd>",
            words::clock(last.ended.wall),
            milliseconds(lasted)
        )?;
    }
    match (snapshot.running, snapshot.next) {
        (Some(began), _) => {
            let since = span(now.saturating_sub(began.elapsed));
            write!(page, "<dt>now</dt><dd>one is under way, for {since}</dd>")?;
        }
        (None, Some(next)) if next.elapsed > now => {
            let left = span(next.elapsed.saturating_sub(now) + Duration::from_millis(500));
            write!(page, "<dt>next</dt><dd>{}, in {left}</dd>", words::clock(next.wall))?;
        }
        (None, Some(_)) => page.push_str("<dt>next</dt><dd>at once</dd>"),
        (None, None) => {}
    }
    let every = span(snapshot.settings.interval);
    write!(
        page,
        "<dt>ended</dt><dd>{}, one every {every}</dd></dl></div>",
        count(snapshot.passes, "time")
    )
}
