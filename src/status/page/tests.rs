use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::*;
use crate::model::{Replica, ServerId, State};
use crate::pass::Report;
use crate::questions::{Asked, Question};
use crate::status::ended_pass::EndedPass;
use crate::status::fixture::{self, at};

/// The page after these passes, a minute apart.
fn page_after(full: bool, passes: Vec<Report>, filter: &str) -> String {
    let mut snapshot = fixture::before_the_first_pass();
    snapshot.settings.full = full;
    let mut history = History::new(snapshot.started.wall);
    let mut seconds = 1;
    for mut report in passes {
        let events = std::mem::take(&mut report.events);
        let pass = EndedPass { began: at(seconds), ended: at(seconds + 1), report };
        history.record(&pass, events);
        snapshot = snapshot.pass_ended(pass);
        seconds += 60;
        snapshot.next = Some(at(seconds));
    }
    render(&snapshot, &history, at(seconds.saturating_sub(28)), filter)
}

fn many(count: usize) -> Report {
    let mut report = fixture::good_pass();
    let plan = report.plan.as_mut().unwrap();
    let one = plan.replicas[0].clone();
    let replica = |number: usize| Replica {
        id: ServerId::new(format!("3f2a9c4e-0000-4000-8000-{number:012}")),
        name: format!("web-{number}").into(),
        state: State::ALL[number % 7],
        ..one.clone()
    };
    plan.replicas = (0..count).map(replica).collect();
    report
}

/// To the letter, but for what the style and the script are.
#[track_caller]
fn check(page: &str, golden: &str) {
    let page = page.replace(STYLE, "STYLE").replace(SCRIPT, "SCRIPT");
    let page = page.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    // So that a difference is found.
    let page = page.replace("><", ">\n<");
    assert!(page == golden, "the page is\n{page}\nand should be\n{golden}");
}

#[test]
fn of_several_scalers_the_top_says_which_acts_and_since_when() {
    let page_of = |full| {
        let mut snapshot = fixture::before_the_first_pass().with_lease(Some(fixture::standby()));
        snapshot.settings.full = full;
        let history = History::new(snapshot.started.wall);
        render(&snapshot, &history, at(30), "")
    };
    let page = page_of(true);
    for part in [
        "standing by: right acts, since <time datetime=\"2026-09-21T14:13:30Z\">2026-09-21 14:13:30</time>",
        "Another scaler acts, and this one would take over.",
        "Only the scaler that acts looks at it.",
    ] {
        assert!(page.contains(part), "no {part:?} in {page}");
    }
    assert!(!page_of(false).contains("right acts"), "a summary names it");
}

#[test]
fn the_policy_allows_this_very_style_and_script() {
    let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    for (kind, text) in [("style", STYLE), ("script", SCRIPT)] {
        let source = format!("{kind}-src 'sha256-{}';", hash(text));
        assert!(POLICY.contains(&source), "POLICY needs {source} as it is {POLICY}");
    }
    for word in ["unsafe", "http:", "https:", "*"] {
        assert!(!POLICY.contains(word), "{word} in {POLICY}");
    }
}

#[test]
fn before_the_first_pass_the_page_says_so() {
    check(&page_after(true, Vec::new(), ""), include_str!("golden/first.html"));
}

#[test]
fn the_full_page_shows_the_pool_and_what_became_of_each_step() {
    let passes = vec![fixture::good_pass(), fixture::failed_pass()];
    check(&page_after(true, passes, ""), include_str!("golden/full.html"));
}

#[test]
fn the_summary_shows_numbers_only() {
    let passes = vec![fixture::good_pass(), fixture::failed_pass()];
    let page = page_after(false, passes, "web");
    check(&page, include_str!("golden/summary.html"));
}

#[test]
fn no_id_name_or_address_is_left_in_the_summary() {
    let quiet = || Report { failures: Vec::new(), ..fixture::failed_pass() };
    for passes in [vec![fixture::dry_run()], vec![quiet(), fixture::failed_pass(), quiet()]] {
        let page = page_after(false, passes, "");
        for hidden in ["web-", "id-", "ip-1", "192.0.2", "203.0.113", "stranger"] {
            let ours = ["grid-", "data-", "aria-"];
            let plain = ours.iter().fold(page.clone(), |page, word| page.replace(word, ""));
            let plain = plain.replace("mid-", "").replace("grid-template", "");
            assert!(!plain.contains(hidden), "{hidden} is shown: {plain}");
        }
    }
}

#[test]
fn nothing_from_outside_is_markup() {
    let evil = "<script>alert(1)</script>\" onload='x'&";
    let mut report = fixture::failed_pass();
    report.mark = Some(evil.into());
    report.failures = vec![evil.into()];
    report.events[0].text = evil.into();
    report.pause.as_mut().unwrap().why = evil.into();
    for step in &mut report.outcome.as_mut().unwrap().steps {
        step.step = evil.into();
    }
    let plan = report.plan.as_mut().unwrap();
    plan.replicas[0].name = evil.into();
    plan.replicas[0].id = ServerId::new(evil);
    plan.replicas[0].why = evil.into();
    plan.brakes.push(evil.into());
    plan.notes[0].text = evil.into();
    plan.notes[0].key = "other".into();
    report.addresses.as_mut().unwrap()[0].holder = Some(ServerId::new(evil));
    let page = page_after(true, vec![fixture::good_pass(), report], evil);
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(!page.contains("onload='"), "{page}");
    assert!(!page.contains("\" onload"), "{page}");
    assert_eq!(page.matches("<script>").count(), 1, "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&#39;x&#39;&amp;"));
}

#[test]
fn a_filter_hides_what_lacks_one_of_its_words() {
    let page = page_after(true, vec![many(40)], "SILENT web-1");
    let rows = || page.lines().filter(|line| line.starts_with("<tr id=\"r-"));
    let shown: Vec<&str> = rows()
        .filter(|row| !row.contains(" hidden>"))
        .filter_map(|row| row.split_once("<bdi>")?.1.split_once("</bdi>"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(rows().count(), 40, "the others are there, for another filter");
    assert_eq!(shown, ["web-10", "web-17"]);
    assert!(page.contains(">2 of 40 replicas<"), "{page}");
}

#[test]
fn those_with_trouble_come_first() {
    let page = page_after(true, vec![many(9)], "");
    let states: Vec<&str> = page
        .lines()
        .filter_map(|line| {
            line.split_once("<tr id=\"r-")?.1.split_once("class=\"")?.1.split('"').next()
        })
        .collect();
    let expected = [
        "failed",
        "unreachable",
        "silent",
        "finished",
        "creating",
        "starting",
        "starting",
        "healthy",
        "healthy",
    ];
    assert_eq!(states, expected);
}

#[test]
fn the_page_is_in_the_order_of_a_night_call() {
    let mut report = fixture::failed_pass();
    report.plan.as_mut().unwrap().replicas[1].state = State::Silent;
    let page = page_after(true, vec![report], "");
    let order = [
        "<div id=\"health\"",
        "<h2 id=\"attention-heading\"",
        "<h2 id=\"trouble-heading\"",
        "<h2 id=\"addresses-heading\"",
        "<h2 id=\"past-heading\"",
        "<h2 id=\"plan-heading\"",
        "<h2 id=\"events-heading\"",
        "<h2 id=\"replicas-heading\"",
    ];
    let places: Vec<_> = order.iter().map(|part| page.find(part)).collect();
    assert!(places.iter().all(Option::is_some), "{places:?} of {order:?}: {page}");
    assert!(places.is_sorted(), "{places:?} of {order:?}");
}

#[test]
fn replicas_in_trouble_lead_to_their_rows() {
    let page = page_after(true, vec![many(9)], "");
    let (_, list) = page.split_once("<ul class=\"trouble\">").unwrap();
    let (list, _) = list.split_once("</ul>").unwrap();
    let shown: Vec<&str> =
        list.split("<li class=\"").skip(1).filter_map(|item| item.split('"').next()).collect();
    assert_eq!(shown, ["failed", "unreachable", "silent"], "{list}");
    let id = "3f2a9c4e-0000-4000-8000-000000000005";
    assert!(list.contains(&format!("<a href=\"#r-{id}\"><bdi>web-5</bdi></a>")), "{list}");
    assert!(page.contains(&format!("<tr id=\"r-{id}\"")), "{page}");
}

#[test]
fn of_much_trouble_the_first_are_shown_and_the_rest_is_counted() {
    let page = page_after(true, vec![many(70)], "");
    let (_, list) = page.split_once("<ul class=\"trouble\">").unwrap();
    let (list, rest) = list.split_once("</ul>").unwrap();
    assert_eq!(list.matches("<li ").count(), 10, "{list}");
    assert!(rest.starts_with("<p class=\"quiet all\">30 in all:"), "{rest}");
    assert!(rest.contains("data-filter=\"silent\">10 silent</a>"), "{rest}");
}

#[test]
fn a_pool_without_trouble_has_no_list_of_it() {
    let mut report = fixture::good_pass();
    report.plan.as_mut().unwrap().replicas.truncate(1);
    assert!(!page_after(true, vec![report], "").contains("trouble-heading"));
}

/// The folded list of so many addresses, held by the replicas `id-0` and `id-1` in turn.
fn folded(count: u8, second: State) -> bool {
    let mut report = fixture::failed_pass();
    report.outcome = None;
    let addresses = report.addresses.as_mut().unwrap();
    let one = addresses[0].clone();
    *addresses = (0..count)
        .map(|number| crate::model::ExternalAddress {
            id: crate::model::AddressId(format!("ip-{number}")),
            address: [203, 0, 113, number].into(),
            holder: Some(ServerId::new(format!("id-{}", number % 2))),
            ..one.clone()
        })
        .collect();
    report.plan.as_mut().unwrap().replicas[1].state = second;
    let page = page_after(true, vec![report], "");
    assert!(page.contains("<code>203.0.113.1</code>"), "it is there, folded or not: {page}");
    page.contains("<details id=\"all-addresses\"><summary>All ")
}

#[test]
fn many_addresses_are_folded_as_long_as_all_are_well() {
    assert!(folded(11, State::Healthy));
    assert!(!folded(10, State::Healthy), "so few can be seen at a glance");
    assert!(!folded(11, State::Silent), "one that is not well must be seen");
}

#[test]
fn the_top_says_where_the_pool_is_and_how_it_is_set() {
    let page = page_after(true, vec![fixture::good_pass()], "");
    for part in [
        "<dt>region</dt><dd>GRA9</dd>",
        "<dt>project</dt><dd>Recorders</dd>",
        "<dt>flavor</dt><dd>d2-8</dd>",
        "<dt>image</dt><dd>Debian 12</dd>",
        "<dt>network</dt><dd>Ext-Net</dd>",
        "<li class=\"set\"><b>REPLICA_CAPACITY</b> <span>3</span> <small>set</small></li>",
        "<li><b>OS_REGION_NAME</b> <span>GRA9</span> <small>default</small></li>",
    ] {
        assert!(page.contains(part), "no {part:?} in {page}");
    }
    let summary = page_after(false, vec![fixture::good_pass()], "");
    for hidden in ["GRA9", "Recorders", "d2-8", "Ext-Net", "settings in force"] {
        assert!(!summary.contains(hidden), "{hidden} is shown: {summary}");
    }
}

#[test]
fn an_event_leads_to_the_replica_it_is_about() {
    let page = page_after(true, vec![fixture::failed_pass()], "");
    let event = "cannot delete <a href=\"#r-id-1\"><bdi>web-1</bdi></a>: finished";
    assert!(page.contains(event), "{page}");
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = page_after(true, vec![fixture::failed_pass()], "");
    for word in ["src=", "url(", "@import", "href=\"http", "href=\"//", "style=\"", "onclick"] {
        assert!(!page.contains(word), "{word} in {page}");
    }
}

#[test]
fn a_pause_says_until_when_and_why() {
    let page = page_after(true, vec![fixture::failed_pass()], "");
    let expected = "Creation paused until <time datetime=\"2026-09-21T14:14:22Z\">14:14:22</time>: web-9 failed: no valid host";
    assert!(page.contains(expected), "{page}");
}

#[test]
fn the_top_the_title_and_the_icon_have_the_pools_tone() {
    let report = |free, failures: Vec<String>| {
        let mut report = fixture::good_pass();
        let plan = report.plan.as_mut().unwrap();
        (plan.free, plan.creation, plan.held_back) = (free, None, None);
        (plan.brakes, plan.notes) = (Vec::new(), Vec::new());
        Report { failures, ..report }
    };
    for (report, word, class, colour) in [
        (report(6, Vec::new()), "Well", "good", "1a7f4b"),
        (report(2, Vec::new()), "Short", "warning", "b25e00"),
        (report(6, vec!["no answer".into()]), "Failing", "error", "c62828"),
    ] {
        let page = page_after(true, vec![report], "");
        for part in [
            format!("<p class=\"health {class}\"><strong>{word}</strong> "),
            format!("<title>{}: group=scaler</title>", word.to_lowercase()),
            format!("fill='%23{colour}'"),
        ] {
            assert!(page.contains(&part), "no {part:?} in {page}");
        }
    }
}

#[test]
fn while_something_is_missing_it_never_says_that_nothing_holds_it_back() {
    let mut report = fixture::good_pass();
    let plan = report.plan.as_mut().unwrap();
    (plan.free, plan.creation, plan.held_back) = (2, None, None);
    (plan.brakes, plan.notes) = (Vec::new(), Vec::new());
    let page = page_after(true, vec![report], "");
    assert!(!page.contains("Nothing: no failure"), "{page}");
    assert!(page.contains("Nothing was asked for; the next pass tries again, at "), "{page}");
}

#[test]
fn a_row_tells_since_when_what_the_last_question_came_to_and_how_far_a_boot_is() {
    let mut snapshot = fixture::after(many(9));
    let asked = |answered, result: &str| {
        let last = Question {
            at: at(22),
            lasted: Duration::from_millis(12),
            answered,
            result: result.to_owned().into(),
        };
        Asked { last: Some(last), answered: Some(at(if answered { 22 } else { 10 })) }
    };
    let id = |number: u8| ServerId::new(format!("3f2a9c4e-0000-4000-8000-00000000000{number}"));
    let questions = [(id(0), asked(true, "200")), (id(3), asked(false, "status 503"))];
    snapshot = snapshot.with_questions(questions.into_iter().collect());
    let page = render(&snapshot, &History::new(snapshot.started.wall), at(30), "");
    let row = |number: u8| {
        let begin = format!("<tr id=\"r-{}\"", id(number));
        page.lines().find(|line| line.starts_with(&begin)).unwrap().to_owned()
    };
    let (healthy, starting, creating, silent) = (row(0), row(1), row(2), row(3));
    for (row, part) in [
        (&healthy, "since before <time datetime=\"2026-09-21T14:13:21Z\">14:13:21</time>"),
        (&healthy, "<small>200 in 12 ms, 8 s ago</small>"),
        (&silent, "<small>status 503 in 12 ms, 8 s ago; last answer 20 s ago</small>"),
        (&starting, "value=\"600\" max=\"600\"></progress> boot: 1 h of at most 10 min"),
        (&creating, "build: 1 h of at most 15 min"),
    ] {
        assert!(row.contains(part), "no {part:?} in {row}");
    }
}

#[test]
fn a_thousand_replicas_are_a_page_of_bearable_weight() {
    let size = |count| {
        let report = many(count);
        let asked = |replica: &Replica| {
            let lasted = Duration::from_millis(12);
            let last = Question { at: at(22), lasted, answered: true, result: "200".into() };
            (replica.id.clone(), Asked { last: Some(last), answered: Some(at(22)) })
        };
        let questions = report.plan.as_ref().unwrap().replicas.iter().map(asked).collect();
        let snapshot = fixture::after(report).with_questions(questions);
        render(&snapshot, &History::new(snapshot.started.wall), at(30), "").len()
    };
    let each = (size(1000) - size(0)) / 1000;
    assert!(each < 560, "{each} bytes for each replica");
    assert!(size(1000) < 620_000, "{} bytes", size(1000));
}
