//! `Arbitrary` for frames, and for frames to be sent.
//!
//! A fuzzer input is a raw stream, so a recorded stream can be used as a seed: [`Sent`] reads its
//! frames from it. A hash of the same bytes chooses the split, so one input is one test case.
//!
//! These implementations are not biased towards likely bugs. The fuzzer finds those with its
//! coverage feedback, the mutator and the seeds.

use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use super::frame::{Frame, Header};
use super::sent::Sent;
use crate::case::hash;
use crate::split::Split;

/// Reads a little-endian header, then the body. A bodySize larger than the rest of the input is
/// reduced modulo its length plus one.
impl<'a> Arbitrary<'a> for Frame {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (size, cmd, recv) = <(u32, u32, u32)>::arbitrary(u)?;
        let size = size as usize % (u.len() + 1);
        Ok(Self {
            cmd,
            recv,
            body: u.bytes(size)?.to_vec().into(),
        })
    }
}

impl<'a> Arbitrary<'a> for Sent {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let len = u.arbitrary_len::<u8>()?;
        sent(u.bytes(len)?)
    }

    fn arbitrary_take_rest(u: Unstructured<'a>) -> Result<Self> {
        sent(u.take_rest())
    }
}

fn sent(bytes: &[u8]) -> Result<Sent> {
    let mut u = Unstructured::new(bytes);
    let (mut frames, mut len) = (Vec::new(), 0);
    while !u.is_empty() {
        let frame = Frame::arbitrary(&mut u)?;
        len += Header::LEN + frame.body.len();
        frames.push(frame);
    }
    Ok(Sent {
        split: Split::sample(len, &[], hash(bytes)),
        frames,
    })
}
