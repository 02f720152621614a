//! A pool whose holders die, and how long their addresses take to leave them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::daemon::{Daemon, Settings};
use crate::fake::gone::Gone;
use crate::fake::{Proxy, Serves};
use crate::replica::Says;
use crate::scene::{Vm, passes, states, tail};
use crate::stage::{Stage, stage};

/// A holder dies within this after a pass: an interval of the watch, or of the passes but for a second, so that all of a
/// round die before the next one begins.
const MOMENTS: Duration = Duration::from_secs(1);
const MOMENTS_WITHOUT_WATCH: Duration = Duration::from_secs(59);

/// Longer than any address takes.
const PATIENCE: Duration = Duration::from_secs(180);

/// How often it is looked whether an address has moved; the times themselves are taken on the way to Neutron.
const LOOK: Duration = Duration::from_millis(10);

/// The golden ratio: its multiples, without their whole part, are spread evenly however many there are.
const GOLDEN: f64 = 0.618_033_988_75;

/// What becomes of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Its port is closed.
    Closed,
    /// Its host drops what comes.
    Gone,
    /// It accepts and never answers.
    Hangs,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::Closed => "port closed",
            Kind::Gone => "host gone",
            Kind::Hangs => "accepts, never answers",
        })
    }
}

/// Whether the holders are asked between two passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    Yes,
    No,
}

/// From the death of a holder to these.
#[derive(Clone, Copy, Debug)]
pub struct Death {
    pub sent: Duration,
    pub accepted: Duration,
}

/// The moves that went through the proxy, each by its address.
type Moves = Arc<Mutex<BTreeMap<String, Move>>>;

#[derive(Clone, Copy)]
struct Move {
    sent: Instant,
    accepted: Instant,
}

/// A pool on the real cloud, and the executable with its defaults.
pub struct Measured {
    stage: Stage,
    moves: Moves,
    _proxy: Proxy,
    pub watched: Watched,
}

impl Measured {
    /// One holder of three with the watch; three of seven without, so that three deaths take one interval.
    pub fn pool(watched: Watched) -> Self {
        let moves = Moves::default();
        let noted = Arc::clone(&moves);
        let proxy = Proxy::start_telling(Serves::Everybody, move |head, sent, answer| {
            if let Some(address) = moved(head).filter(|_| answer.starts_with(b"HTTP/1.1 200 ")) {
                let accepted = Instant::now();
                noted.lock().unwrap().insert(address.to_owned(), Move { sent, accepted });
            }
        });
        let stage = match watched {
            Watched::Yes => stage(3, 1),
            Watched::No => stage(7, 3),
        };
        let settings = defaults(&stage.settings).with("http_proxy", &proxy.url());
        let stage = match watched {
            Watched::Yes => stage.under(settings),
            Watched::No => stage.under(settings.with("EXTERNAL_ADDRESS_WATCH", "0")),
        };
        Measured { stage, moves, _proxy: proxy, watched }
    }

    /// So many deaths, each at another moment of an interval.
    pub fn deaths(&self, kind: Kind, count: usize) -> Vec<Death> {
        let at_once = self.stage.addresses.len();
        let within = match self.watched {
            Watched::Yes => MOMENTS,
            Watched::No => MOMENTS_WITHOUT_WATCH,
        };
        let moment = |number: usize| {
            let number = f64::from(u32::try_from(number).unwrap());
            within.mul_f64((number * GOLDEN).fract())
        };
        let rounds = (0..count).step_by(at_once);
        let round = |first: usize| {
            let mut moments: Vec<Duration> =
                (first..count.min(first + at_once)).map(moment).collect();
            moments.sort();
            self.round(kind, &moments)
        };
        rounds.flat_map(round).collect()
    }

    /// The holder of each address dies at its moment, is missed, and lives again.
    fn round(&self, kind: Kind, moments: &[Duration]) -> Vec<Death> {
        let Stage { daemon, addresses, pool, scene, .. } = &self.stage;
        let (began, passed) = (Instant::now(), passes(daemon));
        let holders: Vec<&Vm> = addresses
            .iter()
            .map(|address| {
                let id = scene.cloud.holder(address).expect("the address is on a replica");
                pool.iter().find(|vm| vm.id == id).expect("and that is one of ours")
            })
            .collect();
        self.moves.lock().unwrap().clear();
        let mut died = Vec::new();
        let mut gone = Vec::new();
        for (holder, moment) in holders.iter().zip(moments) {
            thread::sleep(moment.saturating_sub(began.elapsed()));
            died.push(Instant::now());
            gone.extend(self.kill(kind, holder));
        }
        let deaths = addresses.iter().zip(&died).map(|(address, died)| {
            let Move { sent, accepted } = self.wait_for_move(address);
            Death { sent: sent - *died, accepted: accepted - *died }
        });
        let deaths = deaths.collect();
        drop(gone);
        for holder in holders {
            scene.replica(holder, Some(Says::free(1)));
        }
        // The pass that moved, and one that sees all healthy; the next one is an interval away.
        daemon.wait_until("the end of the pass", || passes(daemon) > passed);
        daemon.signal(Signal::USR1);
        daemon.wait_until("all healthy again", || {
            passes(daemon) > passed + 1 && states(daemon) == vec!["healthy"; pool.len()]
        });
        deaths
    }

    fn kill(&self, kind: Kind, holder: &Vm) -> Option<Gone> {
        let scene = &self.stage.scene;
        match kind {
            Kind::Closed => scene.replica(holder, None),
            Kind::Hangs => scene.replica(holder, Some(Says::black_hole())),
            Kind::Gone => {
                scene.replica(holder, None);
                let address = holder.address.expect("it has an address");
                return Some(Gone::at(SocketAddr::new(address, scene.port())));
            }
        }
        None
    }

    fn wait_for_move(&self, address: &str) -> Move {
        let began = Instant::now();
        loop {
            if let Some(moved) = self.moves.lock().unwrap().get(address) {
                return *moved;
            }
            assert!(began.elapsed() < PATIENCE, "{address} stays\n{}", tail(&self.stage.daemon));
            thread::sleep(LOOK);
        }
    }
}

/// The address that a request moves.
fn moved(head: &str) -> Option<&str> {
    let target = head.strip_prefix("PUT ")?.split(' ').next()?;
    target.split_once("/floatingips/").map(|(_, address)| address)
}

/// What users get who set nothing but where the cloud is. So little has to be free that nothing is created for the dead.
fn defaults(settings: &Settings) -> Settings {
    ["APP_INTERVAL", "REPLICA_API_TIMEOUT", "REPLICA_API_RETRIES"]
        .into_iter()
        .fold(settings.clone(), Settings::without)
        .with("REPLICA_MIN_AVAILABLE_RESOURCES", "1")
}
