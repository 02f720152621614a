//! The provider's contract, against the fake cloud.

use std::time::Duration;

use serde_json::Value;
use simplescalevm::model::{AddressId, ServerId};
use simplescalevm::proxies::Proxies;
use simplescalevm::secret::Secret;
use simplescalevm::settings::{
    Credentials, Domain, EndpointOverrides, OpenStackSettings, Project, ServerOptions, User,
};

use crate::contract::{ApplicationCredentialKey, Deed, Ground, NO_HOST};
use crate::fake::{Cloud, Named, Service};

contract_tests!(crate::on_fake::FakeGround::start);

/// The fake cloud, with what a contract's ground has.
pub struct FakeGround(Cloud);

impl FakeGround {
    pub fn start() -> Self {
        let cloud = Cloud::start();
        {
            let mut state = cloud.state();
            let id = state.new_id();
            state.flavors.push(Named { id, name: NO_HOST.into() });
            state.page_max = 50;
        }
        FakeGround(cloud)
    }

    /// The fake cloud itself.
    pub fn cloud(&self) -> &Cloud {
        &self.0
    }
}

impl Ground for FakeGround {
    fn settings(&self) -> OpenStackSettings {
        let auth_url = format!("{}/v3", self.0.url(Service::Identity));
        let identity = &self.0.state().identity;
        let default = Domain::Id("default".into());
        OpenStackSettings {
            auth_url,
            credentials: Credentials::Password {
                user: User::Name { name: identity.user.name.clone(), domain: default.clone() },
                password: Secret::new(&identity.password),
                project: Project::Name { name: identity.project.name.clone(), domain: default },
            },
            region: Some("SBG7".into()),
            cloud: None,
            default_region: Some("SBG7"),
            endpoint_overrides: EndpointOverrides::default(),
            client_certificate: None,
            interface: "public".into(),
            flavor: "d2-8".into(),
            image: "Debian 11".into(),
            network: "Ext-Net".into(),
            metadata_key: "group".into(),
            floating_ip_description: "server".into(),
            keypair: None,
            cloud_init_file: None,
            options: ServerOptions::default(),
            timeout: Duration::from_secs(60),
            cacert: None,
            insecure: false,
            proxies: Proxies::default(),
        }
    }

    fn application_credential(&self) -> ApplicationCredentialKey {
        let identity = &self.0.state().identity;
        ApplicationCredentialKey {
            id: identity.application_credential.id.clone(),
            name: identity.application_credential.name.clone(),
            secret: Secret::new(&identity.application_credential_secret),
        }
    }

    fn page_size(&self) -> u64 {
        u64::try_from(self.0.state().page_max).unwrap()
    }

    fn set_quota(&self, instances: Option<u64>) {
        let instances = instances.unwrap_or(5000);
        self.0.state().instances_max = usize::try_from(instances).unwrap();
    }

    fn revoke_tokens(&self) {
        for token in &mut self.0.state().identity.tokens {
            token.revoked = true;
        }
    }

    fn set_token_life(&self, life: Duration) {
        self.0.state().identity.token_life = life;
    }

    fn outlive(&self, life: Duration) {
        self.0.state().clock_ahead_s += i64::try_from(life.as_secs()).unwrap() + 1;
    }

    fn server(&self, id: &ServerId) -> Value {
        self.0.state().as_administrator(id.as_str())
    }

    fn act_on(&self, id: &ServerId, deed: Deed) {
        let mut state = self.0.state();
        let server = state.server(id.as_str());
        match deed {
            Deed::Stop => server.vm_state = "stopped".into(),
            Deed::Pause => server.vm_state = "paused".into(),
            Deed::Lock => server.locked = true,
            Deed::Unlock => server.locked = false,
            Deed::ResetToError => server.vm_state = "error".into(),
        }
    }

    fn add_security_group(&self, name: &str) -> String {
        self.0.state().add_security_group(name)
    }

    fn add_server_group(&self) -> String {
        self.0.state().add_server_group("spread")
    }

    fn add_address(&self) -> AddressId {
        AddressId(self.0.state().add_floating_ip(None))
    }
}
