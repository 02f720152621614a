//! Connecting to the cloud: each address of a name gets its few seconds, and the one that worked last is the first.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{
    ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport, time,
};
use ureq::{Error, Timeout};

use crate::http::proxied::{connected, proxy_of, target, unreachable};
use crate::proxies::Proxies;

/// How long one address may take: three SYNs go out in this time. ureq's own share of the whole limit would be 40 s for
/// the first of two.
const ADDRESS: Duration = Duration::from_secs(5);

/// The address of each host that worked last. All ports of a host share it, and all clones of one client.
pub type LastGood = Arc<Mutex<BTreeMap<String, IpAddr>>>;

/// Opens connections, directly or through a proxy; TLS comes on top.
#[derive(Debug)]
pub struct Dial {
    tcp: TcpConnector,
    proxies: Arc<Proxies>,
    last_good: LastGood,
    each: Duration,
}

impl Dial {
    /// What dials through these proxies, and remembers in `last_good`.
    pub fn new(proxies: Arc<Proxies>, last_good: LastGood) -> Self {
        Dial { tcp: TcpConnector::default(), proxies, last_good, each: ADDRESS }
    }

    /// The first address that accepts, `host` for the memory; why the last one did not, when none does.
    fn any(
        &self,
        details: &ConnectionDetails<'_>,
        host: &str,
    ) -> Result<Box<dyn Transport>, Error> {
        let began = Instant::now();
        let good = self.lock().get(host).copied();
        let addresses = in_order(details.addrs.iter().copied(), good);
        let mut why = Error::Timeout(Timeout::Connect);
        for address in addresses {
            let left = details.timeout.after.saturating_sub(began.elapsed());
            if left.is_zero() {
                break;
            }
            match self.one(details, address, left.min(self.each)) {
                Ok(transport) => {
                    self.lock().insert(host.to_owned(), address.ip());
                    return Ok(transport);
                }
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    fn one(
        &self,
        details: &ConnectionDetails<'_>,
        address: SocketAddr,
        limit: Duration,
    ) -> Result<Box<dyn Transport>, Error> {
        let mut addrs = details.resolver.empty();
        addrs.push(address);
        let details = ConnectionDetails {
            uri: details.uri,
            addrs,
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: (details.current_time)(),
            // Nothing was sent yet, whichever limit ends it.
            timeout: NextTimeout {
                after: time::Duration::Exact(limit),
                reason: Timeout::Connect,
                ..details.timeout
            },
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        let none: Option<()> = None;
        let transport = self.tcp.connect(&details, none)?.ok_or(Error::ConnectionFailed)?;
        Ok(Box::new(transport))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, IpAddr>> {
        self.last_good.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connector for Dial {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(proxy) = proxy_of(&self.proxies, details.uri) else {
            let (_, host, _) = target(details.uri);
            return self.any(details, host).map(Some);
        };
        let began = Instant::now();
        let transport =
            self.any(details, &proxy.host).map_err(|error| unreachable(proxy, &error))?;
        let left = details.timeout.after.saturating_sub(began.elapsed());
        let timeout = NextTimeout { after: time::Duration::Exact(left), ..details.timeout };
        connected(transport, proxy, details, timeout).map(Some)
    }
}

/// The addresses as the system gave them, but the one that worked last first.
fn in_order(found: impl Iterator<Item = SocketAddr>, good: Option<IpAddr>) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = found.collect();
    addresses.sort_by_key(|address| Some(address.ip()) != good);
    addresses
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::thread;

    use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};
    use ureq::Agent;
    use ureq::config::Config;
    use ureq::http::Uri;
    use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};

    use super::*;
    use crate::error::ErrorKind;
    use crate::http::wording::{kind, words};

    /// Every name has these addresses.
    #[derive(Debug)]
    struct Names(Vec<SocketAddr>);

    impl Resolver for Names {
        fn resolve(
            &self,
            _: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, Error> {
            let mut addresses = self.empty();
            self.0.iter().for_each(|address| addresses.push(*address));
            Ok(addresses)
        }
    }

    /// An address that answers no SYN: the queue of its port is full.
    struct BlackHole(SocketAddr, #[expect(dead_code, reason = "held open")] [Box<dyn Send>; 2]);

    impl BlackHole {
        fn new() -> Self {
            let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
            bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
            listen(&socket, 0).unwrap();
            let address: SocketAddr = getsockname(&socket).unwrap().try_into().unwrap();
            let filling: Vec<_> = (0..4)
                .map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(50)))
                .collect();
            assert!(filling.iter().any(Result::is_err), "the queue takes all");
            BlackHole(address, [Box::new(socket), Box::new(filling)])
        }
    }

    /// A port on which nobody listens.
    fn closed() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    /// Answers so many connections, one question each.
    fn service(connections: usize) -> (SocketAddr, thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = thread::spawn(move || {
            for _ in 0..connections {
                let (mut stream, _) = listener.accept().unwrap();
                assert!(stream.read(&mut [0; 4096]).unwrap() > 0, "a request");
                let answer = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (address, serving)
    }

    fn agent(addresses: &[SocketAddr], last_good: &LastGood, limit: Duration) -> Agent {
        let config = Agent::config_builder().proxy(None).timeout_global(Some(limit)).build();
        let mut dial = Dial::new(Arc::default(), Arc::clone(last_good));
        dial.each = Duration::from_millis(200);
        Agent::with_parts(config, dial, Names(addresses.to_vec()))
    }

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn a_dead_address_is_left_for_the_next_and_the_good_one_is_remembered() {
        let hole = BlackHole::new();
        for dead in [vec![hole.0], vec![closed()], vec![hole.0, closed(), hole.0]] {
            let last_good = LastGood::default();
            let (good, serving) = service(1);
            let addresses = [&dead[..], &[good]].concat();
            agent(&addresses, &last_good, PATIENCE).get("http://cloud/").call().unwrap();
            assert_eq!(last_good.lock().unwrap().get("cloud"), Some(&good.ip()), "{dead:?}");
            serving.join().unwrap();
        }
        // The good one first, whatever the system says.
        let (last_good, (good, serving)) = (LastGood::default(), service(2));
        for addresses in [[closed(), good], [good, closed()]] {
            agent(&addresses, &last_good, PATIENCE).get("http://cloud/").call().unwrap();
        }
        serving.join().unwrap();
    }

    #[test]
    fn the_one_that_worked_last_is_the_first_and_the_rest_stay_in_order() {
        let address = |last| SocketAddr::from(([192, 0, 2, last], 443));
        let found = || [1, 2, 3].map(address).into_iter();
        for (good, expected) in [
            (None, [1, 2, 3]),
            (Some(1), [1, 2, 3]),
            (Some(2), [2, 1, 3]),
            (Some(3), [3, 1, 2]),
            // It is not the host's any more.
            (Some(4), [1, 2, 3]),
        ] {
            let good = good.map(|last| address(last).ip());
            assert_eq!(in_order(found(), good), expected.map(address), "{good:?}");
        }
        assert_eq!(in_order([].into_iter(), None), []);
    }

    #[test]
    fn where_no_address_accepts_nothing_was_done() {
        let hole = BlackHole::new();
        let last_good = LastGood::default();
        for (addresses, limit, expected) in [
            (vec![hole.0, hole.0], PATIENCE, "cannot connect in time"),
            (vec![hole.0, closed()], PATIENCE, "connection refused"),
            (vec![closed(), hole.0], PATIENCE, "cannot connect in time"),
            // The whole limit ends first.
            (vec![hole.0], Duration::from_millis(20), "cannot connect in time"),
        ] {
            let agent = agent(&addresses, &last_good, limit);
            let error = agent.get("http://cloud/").call().unwrap_err();
            assert_eq!(words(&error), expected, "{addresses:?}");
            assert_eq!(kind(&error), ErrorKind::Unavailable, "{addresses:?}");
        }
        assert!(last_good.lock().unwrap().is_empty());
    }
}
