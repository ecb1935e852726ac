//! Helpers that several of these test files use.

use std::iter;

use everysplit::reference::ByteOrder;
use everysplit::subject::{Buffered, Decode};
use everysplit::{Certificate, Expected, Harness, Split, Tier};
use serde::Deserialize;

use crate::common::Vector;

pub(crate) const BYTE_ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

/// Returns the frames of a vector whose frames are bodies only, each with the offset of its end.
pub(crate) fn bodies(vector: &Vector) -> Vec<(usize, Vec<u8>)> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(with = "hex")]
        body: Vec<u8>,
        end: usize,
    }

    Vec::<Body>::deserialize(&vector.frames)
        .unwrap()
        .into_iter()
        .map(|Body { body, end }| (end, body))
        .collect()
}

/// Returns every string of `len` bytes over an alphabet.
pub(crate) fn strings(alphabet: &[u8], len: usize) -> impl Iterator<Item = Vec<u8>> {
    let count = alphabet.len().pow(len.try_into().unwrap());
    (0..count).map(move |mut number| {
        let letter = iter::repeat_with(|| {
            let letter = alphabet[number % alphabet.len()];
            number /= alphabet.len();
            letter
        });
        letter.take(len).collect()
    })
}

/// Returns the split byte by byte, and every split with at most one cut.
pub(crate) fn simple_splits(len: usize) -> impl Iterator<Item = Split> {
    [Split::bytes(len)].into_iter().chain(Split::up_to(len, 1))
}

/// Asserts that a certificate is a proof for every split, not a weaker claim.
#[track_caller]
pub(crate) fn assert_proved(certificate: &Certificate) {
    let proved = matches!(certificate.tier, Tier::Proved { .. });
    assert!(proved, "{certificate}");
}

/// Proves a stream in both ways: with the decoder's buffer as part of its state, and as its
/// caller's. Checks every split with one cut too.
#[track_caller]
pub(crate) fn prove_both_ways<D>(
    make: impl Fn() -> D + Clone + 'static,
    oracle: impl Fn(&[u8]) -> Expected<D::Frame, D::Error> + Clone,
    stream: &[u8],
) where
    D: Decode + Clone + Eq + 'static,
{
    let caller_buffered = Harness::decoder(make.clone()).oracle(oracle.clone());
    assert_proved(&caller_buffered.check(stream).unwrap());
    caller_buffered.bounded(stream, 1).unwrap();
    let fed = Harness::framer(move || Buffered::new(make())).oracle(oracle);
    assert_proved(&fed.check(stream).unwrap());
}
