//! Fake replicas: what a VM's own status endpoint can do, well and badly.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::http::{HttpServer, Manner, Request, Response};

/// What a replica says when it is asked.
#[derive(Clone, Debug)]
pub enum Says {
    /// A proper status.
    Status {
        /// Free resources.
        capacity: u64,
        /// Whether it may be destroyed.
        termination: bool,
    },
    /// This body, with this status.
    Raw(u16, String),
    /// A redirect to there.
    Redirect(String),
    /// A proper status, sent in this manner: a black hole, a drip …
    Badly(Manner),
}

impl Says {
    /// `free` resources, and not finished.
    pub fn free(capacity: u64) -> Self {
        Says::Status { capacity, termination: false }
    }

    /// It may be destroyed.
    pub fn finished() -> Self {
        Says::Status { capacity: 0, termination: true }
    }

    /// 1 free, after this time.
    pub fn slowly(time: Duration) -> Self {
        Says::Badly(Manner::Late(time))
    }

    /// Accepts, and never answers.
    pub fn black_hole() -> Self {
        Says::Badly(Manner::HangBeforeHeaders)
    }
}

/// One replica that listens. Dropped, it refuses connections: a silent replica.
pub struct Replica {
    state: Arc<Mutex<State>>,
    _server: HttpServer,
}

struct State {
    says: Says,
    requests: Vec<Request>,
}

impl Replica {
    /// Listens on `address` and says `says`.
    pub fn start(address: SocketAddr, says: Says) -> Self {
        let state = Arc::new(Mutex::new(State { says, requests: Vec::new() }));
        let in_server = Arc::clone(&state);
        let server = HttpServer::start(address, move |request| {
            let mut state = in_server.lock().unwrap();
            state.requests.push(request.clone());
            answer(&state.says)
        });
        Replica { state, _server: server }
    }

    /// From now on it says this.
    pub fn says(&self, says: Says) {
        self.state.lock().unwrap().says = says;
    }

    /// Every question so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }
}

fn answer(says: &Says) -> Response {
    let status = |capacity: u64, termination: bool| {
        Response::json(200, &serde_json::json!({"capacity": capacity, "termination": termination}))
    };
    match says {
        Says::Status { capacity, termination } => status(*capacity, *termination),
        Says::Raw(code, body) => Response::new(*code, "application/json", body.clone()),
        Says::Redirect(to) => Response::empty(302).with("Location", to),
        Says::Badly(manner) => status(1, false).sent(*manner),
    }
}
