//! What the table says of one replica beyond its state: since when, the result of the last question, its progress.

use std::fmt::{Result, Write};

use crate::model::Replica;
use crate::questions::Question;
use crate::status::page::View;
use crate::status::page::escape::Escaped;
use crate::status::words::{marked, milliseconds, near, span};

/// Since when it is in its state.
pub fn since(view: &View<'_>, replica: &Replica, rows: &mut String) -> Result {
    let Some(state) = view.snapshot.lives.of(&replica.id) else { return Ok(()) };
    let before = if state.at_least { "before " } else { "" };
    let since = marked(state.since, &near(state.since, view.now.wall));
    write!(rows, " <small>since {before}{since}</small>")
}

/// `200 in 12 ms, 8 s ago`; of one that does not answer also when it last did.
pub fn question(view: &View<'_>, replica: &Replica, rows: &mut String) -> Result {
    let Some(asked) = view.snapshot.questions.get(&replica.id) else { return Ok(()) };
    let Some(Question { at, lasted, answered, result }) = &asked.last else { return Ok(()) };
    let ago = |elapsed| span(view.now.elapsed.saturating_sub(elapsed));
    let (lasted, when) = (milliseconds(*lasted), ago(at.elapsed));
    // Why there was no answer stands before it, mostly.
    let result = if *result == replica.why { "no answer" } else { result };
    write!(rows, " <small>{} in {lasted}, {when} ago", Escaped(result))?;
    match asked.answered.filter(|_| !answered) {
        Some(last) => write!(rows, "; last answer {} ago</small>", ago(last.elapsed)),
        None => write!(rows, "</small>"),
    }
}

/// How far a build or a boot is against its limit.
pub fn progress(view: &View<'_>, replica: &Replica, rows: &mut String) -> Result {
    let seen = view.sight().map_or(view.now.elapsed, |pass| pass.began.elapsed);
    let since = view.now.elapsed.saturating_sub(seen);
    let Some(progress) = view.snapshot.lives.progress(replica, &view.snapshot.settings, since)
    else {
        return Ok(());
    };
    let (spent, limit) = (progress.spent.as_secs(), progress.limit.as_secs());
    let stage = progress.stage.as_str();
    write!(
        rows,
        " <small><progress aria-label=\"{stage}\" value=\"{}\" max=\"{limit}\"></progress> {stage}: {} of at most {}",
        spent.min(limit),
        span(progress.spent),
        span(progress.limit),
    )?;
    if let Some(median) = progress.median {
        write!(rows, "; the last took {}", span(median))?;
    }
    rows.push_str("</small>");
    Ok(())
}
