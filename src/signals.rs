//! SIGTERM and SIGINT: ask the loop to end, and make sure that the program does. SIGUSR1: ask it for a pass now.

use std::io;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::logger;
use crate::progress::Stop;
use crate::systemd::Manager;

/// How long a request in flight may go on after the signal.
const LAST_REQUEST: Duration = Duration::from_millis(1500);

/// How often to tell a service manager again that had no room to hear of the end.
const RETELL: Duration = Duration::from_millis(100);

/// Watches for the signals in a thread of its own. When the loop has not ended by itself a moment after one, the
/// program ends with `status`: whatever was in flight, the next start finds in the cloud. Nothing in this thread waits for
/// a reader: neither of the log nor of the service manager's socket.
pub fn watch(stop: Stop, manager: Manager, status: i32) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGUSR1])?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            if signal == SIGUSR1 {
                log::info!("SIGUSR1: a pass was asked for");
                stop.request_pass();
                continue;
            }
            log::debug!("asked to stop");
            stop.request();
            manager.stopping();
            let began = Instant::now();
            while began.elapsed() < LAST_REQUEST {
                thread::sleep(RETELL);
                manager.catch_up();
            }
            // With a lease, that is why it was not handed over.
            log::info!("a request is still under way: the program exits without its answer");
            logger::finish_in_haste();
            exit(status);
        }
    })?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the loop is stuck in a request that may last a minute"
)]
fn exit(status: i32) {
    process::exit(status)
}
