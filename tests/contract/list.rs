//! The list of servers: whole, and with what the pool is judged by.

use std::collections::BTreeSet;

use serde_json::Value;
use simplescalevm::model::{Condition, Launched, Listing, Server};
use simplescalevm::provider::{Provider, ProviderMut};

use super::member::Member;
use super::{Deed, Ground, creation, ipv4, list, open, open_without_host, running, until};

pub fn an_empty_project_has_no_servers(ground: &dyn Ground) {
    let listing = open(ground).servers().unwrap();
    assert_eq!(listing.servers, []);
}

pub fn a_list_of_several_pages_is_whole(ground: &dyn Ground) {
    let mut provider = open_without_host(ground);
    let count = ground.page_size() + 5;
    provider.create(&creation(count)).unwrap();
    let servers = until("all of them in error", || match provider.servers() {
        Ok(Listing { servers, .. }) => {
            let failed = servers.iter().filter(|server| server.condition == Condition::Error);
            (u64::try_from(failed.count()).unwrap() >= count, servers)
        }
        // While Nova schedules them, some are on two pages and others on none.
        Err(error) => {
            assert!(error.text.contains("the list changed"), "{error}");
            (false, Vec::new())
        }
    });
    let ids: BTreeSet<&str> = servers.iter().map(|server| server.id.as_str()).collect();
    assert_eq!(u64::try_from(ids.len()).unwrap(), count, "each server once");
    assert_eq!(ids.len(), servers.len(), "no server twice");

    let page = Member::new(&ground.settings()).get("compute", "/servers/detail");
    let shown = page["servers"].as_array().unwrap().len();
    assert_eq!(u64::try_from(shown).unwrap(), ground.page_size(), "the first page alone");
    assert_eq!(page["servers_links"][0]["rel"], "next");
}

pub fn a_full_page_names_a_next_one_that_may_be_empty(ground: &dyn Ground) {
    open_without_host(ground).create(&creation(2)).unwrap();
    ground.add_address();
    let member = Member::new(&ground.settings());
    let lists = [
        ("compute", "/servers/detail", "servers", 2),
        ("compute", "/flavors", "flavors", 2),
        ("network", "/floatingips", "floatingips", 1),
        ("image", "/images", "images", 1),
    ];
    for (service, path, key, limit) in lists {
        let mut query = format!("limit={limit}");
        let mut sizes = Vec::new();
        loop {
            let page = member.get(service, &format!("{path}?{query}"));
            sizes.push(page[key].as_array().unwrap().len());
            let Some(next) = next_query(&page, key) else { break };
            query = next;
        }
        let (last, full) = sizes.split_last().unwrap();
        assert!(full.iter().all(|size| *size == limit), "{path}: a next page after {sizes:?}");
        assert!(*last < limit, "{path}: the end at a full page: {sizes:?}");
    }
}

/// The query of the next page, as Nova, Neutron and Glance say it.
fn next_query(page: &Value, key: &str) -> Option<String> {
    let links = page[format!("{key}_links")].as_array().into_iter().flatten();
    let next =
        { links }.find(|link| link["rel"] == "next").map_or(&page["next"], |link| &link["href"]);
    Some(next.as_str()?.split_once('?')?.1.to_owned())
}

pub fn the_list_without_details_holds_the_same_servers(ground: &dyn Ground) {
    open_without_host(ground).create(&creation(3)).unwrap();
    let member = Member::new(&ground.settings());
    let ids = |path: &str| {
        let page = member.get("compute", path);
        let servers = page["servers"].as_array().unwrap().clone();
        let ids = servers.iter().map(|server| server["id"].as_str().unwrap().to_owned());
        ids.collect::<BTreeSet<String>>()
    };
    assert_eq!(ids("/servers"), ids("/servers/detail"));
    assert_eq!(ids("/servers/detail?limit=2").len(), 2, "a limit is kept to");
}

pub fn a_new_server_has_an_address_once_it_runs(ground: &dyn Ground) {
    let mut provider = open(ground);
    let id = provider.create(&creation(1)).unwrap();
    let mut words = Vec::new();
    let server = until("an active server", || {
        let listing = provider.servers().unwrap();
        let [server] = &listing.servers[..] else {
            panic!("one server was made: {listing:?}");
        };
        assert!(
            listing.now.is_some_and(|now| server.created <= now),
            "made in the future: {listing:?}"
        );
        if server.condition == Condition::Building {
            // Its addresses show a moment before it runs.
            assert_eq!(server.launched, Launched::Never, "while it builds: {server:?}");
        }
        words.push(server.words.clone());
        (server.condition == Condition::Active { task: None }, server.clone())
    });
    assert_eq!(server.id, id);
    assert!(words[0].starts_with("building"), "{words:?}");
    assert!(server.launched.at().is_some_and(|launched| launched >= server.created), "{server:?}");
    assert_eq!((&*ipv4(&server).network, server.locked), ("Ext-Net", false));
    let marks = (server.mark.as_deref(), server.batch.as_deref());
    assert_eq!(marks, (Some("contract"), Some("b1")));
    assert_eq!(provider.network_name().unwrap(), "Ext-Net");
}

pub fn what_operators_do_shows_in_the_list(ground: &dyn Ground) {
    let mut provider = open(ground);
    let servers = running(&mut provider, 4);
    let deeds = [Deed::Stop, Deed::Pause, Deed::Lock, Deed::ResetToError];
    for (server, deed) in servers.iter().zip(deeds) {
        ground.act_on(&server.id, deed);
    }
    let after = list(&mut provider);
    let find = |before: &Server| after.iter().find(|server| server.id == before.id).unwrap();
    let [stopped, paused, locked, errored] = [0, 1, 2, 3].map(|number| find(&servers[number]));

    assert_eq!(stopped.condition, Condition::Stopped { task: None });
    assert_eq!((&paused.condition, &*paused.words), (&Condition::Other, "paused"));
    assert_eq!((&locked.condition, locked.locked), (&Condition::Active { task: None }, true));
    assert_eq!(errored.condition, Condition::Error);
    for (before, after) in servers.iter().map(|server| (server, find(server))) {
        let alone = provider.server(&before.id).unwrap();
        assert_eq!(alone.as_ref(), Some(after), "by its id it is what the list says");
        assert_eq!(after.launched, before.launched, "it was launched once, and that stays");
        let sorted = |server: &Server| {
            server.fixed.iter().map(|fixed| fixed.address).collect::<BTreeSet<_>>()
        };
        assert_eq!(sorted(after), sorted(before), "its addresses stay");
    }
    ground.act_on(&locked.id, Deed::Unlock);
}
