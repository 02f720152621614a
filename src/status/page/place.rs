//! Which pool this is and how it is set: region, project and what its VMs are made of, and, behind a click, every setting.

use std::fmt::{Result, Write};

use crate::settings::{InForce, Origin};
use crate::status::page::View;
use crate::status::page::escape::Escaped;

/// Adds it; in summary detail nothing, for these are names.
pub fn write(view: &View<'_>, page: &mut String) -> Result {
    let settings = &view.snapshot.settings;
    page.push_str("<div id=\"place\" data-part>");
    if settings.full {
        if let Some(place) = &settings.place {
            page.push_str("<dl class=\"where\">");
            for (what, part) in place.parts() {
                write!(page, "<div><dt>{what}</dt><dd>{}</dd></div>", Escaped(part))?;
            }
            page.push_str("</dl>");
        }
        in_force(view, page)?;
    }
    page.push_str("</div>\n");
    Ok(())
}

fn in_force(view: &View<'_>, page: &mut String) -> Result {
    page.push_str(
        "<details id=\"settings\"><summary>settings in force</summary><ul class=\"settings\">",
    );
    for InForce { name, value, origin } in view.snapshot.settings.in_force() {
        let class = if origin == Origin::Default { "" } else { " class=\"set\"" };
        write!(
            page,
            "<li{class}><b>{name}</b> <span>{}</span> <small>{}</small></li>",
            Escaped(value),
            origin.as_str()
        )?;
    }
    page.push_str("</ul></details>");
    Ok(())
}
