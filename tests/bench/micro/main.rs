//! What a replica costs in processor time, in pools of any size: deciding about it, and reading its record.
//!
//! `make bench-micro` runs it. Both are to stay linear.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench ends with a panic, as a test does"
)]

mod picture;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use simplescalevm::decide::decide;
use simplescalevm::memory::Memory;
use simplescalevm::provider::openstack::servers::{PATH, ServerList};

/// Replicas of a pool.
const POOLS: [usize; 5] = [10, 100, 1000, 10_000, 100_000];

/// Servers of a page.
const PAGES: [usize; 3] = [10, 100, 1000];

/// A steady pass, of which the last one remembers every replica.
fn deciding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    for count in POOLS {
        let (policy, seen) = (picture::policy(), picture::pool(count));
        let (_, memory) = decide(&policy, &seen, &Memory::new("bench"));
        let (plan, _) = decide(&policy, &seen, &memory);
        assert!(plan.is_empty() && plan.replicas.len() == count, "no steady pass: {plan:?}");
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter_with_large_drop(|| decide(&policy, black_box(&seen), &memory));
        });
    }
    group.finish();
}

/// One page of Nova's list.
fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read a page");
    for count in PAGES {
        let page = picture::page(count);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter_with_large_drop(|| {
                let mut list = ServerList::new("group");
                list.add(PATH, black_box(&page)).expect("a page");
                list
            });
        });
    }
    group.finish();
}

/// Half a minute for all of them.
fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! {
    name = benches;
    config = short();
    targets = deciding, reading
}
criterion_main!(benches);
