//! Snapshots for the tests of what is made from them.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::clock::Moment;
use crate::error::{Error, ErrorKind};
use crate::events::{Event, Tone};
use crate::lease::turn::{Part, View};
use crate::model::{AddressId, ExternalAddress, Replica, Scope, ServerId, State};
use crate::outcome::{Outcome, StepOutcome, StepResult};
use crate::pass::{Pause, Report};
use crate::plan::{Batch, HeldBack, Loudness, Note, Plan, StepKind};
use crate::settings::{InForce, Origin};
use crate::status::ended_pass::EndedPass;
use crate::status::place::Place;
use crate::status::pool_settings::PoolSettings;
use crate::status::snapshot::Snapshot;

/// So many seconds after a start on a beautiful day.
pub fn at(seconds: u64) -> Moment {
    let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let elapsed = Duration::from_secs(seconds);
    Moment { elapsed, wall: day + elapsed }
}

pub fn before_the_first_pass() -> Snapshot {
    let settings = PoolSettings {
        provider: "openstack",
        mark_key: "group".into(),
        mark_value: None,
        capacity: 3,
        minimum: 6,
        max: None,
        interval: Duration::from_secs(60),
        address_management: true,
        dry_run: false,
        boot_grace: Duration::from_secs(600),
        launch_timeout: Duration::from_secs(900),
        place: Some(place()),
        in_force: in_force().into(),
        longest_request: Duration::from_secs(120),
        full: true,
    };
    Snapshot::new(at(0), settings)
}

/// By the settings alone.
pub fn place() -> Place {
    Place {
        region: Some("SBG7".into()),
        project: None,
        project_id: Some("p1".into()),
        flavor: "d2-8".into(),
        image: "Debian 12".into(),
        network: "Ext-Net".into(),
    }
}

/// What the login tells.
pub fn scope() -> Scope {
    Scope { region: "GRA9".into(), project_id: "p1".into(), project_name: "Recorders".into() }
}

fn in_force() -> Vec<InForce> {
    let one = |name, value: &str, origin| InForce { name, value: value.into(), origin };
    vec![
        one("REPLICA_CAPACITY", "3", Origin::Set),
        one("OS_PASSWORD", "(not shown)", Origin::Set),
        one("OS_PROJECT_ID", "p1", Origin::CloudsFile),
        one("OS_REGION_NAME", "SBG7", Origin::Default),
        one("OPENSTACK_METADATA_VALUE", "scaler", Origin::Default),
    ]
}

/// The lease as the scaler `left` sees it, which has done this since the 10th second; somebody held it 20 s after the start.
pub fn lease(part: Part) -> View {
    View {
        lease: "group=scaler".into(),
        me: "left".into(),
        validity: Duration::from_secs(30),
        part,
        since: at(10),
        asked: true,
        answered: Duration::from_secs(20),
        held: Duration::from_secs(20),
        failure: None,
    }
}

/// One that stands by while `right` acts.
pub fn standby() -> View {
    lease(Part::StandsBy(Some("right".into())))
}

/// After one pass that began after 1 s and ended after 2.
pub fn after(report: Report) -> Snapshot {
    let pass = EndedPass { began: at(1), ended: at(2), report };
    before_the_first_pass().pass_began(at(1)).pass_ended(pass)
}

pub fn good_pass() -> Report {
    Report {
        plan: Some(plan()),
        outcome: Some(Outcome::default()),
        answered: BTreeSet::new(),
        mark: Some("scaler".into()),
        scope: Some(scope()),
        ..Report::default()
    }
}

/// A pass with one step of each kind and outcome.
pub fn failed_pass() -> Report {
    let error = Error::new(ErrorKind::Unclear, "status 500 of 192.0.2.9");
    let step = |kind, step: &str, result| StepOutcome { kind, step: step.into(), result };
    let outcome = Outcome {
        steps: vec![
            step(StepKind::Move, "move 203.0.113.1 to web-0 (id-0): free", StepResult::Done),
            step(StepKind::Delete, "delete web-1 (id-1): finished", StepResult::Failed(error)),
            step(
                StepKind::Create,
                "create 1 replica: 3 of 6 free",
                StepResult::NotTried("the program is stopping".into()),
            ),
        ],
        moved: vec![(AddressId("ip-1".into()), ServerId::new("id-0"))],
        ..Outcome::default()
    };
    Report {
        failures: vec!["cannot delete web-1 (id-1): status 500".into()],
        outcome: Some(outcome),
        addresses: Some(vec![
            address("ip-1", "203.0.113.1", Some("id-1")),
            address("ip-2", "203.0.113.2", Some("stranger")),
            address("ip-3", "203.0.113.3", None),
        ]),
        pause: Some(Pause {
            left: Duration::from_secs(60),
            step: 1,
            why: "web-9 failed: no valid host".into(),
        }),
        events: vec![event()],
        ..good_pass()
    }
}

/// Its text names a replica, its subject nothing.
pub fn event() -> Event {
    let text = "cannot delete web-1 (id-1): finished: status 500 of 192.0.2.9".into();
    Event { at: at(1).wall, tone: Tone::Bad, subject: "delete failed".into(), text }
}

pub fn dry_run() -> Report {
    Report { outcome: None, ..good_pass() }
}

fn address(id: &str, address: &str, holder: Option<&str>) -> ExternalAddress {
    ExternalAddress {
        id: AddressId(id.into()),
        address: address.parse().unwrap(),
        holder: holder.map(ServerId::new),
        on_server_port: true,
    }
}

fn plan() -> Plan {
    let replica = |number: u8, state, why: &str, free| Replica {
        id: ServerId::new(format!("id-{number}")),
        name: format!("web-{number}").into(),
        state,
        why: why.into(),
        free,
        locked: number == 1,
        address: Some([192, 0, 2, number].into()),
        age: Duration::from_secs(3600),
        up: Some(Duration::from_secs(3580)),
        batch: None,
        trial: false,
    };
    Plan {
        replicas: vec![
            replica(0, State::Healthy, "3 free", 3),
            replica(1, State::Finished, "says it may be destroyed", 0),
        ],
        free: 3,
        wanted: 6,
        creation: Some(Batch {
            count: 1,
            mark: "abc-1".into(),
            trial: false,
            why: "3 of 6 free".into(),
        }),
        held_back: Some(HeldBack { why: "at most 1 at once".into(), for_at_least: None }),
        brakes: vec!["brake: 3 of 4 are silent".into()],
        notes: vec![Note {
            loudness: Loudness::Warning,
            key: "silent:id-2".into(),
            text: "web-2 (id-2) is silent: 192.0.2.2 refused".into(),
        }],
        ..Plan::default()
    }
}
