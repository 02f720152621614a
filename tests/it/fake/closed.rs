//! A port that is closed and stays so: nobody else may get it while a service is away.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};

/// Holds the port of `address`: bound, but nobody listens, so whoever connects is refused.
pub struct Closed {
    _socket: OwnedFd,
}

impl Closed {
    /// From now on, until it is dropped.
    pub fn hold(address: SocketAddr) -> Self {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        // Connections from before may not be over yet.
        sockopt::set_socket_reuseaddr(&socket, true).unwrap();
        bind(&socket, &address).unwrap();
        Closed { _socket: socket }
    }
}
