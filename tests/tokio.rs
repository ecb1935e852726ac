//! tokio-util's own codecs under test: right framers, which no check accuses.
//! Each against an oracle that knows nothing of it.

use bytes::{Bytes, BytesMut};
use everysplit::check::{Deviation, Expected, Harness, Outcome, Tier};
use everysplit::{Buffered, Codec, Config, DecodeError, Split, Tokio, naive};
use tokio_util::codec::{AnyDelimiterCodec, LengthDelimitedCodec, LinesCodec};

/// Every stream of up to `len` letters.
fn streams(letters: &'static [u8], len: u32) -> impl Iterator<Item = Vec<u8>> {
    let count = letters.len();
    (0..=len).flat_map(move |len| {
        let letter = move |n: usize, place| letters[n / count.pow(place) % count];
        (0..count.pow(len)).map(move |n| (0..len).map(|place| letter(n, place)).collect())
    })
}

/// Frames that end with one of `delimiters`, and what the end leaves.
fn delimited<F>(
    stream: &[u8],
    delimiters: &[u8],
    frame: impl Fn(&[u8]) -> F,
) -> Expected<F, String> {
    let (mut frames, mut start) = (Vec::new(), 0);
    for (at, byte) in stream.iter().enumerate() {
        if delimiters.contains(byte) {
            frames.push((at + 1, frame(&stream[start..at])));
            start = at + 1;
        }
    }
    let rest = &stream[start..];
    Expected {
        frames,
        at_end: Vec::from_iter((!rest.is_empty()).then(|| frame(rest))),
        outcome: Outcome::Clean,
    }
}

#[track_caller]
fn proved(tier: &Tier) {
    assert!(matches!(tier, Tier::Proved { .. }), "{tier:?}");
}

#[test]
fn lines_codec_is_right() {
    let make = || Buffered::new(Tokio::new(LinesCodec::new(), |error| error.to_string()));
    let oracle = |stream: &[u8]| {
        let mut expected = delimited(stream, b"\n", |line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            String::from_utf8(line.to_vec()).unwrap()
        });
        // What the end leaves is a line unless it is nothing but a CR.
        expected.at_end.retain(|line| !line.is_empty());
        expected
    };
    let harness = Harness::new(make, oracle).declare([Deviation::DiscardsAtEnd]);
    for stream in streams(b"a\r\n", 7) {
        proved(&harness.prove(&stream).unwrap().tier);
        proved(&harness.prove_decoder(&stream).unwrap().tier);
    }
}

#[test]
fn any_delimiter_codec_is_right() {
    let codec = || AnyDelimiterCodec::new(b";,".to_vec(), b";".to_vec());
    let make = || Buffered::new(Tokio::new(codec(), |error| error.to_string()));
    let oracle = |stream: &[u8]| delimited(stream, b";,", Bytes::copy_from_slice);
    let harness = Harness::new(make, oracle);
    for stream in streams(b"a;,", 7) {
        proved(&harness.prove(&stream).unwrap().tier);
        proved(&harness.prove_decoder(&stream).unwrap().tier);
    }
}

/// It can be cloned and not compared: every split of short streams is tried.
#[test]
fn length_delimited_codec_is_right() {
    let codec = || {
        LengthDelimitedCodec::builder()
            .length_field_length(1)
            .num_skip(0)
            .length_adjustment(1)
            .max_frame_length(2)
            .new_codec()
    };
    let make = || Buffered::new(Tokio::new(codec(), |error: std::io::Error| error.kind()));
    let oracle = |stream: &[u8]| {
        let (mut frames, mut start) = (Vec::new(), 0);
        let outcome = loop {
            let Some((&length, rest)) = stream[start..].split_first() else {
                break Outcome::Clean;
            };
            if length > 2 {
                let (at, error) = (start + 1, std::io::ErrorKind::InvalidData);
                break Outcome::Rejected { at, error };
            }
            if rest.len() < length.into() {
                break Outcome::Truncated(std::io::ErrorKind::Other);
            }
            let end = start + 1 + usize::from(length);
            frames.push((end, BytesMut::from(&stream[start..end])));
            start = end;
        };
        Expected {
            frames,
            at_end: Vec::new(),
            outcome,
        }
    };
    let harness = Harness::new(make, oracle);
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
    let error = |error: std::io::Error| {
        *error
            .get_ref()
            .unwrap()
            .downcast_ref::<DecodeError>()
            .unwrap()
    };
    let make = || Buffered::new(Tokio::new(Codec::new(config), error));
    let harness = Harness::new(make, |stream| naive::parse(config, stream));
    let frame = b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok";
    for tail in [&b""[..], b"\x04\0\0", b"\x05\0\0\0more", &[0; 12]] {
        let stream = [&frame[..], tail].concat();
        proved(&harness.prove(&stream).unwrap().tier);
        proved(&harness.prove_decoder(&stream).unwrap().tier);
    }
}
