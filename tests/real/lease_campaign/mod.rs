//! Three scalers of one pool that changes all the time, on a real cloud where things go wrong, one after the other: never
//! do two act at one time, never is there a VM too many, and somebody always acts again in time.
//!
//! Each talks to the cloud through a wire of its own, which notes what it sends, and can be cut or hold back, and has a wall
//! clock of its own.
//!
//! `SIMPLESCALEVM_LEASE_FAULTS` says how many faults, of all campaigns together; services then hang for up to three minutes.

mod cost;
mod fault;
mod log;
mod scaler;
mod table;
mod wall_clock;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use self::fault::{Fault, Kind, Random, draw};
use self::log::{Log, one_acts, waited};
use self::scaler::Scaler;
use self::table::Row;
use self::wire::{Flow, Service};
use crate::cloud::PATIENCE;
use crate::daemon::Settings;
use crate::replica::Says;
use crate::scene::{DESCRIPTION, Scene, Vm, tail};
use crate::service::Outage;

const VALIDITY: Duration = Duration::from_secs(10);
const THIRD: Duration = Duration::from_millis(3334);
const SLACK: Duration = Duration::from_secs(2);

/// How many replicas the pool is to have.
const WANTED: usize = 2;

/// How many campaigns share the faults, each in a project of its own.
const CAMPAIGNS: usize = 3;

/// The same in each run: what failed fails again.
const SEED: u64 = 20;

/// How long a service hangs at most when faults are asked for.
const LONGEST: Duration = Duration::from_secs(180);

/// How long a turn lasts at most in which nothing was changed.
const TURN: Duration = Duration::from_secs(12);

/// How often the pool is looked at.
const LOOK: Duration = Duration::from_secs(5);

#[test]
fn one_of_three_acts_through_a_third_of_the_faults() {
    campaign(0);
}

#[test]
fn one_of_three_acts_through_another_third() {
    campaign(1);
}

#[test]
fn one_of_three_acts_through_the_last_third() {
    campaign(2);
}

/// Here the real Glance and the real Nova hang and stop, for which it has to be alone; elsewhere the wires play that.
#[test]
fn one_of_three_acts_though_the_real_glance_and_nova_hang() {
    let Some(count) = asked() else { return };
    let mut campaign = Campaign::on(Scene::open_alone());
    for fault in draw(fault::OF_SERVICES, count.div_ceil(20), LONGEST, &mut Random(SEED)) {
        campaign.suffer(fault);
    }
    campaign.end();
}

/// Every third fault, from this one on.
fn campaign(number: usize) {
    let longest = if asked().is_some() { LONGEST } else { Duration::from_secs(12) };
    let faults = draw(fault::KINDS, asked().unwrap_or(12), longest, &mut Random(SEED));
    let mut campaign = Campaign::on(Scene::open());
    for fault in faults.into_iter().skip(number).step_by(CAMPAIGNS) {
        campaign.suffer(fault);
    }
    campaign.end();
}

/// How many faults are asked for.
#[expect(clippy::disallowed_methods, reason = "how long a test is, its caller says")]
fn asked() -> Option<usize> {
    let count = std::env::var("SIMPLESCALEVM_LEASE_FAULTS").ok()?;
    Some(count.parse().expect("SIMPLESCALEVM_LEASE_FAULTS is a number"))
}

/// Three scalers and their pool. Dropped, nothing of it is left.
struct Campaign {
    // First: they are gone before the pool is.
    scalers: Vec<Scaler>,
    processes: usize,
    settings: Settings,
    log: Arc<Log>,
    /// The pool's only one.
    address: String,
    /// Replicas that said that their work is done.
    finished: BTreeSet<String>,
    /// Whether replicas finish.
    churns: bool,
    looked: Instant,
    /// As it was then.
    pool: Option<Vec<Vm>>,
    rows: Vec<Row>,
    scene: Scene,
}

impl Campaign {
    fn on(scene: Scene) -> Self {
        let address = scene.cloud.add_address(DESCRIPTION);
        let settings = scene
            .settings()
            .with("REPLICA_MIN_AVAILABLE_RESOURCES", &WANTED.to_string())
            .with("REPLICA_API_TIMEOUT", "2")
            .with("EXTERNAL_ADDRESS_MANAGEMENT", "true")
            .with("OPENSTACK_API_TIMEOUT", "8")
            .with("APP_INTERVAL", "5")
            .with("APP_LEASE", "openstack")
            .with("APP_LEASE_SECONDS", &VALIDITY.as_secs().to_string())
            .with("RUST_LOG", "info");
        // One whose work is done and that is still there, and one for a reply that was lost.
        scene.never_more_than(WANTED + 2);
        let mut campaign = Campaign {
            scalers: Vec::new(),
            processes: 0,
            settings,
            log: Arc::default(),
            address,
            finished: BTreeSet::new(),
            churns: true,
            looked: Instant::now(),
            pool: None,
            rows: Vec::new(),
            scene,
        };
        for name in ["left", "middle", "right"] {
            let scaler = campaign.start(name);
            campaign.scalers.push(scaler);
        }
        campaign.wait_for("pool as wanted", |campaign| {
            let pool = campaign.pool.as_ref()?;
            (pool.len() == WANTED && pool.iter().all(Vm::runs)).then_some(())
        });
        campaign
    }

    fn start(&mut self, name: &'static str) -> Scaler {
        self.processes += 1;
        Scaler::start(name, self.processes, &self.settings, &self.scene.cloud, &self.log)
    }

    /// One fault, and all well again.
    fn suffer(&mut self, fault: Fault) {
        let holder = self.until_well();
        self.until_changed(holder);
        self.stay(fault.quiet);
        let holder = self.until_well();
        let name = self.scalers[holder].name;
        println!("{:?} of {name} for {} s", fault.kind, fault.time.as_secs());
        match fault.kind {
            Kind::Killed => self.end_holder(fault.kind, holder, Signal::KILL),
            Kind::Stopped => self.end_holder(fault.kind, holder, Signal::TERM),
            Kind::Frozen | Kind::FrozenInPass => self.freeze(fault.kind, holder),
            Kind::HolderCut => {
                let at = Instant::now();
                self.scalers[holder].cut();
                self.follow(fault.kind, holder, at, VALIDITY + THIRD + SLACK);
                self.stay(fault.time);
                self.scalers[holder].mend();
            }
            Kind::StandbyCut => {
                let standby = (holder + 1) % self.scalers.len();
                self.scalers[standby].cut();
                self.stay(fault.time);
                let acts = self.scalers[holder].acts_since().is_some();
                assert!(acts, "{name} lost its turn\n{}", tail(&self.scalers[holder].daemon));
                self.scalers[standby].mend();
                self.rows.push(Row { kind: fault.kind, time: None, bound: None });
            }
            Kind::ClockMoved => {
                // Ahead, where all that it has may be over, and back.
                for ahead in [fault.time, Duration::ZERO] {
                    self.scalers[holder].wall_clock.set_ahead(ahead);
                    self.stay(VALIDITY);
                    let acts = self.until_well();
                    assert_eq!(acts, holder, "{name} lost its turn; {}", self.story());
                }
                self.rows.push(Row { kind: fault.kind, time: None, bound: None });
            }
            Kind::GlanceHangs => self.disturb(fault, Service::Image, Flow::Hangs),
            Kind::GlanceStopped => self.disturb(fault, Service::Image, Flow::Stopped),
            Kind::NovaHangs => self.disturb(fault, Service::Compute, Flow::Hangs),
        }
        self.check();
    }

    /// The holder ends, well or badly, is followed, and started again.
    fn end_holder(&mut self, kind: Kind, holder: usize, signal: Signal) {
        let at = Instant::now();
        let scaler = &mut self.scalers[holder];
        scaler.daemon.signal(signal);
        let ran = scaler.daemon.wait_for_end();
        // What may still take effect is not handed over.
        let handed_over =
            ran.stderr.lines().any(|line| line.ends_with("INFO  handed the lease over"));
        if signal == Signal::TERM && !handed_over {
            let why = ran.stderr.lines().rfind(|line| line.contains("the lease"));
            println!("nothing was handed over: {why:?}");
        }
        let wait = if handed_over { Duration::ZERO } else { VALIDITY };
        self.follow(kind, holder, at, wait + THIRD + SLACK);
        let name = self.scalers[holder].name;
        self.scalers[holder] = self.start(name);
    }

    fn freeze(&mut self, kind: Kind, holder: usize) {
        if kind == Kind::FrozenInPass {
            self.scalers[holder].wire.set(Service::Compute, Flow::Hangs);
            let asks = |campaign: &Self| campaign.scalers[holder].wire.held() > 0;
            self.wait_for("a request in a pass", |campaign| asks(campaign).then_some(()));
        }
        let at = Instant::now();
        self.scalers[holder].freeze();
        self.scalers[holder].wire.set(Service::Compute, Flow::Open);
        self.follow(kind, holder, at, VALIDITY + THIRD + SLACK);
        self.stay((VALIDITY * 3).saturating_sub(at.elapsed()));
        self.scalers[holder].thaw();
    }

    /// A service is not what it was, for all of them.
    fn disturb(&mut self, fault: Fault, service: Service, flow: Flow) {
        if self.scene.cloud.is_alone() {
            let name = if service == Service::Image { "glance" } else { "nova-api" };
            let begin = if flow == Flow::Hangs { Outage::hanging } else { Outage::of };
            let outage = begin(&self.scene.cloud, name);
            // Not even a look at the pool would end.
            thread::sleep(fault.time);
            drop(outage);
        } else {
            let set = |campaign: &Self, flow| {
                campaign.scalers.iter().for_each(|scaler| scaler.wire.set(service, flow));
            };
            set(self, flow);
            self.stay(fault.time);
            set(self, Flow::Open);
        }
        let at = Instant::now();
        for scaler in &mut self.scalers {
            scaler.well_since = at;
        }
        self.until_well();
        self.rows.push(Row { kind: fault.kind, time: Some(at.elapsed()), bound: None });
    }

    /// Waits for the one that acts instead of `holder`, which must not take longer than `bound` and what the cloud took to
    /// answer.
    fn follow(&mut self, kind: Kind, holder: usize, at: Instant, bound: Duration) {
        let gone = self.scalers[holder].process;
        let acts = |scaler: &&Scaler| scaler.process != gone && scaler.acts_since().is_some();
        let (next, since) = self.wait_for("a successor", |campaign| {
            let next = campaign.scalers.iter().find(acts)?;
            Some((next.process, next.acts_since()?))
        });
        let time = since.saturating_duration_since(at);
        self.rows.push(Row { kind, time: Some(time), bound: Some(bound) });
        let entries = self.log.entries();
        // In the way are two looks and what taking over is; and who ends well hands over, after a request under way.
        let cloud = waited(&entries, next, 5, at, since) + waited(&entries, gone, 2, at, since);
        println!("{kind:?}: followed after {time:.1?}, {cloud:.1?} of it the cloud's");
        assert!(
            time <= bound + cloud,
            "{kind:?}: followed after {time:?} only, {cloud:?} of it the cloud's; {}",
            self.story()
        );
    }

    /// Waits until one acts and all have seen the lease since nothing keeps them from it; gives the one.
    fn until_well(&mut self) -> usize {
        self.wait_for("one that acts and two that stand by", |campaign| {
            let saw = |scaler: &Scaler| campaign.log.saw(scaler.process, scaler.well_since);
            campaign.scalers.iter().all(saw).then_some(())?;
            campaign.scalers.iter().position(|scaler| scaler.acts_since().is_some())
        })
    }

    /// Waits for a change by this scaler, but not for long: the cloud may be busy with the one before.
    fn until_changed(&mut self, scaler: usize) {
        let (process, end) = (self.scalers[scaler].process, Instant::now() + TURN);
        self.wait_for("the end of a turn", |campaign| {
            (campaign.log.changed(process) || Instant::now() >= end).then_some(())
        });
    }

    /// Lets this time pass.
    fn stay(&mut self, time: Duration) {
        let end = Instant::now() + time;
        self.wait_for("the end of a time", |_| (Instant::now() >= end).then_some(()));
    }

    #[track_caller]
    fn wait_for<T>(&mut self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "no {what}; {}", self.story());
            self.tend();
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Looks at the pool now and then; when it is as wanted, one replica's work is done. And the address is taken from
    /// whoever has it, so that there is something to do in each pass.
    fn tend(&mut self) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        if self.churns {
            let line = format!("PUT network /floatingips/{}", self.address);
            let body = json!({"floatingip": {"port_id": null}});
            self.scene.cloud.member.try_ask(&line, Some(&body));
        }
        let Some(pool) = self.scene.try_look() else { return };
        let done = pool.iter().any(|vm| self.finished.contains(&vm.id));
        let too_many = pool.len() > WANTED;
        if pool.iter().all(Vm::runs) && !done && (too_many || self.churns && pool.len() == WANTED) {
            let vm = &pool[self.finished.len() % pool.len()];
            self.finished.insert(vm.id.clone());
            self.scene.replica(vm, Some(Says::finished()));
        }
        self.pool = Some(pool);
    }

    /// What must hold of all that was sent so far.
    fn check(&self) -> Vec<Duration> {
        let checked = one_acts(&self.log.entries(), VALIDITY);
        checked.unwrap_or_else(|why| panic!("{why}\n{}", self.story()))
    }

    /// The pool as wanted, and the table.
    fn end(mut self) {
        self.churns = false;
        self.pool = None;
        let holder = self.until_well();
        let healthy = |campaign: &Self| {
            let pool = campaign.pool.as_ref()?;
            let fresh = !pool.iter().any(|vm| campaign.finished.contains(&vm.id));
            (pool.len() == WANTED && pool.iter().all(Vm::runs) && fresh).then_some(())
        };
        self.wait_for("pool as wanted", healthy);
        let gaps = self.check();
        self.scalers[holder].daemon.terminate().expect_status(0);
        let entries = self.log.entries();
        let changes: Vec<_> = entries.iter().filter(|entry| entry.is_change()).collect();
        let by: BTreeSet<usize> = changes.iter().map(|entry| entry.process).collect();
        table::add(std::mem::take(&mut self.rows), gaps, changes.len(), by.len());
    }

    /// The ends of all logs, for failures.
    fn story(&self) -> String {
        let story = |scaler: &Scaler| {
            format!("{}, process {}:\n{}", scaler.name, scaler.process, tail(&scaler.daemon))
        };
        self.scalers.iter().map(story).collect::<Vec<_>>().join("\n")
    }
}
