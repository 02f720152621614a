//! The last plan, step by step, and what became of each.

use std::fmt::{Result, Write};

use crate::status::json::steps::{counts, steps};
use crate::status::page::View;
use crate::status::page::escape::Escaped;
use crate::status::page::words::{rfc3339, time_of_day};

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
    let steps = steps(&last.report);
    let at = last.began.wall;
    write!(
        page,
        "<p class=\"quiet\">Of the pass of <time datetime=\"{}\">{}</time>",
        rfc3339(at),
        time_of_day(at)
    )?;
    match (&last.report.plan, steps.is_empty()) {
        (None, _) => page.push_str(": none, the pool could not be seen.</p>"),
        (Some(_), true) => page.push_str(": nothing to do.</p>"),
        (Some(_), false) => page.push_str(".</p>"),
    }
    if !steps.is_empty() {
        page.push_str("<ol class=\"steps\">");
        if view.snapshot.settings.full {
            for step in &steps {
                let class = class(step.outcome);
                write!(
                    page,
                    "<li class=\"{class}\"><b>{}</b> {}",
                    step.outcome,
                    Escaped(&step.text)
                )?;
                if let Some(why) = step.error.or(step.why) {
                    write!(page, " <span class=\"why\">{}</span>", Escaped(why))?;
                }
                page.push_str("</li>");
            }
        } else {
            for count in counts(&steps) {
                let class = class(count.outcome);
                write!(
                    page,
                    "<li class=\"{class}\"><b>{}</b> {} × {}</li>",
                    count.outcome,
                    count.kind.as_str(),
                    count.count
                )?;
            }
        }
        page.push_str("</ol>");
    }
    page.push_str("</div>\n</section>\n");
    Ok(())
}

fn class(outcome: &str) -> &'static str {
    match outcome {
        "done" => "good",
        "failed" => "error",
        _ => "warning",
    }
}
