//! The tests that one line makes.

use everysplit::check::Harness;
use everysplit::{Buffered, Codec, Config, DecodeError, Decoder, Framer, Tokio, naive};

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
