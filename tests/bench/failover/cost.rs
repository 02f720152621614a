//! What the watch costs while nobody dies: against the fake cloud, with 50 holders.

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, Settings};
use crate::fake::Cloud;
use crate::metrics::metric;

/// Replicas, each of which holds an address.
const HOLDERS: usize = 50;

/// Seconds between two passes, and how many of them are looked at.
const INTERVAL: usize = 10;
const PASSES: usize = 12;

/// What the watch asked.
const QUESTIONS: &str = "simplescalevm_watch_questions_total{result=\"answered\"}";

/// In this the kernel counts processor time (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Most of one core that the watch may take, in percent.
const CORE_PERCENT_MAX: f64 = 1.0;

/// The same quiet pool with the watch and without.
pub struct Cost {
    with: Needs,
    without: Needs,
}

/// What was needed in so many passes, and between them.
#[derive(Clone, Copy)]
struct Needs {
    core_percent: f64,
    requests: usize,
    questions: f64,
}

/// Both at the same time.
pub fn measure() -> Cost {
    let (with, without) = (Quiet::begin("1"), Quiet::begin("0"));
    Cost { with: with.end(), without: without.end() }
}

impl Cost {
    /// What the watch alone took, in percent of one core.
    fn watch_percent(&self) -> f64 {
        self.with.core_percent - self.without.core_percent
    }

    /// What is more than it may be.
    pub fn misses_goal(&self) -> Option<String> {
        let (with, without) = (self.with.requests, self.without.requests);
        if with > without {
            return Some(format!("{with} requests to the cloud, and {without} without the watch"));
        }
        let percent = self.watch_percent();
        (percent >= CORE_PERCENT_MAX).then(|| {
            format!(
                "the watch takes {percent:.2} % of a core, and {CORE_PERCENT_MAX} % is the goal"
            )
        })
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { with, without } = self;
        let seconds = INTERVAL * PASSES;
        write!(
            formatter,
            "\
{HOLDERS} holders, all well, for {seconds} s with a pass every {INTERVAL} s:

| | with the watch | without | more |
|---|---:|---:|---:|
| processor, of one core | {:.2} % | {:.2} % | {:.2} % |
| questions between passes | {} | {} | |
| requests to the cloud | {} | {} | {} |
",
            with.core_percent,
            without.core_percent,
            self.watch_percent(),
            with.questions,
            without.questions,
            with.requests,
            without.requests,
            with.requests.saturating_sub(without.requests),
        )
    }
}

/// A pool in which nothing happens, after its first pass.
struct Quiet {
    cloud: Cloud,
    daemon: Daemon,
    passes: usize,
    requests: usize,
    began: Instant,
    processor: Duration,
}

impl Quiet {
    fn begin(watch: &str) -> Self {
        let cloud = Cloud::start();
        cloud.add_crowd(HOLDERS, 0);
        let servers: Vec<String> =
            cloud.state().servers.iter().map(|server| server.id.clone()).collect();
        for server in &servers {
            cloud.state().add_floating_ip(Some(server));
        }
        let settings = Settings::of(&cloud)
            .with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
            .with("EXTERNAL_ADDRESS_WATCH", watch)
            .with("APP_INTERVAL", &INTERVAL.to_string());
        let daemon = Daemon::start(&settings);
        daemon.wait_for_status("/healthz", 200);
        let (began, processor) = (Instant::now(), processor(&daemon));
        let (passes, requests) = (passes(&cloud), cloud.requests().len());
        Quiet { cloud, daemon, passes, requests, began, processor }
    }

    fn end(self) -> Needs {
        for pass in 1..=PASSES {
            self.daemon.wait_until("the next pass", || passes(&self.cloud) >= self.passes + pass);
        }
        let took = processor(&self.daemon).saturating_sub(self.processor);
        Needs {
            core_percent: 100.0 * took.as_secs_f64() / self.began.elapsed().as_secs_f64(),
            requests: self.cloud.requests().len() - self.requests,
            questions: metric(&self.daemon, QUESTIONS),
        }
    }
}

/// How many passes there were, as the cloud sees it: to ask the program would cost it more than the watch does. The list
/// of addresses is the last that a quiet pass asks for.
fn passes(cloud: &Cloud) -> usize {
    cloud.count("GET", "/floatingips")
}

/// What the process and all its threads have had so far (`proc_pid_stat(5)`).
fn processor(daemon: &Daemon) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).expect("it runs");
    // Behind the name, which may have blanks in it.
    let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |field: usize| fields[field].parse::<u32>().expect("a number of ticks");
    TICK * (ticks(11) + ticks(12))
}
