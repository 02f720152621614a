//! What is derived from the table agrees with it: the program, the help, the README and the manual page.

use std::collections::BTreeSet;

use crate::args::OPTIONS;
use crate::config::list;
use crate::config::table::{self, SELF_SCALING, Setting, Unset};

const README: &str = include_str!("../../../README.md");
const MANUAL: &str = include_str!("../../../man/simplescalevm.8");

/// Variables that others set for us and the manual page mentions.
const OF_OTHERS: [&str; 2] = ["COLUMNS", "JOURNAL_STREAM"];

#[test]
fn no_name_stands_for_two_settings() {
    let mut seen = BTreeSet::new();
    for name in table::all().flat_map(Setting::names) {
        assert!(seen.insert(name), "{name} stands twice in the table");
    }
}

#[test]
fn every_setting_is_read() {
    // A control character, a missing file, and a secret that is given twice are wrong: whichever is read complains.
    let user = [("OS_USERNAME", "u"), ("OS_PASSWORD", "s")];
    let credential = [("OS_APPLICATION_CREDENTIAL_SECRET", "s")];
    let by_name = [("OS_APPLICATION_CREDENTIAL_NAME", "n"), ("OS_USERNAME", "u"), credential[0]];
    let etcd = [
        ("PROVIDER", "simulated"),
        ("APP_LEASE", "etcd"),
        ("ETCDCTL_ENDPOINTS", "localhost:2379"),
        ("OPENSTACK_METADATA_VALUE", "a"),
        ("ETCDCTL_USER", "ann"),
        ("ETCDCTL_PASSWORD_FILE", "/run/password"),
    ];
    let logins: [&[(&str, &str)]; 7] = [
        &etcd,
        &[user[0], user[1], ("OS_PROJECT_ID", "p")],
        &[user[0], user[1], ("OS_PROJECT_NAME", "p")],
        &[user[0], ("OS_PROJECT_NAME", "p"), ("OS_PASSWORD_FILE", "/run/password")],
        &[("OS_APPLICATION_CREDENTIAL_ID", "i"), credential[0]],
        &[("OS_APPLICATION_CREDENTIAL_SECRET_FILE", "/run/password")],
        &by_name,
    ];
    let complains = |login: &[(&str, &str)], name: &str| {
        let kept = login.iter().copied().filter(|(set, _)| *set != name);
        let settings: Vec<_> = kept.chain([(name, "/missing\u{1}")]).collect();
        let faults = super::load(&settings, false).err().unwrap_or_default();
        faults.iter().any(|fault| fault.starts_with(&format!("{name} ")))
    };
    for setting in table::all().filter(|setting| setting.name != "RUST_LOG") {
        let read = logins.iter().any(|login| complains(login, setting.name));
        assert!(read, "{} is in the table, but nobody minds nonsense in it", setting.name);
    }
}

#[test]
fn help_lists_every_setting_with_its_default() {
    let help = crate::args::help(80);
    for setting in table::all() {
        let line = help.lines().find(|line| line.split_whitespace().next() == Some(setting.name));
        assert!(line.is_some(), "{} is missing in --help", setting.name);
    }
    let flat = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for setting in table::all() {
        if let Unset::Default(value) = setting.unset {
            assert!(flat.contains(&format!("[default: {value}")), "default of {}", setting.name);
        }
    }
}

#[test]
fn the_readme_holds_the_table() {
    let (begin, end) = ("<!-- settings -->\n", "<!-- /settings -->");
    let held = README.split_once(begin).and_then(|(_, rest)| Some(rest.split_once(end)?.0));
    let table = list::markdown();
    assert!(held == Some(&table), "between {begin}and {end} the README should hold:\n{table}");
}

/// A section of the manual page, by its heading.
fn section(heading: &str) -> &'static str {
    let begin = format!(".Sh {heading}\n");
    let rest = MANUAL.split_once(&begin).map_or("", |(_, rest)| rest);
    rest.split("\n.Sh ").next().unwrap_or(rest)
}

/// The items of a section's lists that begin with this macro, each with what is said of it.
fn items(heading: &str, mdoc: &str) -> Vec<(String, String)> {
    let begin = format!(".It {mdoc} ");
    let items = section(heading).split("\n.It ").skip(1).map(|item| format!(".It {item}"));
    items
        .filter_map(|item| {
            let (head, body) = item.split_once('\n')?;
            Some((head.strip_prefix(&begin)?.to_owned(), body.replace('"', "")))
        })
        .collect()
}

#[test]
fn the_manual_page_has_every_setting_in_the_order_of_the_table_and_no_other() {
    let in_manual: Vec<String> =
        items("ENVIRONMENT", "Ev").into_iter().map(|(name, _)| name).collect();
    let in_table: Vec<&str> = table::all().map(|setting| setting.name).collect();
    assert_eq!(in_manual, in_table);
}

#[test]
fn the_manual_page_has_every_default_and_every_other_name() {
    for ((name, body), setting) in items("ENVIRONMENT", "Ev").iter().zip(table::all()) {
        let unset = match setting.unset {
            Unset::Default(value) => format!("Default: {value}."),
            Unset::Means(_) => String::new(),
        };
        // `.Ql 60 .` is how mdoc writes a quoted word and a full stop.
        let plain = body.replace("\n.Ql ", " ").replace(" .\n", ".\n").replace(" .", ".");
        assert!(plain.contains(&unset), "{name}: {unset:?} is not in {plain:?}");
        for alias in setting.aliases {
            assert!(
                body.contains(&format!(".Ev {alias}")),
                "{name}: also {alias} is not in {body:?}"
            );
        }
    }
}

#[test]
fn the_manual_page_names_no_variable_that_does_not_exist() {
    let known: BTreeSet<&str> =
        table::all().flat_map(Setting::names).chain(SELF_SCALING).chain(OF_OTHERS).collect();
    for line in MANUAL.lines().filter_map(|line| line.split_once("Ev ").map(|(_, rest)| rest)) {
        let name = line.split_whitespace().next().unwrap_or_default();
        assert!(known.contains(name), "{name} is in the manual page, but no setting");
    }
}

#[test]
fn the_manual_page_has_every_option_and_no_other() {
    let in_manual: Vec<String> = items("OPTIONS", "Fl").into_iter().map(|(name, _)| name).collect();
    let in_table = OPTIONS.map(|option| match option.short {
        Some(letter) => format!("{letter} , Fl Fl {}", option.long),
        None => match option.value {
            Some(value) => format!("Fl {} Ar {}", option.long, value.to_lowercase()),
            None => format!("Fl {}", option.long),
        },
    });
    assert_eq!(in_manual, in_table);
}
