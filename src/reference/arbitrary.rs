//! `Arbitrary` for frames, splits and cases. It does not aim at weak spots: the
//! fuzzer's coverage, its mutator and the seeds do.
//!
//! A raw stream, as it comes off the wire, is a whole input: [`Case`] takes
//! it as it is, and [`Sent`] reads its frames from it. The split is drawn from
//! a hash of the same bytes, so that one input is one test case.

use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use super::frame::{Frame, Header};
use super::sent::Sent;
use crate::case::hash;
use crate::split::Split;

/// Reads a little-endian header and its body; a bodySize beyond the bytes left
/// is taken modulo what is there.
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
