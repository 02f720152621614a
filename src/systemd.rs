//! What a service manager wants to know of its service (`sd_notify(3)`): ready, status, alive, ending. By hand, over a
//! datagram socket that never waits (the crate `sd-notify` would); without a service manager everything here does nothing.

use std::collections::BTreeMap;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::one_line;

/// Longest status line: more does not fit a terminal.
const STATUS_CHARS_MAX: usize = 300;

/// The service manager that started this program, if one did.
#[derive(Clone, Debug, Default)]
pub struct Manager {
    socket: Option<Arc<Socket>>,
    watchdog: Option<Duration>,
}

#[derive(Debug)]
struct Socket {
    datagrams: UnixDatagram,
    address: SocketAddr,
    /// What found no room, in order; the latest of each kind.
    owed: Mutex<Vec<String>>,
}

impl Manager {
    /// The one that `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` of `environment` name; `pid` is our own. A
    /// socket that cannot be used gives a warning, and nobody is told anything.
    pub fn of(environment: &BTreeMap<String, String>, pid: u32) -> Self {
        let Some(name) = environment.get("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Manager::default();
        };
        match socket(name) {
            Ok(socket) => {
                Manager { socket: Some(Arc::new(socket)), watchdog: watchdog(environment, pid) }
            }
            Err(error) => {
                log::warn!(
                    "NOTIFY_SOCKET \"{name}\": {error}; the service manager is told nothing"
                );
                Manager::default()
            }
        }
    }

    /// The start is over.
    pub fn ready(&self) {
        self.tell("READY=1".to_owned());
    }

    /// How it goes, in one line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.tell(format!("STATUS={}", one_line(text, STATUS_CHARS_MAX)));
    }

    /// The end has begun.
    pub fn stopping(&self) {
        self.tell("STOPPING=1".to_owned());
    }

    /// Says that the program is alive, several times within the manager's watchdog interval, for as long as `alive`
    /// says so. In a thread of its own: the loop may wait for the cloud longer than the interval, and that is no reason
    /// to be killed. Does nothing when nobody watches.
    pub fn watch(&self, alive: impl Fn() -> bool + Send + 'static) -> io::Result<()> {
        let Some(interval) = self.watchdog else { return Ok(()) };
        let manager = self.clone();
        thread::Builder::new().name("watchdog".into()).spawn(move || {
            loop {
                if alive() {
                    manager.alive();
                }
                thread::sleep(interval / 4);
            }
        })?;
        Ok(())
    }

    /// Repeats what a busy service manager had no room for; `false` when it still has none.
    pub fn catch_up(&self) -> bool {
        let Some(socket) = self.socket.as_deref() else { return true };
        let mut owed = socket.owed.lock().unwrap_or_else(PoisonError::into_inner);
        owed.retain(|message| !socket.send(message));
        owed.is_empty()
    }

    /// No promise: a sign of life that comes late would be a lie.
    fn alive(&self) {
        if let Some(socket) = self.socket.as_deref() {
            socket.send("WATCHDOG=1");
        }
        self.catch_up();
    }

    fn tell(&self, message: String) {
        let Some(socket) = self.socket.as_deref() else { return };
        let mut owed = socket.owed.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = |message: &str| message.split('=').next().map(str::to_owned);
        owed.retain(|older| kind(older) != kind(&message));
        owed.push(message);
        drop(owed);
        self.catch_up();
    }
}

impl Socket {
    /// Sends a message, unless there is no room for it: then `false`. What fails otherwise would fail again.
    fn send(&self, message: &str) -> bool {
        match self.datagrams.send_to_addr(message.as_bytes(), &self.address) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(error) => log::warn!("cannot tell the service manager {message}: {error}"),
            Ok(_) => {}
        }
        true
    }
}

/// A socket to send from, and where to.
fn socket(name: &str) -> io::Result<Socket> {
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None if name.starts_with('/') => SocketAddr::from_pathname(name)?,
        None => return Err(io::Error::other("neither a path nor an abstract name")),
    };
    let datagrams = UnixDatagram::unbound()?;
    // The pool matters more than who hears about it.
    datagrams.set_nonblocking(true)?;
    Ok(Socket { datagrams, address, owed: Mutex::default() })
}

/// The interval in which a sign of life is expected from `pid` (`sd_watchdog_enabled(3)`).
fn watchdog(environment: &BTreeMap<String, String>, pid: u32) -> Option<Duration> {
    let meant = environment.get("WATCHDOG_PID").filter(|meant| !meant.is_empty());
    if meant.is_some_and(|meant| meant.parse() != Ok(pid)) {
        return None;
    }
    let microseconds = environment.get("WATCHDOG_USEC")?.parse().ok()?;
    (microseconds > 0).then(|| Duration::from_micros(microseconds))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::{env, fs};

    use super::*;
    use crate::unique;

    const LONG: Duration = Duration::from_secs(10);

    fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// A service manager's end on an abstract socket, and the variables it would set.
    fn listener() -> (UnixDatagram, (&'static str, String)) {
        let name = format!("simplescalevm-test-{}", unique::word());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        (socket, ("NOTIFY_SOCKET", format!("@{name}")))
    }

    #[track_caller]
    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).expect("a notification");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn without_a_usable_service_manager_nothing_is_told() {
        for name in ["", "vsock:2:1234"] {
            let manager = Manager::of(&environment(&[("NOTIFY_SOCKET", name)]), 1);
            manager.ready();
            manager.watch(|| panic!("nobody watches")).unwrap();
            assert!(manager.socket.is_none(), "{name}");
        }
    }

    #[test]
    fn ready_status_and_stopping_arrive_on_an_abstract_socket() {
        let (socket, (name, value)) = listener();
        let manager = Manager::of(&environment(&[(name, &value)]), 1);
        manager.ready();
        manager.status("3 replicas\nREADY=0");
        manager.stopping();
        let all = [heard(&socket), heard(&socket), heard(&socket)];
        assert_eq!(all, ["READY=1", "STATUS=3 replicas READY=0", "STOPPING=1"]);
    }

    #[test]
    fn what_finds_no_room_is_told_again_and_nobody_waits() {
        let (socket, (name, value)) = listener();
        let manager = Manager::of(&environment(&[(name, &value)]), 1);
        let others = UnixDatagram::unbound().unwrap();
        others.set_nonblocking(true).unwrap();
        let address = SocketAddr::from_abstract_name(value.trim_start_matches('@')).unwrap();
        let fill =
            || (0..100_000).take_while(|_| others.send_to_addr(b"x", &address).is_ok()).count();
        let before = fill();
        manager.ready();
        manager.status("early");
        manager.alive();
        manager.status("late");
        assert!(!manager.catch_up(), "there was room");
        for _ in 0..before {
            assert_eq!(heard(&socket), "x");
        }
        assert!(manager.catch_up());
        assert_eq!([heard(&socket), heard(&socket)], ["READY=1", "STATUS=late"]);
        manager.stopping();
        assert_eq!(heard(&socket), "STOPPING=1", "told twice");
    }

    #[test]
    fn a_socket_with_a_path_serves_as_well() {
        let path = env::temp_dir().join(format!("simplescalevm-test-{}", unique::word()));
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let text = path.to_str().unwrap();
        Manager::of(&environment(&[("NOTIFY_SOCKET", text)]), 1).ready();
        assert_eq!(heard(&socket), "READY=1");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_unit_for_several_pools_is_the_plain_one_with_files_and_a_user_of_its_own() {
        let one = include_str!("../contrib/simplescalevm.service");
        let each = include_str!("../contrib/simplescalevm@.service");
        let same = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let expected: Vec<String> = one
            .replace("/simplescalevm/simplescalevm.env", "/simplescalevm/%i.env")
            .replace("/simplescalevm/secret", "/simplescalevm/%i.secret")
            .replace("a pool of OpenStack VMs", "the pool of /etc/simplescalevm/%i.env")
            .replace("[Service]", "AssertPathExists=/etc/simplescalevm/%i.env\n[Service]")
            .replace("DynamicUser=yes", "DynamicUser=yes\nUser=simplescalevm-%i")
            .lines()
            .filter(same)
            .map(str::to_owned)
            .collect();
        assert_eq!(each.lines().filter(same).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_service_manager_that_is_gone_disturbs_nobody() {
        let (socket, (name, value)) = listener();
        drop(socket);
        Manager::of(&environment(&[(name, &value)]), 1).ready();
    }

    #[test]
    fn the_watchdog_hears_of_life_only_while_there_is_some() {
        let (socket, (name, value)) = listener();
        let variables = [(name, value.as_str()), ("WATCHDOG_USEC", "20000")];
        let manager = Manager::of(&environment(&variables), 1);
        let alive = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&alive);
        manager.watch(move || asked.load(Ordering::SeqCst)).unwrap();
        assert_eq!([heard(&socket), heard(&socket)], ["WATCHDOG=1", "WATCHDOG=1"]);

        alive.store(false, Ordering::SeqCst);
        // What was on its way arrives, then nothing; and a life that comes back is heard of again.
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut buffer = [0; 64];
        let late = (0..100).take_while(|_| socket.recv(&mut buffer).is_ok()).count();
        assert!(late < 100, "a stuck loop kept the watchdog quiet");
        alive.store(true, Ordering::SeqCst);
        socket.set_read_timeout(Some(LONG)).unwrap();
        assert_eq!(heard(&socket), "WATCHDOG=1");
    }

    #[test]
    fn the_watchdog_of_another_process_is_not_ours() {
        let interval = |variables: &[(&str, &str)]| watchdog(&environment(variables), 42);
        let (minute, usec) = (Some(Duration::from_secs(60)), ("WATCHDOG_USEC", "60000000"));
        assert_eq!(interval(&[usec]), minute);
        assert_eq!(interval(&[usec, ("WATCHDOG_PID", "42")]), minute);
        assert_eq!(interval(&[usec, ("WATCHDOG_PID", "41")]), None);
        assert_eq!(interval(&[usec, ("WATCHDOG_PID", "x")]), None);
        assert_eq!(interval(&[("WATCHDOG_USEC", "0")]), None);
        assert_eq!(interval(&[("WATCHDOG_USEC", "soon")]), None);
        assert_eq!(interval(&[]), None);
    }
}
