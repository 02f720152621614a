//! What the executable is tested against: an `OpenStack` and replicas, in this process, on loopback.

mod contract;
mod crowd;
mod faults;
mod http;
mod openstack;
mod range;
mod replica;

pub use faults::{Fault, Gate, Times};
pub use http::{Manner, Response};
pub use openstack::state::{Build, Fixed, Named};
pub use openstack::{Cloud, Service, decoded};
pub use replica::Says;
