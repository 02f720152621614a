//! Runs the executable: once, or as the loop, with nothing in its environment but what the test says.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write, pipe};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::Value;

/// More than any wait should take, on a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(60);

/// The environment of one run.
#[derive(Clone)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Nothing at all.
    pub fn none() -> Self {
        Settings(BTreeMap::new())
    }

    /// With this variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Without this variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// Whether they are not the same.
    pub fn differs_from(&self, other: &Settings) -> bool {
        self.0 != other.0
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_simplescalevm"));
        command.args(arguments);
        self.prepare(command)
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.env_clear().envs(&self.0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A run that has ended.
#[derive(Clone)]
pub struct Ran {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ran { status, stdout, stderr } = self;
        write!(formatter, "status: {status:?}\n-- stdout --\n{stdout}\n-- stderr --\n{stderr}\n--")
    }
}

impl Ran {
    /// Both streams.
    pub fn output(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// Panics, with the whole story, unless the run ended with `status`.
    #[track_caller]
    pub fn expect_status(&self, status: i32) -> &Self {
        assert_eq!(self.status, Some(status), "wrong exit status\n{self}");
        self
    }

    /// Panics, with the whole story, unless one line of the output has all of `words`.
    #[track_caller]
    pub fn expect_line(&self, words: &[&str]) -> &Self {
        let output = self.output();
        let found = output.lines().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(found, "no line with all of {words:?}\n{self}");
        self
    }
}

/// Runs the executable to its end.
#[track_caller]
pub fn run(arguments: &[&str], settings: &Settings) -> Ran {
    let mut daemon = Daemon::spawn(settings.command(arguments));
    daemon.wait_for_end()
}

/// One pass.
#[track_caller]
pub fn once(settings: &Settings) -> Ran {
    run(&["--once"], settings)
}

/// A run that goes on. Dropped, it is killed.
pub struct Daemon {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<()>>,
    /// Stdout and stderr, when nobody reads them.
    unread: Option<(PipeReader, PipeReader)>,
}

impl Daemon {
    /// Starts the loop.
    pub fn start(settings: &Settings) -> Self {
        Daemon::start_with(&[], settings)
    }

    /// Starts the loop with these arguments.
    pub fn start_with(arguments: &[&str], settings: &Settings) -> Self {
        Daemon::spawn(settings.command(arguments))
    }

    /// Starts it under limits of the system, which are set by a line of shell: `ulimit -n 64`.
    pub fn start_under(limits: &str, arguments: &[&str], settings: &Settings) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{limits} && exec \"$0\" \"$@\"")]);
        command.arg(env!("CARGO_BIN_EXE_simplescalevm")).args(arguments);
        Daemon::spawn(settings.prepare(command))
    }

    /// Starts it with pipes that are full, and that nobody reads until [`Daemon::read`].
    pub fn start_unread(arguments: &[&str], settings: &Settings) -> Self {
        let (stdout, stderr) = (full_pipe(), full_pipe());
        let mut command = settings.command(arguments);
        command.stdout(stdout.1).stderr(stderr.1);
        let child = command.spawn().expect("the executable starts");
        let unread = Some((stdout.0, stderr.0));
        let (stdout, stderr) = (Arc::default(), Arc::default());
        Daemon { child, stdout, stderr, readers: Vec::new(), unread }
    }

    /// From now on what it writes is read.
    pub fn read(&mut self) {
        let (stdout, stderr) = self.unread.take().expect("nobody reads it yet");
        self.readers = vec![gather(stdout, &self.stdout), gather(stderr, &self.stderr)];
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the executable starts");
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = vec![
            gather(child.stdout.take().unwrap(), &stdout),
            gather(child.stderr.take().unwrap(), &stderr),
        ];
        Daemon { child, stdout, stderr, readers, unread: None }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// The first line of the log with all of `words`; waits for it.
    #[track_caller]
    pub fn wait_for_log(&self, words: &[&str]) -> String {
        let found = || {
            let log = self.log();
            let line = log.lines().find(|line| words.iter().all(|word| line.contains(word)));
            line.map(str::to_owned)
        };
        self.wait_for(&format!("a log line with all of {words:?}"), found)
    }

    /// Waits until `look` finds something.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "no {what}\n-- log --\n{}\n--", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until `is_so`.
    #[track_caller]
    pub fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        self.wait_for(what, || is_so().then_some(()));
    }

    /// `http://127.0.0.1:PORT` of the status server; waits until it listens.
    #[track_caller]
    pub fn status_url(&self) -> String {
        let line = self.wait_for_log(&["status on http://"]);
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        url.unwrap().trim_end_matches(['/', ',', '.']).to_owned()
    }

    /// `GET path` of the status server: the status and the body as JSON.
    #[track_caller]
    pub fn get(&self, path: &str) -> (u16, Value) {
        request("GET", &format!("{}{path}", self.status_url()))
    }

    /// Waits until `GET path` is answered with `status`.
    #[track_caller]
    pub fn wait_for_status(&self, path: &str, status: u16) -> Value {
        let mut last = (0, Value::Null);
        self.wait_for(&format!("status {status} of {path}"), || {
            last = self.get(path);
            (last.0 == status).then(|| last.1.clone())
        })
    }

    /// Each page of the status server, with what stands before it.
    #[track_caller]
    pub fn pages(&self) -> Vec<(String, String)> {
        let asked = [
            ("/", "*/*"),
            ("/", "text/html"),
            ("/healthz", "*/*"),
            ("/livez", "*/*"),
            ("/metrics", "*/*"),
        ];
        let base = self.status_url();
        let page = |(path, accept): (&str, &str)| {
            let url = format!("{base}{path}");
            let (_, _, body) = send("GET", &url, &[("Accept", accept)], None).expect("an answer");
            (format!("{path} as {accept}"), String::from_utf8_lossy(&body).into_owned())
        };
        asked.map(page).to_vec()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("the child is ours and not reaped yet");
    }

    /// Sends SIGTERM and waits for the end.
    #[track_caller]
    pub fn terminate(&mut self) -> Ran {
        self.signal(Signal::TERM);
        self.wait_for_end()
    }

    /// Waits for the end.
    #[track_caller]
    pub fn wait_for_end(&mut self) -> Ran {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "does not end\n-- log --\n{}\n--", self.log());
            thread::sleep(Duration::from_millis(5));
        };
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        let stdout = self.stdout.lock().unwrap().clone();
        Ran { status: status.code(), stdout, stderr: self.log() }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A pipe with no room for another byte.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    let line = b"full\n";
    while writer.write(line).is_ok() {}
    while writer.write(b"\n").is_ok() {}
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

fn gather(stream: impl Read + Send + 'static, into: &Arc<Mutex<String>>) -> thread::JoinHandle<()> {
    let into = Arc::clone(into);
    thread::spawn(move || {
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

/// One request to anything on loopback: the status and the body as JSON (`null` when it is none).
#[track_caller]
pub fn request(method: &str, url: &str) -> (u16, Value) {
    let (status, _, body) = send(method, url, &[], None).expect("an answer");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// An answer's status, headers and body.
pub type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// One request, with headers and a body.
pub fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Answer, ureq::Error> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(10)))
        .proxy(None)
        .build();
    let agent = ureq::Agent::new_with_config(config);
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    let response = agent.run(request.body(body)?)?;
    let (parts, mut body) = response.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Ok((parts.status.as_u16(), headers.collect(), body.read_to_vec()?))
}
