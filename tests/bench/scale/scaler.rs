//! The executable under measurement: its passes, its processor time and its memory.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::daemon::{Daemon, Settings};

/// In this the kernel counts processor time (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// More than any pass takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// As the systemd units and the image have it.
const TRIM: (&str, &str) = ("MALLOC_TRIM_THRESHOLD_", "131072");

/// Scalers that were started so far, which gives each a name.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A daemon, and the socket on which it says that a pass has ended.
pub struct Scaler {
    pub daemon: Daemon,
    told: UnixDatagram,
}

impl Scaler {
    /// Starts the loop.
    pub fn start(settings: &Settings) -> Self {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("simplescalevm-bench-{}-{number}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).expect("an abstract name");
        let told = UnixDatagram::bind_addr(&address).expect("a socket");
        told.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let settings = settings.clone().with("NOTIFY_SOCKET", &format!("@{name}"));
        let daemon = Daemon::start(&settings.with(TRIM.0, TRIM.1));
        Scaler { daemon, told }
    }

    /// Waits for the end of the pass under way; what the service manager is told then.
    pub fn wait_for_pass(&self) -> String {
        let mut message = [0; 1024];
        loop {
            let told = self.told.recv(&mut message);
            let length = told.unwrap_or_else(|error| panic!("{error}: {}", self.daemon.log()));
            let text = String::from_utf8_lossy(&message[..length]);
            if let Some(status) = text.strip_prefix("STATUS=") {
                return status.to_owned();
            }
        }
    }

    /// Whether the pass under way has ended.
    pub fn has_ended(&self) -> bool {
        self.told.set_nonblocking(true).expect("a socket");
        let heard = self.told.recv(&mut [0; 1024]).is_ok();
        self.told.set_nonblocking(false).expect("a socket");
        heard
    }

    /// Asks for a pass.
    pub fn ask_for_pass(&self) {
        self.daemon.signal(Signal::USR1);
    }

    /// How long a pass takes, from asking for it to its end.
    pub fn pass(&self) -> Duration {
        let began = Instant::now();
        self.ask_for_pass();
        self.wait_for_pass();
        began.elapsed()
    }
}

/// What a process and all its threads have had of the processors so far (`proc_pid_stat(5)`).
pub fn processor(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    // Behind the name, which may have blanks in it.
    let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |field: usize| fields[field].parse::<u32>().expect("a number of ticks");
    TICK * (ticks(11) + ticks(12))
}
