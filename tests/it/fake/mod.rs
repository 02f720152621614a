//! What the executable is tested against: an `OpenStack` and replicas, in this process, on loopback.

mod closed;
mod contract;
mod crowd;
mod faults;
pub mod gone;
mod http;
mod openstack;
mod proxy;
mod range;
pub mod replica;
mod tls;

pub use faults::{Fault, Gate, Then, Times};
pub use http::{Manner, Response};
pub use openstack::state::{Build, Fixed, Named};
pub use openstack::{Cloud, Recorded, Service, decoded};
pub use proxy::{Proxy, Serves};
pub use replica::Says;
pub use tls::{NoTls, Speaks, authority, certificate, private_key};
