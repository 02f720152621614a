//! What a pool costs: a week of load in virtual time, sized by this program, by the rules of the Python program, and by an
//! oracle that knows the future.
//!
//! `make bench-cost` runs it and prints what README shows. It ends with 1 when a goal is missed; the goals are a week's, so
//! `COST_DAYS=1` only finds out whether it still runs.
//!
//! # The model, the same for all three
//!
//! - A replica has [`CAPACITY`] resources. A session takes one of them for as long as it lasts, and each is used once: a
//!   replica that has begun so many sessions has nothing free any more, and when the last of them has ended it says
//!   `termination: true`. Nobody else ends a replica, and none goes because there are too many: that would be the
//!   application's own scaling, and here it is the scaler's that is weighed.
//! - A session goes to the oldest replica that answers and has room. Where none has, it waits, and is no shorter for that.
//! - A replica answers for the first time a whole boot time after it was asked for; in the first third of that the cloud
//!   has it in `BUILD`. Every build goes well, and every replica answers.
//! - The pool begins empty. This program and Python's look once a minute, at the same moments, and a pass takes no time; the
//!   oracle acts at any second.
//! - A VM is paid for from the request that makes it to the one that deletes it. *Below the minimum* is each second in which
//!   replicas that answer have less than [`MINIMUM`] resources free: what boots helps nobody yet.
//!
//! # The oracle
//!
//! Since the oldest replica is filled first, the k-th takes the sessions from the (4k − 3)-th to the 4k-th whatever the
//! scaler does, and ends with the last of them. So all that a scaler can choose is when each is made. The minimum holds at all
//! times if and only if the k-th answers when the (4k − 3 − minimum)-th session begins; made a boot time before that, and not
//! earlier, it costs least. Deleted in the second in which it says so, that is the fewest VM-hours among all that are never
//! below the minimum but for the first boot.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench ends with a panic, as a test does"
)]
#![allow(dead_code, unused_imports, reason = "the rest of these helpers serves the simulation")]

#[path = "../../simulation/clock.rs"]
mod clock;
#[path = "../../simulation/cloud.rs"]
mod cloud;
mod fleet;
#[path = "../../simulation/judge/mod.rs"]
mod judge;
mod oracle;
#[path = "../../simulation/prober.rs"]
mod prober;
mod program;
mod python;
#[path = "../../../src/provider/simulated/random.rs"]
mod random;
#[path = "../../simulation/reach.rs"]
mod reach;
#[path = "../../simulation/stage.rs"]
mod stage;
mod table;
mod trace;
#[path = "../../simulation/universe.rs"]
mod universe;
#[path = "../../simulation/watch.rs"]
mod watch;
#[path = "../../simulation/world/mod.rs"]
mod world;

use std::env;
use std::process::ExitCode;

use fleet::{Boot, Scaler, play};
use oracle::Oracle;
use program::Program;
use python::Python;
use table::{Reserve, Row};
use trace::{DAY, Session, Trace, WEEK_DAYS};

/// Resources of one replica.
pub const CAPACITY: u64 = 4;

/// Resources that have to be free at all times: two replicas' worth.
pub const MINIMUM: u64 = 8;

/// Seconds from one look at the pool to the next.
pub const INTERVAL: u64 = 60;

/// Seconds from the request for a VM to its first answer: on a quick public cloud, a usual and a slow one.
const BOOTS: [u64; 3] = [40, 120, 300];

fn main() -> ExitCode {
    let days = days_wanted();
    let mut rows = Vec::new();
    for trace in [Trace::office_hours(), Trace::launch(), Trace::at_random()] {
        let sessions = trace.sessions(days);
        rows.extend(BOOTS.map(|boot| row(trace.name, &sessions, Boot::of(boot), days * DAY)));
    }
    println!("{}", table::of(&rows, days));
    let missed: Vec<String> = rows.iter().flat_map(Row::misses_goals).collect();
    if missed.is_empty() || days < WEEK_DAYS {
        return ExitCode::SUCCESS;
    }
    for goal in &missed {
        println!("Missed: {goal}");
    }
    ExitCode::FAILURE
}

fn row(trace: &'static str, sessions: &[Session], boot: Boot, seconds: u64) -> Row {
    eprintln!("{trace}, {} s to boot", boot.whole());
    let play = |scaler: &mut dyn Scaler| play(scaler, sessions, boot, seconds);
    let with_minimum = |minimum| play(&mut Program::new(minimum, boot));
    let (program, python) = (with_minimum(MINIMUM), play(&mut Python));
    let oracle = play(&mut Oracle::new(sessions, boot));
    assert_eq!(
        oracle.below,
        boot.whole(),
        "the oracle is below the minimum in the first boot only"
    );
    assert!(program.made <= python.made, "what counts what boots makes no more than what does not");
    let mut reserves = (MINIMUM..).map(|minimum| {
        let figures = if minimum == MINIMUM { program } else { with_minimum(minimum) };
        Reserve { minimum, figures }
    });
    let reserve = reserves.find(|reserve| reserve.figures.below <= python.below);
    let reserve = reserve.expect("some minimum is enough");
    Row { trace, boot: boot.whole(), program, python, oracle, reserve }
}

#[expect(clippy::disallowed_methods, reason = "a bench has no settings but this")]
fn days_wanted() -> u64 {
    match env::var("COST_DAYS") {
        Ok(text) => text.parse().expect("COST_DAYS is a number"),
        Err(_) => WEEK_DAYS,
    }
}
