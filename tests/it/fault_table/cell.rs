//! One cell: the fault for one pass, then none.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::columns::{Column, How, columns, no_failure, possible};
use super::pool::Pool;
use super::rows::{LOOKUP, Row, rows};
use crate::daemon::{Daemon, Settings};
use crate::fake::{NoTls, Service, Then, Times};
use crate::manager::Manager;
use crate::secrets::{self, Secrets};

/// No pass takes longer than this, whatever the cloud does. All time limits together are a few seconds; the rest is for
/// a machine that is busy with thirty other daemons.
const PASS_MAX: Duration = Duration::from_secs(30);

/// The second pass looks up what the first one made; more are not needed to meet a fault.
const PASSES_MAX: usize = 3;

/// A request and what goes wrong with it.
pub struct Cell {
    row: Row,
    column: Column,
    number: usize,
}

impl Cell {
    /// Every cell of the table.
    pub fn all() -> Vec<Cell> {
        let mut cells = Vec::new();
        for row in rows() {
            for column in columns() {
                if possible(&row, &column) {
                    cells.push(Cell { row, column, number: cells.len() });
                }
            }
        }
        cells
    }

    /// Its row and its column.
    pub fn name(&self) -> String {
        format!("{} × {}", self.row.name, self.column.name)
    }

    /// Whether its answer is larger than any may be.
    pub fn is_big(&self) -> bool {
        self.column.is_big()
    }

    /// Panics unless the daemon behaves; gives the most memory it took, in KiB.
    pub fn run(&self) -> u64 {
        let pool = Pool::start();
        let secrets = Secrets::of(&pool.cloud);
        let manager = Manager::listen();
        let good = self.settings(&pool, &manager);
        let (no_tls, settings) = self.arm(&pool, &good);
        let mut daemon = Daemon::start(&settings);

        self.wait_for_the_pass(&pool, &daemon, &manager);
        let peak = daemon.memory_peak_kb();
        self.expect_the_log(&daemon);
        secrets.expect_none_on_pages(&daemon);

        if settings.differs_from(&good) {
            // The operator mends OS_AUTH_URL.
            secrets.expect_none_in(&daemon.terminate());
            daemon = Daemon::start(&good);
        }
        self.disarm(&pool);
        drop(no_tls);
        wait_until_well(&pool, &daemon, &manager);
        let lost = if self.row.name == LOOKUP { 2 } else { 0 };
        pool.expect_nothing_too_much(lost, &pool.story(&daemon));
        secrets.expect_none_on_pages(&daemon);
        let ran = daemon.terminate();
        ran.expect_status(0);
        secrets.expect_none_in(&ran);
        peak
    }

    fn settings(&self, pool: &Pool, manager: &Manager) -> Settings {
        // The one credential in the even cells, the other in the odd ones.
        let credentials = [Settings::of, Settings::of_application_credential][self.number % 2];
        // What is too large takes its time to come; what hangs should not take ours.
        let limit = if self.is_big() { "20" } else { "1" };
        secrets::loud(pool.settings(credentials))
            .with("OPENSTACK_API_TIMEOUT", limit)
            .with("NOTIFY_SOCKET", &manager.name)
    }

    /// Prepares the fault; gives the settings that lead into it, and what has to live as long.
    fn arm(&self, pool: &Pool, good: &Settings) -> (Option<NoTls>, Settings) {
        let (cloud, row) = (&pool.cloud, &self.row);
        let (method, pattern) = row.request;
        if row.name == LOOKUP {
            cloud.then("POST", "/servers", Then::LoseBuilds);
        }
        let elsewhere = |url: String| {
            if row.service == Service::Identity {
                return good.clone().with("OS_AUTH_URL", &format!("{url}/v3"));
            }
            cloud.state().catalog.elsewhere.insert(row.service, url);
            good.clone()
        };
        match &self.column.how {
            // The first two looks at one server are those before the deletion and after the creation.
            How::Fault(fault) if row.name == LOOKUP => {
                cloud.fault(method, pattern, Times::AllBut(2), fault.clone());
            }
            How::Fault(fault) => cloud.fault(method, pattern, Times::Always, fault.clone()),
            How::Refused => match row.after {
                Some((method, pattern)) => cloud.then(method, pattern, Then::Stop(row.service)),
                None => cloud.stop(row.service),
            },
            // Not even a name: it is refused without a name server, which may be out of reach or invent an answer.
            How::NoSuchHost => return (None, elsewhere("http://nonexistent..invalid".into())),
            How::NoTls(speaks) => {
                let port = NoTls::start(*speaks);
                let settings = elsewhere(port.url());
                return (Some(port), settings);
            }
        }
        (None, good.clone())
    }

    /// All is well from now on.
    fn disarm(&self, pool: &Pool) {
        let cloud = &pool.cloud;
        cloud.no_faults();
        match self.column.how {
            How::Fault(_) => {}
            How::Refused => cloud.start_again(self.row.service),
            How::NoSuchHost | How::NoTls(_) => {
                let mut state = cloud.state();
                state.catalog.elsewhere.clear();
                // A catalog that changes is seen at the next login.
                state.identity.tokens.iter_mut().for_each(|token| token.revoked = true);
            }
        }
    }

    fn wait_for_the_pass(&self, pool: &Pool, daemon: &Daemon, manager: &Manager) {
        let mut began = Instant::now();
        for _ in 0..PASSES_MAX {
            let status = manager.next_status(daemon, PASS_MAX);
            let lasted = began.elapsed();
            assert!(lasted < PASS_MAX, "a pass of {lasted:?}\n{}", pool.story(daemon));
            let failed = status.starts_with("the last pass failed");
            match no_failure(&self.row, &self.column) {
                Some(_) if pool.cloud.met() > 0 => {
                    assert!(!failed, "{status}\n{}", pool.story(daemon));
                    return;
                }
                None if failed => return,
                _ => {}
            }
            began = Instant::now();
            daemon.signal(Signal::USR1);
        }
        panic!("{PASSES_MAX} passes, and the fault made none of them fail\n{}", pool.story(daemon));
    }

    /// One line, with what was being done and what went wrong; none where nothing failed.
    fn expect_the_log(&self, daemon: &Daemon) {
        let words: Vec<&str> = self.row.doing.iter().copied().chain([self.column.why]).collect();
        let why_not = no_failure(&self.row, &self.column);
        if why_not.is_none() {
            daemon.wait_for_log(&words);
        }
        let log = daemon.log();
        let errors = |line: &&str| line.contains(" ERROR ") && !line.contains("still failing");
        let lines: Vec<&str> = log.lines().filter(errors).collect();
        if let Some(why) = why_not {
            assert!(lines.is_empty(), "errors, although {why}: {lines:#?}\n{log}");
            return;
        }
        let fits = |line: &&&str| words.iter().all(|word| line.contains(word));
        let count = lines.iter().filter(fits).count();
        assert_eq!(count, 1, "error lines with all of {words:?}, of {lines:#?}\n{log}");
    }
}

/// Passes follow each other until the pool is as it should be, and one more, which changes nothing.
fn wait_until_well(pool: &Pool, daemon: &Daemon, manager: &Manager) {
    let began = Instant::now();
    let mut before = None;
    loop {
        let status = manager.status_or_nudge(daemon);
        let changes = pool.cloud.changes().len();
        let well = pool.is_well() && status == Pool::status_when_well();
        if well && before == Some(changes) {
            return;
        }
        before = well.then_some(changes);
        let patience = began.elapsed() < 2 * PASS_MAX;
        assert!(patience, "the pool does not recover: {status}\n{}", pool.story(daemon));
    }
}
