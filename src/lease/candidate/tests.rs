use super::*;
use std::time::SystemTime;

const RULES: Rules = Rules {
    validity: Duration::from_secs(30),
    longest_request: Duration::from_secs(120),
    store_expires: false,
};

/// A store in memory that several candidates share, each request of which takes a tenth of a second.
#[derive(Default)]
struct World {
    records: Vec<Record>,
    used: Vec<u64>,
    now: Duration,
}

impl World {
    fn moment(&self) -> Moment {
        Moment { elapsed: self.now, wall: SystemTime::UNIX_EPOCH + self.now }
    }

    fn answer(&mut self, me: &Holder, request: Request) -> Answer {
        let position =
            |records: &[Record], epoch| records.iter().position(|record| record.epoch == epoch);
        match request {
            Request::Look => {
                Answer::Record(self.records.iter().max_by_key(|record| record.epoch).cloned())
            }
            Request::Read(epoch) => {
                Answer::Record(position(&self.records, epoch).map(|at| self.records[at].clone()))
            }
            Request::Create(epoch) if self.used.contains(&epoch) => {
                Answer::Creation(Creation::Exists)
            }
            Request::Create(epoch) => {
                self.used.push(epoch);
                let (holder, state) = (me.clone(), State::Held);
                self.records.push(Record { epoch, holder, renewed: 0, state });
                Answer::Creation(Creation::Created)
            }
            Request::Renew { epoch, renewed } => match position(&self.records, epoch) {
                Some(at) => {
                    self.records[at].renewed = renewed;
                    Answer::Renewal(Renewal::Renewed)
                }
                None => Answer::Renewal(Renewal::Gone),
            },
            Request::Release(epoch) => {
                let at = position(&self.records, epoch).expect("its own record");
                self.records[at].state = State::Released;
                Answer::Done
            }
            Request::Delete(epoch) => {
                self.records.retain(|record| record.epoch > epoch);
                Answer::Done
            }
        }
    }

    /// Lets the candidates that are told take their turns for so long.
    fn run(&mut self, candidates: &mut [&mut Candidate], seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            let first = candidates.iter_mut().min_by_key(|candidate| candidate.next().0);
            let candidate = first.expect("somebody takes part");
            if candidate.next().0 >= end {
                self.now = end;
                return;
            }
            self.step(candidate);
        }
    }

    /// One request of a candidate, when it is due.
    fn step(&mut self, candidate: &mut Candidate) {
        let (due, request) = candidate.next();
        self.now = self.now.max(due);
        let sent = self.moment();
        let answer = self.answer(&candidate.me.clone(), request);
        self.now += Duration::from_millis(100);
        candidate.told(request, sent, self.now, answer);
    }
}

fn candidate(name: &str, now: Duration) -> Candidate {
    Candidate::new(RULES, Holder { name: name.into(), word: name.into() }, now)
}

fn acts(candidate: &Candidate, world: &World) -> bool {
    matches!(candidate.role(), Role::Leader(tenure) if tenure.may_act(world.moment()))
}

fn creates(candidate: &Candidate, world: &World) -> bool {
    matches!(candidate.role(), Role::Leader(tenure) if tenure.may_create(world.moment()))
}

#[test]
fn the_first_scaler_ever_acts_and_creates_at_once() {
    let mut world = World::default();
    let mut first = candidate("a", world.now);
    world.run(&mut [&mut first], 1);
    assert!(acts(&first, &world) && creates(&first, &world), "{first:?}");
}

#[test]
fn a_second_one_stands_by_for_as_long_as_the_first_renews() {
    let mut world = World::default();
    let (mut first, mut second) = (candidate("a", world.now), candidate("b", world.now));
    world.run(&mut [&mut first], 1);
    world.run(&mut [&mut first, &mut second], 600);
    assert!(acts(&first, &world), "{first:?}");
    let Role::Standby(Some(seen)) = second.role() else { panic!("{second:?}") };
    assert_eq!(seen.record.holder.name, "a");
}

#[test]
fn a_dead_holder_is_followed_after_one_validity_and_creations_wait() {
    let mut world = World::default();
    let (mut first, mut second) = (candidate("a", world.now), candidate("b", world.now));
    world.run(&mut [&mut first], 1);
    world.run(&mut [&mut first, &mut second], 60);
    let died = world.now;
    while !acts(&second, &world) {
        assert!(!acts(&first, &world) || world.now < died + RULES.validity);
        world.run(&mut [&mut second], 1);
    }
    let took = world.now.saturating_sub(died);
    assert!(took <= Duration::from_secs(30 + 10 + 2), "it took {took:?}");
    assert!(!creates(&second, &world), "a creation of the dead one may be on its way");
    world.run(&mut [&mut second], 121);
    assert!(creates(&second, &world));
    assert_eq!(world.records.len(), 1, "the dead one's record is deleted: {:?}", world.records);
}

#[test]
fn what_is_handed_over_is_taken_at_the_next_look() {
    let mut world = World::default();
    let (mut first, mut second) = (candidate("a", world.now), candidate("b", world.now));
    world.run(&mut [&mut first], 1);
    world.run(&mut [&mut first, &mut second], 60);
    let release = first.hand_over(world.now).expect("it holds the lease");
    world.answer(&first.me.clone(), release);
    world.run(&mut [&mut second], 12);
    assert!(acts(&second, &world) && creates(&second, &world), "{second:?}");
}

#[test]
fn who_was_paused_sees_the_higher_epoch_and_stands_by() {
    let mut world = World::default();
    let (mut first, mut second) = (candidate("a", world.now), candidate("b", world.now));
    world.run(&mut [&mut first], 1);
    world.run(&mut [&mut second], 60);
    assert!(acts(&second, &world) && !acts(&first, &world));
    world.run(&mut [&mut first, &mut second], 60);
    assert!(acts(&second, &world));
    assert!(matches!(first.role(), Role::Standby(Some(_))), "{first:?}");
}

#[test]
fn a_renewal_that_came_just_before_the_takeover_is_waited_for() {
    let mut world = World::default();
    let (mut first, mut second) = (candidate("a", world.now), candidate("b", world.now));
    world.run(&mut [&mut first], 1);
    while second.next().1 != Request::Create(2) {
        world.step(&mut second);
    }
    // The first one wakes up just before the bid, and sees no higher epoch.
    world.step(&mut first);
    world.step(&mut first);
    assert!(acts(&first, &world), "{first:?}");
    world.run(&mut [&mut second], 20);
    assert!(!acts(&second, &world), "{second:?}");
    world.run(&mut [&mut second], 30);
    assert!(acts(&second, &world), "{second:?}");
}

#[test]
fn numbers_that_once_existed_are_passed_over_and_their_holder_is_waited_for() {
    let mut world = World { used: vec![1, 2, 3], ..World::default() };
    let mut first = candidate("a", world.now);
    world.run(&mut [&mut first], 20);
    assert!(!acts(&first, &world), "{first:?}");
    world.run(&mut [&mut first], 20);
    assert!(acts(&first, &world) && !creates(&first, &world), "{first:?}");
    assert_eq!(world.records[0].epoch, 4);
}

#[test]
fn a_store_that_contradicts_itself_is_asked_with_pauses() {
    let record = |epoch, state| Record {
        epoch,
        holder: candidate("b", Duration::ZERO).me,
        renewed: 0,
        state,
    };
    let records = [None, Some(record(1, State::Released)), Some(record(u64::MAX, State::Expired))];
    for (record, creation) in records
        .iter()
        .flat_map(|record| [Creation::Exists, Creation::Created].map(|creation| (record, creation)))
    {
        let (mut world, mut requests) = (World::default(), 0);
        let mut a = candidate("a", world.now);
        while world.now < Duration::from_secs(600) {
            let (due, request) = a.next();
            world.now = world.now.max(due);
            let sent = world.moment();
            let answer = match request {
                Request::Look | Request::Read(_) => Answer::Record(record.clone()),
                Request::Create(_) => Answer::Creation(creation),
                Request::Renew { .. } => Answer::Renewal(Renewal::Gone),
                Request::Release(_) | Request::Delete(_) => Answer::Done,
            };
            world.now += Duration::from_millis(100);
            a.told(request, sent, world.now, answer);
            requests += 1;
        }
        assert!(requests < 900, "{requests} in ten minutes of {record:?}, {creation:?}");
    }
}

#[test]
fn a_list_without_our_own_record_confirms_nothing() {
    let (mut world, mut first) = (World::default(), candidate("a", Duration::ZERO));
    world.records.push(Record {
        epoch: 1,
        holder: first.me.clone(),
        renewed: 5,
        state: State::Released,
    });
    world.used.push(1);
    let stale = world.records[0].clone();
    while !matches!(first.next().1, Request::Renew { .. }) {
        world.step(&mut first);
    }
    world.step(&mut first);
    let (_, request) = first.next();
    assert_eq!(request, Request::Look);
    first.told(request, world.moment(), world.now, Answer::Record(Some(stale)));
    assert!(!acts(&first, &world), "an older epoch was ours, too: {first:?}");
    world.run(&mut [&mut first], 10);
    assert!(acts(&first, &world), "{first:?}");
}
