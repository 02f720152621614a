//! The last hours as a picture: free against wanted, and the replicas by state. The same in words and in a table.

use std::fmt::{Result, Write};
use std::time::{Duration, SystemTime};

use crate::model::State;
use crate::status::history::{PASSES_MAX, PassRecord};
use crate::status::page::View;
use crate::status::page::chart::{self, COLUMNS, Column, HEIGHT};
use crate::status::words::{
    FREE, ZONE, calendar, clock, count, day_and_time, marked, passes, span, sum, time_of_day,
};

/// Rows of the table that says the same.
const ROWS: usize = 12;

/// Adds it.
pub fn write(view: &View<'_>, page: &mut String) -> Result {
    page.push_str(
        "<section aria-labelledby=\"past-heading\">\n<h2 id=\"past-heading\">The last hours</h2>\n\
         <div id=\"past\" data-part>",
    );
    let all = &view.history.passes;
    if let (Some(first), Some(last)) = (all.front(), all.back()) {
        let columns = chart::columns(all.iter());
        page.push_str("<div class=\"charts\">");
        free(&columns, &in_words(view), (first, last), page)?;
        replicas(&columns, (first, last), page)?;
        page.push_str("</div>");
        table(view, page)?;
    } else {
        page.push_str("<p class=\"quiet\">No pass has ended yet.</p>");
    }
    let room =
        span(view.snapshot.settings.interval * u32::try_from(PASSES_MAX).unwrap_or(u32::MAX));
    write!(
        page,
        "<p class=\"quiet\">History since {} {ZONE}. It is kept in memory, for the last \
         {PASSES_MAX} passes ({room} at this interval); a restart forgets it.</p></div>\n</section>\n",
        calendar(view.history.since),
    )
}

fn free(
    columns: &[Column],
    words: &(String, String),
    ends: (&PassRecord, &PassRecord),
    page: &mut String,
) -> Result {
    let wanted: Vec<Option<u64>> =
        columns.iter().map(|column| column.pool.map(|pool| pool.wanted)).collect();
    let stack = chart::stack(columns, FREE, |pool| pool.free_by_kind);
    let free = stack.last().map(|(_, sums)| sums.as_slice()).unwrap_or_default();
    let highest = free.iter().chain(&wanted).flatten().max().copied().unwrap_or(0);
    let top = chart::top(highest);
    let all: Vec<Option<u64>> =
        columns.iter().map(|column| column.pool.map(|pool| pool.free)).collect();
    let failed: Vec<Option<u64>> =
        columns.iter().map(|column| Some(u64::from(column.failed))).collect();
    let each = chart::unstacked(&stack, |(_, word)| word.to_string());
    let mut series: Vec<(&str, &[Option<u64>])> = vec![("free", &all), ("wanted", &wanted)];
    series.extend(each.iter().map(|(name, values)| (name.as_str(), values.as_slice())));
    series.push(("?a pass failed", &failed));
    open("Free resources", "free", (&words.0, &chart::readout(&series)), top, page)?;
    page.push_str("<g class=\"stack\">");
    for ((class, _), sums) in stack.iter().rev() {
        write!(page, "<path class=\"{class}\" d=\"{}\"/>", chart::area(sums, top))?;
    }
    write!(
        page,
        "</g><path class=\"wanted-line\" d=\"{}\"/><path class=\"fault\" d=\"{}\"/>",
        chart::line(&wanted, top),
        chart::ticks(columns),
    )?;
    close(ends, page)?;
    page.push_str("<ul class=\"legend\">");
    for ((class, word), _) in &stack {
        write!(page, "<li class=\"{class}\">{word}</li>")?;
    }
    page.push_str("<li class=\"wanted\">wanted</li><li class=\"fault\">a pass failed</li></ul>");
    write!(page, "<p class=\"quiet\">{}</p></figure>", words.1)
}

fn replicas(columns: &[Column], ends: (&PassRecord, &PassRecord), page: &mut String) -> Result {
    let stack = chart::stack(columns, State::ALL, |pool| pool.by_state.map(u64::from));
    let most = stack.last().and_then(|(_, sums)| sums.iter().flatten().max().copied()).unwrap_or(0);
    let top = chart::top(most);
    let latest = columns.iter().rev().find_map(|column| column.pool);
    let now = latest.map_or(0, |pool| u64::from(pool.replicas()));
    let by_state = latest.map(|pool| pool.by_state).unwrap_or_default();
    let states = State::ALL.iter().zip(by_state).filter(|(_, number)| *number > 0);
    let states: Vec<String> = states.map(|(state, number)| format!("{number} {state}")).collect();
    let states =
        if states.is_empty() { String::new() } else { format!(" ({})", states.join(", ")) };
    let words = format!("Now {}{states}, at most {most} at a time.", count(now, "replica"));
    let each = chart::unstacked(&stack, State::to_string);
    let each: Vec<(&str, &[Option<u64>])> =
        each.iter().map(|(name, values)| (name.as_str(), values.as_slice())).collect();
    open("Replicas by state", "states", (&words, &chart::readout(&each)), top, page)?;
    page.push_str("<g class=\"stack\">");
    for (state, sums) in stack.iter().rev() {
        write!(page, "<path class=\"{state}\" d=\"{}\"/>", chart::area(sums, top))?;
    }
    page.push_str("</g>");
    close(ends, page)?;
    page.push_str("<ul class=\"legend\">");
    for (state, _) in &stack {
        write!(page, "<li class=\"{state}\">{state}</li>")?;
    }
    write!(page, "</ul><p class=\"quiet\">{words}</p></figure>")
}

/// Up to the drawing; `words` is what it shows, for those who cannot see it, and `read` what the pointer reads out.
fn open(title: &str, id: &str, (words, read): (&str, &str), top: u64, page: &mut String) -> Result {
    write!(
        page,
        "<figure><figcaption>{title}</figcaption><div class=\"plot\" data-read=\"{read}\"><span class=\"top\">{top}</span>\
         <span class=\"zero\">0</span><svg viewBox=\"0 0 {COLUMNS} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-words\"><title id=\"{id}-title\">{title}</title>\
         <desc id=\"{id}-words\">{words}</desc><path class=\"grid\" d=\"M0 0H{COLUMNS}M0 25H{COLUMNS}M0 50H{COLUMNS}M0 75H{COLUMNS}\"/>"
    )
}

fn close((first, last): (&PassRecord, &PassRecord), page: &mut String) -> Result {
    let from = moment(first.began.wall, last.began.wall);
    write!(
        page,
        "</svg><span class=\"from\">{}</span><span class=\"to\">{}</span></div>",
        marked(first.began.wall, &from),
        clock(last.began.wall)
    )
}

/// With its day, unless that is the same.
fn moment(time: SystemTime, other: SystemTime) -> String {
    let (time, other) = (day_and_time(time), day_and_time(other));
    let same = time.get(..10) == other.get(..10);
    if same { time.get(11..).unwrap_or_default().to_owned() } else { time }
}

/// As text, and with its times as elements.
fn in_words(view: &View<'_>) -> (String, String) {
    let all = &view.history.passes;
    let seen = || all.iter().filter_map(|pass| pass.pool.map(|pool| (pass, pool)));
    let failed = match all.iter().filter(|pass| !pass.good).count() {
        0 => "none failed".to_owned(),
        number => format!("{number} failed"),
    };
    let total = passes(all.len());
    let Some((_, now)) = seen().next_back() else {
        let words = format!("The pool has not been seen yet; {total}, {failed}.");
        return (words.clone(), words);
    };
    let below = match seen().filter(|(_, pool)| pool.free < pool.wanted).count() {
        0 => "never below wanted".to_owned(),
        number => format!("below wanted in {}", passes(number)),
    };
    let lowest = seen().min_by_key(|(_, pool)| pool.free);
    let now_free = sum(now.free, now.free_by_kind);
    let words = |time: fn(SystemTime) -> String| {
        let lowest = lowest.map_or(String::new(), |(pass, pool)| {
            format!(", lowest {} at {}", pool.free, time(pass.began.wall))
        });
        format!("Now {now_free}, of {} wanted{lowest}; {below}; {total}, {failed}.", now.wanted)
    };
    (words(time_of_day), words(clock))
}

/// The same in a few rows.
fn table(view: &View<'_>, page: &mut String) -> Result {
    let all = &view.history.passes;
    page.push_str(
        "<details id=\"numbers\"><summary>The same as a table</summary><table><thead><tr><th scope=\"col\">From</th>\
         <th scope=\"col\">Passes</th><th scope=\"col\">Failed</th><th scope=\"col\">Lowest free</th>\
         <th scope=\"col\">Wanted</th><th scope=\"col\">Replicas</th><th scope=\"col\">Longest pass</th></tr></thead><tbody>",
    );
    let each = all.len().div_ceil(ROWS).max(1);
    let mut from = 0;
    while from < all.len() {
        let part = || all.iter().skip(from).take(each);
        let seen = || part().filter_map(|pass| pass.pool);
        let lowest = seen().min_by_key(|pool| pool.free);
        let number = |value: Option<u64>| value.map_or("–".to_owned(), |value| value.to_string());
        let longest = part().map(|pass| pass.lasted).max().unwrap_or(Duration::ZERO);
        if let Some(first) = part().next() {
            write!(
                page,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
                 <td>{}</td><td>{:.1} s</td></tr>",
                marked(first.began.wall, &moment(first.began.wall, view.now.wall)),
                part().count(),
                part().filter(|pass| !pass.good).count(),
                number(lowest.map(|pool| pool.free)),
                number(lowest.map(|pool| pool.wanted)),
                number(seen().next_back().map(|pool| u64::from(pool.replicas()))),
                longest.as_secs_f64(),
            )?;
        }
        from += each;
    }
    page.push_str("</tbody></table></details>");
    Ok(())
}
