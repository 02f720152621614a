//! Tests of what the watch makes of answers and silence, second by second.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::holders::after_pass;
use super::{Holder, Holders, Learnt, Question};
use crate::model::{AddressId, Answer, ExternalAddress, Lost, Replica, ServerId, State};
use crate::outcome::Outcome;
use crate::plan::Plan;

/// What a holder does with a question, and after how many milliseconds.
#[derive(Clone, Copy)]
enum Does {
    /// Answers.
    Answers(u64),
    /// Refuses the connection.
    Refuses,
    /// Takes no connection.
    Drops,
    /// Takes it and never answers: `REPLICA_API_TIMEOUT`.
    Hangs(u64),
}

/// Holders and what they do, from the pass on that began and ended at zero.
struct World {
    holders: Holders,
    now: u64,
    asked: Vec<(u64, Question, Answer)>,
    questions: BTreeMap<String, usize>,
}

const INTERVAL: u64 = 1000;

fn milliseconds(time: u64) -> Duration {
    Duration::from_millis(time)
}

fn holder(id: &str, learnt: Learnt) -> Holder {
    let address = IpAddr::from([192, 0, 2, 1]);
    Holder { id: ServerId::new(id), name: format!("web-{id}"), address, learnt }
}

fn world(ids: &[&str]) -> World {
    let mut holders = Holders::new(milliseconds(INTERVAL), 128);
    let all = ids.iter().map(|id| holder(id, Learnt::Answers)).collect();
    holders.pass_ended(all, Duration::ZERO, Duration::ZERO);
    World { holders, now: 0, asked: Vec::new(), questions: BTreeMap::new() }
}

impl World {
    /// Goes on until `end`, in steps of 10 ms; who is lost, and when.
    fn until(&mut self, end: u64, does: impl Fn(&str, u64) -> Does) -> Vec<(u64, String)> {
        let mut lost = Vec::new();
        while self.now < end {
            self.now += 10;
            let now = milliseconds(self.now);
            let ended: Vec<_> = self.asked.extract_if(.., |(at, ..)| *at <= self.now).collect();
            for (at, question, answer) in ended {
                self.holders.ended(&question, &answer, milliseconds(at));
            }
            for question in self.holders.due(now) {
                *self.questions.entry(question.id.to_string()).or_default() += 1;
                self.ask(question, &does);
            }
            let ids = self.holders.take_lost(now).into_keys().map(|id| id.to_string());
            lost.extend(ids.map(|id| (self.now, id)));
            assert!(self.holders.next(now).is_none_or(|next| next > now), "it never sleeps");
        }
        lost
    }

    fn ask(&mut self, question: Question, does: impl Fn(&str, u64) -> Does) {
        let none = |why: &str| Answer::None { why: why.into() };
        let (usual, hurried) = Holders::connect_limits(milliseconds(INTERVAL));
        let connect = if question.hurried { hurried } else { usual };
        let connect = u64::try_from(connect.as_millis()).unwrap();
        let (after, answer) = match does(question.id.as_str(), self.now) {
            Does::Answers(after) => (after, Answer::Valid { capacity: 1, termination: false }),
            Does::Refuses => (1, none("connection refused")),
            Does::Drops => (connect, none("cannot connect in time")),
            Does::Hangs(limit) => (limit, none("no answer")),
        };
        self.asked.push((self.now + after, question, answer));
    }

    /// A pass learns this of a holder.
    fn pass(&mut self, id: &str, learnt: Learnt) {
        let now = milliseconds(self.now);
        self.holders.pass_ended(vec![holder(id, learnt)], now, now);
    }

    fn asked(&self, id: &str) -> usize {
        self.questions.get(id).copied().unwrap_or_default()
    }
}

/// When a holder is lost that does so from 1.5 s on: it answered the question of the first second.
#[track_caller]
fn check(does: Does, expected: &[u64]) {
    let lost =
        world(&["a"]).until(60_000, |_, now| if now < 1500 { Does::Answers(5) } else { does });
    let times: Vec<u64> = lost.into_iter().map(|(at, _)| at).collect();
    assert_eq!(times, expected);
}

#[test]
fn one_that_refuses_is_lost_at_the_third_question() {
    check(Does::Refuses, &[4010]);
}

#[test]
fn one_that_is_gone_is_lost_within_three_intervals_of_its_death() {
    check(Does::Drops, &[4200]);
}

#[test]
fn one_that_never_answers_is_lost_after_the_time_limit() {
    check(Does::Hangs(5000), &[7000]);
    // A short limit makes nobody lost sooner than a refusal would.
    check(Does::Hangs(1000), &[5000]);
    check(Does::Hangs(2000), &[6000]);
    check(Does::Hangs(3000), &[5000]);
}

#[test]
fn one_that_is_slow_but_answers_is_never_lost() {
    for slow in [900, 1000, 2500, 4000, 4990] {
        check(Does::Answers(slow), &[]);
    }
}

#[test]
fn two_failures_are_forgotten_with_the_next_answer() {
    let mut world = world(&["a"]);
    let down = |_: &str, now: u64| if now % 3000 < 2000 { Does::Refuses } else { Does::Answers(5) };
    assert_eq!(world.until(60_000, down), []);
}

#[test]
fn one_that_stays_dead_begins_one_pass_and_is_asked_on() {
    let mut world = world(&["a"]);
    let lost = world.until(10_000, |_, _| Does::Refuses);
    assert_eq!(lost, [(3010, "a".into())]);
    world.pass("a", Learnt::IsSilent);
    assert_eq!(world.until(20_000, |_, _| Does::Refuses), []);
    assert_eq!(world.asked("a"), 20, "a question a second");
}

#[test]
fn one_that_answered_again_may_begin_another_pass() {
    let mut world = world(&["a"]);
    world.until(5_000, |_, _| Does::Refuses);
    world.pass("a", Learnt::IsSilent);
    assert_eq!(world.until(7_000, |_, _| Does::Answers(5)), []);
    let lost = world.until(20_000, |_, _| Does::Refuses);
    assert_eq!(lost, [(10_010, "a".into())]);
}

#[test]
fn one_that_a_pass_found_silent_begins_none_before_it_answers() {
    let mut world = world(&["a"]);
    world.pass("a", Learnt::IsSilent);
    assert_eq!(world.until(20_000, |_, _| Does::Hangs(5000)), []);
}

#[test]
fn a_pass_that_learnt_nothing_of_a_holder_changes_nothing() {
    let mut world = world(&["a"]);
    assert_eq!(world.until(2_500, |_, _| Does::Refuses), []);
    world.pass("a", Learnt::Nothing);
    assert_eq!(world.until(5_000, |_, _| Does::Refuses), [(3010, "a".into())]);
}

#[test]
fn an_answer_to_a_pass_is_newer_than_a_question_that_began_before_it() {
    let mut world = world(&["a"]);
    assert_eq!(world.until(4_000, |_, _| Does::Hangs(5000)), []);
    world.pass("a", Learnt::Answers);
    assert_eq!(world.until(20_000, |_, _| Does::Answers(5)), []);
}

#[test]
fn a_slow_question_holds_up_no_other_holder() {
    let mut world = world(&["a", "b"]);
    let does = |id: &str, _| if id == "a" { Does::Hangs(5000) } else { Does::Refuses };
    assert_eq!(world.until(8_000, does), [(3010, "b".into()), (6000, "a".into())]);
}

#[test]
fn one_that_takes_its_time_is_known() {
    let mut world = world(&["a", "b"]);
    let does = |id: &str, _| if id == "a" { Does::Hangs(5000) } else { Does::Answers(5) };
    world.until(1_400, does);
    assert!(world.holders.pending(milliseconds(1_400)).is_empty());
    let pending = world.holders.pending(milliseconds(1_500));
    assert_eq!(pending.into_iter().collect::<Vec<_>>(), [ServerId::new("a")]);
}

#[test]
fn those_that_die_at_once_begin_one_pass() {
    let mut world = world(&["a", "b", "c"]);
    let does = |id: &str, _| if id == "a" { Does::Refuses } else { Does::Drops };
    let lost = world.until(10_000, does);
    assert_eq!(lost, [(3200, "a".into()), (3200, "b".into()), (3200, "c".into())]);
}

#[test]
fn one_whose_last_question_hangs_is_not_waited_for() {
    let mut world = world(&["a", "b"]);
    let does =
        |id: &str, now| if id == "b" && now >= 3000 { Does::Hangs(5000) } else { Does::Refuses };
    let lost = world.until(10_000, does);
    assert_eq!(lost, [(3220, "a".into()), (8000, "b".into())]);
}

#[test]
fn no_more_are_asked_at_once_than_allowed_and_each_has_its_turn() {
    let mut world = world(&[]);
    world.holders = Holders::new(milliseconds(INTERVAL), 2);
    let all = ["a", "b", "c", "d", "e"];
    let holders = all.map(|id| holder(id, Learnt::Answers)).to_vec();
    world.holders.pass_ended(holders, Duration::ZERO, Duration::ZERO);
    let does = |id: &str, _| if id < "c" { Does::Hangs(5000) } else { Does::Answers(200) };
    world.until(1_500, does);
    assert_eq!(world.asked.len(), 2, "at once");
    world.until(60_000, does);
    for id in all {
        assert!(world.asked(id) >= 5, "{id} was asked {} times", world.asked(id));
    }
}

#[test]
fn what_this_machine_cannot_ask_says_nothing_of_the_holder() {
    let mut holders = Holders::new(milliseconds(INTERVAL), 128);
    holders.pass_ended(vec![holder("a", Learnt::Answers)], Duration::ZERO, Duration::ZERO);
    for second in 1..20 {
        let now = milliseconds(second * INTERVAL);
        for question in holders.due(now) {
            holders.ended(&question, &Answer::Unasked, now);
        }
        assert_eq!(holders.take_lost(now), BTreeMap::new());
    }
}

#[test]
fn a_holder_that_has_another_address_begins_anew() {
    let mut world = world(&["a"]);
    world.until(2_500, |_, _| Does::Refuses);
    let now = milliseconds(world.now);
    let moved = Holder { address: [192, 0, 2, 9].into(), ..holder("a", Learnt::Nothing) };
    world.holders.pass_ended(vec![moved], now, now);
    assert_eq!(world.until(4_500, |_, _| Does::Refuses), []);
}

#[test]
fn who_is_lost_is_told_with_the_reason_and_how_long_it_took() {
    let mut world = world(&["a"]);
    world.until(2_990, |_, _| Does::Refuses);
    let question = Question {
        id: ServerId::new("a"),
        address: [192, 0, 2, 1].into(),
        began: milliseconds(3000),
        hurried: true,
    };
    assert_eq!(world.holders.due(milliseconds(3000)), std::slice::from_ref(&question));
    let answer = Answer::None { why: "status 503".into() };
    world.holders.ended(&question, &answer, milliseconds(3001));
    let lost = Lost {
        name: "web-a".into(),
        address: [192, 0, 2, 1].into(),
        why: "status 503".into(),
        times: 3,
        within: milliseconds(3000),
    };
    let lost = BTreeMap::from([(ServerId::new("a"), lost)]);
    assert_eq!(world.holders.take_lost(milliseconds(3001)), lost);
}

fn replica(id: &str, state: State) -> Replica {
    Replica {
        id: ServerId::new(id),
        name: format!("web-{id}").into(),
        state,
        why: String::new(),
        free: 0,
        locked: false,
        address: Some([192, 0, 2, 1].into()),
        age: Duration::ZERO,
        up: None,
        batch: None,
        trial: false,
    }
}

/// Of the address of the same name.
fn held(holder: &str) -> ExternalAddress {
    ExternalAddress {
        id: AddressId(format!("ip-{holder}")),
        address: [203, 0, 113, 1].into(),
        holder: Some(ServerId::new(holder)),
        on_server_port: true,
    }
}

#[test]
fn watched_are_those_that_hold_an_address_after_the_pass_and_can_be_asked() {
    let states = [
        ("healthy", State::Healthy),
        ("not-asked", State::Healthy),
        ("finished", State::Finished),
        ("silent", State::Silent),
        ("starting", State::Starting),
        ("parked", State::Parked),
        ("creating", State::Creating),
        ("deleted", State::Finished),
        ("lost", State::Silent),
    ];
    let mut replicas: Vec<Replica> = states.map(|(id, state)| replica(id, state)).to_vec();
    replicas.extend([replica("heir", State::Healthy), replica("spare", State::Healthy)]);
    let addresses: Vec<_> =
        states.iter().map(|(id, _)| held(id)).chain([held("stranger")]).collect();
    let outcome = Outcome {
        moved: vec![(AddressId("ip-lost".into()), ServerId::new("heir"))],
        deleted: vec![ServerId::new("deleted")],
        ..Outcome::default()
    };
    let answered = ["healthy", "finished", "deleted", "heir", "spare"];
    let answered = answered.map(ServerId::new).into();
    let plan = Plan { replicas, ..Plan::default() };
    let holders = after_pass(&plan, Some(&outcome), &addresses, &answered);
    let expected = [
        holder("healthy", Learnt::Answers),
        holder("not-asked", Learnt::Nothing),
        holder("finished", Learnt::Answers),
        holder("silent", Learnt::IsSilent),
        holder("starting", Learnt::IsSilent),
        holder("heir", Learnt::Answers),
    ];
    assert_eq!(holders, expected);
}
