//! The test modules that `framer_tests!` makes, one for each kind of framer, and the verdicts that
//! they print.

use std::io::{self, Read};

use everysplit::reference::{Codec, Config, DecodeError, Decoder, Frame, Framer, naive};
use everysplit::subject::{AnyError, ChunkReader};
use everysplit::{Harness, Property, Tier, Verdicts};

use crate::assert_not_comparable;

const CONFIG: Config = Config {
    max_body_size: 8,
    ..Config::DEFAULT
};

/// Returns streams of one frame, and of one followed by an incomplete frame, by a header over the
/// limit, and by another frame.
fn streams() -> Vec<Vec<u8>> {
    let frame = b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok";
    let tails = [&b""[..], b"\x08\0\0\0", b"\x09\0\0\0\xff", frame];
    tails.map(|tail| [&frame[..], tail].concat()).to_vec()
}

everysplit::framer_tests!(
    framer,
    Harness::framer(|| Framer::new(CONFIG))
        .oracle(|stream| naive::parse(CONFIG, stream))
        .limit_errors(over_limit)
        .streams(streams())
);

everysplit::framer_tests!(
    decoder,
    Harness::decoder(|| Decoder::new(CONFIG))
        .oracle(|stream| naive::parse(CONFIG, stream))
        .limit_errors(over_limit)
        .streams(streams())
);

everysplit::framer_tests!(
    codec,
    Harness::codec(|| Codec::new(CONFIG))
        .errors(|error| decode_error(&error))
        .oracle(|stream| naive::parse(CONFIG, stream))
        .limit_errors(over_limit)
        .streams(streams())
);

fn over_limit(error: &DecodeError) -> bool {
    matches!(error, DecodeError::BodyTooLarge { .. })
}

fn decode_error(error: &io::Error) -> DecodeError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    *inner.expect("an error of the decoder")
}

fn frame(body: &str) -> Frame {
    Frame {
        cmd: 7,
        recv: 0,
        body: body.to_owned().into(),
    }
}

everysplit::framer_tests!(
    messages,
    Harness::codec(|| Codec::new(CONFIG))
        .messages(["ok", ""].map(frame))
        .at_limit(frame("atlimit!"))
        .over_limit(b"\x09\0\0\0", 4, AnyError::ANY),
    [
        round_trip,
        every_split,
        prompt,
        limit,
        truncation,
        poisoned,
        empty_chunk,
        progress
    ]
);

everysplit::framer_tests!(
    long_message,
    Harness::codec(|| Codec::new(Config::DEFAULT))
        .messages([frame(&"x".repeat(300))])
        .unlimited(),
    [memory]
);

everysplit::framer_tests!(
    reader,
    Harness::reader(|| {
        |reader: &mut ChunkReader<'_>| {
            let mut byte = [0];
            match reader.read(&mut byte) {
                Ok(0) => Ok(None),
                Ok(_) => Ok(Some(byte)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => reader
                    .read(&mut byte)
                    .map(|read| (read > 0).then_some(byte)),
                Err(error) => Err(error),
            }
            .map_err(|error| error.kind())
        }
    })
    .streams(["", "abc"]),
    [every_split, interrupted, progress],
);

#[test]
fn a_test_module_uses_the_strongest_check() {
    for verdicts in [
        framer::verdicts(),
        decoder::verdicts(),
        codec::verdicts(),
        messages::verdicts(),
    ] {
        for certificate in verdicts.certificates() {
            assert!(
                matches!(certificate.tier, Tier::Proved { .. }),
                "{certificate}"
            );
        }
    }
    for verdicts in [framer::verdicts(), decoder::verdicts(), codec::verdicts()] {
        assert_eq!(verdicts.certificates().len(), 4);
    }
    assert_eq!(reader::verdicts().certificates().len(), 2);
    for certificate in reader::verdicts().certificates() {
        assert_not_comparable(certificate);
    }
}

/// Returns the verdicts of a framer whose size limit is too small by one.
fn verdicts(streams: Vec<Vec<u8>>) -> Verdicts {
    Verdicts::collect("too_small", move |verdicts| {
        let limit = Config {
            max_body_size: CONFIG.max_body_size - 1,
            ..CONFIG
        };
        let harness = Harness::framer(move || Framer::new(limit))
            .oracle(|stream| naive::parse(CONFIG, stream))
            .limit_errors(over_limit)
            .streams(streams.clone());
        for stream in verdicts.streams(&harness) {
            verdicts.add(harness.check(&stream))?;
        }
        Ok(())
    })
}

#[test]
#[should_panic(expected = "on 2 of 4 streams, the smallest:\nlimit: ")]
fn a_violated_property_panics_with_its_smallest_violation() {
    let verdicts = verdicts(streams());
    assert_eq!(verdicts.certificates().len(), 2);
    verdicts.assert(Property::RoundTrip);
    verdicts.assert(Property::Limit);
}

#[test]
#[should_panic(
    expected = "there are no streams: give the harness messages, or streams of its format"
)]
fn verdicts_of_no_streams_panic() {
    verdicts(Vec::new()).assert(Property::Limit);
}
