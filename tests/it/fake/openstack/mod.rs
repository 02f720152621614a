//! A cloud in this process: Keystone, Nova, Neutron and Glance, each on a port of its own on 127.0.0.1.
//!
//! It answers like a real Zed of Debian 12, as far as the executable can tell.

mod glance;
pub mod keystone;
mod listed;
mod neutron;
mod nova;
mod nova_create;
mod nova_record;
mod page;
mod recorded;
pub mod state;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};

pub use nova_create::decoded;
pub use recorded::Recorded;

use super::closed::Closed;
use super::crowd::Crowd;
use super::faults::{Fault, Faults, Then, Times};
use super::gone::Gone;
use super::http::{HttpServer, Port, Request, Response};
use super::range::Range;
use super::replica::{Replica, Says};
use listed::Pages;
use state::{Fixed, State};

/// A service of the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Keystone.
    Identity,
    /// Nova.
    Compute,
    /// Neutron.
    Network,
    /// Glance.
    Image,
}

const SERVICES: [Service; 4] =
    [Service::Identity, Service::Compute, Service::Network, Service::Image];

/// The fake cloud with its replicas. Dropped, it is gone with everything in it.
pub struct Cloud {
    servers: Mutex<BTreeMap<Service, HttpServer>>,
    crowd: Mutex<Option<Crowd>>,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    faults: Faults,
    ports: Mutex<BTreeMap<Service, Port>>,
    closed: Mutex<BTreeMap<Service, Closed>>,
    requests: Mutex<Vec<Recorded>>,
    replicas: Mutex<BTreeMap<IpAddr, Replica>>,
    gone: Mutex<BTreeMap<IpAddr, Gone>>,
    /// What a replica says from the list on in which its server is first shown active; `None`: it is silent.
    boots_say: Mutex<Option<Says>>,
    /// The list of servers, when it is not made of `state`.
    pages: Mutex<Option<Arc<Pages>>>,
}

impl Cloud {
    /// An empty project.
    pub fn start() -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(Range::new())),
            faults: Faults::default(),
            ports: Mutex::default(),
            closed: Mutex::default(),
            requests: Mutex::default(),
            replicas: Mutex::default(),
            gone: Mutex::default(),
            boots_say: Mutex::default(),
            pages: Mutex::default(),
        });
        let cloud = Cloud { servers: Mutex::default(), crowd: Mutex::default(), shared };
        for service in SERVICES {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
            cloud.listen(service, listener.expect("a free port"));
        }
        cloud
    }

    /// What the cloud holds, to look at and to change. Requests wait while it is held.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// Adds a server of the pool, active for an hour, whose replica says `says`; gives its id.
    pub fn add_replica(&self, name: &str, says: Says) -> String {
        let id = self.add_silent(name);
        self.replica(&id, says);
        id
    }

    /// Adds a server of the pool, active for an hour, on which nothing listens; gives its id.
    pub fn add_silent(&self, name: &str) -> String {
        self.state().add_server(name, Fixed::Next)
    }

    /// Adds so many servers of the pool, active for an hour, of which the first `holes` have a replica that accepts and never
    /// answers, and all others a healthy one with 1 free. Comes before everything that asks for the replicas' port.
    pub fn add_crowd(&self, count: usize, holes: usize) {
        let crowd = Crowd::start();
        self.state().range.port = crowd.port();
        for number in 0..count {
            let id = self.add_silent(&format!("crowd-{number}"));
            if number < holes {
                crowd.black_hole(self.address_of(&id));
            }
        }
        *self.crowd.lock().unwrap() = Some(crowd);
    }

    /// The same, for thousands: they are in the list, and nowhere else. The black holes are spread evenly.
    pub fn list_crowd(&self, count: usize, holes: usize) {
        let crowd = Crowd::start();
        for number in 0..count {
            if number * holes / count != (number + 1) * holes / count {
                crowd.black_hole(Cloud::address_in_crowd(number));
            }
        }
        let (nova, now) = {
            let mut state = self.state();
            state.range.port = crowd.port();
            (state.addresses[&Service::Compute], state.now())
        };
        *self.shared.pages.lock().unwrap() = Some(Arc::new(Pages::new(count, nova, now)));
        *self.crowd.lock().unwrap() = Some(crowd);
    }

    /// Where the replica of a listed crowd with this number, from 0 on, is.
    pub fn address_in_crowd(number: usize) -> IpAddr {
        listed::address(number)
    }

    /// How many connections were made so far: to the cloud, and to the crowd.
    pub fn connections(&self) -> (usize, usize) {
        let cloud = self.servers.lock().unwrap().values().map(HttpServer::accepted).sum();
        (cloud, self.crowd.lock().unwrap().as_ref().map_or(0, Crowd::accepted))
    }

    /// From now on the server's replica listens and says `says`.
    pub fn replica(&self, server: &str, says: Says) {
        self.replica_at(self.address_of(server), says);
    }

    /// From now on a replica listens on `address` and says `says`.
    pub fn replica_at(&self, address: IpAddr, says: Says) {
        let mut replicas = self.shared.replicas.lock().unwrap();
        if let Some(replica) = replicas.get(&address) {
            replica.says(says);
        } else {
            let replica = Replica::start(SocketAddr::new(address, self.replica_port()), says);
            replicas.insert(address, replica);
        }
    }

    /// From now on nothing listens on the server.
    pub fn silence(&self, server: &str) {
        let address = self.address_of(server);
        let replica = self.shared.replicas.lock().unwrap().remove(&address);
        drop(replica);
    }

    /// From now on the server's host is gone: no packet is answered.
    pub fn vanish(&self, server: &str) {
        self.silence(server);
        let address = self.address_of(server);
        let gone = Gone::at(SocketAddr::new(address, self.replica_port()));
        self.shared.gone.lock().unwrap().insert(address, gone);
    }

    /// How often the server's replica was asked since it last began to listen.
    pub fn asked(&self, server: &str) -> usize {
        self.questions(server).len()
    }

    /// What the server's replica was asked since it last began to listen: `GET /path`.
    pub fn questions(&self, server: &str) -> Vec<String> {
        let address = self.address_of(server);
        let replicas = self.shared.replicas.lock().unwrap();
        let requests = replicas.get(&address).map(Replica::requests).unwrap_or_default();
        requests.iter().map(|request| format!("{} {}", request.method, request.target)).collect()
    }

    /// Servers that become active from now on get a replica that says this.
    pub fn boots_say(&self, says: Says) {
        *self.shared.boots_say.lock().unwrap() = Some(says);
    }

    /// The port of all replicas.
    pub fn replica_port(&self) -> u16 {
        self.state().range.port
    }

    fn address_of(&self, server: &str) -> IpAddr {
        let address = self.state().fixed_address(server);
        address.unwrap_or_else(|| panic!("server {server} has no fixed IPv4 address"))
    }

    /// Requests with `method` and `pattern` meet `fault`, so many times; see [`Faults::add`] for patterns.
    pub fn fault(&self, method: &str, pattern: &str, times: Times, fault: Fault) {
        self.shared.faults.add(method, pattern, times, fault);
    }

    /// Once the next request with `method` and `pattern` is answered, `then` happens; one turn after the other.
    pub fn then(&self, method: &str, pattern: &str, then: Then) {
        self.shared.faults.turn(method, pattern, then);
    }

    /// How many requests met a fault so far.
    pub fn met(&self) -> usize {
        self.shared.faults.met()
    }

    /// All goes well from now on.
    pub fn no_faults(&self) {
        self.shared.faults.clear();
    }

    /// The service's port is closed, with every connection to it.
    pub fn stop(&self, service: Service) {
        let server = self.servers.lock().unwrap().remove(&service);
        drop(server);
        let address = self.state().addresses[&service];
        self.shared.closed.lock().unwrap().insert(service, Closed::hold(address));
    }

    /// The service listens again, where it did.
    pub fn start_again(&self, service: Service) {
        let closed = self.shared.closed.lock().unwrap().remove(&service);
        self.listen(service, closed.expect("a service that was stopped").open());
    }

    /// Where the service listens: `http://127.0.0.1:PORT`.
    pub fn url(&self, service: Service) -> String {
        format!("http://{}", self.state().addresses[&service])
    }

    fn listen(&self, service: Service, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        let server = HttpServer::start_on(listener, move |request| shared.answer(service, request));
        self.state().addresses.insert(service, server.address());
        self.shared.ports.lock().unwrap().insert(service, server.port());
        self.servers.lock().unwrap().insert(service, server);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.shared.requests.lock().unwrap().clear();
    }

    /// How many requests with `method` had a path that ends in `path`.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let fits = |one: &&Recorded| one.method == method && one.path().ends_with(path);
        self.shared.requests.lock().unwrap().iter().filter(fits).count()
    }

    /// The requests that change something: all but `GET`s and logins.
    pub fn changes(&self) -> Vec<Recorded> {
        self.requests().into_iter().filter(Recorded::changes_something).collect()
    }

    /// Every request in one line each, for failure messages.
    pub fn journal(&self) -> String {
        let lines: Vec<String> = self.requests().iter().map(ToString::to_string).collect();
        format!("requests to the cloud:\n  {}", lines.join("\n  "))
    }

    /// Everything that must never be printed; of the tokens, how they all begin.
    pub fn secrets(&self) -> Vec<String> {
        let identity = &self.state().identity;
        vec![
            keystone::TOKENS_BEGIN.into(),
            identity.password.clone(),
            identity.application_credential_secret.clone(),
            nova_create::ADMIN_PASS.into(),
        ]
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.shared.faults.release();
    }
}

impl Shared {
    fn answer(&self, service: Service, request: &Request) -> Response {
        let number = {
            let mut requests = self.requests.lock().unwrap();
            requests.push(Recorded::new(service, request));
            requests.len() - 1
        };
        let mut response = self.faults.apply(request, || self.work(service, request));
        if let Some(then) = self.faults.after(request) {
            self.turn(then);
            response.close |= then == Then::Stop(service);
        }
        // The test may have forgotten the requests meanwhile.
        if let Some(recorded) = self.requests.lock().unwrap().get_mut(number) {
            recorded.status = Some(response.status);
        }
        response
    }

    fn turn(&self, then: Then) {
        match then {
            Then::Stop(service) => {
                let port = self.ports.lock().unwrap().get(&service).cloned();
                port.expect("a service that was started").close();
                let address = self.state.lock().unwrap().addresses[&service];
                self.closed.lock().unwrap().insert(service, Closed::hold(address));
            }
            Then::SwapServers(one, other) => {
                let mut state = self.state.lock().unwrap();
                let place = |state: &State, name| state.servers.iter().position(|s| s.name == name);
                let places = (place(&state, one), place(&state, other));
                let (Some(one), Some(other)) = places else { panic!("no {one} and {other}") };
                let created = (state.servers[one].created, state.servers[other].created);
                (state.servers[other].created, state.servers[one].created) = created;
            }
            Then::Remove(name) => {
                let mut state = self.state.lock().unwrap();
                let id = state.named(name).id.clone();
                state.remove_server(&id);
            }
            Then::Lock(name) => self.state.lock().unwrap().named(name).locked = true,
            Then::LoseBuilds => {
                let mut state = self.state.lock().unwrap();
                let building = state.servers.iter().filter(|server| server.build.is_some());
                let lost: Vec<String> = building.map(|server| server.id.clone()).collect();
                for id in lost {
                    state.remove_server(&id);
                }
            }
        }
    }

    fn work(&self, service: Service, request: &Request) -> Response {
        let mut state = self.state.lock().unwrap();
        let date = httpdate::fmt_http_date(state.now());
        match service {
            Service::Identity => keystone::answer(&mut state, request),
            Service::Compute => {
                let pages = self.pages.lock().unwrap().clone();
                if let Some(page) = pages.and_then(|pages| pages.answer(request)) {
                    return page.with("Date", &date);
                }
                let before = running(&state);
                let response = nova::answer(&mut state, request);
                let (after, port) = (running(&state), state.range.port);
                drop(state);
                self.boot(&before, &after, port);
                response
            }
            Service::Network => neutron::answer(&mut state, request).with("Date", &date),
            Service::Image => glance::answer(&mut state, request).with("Date", &date),
        }
    }

    /// Replicas come with servers that became active, and go with servers that are gone.
    fn boot(&self, before: &[IpAddr], after: &[IpAddr], port: u16) {
        let mut gone = Vec::new();
        let mut replicas = self.replicas.lock().unwrap();
        for address in before.iter().filter(|address| !after.contains(address)) {
            gone.extend(replicas.remove(address));
        }
        if let Some(says) = &*self.boots_say.lock().unwrap() {
            for address in after.iter().filter(|address| !before.contains(address)) {
                let replica = Replica::start(SocketAddr::new(*address, port), says.clone());
                replicas.insert(*address, replica);
            }
        }
    }
}

/// The addresses of all active servers.
fn running(state: &State) -> Vec<IpAddr> {
    let active = state.servers.iter().filter(|server| server.vm_state == "active");
    active.filter_map(|server| state.fixed_address(&server.id)).collect()
}
