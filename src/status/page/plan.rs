//! The last plan, step by step, and what became of each.

use std::fmt::{Result, Write};

use crate::status::ended_pass::EndedPass;
use crate::status::json::steps::{Step, StepCount, counts, steps};
use crate::status::page::View;
use crate::status::words::clock;

/// Adds it.
pub fn write(view: &View<'_>, page: &mut String) -> Result {
    page.push_str(
        "<div class=\"columns\">\n<section aria-labelledby=\"plan-heading\">\n<h2 id=\"plan-heading\">Last plan</h2>\n\
         <div id=\"plan\" data-part>",
    );
    let Some(last) = &view.snapshot.last else {
        page.push_str("<p class=\"quiet\">No pass has ended yet.</p></div>\n</section>\n");
        return Ok(());
    };
    write!(page, "<p class=\"quiet\">From the pass at {}", time(last))?;
    let now = steps(&last.report);
    match &last.report.plan {
        None => page.push_str(": none, the pool could not be read.</p>"),
        Some(_) if now.is_empty() => page.push_str(": nothing to do.</p>"),
        Some(_) => page.push_str(".</p>"),
    }
    list(&now, view, page)?;
    if let (true, Some(busy)) = (now.is_empty(), &view.snapshot.last_busy) {
        let then = steps(&busy.report);
        if !then.is_empty() {
            write!(
                page,
                "<p class=\"quiet\">The last one with something to do, at {}.</p>",
                time(busy)
            )?;
        }
        list(&then, view, page)?;
    }
    page.push_str("</div>\n</section>\n");
    Ok(())
}

fn time(pass: &EndedPass) -> String {
    clock(pass.began.wall)
}

fn list(steps: &[Step<'_>], view: &View<'_>, page: &mut String) -> Result {
    if steps.is_empty() {
        return Ok(());
    }
    page.push_str("<ol class=\"steps\">");
    if view.snapshot.settings.full {
        for step in steps {
            let Step { outcome, text, .. } = step;
            write!(
                page,
                "<li class=\"{}\"><b>{outcome}</b> {}",
                class(outcome),
                view.linked(text)
            )?;
            if let Some(why) = step.error.or(step.why) {
                write!(page, " <span class=\"why\">{}</span>", view.linked(why))?;
            }
            page.push_str("</li>");
        }
    } else {
        for StepCount { kind, outcome, count } in counts(steps) {
            let (class, kind) = (class(outcome), kind.as_str());
            write!(page, "<li class=\"{class}\"><b>{outcome}</b> {kind} × {count}</li>")?;
        }
    }
    page.push_str("</ol>");
    Ok(())
}

fn class(outcome: &str) -> &'static str {
    match outcome {
        "done" => "good",
        "failed" => "error",
        _ => "warning",
    }
}
