//! How the table of settings reads for people.

#[cfg(test)]
use crate::config::table::Group;
use crate::config::table::{GROUPS, Setting, Unset};

/// Where the meanings begin: behind most names; those of the longest begin on the next line.
const MEANING_COLUMN: usize = 30;

/// Every setting with its meaning and default, for `--help`, at most so many columns wide.
pub fn plain(columns: usize) -> String {
    let mut text = String::new();
    for group in GROUPS {
        text.extend(["\n", group.title, ":\n"]);
        let entries = group.settings.iter();
        text.extend(
            entries
                .map(|setting| entry(setting.name, MEANING_COLUMN, &described(setting), columns)),
        );
    }
    text
}

/// A name and, from `column` on, what it means, wrapped to fit into so many `columns`; on the next line when the name is too
/// long.
pub fn entry(name: &str, column: usize, meaning: &str, columns: usize) -> String {
    let mut text = String::new();
    let mut line = format!("  {name:width$}", width = column.saturating_sub(3));
    if line.chars().count() >= column {
        text = format!("{line}\n");
        line = " ".repeat(column - 1);
    }
    for word in meaning.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > columns {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(column - 1);
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}

fn described(setting: &Setting) -> String {
    let unset = match setting.unset {
        Unset::Default(value) => format!("default: {value}"),
        Unset::Means(word) => word.to_owned(),
    };
    let also = match setting.aliases {
        [] => String::new(),
        names => format!("; also {}", names.join(", ")),
    };
    format!("{} [{unset}{also}]", setting.meaning)
}

/// The same as Markdown, for the README.
#[cfg(test)]
pub fn markdown() -> String {
    let row = |setting: &&Setting| {
        let names: Vec<String> = setting.names().map(|name| format!("`{name}`")).collect();
        let unset = match setting.unset {
            Unset::Default(value) => format!("`{value}`"),
            Unset::Means(word) => word.to_owned(),
        };
        format!("| {} | {unset} | {} |\n", names.join(", "), setting.meaning)
    };
    let head = "| variable | default | meaning |\n| --- | --- | --- |\n";
    let table = |group: &Group| {
        let rows: String = group.settings.iter().map(row).collect();
        format!("\n### {}\n\n{head}{rows}", group.title)
    };
    GROUPS.iter().map(table).chain(["\n".to_owned()]).collect()
}
