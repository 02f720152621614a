//! Which mark the pool goes by.

use crate::decide::mark::{MarkChoice, choose, settle};
use crate::decide::tests::pictures::healthy;
use crate::error::ErrorKind;
use crate::model::Server;
use crate::settings::Mark;

fn server(mark: Option<&str>) -> Server {
    let mut server = healthy("a", 1).server;
    server.mark = mark.map(Into::into);
    server
}

#[track_caller]
fn check(value: Option<&str>, carried: &[Option<&str>], expected: &MarkChoice) {
    let setting = Mark { key: "group".into(), value: value.map(str::to_owned) };
    let servers: Vec<_> = carried.iter().copied().map(server).collect();
    assert_eq!(choose(&setting, &servers), *expected, "set {value:?}, carried {carried:?}");
}

#[test]
fn the_operators_mark_is_used_whatever_is_found() {
    check(Some("mine"), &[Some("scaler"), Some("scaled")], &MarkChoice::Use("mine".into()));
}

#[test]
fn the_documented_mark_is_used_when_nothing_or_only_it_is_found() {
    let documented = &MarkChoice::Use("scaler".into());
    check(None, &[], documented);
    check(None, &[None, Some("other")], documented);
    check(None, &[Some("scaler"), None], documented);
}

#[test]
fn the_mark_of_the_python_code_is_used_when_only_that_is_found() {
    check(None, &[Some("other"), Some("scaled"), None], &MarkChoice::UsePython);
}

#[test]
fn when_both_are_found_the_operator_has_to_say() {
    check(None, &[Some("scaled"), Some("scaler")], &MarkChoice::Ambiguous);
}

#[test]
fn only_the_mark_of_the_python_code_is_worth_a_warning() {
    let unset = Mark { key: "group".into(), value: None };
    assert_eq!(settle(&unset, &[server(Some("other"))]), Ok(("scaler".into(), None)));
    let (mark, warning) = settle(&unset, &[server(Some("scaled"))]).unwrap();
    assert_eq!(mark, "scaled");
    assert!(warning.is_some_and(|warning| warning.contains("the servers carry group=scaled")));
}

#[test]
fn two_marks_are_the_operators_fault_to_mend() {
    let unset = Mark { key: "group".into(), value: None };
    let error = settle(&unset, &[server(Some("scaled")), server(Some("scaler"))]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Setting, "{error}");
}
