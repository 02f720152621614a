//! The lease's record among the images of the fake cloud: the store's contract, and what a cloud may do to it.

use std::time::{Duration, Instant};

use simplescalevm::error::ErrorKind;
use simplescalevm::handles::Handles;
use simplescalevm::lease::openstack::Images;
use simplescalevm::lease::{Creation, Holder, Record, Renewal, State, Store};
use simplescalevm::secret::Secret;
use simplescalevm::settings::{ApplicationCredential, Credentials};

use crate::contract::Ground;
use crate::fake::{Cloud, Fault, Gate, Manner, Response, Service, Times};
use crate::lease_contract::{LeaseGround, holder};
use crate::on_fake::FakeGround;

lease_tests!(crate::lease_store::FakeLease::start);

const LEASE: &str = "group=scaler: a \u{1f600}";

/// More than any request here should take.
const LIMIT: Duration = Duration::from_secs(30);

/// A fake cloud without a record.
pub struct FakeLease(FakeGround);

impl FakeLease {
    pub fn start() -> Self {
        FakeLease(FakeGround::start())
    }

    fn cloud(&self) -> &Cloud {
        self.0.cloud()
    }

    fn images(&self, name: &str, limit: Duration) -> Images {
        let mut settings = self.0.settings();
        if name == "c" {
            let key = self.0.application_credential();
            let which = ApplicationCredential::Id(key.id);
            settings.credentials = Credentials::ApplicationCredential { which, secret: key.secret };
        }
        Images::new(&settings, LEASE, holder(name), limit, Handles::new()).unwrap()
    }
}

impl LeaseGround for FakeLease {
    fn store(&self, name: &str) -> Box<dyn Store> {
        Box::new(self.images(name, LIMIT))
    }
}

#[test]
fn nova_is_never_asked() {
    let lease = FakeLease::start();
    lease.cloud().stop(Service::Compute);
    let mut store = lease.store("a");
    assert_eq!(store.create(1), Ok(Creation::Created), "{}", lease.cloud().journal());
    assert_eq!(store.look().unwrap().map(|record| record.epoch), Some(1));
}

#[test]
fn a_list_that_ignores_the_filters_and_has_many_pages_is_searched_whole() {
    let lease = FakeLease::start();
    let (mut a, mut b) = (lease.store("a"), lease.store("b"));
    a.create(1).unwrap();
    a.create(2).unwrap();
    {
        let mut state = lease.cloud().state();
        state.drops_filters = true;
        let now = state.now() + Duration::from_secs(60);
        for number in 0..250 {
            state.add_image(&format!("other {number}"), "active", now);
        }
    }
    assert_eq!(b.look().unwrap().map(|record| record.epoch), Some(2));
    assert!(lease.cloud().count("GET", "/v2/images") >= 3, "{}", lease.cloud().journal());
}

#[test]
fn an_image_that_only_has_the_name_fools_nobody() {
    let lease = FakeLease::start();
    let mut a = lease.store("a");
    a.create(1).unwrap();
    {
        let mut state = lease.cloud().state();
        let mut other = state.images.last().unwrap().clone();
        other.id = state.new_id();
        other.properties.insert("simplescalevm_epoch".into(), "7".into());
        state.images.push(other.clone());
        other.id = state.new_id();
        other.properties.clear();
        state.images.push(other);
        let mut foreign = state.images[state.images.len() - 3].clone();
        foreign.owner = "another".into();
        (foreign.visibility, state.drops_filters) = ("public".into(), true);
        state.images.push(foreign);
    }
    assert_eq!(a.look().unwrap().map(|record| record.epoch), Some(1));
}

#[test]
fn a_record_that_somebody_has_changed_is_an_error_and_not_a_free_lease() {
    let lease = FakeLease::start();
    let mut a = lease.store("a");
    a.create(1).unwrap();
    for (property, value) in [("state", "gone"), ("renewed", "often")] {
        let name = format!("simplescalevm_{property}");
        let before = {
            let mut state = lease.cloud().state();
            state.images.last_mut().unwrap().properties.insert(name.clone(), value.into()).unwrap()
        };
        let error = a.look().unwrap_err();
        assert!(error.text.contains("somebody has changed its properties: delete it"), "{error}");
        lease.cloud().state().images.last_mut().unwrap().properties.insert(name, before);
    }
    assert_eq!(a.look().unwrap().map(|record| record.epoch), Some(1));
}

#[test]
fn a_name_that_glance_does_not_take_whole_is_still_our_own() {
    let lease = FakeLease::start();
    let me = Holder { name: "x\u{1f600}".repeat(200), word: "w".into() };
    let (settings, handles) = (lease.0.settings(), Handles::new());
    let mut a = Images::new(&settings, LEASE, me.clone(), LIMIT, handles).unwrap();
    assert_eq!(a.create(1), Ok(Creation::Created), "{}", lease.cloud().journal());
    let expected = Record { epoch: 1, holder: me, renewed: 0, state: State::Held };
    assert_eq!(a.look(), Ok(Some(expected)));
    let seen = lease.store("b").look().unwrap().unwrap();
    assert_eq!(seen.holder.name, "x\u{fffd}".repeat(127) + "x");
}

#[test]
fn what_may_change_something_is_sent_once_and_a_look_again() {
    let lease = FakeLease::start();
    let mut a = lease.store("a");
    a.look().unwrap();
    let cloud = lease.cloud();
    for (method, pattern) in
        [("POST", "/v2/images"), ("PATCH", "/v2/images/*"), ("DELETE", "/v2/images/*")]
    {
        cloud.forget_requests();
        cloud.fault(method, pattern, Times::Next(1), Fault::html(503));
        let failed = match method {
            "POST" => a.create(1).is_err(),
            "PATCH" => a.renew(1, 1).is_err(),
            _ => a.delete(1).is_err(),
        };
        let sent = cloud.requests().iter().filter(|request| request.method == method).count();
        assert_eq!((failed, sent), (true, 1), "{method}: {}", cloud.journal());
    }
    cloud.fault("GET", "/v2/images", Times::Next(1), Fault::html(503));
    assert_eq!(a.look(), Ok(None), "a look is repeated");
}

#[test]
fn a_token_that_is_refused_costs_a_login_and_nothing_else() {
    let lease = FakeLease::start();
    let mut a = lease.store("a");
    a.create(1).unwrap();
    for renewed in 1..3 {
        for token in &mut lease.cloud().state().identity.tokens {
            token.revoked = true;
        }
        assert_eq!(a.renew(1, renewed), Ok(Renewal::Renewed), "{}", lease.cloud().journal());
    }
    assert_eq!(a.look().unwrap().map(|record| record.renewed), Some(2));
}

#[test]
fn a_missing_right_is_named() {
    let lease = FakeLease::start();
    let cloud = lease.cloud();
    let mut a = lease.store("a");
    let mut check = |method: &str, fault: Fault, part: &str| {
        cloud.fault(method, "/v2/images*", Times::Always, fault);
        let error = match method {
            "GET" => a.look().map(drop),
            "POST" => a.create(1).map(drop),
            "PATCH" => a.renew(1, 1).map(drop),
            _ => a.release(1),
        };
        cloud.no_faults();
        let error = error.unwrap_err().text;
        assert!(error.contains(part), "{method}: {error}");
    };
    let policy = "You are not authorized to complete add_image action.";
    let refusal = || Fault::Answer(Response::html(403, policy));
    check("POST", refusal(), "may not create images in this project: POST http");
    check("PATCH", refusal(), "may not change images in this project");
    check("GET", refusal(), "may not list images in this project");
    check("POST", Fault::unauthorized(), "they lack POST of /v2/images:");
    check("PATCH", Fault::unauthorized(), "they lack PATCH of /v2/images/*:");
    let limit =
        "Request exceeds allowed quota: Project 0c28 is over a limit for [image_count_total]";
    let quota = Fault::Answer(Response::html(413, limit));
    check("POST", quota, "no room to create images in this project");
}

#[test]
fn a_wrong_password_is_no_missing_right() {
    let lease = FakeLease::start();
    let mut settings = lease.0.settings();
    let Credentials::Password { password, .. } = &mut settings.credentials else { unreachable!() };
    *password = Secret::new("wrong");
    let mut store = Images::new(&settings, LEASE, holder("a"), LIMIT, Handles::new()).unwrap();
    let error = store.look().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused(401));
    assert!(error.text.contains("cannot log in") && !error.text.contains("rules"), "{error}");
}

#[test]
fn a_cloud_that_gives_images_ids_of_its_own_keeps_no_lease_and_no_litter() {
    let lease = FakeLease::start();
    let (mut a, cloud) = (lease.store("a"), lease.cloud());
    let id = {
        let mut state = cloud.state();
        let now = state.now();
        state.add_image("simplescalevm-lease-x", "queued", now)
    };
    let answer = Response::json(201, &serde_json::json!({"id": id}));
    cloud.fault("POST", "/v2/images", Times::Always, Fault::Answer(answer));
    let error = a.create(1).unwrap_err();
    assert!(error.text.contains("can't keep a lease"), "{error}");
    assert!(cloud.state().deleted_images.contains(&id), "{}", cloud.journal());
}

#[test]
fn each_call_ends_in_its_time_with_the_login_it_needs() {
    let lease = FakeLease::start();
    let limit = Duration::from_secs(1);
    let cloud = lease.cloud();
    for (method, pattern) in [("POST", "/v3/auth/tokens"), ("POST", "/v2/images")] {
        let gate = Gate::default();
        cloud.fault(method, pattern, Times::Always, Fault::HeldBefore(gate.clone()));
        let mut store = lease.images("a", limit);
        let began = Instant::now();
        let error = store.create(1).unwrap_err();
        assert!(
            began.elapsed() < LIMIT,
            "{pattern}: its own limit of 60 s was waited for: {error}"
        );
        assert!(error.text.contains("no answer within 1 s"), "{error}");
        gate.open();
        cloud.no_faults();
    }
}

#[test]
fn what_takes_effect_late_and_was_given_up_is_in_nobodys_way() {
    let lease = FakeLease::start();
    let cloud = lease.cloud();
    let (mut a, mut b) = (lease.images("a", Duration::from_secs(1)), lease.store("b"));
    a.look().unwrap();
    let gate = Gate::default();
    cloud.fault("POST", "/v2/images", Times::Next(1), Fault::HeldBefore(gate.clone()));
    a.create(1).unwrap_err();
    assert_eq!(b.create(1), Ok(Creation::Created));
    assert_eq!(b.release(1), Ok(()));
    assert_eq!(b.create(2), Ok(Creation::Created));
    assert_eq!(b.delete(1), Ok(()));
    gate.open();
    let refused = || cloud.requests().iter().any(|request| request.status == Some(409));
    let began = Instant::now();
    while !refused() {
        assert!(began.elapsed() < LIMIT, "{}", cloud.journal());
        std::thread::yield_now();
    }
    assert_eq!(
        a.look().unwrap().map(|record| (record.epoch, record.holder)),
        Some((2, holder("b")))
    );
}

#[test]
fn a_keepers_requests_are_no_progress_of_the_loop() {
    let lease = FakeLease::start();
    let handles = Handles::new();
    std::thread::sleep(Duration::from_millis(20));
    let settings = lease.0.settings();
    let mut store = Images::new(&settings, LEASE, holder("a"), LIMIT, handles.clone()).unwrap();
    store.look().unwrap();
    assert!(
        handles.progress.idle() >= Duration::from_millis(20),
        "a stuck loop would keep its lease"
    );
}

#[test]
fn an_answer_that_is_cut_off_or_foreign_is_an_error() {
    let lease = FakeLease::start();
    let (mut a, cloud) = (lease.store("a"), lease.cloud());
    cloud.fault("POST", "/v2/images", Times::Next(1), Fault::Sent(Manner::Closed));
    a.create(1).unwrap_err();
    assert_eq!(a.create(1), Ok(Creation::Exists), "it had taken effect");
    cloud.fault("GET", "/v2/images", Times::Next(1), Fault::html(200));
    a.look().unwrap_err();
    assert_eq!(a.look().unwrap().map(|record| record.holder), Some(holder("a")));
}
