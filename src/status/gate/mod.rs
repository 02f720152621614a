//! What stands between the network and `tiny_http`, which has no limits of its own: connections at once, bytes of a head and
//! seconds per connection are bounded here, and only whole, plain requests without a body go through.
//!
//! Each connection gets a thread, one answer and its end. When there are too many, the one that has been open longest has
//! to go: an honest client is done in milliseconds, so it is not the oldest.

pub mod head;
mod slots;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use head::Refusal;
pub use head::Request;
use slots::{Place, Slots};

use crate::error::out_of_resources;

/// Enough for one request.
const STACK_BYTES: usize = 256 * 1024;

/// After `accept` failed, the cause (no file descriptors left, say) needs a moment to go away.
const PAUSE: Duration = Duration::from_millis(100);

/// This many failures of `accept` in a row mean that the listener is broken.
const FAILURES_MAX: u32 = 50;

/// What a refused client may still send while it is being told so: without reading that, the system would reset the
/// connection, and the client would never see why.
const DRAINED_BYTES_MAX: usize = 256 * 1024;

/// How much one client, and all of them, may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Bytes of the head of a request.
    pub head_bytes: usize,
    /// Bytes of answers that are on their way to clients, all together; a single one may be larger.
    pub answer_bytes: usize,
    /// From the first byte of a connection to its last.
    pub time: Duration,
}

/// Hands a request on and gives the whole answer, before the deadline.
pub type Forward = dyn Fn(&Request, Instant) -> io::Result<Vec<u8>> + Send + Sync;

/// Accepts connections, for ever. A listener that breaks is opened again.
pub fn run(mut listener: TcpListener, address: SocketAddr, limits: Limits, forward: &Arc<Forward>) {
    let slots = Slots::new(limits.connections, limits.answer_bytes);
    loop {
        let accepting = || accept_all(&listener, address, limits, &slots, forward);
        match catch_unwind(AssertUnwindSafe(accepting)) {
            Ok(error) => log::error!("status server: cannot accept on {address}: {error}"),
            Err(_) => log::error!("status server: a bug in its gate; it goes on"),
        }
        drop(listener);
        listener = loop {
            thread::sleep(PAUSE);
            match TcpListener::bind(address) {
                Ok(listener) => break listener,
                Err(error) => log::error!("status server: cannot listen on {address}: {error}"),
            }
            thread::sleep(PAUSE * 50);
        };
    }
}

fn accept_all(
    listener: &TcpListener,
    address: SocketAddr,
    limits: Limits,
    slots: &Arc<Slots>,
    forward: &Arc<Forward>,
) -> io::Error {
    let mut failures = 0;
    loop {
        let error = match listener.accept() {
            Ok((stream, _)) => {
                failures = 0;
                admit(stream, address, limits, slots, forward);
                continue;
            }
            Err(error) => error,
        };
        if failures == 0 {
            log::warn!("status server: cannot accept a connection: {error}");
        }
        failures += 1;
        if out_of_resources(&error) {
            // The listener is well, and closing it would risk its port.
            slots.make_room();
        } else if failures >= FAILURES_MAX {
            return error;
        }
        thread::sleep(PAUSE);
    }
}

fn admit(
    stream: TcpStream,
    address: SocketAddr,
    limits: Limits,
    slots: &Arc<Slots>,
    forward: &Arc<Forward>,
) {
    let Some(place) = slots.enter(stream) else { return };
    let forward = Arc::clone(forward);
    // The name is for `top -H`, and for the test that counts these threads.
    let builder = thread::Builder::new().name(format!("client {}", address.port()));
    let spawned = builder.stack_size(STACK_BYTES).spawn(move || {
        if let Err(error) = converse(&place, limits, forward.as_ref()) {
            log::debug!("status server: a client got no answer: {error}");
        }
    });
    if let Err(error) = spawned {
        log::debug!("status server: no thread for a client: {error}");
    }
}

/// One request, one answer, the end.
fn converse(place: &Place, limits: Limits, forward: &Forward) -> io::Result<()> {
    let stream = place.stream();
    let deadline = Instant::now() + limits.time;
    // Whoever was too slow, the client or ourselves, there is time left to say so.
    let answer_by = deadline.checked_sub(limits.time / 5).unwrap_or(deadline);
    stream.set_nodelay(true)?;
    let request = match read_request(stream, limits.head_bytes, answer_by)? {
        Ok(request) => request,
        Err(refusal) => {
            write_all(stream, &refused(refusal), deadline)?;
            stream.shutdown(Shutdown::Write)?;
            return drain(stream, deadline);
        }
    };
    let answer = forward(&request, answer_by).unwrap_or_else(|error| {
        log::debug!("status server: no answer from within: {error}");
        refused(Refusal { status: 503, why: "no answer in time; please try again" })
    });
    place.hold(answer.len());
    write_all(stream, &closing(answer), deadline)?;
    stream.shutdown(Shutdown::Write)?;
    drain(stream, deadline)
}

/// The head, read and understood; a client that goes away or takes too long is an error.
fn read_request(
    stream: &TcpStream,
    bytes_max: usize,
    deadline: Instant,
) -> io::Result<Result<Request, Refusal>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 2048];
    loop {
        let n = match read(stream, &mut chunk, deadline) {
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                return Ok(Err(Refusal { status: 408, why: "the request took too long" }));
            }
            Err(error) => return Err(error),
        };
        let before = bytes.len();
        bytes.extend_from_slice(chunk.get(..n).unwrap_or_default());
        if let Some(end) = head::end(&bytes, before).filter(|end| *end <= bytes_max) {
            let (head, more) = bytes.split_at(end);
            return Ok(head::parse(head, !more.is_empty()));
        }
        if bytes.len() > bytes_max {
            return Ok(Err(Refusal { status: 431, why: "the head of the request is too large" }));
        }
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Until the client has closed its side, so that what it got last is not lost by a reset.
fn drain(stream: &TcpStream, deadline: Instant) -> io::Result<()> {
    let mut chunk = [0; 2048];
    let mut drained = 0;
    while drained < DRAINED_BYTES_MAX {
        match read(stream, &mut chunk, deadline)? {
            0 => return Ok(()),
            n => drained += n,
        }
    }
    Ok(())
}

fn read(mut stream: &TcpStream, chunk: &mut [u8], deadline: Instant) -> io::Result<usize> {
    stream.set_read_timeout(Some(left(deadline)?))?;
    stream.read(chunk).map_err(timed_out)
}

fn write_all(mut stream: &TcpStream, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.set_write_timeout(Some(left(deadline)?))?;
        let written = stream.write(bytes).map_err(timed_out)?;
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// How much time there is before the deadline; none is an error.
pub fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// A socket's time limit shows as `WouldBlock`.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

/// The answer, with the word that this connection ends; `tiny_http` lets nobody say so.
fn closing(mut answer: Vec<u8>) -> Vec<u8> {
    if let Some(at) = answer.windows(2).position(|two| two == b"\r\n") {
        let field = b"Connection: close\r\n";
        answer.splice(at + 2..at + 2, field.iter().copied());
    }
    answer
}

fn refused(refusal: Refusal) -> Vec<u8> {
    let Refusal { status, why } = refusal;
    let super::Answer { body, .. } = super::fault(status, why);
    let phrase = match status {
        400 => "Bad Request",
        408 => "Request Timeout",
        431 => "Request Header Fields Too Large",
        505 => "HTTP Version Not Supported",
        _ => "Service Unavailable",
    };
    format!(
        "HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
