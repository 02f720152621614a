//! A service manager that listens (`sd_notify(3)`): so tests know of the end of each pass when it comes.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::daemon::Daemon;

/// Sockets of this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// How long passes may be apart before one is asked for.
const NUDGE_AFTER: Duration = Duration::from_millis(300);

/// One listening service manager.
pub struct Manager {
    /// The value of `NOTIFY_SOCKET`.
    pub name: String,
    socket: UnixDatagram,
}

impl Manager {
    /// Listens.
    pub fn listen() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("simplescalevm-test-{}-{number}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        Manager { name: format!("@{name}"), socket }
    }

    /// Leaves no room for another message; gives how many are waiting.
    pub fn fill(&self) -> usize {
        let address = self.socket.local_addr().unwrap();
        let others = UnixDatagram::unbound().unwrap();
        others.set_nonblocking(true).unwrap();
        (0..100_000).take_while(|_| others.send_to_addr(b"other", &address).is_ok()).count()
    }

    /// Everything that was told, until `last` is.
    #[track_caller]
    pub fn told_until(&self, last: &str, daemon: &Daemon) -> Vec<String> {
        let mut told = Vec::new();
        let mut message = [0; 4096];
        self.socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        while told.last().is_none_or(|message| message != last) {
            let length = self.socket.recv(&mut message);
            let length = length.unwrap_or_else(|_| panic!("{told:?}: no {last}; {}", daemon.log()));
            told.push(String::from_utf8_lossy(&message[..length]).into_owned());
        }
        told
    }

    /// The line that tells how the next pass went.
    #[track_caller]
    pub fn next_status(&self, daemon: &Daemon, patience: Duration) -> String {
        let status = self.status_within(patience);
        status
            .unwrap_or_else(|| panic!("no pass ended in {patience:?}\n-- log --\n{}", daemon.log()))
    }

    /// The same; the pass is asked for (SIGUSR1) when none comes by itself for a while.
    pub fn status_or_nudge(&self, daemon: &Daemon) -> String {
        if let Some(status) = self.status_within(NUDGE_AFTER) {
            return status;
        }
        daemon.signal(Signal::USR1);
        self.status_within(Duration::from_secs(60)).unwrap_or_else(|| panic!("{}", daemon.log()))
    }

    fn status_within(&self, patience: Duration) -> Option<String> {
        let end = Instant::now() + patience;
        let mut message = [0; 4096];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            self.socket.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
            match self.socket.recv(&mut message) {
                Ok(length) => {
                    let text = String::from_utf8_lossy(&message[..length]).into_owned();
                    if let Some(status) = text.strip_prefix("STATUS=") {
                        return Some(status.to_owned());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}
