//! Prints the speed of the JSON header decoder for a body of 1 GiB, compared with `memcpy` of
//! the same reads, interleaved in one run, and the memory allocated beyond the read buffer.

use std::hint::black_box;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use bytes::BytesMut;
use everysplit_formats::json_header::{Config, Decoder, Md5, Part};
use serde_json::{Value, json};

/// Number of runs of each contestant, interleaved with the others.
const ROUNDS: usize = 11;

/// Bytes in one read.
const READ: usize = 64 << 10;

/// Bytes in the body: one GiB.
const BODY: usize = 1 << 30;

fn main() {
    let read = vec![b'x'; READ];
    let mut copy = vec![0; READ];
    let mut buffer = BytesMut::with_capacity(READ);
    let mut times = [const { Vec::new() }; 3];
    let mut allocated = [0; 2];
    for _ in 0..ROUNDS {
        times[0].push(time(|| memcpy(&read, &mut copy)));
        for (index, md5) in [Md5::Ignore, Md5::Check].into_iter().enumerate() {
            let config = Config {
                md5,
                ..Config::DEFAULT
            };
            let run = || times[1 + index].push(time(|| decode(config, &read, &mut buffer)));
            allocated[index] = measure(run).bytes_max.max(allocated[index]);
        }
    }
    let [memcpy, decode, checked] = times.map(median);
    println!("| | GiB a second | to memcpy | bytes allocated at most |");
    println!("|---|---:|---:|---:|");
    println!("| memcpy | {:.2} | | |", 1.0 / memcpy);
    for (name, time, allocated) in [
        ("`decode`", decode, allocated[0]),
        ("`decode`, md5 checked", checked, allocated[1]),
    ] {
        let ratio = memcpy / time;
        println!("| {name} | {:.2} | {ratio:.2} | {allocated} |", 1.0 / time);
        assert!(allocated < READ as u64);
    }
}

/// Copies each read: the minimum work of a reader.
fn memcpy(read: &[u8], copy: &mut [u8]) {
    for _ in 0..BODY / READ {
        black_box(&mut *copy).copy_from_slice(black_box(read));
    }
}

/// Reads into the buffer and takes the pieces of the body from it. The header carries an MD5
/// that does not match, which costs the same as one that does.
fn decode(config: Config, read: &[u8], buffer: &mut BytesMut) {
    let fields = json!({"total_size": BODY, "md5": "0".repeat(32)});
    let Value::Object(fields) = fields else {
        unreachable!("`fields` is an object")
    };
    let mut decoder = Decoder::new(config);
    config.encode_header(&fields, buffer).unwrap();
    let (mut bytes, mut ended) = (0, false);
    let mut take = |buffer: &mut BytesMut| {
        loop {
            match decoder.decode(buffer) {
                Ok(Some(Part::Body(piece))) => bytes += black_box(piece).len(),
                Ok(Some(Part::End)) | Err(_) => return ended = true,
                Ok(Some(Part::Header(_))) => {}
                Ok(None) => return,
            }
        }
    };
    take(buffer);
    for _ in 0..BODY / READ {
        buffer.extend_from_slice(black_box(read));
        take(buffer);
    }
    assert!(ended);
    assert_eq!(bytes, BODY);
}

fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// Returns the median, in seconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[ROUNDS / 2].as_secs_f64()
}
