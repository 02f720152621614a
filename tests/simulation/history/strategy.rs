//! Which histories there are, and how likely each.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Event, History, Settings};
use crate::universe::{Deed, End, HowItEnds, Meanwhile};
use crate::watch::Whom;
use crate::world::vm::Lie;
use crate::world::weather::{Fate, Fault, Request};

/// Longest history, in chapters.
const CHAPTERS_MAX: usize = 5;

/// Longest time for which one event makes the list wrong, in passes: long enough for a lost reply to be forgotten.
const LIST_WRONG_PASSES: u8 = 4;

/// Any history.
pub fn history() -> impl Strategy<Value = History> {
    let history = (settings(), vec(chapter(), 1..=CHAPTERS_MAX));
    history.prop_map(|(settings, chapters)| History { settings, events: chapters.concat() })
}

/// Events that belong together: what takes several of them in a row would hardly ever happen by chance.
fn chapter() -> impl Strategy<Value = Vec<Event>> {
    prop_oneof![
        6 => vec(event(), 1..=10),
        2 => storm(),
        1 => broken_image(),
        1 => early(),
        1 => fail_over(),
        1 => in_the_last_moment(),
        1 => short_lives(),
    ]
}

/// The program and the API fail again and again while replicas are wanted.
fn storm() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        2 => (1_u8..=2).prop_map(Event::Passes),
        2 => fault(),
        2 => program(),
        1 => Just(Event::AllBusy),
        1 => replica(),
    ];
    vec(event, 6..=20)
}

/// New replicas run, and never answer, for a long time.
fn broken_image() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => (8_u8..=20).prop_map(Event::Passes),
        1 => Just(Event::AllBusy),
        1 => program(),
        1 => event(),
    ];
    let fate = select(vec![Fate::NeverAnswers, Fate::NeverAnswers, Fate::Sticks, Fate::Fails]);
    let undeletable = Event::Fault { request: Request::Delete, fault: Fault::Fails, times: 255 };
    let fault = option::weighted(0.4, Just(undeletable));
    (fate, fault, vec(event, 4..=8)).prop_map(|(fate, fault, events)| {
        let begin = [Event::Builds(fate), Event::AllBusy];
        begin.into_iter().chain(fault).chain(events).collect()
    })
}

/// Passes begin early, and things happen between them.
fn early() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        2 => hurry(),
        3 => lost(),
        3 => replica(),
        1 => Just(Event::AllGoSilent),
        1 => Just(Event::MostTurnToError),
        1 => operator(),
        1 => fault(),
        1 => program(),
        1 => (1_u8..=3).prop_map(Event::Passes),
    ];
    vec(event, 4..=14)
}

/// Services die one after the other, a few seconds apart, while others could have their addresses.
fn fail_over() -> impl Strategy<Value = Vec<Event>> {
    let vm = any::<u8>;
    let event = prop_oneof![
        3 => lost(),
        3 => vm().prop_map(|vm| Event::GoesSilent { vm }),
        2 => (1_u8..=2).prop_map(Event::Passes),
        1 => Just(Event::AllAnswer),
        1 => (vm(), option::of(vm())).prop_map(|(address, to)| Event::Bound { address, to }),
    ];
    vec(event, 6..=14).prop_map(|events| {
        let begin = [Event::AllAnswer, Event::Added, Event::Added, Event::Added, Event::Passes(2)];
        begin.into_iter().chain(events).collect()
    })
}

/// What is about to be deleted is repaired, or locked, while the pass goes on.
fn in_the_last_moment() -> impl Strategy<Value = Vec<Event>> {
    let fault = (any::<u8>(), any::<u8>()).prop_flat_map(|(vm, other)| {
        select(vec![
            [Event::Finishes { vm }, Event::Passes(0)],
            [Event::Added, Event::GoesSilent { vm: 0 }],
            [Event::TurnsToError { vm, serves: false }, Event::Finishes { vm: other }],
        ])
    });
    let deed = select(vec![Deed::Repairs, Deed::Locks]);
    (fault, 0_u8..=6, 3_u8..=6, deed).prop_map(|(fault, passes, requests, deed)| {
        let meanwhile = Event::Meanwhile(Meanwhile { requests, deed });
        fault.into_iter().chain([Event::Passes(passes), meanwhile, Event::Passes(2)]).collect()
    })
}

fn hurry() -> impl Strategy<Value = Event> {
    (2_u8..=12, select(vec![1_u8, 2, 5, 20, 40]))
        .prop_map(|(passes, apart)| Event::Early { passes, apart })
}

fn lost() -> impl Strategy<Value = Event> {
    let whom = prop_oneof![
        2 => Just(Whom::Holders),
        1 => Just(Whom::All),
        4 => any::<u8>().prop_map(Whom::Some),
        2 => Just(Whom::Silent),
        1 => Just(Whom::Elsewhere),
    ];
    (1_u8..=12, select(vec![0_u8, 0, 1, 5, 20, 57]), whom)
        .prop_map(|(passes, apart, whom)| Event::Lost { passes, apart, whom })
}

/// New replicas serve for a while only, for a long time.
fn short_lives() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => (8_u8..=40).prop_map(Event::Passes),
        1 => Just(Event::AllBusy),
        1 => Just(Event::Restart),
        1 => event(),
    ];
    let fate = select(vec![
        Fate::Dies(60, 120),
        Fate::Dies(300, 2100),
        Fate::AnswersOnly(2),
        Fate::PowersOff(20),
        Fate::PowersOff(300),
    ]);
    (fate, vec(event, 4..=8)).prop_map(|(fate, events)| {
        let begin = [Event::Builds(fate), Event::AllBusy];
        begin.into_iter().chain(events).collect()
    })
}

fn settings() -> impl Strategy<Value = Settings> {
    (
        1_u64..=3,
        0_u64..=7,
        option::weighted(0.6, 0_u64..=5),
        option::weighted(0.4, select(vec![60_u16, 300, 900])),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.15),
        option::weighted(0.6, 0_u8..=3),
        option::weighted(0.7, select(vec![1_u8, 4, 15])),
        0_u8..=4,
    )
        .prop_map(
            |(
                capacity,
                minimum,
                spare,
                replace_silent_after,
                delete_stopped,
                once,
                addresses,
                watch,
                replicas,
            )| Settings {
                capacity,
                minimum,
                spare,
                replace_silent_after,
                delete_stopped,
                once,
                addresses,
                watch,
                replicas,
            },
        )
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        16 => (1_u8..=6).prop_map(Event::Passes),
        3 => (8_u8..=20).prop_map(Event::Passes),
        1 => hurry(),
        1 => lost(),
        20 => replica(),
        8 => operator(),
        10 => cloud(),
        8 => fault(),
        4 => program(),
    ]
}

fn replica() -> impl Strategy<Value = Event> {
    let vm = any::<u8>;
    prop_oneof![
        6 => (vm(), 0_u8..=3).prop_map(|(vm, free)| Event::Load { vm, free }),
        3 => vm().prop_map(|vm| Event::Finishes { vm }),
        4 => vm().prop_map(|vm| Event::GoesSilent { vm }),
        2 => Just(Event::AllGoSilent),
        3 => Just(Event::AllAnswer),
        2 => (vm(), select(&Lie::ALL[..])).prop_map(|(vm, lie)| Event::Lies { vm, lie }),
        2 => (vm(), any::<bool>()).prop_map(|(vm, serves)| Event::TurnsToError { vm, serves }),
        1 => Just(Event::MostTurnToError),
        2 => vm().prop_map(|vm| Event::Vanishes { vm }),
        1 => (vm(), 1..=LIST_WRONG_PASSES).prop_map(|(vm, passes)| Event::Unlisted { vm, passes }),
        1 => (1..=LIST_WRONG_PASSES).prop_map(|passes| Event::MostUnlisted { passes }),
        1 => (vm(), 1_u8..=3, any::<bool>())
            .prop_map(|(vm, passes, serves)| Event::Task { vm, passes, serves }),
        2 => Just(Event::AllBusy),
        1 => vm().prop_map(|vm| Event::LosesPort { vm }),
        2 => prop::bool::weighted(0.6).prop_map(|works| Event::OwnNetwork { works }),
    ]
}

fn operator() -> impl Strategy<Value = Event> {
    let vm = any::<u8>;
    prop_oneof![
        vm().prop_map(|vm| Event::Stopped { vm }),
        vm().prop_map(|vm| Event::Shelved { vm }),
        vm().prop_map(|vm| Event::SoftDeleted { vm }),
        vm().prop_map(|vm| Event::Deleted { vm }),
        vm().prop_map(|vm| Event::StartedAgain { vm }),
        vm().prop_map(|vm| Event::Locked { vm }),
        vm().prop_map(|vm| Event::Unlocked { vm }),
        Just(Event::Added),
        vm().prop_map(|vm| Event::ForeignAddress { vm }),
        (vm(), option::of(vm())).prop_map(|(address, to)| Event::Bound { address, to }),
        (2_u8..=9, select(vec![Deed::Repairs, Deed::Repairs, Deed::Locks]))
            .prop_map(|(requests, deed)| Event::Meanwhile(Meanwhile { requests, deed })),
    ]
}

fn cloud() -> impl Strategy<Value = Event> {
    let fates = vec![
        Fate::Good,
        Fate::Fails,
        Fate::Sticks,
        Fate::NeverAnswers,
        Fate::Dies(100, 900),
        Fate::AnswersOnly(3),
        Fate::PowersOff(30),
    ];
    prop_oneof![
        3 => select(fates).prop_map(Event::Builds),
        1 => (select(vec![20_u16, 100, 400, 1000]), select(vec![10_u16, 60, 300, 700]))
            .prop_map(|(build, boot)| Event::BuildTimes { build, boot }),
        2 => option::weighted(0.7, 0_u8..=4).prop_map(Event::Quota),
        2 => option::weighted(0.7, 0_u8..=4).prop_map(Event::Room),
        2 => option::weighted(0.7, select(vec![10_u16, 90, 500]))
            .prop_map(Event::Deletions),
        1 => any::<bool>().prop_map(|works| Event::Router { works }),
        2 => (0..=LIST_WRONG_PASSES).prop_map(|passes| Event::ListsLate { passes }),
        2 => (1..=LIST_WRONG_PASSES).prop_map(|passes| Event::ListFreezes { passes }),
        1 => select(vec![1_u8, 40, 90]).prop_map(|seconds| Event::SlowProbes { seconds }),
        1 => (1_u8..=5).prop_map(|passes| Event::Crowded { passes }),
        1 => select(vec![5_u8, 15, 40]).prop_map(|minutes| Event::Pause { minutes }),
        1 => prop::bool::weighted(0.7).prop_map(Event::HidesLaunches),
        1 => prop::bool::weighted(0.7).prop_map(Event::NoDate),
        1 => prop::bool::weighted(0.7).prop_map(Event::WrongDates),
        1 => prop::bool::weighted(0.7).prop_map(Event::DropsMarks),
        1 => prop::bool::weighted(0.7).prop_map(Event::PortsOutlive),
        2 => (option::weighted(0.8, 0_u8..=3), 1_u8..=5)
            .prop_map(|(more, schedules)| Event::PageLimit { more, schedules }),
    ]
}

fn fault() -> impl Strategy<Value = Event> {
    let requests = vec![
        Request::List,
        Request::Network,
        Request::LookUp,
        Request::Addresses,
        Request::Bind,
        Request::Delete,
        Request::Create,
        Request::Create,
        Request::Create,
    ];
    (select(requests), select(&Fault::ALL[..]), 1_u8..=4)
        .prop_map(|(request, fault, times)| Event::Fault { request, fault, times })
}

fn program() -> impl Strategy<Value = Event> {
    let how = vec![HowItEnds::KilledBefore, HowItEnds::KilledAfter, HowItEnds::Asked];
    prop_oneof![
        1 => Just(Event::Restart),
        3 => (0_u8..=9, select(how)).prop_map(|(requests, how)| Event::Ends(End { requests, how })),
    ]
}
