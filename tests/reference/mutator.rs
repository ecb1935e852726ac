//! The mutator and the crossover: they write no more than `max_size` bytes, keep most lengths
//! consistent with their bodies, and break some on purpose.

use everysplit::Outcome;
use everysplit::reference::{ByteOrder, Config, mutator, naive};

const LIMIT: u32 = 64;

const LITTLE: Config = Config {
    byte_order: ByteOrder::Little,
    max_body_size: LIMIT,
};

const BIG: Config = Config {
    byte_order: ByteOrder::Big,
    max_body_size: LIMIT,
};

/// Stands for the fuzzer's own mutator: changes the bytes and the size as far as its contract
/// allows.
fn base(data: &mut [u8], size: usize, max_size: usize) -> usize {
    for byte in &mut data[..size] {
        *byte = !*byte;
    }
    (size / 2 + 3).min(max_size).min(data.len())
}

fn mutate(input: &[u8], max_size: usize, seed: u32) -> Vec<u8> {
    let mut data = input.to_vec();
    data.resize(max_size.max(input.len()), 0xaa);
    let size = mutator::mutate(&mut data, input.len(), max_size, LIMIT, seed, base);
    assert!(size <= max_size, "{size} of {max_size}");
    data.truncate(size);
    data
}

#[test]
fn every_input_size_and_maximum_size_is_accepted() {
    let inputs: [&[u8]; 4] = [b"", b"\x02", &[0xff; 300], &[0; 40]];
    for seed in 0..2000 {
        for input in inputs {
            for max_size in [1, 7, 12, 100, 4096] {
                mutate(input, max_size, seed);
            }
        }
    }
}

/// A campaign without feedback: each output that has a complete frame becomes the next input.
#[test]
fn mutations_of_an_empty_input_reach_frames_limits_and_errors() {
    let (mut input, mut most, mut at_limit) = (Vec::new(), 0, 0);
    let (mut rejected, mut truncated) = (0, 0);
    for seed in 0..2000 {
        let mutated = mutate(&input, 4096, seed);
        let readings = [LITTLE, BIG].map(|config| naive::parse(config, &mutated));
        let parsed = readings
            .iter()
            .max_by_key(|parsed| parsed.frames.len())
            .unwrap();
        most = most.max(parsed.frames.len());
        match parsed.outcome {
            Outcome::Rejected { .. } => rejected += 1,
            Outcome::Truncated(_) => truncated += 1,
            Outcome::Clean => {}
        }
        let mut sizes = parsed.frames.iter().map(|(_, frame)| frame.body.len());
        at_limit += usize::from(sizes.any(|size| size == 64));
        if !parsed.frames.is_empty() {
            input = mutated;
        }
    }
    assert!(most >= 6, "{most} frames");
    for count in [at_limit, rejected, truncated] {
        assert!(
            count > 100,
            "{at_limit} at the limit, {rejected} rejected, {truncated} truncated"
        );
    }
}

#[test]
fn a_crossover_joins_complete_frames() {
    let stream = |cmds: &[u32]| {
        let frame = |&cmd| everysplit::reference::Frame {
            cmd,
            recv: 0,
            body: vec![b'x'; cmd as usize].into(),
        };
        let frames = cmds
            .iter()
            .map(|cmd| naive::encode(LITTLE, &frame(cmd)).unwrap());
        frames.collect::<Vec<_>>().concat()
    };
    let (first, second) = (stream(&[1, 2, 3]), stream(&[4, 5, 6]));
    let mut joined = false;
    for seed in 0..100 {
        let mut out = [0; 4096];
        let size = mutator::crossover(&first, &second, &mut out, LIMIT, seed);
        let parsed = naive::parse(LITTLE, &out[..size]);
        assert_eq!(parsed.outcome, Outcome::Clean);
        let cmds: Vec<u32> = parsed.frames.iter().map(|(_, frame)| frame.cmd).collect();
        joined |= cmds == [1, 2, 6];
        let mut short = [0; 20];
        assert!(mutator::crossover(&first, &second, &mut short, LIMIT, seed) <= 20);
    }
    assert!(joined);
}

/// An input over the maximum size, such as a recorded stream, keeps complete frames.
#[test]
fn a_long_input_is_cut_to_some_of_its_frames() {
    let frame = everysplit::reference::Frame {
        cmd: 1,
        recv: 0,
        body: vec![b'x'; 50].into(),
    };
    let input = naive::encode(LITTLE, &frame).unwrap().repeat(40);
    for seed in 0..200 {
        let mutated = mutate(&input, 4096, seed);
        let parsed = naive::parse(LITTLE, &mutated);
        assert!(
            !parsed.frames.is_empty() || mutated.is_empty(),
            "{mutated:?}"
        );
        assert!(mutated.len() <= 256);
    }
}

#[test]
fn generated_bodies_are_small_even_with_a_high_limit() {
    let measured = allocation_counter::measure(|| {
        for seed in 0..1000 {
            let mut data = [0; 4096];
            mutator::mutate(&mut data, 12, 4096, u32::MAX, seed, base);
        }
    });
    assert!(measured.bytes_max < 8192, "{measured:?}");
}

/// Without room for a byte, the fuzzer's own mutator is not called.
#[test]
fn without_room_nothing_is_written() {
    for seed in 0..100 {
        let base = |_: &mut [u8], _, _| panic!("there is no room");
        assert_eq!(mutator::mutate(&mut [], 0, 0, LIMIT, seed, base), 0);
    }
}

#[test]
fn a_limit_of_0_leaves_no_room_in_bodies() {
    let frames = [0; 36];
    for seed in 0..1000 {
        let mut data = [0; 256];
        data[..36].copy_from_slice(&frames);
        let base = |data: &mut [u8], size, max_size| {
            assert!(max_size > 0, "an empty body has no room");
            base(data, size, max_size)
        };
        let size = mutator::mutate(&mut data, 36, 256, 0, seed, base);
        // At most one frame was added, removed or changed, or all bytes were.
        assert!(size <= 48, "{size}");
    }
}

/// Two frames of `LITTLE`, with bodies of one byte and of two.
fn two_frames() -> [Vec<u8>; 2] {
    [(1, &b"a"[..]), (2, b"bb")].map(|(cmd, body)| {
        let body = body.into();
        let frame = everysplit::reference::Frame { cmd, recv: 0, body };
        naive::encode(LITTLE, &frame).unwrap()
    })
}

/// Frames are removed, doubled, or get another body. The fuzzer's own mutator gets one of their bodies,
/// and every fourth input as a whole.
#[test]
fn whole_frames_are_changed() {
    let [first, second] = two_frames();
    let input = [&first[..], &second].concat();
    let max_size = 200;
    let (mut results, mut calls) = (Vec::new(), Vec::new());
    for seed in 0..4000 {
        let mut data = input.clone();
        data.resize(max_size, 0);
        let base = |_: &mut [u8], size, most| {
            calls.push((size, most));
            size
        };
        let size = mutator::mutate(&mut data, input.len(), max_size, LIMIT, seed, base);
        results.push(data[..size].to_vec());
    }
    for expected in [
        [&first[..], &first, &second].concat(),
        [&first[..], &second, &second].concat(),
        first.clone(),
        second.clone(),
    ] {
        let count = results.iter().filter(|it| **it == expected).count();
        assert!(count > 50, "{expected:?}: {count}");
    }
    let whole = calls.iter().filter(|call| **call == (27, 200)).count();
    assert!((800..1200).contains(&whole), "{whole}");
    calls.retain(|call| *call != (27, 200));
    calls.sort_unstable();
    calls.dedup();
    // A body may become twice as long and four bytes longer.
    assert_eq!(calls, [(1, 6), (2, 8)]);
    // A frame with the same numbers, and a body as long as the limit allows.
    let resized = results.iter().filter(|result| {
        let frames = naive::parse(LITTLE, result).frames;
        let is_resized = |(at, cmd): (usize, u32)| {
            let frame = frames.get(at).map(|(_, frame)| frame);
            frame.is_some_and(|it| it.cmd == cmd && it.recv == 0 && it.body.len() == 64)
        };
        frames.len() == 2 && [(0, 1), (1, 2)].into_iter().any(is_resized)
    });
    assert!(resized.count() > 50);
}

/// An input of exactly the maximum size is changed like any other.
#[test]
fn an_input_without_room_for_more_is_changed() {
    let input = two_frames().concat();
    let changed = (0..200).map(|seed| mutate(&input, input.len(), seed));
    // Without its last frame.
    assert!(changed.filter(|it| *it == two_frames()[0]).count() > 5);
    // A frame that fits exactly is inserted.
    let mut inserted = (0..500).map(|seed| mutate(b"", 14, seed));
    assert!(inserted.any(|it| it.len() == 14));
}

/// A long input loses what stands before one of its frames.
#[test]
fn a_long_input_keeps_its_end() {
    let frames = (0..20).map(|cmd| {
        let body = b"x".as_slice().into();
        naive::encode(LITTLE, &everysplit::reference::Frame { cmd, recv: 0, body }).unwrap()
    });
    let frames: Vec<u8> = frames.flatten().collect();
    for seed in 0..100 {
        let mutated = mutate(&frames, 100, seed);
        let from = (0..frames.len()).find(|&from| frames[from..].starts_with(&mutated));
        assert!(from.is_some(), "{mutated:?}");
        let rest = frames.len() - from.unwrap();
        assert!(mutated.len() == 100 || mutated.len() == rest || mutated.is_empty());
    }
}

/// An empty input becomes a header with a size over the limit, or a frame. Their numbers are of all
/// magnitudes.
#[test]
fn what_is_generated_is_of_all_magnitudes() {
    let (mut sizes, mut bodies, mut small, mut large) = (vec![], vec![], 0, 0);
    for seed in 0..8000 {
        let mut data = [0; 256];
        let unchanged = |_: &mut [u8], size, _| size;
        let size = mutator::mutate(&mut data, 0, 256, LIMIT, seed, unchanged);
        let Some(header) = data[..size].first_chunk::<12>() else {
            continue;
        };
        let number = |at: usize| u32::from_le_bytes(*header[at..].first_chunk().unwrap());
        let body_size = number(0);
        match size - 12 {
            0 if body_size > LIMIT => sizes.push(body_size),
            len if len == body_size as usize => bodies.push(body_size),
            _ => continue,
        }
        if !(1..=LIMIT).contains(&body_size) {
            // It may be big-endian.
            continue;
        }
        small += usize::from(number(4) < 1 << 8);
        large += usize::from(number(4) >= 1 << 24);
    }
    for size in [LIMIT + 1, i32::MAX as u32, 1 << 31, u32::MAX] {
        let count = sizes.iter().filter(|it| **it == size).count();
        assert!(count > 20, "{size}: {count}");
    }
    // A quarter of the bodies is as long as the limit allows. Half of all are big-endian.
    let longest = bodies.iter().filter(|it| **it == LIMIT).count();
    assert!((500..900).contains(&longest), "{longest}");
    assert!(bodies.contains(&20) && bodies.contains(&(LIMIT - 1)));
    assert!(small > 200 && large > 200, "{small} small, {large} large");
}
