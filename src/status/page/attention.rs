//! What holds the pool back, in plain words: failures, the back-off, limits, brakes, and standing conditions.

use std::fmt::{Result, Write};

use crate::events::{Tone, is_of_one_replica};
use crate::plan::{Loudness, Note};
use crate::status::page::View;
use crate::status::page::escape::Escaped;
use crate::status::page::overview::pieces;
use crate::status::verdict::{Kind, Reason, paused};

/// Adds it.
pub fn write(view: &View<'_>, page: &mut String) -> Result {
    page.push_str(
        "<section aria-labelledby=\"attention-heading\">\n<h2 id=\"attention-heading\">What holds it back</h2>\n\
         <div id=\"attention\" data-part>",
    );
    let found = found(view);
    if found.is_empty() {
        page.push_str("<p class=\"quiet\">Nothing: no failure, no pause, no brake.</p>");
    } else {
        page.push_str("<ul class=\"attention\">");
        for (tone, what) in found {
            let word = tone.as_str();
            write!(page, "<li class=\"{word}\"><b>{word}</b> <span>")?;
            match what {
                What::Text(text) => write!(page, "{}", Escaped(text))?,
                What::Reason(reason) => pieces(&reason.capitalised(), view, page)?,
            }
            page.push_str("</span></li>");
        }
        page.push_str("</ul>");
    }
    page.push_str("</div>\n</section>\n");
    Ok(())
}

enum What {
    Text(String),
    Reason(Reason),
}

fn found(view: &View<'_>) -> Vec<(Tone, What)> {
    let full = view.snapshot.settings.full;
    let mut found = Vec::new();
    let mut say = |tone, text: &str, summary: &str| {
        let text = if full { text } else { summary };
        found.push((tone, What::Text(text.to_owned())));
    };
    if let Some(last) = view.snapshot.last.as_deref() {
        for failure in &last.report.failures {
            let text = format!("The last pass failed: {failure}");
            say(Tone::Bad, &text, "The last pass failed; the log says why.");
        }
    }
    let reasons = &view.verdict.reasons;
    let is_held_back = reasons.iter().any(|reason| reason.kind == Kind::HeldBack);
    for reason in reasons {
        let tone = match reason.kind {
            // Already said above, at the top of the page, and among the notes.
            Kind::Failed | Kind::Missing | Kind::Error => continue,
            Kind::HeldBack | Kind::Addresses => Tone::Warning,
            Kind::Late | Kind::Lease | Kind::Brake => Tone::Bad,
        };
        found.push((tone, What::Reason(reason.clone())));
    }
    // While nothing is missing it holds nothing back, but would.
    if let Some(pause) = paused(view.snapshot, view.now.elapsed).filter(|_| !is_held_back) {
        found.push((Tone::Warning, What::Reason(pause)));
    }
    let plan = view.sight().and_then(|pass| pass.report.plan.as_ref());
    let Some(plan) = plan else { return found };
    let is_told = |note: &Note| {
        // Among the replicas, above, and above.
        is_of_one_replica(note)
            || note.key.starts_with("held-back")
            || plan.brakes.contains(&note.text)
    };
    for note in plan.notes.iter().filter(|note| !is_told(note)) {
        let (tone, summary) = match note.loudness {
            Loudness::Error => (Tone::Bad, "An error; the log says what."),
            Loudness::Warning => (Tone::Warning, "A warning; the log says what."),
            Loudness::Standing => (Tone::Plain, "A standing condition; the log says what."),
        };
        let text = if full { &note.text } else { summary };
        found.push((tone, What::Text(text.to_owned())));
    }
    found
}
