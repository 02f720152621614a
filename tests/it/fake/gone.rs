//! A host that is gone: whoever connects hears nothing.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};

/// Far longer than a connection on loopback takes.
const CONNECTION: Duration = Duration::from_millis(200);

/// A port whose queue is full, so that the system drops what comes.
pub struct Gone {
    _socket: OwnedFd,
    _queue: Vec<TcpStream>,
}

impl Gone {
    /// From now on, until it is dropped.
    pub fn at(address: SocketAddr) -> Self {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        sockopt::set_socket_reuseaddr(&socket, true).unwrap();
        bind(&socket, &address).unwrap();
        listen(&socket, 0).unwrap();
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, CONNECTION) {
            queue.push(stream);
        }
        Gone { _socket: socket, _queue: queue }
    }
}
