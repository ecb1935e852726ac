//! Criterion benches, for following one way in or out over time. How they
//! compare is for `compare` to say.

mod contestants;

use contestants::{Contestant, SIZES, Stream, decoders, encoders};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

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

criterion_group!(all, throughput);
criterion_main!(all);
