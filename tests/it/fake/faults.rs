//! Faults that a test puts into the fake cloud: which requests, how many of them, and what goes wrong.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::http::{Manner, Request, Response};
use super::openstack::Service;

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing is done; this is the answer.
    Answer(Response),
    /// The work is done; its answer is sent in this manner. [`Manner::Closed`] is "the reply got lost".
    Sent(Manner),
    /// Nothing is done; the connection ends, hangs … in this manner.
    Undone(Manner),
    /// The work is done; half of its JSON is sent as if it were all.
    Truncated,
    /// The work is done; its answer is JSON of other types than agreed.
    WrongTypes,
    /// The work is done; its JSON is changed by this: fields are hidden, odd, of somebody else's making.
    Changed(Change),
    /// The work is done, its answer is replaced by this many bytes of JSON string, whose number is not told before.
    Big(usize),
    /// The work is done; its answer is packed, although nobody asked for that.
    Gzip,
    /// Nothing is done; an error with this status that repeats all that was sent, as some proxies do.
    Echo(u16),
    /// Nothing is done; the same as a web page.
    Recite(u16),
    /// Nothing is done before the gate opens; then all goes well.
    HeldBefore(Gate),
    /// All goes well, but nothing is told before the gate opens.
    HeldAfter(Gate),
}

/// What changes the JSON of an answer.
#[derive(Clone)]
pub struct Change(Arc<dyn Fn(&mut serde_json::Value) + Send + Sync>);

impl fmt::Debug for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Change")
    }
}

impl Fault {
    /// The answer's JSON is changed by this.
    pub fn changed(change: impl Fn(&mut serde_json::Value) + Send + Sync + 'static) -> Self {
        Fault::Changed(Change(Arc::new(change)))
    }

    /// No record, however deep in the answer, shows these fields.
    pub fn hides(fields: &'static [&'static str]) -> Self {
        Fault::changed(|body| hide(body, fields))
    }

    /// A gateway's answer: HTML, nothing done.
    pub fn html(status: u16) -> Self {
        let body =
            format!("<html><head><title>{status}</title></head>\n<body>gateway</body></html>");
        Fault::Answer(Response::html(status, &body))
    }

    /// `429` with `Retry-After`.
    pub fn rate_limited(retry_after: &str) -> Self {
        let body = serde_json::json!({"overLimit": {
            "code": 429, "message": "This request was rate-limited.", "retryAfter": retry_after,
        }});
        Fault::Answer(Response::json(429, &body).with("Retry-After", retry_after))
    }

    /// `401`, as the services answer to a token they do not know (any more).
    pub fn unauthorized() -> Self {
        Fault::Answer(super::openstack::keystone::unauthorized())
    }
}

/// How many requests a fault meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Only the next ones, so many.
    Next(u32),
    /// All from now on.
    Always,
    /// All but the next ones, so many.
    AllBut(u32),
}

/// Holds a request until the test opens it.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Debug, Default)]
struct GateState {
    open: bool,
    waiting: usize,
}

impl Gate {
    /// Lets everything through, for ever.
    pub fn open(&self) {
        self.0.0.lock().unwrap().open = true;
        self.0.1.notify_all();
    }

    /// How many requests have come to it so far.
    pub fn reached(&self) -> usize {
        self.0.0.lock().unwrap().waiting
    }

    fn wait(&self) {
        let mut state = self.0.0.lock().unwrap();
        state.waiting += 1;
        drop(self.0.1.wait_while(state, |state| !state.open).unwrap());
    }
}

/// The faults in force.
#[derive(Default)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
    met: AtomicUsize,
    turns: Mutex<VecDeque<Turn>>,
    gates: Mutex<Vec<Gate>>,
}

struct Rule {
    which: Which,
    times: Times,
    fault: Fault,
}

/// Which requests are meant.
struct Which {
    method: String,
    pattern: String,
}

impl Which {
    fn new(method: &str, pattern: &str) -> Self {
        Which { method: method.to_owned(), pattern: pattern.to_owned() }
    }

    fn matches(&self, request: &Request) -> bool {
        let path = request.path().trim_end_matches('/');
        let pattern_matches = match self.pattern.strip_suffix('*') {
            Some(part) => request.target.contains(part),
            None => path.ends_with(&self.pattern),
        };
        self.method == request.method && pattern_matches
    }
}

/// What happens in the cloud once a request is answered, before anybody can ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The service's port closes, and so does the connection of this answer.
    Stop(Service),
    /// The servers that are being built are gone.
    LoseBuilds,
    /// The servers with these names change places in the list, which is sorted by age, as they do while Nova schedules them.
    SwapServers(&'static str, &'static str),
    /// The server with this name is gone.
    Remove(&'static str),
    /// An operator locks the server with this name.
    Lock(&'static str),
}

struct Turn {
    after: Which,
    then: Then,
}

impl Faults {
    /// From now on requests with `method` and `pattern` meet `fault`. A pattern is the end of a path
    /// (`/servers/detail`) or, ending in `*`, a part of path and query (`/servers/*`, `marker=*`).
    pub fn add(&self, method: &str, pattern: &str, times: Times, fault: Fault) {
        if let Fault::HeldBefore(gate) | Fault::HeldAfter(gate) = &fault {
            self.gates.lock().unwrap().push(gate.clone());
        }
        let which = Which::new(method, pattern);
        self.rules.lock().unwrap().push(Rule { which, times, fault });
    }

    /// Once the next request with `method` and `pattern` is answered, `then` happens. What was added before comes first.
    pub fn turn(&self, method: &str, pattern: &str, then: Then) {
        let after = Which::new(method, pattern);
        self.turns.lock().unwrap().push_back(Turn { after, then });
    }

    /// What happens now that `request` is answered.
    pub fn after(&self, request: &Request) -> Option<Then> {
        let mut turns = self.turns.lock().unwrap();
        let due = turns.front().is_some_and(|turn| turn.after.matches(request));
        if due { turns.pop_front().map(|turn| turn.then) } else { None }
    }

    /// How many requests met a fault.
    pub fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }

    /// All goes well again. Requests that are being held stay held until their gate opens.
    pub fn clear(&self) {
        self.rules.lock().unwrap().clear();
    }

    /// Opens every gate: nothing may outlive the test.
    pub fn release(&self) {
        for gate in self.gates.lock().unwrap().iter() {
            gate.open();
        }
    }

    /// What `request` comes to when `work` is how it would have been answered.
    pub fn apply(&self, request: &Request, work: impl FnOnce() -> Response) -> Response {
        let Some(fault) = self.next(request) else { return work() };
        match fault {
            Fault::Answer(response) => response,
            Fault::Sent(manner) => work().sent(manner),
            Fault::Undone(manner) => {
                Response::json(200, &serde_json::json!({"servers": []})).sent(manner)
            }
            Fault::Truncated => {
                let mut response = work();
                response.body.truncate(response.body.len() / 2);
                response
            }
            Fault::WrongTypes => {
                let mut response = work();
                let wrong = serde_json::from_slice(&response.body).map(wrong_types);
                response.body = wrong.map_or(response.body, |body| body.to_string().into_bytes());
                response
            }
            Fault::Changed(Change(change)) => {
                let mut response = work();
                if let Ok(mut body) = serde_json::from_slice(&response.body) {
                    change(&mut body);
                    response.body = body.to_string().into_bytes();
                }
                response
            }
            Fault::Big(bytes) => {
                let mut response = work().sent(Manner::Padded(bytes));
                // A 204 has no body.
                response.status = if response.status == 204 { 200 } else { response.status };
                response.body = b"{\"padding\": \"".to_vec();
                response
            }
            Fault::Gzip => {
                let mut response = work();
                if !response.body.is_empty() {
                    // As far as anybody here looks into it.
                    response.body.splice(0..0, [0x1f, 0x8b, 8, 0]);
                    response = response.with("Content-Encoding", "gzip");
                }
                response
            }
            Fault::Echo(status) => {
                let fault =
                    serde_json::json!({"code": status, "message": all_that_was_sent(request)});
                Response::json(status, &serde_json::json!({"badRequest": fault}))
            }
            Fault::Recite(status) => {
                let text = all_that_was_sent(request).replace('&', "&amp;");
                let text = text.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
                Response::html(status, &format!("<p>{text}</p>"))
            }
            Fault::HeldBefore(gate) => {
                gate.wait();
                work()
            }
            Fault::HeldAfter(gate) => {
                let answer = work();
                gate.wait();
                answer
            }
        }
    }

    fn next(&self, request: &Request) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap();
        let position = rules.iter_mut().position(|rule| match &mut rule.times {
            _ if !rule.which.matches(request) => false,
            Times::AllBut(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        })?;
        self.met.fetch_add(1, Ordering::SeqCst);
        let rule = &mut rules[position];
        let fault = rule.fault.clone();
        match &mut rule.times {
            Times::Always | Times::AllBut(_) => {}
            Times::Next(left) if *left > 1 => *left -= 1,
            Times::Next(_) => {
                rules.remove(position);
            }
        }
        Some(fault)
    }
}

fn hide(body: &mut serde_json::Value, hidden: &[&str]) {
    match body {
        serde_json::Value::Object(fields) => {
            fields.retain(|name, _| !hidden.contains(&name.as_str()));
            fields.values_mut().for_each(|value| hide(value, hidden));
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| hide(item, hidden)),
        _ => {}
    }
}

/// An object's values are something else: a text where there was none, else a list.
fn wrong_types(body: serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(mut fields) = body else { return body };
    for value in fields.values_mut() {
        *value = if value.is_string() { serde_json::json!([]) } else { "text".into() };
    }
    fields.into()
}

/// Those headers first that hold most.
fn all_that_was_sent(request: &Request) -> String {
    let mut headers: Vec<&str> = request.headers.iter().map(|(_, value)| value.as_str()).collect();
    headers.sort_by_key(|value| std::cmp::Reverse(value.len()));
    format!("{} {}", String::from_utf8_lossy(&request.body), headers.join(" "))
}
