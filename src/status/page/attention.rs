//! What holds the pool back, in plain words: failures, the back-off, limits, brakes, and standing conditions.

use std::fmt::{Result, Write};

use crate::plan::{Loudness, Plan};
use crate::status::changes::{is_of_one_replica, is_the_pause};
use crate::status::history::Tone;
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
    let last = view.snapshot.last.as_deref();
    let pause = last.and_then(|pass| pass.report.pause.as_ref());
    if let Some(last) = last {
        for failure in &last.report.failures {
            let text = format!("The last pass failed: {failure}");
            say(Tone::Bad, &text, "The last pass failed; the log says why.");
        }
        if let Some(pause) = pause
            && last.ended.elapsed + pause.left > view.now.elapsed
        {
            let until = time_of_day(last.ended.wall + pause.left);
            let text = format!("Creation paused until {until}: {}", pause.why);
            say(Tone::Warning, &text, &format!("Creation paused until {until}."));
        }
    }
    let Some(plan) = view.sight().and_then(|pass| pass.report.plan.as_ref()) else { return found };
    for brake in &plan.brakes {
        say(Tone::Bad, brake, "A brake is on; the log says why.");
    }
    let noted = plan.notes.iter().any(|note| note.key.starts_with("held-back"));
    if let Some(held_back) = plan.held_back.as_ref().filter(|_| !noted) {
        // Brakes, pauses and limits that say more for themselves are told above or below.
        let told = plan.brakes.iter().any(|brake| brake.starts_with(&held_back.why))
            || plan.notes.iter().any(|note| note.key == "boot-limit")
            || pause.is_some_and(|pause| held_back.why.ends_with(&pause.why));
        if !told {
            let text = format!("Fewer replicas than are missing: {}", held_back.why);
            say(Tone::Warning, &text, "Fewer replicas are created than are missing.");
        }
    }
    notes(plan, &mut |tone, text, summary| say(tone, text, summary), |note| {
        is_the_pause(note, pause)
    });
    found
}

fn notes(
    plan: &Plan,
    say: &mut dyn FnMut(Tone, &str, &str),
    is_told: impl Fn(&crate::plan::Note) -> bool,
) {
    let shown = |note: &&crate::plan::Note| {
        !is_of_one_replica(note) && !note.key.starts_with("brake") && !is_told(note)
    };
    for note in plan.notes.iter().filter(shown) {
        let (tone, summary) = match note.loudness {
            Loudness::Error => (Tone::Bad, "An error; the log says what."),
            Loudness::Warning => (Tone::Warning, "A warning; the log says what."),
            Loudness::Standing => (Tone::Plain, "A standing condition; the log says what."),
        };
        say(tone, &note.text, summary);
    }
}
