//! The allocations of the framer, counted: memory follows the bytes received, never the bytes that
//! a header claims.

use allocation_counter::measure;
use bytes::BytesMut;
use everysplit::reference::{Config, Decoder, Frame, FrameRef, Framer, Header, Walk, naive};
use everysplit::subject::{FeedFn, Frames, TokioDecoder};
use everysplit::{Allocated, FeedDoor, Harness, Property, Split, Tier, Violation};
use tokio_util::codec::LengthDelimitedCodec;

const MIB: u32 = 1024 * 1024;

fn header(body_size: u32) -> [u8; Header::LEN] {
    let (cmd, recv) = (1, 0);
    let header = Header {
        body_size,
        cmd,
        recv,
    };
    header.to_bytes(Config::default().byte_order)
}

#[test]
fn a_header_that_claims_8_mib_allocates_less_than_4_kib() {
    let header = header(8 * MIB);
    let measured = measure(|| {
        let (mut framer, mut frames) = (Framer::new(Config::default()), Vec::new());
        framer.feed(&header, &mut frames).unwrap();
        assert!(
            framer.buffered_bytes() < 4096,
            "{}",
            framer.buffered_bytes()
        );
    });
    assert!(measured.bytes_max < 4096, "{measured:?}");

    let mut buffer = BytesMut::from(&header[..]);
    let measured = measure(|| {
        let decoded = Decoder::new(Config::default()).decode(&mut buffer);
        assert_eq!(decoded, Ok(None));
    });
    assert_eq!(measured.bytes_max, 0, "{measured:?}");
}

/// An incomplete frame at the end of a large chunk does not keep the chunk in memory.
#[test]
fn a_leftover_byte_does_not_keep_its_chunk() {
    let frame = [&header(1000)[..], &[7; 1000]].concat();
    let stream = [&frame.repeat(1000)[..], b"\x05"].concat();
    let mut framer = Framer::new(Config::default());
    let measured = measure(|| {
        let mut frames = Vec::new();
        framer.feed(&stream, &mut frames).unwrap();
        assert_eq!(frames.len(), 1000);
    });
    assert_eq!(measured.bytes_current, 1, "{measured:?}");
    assert_eq!(framer.buffered_bytes(), 1);
}

/// An incomplete frame is copied to a buffer of its own only if more than eight times as many bytes
/// were consumed before it in the chunk.
#[test]
fn a_leftover_is_copied_only_out_of_a_much_larger_chunk() {
    let kept = |taken: usize| {
        let (mut framer, mut frames) = (Framer::new(Config::default()), Vec::with_capacity(100));
        // Bytes of earlier chunks do not count.
        framer.feed(&header(0).repeat(90), &mut frames).unwrap();
        let chunk = [header(0).repeat(taken), header(1).to_vec()].concat();
        let measured = measure(|| framer.feed(&chunk, &mut frames).unwrap());
        assert_eq!(frames.len(), 90 + taken);
        usize::try_from(measured.bytes_current).unwrap()
    };
    assert_eq!(kept(8), 9 * Header::LEN);
    assert_eq!(kept(9), Header::LEN);
}

#[test]
fn a_rejected_size_holds_nothing() {
    let mut framer = Framer::new(Config::default());
    framer
        .feed(&header(8 * MIB + 1), &mut Vec::new())
        .unwrap_err();
    assert_eq!(framer.buffered_bytes(), 0);
    let measured = measure(|| {
        for _ in 0..1000 {
            framer.feed(&[0; 1024], &mut Vec::new()).unwrap_err();
        }
    });
    assert_eq!(measured.bytes_max, 0, "{measured:?}");
}

#[test]
fn an_incomplete_body_allocates_in_proportion_to_the_bytes_received() {
    let chunk = [0; 1000];
    let measured = measure(|| {
        let (mut framer, mut frames) = (Framer::new(Config::default()), Vec::new());
        framer.feed(&header(8 * MIB), &mut frames).unwrap();
        for _ in 0..1000 {
            framer.feed(&chunk, &mut frames).unwrap();
        }
    });
    // While a buffer grows, the old one is held beside the new one.
    assert!(measured.bytes_max < 3 * 1_000_012, "{measured:?}");
}

#[test]
fn an_empty_body_does_not_keep_the_buffer() {
    let (mut framer, mut frames) = (Framer::new(Config::default()), Vec::new());
    let measured = measure(|| {
        framer.feed(&header(0).repeat(1000), &mut frames).unwrap();
        framer = Framer::new(Config::default());
    });
    assert_eq!(frames.len(), 1000);
    let kept = usize::try_from(measured.bytes_current).unwrap();
    assert_eq!(kept, frames.capacity() * size_of::<Frame>());
}

#[test]
fn a_walk_and_a_header_allocate_nothing() {
    let stream = [&header(5)[..], b"hello", &header(0)].concat();
    let measured = measure(|| {
        let mut walk = Walk::new(Config::default(), &stream);
        while let Some(FrameRef { body, .. }) = walk.next_frame().unwrap() {
            assert!(body == b"hello" || body.is_empty());
        }
        walk.finish().unwrap();
        Config::default().encode_header(1, 0, 5).unwrap();
    });
    assert_eq!(measured.count_total, 0, "{measured:?}");
}

/// A body that lies in the buffer in one piece becomes the frame's body without a copy.
#[test]
fn a_body_is_not_copied_out_of_the_buffer() {
    let mut buffer = BytesMut::from(&[&header(MIB)[..], &vec![7; MIB as usize]].concat()[..]);
    let measured = measure(|| {
        let frame = Decoder::new(Config::default()).decode(&mut buffer);
        assert_eq!(frame.unwrap().unwrap().body.len(), MIB as usize);
    });
    assert!(measured.bytes_total < 128, "{measured:?}");
}

fn count(call: &mut dyn FnMut()) -> Allocated {
    let measured = measure(call);
    Allocated {
        peak: measured.bytes_max,
        kept: measured.bytes_current,
    }
}

/// Checks the allocations for small frames, a large frame, a header that claims 8 MiB and one over
/// the limit, under several splits.
fn check_memory<T: FeedDoor>(harness: &Harness<T>) -> Result<(), Violation> {
    let small: Vec<u8> = (0..100).flat_map(|_| header(0)).collect();
    let body = [&header(MIB)[..], &vec![7; MIB as usize]].concat();
    let claim = [&header(8 * MIB)[..], b"little"].concat();
    for stream in [small, body, claim, vec![0xff; 1000]] {
        let len = stream.len();
        let splits = [Split::whole(), Split::sample(len, &[], 1)];
        let bytes = (len < 2000).then(|| Split::bytes(len));
        for split in splits.into_iter().chain(bytes) {
            harness.allocations(&stream, &split, count)?;
        }
    }
    Ok(())
}

#[test]
fn the_framer_allocates_in_proportion_to_its_input() {
    check_memory(&Harness::framer(|| Framer::new(Config::default()))).unwrap();
    check_memory(&Harness::decoder(|| Decoder::new(Config::default()))).unwrap();
}

/// A codec with correct frames that reserves what a header claims, up to its limit, is found.
#[test]
fn memory_reserved_for_a_claimed_size_is_found() {
    let make = || {
        let codec = LengthDelimitedCodec::builder()
            .length_adjustment(8)
            .little_endian()
            .new_codec();
        TokioDecoder::new(codec)
    };
    let violation = check_memory(&Harness::decoder(make)).unwrap_err();
    assert_eq!(violation.property, Property::Memory, "{violation}");
    assert!(violation.offset < 20, "{violation}");
    assert!(
        violation.expected.contains("bytes allocated"),
        "{violation}"
    );
}

/// Bytes kept from one call count in the next.
#[test]
fn a_buffer_that_is_never_emptied_is_found() {
    let feed = |kept: &mut Vec<Vec<u8>>, chunk: &[u8], _: &mut Frames<()>| {
        kept.extend(chunk.iter().map(|&byte| vec![byte; 1000]));
        Ok::<(), ()>(())
    };
    let make = move || FeedFn::new(Vec::new(), feed, |_, _| Ok(()));
    let split = Split::bytes(100);
    let violation = Harness::framer(make)
        .allocations(&[0; 100], &split, count)
        .unwrap_err();
    assert_eq!(violation.property, Property::Memory, "{violation}");
    // No call allocates much by itself.
    assert!(violation.offset > 10, "{violation}");

    let panics = |(): &mut (), _: &[u8], _: &mut Frames<()>| -> Result<(), ()> { panic!("a bug") };
    let make = move || FeedFn::new((), panics, |(), _| Ok(()));
    let violation = Harness::framer(make)
        .allocations(&[0; 100], &split, count)
        .unwrap_err();
    assert_eq!(violation.property, Property::Progress, "{violation}");
}

/// The calls that wait for one body continue one buffer. A new one for each would copy 2 GiB.
#[test]
fn a_proof_of_one_long_body_allocates_in_proportion_to_it() {
    let body = vec![7; 64 * 1024];
    let stream = [&header(64 * 1024)[..], &body].concat();
    let config = Config::default();
    let harness = Harness::decoder(move || Decoder::new(config))
        .oracle(move |stream| naive::parse(config, stream))
        .max_work(1 << 40);
    let mut calls = 0;
    let measured = measure(|| calls = harness.check(&stream).unwrap().calls);
    // One for each offset, and one with no bytes more than before for each state at the end.
    assert_eq!(calls, stream.len() as u64 + 2);
    let most = 256 * stream.len() as u64;
    assert!(measured.bytes_total < most, "{measured:?}");
}

/// To move bytes to the front of the caller's buffer is no allocation, whatever the buffer's size.
#[test]
fn a_large_buffer_of_the_caller_is_no_memory_of_the_decoder() {
    let frames = header(0).repeat(25);
    let stream = [&frames[..], &header(200), &[7; 100]].concat();
    let harness = Harness::decoder(|| Decoder::new(Config::default()))
        .oracle(|stream| naive::parse(Config::default(), stream));
    let certificate = harness.check(&stream).unwrap();
    assert!(
        matches!(certificate.tier, Tier::Proved { .. }),
        "{certificate}"
    );
}
