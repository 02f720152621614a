//! The lease's record among the images of a real cloud: the store's contract, for two users of a project and an application
//! credential of one of them.

use std::time::{Duration, SystemTime};

use simplescalevm::handles::Handles;
use simplescalevm::lease::Store;
use simplescalevm::lease::openstack::Images;
use simplescalevm::settings::{ApplicationCredential, Credentials, OpenStackSettings, User};

use crate::contract::Ground;
use crate::ground::RealGround;
use crate::lease_contract::{LeaseGround, holder};

lease_tests!(crate::lease_store::RealLease::open);

/// More than any request should take, on a machine that is busy with everything else.
const LIMIT: Duration = Duration::from_secs(120);

/// A lease that nobody has held, for ids are never given out twice.
pub struct RealLease {
    ground: RealGround,
    name: String,
    second_user: String,
}

impl RealLease {
    #[expect(clippy::disallowed_methods, reason = "a name that no run before had")]
    pub fn open() -> Self {
        let ground = RealGround::open();
        let second_user = ground.cloud().add_user();
        let name = format!("contract {:?} \u{1f600}", SystemTime::now());
        RealLease { ground, name, second_user }
    }

    fn settings(&self, name: &str) -> OpenStackSettings {
        let mut settings = self.ground.settings();
        match (name, &mut settings.credentials) {
            ("a", _) => {}
            ("b", Credentials::Password { user: User::Name { name, .. }, .. }) => {
                name.clone_from(&self.second_user);
            }
            (_, credentials) => {
                let key = self.ground.application_credential();
                let which = ApplicationCredential::Id(key.id);
                *credentials = Credentials::ApplicationCredential { which, secret: key.secret };
            }
        }
        settings
    }
}

impl LeaseGround for RealLease {
    fn store(&self, name: &str) -> Box<dyn Store> {
        let (settings, handles) = (self.settings(name), Handles::new());
        Box::new(Images::new(&settings, &self.name, holder(name), LIMIT, handles).unwrap())
    }
}
