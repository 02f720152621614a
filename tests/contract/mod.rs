//! What the provider promises, one case a function: run word for word the same against the fake cloud and a real one.
//! Where they differ, the fake is wrong.

pub mod address;
pub mod answers;
pub mod create;
pub mod delete;
pub mod list;
pub mod login;
pub mod member;
pub mod names;
pub mod options;
pub mod quota;
mod shape;
pub mod token;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use simplescalevm::handles::Handles;
use simplescalevm::model::{AddressId, BATCH_KEY, Condition, FixedAddress, Server, ServerId};
use simplescalevm::provider::openstack::{OpenStack, OpenStackMut};
use simplescalevm::provider::{Creation, Provider, ProviderMut};
use simplescalevm::secret::Secret;
use simplescalevm::settings::OpenStackSettings;

/// More than any build or deletion should take, on a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(300);

/// The flavor for which no host has room: its servers end in error, as in a full cloud.
pub const NO_HOST: &str = "no-host";

/// What an operator does to a server behind the provider's back.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    Stop,
    Pause,
    Lock,
    Unlock,
    /// `reset-state` to error.
    ResetToError,
}

/// An application credential of the member.
pub struct ApplicationCredentialKey {
    pub id: String,
    pub name: String,
    pub secret: Secret,
}

/// A cloud with an empty project, and the few things a case does there that a provider cannot.
///
/// It has the region SBG7, the flavors d2-8 and [`NO_HOST`], the image "Debian 11", the network "Ext-Net", the key
/// pair "ops" of the member, and pages of [`Ground::page_size`] servers.
pub trait Ground {
    /// How the project's plain member gets in, with a password.
    fn settings(&self) -> OpenStackSettings;

    /// The member's application credential.
    fn application_credential(&self) -> ApplicationCredentialKey;

    /// Most servers of one page.
    fn page_size(&self) -> u64;

    /// Most servers of the project from now on; `None`: as many as one likes.
    fn set_quota(&self, instances: Option<u64>);

    /// Every token of the member is worth nothing from now on.
    fn revoke_tokens(&self);

    /// Tokens that are given out from now on live so long.
    fn set_token_life(&self, life: Duration);

    /// Waits until tokens with that life have expired.
    fn outlive(&self, life: Duration);

    /// The server as an administrator sees it, in `GET` of the one server.
    fn server(&self, id: &ServerId) -> Value;

    /// Does something to a server, and waits until it is done.
    fn act_on(&self, id: &ServerId, deed: Deed);

    /// A new security group of the project, beside its "default", that lets nobody in; gives its id. The name begins with
    /// `simplescalevm-`.
    fn add_security_group(&self, name: &str) -> String;

    /// A new server group whose servers are spread over hosts where that can be; gives its id.
    fn add_server_group(&self) -> String;

    /// A new floating IP with the description of [`Ground::settings`], bound to nothing.
    fn add_address(&self) -> AddressId;

    /// Whether the answers are to be recorded as fixtures, instead of compared with those.
    fn records(&self) -> bool {
        false
    }
}

/// Every case as a test of its own, each on a new ground.
macro_rules! contract_tests {
    ($ground:path) => {
        contract_tests! { @cases $ground;
            login: a_password_opens_the_project, a_wrong_password_is_refused,
                a_wrong_user_or_project_is_refused, an_application_credential_needs_no_scope,
                an_application_credential_is_refused_with_a_scope, a_user_may_be_given_by_id,
                a_wrong_secret_is_refused,
                an_unknown_region_names_those_that_exist, the_only_region_needs_no_name,
                an_unknown_interface_names_those_that_exist;
            token: a_revoked_token_is_answered_by_a_new_login, an_expired_token_is_no_failure;
            list: an_empty_project_has_no_servers, a_list_of_several_pages_is_whole,
                a_full_page_names_a_next_one_that_may_be_empty,
                the_list_without_details_holds_the_same_servers,
                a_new_server_has_an_address_once_it_runs, what_operators_do_shows_in_the_list;
            create: many_are_made_with_one_request, one_alone_keeps_its_plain_name,
                user_data_metadata_and_keypair_arrive, without_a_host_all_end_in_error_with_a_fault;
            names: a_wrong_flavor_names_those_that_exist, a_wrong_image_names_those_that_exist,
                a_wrong_network_names_those_that_exist, a_wrong_keypair_makes_nothing,
                ids_do_as_well_as_names, check_finds_everything, check_names_every_fault,
                a_server_exists_once_it_is_made;
            options: groups_zone_description_tags_and_hint_arrive, groups_are_known_by_name_and_by_id,
                two_groups_of_one_name_need_an_id, a_wrong_group_names_those_that_exist,
                a_wrong_zone_makes_nothing, a_wrong_server_group_makes_nothing,
                networks_of_a_file_have_the_pools_among_them, a_file_that_is_wrong_makes_nothing,
                a_field_of_a_later_microversion_is_told_before_nova_is_asked,
                a_boot_volume_needs_a_cloud_with_volumes,
                nova_takes_a_boot_volume_and_fails_to_build_it_without_cinder, check_finds_every_option,
                check_names_every_fault_of_the_options, a_quota_is_told_with_what_is_used;
            quota: as_many_as_fit_are_made, where_none_fits_it_is_a_quota, a_raised_quota_lets_more_in;
            delete: a_server_that_is_deleted_twice_is_gone, a_server_that_never_was_is_gone,
                a_locked_server_is_not_deleted, an_errored_server_is_deleted;
            address: an_address_is_bound_and_moved, two_addresses_do_not_fit_on_one_server,
                a_deleted_servers_address_is_free, an_address_that_never_was_is_refused,
                a_server_without_that_port_is_refused, an_ipv6_replica_holds_on_its_ipv4,
                other_descriptions_are_others_business;
            answers: of_nova_about_options, of_neutron_about_security_groups, of_keystone, of_nova_about_servers, of_nova_about_a_server_in_error,
                of_nova_about_a_creation, of_nova_about_the_rest, of_neutron, of_glance;
        }
    };
    (@cases $ground:path; $($file:ident: $($case:ident),+;)+) => {
        $(mod $file { $(
            #[test]
            fn $case() {
                crate::contract::$file::$case(&$ground());
            }
        )+ })+
    };
}

/// The provider with the ground's settings.
fn open(ground: &dyn Ground) -> OpenStackMut {
    open_with(&ground.settings())
}

fn open_with(settings: &OpenStackSettings) -> OpenStackMut {
    let reader = OpenStack::new(settings, true, Handles::new());
    OpenStackMut::new(reader.expect("a client for the cloud"))
}

/// The provider, whose servers find no host: they end in error, and are quick to make: no port, no build.
fn open_without_host(ground: &dyn Ground) -> OpenStackMut {
    open_with(&OpenStackSettings { flavor: NO_HOST.into(), ..ground.settings() })
}

/// Makes one server that ends in error; waits until it has.
#[track_caller]
fn one_in_error(ground: &dyn Ground) -> (OpenStackMut, ServerId) {
    let mut provider = open_without_host(ground);
    let id = provider.create(&creation(1)).unwrap();
    until("a server in error", || {
        let servers = list(&mut provider);
        (servers[0].condition == Condition::Error, servers)
    });
    (provider, id)
}

/// So many servers named `web`, with the mark `contract` and the batch `b1`.
fn creation(count: u64) -> Creation {
    Creation {
        name: "web".into(),
        count,
        metadata: vec![("group".into(), "contract".into()), (BATCH_KEY.into(), "b1".into())],
    }
}

/// Makes so many servers; waits until they and those before them run, and have an address.
#[track_caller]
fn running(provider: &mut OpenStackMut, count: u64) -> Vec<Server> {
    let before = list(provider).len() as u64;
    provider.create(&creation(count)).expect("a creation");
    until_running(provider, before + count)
}

/// Waits until the project has so many servers, and all run. Until they are scheduled Nova counts them in no quota.
#[track_caller]
fn until_running(provider: &mut dyn Provider, count: u64) -> Vec<Server> {
    until(&format!("{count} running servers"), || {
        let servers = list(provider);
        let active = |server: &Server| server.condition == Condition::Active { task: None };
        (servers.len() as u64 == count && servers.iter().all(active), servers)
    })
}

#[track_caller]
fn list(provider: &mut dyn Provider) -> Vec<Server> {
    provider.servers().expect("a list of servers").servers
}

/// The first fixed IPv4 address.
fn ipv4(server: &Server) -> &FixedAddress {
    let found = server.fixed.iter().find(|fixed| fixed.address.is_ipv4());
    found.unwrap_or_else(|| panic!("no IPv4 address: {server:?}"))
}

/// Looks until it is so; gives what was seen then.
#[track_caller]
fn until<T: std::fmt::Debug>(what: &str, mut look: impl FnMut() -> (bool, T)) -> T {
    let began = Instant::now();
    loop {
        let looked = Instant::now();
        let (so, seen) = look();
        if so {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "not in time: {what}; last seen: {seen:#?}");
        // A real cloud needs its processors for other things than our looks.
        thread::sleep(
            (looked.elapsed() * 4).clamp(Duration::from_millis(20), Duration::from_secs(2)),
        );
    }
}

/// A file that goes when the case is over.
pub struct TemporaryFile(pub PathBuf);

impl TemporaryFile {
    pub fn new(content: &[u8]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("simplescalevm-contract-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        TemporaryFile(path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
