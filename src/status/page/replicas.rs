//! Every replica and every external address.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::{Result, Write};
use std::net::IpAddr;

use crate::model::{ExternalAddress, Replica, ServerId, State};
use crate::pass::Report;
use crate::plan::Plan;
use crate::status::ended_pass::{EndedPass, holder};
use crate::status::page::View;
use crate::status::page::escape::Escaped;
use crate::status::page::life;
use crate::status::words::{calendar, count, span};

/// Up to this many can be seen at a glance: no filter is offered, and nothing is folded.
const AT_A_GLANCE: usize = 10;

/// Adds the list of external addresses, if there is one.
pub fn addresses(view: &View<'_>, page: &mut String) -> Result {
    if !view.snapshot.settings.address_management {
        return Ok(());
    }
    page.push_str(
        "<section aria-labelledby=\"addresses-heading\">\n<h2 id=\"addresses-heading\">External addresses</h2>\n\
         <div id=\"addresses\" data-part>",
    );
    let report = view.sight().map(|pass| &pass.report);
    match report.and_then(|report| Some((report, report.addresses.as_deref()?))) {
        None => page.push_str("<p class=\"quiet\">They could not be listed, so nothing is known about them.</p>"),
        Some((_, addresses)) if !view.snapshot.settings.full => {
            let total = u64::try_from(addresses.len()).unwrap_or(u64::MAX);
            write!(page, "<p>{}.</p>{HIDDEN}", count(total, "external address").replace("addresss", "addresses"))?;
        }
        Some((_, [])) => page.push_str(
            "<p class=\"quiet\">None: no floating IP of the project has the pool’s description.</p>",
        ),
        Some((report, addresses)) if addresses.len() > AT_A_GLANCE && all_well(report, addresses) => {
            write!(
                page,
                "<details id=\"all-addresses\"><summary>All {}, each on a healthy replica</summary>",
                addresses.len()
            )?;
            address_table(view, report, addresses, page)?;
            page.push_str("</details>");
        }
        Some((report, addresses)) => address_table(view, report, addresses, page)?,
    }
    page.push_str("</div>\n</section>\n");
    Ok(())
}

/// Whether a healthy replica holds each of them.
fn all_well(report: &Report, addresses: &[ExternalAddress]) -> bool {
    let replicas = report.plan.iter().flat_map(|plan| &plan.replicas);
    let healthy = replicas.filter(|replica| replica.state == State::Healthy);
    let healthy: HashSet<&ServerId> = healthy.map(|replica| &replica.id).collect();
    addresses.iter().all(|one| holder(one, report).is_some_and(|id| healthy.contains(id)))
}

const HIDDEN: &str = "<p class=\"quiet\">Ids, names and addresses are hidden (<code>APP_STATUS_DETAIL=summary</code>).</p>";

fn address_table(
    view: &View<'_>,
    report: &Report,
    addresses: &[ExternalAddress],
    page: &mut String,
) -> Result {
    page.push_str(
        "<table class=\"addresses\"><thead><tr><th scope=\"col\">Address</th><th scope=\"col\">Holder</th>\
         <th scope=\"col\">Since</th></tr></thead><tbody>",
    );
    let replicas = report.plan.iter().flat_map(|plan| &plan.replicas);
    let known: BTreeMap<&ServerId, &Replica> =
        replicas.map(|replica| (&replica.id, replica)).collect();
    for address in addresses {
        write!(page, "<tr><th scope=\"row\"><code>{}</code></th><td>", address.address)?;
        match holder(address, report) {
            None => page.push_str("<b class=\"error\">nobody</b>"),
            Some(id) => {
                let replica = known.get(id);
                let name = replica.map_or("a server outside the pool", |replica| &replica.name);
                let (name, id) = (Escaped(name), Escaped(id));
                if view.rows.contains_key(id.0.as_str()) {
                    write!(page, "<a href=\"#r-{id}\"><bdi>{name}</bdi></a> <code>{id}</code>")?;
                } else {
                    write!(page, "<bdi>{name}</bdi> <code>{id}</code>")?;
                }
                if let Some(state) = replica.map(|replica| replica.state) {
                    let class = if state == State::Healthy { "good" } else { "error" };
                    write!(page, " <b class=\"{class}\">{state}</b>")?;
                }
            }
        }
        page.push_str("</td><td>");
        if let Some(held) = view.history.holders.get(&address.id) {
            let before = if held.from_the_start { "before " } else { "" };
            write!(page, "{before}{}", calendar(held.since))?;
        }
        page.push_str("</td></tr>");
    }
    page.push_str("</tbody></table>");
    Ok(())
}

/// Adds the list of replicas, those with trouble first.
pub fn write(view: &View<'_>, page: &mut String) -> Result {
    page.push_str(
        "<section aria-labelledby=\"replicas-heading\">\n<h2 id=\"replicas-heading\" tabindex=\"-1\">Replicas</h2>\n\
         <div id=\"replicas\">\n",
    );
    let sight = view.sight().and_then(|pass| Some((pass, pass.report.plan.as_ref()?)));
    let rows = sight.map_or(0, |(_, plan)| plan.replicas.len());
    if view.snapshot.settings.full {
        form(view, rows, page)?;
        table(view, sight, page)?;
    } else {
        page.push_str(HIDDEN);
    }
    page.push_str("</div>\n</section>\n");
    Ok(())
}

fn form(view: &View<'_>, rows: usize, page: &mut String) -> Result {
    // Always there, so that what is typed into it outlives every refresh.
    let hidden = if rows > AT_A_GLANCE || !view.filter.is_empty() { "" } else { " hidden" };
    writeln!(
        page,
        "<form id=\"search\" role=\"search\" action=\"#replicas\" method=\"get\"{hidden}>\
         <label for=\"filter\">Show those with</label> \
         <input id=\"filter\" name=\"filter\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" \
         placeholder=\"name, state, address, reason\" value=\"{}\"> <button>Filter</button></form>",
        Escaped(view.filter)
    )
}

fn table(view: &View<'_>, sight: Option<(&EndedPass, &Plan)>, page: &mut String) -> Result {
    let none = Vec::new();
    let mut replicas: Vec<&Replica> =
        sight.map_or(&none, |(_, plan)| &plan.replicas).iter().collect();
    replicas.sort_by(|a, b| by_urgency(a, b));
    let words: Vec<String> = view.filter.split_whitespace().map(str::to_lowercase).collect();
    let mut shown = 0;
    let mut rows = String::with_capacity(replicas.len() * 400);
    let held = sight.map(|(pass, _)| held(&pass.report)).unwrap_or_default();
    for replica in &replicas {
        let external = held.get(&replica.id).map_or(&[][..], Vec::as_slice);
        let matches = words.is_empty() || matches(replica, external, &words);
        shown += usize::from(matches);
        row(view, sight, replica, external, matches, &mut rows)?;
    }
    // An address never breaks, and these are long.
    let is_v6 = |one: &&Replica| one.address.is_some_and(|address| address.is_ipv6());
    let wide = if replicas.iter().any(is_v6) { " v6" } else { "" };
    write!(
        page,
        "<p id=\"shown\" class=\"quiet\" role=\"status\">{shown} of {}</p>\n\
         <table class=\"replicas{wide}\"><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">State</th>\
         <th scope=\"col\">Why</th><th scope=\"col\">Free</th><th scope=\"col\">Age</th>\
         <th scope=\"col\">Address</th><th scope=\"col\">External</th></tr></thead>\n<tbody id=\"rows\">\n{rows}</tbody></table>\n",
        count(u64::try_from(replicas.len()).unwrap_or(u64::MAX), "replica"),
    )
}

fn row(
    view: &View<'_>,
    sight: Option<(&EndedPass, &Plan)>,
    replica: &Replica,
    external: &[IpAddr],
    matches: bool,
    rows: &mut String,
) -> Result {
    let Replica { id, name, state, why, free, locked, address, age, .. } = replica;
    let since = sight.map_or(view.now.elapsed, |(pass, _)| pass.began.elapsed);
    let age = span(age.saturating_add(view.now.elapsed.saturating_sub(since)));
    let hidden = if matches { "" } else { " hidden" };
    let locked = if *locked { " <b>locked</b>" } else { "" };
    // The end tags of cells may be left out, and there are many.
    write!(
        rows,
        "<tr id=\"r-{0}\" class=\"{state}\"{hidden}><th scope=\"row\"><bdi>{1}</bdi> <code>{0}</code>\
         <td>{state}{locked}",
        Escaped(id),
        Escaped(name),
    )?;
    life::since(view, replica, rows)?;
    write!(rows, "<td>{}", Escaped(why))?;
    life::question(view, replica, rows)?;
    life::progress(view, replica, rows)?;
    write!(rows, "<td>{free}<td>{age}<td>")?;
    if let Some(address) = address {
        write!(rows, "<code>{address}</code>")?;
    }
    rows.push_str("<td>");
    for (number, address) in external.iter().enumerate() {
        write!(rows, "{}<code>{address}</code>", if number > 0 { " " } else { "" })?;
    }
    rows.push_str("</tr>\n");
    Ok(())
}

/// Who holds what.
fn held(report: &Report) -> HashMap<&ServerId, Vec<IpAddr>> {
    let mut held: HashMap<&ServerId, Vec<IpAddr>> = HashMap::new();
    for address in report.addresses.iter().flatten() {
        if let Some(id) = holder(address, report) {
            held.entry(id).or_default().push(address.address);
        }
    }
    held
}

/// Whether every word is somewhere in its row; the script of the page does the same.
fn matches(replica: &Replica, external: &[IpAddr], words: &[String]) -> bool {
    let Replica { id, name, state, why, locked, address, .. } = replica;
    let mut text = format!("{name} {id} {state} {why}{}", if *locked { " locked" } else { "" });
    for address in address.iter().chain(external) {
        // Writing to a string cannot fail.
        let _ = write!(text, " {address}");
    }
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

/// Those with trouble first, and the oldest of them.
pub fn by_urgency(a: &Replica, b: &Replica) -> Ordering {
    let key = |one: &Replica| (urgency(one.state), Reverse(one.age));
    key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
}

/// What an operator looks for first.
fn urgency(state: State) -> usize {
    const ORDER: [State; 9] = [
        State::Failed,
        State::Unreachable,
        State::Silent,
        State::Parked,
        State::Finished,
        State::Deleting,
        State::Creating,
        State::Starting,
        State::Healthy,
    ];
    ORDER.iter().position(|one| *one == state).unwrap_or(ORDER.len())
}
