//! What the fake cloud holds. Tests read and change it directly: `cloud.state().server(&id).locked = true`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use super::Service;
use crate::fake::range::Range;

/// The whole cloud.
#[expect(clippy::struct_excessive_bools, reason = "switches, each on or off")]
pub struct State {
    pub range: Range,
    pub addresses: BTreeMap<Service, SocketAddr>,
    /// How far the cloud's clock is ahead of this machine's, in seconds.
    pub clock_ahead_s: i64,
    /// Nova's controllers, which answer in turn: how far the clock of each is ahead of the cloud's, in seconds; `None`: it
    /// does not tell the time.
    pub controllers: VecDeque<Option<i64>>,
    pub identity: Identity,
    pub catalog: Catalog,
    /// Highest microversion `2.N`; `None`: a Nova that knows of no microversions.
    pub microversion_max: Option<u32>,
    /// Nova's `max_limit`: most servers or flavors of one page.
    pub page_max: usize,
    /// Whether a list leaves the oldest servers out while Nova schedules others, and they are more than a page together.
    pub short_while_scheduling: bool,
    /// Whether the metadata of new servers is dropped.
    pub drops_metadata: bool,
    /// Most servers of the project.
    pub instances_max: usize,
    /// How builds go; those in `next_builds` first.
    pub build: Build,
    pub next_builds: VecDeque<Build>,
    /// For how many lists a deleted server is still shown.
    pub deleting_lists: u32,
    pub servers: Vec<Server>,
    pub flavors: Vec<Named>,
    /// GiB of the root disk of every flavor.
    pub flavor_disk: u64,
    pub zones: Vec<String>,
    pub server_groups: Vec<ServerGroup>,
    pub security_groups: Vec<SecurityGroup>,
    pub keypairs: Vec<String>,
    pub networks: Vec<Network>,
    pub ports: Vec<Port>,
    pub floating_ips: Vec<FloatingIp>,
    /// Whether the networks lack a router, so that no floating IP can be bound.
    pub no_router: bool,
    pub images: Vec<Image>,
    /// Ids of images that are gone: they stay taken.
    pub deleted_images: BTreeSet<String>,
    /// Whether Neutron and Glance leave the filters of a query out, without a word.
    pub drops_filters: bool,
    numbers: u64,
}

/// Who may come in.
pub struct Identity {
    pub user: Named,
    pub password: String,
    pub domain: Named,
    pub project: Named,
    pub application_credential: Named,
    pub application_credential_secret: String,
    pub token_life: Duration,
    pub tokens: Vec<Token>,
}

/// A token that was given out.
pub struct Token {
    pub value: String,
    pub expires: SystemTime,
    pub revoked: bool,
}

/// What the catalog looks like.
pub struct Catalog {
    /// The real endpoints are in the last of these regions; those of the others lead nowhere.
    pub regions: Vec<String>,
    /// The interface whose endpoints are real; those of the others lead nowhere.
    pub interface: String,
    /// `/v2.1`, `/v2.1/PROJECT` (replaced by the project's id) or nothing.
    pub compute_suffix: String,
    /// `/v2.0` or nothing.
    pub network_suffix: String,
    /// `/v2` or nothing.
    pub image_suffix: String,
    /// Whether each service has one more endpoint, before the real one, that leads nowhere.
    pub dead_first: bool,
    /// Services that the catalog says are somewhere else: `https://host:port`.
    pub elsewhere: BTreeMap<Service, String>,
}

/// Whatever has an id and a name.
#[derive(Clone, Debug)]
pub struct Named {
    pub id: String,
    pub name: String,
}

/// A server group.
#[derive(Clone, Debug)]
pub struct ServerGroup {
    pub id: String,
    pub name: String,
    /// Ids of servers.
    pub members: Vec<String>,
}

/// A security group.
#[derive(Clone, Debug)]
pub struct SecurityGroup {
    pub id: String,
    pub name: String,
    pub project_id: String,
}

/// A network.
#[derive(Clone, Debug)]
pub struct Network {
    pub id: String,
    pub name: String,
    /// The name Nova's server list shows: after a rename the old one, for a while.
    pub name_in_nova: String,
}

/// A port: what ties a server to its addresses.
#[derive(Clone, Debug)]
pub struct Port {
    pub id: String,
    /// The server's id, or "".
    pub device_id: String,
    pub network_id: String,
    pub fixed: Vec<IpAddr>,
}

/// A floating IP.
#[derive(Clone, Debug)]
pub struct FloatingIp {
    pub id: String,
    pub address: IpAddr,
    pub description: String,
    pub port_id: Option<String>,
    pub fixed: Option<IpAddr>,
    /// Whether it forwards a single port.
    pub forwards: bool,
}

/// An image.
#[derive(Clone, Debug)]
pub struct Image {
    pub id: String,
    pub name: String,
    pub status: String,
    /// `public`, `private`, `shared` or `community`.
    pub visibility: String,
    pub created: SystemTime,
    /// The id of the project it belongs to.
    pub owner: String,
    /// What it was given beside what every image has.
    pub properties: BTreeMap<String, String>,
}

/// How a build goes, counted in lists that still show it building.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// Active after so many lists.
    Active(u32),
    /// In error after so many lists, never launched.
    Fails(u32),
}

/// The fixed address a server is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// The next one of the test's own range.
    Next,
    /// This one.
    At(IpAddr),
}

/// A server.
#[derive(Clone, Debug)]
pub struct Server {
    pub id: String,
    pub name: String,
    pub vm_state: String,
    pub task_state: Option<String>,
    pub locked: bool,
    pub created: SystemTime,
    pub updated: SystemTime,
    pub launched: Option<SystemTime>,
    pub metadata: BTreeMap<String, String>,
    pub flavor: String,
    pub image: String,
    pub key_name: Option<String>,
    /// Names of its security groups.
    pub security_groups: Vec<String>,
    pub zone: String,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub config_drive: bool,
    /// As it was sent, in base64.
    pub user_data: Option<String>,
    pub fault: Option<String>,
    /// Its cell is down: Nova says UNKNOWN or leaves it out.
    pub cell_down: bool,
    pub build: Option<Build>,
    /// Lists that still show it, once it is being deleted for good.
    pub lists_left: Option<u32>,
}

impl State {
    /// An empty project with the documented flavor, image and network.
    pub fn new(range: Range) -> Self {
        let named = |id: &str, name: &str| Named { id: id.into(), name: name.into() };
        let mut state = State {
            range,
            addresses: BTreeMap::new(),
            clock_ahead_s: 0,
            controllers: VecDeque::from([Some(0)]),
            identity: Identity {
                user: named("6f771db9c71c4c4293ac81517454963b", "devuser"),
                // With everything that JSON and HTML write in another way.
                password: "Wq7pass!\"s3cr<et&\\x9Kb".into(),
                domain: named("default", "Default"),
                project: named("0c2859f90b444c899ad9dbe3070db73d", "devproject"),
                application_credential: named("d140172f3363438aa19e5f76e1050451", "scaler"),
                application_credential_secret: "Zx9appcred-\"s3cret".into(),
                token_life: Duration::from_secs(3600),
                tokens: Vec::new(),
            },
            catalog: Catalog {
                regions: vec!["SBG7".into()],
                interface: "public".into(),
                compute_suffix: "/v2.1".into(),
                network_suffix: String::new(),
                image_suffix: String::new(),
                dead_first: false,
                elsewhere: BTreeMap::new(),
            },
            microversion_max: Some(93),
            page_max: 1000,
            short_while_scheduling: false,
            drops_metadata: false,
            instances_max: 5000,
            build: Build::Active(1),
            next_builds: VecDeque::new(),
            deleting_lists: 1,
            servers: Vec::new(),
            flavors: Vec::new(),
            flavor_disk: 50,
            zones: vec!["nova".into()],
            server_groups: Vec::new(),
            security_groups: Vec::new(),
            keypairs: vec!["ops".into()],
            networks: Vec::new(),
            ports: Vec::new(),
            floating_ips: Vec::new(),
            no_router: false,
            images: Vec::new(),
            deleted_images: BTreeSet::new(),
            drops_filters: false,
            numbers: 0,
        };
        for name in ["d2-2", "d2-4", "d2-8"] {
            let id = state.new_id();
            state.flavors.push(Named { id, name: name.into() });
        }
        for name in ["Ext-Net", "public"] {
            state.add_network(name);
        }
        state.add_security_group("default");
        let created = state.now() - Duration::from_secs(86_400);
        state.add_image("Debian 11", "active", created);
        state
    }

    /// The cloud's clock.
    #[expect(clippy::disallowed_methods, reason = "the fake cloud has a clock of its own")]
    pub fn now(&self) -> SystemTime {
        let ahead = Duration::from_secs(self.clock_ahead_s.unsigned_abs());
        let now = SystemTime::now();
        if self.clock_ahead_s < 0 { now - ahead } else { now + ahead }
    }

    /// An id no other thing in this cloud has; later ones sort after earlier ones.
    pub fn new_id(&mut self) -> String {
        self.numbers += 1;
        format!("{:08x}-5ca1-4e00-8000-{:012x}", self.numbers, self.numbers)
    }

    /// The server with this id; panics when there is none.
    pub fn server(&mut self, id: &str) -> &mut Server {
        let found = self.servers.iter_mut().find(|server| server.id == id);
        found.unwrap_or_else(|| panic!("the fake cloud has no server {id}"))
    }

    /// The server with this name; panics when there is none.
    pub fn named(&mut self, name: &str) -> &mut Server {
        let found = self.servers.iter_mut().find(|server| server.name == name);
        found.unwrap_or_else(|| panic!("the fake cloud has no server named {name}"))
    }

    /// What the next of Nova's controllers says of the time.
    pub fn controller_time(&mut self) -> Option<SystemTime> {
        self.controllers.rotate_left(1);
        let ahead = self.controllers.back().copied().flatten()?;
        let by = Duration::from_secs(ahead.unsigned_abs());
        Some(if ahead < 0 { self.now() - by } else { self.now() + by })
    }

    /// Adds a security group of the project and gives its id.
    pub fn add_security_group(&mut self, name: &str) -> String {
        let (id, project_id) = (self.new_id(), self.identity.project.id.clone());
        self.security_groups.push(SecurityGroup { id: id.clone(), name: name.into(), project_id });
        id
    }

    /// Adds a server group and gives its id.
    pub fn add_server_group(&mut self, name: &str) -> String {
        let id = self.new_id();
        self.server_groups.push(ServerGroup {
            id: id.clone(),
            name: name.into(),
            members: Vec::new(),
        });
        id
    }

    /// Adds a network and gives its id.
    pub fn add_network(&mut self, name: &str) -> String {
        let id = self.new_id();
        let network = Network { id: id.clone(), name: name.into(), name_in_nova: name.into() };
        self.networks.push(network);
        id
    }

    /// Adds an image and gives its id.
    pub fn add_image(&mut self, name: &str, status: &str, created: SystemTime) -> String {
        let id = self.new_id();
        self.images.push(Image {
            id: id.clone(),
            name: name.into(),
            status: status.into(),
            visibility: "public".into(),
            created,
            owner: "b6ed08b773bb4f91ae28a398e2741ebe".into(),
            properties: BTreeMap::new(),
        });
        id
    }

    /// Adds a server that has been active for an hour and carries the pool's mark; gives its id.
    pub fn add_server(&mut self, name: &str, fixed: Fixed) -> String {
        let hour_ago = self.now() - Duration::from_secs(3600);
        let id = self.new_id();
        self.servers.push(Server {
            id: id.clone(),
            name: name.into(),
            vm_state: "active".into(),
            task_state: None,
            locked: false,
            created: hour_ago,
            updated: hour_ago,
            launched: Some(hour_ago),
            metadata: BTreeMap::from([("group".into(), "scaler".into())]),
            flavor: self.flavors.first().map(|flavor| flavor.name.clone()).unwrap_or_default(),
            image: self.images.first().map(|image| image.id.clone()).unwrap_or_default(),
            key_name: None,
            security_groups: vec!["default".into()],
            zone: "nova".into(),
            description: None,
            tags: Vec::new(),
            config_drive: false,
            user_data: None,
            fault: None,
            cell_down: false,
            build: None,
            lists_left: None,
        });
        let network = self.networks[0].id.clone();
        self.add_port(&id, &network, fixed);
        id
    }

    /// Adds a port on the network, for the server (or for none: "").
    pub fn add_port(&mut self, device_id: &str, network_id: &str, fixed: Fixed) -> String {
        let id = self.new_id();
        let address = match fixed {
            Fixed::At(address) => address,
            Fixed::Next => self.next_address(),
        };
        let (device_id, network_id) = (device_id.to_owned(), network_id.to_owned());
        self.ports.push(Port { id: id.clone(), device_id, network_id, fixed: vec![address] });
        id
    }

    fn next_address(&self) -> IpAddr {
        let taken: BTreeSet<&IpAddr> = self.ports.iter().flat_map(|port| &port.fixed).collect();
        (2..=Range::HOST_MAX)
            .map(|host| self.range.address(host))
            .find(|address| !taken.contains(address))
            .expect("a free address in the test's range")
    }

    /// Adds a floating IP with the pool's description, bound to the server, or to nothing; gives its id.
    pub fn add_floating_ip(&mut self, holder: Option<&str>) -> String {
        let port = holder.map(|holder| self.port_of(holder).clone());
        let id = self.new_id();
        let last = u8::try_from(self.floating_ips.len() + 1).unwrap();
        self.floating_ips.push(FloatingIp {
            id: id.clone(),
            address: IpAddr::from([203, 0, 113, last]),
            description: "server".into(),
            port_id: port.as_ref().map(|port| port.id.clone()),
            fixed: port.and_then(|port| port.fixed.first().copied()),
            forwards: false,
        });
        id
    }

    /// The server's first port; panics when it has none.
    pub fn port_of(&mut self, server: &str) -> &mut Port {
        let found = self.ports.iter_mut().find(|port| port.device_id == server);
        found.unwrap_or_else(|| panic!("server {server} has no port"))
    }

    /// The server whose port the floating IP is bound to.
    pub fn holder(&self, floating_ip: &str) -> Option<String> {
        let bound = self.floating_ips.iter().find(|address| address.id == floating_ip)?;
        let port = self.ports.iter().find(|port| Some(&port.id) == bound.port_id.as_ref())?;
        Some(port.device_id.clone()).filter(|device| !device.is_empty())
    }

    /// The server's first fixed IPv4 address.
    pub fn fixed_address(&self, server: &str) -> Option<IpAddr> {
        let ports = self.ports.iter().filter(|port| port.device_id == server);
        ports.flat_map(|port| port.fixed.iter().copied()).find(IpAddr::is_ipv4)
    }

    /// Takes the server away with its ports; its floating IPs stay, unbound.
    pub fn remove_server(&mut self, id: &str) {
        self.servers.retain(|server| server.id != id);
        let (gone, kept): (Vec<Port>, Vec<Port>) =
            self.ports.drain(..).partition(|port| port.device_id == id);
        self.ports = kept;
        for address in &mut self.floating_ips {
            if gone.iter().any(|port| Some(&port.id) == address.port_id.as_ref()) {
                (address.port_id, address.fixed) = (None, None);
            }
        }
    }
}
