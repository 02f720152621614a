//! How the table of settings reads for people.

#[cfg(test)]
use crate::config::table::Group;
use crate::config::table::{GROUPS, Setting, Unset};

/// Widest line of `--help`.
const COLUMNS_MAX: usize = 100;

/// Where the meanings begin: behind the longest name.
const MEANING_COLUMN: usize = 41;

/// Every setting with its meaning and default, for `--help`.
pub fn plain() -> String {
    let mut text = String::new();
    for group in GROUPS {
        text.extend(["\n", group.title, ":\n"]);
        let entries = group.settings.iter();
        text.extend(
            entries.map(|setting| entry(setting.name, MEANING_COLUMN, &described(setting))),
        );
    }
    text
}

/// A name and, beside it, what it means, wrapped.
pub fn entry(name: &str, column: usize, meaning: &str) -> String {
    let mut text = String::new();
    let mut line = format!("  {name:width$}", width = column.saturating_sub(3));
    for word in meaning.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > COLUMNS_MAX {
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
