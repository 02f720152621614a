//! The only module that knows `tiny_http`. It stands behind the [`gate`], on a Unix socket in the abstract namespace: no file,
//! no permission and no writable directory is needed.
//!
//! A user of the same machine can read that socket's name in `/proc/net/unix`, and `tiny_http` has no limits: so it gets
//! one connection, ours, and its listener is shut before it sees it. All requests go over this connection, one after the
//! other. Whoever read the name in the microseconds before holds a connection, too, and nobody can add to it. When
//! the connection breaks (`tiny_http` can panic, say for want of file descriptors), all of this is opened again.

use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self as unix, UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tiny_http::{Header, Method, Request, Response, Server};

use crate::error::{Error, ErrorKind, Result};
use crate::settings::StatusSettings;
use crate::status::gate::{self, Limits};
use crate::status::question::Question;
use crate::status::{Answer, Responder, fault};
use crate::unique;

/// What clients may take of us.
const LIMITS: Limits = Limits {
    connections: 32,
    head_bytes: 8 * 1024,
    // The page of 1,000 replicas, several times; whoever reads has it in the system's buffers at once.
    answer_bytes: 2 * 1024 * 1024,
    time: Duration::from_secs(5),
};

/// How long an answer may take to be made. Whoever asked has given up by then; it is read to its end nevertheless, or the
/// next one would begin with the rest of it.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// Between two attempts to open `tiny_http` again.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// Serves `responder` on the configured host and port, for as long as the program runs. Gives the address it listens on.
pub fn start(settings: &StatusSettings, responder: Arc<Responder>) -> Result<SocketAddr> {
    start_with(settings, LIMITS, responder)
}

/// The same, with other limits.
pub(super) fn start_with(
    settings: &StatusSettings,
    limits: Limits,
    responder: Arc<Responder>,
) -> Result<SocketAddr> {
    let host = settings.host.trim_start_matches('[').trim_end_matches(']');
    let fault = |error: io::Error| cannot_serve(settings, &error);
    let listener = TcpListener::bind((host, settings.port)).map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;

    let (first, opened) = mpsc::channel();
    let inner: Arc<Inner> = Arc::default();
    let behind = Arc::clone(&inner);
    let name = format!("status {}", address.port());
    thread::Builder::new()
        .name(name)
        .spawn(move || serve(&first, &behind, responder.as_ref()))
        .map_err(fault)?;
    let gone = |_| io::Error::other("its thread ended");
    opened.recv().map_err(gone).and_then(|result| result).map_err(fault)?;

    let (errands, waiting) = mpsc::channel();
    thread::Builder::new()
        .name("status errands".into())
        .spawn(move || run_errands(&waiting, &inner))
        .map_err(fault)?;
    let forward: Arc<gate::Forward> =
        Arc::new(move |request, deadline| send_errand(&errands, request.to_bytes(), deadline));
    thread::Builder::new()
        .name("status gate".into())
        .spawn(move || gate::run(listener, address, limits, &forward))
        .map_err(fault)?;
    Ok(address)
}

/// Ports below this one take a right that most users lack.
const PRIVILEGED_PORTS: u16 = 1024;

/// What keeps this user from listening there, if anything does. That somebody listens already does not: it may be an
/// instance with these very settings. A port that takes no right is not touched, for that instance may be about to start.
pub fn may_listen(settings: &StatusSettings) -> Result<()> {
    let host = settings.host.trim_start_matches('[').trim_end_matches(']');
    let port = if settings.port < PRIVILEGED_PORTS { settings.port } else { 0 };
    match TcpListener::bind((host, port)) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            Err(cannot_serve(settings, &error))
        }
        _ => Ok(()),
    }
}

/// Why nobody can listen there, and what to do.
fn cannot_serve(settings: &StatusSettings, error: &io::Error) -> Error {
    let StatusSettings { host, port, .. } = settings;
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => ": is another one running? APP_PORT chooses another port",
        io::ErrorKind::PermissionDenied => {
            ": only root may listen on a port this low; set APP_PORT to 1024 or more, or give the program the right \
             (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)"
        }
        io::ErrorKind::AddrNotAvailable => {
            ": this machine has no such address; 0.0.0.0 means all that it has"
        }
        _ => "",
    };
    let text = format!(
        "cannot serve the status on {host} port {port} (APP_HOST, APP_PORT): {error}{hint}"
    );
    Error::new(ErrorKind::Unavailable, text)
}

/// `tiny_http`, while it is alive, and the connection to it.
struct Open {
    /// Never dropped: its `drop` panics on a socket without a path. What stays behind is an empty queue.
    server: ManuallyDrop<Server>,
    stream: UnixStream,
}

impl Open {
    /// One request and its whole answer.
    fn exchange(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + ANSWER_TIME;
        let mut stream = &self.stream;
        stream.set_write_timeout(Some(ANSWER_TIME))?;
        stream.write_all(request)?;
        let has_body = !request.starts_with(b"HEAD ");
        let mut answer = Vec::new();
        let mut chunk = [0; 16 * 1024];
        while length(&answer, has_body).is_none_or(|length| answer.len() < length) {
            stream.set_read_timeout(Some(gate::left(deadline)?))?;
            match stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => answer.extend_from_slice(chunk.get(..n).unwrap_or_default()),
            }
        }
        Ok(answer)
    }
}

/// How long an answer is in all, once its head is there: of ours the length is always said.
fn length(answer: &[u8], has_body: bool) -> Option<usize> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = str::from_utf8(answer.get(..end)?).ok()?;
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("Content-Length"));
    let length = length.and_then(|(_, length)| length.parse().ok()).filter(|_| has_body);
    Some(end + 4 + length.unwrap_or(0))
}

/// What the gate knows of it.
#[derive(Default)]
struct Inner(Mutex<Option<Arc<Open>>>);

impl Inner {
    fn replace(&self, open: Option<Arc<Open>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }

    fn current(&self) -> Option<Arc<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn exchange(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let open = self.current().ok_or(io::ErrorKind::NotConnected)?;
        open.exchange(request).inspect_err(|_| {
            // What comes next on this connection nobody could tell.
            self.replace(None);
            open.server.unblock();
        })
    }
}

/// One request for `tiny_http`, and who waits for its answer.
struct Errand {
    request: Vec<u8>,
    deadline: Instant,
    answer: mpsc::SyncSender<io::Result<Vec<u8>>>,
}

fn send_errand(
    errands: &mpsc::Sender<Errand>,
    request: Vec<u8>,
    deadline: Instant,
) -> io::Result<Vec<u8>> {
    let (answer, answered) = mpsc::sync_channel(1);
    let gone = |_| io::Error::from(io::ErrorKind::NotConnected);
    errands.send(Errand { request, deadline, answer }).map_err(gone)?;
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    answered.recv_timeout(gate::left(deadline)?).map_err(late)?
}

/// Answers are made one after the other anyway. Were they read by each client's own thread, the allocator would keep
/// room for a large one in as many arenas as it has.
fn run_errands(waiting: &mpsc::Receiver<Errand>, inner: &Inner) {
    for errand in waiting {
        let result = gate::left(errand.deadline).and_then(|_| inner.exchange(&errand.request));
        // Whoever went away has no use for it.
        let _ = errand.answer.send(result);
    }
}

/// The helper thread: opens `tiny_http` and answers, for ever. It reports how the first opening went.
fn serve(first: &mpsc::Sender<io::Result<()>>, inner: &Inner, responder: &Responder) {
    let mut is_first = true;
    loop {
        match open() {
            Ok(open) => {
                let open = Arc::new(open);
                inner.replace(Some(Arc::clone(&open)));
                if is_first {
                    let _ = first.send(Ok(()));
                }
                let error = answer_all(&open.server, responder);
                inner.replace(None);
                log::warn!("the status server stopped ({error}); it is opened again");
            }
            Err(error) if is_first => {
                let _ = first.send(Err(error));
                return;
            }
            Err(error) => log::debug!("cannot open the status server again: {error}"),
        }
        is_first = false;
        thread::sleep(REOPEN_PAUSE);
    }
}

fn open() -> io::Result<Open> {
    let (pid, one, two) = (process::id(), unique::number(), unique::number());
    let name = format!("simplescalevm-{pid}-{one:016x}{two:016x}");
    let address = unix::SocketAddr::from_abstract_name(name)?;
    let listener = UnixListener::bind_addr(&address)?;
    let stream = UnixStream::connect_addr(&address)?;
    // From here on the system refuses everybody; who waits already can still be accepted. Only a stream has this call.
    UnixStream::from(OwnedFd::from(listener.try_clone()?)).shutdown(Shutdown::Both)?;
    let server = Server::from_listener(listener, None).map_err(io::Error::other)?;
    Ok(Open { server: ManuallyDrop::new(server), stream })
}

fn answer_all(server: &Server, responder: &Responder) -> io::Error {
    loop {
        let request = match server.recv() {
            Ok(request) => request,
            // There is nobody else to accept, as it should be.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => continue,
            Err(error) => return error,
        };
        // tiny_http can panic on what it did not foresee; the next request may be a better one.
        let answered = catch_unwind(AssertUnwindSafe(|| answer(request, responder)));
        if let Ok(Err(error)) = answered {
            log::debug!("status server: {error}");
        }
    }
}

fn answer(request: Request, responder: &Responder) -> io::Result<()> {
    let accept = request.headers().iter().find(|field| field.field.equiv("Accept"));
    let question = Question::new(request.url(), accept.map_or("", |field| field.value.as_str()));
    let allowed = matches!(request.method(), Method::Get | Method::Head);
    let Answer { status, content, body } = if allowed {
        // A bug in one page is no reason to lose the others.
        catch_unwind(AssertUnwindSafe(|| responder(&question)))
            .unwrap_or_else(|_| fault(500, "a bug in this page; the program's log says more"))
    } else {
        fault(405, "only GET and HEAD are allowed")
    };
    let mut response = Response::from_string(body)
        .with_status_code(status)
        // HTTP/1.0 readers know no chunks, and the length is known anyway.
        .with_chunked_threshold(usize::MAX);
    let mut fields = vec![
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Server", "simplescalevm"),
        ("Vary", "Accept"),
    ];
    fields.extend_from_slice(content.fields());
    if !allowed {
        fields.push(("Allow", "GET, HEAD"));
    }
    for (name, value) in fields {
        if let Ok(field) = Header::from_bytes(name, value) {
            response.add_header(field);
        }
    }
    request.respond(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

    #[test]
    fn why_nobody_can_listen_is_told_with_what_to_do() {
        let settings = StatusSettings { host: "0.0.0.0".into(), port: 80, full: true };
        for (kind, hint) in [
            (io::ErrorKind::PermissionDenied, "set APP_PORT to 1024 or more, or give the program"),
            (io::ErrorKind::AddrInUse, "APP_PORT chooses another port"),
            (io::ErrorKind::AddrNotAvailable, "0.0.0.0 means all that it has"),
        ] {
            let told = cannot_serve(&settings, &kind.into()).text;
            assert!(told.starts_with("cannot serve the status on 0.0.0.0 port 80"), "{told}");
            assert!(told.contains(hint), "{told}");
        }
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_no_fault_of_the_settings() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let settings = StatusSettings { host: "127.0.0.1".into(), port, full: true };
        assert!(may_listen(&settings).is_ok(), "it may be this very program");
        let elsewhere = StatusSettings { host: "192.0.2.1".into(), ..settings };
        let told = may_listen(&elsewhere).unwrap_err().text;
        assert!(told.contains("this machine has no such address"), "{told}");
    }

    fn serving() -> Arc<Inner> {
        let inner: Arc<Inner> = Arc::default();
        let (first, opened) = mpsc::channel();
        let behind = Arc::clone(&inner);
        let responder = |_: &Question<'_>| Answer::json(200, "{}".into());
        thread::spawn(move || serve(&first, &behind, &responder));
        opened.recv().unwrap().unwrap();
        inner
    }

    #[track_caller]
    fn expect_another(inner: &Inner, before: &Arc<Open>) {
        let began = Instant::now();
        while inner.current().is_none_or(|open| Arc::ptr_eq(before, &open)) {
            assert!(began.elapsed() < PATIENCE, "it stays closed");
            thread::sleep(Duration::from_millis(10));
        }
        let answer = inner.exchange(REQUEST).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&answer));
    }

    #[test]
    fn a_server_that_stopped_is_opened_again() {
        let inner = serving();
        let before = inner.current().unwrap();
        before.server.unblock();
        expect_another(&inner, &before);
    }

    #[test]
    fn a_connection_that_broke_is_opened_again() {
        let inner = serving();
        let before = inner.current().unwrap();
        before.stream.shutdown(Shutdown::Both).unwrap();
        assert!(inner.exchange(REQUEST).is_err());
        expect_another(&inner, &before);
    }

    #[test]
    fn nobody_but_us_can_connect_to_it() {
        let inner = serving();
        let open = inner.current().unwrap();
        let address = open.stream.peer_addr().unwrap();
        let refused = UnixStream::connect_addr(&address).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert!(open.exchange(REQUEST).is_ok());
    }

    #[test]
    fn the_length_of_an_answer_is_known_with_its_head() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab";
        assert_eq!(length(answer, true), Some(answer.len() + 3));
        assert_eq!(length(answer, false), Some(answer.len() - 2));
        assert_eq!(length(&answer[..30], true), None);
    }
}
