//! Tests of the decisions: small pictures of a pool, and what is decided about them, in the words of the plan.

mod acts;
mod addresses;
mod back_off;
mod batch;
mod births;
mod brakes;
mod cloud;
mod create;
mod dead_weight;
mod delete;
mod early;
mod expect;
mod fixpoint;
mod forgetting;
mod full;
mod lease;
mod lists;
mod losses;
mod mark;
mod notes;
mod once;
mod pictures;
mod probes;
mod restart;
mod states;
mod world;
