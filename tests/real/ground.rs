//! The provider's contract, against the real cloud.

use std::cell::{OnceCell, RefCell};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use simplescalevm::model::{AddressId, ServerId};
use simplescalevm::proxies::Proxies;
use simplescalevm::secret::Secret;
use simplescalevm::settings::{
    Credentials, Domain, EndpointOverrides, OpenStackSettings, Project, ServerOptions, User,
};

use crate::cloud::{Cloud, undo};
use crate::contract::{ApplicationCredentialKey, Deed, Ground};
use crate::service::{service_command, service_command_with};

contract_tests!(crate::ground::RealGround::open);

const DESCRIPTION: &str = "simplescalevm-contract";

/// The real cloud.
pub struct RealGround {
    // First, so that its tokens are good again before the cloud is cleared.
    token_life: RefCell<Option<TokenLife>>,
    cloud: OnceCell<Cloud>,
}

impl RealGround {
    pub fn open() -> Self {
        RealGround { token_life: RefCell::default(), cloud: OnceCell::new() }
    }

    /// Opened late: only then it is known whether the case has to be alone.
    pub fn cloud(&self) -> &Cloud {
        self.cloud.get_or_init(Cloud::open)
    }
}

impl Ground for RealGround {
    fn settings(&self) -> OpenStackSettings {
        let openrc = &self.cloud().openrc;
        let domain = Domain::Name(openrc.get("OS_USER_DOMAIN_NAME").into());
        OpenStackSettings {
            auth_url: openrc.get("OS_AUTH_URL").into(),
            credentials: Credentials::Password {
                user: User::Name { name: openrc.get("OS_USERNAME").into(), domain: domain.clone() },
                password: Secret::new(openrc.get("OS_PASSWORD")),
                project: Project::Name { name: openrc.get("OS_PROJECT_NAME").into(), domain },
            },
            region: Some(openrc.get("OS_REGION_NAME").into()),
            cloud: None,
            default_region: Some("SBG7"),
            endpoint_overrides: EndpointOverrides::default(),
            client_certificate: None,
            interface: openrc.get("OS_INTERFACE").into(),
            flavor: "d2-8".into(),
            image: "Debian 11".into(),
            network: "Ext-Net".into(),
            metadata_key: "group".into(),
            floating_ip_description: DESCRIPTION.into(),
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
        let openrc = self.cloud().other_openrc("openrc-application-credential");
        ApplicationCredentialKey {
            id: openrc.get("OS_APPLICATION_CREDENTIAL_ID").into(),
            name: "scaler".into(),
            secret: Secret::new(openrc.get("OS_APPLICATION_CREDENTIAL_SECRET")),
        }
    }

    fn page_size(&self) -> u64 {
        10
    }

    fn set_quota(&self, instances: Option<u64>) {
        self.cloud().set_quota(instances);
    }

    fn revoke_tokens(&self) {
        self.cloud().revoke_tokens();
    }

    fn set_token_life(&self, life: Duration) {
        let cloud = self.cloud.get_or_init(Cloud::open_alone);
        *self.token_life.borrow_mut() = Some(TokenLife::of(cloud, life));
    }

    fn outlive(&self, life: Duration) {
        thread::sleep(life + Duration::from_secs(2));
    }

    fn server(&self, id: &ServerId) -> Value {
        self.cloud().server(id.as_str())
    }

    fn act_on(&self, id: &ServerId, deed: Deed) {
        let act = |action: Value| self.cloud().act(id.as_str(), &action);
        match deed {
            Deed::Stop => {
                act(json!({"os-stop": null}));
                self.cloud().wait_for_state(id.as_str(), "stopped");
            }
            Deed::Pause => {
                act(json!({"pause": null}));
                self.cloud().wait_for_state(id.as_str(), "paused");
            }
            Deed::Lock => act(json!({"lock": null})),
            Deed::Unlock => act(json!({"unlock": null})),
            Deed::ResetToError => act(json!({"os-resetState": {"state": "error"}})),
        }
    }

    fn add_security_group(&self, name: &str) -> String {
        self.cloud().add_security_group(name)
    }

    fn add_server_group(&self) -> String {
        self.cloud().add_server_group()
    }

    fn add_address(&self) -> AddressId {
        AddressId(self.cloud().add_address(DESCRIPTION))
    }

    fn records(&self) -> bool {
        std::env::var_os("SIMPLESCALEVM_RECORD").is_some()
    }
}

/// A Keystone that gives out tokens with another life. Dropped, it is the usual one again.
struct TokenLife;

impl TokenLife {
    fn of(cloud: &Cloud, life: Duration) -> Self {
        assert!(
            cloud.is_alone(),
            "Keystone is every test's: a case says how long tokens live before all else"
        );
        let guard = TokenLife;
        let seconds = life.as_secs().to_string();
        let variables = [("SIMPLESCALEVM_OPENSTACK_TOKEN_SECONDS", seconds.as_str())];
        service_command_with("restart", "keystone", &variables);
        guard
    }
}

impl Drop for TokenLife {
    fn drop(&mut self) {
        undo(|| service_command("restart", "keystone"));
    }
}
