//! tokio-util's own codecs under test: right framers, which no check accuses.
//! Each against an oracle that knows nothing of it.

use std::io::Error;

use crate::common::oracles::{self, Lengths, Refusal};
use bytes::Bytes;
use everysplit::check::{Deviation, Harness, Tier};
use everysplit::reference::{ByteOrder, Codec, Config, naive};
use everysplit::{Buffered, Split, Tokio};
use tokio_util::codec::{AnyDelimiterCodec, LinesCodec};

/// Every stream of up to `len` letters.
fn streams(letters: &'static [u8], len: u32) -> impl Iterator<Item = Vec<u8>> {
    let count = letters.len();
    (0..=len).flat_map(move |len| {
        let letter = move |n: usize, place| letters[n / count.pow(place) % count];
        (0..count.pow(len)).map(move |n| (0..len).map(|place| letter(n, place)).collect())
    })
}

#[track_caller]
fn proved(tier: &Tier) {
    assert!(matches!(tier, Tier::Proved { .. }), "{tier:?}");
}

#[test]
fn lines_codec_is_right() {
    let make = || Buffered::new(Tokio::new(LinesCodec::new(), Refusal::from));
    let oracle = |stream: &[u8]| oracles::lines(stream, usize::MAX);
    let harness = Harness::new(make, oracle).declare([Deviation::DiscardsAtEnd]);
    for stream in streams(b"a\r\n", 7) {
        proved(&harness.prove(&stream).unwrap().tier);
        proved(&harness.prove_decoder(&stream).unwrap().tier);
    }
}

#[test]
fn any_delimiter_codec_is_right() {
    let codec = || AnyDelimiterCodec::new(b";,".to_vec(), b";".to_vec());
    let make = || Buffered::new(Tokio::new(codec(), Refusal::from));
    let frame = |bytes: &[u8]| Ok(Bytes::copy_from_slice(bytes));
    let oracle = |stream: &[u8]| oracles::delimited(stream, b";,", usize::MAX, frame);
    let harness = Harness::new(make, oracle);
    for stream in streams(b"a;,", 7) {
        proved(&harness.prove(&stream).unwrap().tier);
        proved(&harness.prove_decoder(&stream).unwrap().tier);
    }
}

/// It can be cloned and not compared: every split of short streams is tried.
#[test]
fn length_delimited_codec_is_right() {
    let lengths = Lengths {
        byte_order: ByteOrder::Big,
        offset: 0,
        field: 1,
        adjustment: 1,
        skip: 0,
        max: 2,
    };
    let make = || Buffered::new(Tokio::new(lengths.codec(), |error: Error| error.kind()));
    let harness = Harness::new(make, |stream| lengths.parse(stream));
    for stream in streams(&[0, 1, 2, 3], 6) {
        let all = harness.bounded(&stream, stream.len()).unwrap();
        let count = Split::all(stream.len()).count() as u64;
        assert!(
            matches!(all.tier, Tier::Bounded { splits, .. } if splits == count + 1),
            "{all}"
        );
    }
}

#[test]
fn our_codec_is_right() {
    let config = Config {
        max_body_size: 4,
        ..Config::default()
    };
    let error = |error: Error| oracles::decode_error(&error);
    let make = || Buffered::new(Tokio::new(Codec::new(config), error));
    let harness = Harness::new(make, |stream| naive::parse(config, stream));
    let frame = b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok";
    for tail in [&b""[..], b"\x04\0\0", b"\x05\0\0\0more", &[0; 12]] {
        let stream = [&frame[..], tail].concat();
        proved(&harness.prove(&stream).unwrap().tier);
        proved(&harness.prove_decoder(&stream).unwrap().tier);
    }
}
