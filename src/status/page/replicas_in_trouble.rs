//! The replicas that need a person, at a glance; each leads to its row.

use std::fmt::{Result, Write};

use crate::model::{Replica, State};
use crate::status::page::View;
use crate::status::page::escape::Escaped;
use crate::status::page::replicas::by_urgency;

/// What neither serves nor is on its way to.
const TROUBLE: [State; 4] = [State::Failed, State::Unreachable, State::Silent, State::Parked];

/// This many are shown; all of them are in the list below.
const SHOWN_MAX: usize = 10;

/// Adds them, if there are any; in summary detail there is nothing to tell one from another by.
pub fn write(view: &View<'_>, page: &mut String) -> Result {
    page.push_str("<div id=\"trouble\" data-part>");
    let plan = view.sight().and_then(|pass| pass.report.plan.as_ref());
    if let Some(plan) = plan.filter(|_| view.snapshot.settings.full) {
        let mut replicas: Vec<&Replica> =
            plan.replicas.iter().filter(|one| TROUBLE.contains(&one.state)).collect();
        replicas.sort_by(|a, b| by_urgency(a, b));
        if !replicas.is_empty() {
            list(&replicas, page)?;
        }
    }
    page.push_str("</div>\n");
    Ok(())
}

fn list(replicas: &[&Replica], page: &mut String) -> Result {
    page.push_str(
        "<section aria-labelledby=\"trouble-heading\">\n<h2 id=\"trouble-heading\">Replicas in trouble</h2>\n\
         <ul class=\"trouble\">",
    );
    for Replica { id, name, state, why, address, .. } in replicas.iter().take(SHOWN_MAX) {
        write!(
            page,
            "<li class=\"{state}\"><b>{state}</b> <a href=\"#r-{}\"><bdi>{}</bdi></a> <span>{}</span>",
            Escaped(id),
            Escaped(name),
            Escaped(why)
        )?;
        if let Some(address) = address {
            write!(page, " <code>{address}</code>")?;
        }
        page.push_str("</li>");
    }
    page.push_str("</ul>");
    if replicas.len() > SHOWN_MAX {
        write!(page, "<p class=\"quiet all\">{} in all:", replicas.len())?;
        for state in TROUBLE {
            let count = replicas.iter().filter(|one| one.state == state).count();
            if count > 0 {
                write!(
                    page,
                    " <a href=\"?filter={state}#replicas\" data-filter=\"{state}\">{count} {state}</a>"
                )?;
            }
        }
        page.push_str("</p>");
    }
    page.push_str("</section>");
    Ok(())
}
