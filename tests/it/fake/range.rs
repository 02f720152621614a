//! A loopback range and a port of its own for every test, so that tests run in parallel.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Ranges handed out by this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Addresses of one range: four networks of 256, so that a pool of 1,000 fits.
const ADDRESSES: u32 = 1024;

/// Ranges there are: from `127.64.0.0` to `127.191.255.255`.
const RANGES: u32 = 128 * 65_536 / ADDRESSES;

/// The first address of the first range.
const FIRST: u32 = u32::from_be_bytes([127, 64, 0, 0]);

/// Consecutive loopback addresses, and one port that was free on the first of them.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    start: u32,
    /// The port that replicas in this range listen on.
    pub port: u16,
}

impl Range {
    /// The highest host of a range; the lowest is 1.
    pub const HOST_MAX: u16 = 1022;

    /// A range that no other test of this process has. Other processes start at a place of their own.
    pub fn new() -> Self {
        let taken = NEXT.fetch_add(1, Ordering::Relaxed);
        let number = std::process::id().wrapping_mul(97).wrapping_add(taken);
        let mut range = Range { start: FIRST + number % RANGES * ADDRESSES, port: 0 };
        range.port = free_port(range.address(1));
        range
    }

    /// The address `host` of the range; 1 to [`Range::HOST_MAX`].
    pub fn address(self, host: u16) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(self.start + u32::from(host)))
    }
}

/// A port that nothing listens on at `address` just now.
fn free_port(address: IpAddr) -> u16 {
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port()
}
