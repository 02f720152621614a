//! A loopback range and a port of its own for every test, so that tests run in parallel.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Ranges handed out by this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The addresses `127.a.b.1` to `127.a.b.254`, and one port that was free on them.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    a: u8,
    b: u8,
    /// The port that replicas in this range listen on.
    pub port: u16,
}

impl Range {
    /// A range that no other test of this process has. Other processes start at a place of their own.
    pub fn new() -> Self {
        let number = std::process::id().wrapping_mul(97) + NEXT.fetch_add(1, Ordering::Relaxed);
        let a = 64 + u8::try_from(number / 256 % 128).unwrap();
        let b = u8::try_from(number % 256).unwrap();
        Range { a, b, port: free_port(IpAddr::V4(Ipv4Addr::new(127, a, b, 1))) }
    }

    /// The address `host` of the range; 1 to 254.
    pub fn address(self, host: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(127, self.a, self.b, host))
    }
}

/// A port that nothing listens on at `address` just now.
fn free_port(address: IpAddr) -> u16 {
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port()
}
