//! What holds the pool back, in plain words: failures, the back-off, limits, brakes, and standing conditions.

use std::fmt::{Result, Write};

use crate::events::{Tone, is_of_one_replica};
use crate::plan::{HeldBack, Loudness, Note};
use crate::status::page::View;
use crate::status::page::escape::Escaped;
use crate::status::page::words::time_of_day;

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
        for (tone, text) in found {
            let word = tone.as_str();
            write!(page, "<li class=\"{word}\"><b>{word}</b> <span>{}</span></li>", Escaped(text))?;
        }
        page.push_str("</ul>");
    }
    page.push_str("</div>\n</section>\n");
    Ok(())
}

fn found(view: &View<'_>) -> Vec<(Tone, String)> {
    let full = view.snapshot.settings.full;
    let mut found = Vec::new();
    let mut say = |tone, text: &str, summary: &str| {
        let text = if full { text } else { summary };
        found.push((tone, text.to_owned()));
    };
    let plan = view.sight().and_then(|pass| pass.report.plan.as_ref());
    let held_back = plan.and_then(|plan| plan.held_back.as_ref());
    if let Some(last) = view.snapshot.last.as_deref() {
        for failure in &last.report.failures {
            let text = format!("The last pass failed: {failure}");
            say(Tone::Bad, &text, "The last pass failed; the log says why.");
        }
        // Once it holds something back, that is said below.
        let is_told = |pause: &str| held_back.is_some_and(|it| it.why.ends_with(pause));
        if let Some(pause) = last.report.pause.as_ref().filter(|pause| !is_told(&pause.why))
            && last.ended.elapsed + pause.left > view.now.elapsed
        {
            let until = time_of_day(last.ended.wall + pause.left);
            let text = format!("Creation paused until {until}: {}", pause.why);
            say(Tone::Warning, &text, &format!("Creation paused until {until}."));
        }
    }
    let Some(plan) = plan else { return found };
    if let Some(HeldBack { why, for_at_least }) = held_back {
        let until = for_at_least.zip(view.sight()).map(|(time, sight)| {
            format!(" (until {} at least)", time_of_day(sight.began.wall + time))
        });
        let text = format!("Fewer replicas than are missing: {why}{}", until.unwrap_or_default());
        say(Tone::Warning, &text, "Fewer replicas are created than are missing.");
    }
    for brake in &plan.brakes {
        say(Tone::Bad, brake, "A brake is on; the log says why.");
    }
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
        say(tone, &note.text, summary);
    }
    found
}
