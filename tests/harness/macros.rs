//! The tests that one line makes.

use everysplit::check::{Harness, Property, Verdicts};
use everysplit::reference::{Codec, Config, DecodeError, Decoder, Framer, naive};
use everysplit::{Buffered, Tokio};

const CONFIG: Config = Config {
    max_body_size: 8,
    ..Config::DEFAULT
};

/// A frame, then nothing, less than a frame, more than the limit, and a frame.
fn streams() -> Vec<Vec<u8>> {
    let frame = b"\x02\0\0\0\x07\0\0\0\0\0\0\0ok";
    let tails = [&b""[..], b"\x08\0\0\0", b"\x09\0\0\0\xff", frame];
    tails.map(|tail| [&frame[..], tail].concat()).to_vec()
}

everysplit::framer_tests!(
    framer,
    Harness::new(
        || Framer::new(CONFIG),
        |stream| naive::parse(CONFIG, stream)
    ),
    prove,
    streams()
);

everysplit::framer_tests!(
    decoder,
    Harness::new(
        || Buffered::new(Decoder::new(CONFIG)),
        |stream| naive::parse(CONFIG, stream)
    ),
    prove_decoder,
    streams()
);

everysplit::framer_tests!(
    codec,
    Harness::new(
        || Buffered::new(Tokio::new(Codec::new(CONFIG), |error| {
            *error
                .get_ref()
                .unwrap()
                .downcast_ref::<DecodeError>()
                .unwrap()
        })),
        |stream| naive::parse(CONFIG, stream)
    ),
    |harness, stream| harness.bounded(stream, 1),
    streams()
);

/// What came of the streams for a framer with a limit that is one less.
fn verdicts(streams: Vec<Vec<u8>>) -> Verdicts {
    Verdicts::of(move |verdicts| {
        let limit = Config {
            max_body_size: CONFIG.max_body_size - 1,
            ..CONFIG
        };
        let oracle = |stream: &[u8]| naive::parse(CONFIG, stream);
        let harness = Harness::new(|| Framer::new(limit), oracle);
        for stream in &streams {
            verdicts.add(harness.prove(stream))?;
        }
        Ok(())
    })
}

#[test]
#[should_panic(expected = "on 1 of 4 streams, the smallest:\nlimit: ")]
fn a_property_that_does_not_hold_is_told_with_the_smallest_violation() {
    let verdicts = verdicts(streams());
    assert_eq!(verdicts.certificates().len(), 2);
    verdicts.assert(Property::Truncation);
    verdicts.assert(Property::Limit);
}

#[test]
#[should_panic(expected = "there are no streams to ask of")]
fn no_streams_are_no_verdict() {
    verdicts(Vec::new()).assert(Property::Limit);
}
