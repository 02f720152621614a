//! A port that is closed and stays so: nobody else may get it while a service is away.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};

/// More than any child process takes to become another program.
const PATIENCE: Duration = Duration::from_secs(20);

/// As many as std's listeners let wait.
const BACKLOG: i32 = 128;

/// Holds the port of `address`: bound, but nobody listens, so whoever connects is refused.
pub struct Closed {
    socket: OwnedFd,
}

impl Closed {
    /// From now on, until it is dropped or opened.
    pub fn hold(address: SocketAddr) -> Self {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        // Connections from before may not be over yet.
        sockopt::set_socket_reuseaddr(&socket, true).unwrap();
        let began = Instant::now();
        while let Err(error) = bind(&socket, &address) {
            // A child process that is just being started has the listener, too, until it becomes another program; so long
            // the port is not closed.
            let is_open = error == Errno::ADDRINUSE && began.elapsed() < PATIENCE;
            assert!(is_open, "cannot hold the port of {address}: {error}");
            thread::yield_now();
        }
        Closed { socket }
    }

    /// Listens where it was held.
    pub fn open(self) -> TcpListener {
        listen(&self.socket, BACKLOG).unwrap();
        TcpListener::from(self.socket)
    }
}
