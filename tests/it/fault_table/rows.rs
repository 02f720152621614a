//! The rows: every kind of request.

use crate::fake::Service;

/// One kind of request.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    pub service: Service,
    /// Its method and path, as the fake cloud's faults understand them.
    pub request: Pattern,
    /// What the log says was being done, and to what.
    pub doing: &'static [&'static str],
    /// The request to the same service that comes before it in a pass; `None`: it is the first.
    pub after: Option<Pattern>,
}

/// A method, and a path or a part of one.
pub type Pattern = (&'static str, &'static str);

/// Replaces the pass's creation by one whose servers are gone before they were ever listed: only then a batch is looked up
/// by its first server's id.
pub const LOOKUP: &str = "lookup";

/// The look just before a deletion.
pub const LOOK: &str = "look";

const LATER_PAGE: Pattern = ("GET", "/servers/detail?marker=*");
// The fake cloud's ids begin with zeros.
const ONE_SERVER: Pattern = ("GET", "/servers/0*");
const DETAIL: &str = "/servers/detail";

/// In the order of a pass.
pub fn rows() -> Vec<Row> {
    use Service::{Compute, Identity, Image, Network};
    let row = |name, service, request, doing, after| Row { name, service, request, doing, after };
    let listing: &[&str] = &["cannot list the servers", DETAIL];
    vec![
        row("login", Identity, ("POST", "/auth/tokens"), &["cannot log in"], None),
        row("version", Compute, ("GET", "/v2.1"), &["cannot find out which Nova this is"], None),
        row("first page", Compute, ("GET", DETAIL), listing, Some(("GET", "/v2.1"))),
        row("later page", Compute, LATER_PAGE, listing, Some(("GET", DETAIL))),
        row(
            LOOKUP,
            Compute,
            ONE_SERVER,
            &["cannot look up server 0", "of batch"],
            Some(LATER_PAGE),
        ),
        row(
            "floating IPs",
            Network,
            ("GET", "/floatingips"),
            &["cannot list the floating IPs, so they are left alone", "/floatingips"],
            None,
        ),
        row(
            "ports",
            Network,
            ("GET", "/ports"),
            &["cannot move 203.0.113.1 to a", "/ports"],
            Some(("GET", "/floatingips")),
        ),
        row(
            "move",
            Network,
            ("PUT", "/floatingips/*"),
            &["cannot move 203.0.113.1 to a", "/floatingips/"],
            Some(("GET", "/ports")),
        ),
        row(
            LOOK,
            Compute,
            ONE_SERVER,
            &["cannot delete done", "cannot look at it again first", "/servers/0"],
            Some(LATER_PAGE),
        ),
        row(
            "delete",
            Compute,
            ("DELETE", "/servers/*"),
            &["cannot delete done", "/servers/0"],
            Some(ONE_SERVER),
        ),
        row(
            "flavor",
            Compute,
            ("GET", "/flavors*"),
            &["cannot create 2 replicas", "/flavors"],
            Some(("DELETE", "/servers/*")),
        ),
        row("image", Image, ("GET", "/images*"), &["cannot create 2 replicas", "/images"], None),
        row(
            "network",
            Network,
            ("GET", "/networks*"),
            &["cannot create 2 replicas", "/networks"],
            Some(("PUT", "/floatingips/*")),
        ),
        row(
            "create",
            Compute,
            ("POST", "/servers"),
            &["cannot create 2 replicas", "/servers"],
            Some(("GET", "/flavors?marker=*")),
        ),
    ]
}
