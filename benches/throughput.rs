//! Criterion benchmarks that follow the speed of each encoder and decoder over time.
//! `compare` prints how they compare to each other.

mod contestants;

use std::time::Duration;

use contestants::{Contestant, SIZES, Stream, decoders, encoders};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// 56 benchmarks of about a second each. Criterion's defaults take eight seconds each.
fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(50)
        .nresamples(10_000)
}

fn throughput(criterion: &mut Criterion) {
    for size in SIZES {
        let stream = Stream::new(size);
        bench(criterion, "decode", size, &stream, decoders(&stream));
        bench(criterion, "encode", size, &stream, encoders(&stream));
    }
}

fn bench<const N: usize>(
    criterion: &mut Criterion,
    name: &str,
    size: usize,
    stream: &Stream,
    contestants: [Contestant<'_>; N],
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(stream.bytes.len() as u64));
    for (name, mut run) in contestants {
        group.bench_function(BenchmarkId::new(name, size), |bencher| {
            bencher.iter(&mut run);
        });
    }
    group.finish();
}

criterion_group! {
    name = all;
    config = short();
    targets = throughput
}
criterion_main!(all);
