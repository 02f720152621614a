//! `PROVIDER=simulated`: a cloud in memory for a trial on one machine, with no account anywhere.
//!
//! Its VMs take time to boot, fail to build now and then and lose their service; their load follows a day of four
//! minutes. They answer over real HTTP at 127.77.0.N, and so they are probed like any other. What the world does by
//! itself is logged as `simulated: …`; all the rest of the log is the daemon's own.
//!
//! ```text
//! vm, random ◄── rules ◄── world ◄── life, load ◄── time
//! ```

mod life;
mod load;
mod random;
mod replicas;
mod rules;
#[cfg(test)]
mod tests;
mod time;
mod vm;
mod world;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{AddressId, ExternalAddress, IpVersion, Listing, Server, ServerId};
use crate::provider::simulated::replicas::Replicas;
use crate::provider::simulated::rules::Rules;
use crate::provider::simulated::world::{NETWORK, QUOTA, World};
use crate::provider::{CheckLine, Creation, Provider, ProviderMut};
use crate::settings::{Config, ProbeSettings};

/// The first three bytes of the replicas' addresses.
const REPLICAS: [u8; 3] = [127, 77, 0];

/// How long a caller waits for its answer at most, and a socket outlives its VM.
const TICK: Duration = Duration::from_millis(20);

/// The thread that answers for the VMs needs little more than one request's head.
const THREAD_STACK_BYTES: usize = 256 * 1024;

/// How far a world that can only be looked at has lived already, and how many VMs it begins with: else there would
/// be nothing to look at.
const HEAD_START: Duration = Duration::from_secs(9);
const FIRST_VMS: u64 = 2;

/// Time since the world began; never goes back.
type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// The simulated cloud, to look at.
#[derive(Debug)]
pub struct View {
    shared: Arc<Shared>,
}

/// The simulated cloud, to look at and to change.
#[derive(Debug)]
pub struct Simulated {
    view: View,
}

/// A new, empty cloud. Settings that no simulated replica can follow, and a port that is taken, are errors.
pub fn open(config: &Config) -> Result<Simulated> {
    let began = Instant::now();
    let world = World::new(rules(config, REPLICAS), wall_clock());
    start(config, world, REPLICAS, Box::new(move || began.elapsed()))
}

/// A new cloud with a small pool in it, from which nothing that could change it can be reached.
pub fn open_read_only(config: &Config) -> Result<View> {
    let began = Instant::now();
    let mut world = World::new(rules(config, REPLICAS), wall_clock());
    let mark = config.mark.value.as_deref().unwrap_or(crate::decide::mark::DOCUMENTED);
    world.create(&Creation {
        name: format!("{}-trial", config.name),
        count: FIRST_VMS,
        metadata: vec![(config.mark.key.clone(), mark.to_owned())],
    })?;
    world.advance(HEAD_START);
    world.take_story();
    start(config, world, REPLICAS, Box::new(move || HEAD_START + began.elapsed()))
        .map(|simulated| simulated.view)
}

#[expect(clippy::disallowed_methods, reason = "the simulated cloud's clock shows the real time")]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

fn rules(config: &Config, network: [u8; 3]) -> Rules {
    Rules {
        capacity: config.policy.capacity,
        minimum: config.policy.minimum,
        max: config.policy.max,
        mark_key: config.mark.key.clone(),
        network,
    }
}

fn start(config: &Config, world: World, network: [u8; 3], clock: Clock) -> Result<Simulated> {
    if config.policy.ip_version == IpVersion::V6 {
        let text =
            "OPENSTACK_IP_VERSION is 6, but the simulated replicas have IPv4 only: set it to 4";
        return Err(Error::new(ErrorKind::Setting, text));
    }
    let replicas = Replicas::new(&config.probe, network)?;
    let shared = Arc::new(Shared {
        clock,
        probe: config.probe.clone(),
        network,
        manage_addresses: config.policy.manage_addresses,
        state: Mutex::new(State { world, replicas }),
    });
    // Whoever is asked first finds the replicas answering that should.
    drop(shared.now());
    let weak = Arc::downgrade(&shared);
    thread::Builder::new()
        .name("simulated".into())
        .stack_size(THREAD_STACK_BYTES)
        .spawn(move || answer_callers(&weak))
        .map_err(|error| {
            let text = format!("cannot start the simulated replicas' thread: {error}");
            Error::new(ErrorKind::Unavailable, text)
        })?;
    Ok(Simulated { view: View { shared } })
}

/// What the provider and the replicas' thread have in common.
struct Shared {
    clock: Clock,
    probe: ProbeSettings,
    network: [u8; 3],
    manage_addresses: bool,
    state: Mutex<State>,
}

struct State {
    world: World,
    replicas: Replicas,
}

impl Shared {
    /// The world as it is now: time has passed in it, its story is told, and the sockets are those of the living.
    fn now(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.world.advance((self.clock)());
        for line in state.world.take_story() {
            log::info!("simulated: {line}");
        }
        let serving = state.world.serving();
        state.replicas.follow(&serving);
        state
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// Ends by itself once the provider is gone; nobody waits for it.
fn answer_callers(weak: &Weak<Shared>) {
    while let Some(shared) = weak.upgrade() {
        let state = shared.now();
        let callers: Vec<_> = state
            .replicas
            .callers()
            .into_iter()
            .filter_map(|(address, stream)| Some((stream, state.world.status(address)?)))
            .collect();
        drop(state);
        for (stream, status) in callers {
            let body = replicas::body(&shared.probe, status);
            if let Err(error) = replicas::answer(stream, &shared.probe.path, &body) {
                log::debug!("simulated: a caller got no answer: {error}");
            }
        }
        drop(shared);
        thread::sleep(TICK);
    }
}

impl Provider for View {
    fn servers(&mut self) -> Result<Listing> {
        Ok(self.shared.now().world.listing())
    }

    fn network_name(&mut self) -> Result<String> {
        Ok(NETWORK.to_owned())
    }

    fn external_addresses(&mut self) -> Result<Vec<ExternalAddress>> {
        Ok(self.shared.now().world.external_addresses())
    }

    fn server(&mut self, id: &ServerId) -> Result<Option<Server>> {
        Ok(self.shared.now().world.server(id))
    }

    fn check(&mut self) -> Vec<CheckLine> {
        let [a, b, c] = self.shared.network;
        let port = self.shared.probe.port;
        let line = |what: &str, found: String| CheckLine {
            what: what.into(),
            found: Ok(found),
            warning: false,
        };
        let mut lines = vec![
            line("login", "simulated: nothing to log in to".into()),
            line("compute", format!("simulated, a quota of {QUOTA} servers")),
            line("flavor", "simulated: none needed".into()),
            line("image", "simulated: none needed".into()),
            line("network", format!("{NETWORK}: replicas at {a}.{b}.{c}.1 to .254, port {port}")),
        ];
        if self.shared.manage_addresses {
            for one in self.shared.now().world.external_addresses() {
                let holder =
                    one.holder.map_or("unbound".to_owned(), |holder| format!("on {holder}"));
                lines.push(line("floating IP", format!("{} ({}), {holder}", one.address, one.id)));
            }
        }
        lines
    }
}

impl Provider for Simulated {
    fn servers(&mut self) -> Result<Listing> {
        self.view.servers()
    }

    fn network_name(&mut self) -> Result<String> {
        self.view.network_name()
    }

    fn external_addresses(&mut self) -> Result<Vec<ExternalAddress>> {
        self.view.external_addresses()
    }

    fn server(&mut self, id: &ServerId) -> Result<Option<Server>> {
        self.view.server(id)
    }

    fn check(&mut self) -> Vec<CheckLine> {
        self.view.check()
    }
}

impl ProviderMut for Simulated {
    fn create(&mut self, creation: &Creation) -> Result<ServerId> {
        self.view.shared.now().world.create(creation)
    }

    fn delete(&mut self, id: &ServerId) -> Result<()> {
        let mut state = self.view.shared.now();
        state.world.delete(id);
        // Its socket goes with it, not a moment later.
        let serving = state.world.serving();
        state.replicas.follow(&serving);
        Ok(())
    }

    fn bind(&mut self, address: &AddressId, server: &ServerId, fixed: IpAddr) -> Result<()> {
        self.view.shared.now().world.bind(address, server, fixed)
    }

    fn as_provider(&mut self) -> &mut dyn Provider {
        &mut self.view
    }
}
