//! What the framer of signed lengths allocates, counted.

use allocation_counter::measure;
use bytes::BytesMut;
use everysplit::check::{self, Allocated};
use everysplit::{Buffered, Split};
use everysplit_formats::len32;

/// Counts what a call allocates.
fn count(call: &mut dyn FnMut()) -> Allocated {
    let counted = measure(call);
    Allocated {
        most: counted.bytes_max,
        kept: counted.bytes_current,
    }
}

/// Every length up to 2 GiB is allowed here.
const WIDE: len32::Config = len32::Config {
    max_size: u32::MAX,
    ..len32::Config::DEFAULT
};

#[test]
fn a_length_that_claims_2_gib_holds_nothing() {
    let mut buffer = BytesMut::from(&i32::MAX.to_le_bytes()[..]);
    let measured = measure(|| {
        let decoded = len32::Decoder::new(WIDE).decode(&mut buffer);
        assert_eq!(decoded, Ok(None));
    });
    assert_eq!(measured.bytes_max, 0, "{measured:?}");
    assert!(buffer.capacity() < 64, "{}", buffer.capacity());
}

/// Empty bodies, a large one, a claim and a refusal.
#[test]
fn the_framer_of_signed_lengths_allocates_for_what_it_was_fed() {
    let mut large = BytesMut::new();
    WIDE.encode(&vec![7; 1 << 20], &mut large).unwrap();
    let claim = [&i32::MAX.to_le_bytes()[..], b"little"].concat();
    for stream in [vec![0; 400], large.to_vec(), claim, vec![0xff; 1000]] {
        let len = stream.len();
        let splits = [Split::whole(), Split::sample(len, &[], 1)];
        let bytes = (len < 2000).then(|| Split::bytes(len));
        let make = || Buffered::new(len32::Decoder::new(WIDE));
        for split in splits.into_iter().chain(bytes) {
            check::memory(make, &stream, &split, count).unwrap();
        }
    }
}
