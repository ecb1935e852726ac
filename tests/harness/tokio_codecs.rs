//! tokio-util's own codecs. They are correct, and no check may find a violation. Each is compared
//! with an oracle that shares no code with it.

use std::io::Error;

use crate::common::oracles::{self, Lengths, Refusal};
use bytes::Bytes;
use everysplit::reference::{ByteOrder, Codec, Config, naive};
use everysplit::subject::{Buffered, TokioDecoder};
use everysplit::{Deviation, Harness, Split, Tier};
use tokio_util::codec::{AnyDelimiterCodec, LinesCodec};

/// Returns every stream of up to `len` of the given bytes.
fn streams(letters: &'static [u8], len: u32) -> impl Iterator<Item = Vec<u8>> {
    let count = letters.len();
    (0..=len).flat_map(move |len| {
        let letter = move |n: usize, place| letters[n / count.pow(place) % count];
        (0..count.pow(len)).map(move |n| (0..len).map(|place| letter(n, place)).collect())
    })
}

#[track_caller]
fn assert_proved(tier: &Tier) {
    assert!(matches!(tier, Tier::Proved { .. }), "{tier:?}");
}

#[test]
fn lines_codec_is_proved() {
    let make = || TokioDecoder::new(LinesCodec::new()).with_errors(Refusal::from);
    let oracle = |stream: &[u8]| oracles::lines(stream, usize::MAX);
    let fed = Harness::framer(move || Buffered::new(make())).oracle(oracle);
    let fed = fed.declare([Deviation::DiscardsAtEnd]);
    let caller_buffered = Harness::decoder(make).oracle(oracle);
    let caller_buffered = caller_buffered.declare([Deviation::DiscardsAtEnd]);
    for stream in streams(b"a\r\n", 7) {
        assert_proved(&fed.check(&stream).unwrap().tier);
        assert_proved(&caller_buffered.check(&stream).unwrap().tier);
    }
}

#[test]
fn any_delimiter_codec_is_proved() {
    let codec = || AnyDelimiterCodec::new(b";,".to_vec(), b";".to_vec());
    let make = move || TokioDecoder::new(codec()).with_errors(Refusal::from);
    let oracle = |stream: &[u8]| {
        oracles::delimited(stream, b";,", usize::MAX, |frame| {
            Ok(Bytes::copy_from_slice(frame))
        })
    };
    let fed = Harness::framer(move || Buffered::new(make())).oracle(oracle);
    let caller_buffered = Harness::decoder(make).oracle(oracle);
    for stream in streams(b"a;,", 7) {
        assert_proved(&fed.check(&stream).unwrap().tier);
        assert_proved(&caller_buffered.check(&stream).unwrap().tier);
    }
}

/// It is not `Eq`, so every split of short streams is tried instead.
#[test]
fn length_delimited_codec_passes_every_split() {
    let lengths = Lengths {
        byte_order: ByteOrder::Big,
        offset: 0,
        field: 1,
        adjustment: 1,
        skip: 0,
        max: 2,
    };
    let make = move || TokioDecoder::new(lengths.codec()).with_errors(|error: Error| error.kind());
    let harness = Harness::decoder(make).oracle(|stream: &[u8]| lengths.parse(stream));
    for stream in streams(&[0, 1, 2, 3], 6) {
        let all = harness.bounded(&stream, stream.len()).unwrap();
        let count = Split::all(stream.len()).count() as u64;
        assert!(
            matches!(all.tier, Tier::Bounded { splits, .. } if splits == count),
            "{all}"
        );
    }
}

#[test]
fn the_reference_codec_is_proved() {
    let config = Config {
        max_body_size: 4,
        ..Config::default()
    };
    let error = |error: Error| oracles::decode_error(&error);
    let make = move || TokioDecoder::new(Codec::new(config)).with_errors(error);
    let oracle = |stream: &[u8]| naive::parse(config, stream);
    let fed = Harness::framer(move || Buffered::new(make())).oracle(oracle);
    let caller_buffered = Harness::decoder(make).oracle(oracle);
    let frame = b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok";
    for tail in [&b""[..], b"\x04\0\0", b"\x05\0\0\0more", &[0; 12]] {
        let stream = [&frame[..], tail].concat();
        assert_proved(&fed.check(&stream).unwrap().tier);
        assert_proved(&caller_buffered.check(&stream).unwrap().tier);
    }
}
