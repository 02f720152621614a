//! From a URL's host to addresses, whatever the system is short of.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::http::proxied::{proxy_of, unreachable};
use crate::proxies::Proxies;

/// ureq's own resolver starts a thread for each host, an address too, and panics when the system has none left. Here an
/// address is taken as it is written, and for a name a missing thread is an error as any other. Of a service that is
/// asked through a proxy the proxy's name is looked up: its own may be known to the proxy only.
#[derive(Debug, Default)]
pub struct Lookup {
    system: DefaultResolver,
    proxies: Arc<Proxies>,
}

impl Lookup {
    /// A look-up with these proxies.
    pub fn through(proxies: Arc<Proxies>) -> Self {
        Lookup { system: DefaultResolver::default(), proxies }
    }

    fn look_up(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        if let Some(address) = written(uri) {
            let mut addresses = self.empty();
            addresses.push(address);
            return Ok(addresses);
        }
        let look_up = || self.system.resolve(uri, config, timeout);
        catch_unwind(AssertUnwindSafe(look_up))
            .unwrap_or_else(|_| Err(io::Error::other("no thread left to look up its name").into()))
    }
}

impl Resolver for Lookup {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let Some(proxy) = proxy_of(&self.proxies, uri) else {
            return self.look_up(uri, config, timeout);
        };
        let uri = format!("http://{}:{}/", proxy.host, proxy.port).parse::<Uri>();
        let uri = uri.map_err(|error| Error::Http(error.into()))?;
        self.look_up(&uri, config, timeout).map_err(|error| unreachable(proxy, &error))
    }
}

/// The address and the port, where the URL has both.
fn written(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    Some(SocketAddr::new(host.parse::<IpAddr>().ok()?, uri.port_u16()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(url: &str) -> Option<SocketAddr> {
        let config = Config::builder().build();
        let uri = url.parse().unwrap();
        let found = Lookup::default().resolve(&uri, &config, NextTimeout::default()).ok()?;
        found.first().copied()
    }

    #[test]
    fn an_address_needs_no_look_up_and_a_name_gets_one() {
        assert_eq!(resolve("http://192.0.2.1:8080/status"), "192.0.2.1:8080".parse().ok());
        assert_eq!(resolve("https://[fd10::1]:443/"), "[fd10::1]:443".parse().ok());
        assert_eq!(resolve("http://192.0.2.1/"), "192.0.2.1:80".parse().ok());
        assert!(resolve("http://localhost:8080/").is_some_and(|found| found.ip().is_loopback()));
        assert_eq!(written(&"http://localhost:8080/".parse().unwrap()), None);
        assert_eq!(written(&"http://192.0.2.1/".parse().unwrap()), None);
    }
}
