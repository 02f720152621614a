//! Fields of a server's record that a cloud may hide (policies, proxies, old versions), and what each costs.

/// Where the mark is.
pub const METADATA: &str = "metadata";
/// What a server is.
pub const VM_STATE: &str = "OS-EXT-STS:vm_state";
/// What is being done with it.
pub const TASK_STATE: &str = "OS-EXT-STS:task_state";
/// When it first ran.
pub const LAUNCHED_AT: &str = "OS-SRV-USG:launched_at";
/// Whether an operator holds it.
pub const LOCKED: &str = "locked";
/// Where it is asked.
pub const ADDRESSES: &str = "addresses";
/// Whether an address is fixed or floating.
pub const ADDRESS_TYPE: &str = "OS-EXT-IPS:type";

/// What it costs that `field` is hidden.
pub fn cost(field: &str) -> &'static str {
    match field {
        METADATA => "the pool's servers cannot be told from others, so none is found",
        VM_STATE => "replicas are judged by their status alone",
        TASK_STATE => {
            "what is being done with a replica (a reboot, a deletion) is not seen, so it counts as idle meanwhile"
        }
        LAUNCHED_AT => {
            "a replica in error is never known to have failed to start: it is deleted only when it is silent while \
             another answers"
        }
        LOCKED => "a lock is not seen: only Nova itself keeps a locked replica from being deleted",
        ADDRESSES => "replicas cannot be asked, and nothing is decided about those that run",
        ADDRESS_TYPE => "floating addresses are told from fixed ones by the list of floating IPs",
        _ => "no cost is known",
    }
}
