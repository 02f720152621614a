//! What the simulated cloud has to know of the pool in it, and how its VMs are filled.

use crate::provider::simulated::vm::Vm;

/// A VM is never full of more sessions than these, however many resources it has: each session takes more of them then.
const SLOTS_MAX: u64 = 8;

/// The pool, as the world sees it.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Resources of one VM, more than 0.
    pub capacity: u64,
    /// Resources the scaler keeps free: the load is such that it always can, and a VM leaves only when it still can.
    pub minimum: u64,
    /// Most VMs the scaler makes.
    pub max: Option<u64>,
    /// The metadata key of the pool's mark.
    pub mark_key: String,
    /// The first three bytes of the VMs' addresses.
    pub network: [u8; 3],
}

impl Rules {
    /// Resources that one session takes.
    pub fn weight(&self) -> u64 {
        self.capacity.div_ceil(SLOTS_MAX).max(1)
    }

    /// Sessions that fit on one VM, at least 1.
    pub fn slots(&self) -> u64 {
        (self.capacity / self.weight()).max(1)
    }

    /// Free resources of a VM.
    pub fn room(&self, vm: &Vm) -> u64 {
        self.capacity.saturating_sub(vm.running().saturating_mul(self.weight()))
    }
}
